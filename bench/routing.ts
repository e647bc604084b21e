/**
 * Choosing delivery networks on recorded network traces: the model beside round-robin, beside what players report, and beside who knows the next
 * minute. The model is trained by the product's own code on the first part of the time and replayed on the rest by the product's own rule.
 *
 *   MARQUEE_TESTDATA=FOLDER node bench/routing.ts [--picture FILE]
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { openEmbeddedModels } from "#adapters/models/embedded";
import { auc } from "#learning/auc";
import { bootstrap, meanAt, pairedDifference } from "#learning/bootstrap";
import { type Gbdt, predictGbdt, trainGbdt } from "#learning/gbdt";
import { INPUT_NAME, writeOnnx } from "#learning/onnx";
import { seededRandom } from "#learning/random";
import { rowsOf } from "#learning/table";
import { type NetworkHealth, select } from "../services/delivery/routing/domain.ts";
import {
  badByRule,
  featuresOf,
  HISTORY_MINUTES,
  isBad,
  minutesToLearn,
  routing,
  ROUTING_FEATURES,
} from "../services/discovery/models/domain-routing.ts";
import { type Measure, percentile, table, writeResults } from "./harness.ts";
import { drawRouting, POLICIES, type Policy } from "./routing/picture.ts";
import { readTraces, type Sets } from "./routing/traces.ts";
import { keyOf, type Lived, makeWorld, NETWORKS, REGIONS, type World } from "./routing/world.ts";

const DAYS = 4;
const MINUTES = DAYS * 1_440;
const TRAINED_SHARE = 0.6;
const FIRST_MINUTE = Math.floor(Date.UTC(2026, 4, 18) / 60_000);
const SEEDS = [1, 2, 3] as const;
const SESSIONS_A_MINUTE = 6;

/** What sessions of one region and hour came to under each policy. */
type Outcome = Record<Policy, { readonly bad: number; readonly rebufferS: number; readonly playedKbps: number }>;

function train(world: World): { readonly model: Gbdt; readonly auc: number; readonly ruleAuc: number } {
  const until = FIRST_MINUTE + Math.floor(MINUTES * TRAINED_SHARE);
  const lines = [...world].map(([key, minutes]) => {
    const [region = "", networkId = ""] = key.split("/");
    return { region, networkId, minutes: minutes.filter(({ minute }) => minute < until) };
  });
  const { table: rows, labels, isTest } = minutesToLearn(lines);
  const [learned, judged] = [true, false].map((side) => [...isTest.keys()].filter((row) => isTest[row] !== side));
  const of = (chosen: readonly number[] = []): Float32Array => Float32Array.from(chosen, (row) => labels[row] ?? 0);
  const model = trainGbdt(rowsOf(rows, learned ?? []), of(learned), routing.options);
  const test = rowsOf(rows, judged ?? []);
  const rule = (judged ?? []).map((_, at) =>
    badByRule([...test.values.subarray(at * test.columns, (at + 1) * test.columns)]),
  );
  return { model, auc: auc(predictGbdt(model, test), of(judged)), ruleAuc: auc(rule, of(judged)) };
}

/** As a network's health is known from the reports of the last minutes. */
const healthOf = (minutes: readonly Lived[]): NetworkHealth => {
  const lately = minutes.slice(-2);
  const mean = (of: (one: Lived) => number): number => lately.reduce((sum, one) => sum + of(one), 0) / lately.length;
  return {
    ...{ isUp: true, samples: 100, latencyMs: mean((one) => one.latencyMs) },
    ...{ throughputKbps: mean((one) => one.throughputKbps), troubleRatio: mean((one) => one.troubleRatio) },
  };
};

const networks = NETWORKS.map((id) => ({ id, baseUrl: "", regions: [], costTier: 1 }));
const EMPTY = new Map<string, never>();

function replay(world: World, model: Gbdt): Outcome[] {
  const outcomes: Outcome[] = [];
  const from = Math.floor(MINUTES * TRAINED_SHARE);
  let turn = 0;
  for (const region of REGIONS) {
    const lines = new Map(NETWORKS.map((id) => [id as string, world.get(keyOf(region, id)) ?? []]));
    for (let hour = from; hour + 60 < MINUTES; hour += 60) {
      const lived = new Map(POLICIES.map((policy) => [policy, [] as Lived[]]));
      for (let at = hour; at < hour + 60; at += 1) {
        const histories = [...lines].map(([id, all]) => [id, all.slice(at - HISTORY_MINUTES + 1, at + 1)] as const);
        const values = Float32Array.from(histories.flatMap(([, minutes]) => featuresOf(minutes)));
        const scores = predictGbdt(model, { values, columns: ROUTING_FEATURES.length });
        const risks = new Map(histories.map(([id], index) => [id, scores[index] ?? 1]));
        const health = new Map(histories.map(([id, minutes]) => [id, healthOf(minutes)]));
        const next = (id: string): Lived | undefined => lines.get(id)?.[at + 1];
        const best = NETWORKS.toSorted(
          (a, b) =>
            (next(a)?.rebufferS ?? 0) - (next(b)?.rebufferS ?? 0) ||
            (next(b)?.playedKbps ?? 0) - (next(a)?.playedKbps ?? 0),
        );
        for (let session = 0; session < SESSIONS_A_MINUTE; session += 1) {
          turn += 1;
          const first = (of: Parameters<typeof select>[1]): string => select(networks, of).order[0]?.id ?? "";
          const chosen: Record<Policy, string> = {
            "round-robin": first({ health: EMPTY, risks: EMPTY, region, turn }),
            reports: first({ health, risks: EMPTY, region, turn }),
            model: first({ health, risks, region, turn }),
            oracle: best[0] ?? "",
          };
          for (const policy of POLICIES) {
            const minute = next(chosen[policy]);
            if (minute) lived.get(policy)?.push(minute);
          }
        }
      }
      const of = (policy: Policy) => {
        const all = lived.get(policy) ?? [];
        const mean = (what: (one: Lived) => number): number =>
          all.reduce((sum, one) => sum + what(one), 0) / all.length;
        return {
          bad: mean((one) => (isBad(one) ? 1 : 0)),
          rebufferS: mean(({ rebufferS }) => rebufferS),
          playedKbps: mean(({ playedKbps }) => playedKbps),
        };
      };
      outcomes.push({
        "round-robin": of("round-robin"),
        reports: of("reports"),
        model: of("model"),
        oracle: of("oracle"),
      });
    }
  }
  return outcomes;
}

