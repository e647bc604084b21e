/**
 * What our sequential test promises: where two arms are alike it raises an alarm in at most 5 of 100 experiments, however often somebody looks; where
 * they differ by what is worth finding it finds that in at least 80 of 100, with as many people as stand here. A test that looks as often with a fixed
 * sample size in mind is shown beside it, to say why it is not used.
 *
 *   node bench/experiments.ts [--picture FILE]
 */
import { parseArgs } from "node:util";
import { type Random, randomNormal, seededRandom } from "#learning/random";
import { type Arm, compare, mean, NO_SAMPLES, type Test } from "#learning/sequential";
import { drawPanels, writePicture } from "./charts.ts";
import { type Measure, median, table, writeResults } from "./harness.ts";

const REPEATS = 2_000;
const BATCHES = 50;
const ALPHA = 0.05;
const POWER = 0.8;
/** Two-sided, 5 %. */
const NORMAL_QUANTILE = 1.959964;

const HOUR_S = 3_600;

interface Case {
  readonly name: string;
  readonly perArm: number;
  /** What one person does in a day; `effect` is added to the mean in the treatment. */
  readonly sample: (random: Random, effect: number) => number;
  /** The effect that power is stated for, and the test's scale. */
  readonly effect: number;
  readonly unit: string;
}

const testOf = ({ effect }: Case): Test => ({ alpha: ALPHA, scale: Math.abs(effect) });

/** The metrics of experiments, each with the effect that is worth finding in it and how many people in an arm that takes. */
const CASES: readonly Case[] = [
  {
    // Three in ten watch anything in a day.
    ...{ name: "viewed", perArm: 15_000, effect: 0.02, unit: "of people" },
    sample: (random, effect) => (random() < 0.3 + effect ? 1 : 0),
  },
  {
    // Half of the people nothing, the others by a skewed law with a mean of about an hour.
    ...{ name: "watch_s", perArm: 6_000, effect: 216, unit: "s" },
    sample: (random, effect) =>
      random() < 0.5 ? 0 : HOUR_S * Math.exp(0.8 * randomNormal(random) - 0.32) + 2 * effect,
  },
  {
    // Everybody has a rate of their own, with a mean of 1.2 a day; it is a guardrail, and what is found is that there are fewer.
    ...{ name: "sessions", perArm: 2_000, effect: -0.2, unit: "a day" },
    sample: (random, effect) => poisson((1.2 + effect) * -Math.log(1 - random()), random),
  },
  {
    // One in twenty meets errors, two at a time; a guardrail too.
    ...{ name: "errors", perArm: 4_000, effect: 0.05, unit: "a day" },
    sample: (random, effect) => (random() < 0.05 + effect / 2 ? geometric(0.5, random) : 0),
  },
];

/** How many of what comes at a rate come in a while (D. Knuth, The Art of Computer Programming, volume 2, section 3.4.1). */
function poisson(rate: number, random: Random): number {
  const least = Math.exp(-rate);
  let count = 0;
  for (let left = random(); left > least; left *= random()) count += 1;
  return count;
}

/** How many tries the first success takes. */
const geometric = (chance: number, random: Random): number =>
  1 + Math.floor(Math.log(1 - random()) / Math.log(1 - chance));

interface Outcome {
  /** The batch at which it said that the arms differ. */
  readonly sequential: number | undefined;
  readonly fixed: number | undefined;
}

function simulate(one: Case, effect: number, random: Random): Outcome {
  const { perArm, sample } = one;
  const test = testOf(one);
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

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
const valueOf = (name: string): number => measures.find((measure) => measure.name === name)?.value ?? Number.NaN;
const drawn = drawPanels(
  "Experiments that may be looked at at any time",
  `${REPEATS} repeats of each, ${BATCHES} looks at each; sequential test (mSPRT) and a test of a fixed size, looked at as often`,
  [
    {
      ...{ title: "False alarms where the arms are alike (A/A)", bar: ALPHA, shown: percent },
      marks: CASES.flatMap(({ name }) => [
        { name, value: valueOf(`${name}.a-a.alarms`) },
        { name: `${name}, fixed size`, value: valueOf(`${name}.a-a.alarms-of-fixed-size-test`), isBaseline: true },
      ]),
    },
    {
      ...{ title: "Power at the stated effect and size", bar: POWER, shown: percent },
      marks: CASES.map(({ name, effect, unit, perArm }) => ({
        name: `${name} ${effect} ${unit}, ${perArm}`,
        value: valueOf(`${name}.power.at-${effect}`),
      })),
    },
  ],
);
await writePicture("experiments", parseArgs({ options: { picture: { type: "string" } } }).values.picture, drawn);
