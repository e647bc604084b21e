/**
 * What a ladder for each film saves: BD-rate over VMAF 60 to 95 (H.264) against the fixed ladder and against the same rungs at one quality (capped CRF). The model
 * that picks a film's rungs has never seen that film. Bars: a fifth less than the fixed ladder, a twentieth less than capped CRF, in the mean over films that
 * are not worn themselves; an answer of the model within 5 s.
 *
 *   MARQUEE_TESTDATA=FOLDER node bench/per-title.ts [--quick] [--train] [--picture FILE]
 *
 * `--train` writes the model that is shipped, of all films. What was encoded once is not encoded again: it lies in .cache/bench/per-title.
 */
import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { bdRate, type RatePoint } from "#learning/bd-rate";
import {
  type ComplexityModel,
  hullOf,
  perTitleRungs,
  probesOf,
} from "../services/content/encoding/domain-per-title.ts";
import { planOf, type Sized, sizesOf } from "../services/content/encoding/domain.ts";
import { type Measure, table, writeResults, resultsFolder } from "./harness.ts";
import { type Laboratory, openLaboratory } from "./per-title/encodes.ts";
import { errorOf, type Studied, trainModel, type Trial } from "./per-title/laws.ts";
import { drawPerTitle, type Panel } from "./per-title/picture.ts";
import { type Excerpt, EXCERPT_S, openExcerpts } from "./per-title/sources.ts";

const CRFS = [20, 27, 34, 41];
const CAPPED_CRF = 23;
const RANGE = { from: 60, to: 95 };
const SAVED_MIN = { fixed: 20, capped: 5 };
const ANSWER_MS_MAX = 5_000;
/** The grid's own cap, which nothing reaches. */
const UNCAPPED_KBPS = 20_000;
const QUICK = new Set(["the-tide-clock", "perihelion", "ember-season", "cartographers-of-rain", "sintel-4k"]);
const MODEL = new URL("../services/content/encoding/per-title-model.json", import.meta.url);

async function study(lab: Laboratory, of: Excerpt): Promise<Studied> {
  const sizes = sizesOf(of.source);
  const complexity = await lab.complexity(of, probesOf(sizes));
  const trials: Trial[] = [];
  for (const size of sizes) {
    for (const crf of CRFS) {
      const asked = { codec: "h264" as const, ...size, bitrateKbps: UNCAPPED_KBPS, crf };
      trials.push({ ...asked, ...(await lab.encode(of, asked)) });
    }
  }
  return { name: of.name, complexity, trials };
}

async function encodeLadder(lab: Laboratory, of: Excerpt, rungs: readonly Sized[]): Promise<RatePoint[]> {
  const points: RatePoint[] = [];
  for (const { codec, width, height, bitrateKbps, crf } of rungs) {
    const asked = { codec, width, height, bitrateKbps, ...(crf === undefined ? {} : { crf }) };
    const { kbps, vmaf } = await lab.encode(of, asked);
    points.push({ rate: kbps, quality: vmaf });
  }
  return points;
}

interface Judged {
  readonly of: Excerpt;
  readonly savedFixed: number;
  readonly savedCapped: number;
  readonly answerMs: number;
  readonly vmafError: number;
  /** By how much VMAF a chosen rung was off what the model had expected. */
  readonly misses: readonly number[];
  readonly panel: Panel;
}

async function judge(lab: Laboratory, of: Excerpt, own: Studied, model: ComplexityModel): Promise<Judged> {
  const fixed = planOf(of.source, "full", [], { hevc: false, ladder: "fixed" }).video.map(
    ({ chunks: _, ...rung }) => rung,
  );
  const began = performance.now();
  const chosen = perTitleRungs(own.complexity, { codec: "h264", fixed, sizes: sizesOf(of.source) }, model);
  const answerMs = performance.now() - began;
  if (typeof chosen === "string") throw new Error(`${of.name} gets no ladder: ${chosen}`);
  const points = {
    fixed: await encodeLadder(lab, of, fixed),
    capped: await encodeLadder(
      lab,
      of,
      fixed.map((rung) => ({ ...rung, crf: CAPPED_CRF })),
    ),
    chosen: await encodeLadder(lab, of, chosen),
  };
  const saved = (anchor: readonly RatePoint[]): { percent: number; words: string } => {
    const found = bdRate(anchor, points.chosen, RANGE);
    if (!found) return { percent: Number.NaN, words: "nothing in common" };
    const percent = -100 * found.change;
    return { percent, words: `${percent.toFixed(1)} % (VMAF ${found.from.toFixed(0)} to ${found.to.toFixed(0)})` };
  };
  const [overFixed, overCapped] = [saved(points.fixed), saved(points.capped)];
  const show = (name: string, ladder: readonly RatePoint[], rungs: readonly Sized[]): void =>
    console.log(
      `  ${name.padEnd(10)} ${ladder.map(({ rate, quality }, i) => `${rungs[i]?.height}p ${Math.round(rate)} ${quality.toFixed(1)}`).join(" | ")}`,
    );
  console.log(`${of.name}: saves ${overFixed.words} of fixed, ${overCapped.words} of capped CRF`);
  show("fixed", points.fixed, fixed);
  show("capped", points.capped, fixed);
  show("per title", points.chosen, chosen);
  const rate = ({ kbps, vmaf }: { kbps: number; vmaf: number }): RatePoint => ({ rate: kbps, quality: vmaf });
  const laws = model.laws.h264;
  return {
    ...{ of, savedFixed: overFixed.percent, savedCapped: overCapped.percent, answerMs },
    vmafError: laws ? errorOf(laws, [own], "h264").vmaf : Number.NaN,
    misses: chosen.map(({ vmaf }, i) => (vmaf ?? 0) - (points.chosen[i]?.quality ?? 0)),
    panel: {
      name: of.name,
      about: `saved: ${inWords(overFixed.percent)} and ${inWords(overCapped.percent)}`,
      sizes: sizesOf(of.source).map(({ width }) => own.trials.filter((trial) => trial.width === width).map(rate)),
      hull: hullOf(own.trials).map(rate),
      ...points,
    },
  };
}

