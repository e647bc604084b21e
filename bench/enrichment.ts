/**
 * Thumbnails beside random frames, on films that the score was not trained on: how often it knows a spoiled picture from the sound one, and what the frames that
 * it chooses measure beside those that chance does. Trains the score that the product uses.
 *
 *   MARQUEE_TESTDATA=FOLDER node bench/enrichment.ts [--write] [--sheet FILE.png]
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { openTranscoder } from "#adapters/transcoder/ffmpeg";
import type { SourceInfo } from "#kernel/ports/transcoder";
import { bootstrap, type Interval, meanAt } from "#learning/bootstrap";
import { fitLogistic } from "#learning/logistic";
import { PICTURE_FEATURES } from "#learning/picture";
import { randomBelow, seededRandom } from "#learning/random";
import { scenesOf } from "../services/content/metadata/domain-chapters.ts";
import { type Candidate, chooseDiverse, momentsOf, scoreOf } from "../services/content/metadata/domain-thumbnails.ts";
import type { Scorer } from "../services/content/metadata/scorer.ts";
import { measure } from "../services/content/metadata/look.ts";
import { NO_FACES } from "../services/content/metadata/steps-thumbnails.ts";
import { contactSheet, type Frame, lookOf, rawOf, spoil, spoils, valuesOf } from "./enrichment/spoil.ts";
import { type Measure, table, writeResults } from "./harness.ts";

const RANDOM_FRAMES = 60;
const CHOSEN = 6;
const WIDTH = 480;
const SEED = 7;
/** A frame that shows nothing is nobody's good one. */
const CONTRAST_MIN = 0.06;
const ACCURACY_MIN = 0.85;
const SCORER_FILE = path.resolve(import.meta.dirname, "../services/content/metadata/scorer.ts");

interface Clip {
  readonly name: string;
  readonly film: string;
  readonly random: readonly Frame[];
  readonly candidates: readonly (Candidate & { readonly file: string })[];
  readonly durationS: number;
}

const filmOf = (name: string): string => name.split(/[-.]/)[0] ?? name;

async function readClip(file: string, folder: string): Promise<Clip> {
  const transcoder = openTranscoder();
  const name = path.basename(file);
  const film = filmOf(name);
  const source: SourceInfo = await transcoder.probe(file);
  const { durationS } = source;
  const random = seededRandom(SEED);
  const take = async (what: string, timesS: readonly number[]) => {
    const into = path.join(folder, `${name}-${what}`);
    await mkdir(into);
    return transcoder.stills(file, source, { timesS, width: WIDTH }, into);
  };
  const timesS = Array.from({ length: RANDOM_FRAMES }, () => random() * durationS * 0.999).sort((a, b) => a - b);
  const frames: Frame[] = [];
  for (const still of await take("random", timesS))
    frames.push({ clip: name, film, ...still, look: lookOf(await rawOf(still.file)) });
  const scenes = scenesOf(await transcoder.survey(file, source), durationS);
  const candidates = [];
  for (const still of await take("candidates", momentsOf(scenes, durationS)))
    candidates.push({ ...still, ...(await measure(still.file)), faces: NO_FACES });
  return { name, film, random: frames, candidates, durationS };
}

interface Pair {
  readonly film: string;
  readonly spoil: string;
  /** Features of the sound picture less those of the spoiled one. */
  readonly difference: readonly number[];
}

async function pairsOf(clips: readonly Clip[]): Promise<Pair[]> {
  const random = seededRandom(SEED);
  const pairs: Pair[] = [];
  for (const { film, random: frames } of clips)
    for (const frame of frames) {
      if (frame.look.contrast < CONTRAST_MIN) continue;
      // Two ways a frame; all of them come up as often.
      for (let count = 0; count < 2; count += 1) {
        const how = spoils[randomBelow(random, spoils.length)] ?? "soft";
        const spoiled = valuesOf(await spoil(frame, how, frames, random));
        const difference = valuesOf(frame.look).map((value, at) => value - (spoiled[at] ?? 0));
        pairs.push({ film, spoil: how, difference });
      }
    }
  return pairs;
}

