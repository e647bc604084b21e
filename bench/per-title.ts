/**
 * What a ladder for each film saves: BD-rate over VMAF 60 to 95 (H.264) against the fixed ladder and against the same rungs at one quality (capped CRF). The model
 * that picks a film's rungs has never seen that film, nor another excerpt of it. Bars: a fifth less than the fixed ladder, a twentieth less than capped CRF, in the
 * mean over films that are not worn themselves; an answer of the model within 5 s.
 *
 *   MARQUEE_TESTDATA=FOLDER node bench/per-title.ts [--films NAME,NAME] [--train] [--picture FILE]
 *
 * `--train` writes the model that is shipped, of all films. What was encoded once is not encoded again: it lies in .cache/bench/per-title, so a run that was stopped goes on.
 */
import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import type { RatePoint } from "#learning/bd-rate";
import { bootstrap, type Interval, meanAt } from "#learning/bootstrap";
import { seededRandom } from "#learning/random";
import { type ComplexityModel, probesOf, type Size } from "../services/content/encoding/domain-per-title.ts";
import { sizesOf } from "../services/content/encoding/domain.ts";
import { type Measure, table, writeResults, resultsFolder } from "./harness.ts";
import { type Laboratory, openLaboratory } from "./per-title/encodes.ts";
import { encodeAnchors, judge, type Judged, type Saved } from "./per-title/judge.ts";
import { type Studied, trainModel, type Trial } from "./per-title/laws.ts";
import { drawPerTitle } from "./per-title/picture.ts";
import { type Excerpt, EXCERPT_S, openExcerpts } from "./per-title/sources.ts";

/** Real films are few, so each is tried at more qualities than the many that are drawn. */
const CRFS = { real: [20, 27, 34, 41], drawn: [21, 29, 37] } as const;
const SAVED_MIN = { fixed: 20, capped: 5 };
const ANSWER_MS_MAX = 5_000;
const VMAF_ENOUGH = 65;
/** The grid's own cap, which nothing reaches. */
const UNCAPPED_KBPS = 20_000;
const MODEL = new URL("../services/content/encoding/per-title-model.json", import.meta.url);
const SEED = 5;

async function study(lab: Laboratory, of: Excerpt): Promise<Studied> {
  const [top, ...others] = sizesOf(of.source);
  // Three lanes, of which each has about as much to do; the figures are of sizes and pictures, so nobody minds who else works.
  const [first, rest, complexity] = await Promise.all([
    top ? tryOut(lab, of, [top]) : [],
    tryOut(lab, of, others),
    lab.complexity(of, probesOf(sizesOf(of.source))),
    of.isWorn === "" ? encodeAnchors(lab, of) : null,
  ]);
  return { name: of.name, film: of.film, complexity, trials: [...first, ...rest] };
}

async function tryOut(lab: Laboratory, of: Excerpt, sizes: readonly Size[]): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const size of sizes) {
    for (const crf of CRFS[of.kind]) {
      const asked = { codec: "h264" as const, ...size, bitrateKbps: UNCAPPED_KBPS, crf };
      const made = await lab.encode(of, asked);
      trials.push({ ...asked, ...made });
      // What lies far below the range that is judged teaches nothing about it.
      if (made.vmaf < VMAF_ENOUGH) break;
    }
  }
  return trials;
}

const inWords = ({ percent, from, to }: Saved): string =>
  Number.isFinite(percent)
    ? `${percent.toFixed(1)} % (VMAF ${from.toFixed(0)} to ${to.toFixed(0)})`
    : "nothing in common";

function report({ of, fixed, capped, most, wrong, points, rungs }: Judged): void {
  console.log(`${of.name}: saves ${inWords(fixed)} of fixed, ${inWords(capped)} of capped CRF`);
  console.log(`  the most that could be: ${inWords(most.fixed)}, ${inWords(most.capped)}`);
  console.log(
    `  the laws are wrong by ${wrong.vmaf.toFixed(1)} VMAF and ${(100 * wrong.rate).toFixed(0)} % of the rate`,
  );
  const sizes = rungs.map(({ height, crf }) => `${height}p at ${crf}: `);
  const show = (name: string, ladder: readonly RatePoint[], before: readonly string[]): void => {
    const words = ladder.map(({ rate, quality }, i) => `${before[i] ?? ""}${Math.round(rate)} ${quality.toFixed(1)}`);
    console.log(`  ${name.padEnd(10)} ${words.join(" | ")}`);
  };
  show("fixed", points.fixed, []);
  show("capped", points.capped, []);
  show("per title", points.chosen, sizes);
}