const inWords = (percent: number): string =>
  Number.isFinite(percent) ? `${percent.toFixed(0)} %` : "nothing in common";

function measuresOf(judged: readonly Judged[]): Measure[] {
  const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  // A film whose fixed ladder lies above the range altogether has no BD-rate: it could only be said to be cheaper for less. The samples' number tells.
  const mean = (name: string, unit: string, all: readonly number[], more: Partial<Measure> = {}): Measure => {
    const samples = all.filter(Number.isFinite);
    return { ...{ name: `per-title.${name}`, value: meanOf(samples), unit, bar: null, samples, ...more } };
  };
  const answers = judged.map(({ answerMs }) => answerMs);
  return [
    mean(
      "saved.fixed",
      "%",
      judged.map(({ savedFixed }) => savedFixed),
      { bar: SAVED_MIN.fixed },
    ),
    mean(
      "saved.capped",
      "%",
      judged.map(({ savedCapped }) => savedCapped),
      { bar: SAVED_MIN.capped },
    ),
    mean(
      "model.vmaf-error",
      "VMAF",
      judged.map(({ vmafError }) => vmafError),
    ),
    mean(
      "rung.off-target",
      "VMAF",
      judged.flatMap(({ misses }) => misses.map(Math.abs)),
    ),
    { ...mean("model.answer", "ms", answers, { bar: ANSWER_MS_MAX, better: "lower" }), value: Math.max(...answers) },
  ];
}

async function main(): Promise<void> {
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({ options: { quick: flag, train: flag, picture: { type: "string" } } });
  const folder = path.resolve(resultsFolder(), "per-title");
  await mkdir(folder, { recursive: true });
  const lab = await openLaboratory(folder);
  if (!lab) {
    console.log(
      "VMAF cannot be measured here: @ffprobe-installer/linux-x64, whose ffprobe has libvmaf, is not installed",
    );
    return;
  }
  if (process.env.MARQUEE_TESTDATA === undefined)
    console.log("MARQUEE_TESTDATA is not set: there are no clips, only the demo films");
  const excerpts = await openExcerpts(folder, (name) => !values.quick || QUICK.has(name));
  const studied: Studied[] = [];
  for (const of of excerpts) studied.push(await study(lab, of));
  if (values.train) {
    const model = trainModel(studied);
    const part = `${MODEL.pathname}.part`;
    await writeFile(
      part,
      `${JSON.stringify(model, (_, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(7)) : value), 2)}\n`,
    );
    await rename(part, MODEL.pathname);
    console.log(
      `the model's error is ${model.laws.h264?.vmafError.toFixed(2)} VMAF on films that it was not trained on`,
    );
  }
  const judged: Judged[] = [];
  for (const [index, of] of excerpts.entries()) {
    const own = studied[index];
    // What is worn teaches the model and is no judge of it.
    if (own && of.isWorn === "")
      judged.push(await judge(lab, of, own, trainModel(studied.filter(({ name }) => name !== of.name))));
  }
  const measures = measuresOf(judged);
  console.log(table(measures));
  const about = `H.264, ${EXCERPT_S} s of each film, each judged by a model that has not seen it; saved of the fixed ladder, and of capped CRF`;
  if (values.picture !== undefined)
    await writeFile(
      values.picture,
      drawPerTitle(
        judged.map(({ panel }) => panel),
        about,
      ),
    );
  if (!values.quick) await writeResults("per-title", measures);
}

await main();