/** Each pair both ways round, so that no side is the better one by its place. */
function fit(pairs: readonly Pair[], clips: readonly Clip[]): Scorer {
  const columns = PICTURE_FEATURES.length;
  const values = Float32Array.from(pairs.flatMap(({ difference }) => [...difference, ...difference.map((d) => -d)]));
  const labels = Float32Array.from(pairs.flatMap(() => [1, 0]));
  const { weights } = fitLogistic({ values, columns }, labels, 4);
  const looks = clips.flatMap(({ random }) => random.map(({ look }) => valuesOf(look)));
  const means = PICTURE_FEATURES.map((_, at) => looks.reduce((sum, look) => sum + (look[at] ?? 0), 0) / looks.length);
  const margins = looks.map((look) =>
    look.reduce((sum, value, at) => sum + (weights[at] ?? 0) * (value - (means[at] ?? 0)), 0),
  );
  const spread = Math.sqrt(margins.reduce((sum, margin) => sum + margin * margin, 0) / margins.length);
  const round = (value: number): number => Number(value.toPrecision(5));
  return {
    ...{ model: "picture quality, learned from spoiled pairs", version: "1" },
    ...{ weights: [...weights].map(round), means: means.map(round), temperature: round(spread) },
  };
}

const marginOf = ({ weights }: Scorer, difference: readonly number[]): number =>
  difference.reduce((sum, value, at) => sum + (weights[at] ?? 0) * value, 0);
