/**
 * What becomes of the work that is done when twice as much is asked for as can be: it may not collapse. The most the product does of each kind is
 * measured with as many connections as are answered together; then requests come at twice that rate, whatever the answers take, on connections
 * enough that none waits for another. Refusals that say when to come back are no failure, but they are no work either. In the mixture
 * playback must be served before those who look around.
 *
 *   node bench/overload.ts [starts | home | mixed]
 */
import { beatOf, type Cinema, openCinema, readOf, run, startOf } from "./api/cinema.ts";
import type { Ask, Report } from "./api/generator.ts";
import { type Measure, median, percentile, table, writeResults } from "./harness.ts";

const CONNECTIONS = 64;
const OPEN_CONNECTIONS = 2_000;
const ROUNDS = 3;
const ROUND_S = 4;
const OPEN_S = 12;
const TIMES = 2;
const STATUSES = [200, 201];

const home = readOf("/home");
const ROWS: Readonly<Record<string, (cinema: Cinema) => readonly Ask[]>> = {
  starts: ({ viewers }) => viewers.map(startOf),
  home: ({ viewers }) => viewers.map(home),
  mixed: ({ viewers }) => viewers.flatMap((viewer) => [beatOf(viewer), startOf(viewer), home(viewer), home(viewer)]),
};

const perS = ({ latenciesMs, elapsedS }: Report): number => latenciesMs.length / elapsedS;

/** The share of a kind's requests that was served; NaN where there were none. */
function servedOf({ tallies }: Report, kinds: readonly string[]): number {
  const all = kinds.flatMap((kind) => tallies[kind] ?? []);
  const good = all.reduce((sum, tally) => sum + tally.good, 0);
  return good / (good + all.reduce((sum, tally) => sum + tally.refused, 0));
}

async function measure(name: string, asks: readonly Ask[], { host, port }: Cinema): Promise<Measure[]> {
  const common = { host, port, asks, statuses: STATUSES };
  const closed = { ...common, connections: CONNECTIONS, durationS: ROUND_S, perS: null };
  await run(closed);
  const peaks: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) peaks.push(perS(await run(closed)));
  const peak = median(peaks);
  const open = { ...common, connections: OPEN_CONNECTIONS, durationS: OPEN_S, perS: Math.round(peak * TIMES) };
  const flood = await run(open);
  const after = perS(await run(closed));
  const shown = (what: string, value: number, unit: string, more: Partial<Measure> = {}): Measure => ({
    ...{ name: `${name}.${what}`, value, unit, bar: null, samples: [value], ...more },
  });
  return [
    shown("peak", peak, "1/s", { samples: peaks }),
    shown("asked", open.perS, "1/s"),
    shown("goodput", perS(flood), "1/s"),
    shown("goodput.ratio", perS(flood) / peak, "ratio", { bar: 0.9 }),
    shown("p99", percentile(flood.latenciesMs, 0.99), "ms"),
    shown("refused", flood.refused / flood.answered, "share"),
    shown("afterwards.ratio", after / peak, "ratio", { bar: 0.9 }),
    ...(name === "mixed"
      ? [
          shown("served.playback", servedOf(flood, ["beat", "start"]), "share"),
          shown("served.browsing", servedOf(flood, ["/home"]), "share"),
        ]
      : []),
  ];
}

export async function main(only: string | undefined): Promise<void> {
  const rows = Object.entries(ROWS).filter(([name]) => only === undefined || name === only);
  if (rows.length === 0) throw new Error(`there is no row '${only}'; there are ${Object.keys(ROWS).join(", ")}`);
  const cinema = await openCinema();
  try {
    const measures: Measure[] = [];
    for (const [name, asksOf] of rows) measures.push(...(await measure(name, asksOf(cinema), cinema)));
    process.stdout.write(`${table(measures)}\n`);
    await writeResults("overload", measures);
  } finally {
    await cinema.close();
  }
}

if (import.meta.main) await main(process.argv[2]);