/** The mean over films, of which some have several excerpts; one whose fixed ladder lies above the range altogether has no figure. */
function ofFilms(judged: readonly Judged[], figure: (one: Judged) => number): { figures: number[]; mean: Interval } {
  const films = Map.groupBy(
    judged.filter((one) => Number.isFinite(figure(one))),
    ({ of }) => of.film,
  );
  const figures = [...films.values()].map((own) => own.reduce((sum, one) => sum + figure(one), 0) / own.length);
  return {
    figures,
    mean: bootstrap(figures.length, (drawn) => meanAt(figures, drawn), { random: seededRandom(SEED) }),
  };
}

function measuresOf(judged: readonly Judged[]): Measure[] {
  const over = (name: string, unit: string, figure: (one: Judged) => number, more: Partial<Measure> = {}): Measure => {
    const { figures, mean } = ofFilms(judged, figure);
    console.log(
      `${name}: ${mean.estimate.toFixed(1)} ${unit} in the mean of ${figures.length} films, 95 % interval ${mean.low.toFixed(1)} to ${mean.high.toFixed(1)}`,
    );
    return { ...{ name: `per-title.${name}`, value: mean.estimate, unit, bar: null, samples: figures }, ...more };
  };
  const answers = judged.map(({ answerMs }) => answerMs);
  const answer = { value: Math.max(...answers), bar: ANSWER_MS_MAX, better: "lower" } as const;
  return [
    over("saved.fixed", "%", ({ fixed }) => fixed.percent, { bar: SAVED_MIN.fixed }),
    over("saved.capped", "%", ({ capped }) => capped.percent, { bar: SAVED_MIN.capped }),
    over("most.fixed", "%", ({ most }) => most.fixed.percent),
    over("most.capped", "%", ({ most }) => most.capped.percent),
    over("model.vmaf-error", "VMAF", ({ wrong }) => wrong.vmaf),
    over("rung.off-target", "VMAF", ({ misses }) => meanAt(misses.map(Math.abs), [...misses.keys()])),
    { ...{ name: "per-title.model.answer", unit: "ms", samples: answers }, ...answer },
  ];
}

async function writeModel(model: ComplexityModel): Promise<void> {
  const part = `${MODEL.pathname}.part`;
  const short = (_: string, value: unknown): unknown =>
    typeof value === "number" ? Number(value.toPrecision(7)) : value;
  await writeFile(part, `${JSON.stringify(model, short, 2)}\n`);
  await rename(part, MODEL.pathname);
  const error = model.laws.h264?.vmafError.toFixed(2);
  console.log(`the model's error is ${error} VMAF on films that it was not trained on`);
}

async function main(): Promise<void> {
  const flag = { type: "boolean", default: false } as const;
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { films: text, train: flag, picture: text } });
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
  const excerpts = await openExcerpts(folder, (name) => values.films?.split(",").includes(name) ?? true);
  const studied: Studied[] = [];
  for (const of of excerpts) studied.push(await study(lab, of));
  if (values.train) await writeModel(trainModel(studied));
  const judged: Judged[] = [];
  for (const [index, of] of excerpts.entries()) {
    const own = studied[index];
    // What is worn teaches the model and is no judge of it.
    if (of.isWorn !== "") console.log(`${of.name} only teaches: ${of.isWorn}`);
    else if (own) {
      const one = await judge(lab, of, own, trainModel(studied.filter(({ film }) => film !== of.film)));
      report(one);
      judged.push(one);
    }
  }
  const measures = measuresOf(judged);
  console.log(table(measures));
  const about = `H.264, ${EXCERPT_S.drawn} s of each drawn film and ${EXCERPT_S.real} of each real one, each judged by a model that has not seen it; saved of the fixed ladder, and of capped CRF`;
  if (values.picture !== undefined) await writeFile(values.picture, drawPerTitle(judged, studied, about));
  if (values.films === undefined) await writeResults("per-title", measures);
}

await main();