function judge(outcomes: readonly Outcome[]): Measure[] {
  const column = (policy: Policy, what: "bad" | "rebufferS" | "playedKbps"): number[] =>
    outcomes.map((one) => one[policy][what]);
  const random = () => seededRandom(9);
  const measures: Measure[] = [];
  for (const policy of POLICIES)
    for (const [what, unit, factor] of [
      ["bad", "% of minutes", 100],
      ["rebufferS", "s/min", 1],
      ["playedKbps", "kbps", 1],
    ] as const) {
      const samples = column(policy, what).map((value) => value * factor);
      const value = samples.reduce((sum, one) => sum + one, 0) / samples.length;
      measures.push({ name: `routing.${what}.${policy}`, value, unit, bar: null, samples });
    }
  for (const other of ["round-robin", "reports"] as const)
    for (const what of ["bad", "rebufferS"] as const) {
      const { estimate, low, high } = pairedDifference(column("model", what), column(other, what), {
        random: random(),
      });
      console.log(
        `${what}: model - ${other} ${estimate.toFixed(4)}, 95 % interval over ${outcomes.length} hours of regions ${low.toFixed(4)} to ${high.toFixed(4)}`,
      );
      // The whole interval has to lie below 0.
      const bar = other === "round-robin" ? { bar: 0, better: "lower" as const } : { bar: null };
      const unit = what === "bad" ? "upper end, share" : "upper end, s/min";
      measures.push({ name: `routing.${what}.model-less-${other}`, value: high, unit, ...bar, samples: [low, high] });
    }
  const [model, robin, oracle] = [
    column("model", "rebufferS"),
    column("round-robin", "rebufferS"),
    column("oracle", "rebufferS"),
  ];
  const regret = bootstrap(
    outcomes.length,
    (at) => (meanAt(model, at) - meanAt(oracle, at)) / (meanAt(robin, at) - meanAt(oracle, at)),
    { random: random() },
  );
  measures.push({
    ...{ name: "routing.regret.model", value: regret.estimate, unit: "of round-robin's", bar: 1, better: "lower" },
    samples: [regret.low, regret.high],
  });
  return measures;
}

/** How long the runtime takes for the networks of one selection, warm. */
async function speed(model: Gbdt): Promise<Measure> {
  const runtime = openEmbeddedModels();
  try {
    const ref = { name: "bench.routing", version: "1" };
    await runtime.load(ref, writeOnnx(model, { features: ROUTING_FEATURES.join(",") }));
    const data = Array.from({ length: 3 * ROUTING_FEATURES.length }, (_, at) => at % 7);
    const input = { name: INPUT_NAME, shape: [3, ROUTING_FEATURES.length], datatype: "FP32" as const, data };
    const samples: number[] = [];
    for (let round = 0; round < 2_500; round += 1) {
      const began = performance.now();
      await runtime.infer(ref, { inputs: [input] }, { timeoutMs: 1_000 });
      if (round >= 500) samples.push(performance.now() - began);
    }
    const p99 = percentile(samples, 0.99);
    return {
      name: "routing.model.p99",
      value: p99,
      unit: "ms",
      bar: 10,
      better: "lower",
      samples: [percentile(samples, 0.5), p99],
    };
  } finally {
    await runtime.close();
  }
}

async function main(folder: string, picture: string | undefined): Promise<void> {
  const sets: Sets = readTraces(path.join(folder, "network-traces"));
  const outcomes: Outcome[] = [];
  let last: Gbdt | undefined;
  for (const seed of SEEDS) {
    const world = makeWorld(sets, MINUTES, FIRST_MINUTE, seed);
    const { model, auc: own, ruleAuc } = train(world);
    console.log(`world ${seed}: AUC of the next minute ${own.toFixed(3)}, of "as before" ${ruleAuc.toFixed(3)}`);
    outcomes.push(...replay(world, model));
    last = model;
  }
  const measures = [...judge(outcomes), ...(last ? [await speed(last)] : [])];
  console.log(table(measures));
  await writeResults("routing", measures);
  if (picture !== undefined) writeFileSync(picture, drawRouting(outcomes));
}

const folder = process.env.MARQUEE_TESTDATA;
if (folder === undefined) {
  console.error("MARQUEE_TESTDATA is not set: the traces are in its folder network-traces");
  process.exitCode = 1;
} else await main(folder, parseArgs({ options: { picture: { type: "string" } } }).values.picture);