const choose = ({ candidates, durationS }: Clip, scorer: Scorer) =>
  chooseDiverse(
    candidates.map((candidate) => ({ ...candidate, score: scoreOf(candidate, scorer) })),
    CHOSEN,
    durationS,
  );
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const shown = ({ estimate, low, high }: Interval): string =>
  `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;

const { values: options } = parseArgs({ options: { write: { type: "boolean" }, sheet: { type: "string" } } });
const testdata = process.env["MARQUEE_TESTDATA"];
if (!testdata) {
  console.log("skipped: MARQUEE_TESTDATA is not set; it names a folder whose video/ has the clips");
  process.exit(0);
}
const folder = await mkdtemp(path.join(tmpdir(), "marquee-bench-enrichment-"));
try {
  await main(path.join(testdata, "video"), folder);
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

async function main(videos: string, scratch: string): Promise<void> {
  const names = readdirSync(videos).filter((name) => /\.(mp4|webm|ts)$/.test(name));
  const clips: Clip[] = [];
  for (const name of names) clips.push(await readClip(path.join(videos, name), scratch));
  const pairs = await pairsOf(clips);
  const films = [...new Set(clips.map(({ film }) => film))];
  const scorers = new Map(
    films.map((film) => [
      film,
      fit(
        pairs.filter((pair) => pair.film !== film),
        clips.filter((clip) => clip.film !== film),
      ),
    ]),
  );
  const scorerOf = (film: string): Scorer => scorers.get(film) ?? fit(pairs, clips);
  const known = pairs.map(({ film, difference }) => (marginOf(scorerOf(film), difference) > 0 ? 1 : 0));
  const accuracy = bootstrap(known.length, (drawn) => meanAt(known, drawn), { random: seededRandom(SEED) });
  console.log(`${pairs.length} pairs of ${films.length} films, each film judged by what the others taught:`);
  console.log(`sound picture known from the spoiled one: ${shown(accuracy)}`);
  for (const how of spoils) {
    const own = known.filter((_, at) => pairs[at]?.spoil === how);
    console.log(`  ${how.padEnd(8)} ${mean(own).toFixed(2)} of ${own.length}`);
  }
  const gain = compare(clips, scorerOf);
  if (options.sheet) await drawSheet(clips, scorerOf, options.sheet);
  if (options.write) writeScorer(fit(pairs, clips));
  const measures: Measure[] = [
    { name: "thumbnails.pairs", value: accuracy.estimate, unit: "share", bar: ACCURACY_MIN, samples: [] },
    { name: "thumbnails.gain", value: gain.low, unit: "score, lower end", bar: 0, samples: [] },
  ];
  console.log(`\n${table(measures)}`);
  await writeResults("enrichment", measures);
}

/** What the chosen measure beside what random frames do, by clip. */
function compare(clips: readonly Clip[], scorerOf: (film: string) => Scorer): Interval {
  const features = ["sharpness", "contrast", "colourfulness", "entropy", "dark", "exposureError"] as const;
  console.log(`\n${"clip".padEnd(34)}${features.map((name) => name.padStart(22)).join("")}${"score".padStart(18)}`);
  console.log(`${"".padEnd(34)}${features.map(() => "chosen | random".padStart(22)).join("")}`);
  const gains = clips.map((clip) => {
    const scorer = scorerOf(clip.film);
    const chosen = choose(clip, scorer);
    const scores = clip.random.map(({ look }) => scoreOf({ look, faces: NO_FACES }, scorer));
    const cells = features.map((name) => {
      const [ours, chance] = [chosen, clip.random].map((some) => mean(some.map(({ look }) => look[name])));
      return `${ours?.toFixed(3)} | ${chance?.toFixed(3)}`.padStart(22);
    });
    const [ours, chance] = [mean(chosen.map(({ score }) => score)), mean(scores)];
    console.log(`${clip.name.padEnd(34)}${cells.join("")}${`${ours.toFixed(2)} | ${chance.toFixed(2)}`.padStart(18)}`);
    return { ours, scores };
  });
  for (const name of features) {
    const differences = clips.map((clip) => {
      const [ours, chance] = [choose(clip, scorerOf(clip.film)), clip.random].map((some) =>
        mean(some.map(({ look }) => look[name])),
      );
      return (ours ?? 0) - (chance ?? 0);
    });
    const interval = bootstrap(clips.length, (drawn) => meanAt(differences, drawn), { random: seededRandom(SEED) });
    console.log(`chosen less random, ${name}: ${shown(interval)}`);
  }
  // How often a chosen frame is better than one that chance takes, clip by clip.
  const wins = gains.map(({ ours, scores }) => mean(scores.map((score) => (ours > score ? 1 : 0))));
  console.log(
    `a chosen frame beats a random one: ${shown(bootstrap(wins.length, (drawn) => meanAt(wins, drawn), { random: seededRandom(SEED) }))}`,
  );
  const gained = gains.map(({ ours, scores }) => ours - mean(scores));
  const gain = bootstrap(gained.length, (drawn) => meanAt(gained, drawn), { random: seededRandom(SEED) });
  console.log(`chosen less random, score: ${shown(gain)}`);
  return gain;
}

async function drawSheet(clips: readonly Clip[], scorerOf: (film: string) => Scorer, out: string): Promise<void> {
  const random = seededRandom(SEED + 1);
  const rows = clips.flatMap((clip) => [
    { label: `${clip.film}: chosen`, files: choose(clip, scorerOf(clip.film)).map(({ file }) => file) },
    {
      label: `${clip.film}: random`,
      files: Array.from({ length: CHOSEN }, () => clip.random[randomBelow(random, clip.random.length)]?.file ?? ""),
    },
  ]);
  await contactSheet(rows, out);
  console.log(`the pictures are in ${path.basename(out)}`);
}

function writeScorer(scorer: Scorer): void {
  const text = readFileSync(SCORER_FILE, "utf8");
  const at = text.indexOf("export const SCORER");
  const list = (values: readonly number[]): string => `[${values.join(", ")}]`;
  const body = [
    `  model: ${JSON.stringify(scorer.model)},`,
    `  version: ${JSON.stringify(scorer.version)},`,
    `  weights: ${list(scorer.weights)},`,
    `  means: ${list(scorer.means)},`,
    `  temperature: ${scorer.temperature},`,
  ];
  writeFileSync(SCORER_FILE, `${text.slice(0, at)}export const SCORER: Scorer = {\n${body.join("\n")}\n};\n`);
}
