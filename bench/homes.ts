/**
 * Homes of simulated personas on the whole product, as `marquee simulate` makes them and without its pauses: NDCG@20 of what they are shown, by what
 * they would like best, beside what is popular. Bar: above popularity at the end, with an interval that excludes 0.
 *
 *   node bench/homes.ts [--picture FILE]
 */
import { parseArgs } from "node:util";
import { openCinema } from "../apps/simulate/cinema.ts";
import { type Row, runCourse } from "../apps/simulate/course.ts";
import { addPersonas, addTitles, learn } from "../apps/simulate/people.ts";
import { drawCourse } from "../apps/simulate/picture.ts";
import { makeWorld } from "../apps/simulate/world.ts";
import { openStage } from "../tests/chaos/product.ts";
import { writePicture } from "./charts.ts";
import { type Measure, table, writeResults } from "./harness.ts";

const [PERSONAS, TITLES, INTERVALS, SEED] = [200, 2_000, 10, 11];
const RUN = "bench";
const nothing = (): void => undefined;

async function run(): Promise<readonly Row[]> {
  const stage = await openStage();
  try {
    const product = stage.start();
    const url = await product.ready();
    const world = makeWorld({ seed: SEED, personas: PERSONAS, titles: TITLES });
    await addTitles(stage.admin, RUN, world, nothing);
    await addPersonas(stage.admin, PERSONAS, nothing);
    await learn(stage.admin);
    const rows: Row[] = [];
    console.log("round  home    popular  difference [95 %]           alike   watched  partial  failed");
    await runCourse(world, openCinema({ client: stage.admin, url, run: RUN, personas: PERSONAS }), {
      ...{ seed: SEED, intervals: INTERVALS, intervalMs: 0, nowMs: Date.now, signal: new AbortController().signal },
      sleep: async () => undefined,
      onRow(row) {
        const { home, popular, difference, alike, watched, partial, failed } = row;
        const { estimate, low, high } = difference;
        const lead = `${estimate.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`;
        const rest = `${alike.toFixed(4)}  ${String(watched).padEnd(7)}  ${String(partial).padEnd(7)}  ${failed}`;
        console.log(`${String(rows.length).padEnd(7)}${home.toFixed(4)}  ${popular.toFixed(4)}   ${lead}   ${rest}`);
        rows.push(row);
      },
    });
    return rows;
  } finally {
    await stage.close();
  }
}

const { picture } = parseArgs({ options: { picture: { type: "string" } } }).values;
const rows = await run();
const last = rows.at(-1);
if (!last) throw new Error("nothing was found");
const { low, high, estimate } = last.difference;
const measures: readonly Measure[] = [
  { name: "homes.over.popularity", value: estimate, unit: "NDCG", bar: null, samples: [low, high] },
  { name: "homes.over.popularity.low", value: low, unit: "NDCG", bar: 0, samples: [low] },
  {
    ...{ name: "homes.alike", value: last.alike, unit: "Jaccard", bar: 0.5, better: "lower" as const },
    samples: rows.map(({ alike }) => alike),
  },
  {
    ...{ name: "homes.false-reasons", value: last.withFalseReason, unit: `of ${last.asked}`, bar: 0 },
    ...{ better: "lower" as const, samples: [last.withFalseReason] },
  },
];
console.log(`\n${table(measures)}`);
await writeResults("homes", measures);
await writePicture("homes", picture, drawCourse(rows, `${PERSONAS} personas, ${TITLES} titles, as fast as they can`));
