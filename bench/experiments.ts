/**
 * What our sequential test promises: where two arms are alike it raises an alarm in at most 5 of 100 experiments, however often somebody looks; where they
 * differ it finds that in at least 80 of 100. A test that looks as often with a fixed sample size in mind is shown beside it, to say why it is not used.
 *
 *   node bench/experiments.ts
 */
import { type Random, randomNormal, seededRandom } from "#learning/random";
import { type Arm, compare, mean, NO_SAMPLES, type Test } from "#learning/sequential";
import { type Measure, median, table, writeResults } from "./harness.ts";

const REPEATS = 2_000;
const BATCHES = 50;
const ALPHA = 0.05;
const POWER = 0.8;
/** Two-sided, 5 %. */
const NORMAL_QUANTILE = 1.959964;

interface Case {
  readonly name: string;
  readonly perArm: number;
  readonly test: Test;
  /** What one person does; `effect` is added in the treatment. */
  readonly sample: (random: Random, effect: number) => number;
  /** The effect that power is stated for. */
  readonly effect: number;
}

const CASES: readonly Case[] = [
  {
    ...{ name: "viewed", perArm: 15_000, effect: 0.02, test: { alpha: ALPHA, scale: 0.02 } },
    sample: (random, effect) => (random() < 0.3 + effect ? 1 : 0),
  },
  {
    // Hours watched in a day: half of the people nothing, the others by a skewed law with a mean of about an hour.
    ...{ name: "watch-hours", perArm: 12_000, effect: 0.06, test: { alpha: ALPHA, scale: 0.06 } },
    sample: (random, effect) => (random() < 0.5 ? 0 : Math.exp(0.8 * randomNormal(random) - 0.32) + 2 * effect),
  },
];

interface Outcome {
  /** The batch at which it said that the arms differ. */
  readonly sequential: number | undefined;
  readonly fixed: number | undefined;
}

function simulate({ perArm, test, sample }: Case, effect: number, random: Random): Outcome {
  let [control, treatment, pValue] = [NO_SAMPLES, NO_SAMPLES, 1];
  let [sequential, fixed]: (number | undefined)[] = [undefined, undefined];
  for (let batch = 1; batch <= BATCHES && (sequential === undefined || fixed === undefined); batch += 1) {
    control = add(control, perArm / BATCHES, () => sample(random, 0));
    treatment = add(treatment, perArm / BATCHES, () => sample(random, effect));
    pValue = compare(control, treatment, test, pValue).pValue;
    if (pValue < ALPHA) sequential ??= batch;
    if (Math.abs(mean(treatment) - mean(control)) > NORMAL_QUANTILE * deviation(control, treatment)) fixed ??= batch;
  }
  return { sequential, fixed };
}

function add({ count, sum, sumOfSquares }: Arm, more: number, sample: () => number): Arm {
  let [added, squares] = [0, 0];
  for (let index = 0; index < more; index += 1) {
    const value = sample();
    added += value;
    squares += value * value;
  }
  return { count: count + more, sum: sum + added, sumOfSquares: sumOfSquares + squares };
}

const deviation = (...arms: readonly Arm[]): number =>
  Math.sqrt(arms.reduce((sum, arm) => sum + (arm.sumOfSquares / arm.count - mean(arm) ** 2) / arm.count, 0));

const shareOf = (outcomes: readonly Outcome[], of: keyof Outcome): number =>
  outcomes.filter((outcome) => outcome[of] !== undefined).length / outcomes.length;

const measures: Measure[] = CASES.flatMap((one, index) => {
  const run = (effect: number, seed: number): Outcome[] => {
    const random = seededRandom(seed);
    return Array.from({ length: REPEATS }, () => simulate(one, effect, random));
  };
  const same = run(0, 2 * index + 1);
  const different = run(one.effect, 2 * index + 2);
  const found = different.map(({ sequential }) => sequential ?? BATCHES).map((batch) => (batch * one.perArm) / BATCHES);
  const share = (name: string, value: number, more: Partial<Measure> = {}): Measure => ({
    ...{ name: `${one.name}.${name}`, value, unit: `of ${REPEATS}`, bar: null, samples: [value], ...more },
  });
  return [
    share("a-a.alarms", shareOf(same, "sequential"), { bar: ALPHA, better: "lower" }),
    share("a-a.alarms-of-fixed-size-test", shareOf(same, "fixed")),
    share(`power.at-${one.effect}`, shareOf(different, "sequential"), { bar: POWER }),
    { name: `${one.name}.people-per-arm-until-found`, value: median(found), unit: "people", bar: null, samples: found },
  ];
});
console.log(
  `${REPEATS} repeats, ${BATCHES} looks, ${CASES.map(({ name, perArm }) => `${name}: ${perArm} people in an arm`).join(", ")}`,
);
console.log(table(measures));
await writeResults("experiments", measures);
