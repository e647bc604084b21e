/**
 * What search finds, and how fast. Bars: on questions with known answers the mean reciprocal rank is not below a tuned BM25F on exact titles,
 * and above it, with an interval that excludes 0, over all kinds and on slips, beginnings and misspelt names; nonsense finds nothing; 99 of
 * 100 answers of the worker come within 50 ms at 8,704 titles and at 100,000.
 *
 * Weights of both were chosen on every other question; the rest is reported, with 95 % intervals by paired bootstrap over questions.
 *
 * Where MARQUEE_SEARCH_URL names an OpenSearch (`npm run engines -- start opensearch`), the search port's adapter is asked the same beside it.
 *
 *   MARQUEE_TESTDATA=folder-with-catalogue npm run bench -- search [quality | speed] [--picture FILE]
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { pairedDifference } from "#learning/bootstrap";
import { randomBelow, seededRandom } from "#learning/random";
import { topK } from "#learning/ranking";
import { createTextIndex, type Field, type TextIndex } from "../services/discovery/search/domain-index.ts";
import { createLibrary, type Library, PLAIN } from "../services/discovery/search/domain-library.ts";
import { allStepsOf, createMeaning, modelOf } from "../services/discovery/search/domain-meaning.ts";
import { FIELDS, fieldsOf, NAME_FIELDS } from "../services/discovery/search/domain-shelves.ts";
import type { Entry } from "../services/discovery/search/domain-title.ts";
import { wordsOf } from "../services/discovery/search/domain-words.ts";
import type { FromEngine, Task, ToEngine } from "../services/discovery/search/engine-worker.ts";
import { drawPanels, type Mark, writePicture } from "./charts.ts";
import { type Measure, percentile, table, writeResults } from "./harness.ts";
import { openSearchOf } from "./search/opensearch.ts";
import { nonsense, type Question, questionsOf, readCatalogue, syntheticEntries } from "./search/data.ts";

const SEED = 42;
const FOUND_MAX = 50;
const NONSENSE = 10_000;
const SIGHT = { ageRatingMax: 18, nowMs: Date.UTC(2026, 0, 1) };
const ASKED = 2_000;
/** The first ones teach the compiler. */
const WARM = 200;
const SYNTHETIC = Number(process.env["MARQUEE_BENCH_TITLES"] ?? 100_000);
const P99_MS_MAX = 50;
const NDCG_AT = 10;

/** What the picture shows of each ranking. */
const drawn: { readonly ranks: Mark[]; readonly gains: Mark[] } = { ranks: [], gains: [] };

type Ranker = (query: string) => readonly string[];
const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

function reciprocalRank(found: readonly string[], { relevant }: Question): number {
  const at = found.findIndex((id) => relevant.has(id));
  return at < 0 ? 0 : 1 / (at + 1);
}

function ndcg(found: readonly string[], { relevant }: Question): number {
  const gain = (places: readonly number[]): number => places.reduce((sum, place) => sum + 1 / Math.log2(place + 2), 0);
  const places = found.slice(0, NDCG_AT).flatMap((id, place) => (relevant.has(id) ? [place] : []));
  return gain(places) / gain(Array.from({ length: Math.min(NDCG_AT, relevant.size) }, (_, place) => place));
}

/** BM25F and nothing else: words and their forms, in the fields that search has. */
const baseline =
  (index: TextIndex): Ranker =>
  (query) => {
    const { slots, scores } = index.find(wordsOf(query), { isTyping: false, isForgiving: false });
    return topK(scores, FOUND_MAX).map((place) => index.idOf(slots[place] ?? 0));
  };

/** The best weights of a grid on these questions, each tried from the best of what was tried before (coordinate ascent). */
function tunedBaseline(entries: readonly Entry[], questions: readonly Question[]): Ranker {
  const fields: { -readonly [K in keyof Field]: Field[K] }[] = FIELDS.map(() => ({ weight: 1, b: 0.75 }));
  const index = createTextIndex({ fields, k1: 1.2 });
  for (const entry of entries) index.put(entry.id, fieldsOf(entry));
  const ask = baseline(index);
  const worth = (): number => mean(questions.map((question) => reciprocalRank(ask(question.query), question)));
  let best = worth();
  for (const [field, values] of fields.entries()) {
    for (const [name, tried] of [
      ["weight", [2, 5, 10]],
      ["b", [0.3, 0.5]],
    ] as const) {
      for (const value of tried) {
        const before = values[name];
        values[name] = value;
        const now = worth();
        if (now > best) best = now;
        else values[name] = before;
      }
    }
    console.log(`  field ${field}: weight ${values.weight}, b ${values.b}; MRR ${best.toFixed(4)}`);
  }
  return ask;
}

const searcher =
  (library: Library, isFinished = false): Ranker =>
  (query) =>
    library.find({ ...PLAIN, isFinished, text: query, limit: FOUND_MAX }, SIGHT).ids;

/** What is nearest in meaning, and nothing else. */
function byMeaning(entries: readonly Entry[]): Ranker {
  const index = createTextIndex({ fields: FIELDS, k1: 1.2 });
  const slots = Uint32Array.from(entries, (entry) => index.put(entry.id, fieldsOf(entry)));
  const meaning = createMeaning(index, { names: NAME_FIELDS });
  const lesson = allStepsOf(meaning.lesson());
  if (lesson) allStepsOf(meaning.learn(modelOf(lesson)));
  return (query) => {
    const near = meaning.nearWords(wordsOf(query), slots);
    return near ? topK(near, FOUND_MAX).map((place) => index.idOf(slots[place] ?? 0)) : [];
  };
}

/**
 * Words, meaning, and both of them fused on viewers' tags, which no text has. What the fusion weighs was chosen on every other tag; both halves are
 * printed, and the one that it was not chosen on is what is reported.
 */
function fusion(
  tags: readonly Question[],
  rankers: Readonly<Record<"BM25F" | "words" | "meaning" | "fusion", Ranker>>,
): Measure[] {
  const found = new Map(
    Object.entries(rankers).map(([name, ranker]) => [
      name,
      Float64Array.from(tags, (question) => ndcg(ranker(question.query), question)),
    ]),
  );
  const half = (name: string, which: number): Float64Array =>
    (found.get(name) ?? new Float64Array(0)).filter((_, place) => place % 2 === which);
  for (const name of found.keys())
    console.log(
      `  ${name.padEnd(12)} chosen on ${mean(half(name, 0)).toFixed(4)}   reported on ${mean(half(name, 1)).toFixed(4)}   all ${mean(found.get(name) ?? []).toFixed(4)}`,
    );
  for (const name of found.keys())
    drawn.gains.push({ name, value: mean(half(name, 1)), isBaseline: name !== "fusion" });
  return (["BM25F", "words", "meaning"] as const).map((than) => {
    const interval = pairedDifference(half("fusion", 1), half(than, 1), { random: seededRandom(SEED) });
    const { estimate, low, high } = interval;
    console.log(
      `  fusion above ${than.padEnd(8)} ${estimate.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}] on ${half(than, 1).length} tags`,
    );
    return { name: `search.ndcg.fusion-${than}`, value: low, unit: "nDCG", bar: null, samples: [low, estimate, high] };
  });
}

function difference(name: string, ours: Float64Array, theirs: Float64Array, bar: number | null): Measure {
  const { estimate, low, high } = pairedDifference(ours, theirs, { random: seededRandom(SEED) });
  console.log(
    `  ${name.padEnd(12)} ${String(ours.length).padStart(5)}   BM25F ${mean(theirs).toFixed(4)}   search ${mean(ours).toFixed(4)}   difference ${estimate.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}]`,
  );
  // Finished searches are judged once more; the picture has them as they are typed.
  if (!drawn.ranks.some((mark) => mark.name.startsWith(name)))
    drawn.ranks.push(
      { name: `${name}, search`, value: mean(ours) },
      { name: `${name}, BM25F`, value: mean(theirs), isBaseline: true },
    );
  // What the bar holds is the lower end: an interval that excludes 0 is above it.
  return { name: `search.mrr.${name}`, value: low, unit: "MRR", bar, samples: [low, estimate, high] };
}

async function quality(folder: string): Promise<Measure[]> {
  const { entries, knownItems, tags } = await readCatalogue(folder);
  const [chosenOn, reportedOn] = [0, 1].map((half) => knownItems.filter((_, place) => place % 2 === half));
  console.log(`${entries.length} films; BM25F is tuned on ${chosenOn?.length ?? 0} questions:`);
  const bm25f = tunedBaseline(entries, chosenOn?.filter((_, place) => place % 2 === 0) ?? []);
  const library = createLibrary();
  for (const entry of entries) library.put(entry);
  const search = searcher(library);
  const on = (ranker: Ranker, questions: readonly Question[], metric: typeof ndcg): Float64Array =>
    Float64Array.from(questions, (question) => metric(ranker(question.query), question));
  const both = (name: string, questions: readonly Question[], bar: number | null): Measure =>
    difference(name, on(search, questions, reciprocalRank), on(bm25f, questions, reciprocalRank), bar);
  console.log("\nMean reciprocal rank on the other half of the questions:");
  // The lower end of the interval is above 0.
  const above = 0.0001;
  const bars: Readonly<Record<string, number>> = { title: 0, typo: above, prefix: above, "cast-typo": above };
  const kinds = [...new Set(knownItems.map(({ kind }) => kind))];
  const measures = [
    both("all", reportedOn ?? [], above),
    ...kinds.map((kind) => both(kind, reportedOn?.filter((each) => each.kind === kind) ?? [], bars[kind] ?? null)),
  ];
  const lesson = allStepsOf(library.lesson());
  const wordsAlone = tags.map(({ query }) => [query, searcher(library, true)(query)] as const);
  if (lesson) allStepsOf(library.learn(modelOf(lesson)));
  const finished = searcher(library, true);
  console.log("\nThe same of searches that are finished, where meaning counts:");
  const whenFinished = kinds
    .filter((kind) => kind !== "prefix")
    .map((kind) => {
      const of = reportedOn?.filter((each) => each.kind === kind) ?? [];
      const [ours, theirs] = [on(finished, of, reciprocalRank), on(bm25f, of, reciprocalRank)];
      return { ...difference(kind, ours, theirs, bars[kind] ?? null), name: `search.mrr.finished.${kind}` };
    });
  console.log(`\nnDCG@${NDCG_AT} on viewers' tags, which no text has:`);
  const words = new Map(wordsAlone);
  const rankers = { BM25F: bm25f, words: (query: string) => words.get(query) ?? [], meaning: byMeaning(entries) };
  const ofTags = fusion(tags, { ...rankers, fusion: finished });
  const chance = nonsense(entries, NONSENSE, seededRandom(SEED));
  const found = chance.words.filter((text) => search(text).length + finished(text).length > 0);
  console.log(
    `\n${NONSENSE} words of chance: ${found.length} found something${found.length > 0 ? `, such as ${found.slice(0, 5).join(", ")}` : ""} (${chance.leftOut} more were a slip away from a word that is there)`,
  );
  const share = found.length / NONSENSE;
  return [
    ...measures,
    ...whenFinished,
    ...ofTags,
    { name: "search.nonsense", value: share, unit: "share", bar: 0, better: "lower", samples: [share] },
  ];
}

/** The worker that the service has, asked one question after the other. */
async function speed(name: string, entries: readonly Entry[]): Promise<Measure[]> {
  const worker = new Worker(new URL("../services/discovery/search/engine-worker.ts", import.meta.url));
  let asked = 0;
  const ask = (task: Task): Promise<void> =>
    new Promise((resolve, reject) => {
      worker.once("message", (outcome: FromEngine) =>
        "message" in outcome ? reject(new Error(outcome.message)) : resolve(),
      );
      worker.postMessage({ ...task, id: (asked += 1), tenant: "bench" } satisfies ToEngine);
    });
  try {
    const before = process.memoryUsage.rss();
    const beganMs = performance.now();
    for (let from = 0; from < entries.length; from += 500) {
      const changes = entries
        .slice(from, from + 500)
        .map((entry) => ({ contentId: entry.id, entry: JSON.stringify(entry) }));
      await ask({ do: "take", isFirst: from === 0, changes });
    }
    const fillS = (performance.now() - beganMs) / 1_000;
    const learningMs = performance.now();
    await ask({ do: "settle" });
    const lessonS = (performance.now() - learningMs) / 1_000;
    const memoryMb = (process.memoryUsage.rss() - before) / 1_048_576;
    const random = seededRandom(SEED);
    const texts = questionsOf(entries, ASKED, random);
    const samples: number[] = [];
    const roundTrips: number[] = [];
    for (const [place, text] of [...texts.slice(0, WARM), ...texts].entries()) {
      // What it costs to ask at all, here and now: below that nothing can be.
      const emptyMs = performance.now();
      await ask({ do: "settle" });
      if (place >= WARM) roundTrips.push(performance.now() - emptyMs);
      const question = { text, filters: {}, without: [], isFinished: place % 2 === 0, offset: 0, limit: FOUND_MAX };
      const isSuggestion = randomBelow(random, 4) === 0;
      const atMs = performance.now();
      await ask(
        isSuggestion ? { do: "suggest", text, limit: 8, sight: SIGHT } : { do: "answer", question, sight: SIGHT },
      );
      if (place >= WARM) samples.push(performance.now() - atMs);
    }
    const of = `search.${name}`;
    console.log(
      `${name}: ${entries.length} titles filled in ${fillS.toFixed(1)} s, their meaning learnt in ${lessonS.toFixed(1)} s, ${memoryMb.toFixed(0)} MB`,
    );
    return [
      { name: `${of}.p50`, value: percentile(samples, 0.5), unit: "ms", bar: null, samples },
      { name: `${of}.p99`, value: percentile(samples, 0.99), unit: "ms", bar: P99_MS_MAX, better: "lower", samples },
      { name: `${of}.round-trip.p99`, value: percentile(roundTrips, 0.99), unit: "ms", bar: null, samples: roundTrips },
      { name: `${of}.lesson`, value: lessonS, unit: "s", bar: null, better: "lower", samples: [lessonS] },
      { name: `${of}.fill`, value: fillS, unit: "s", bar: null, better: "lower", samples: [fillS] },
      { name: `${of}.memory`, value: memoryMb, unit: "MB", bar: null, better: "lower", samples: [memoryMb] },
    ];
  } finally {
    await worker.terminate();
  }
}

/** The same questions put to an OpenSearch, where one is there. */
async function beside(
  url: string,
  name: string,
  entries: readonly Entry[],
  known: readonly Question[],
): Promise<Measure[]> {
  const engine = await openSearchOf(url, `bench${name}`, entries);
  const samples: number[] = [];
  const texts = questionsOf(entries, ASKED, seededRandom(SEED));
  for (const [place, text] of [...texts.slice(0, WARM), ...texts].entries()) {
    const atMs = performance.now();
    await engine.find(text, FOUND_MAX);
    if (place >= WARM) samples.push(performance.now() - atMs);
  }
  const of = `search.${name}.opensearch`;
  const measures: Measure[] = [
    { name: `${of}.p50`, value: percentile(samples, 0.5), unit: "ms", bar: null, samples },
    { name: `${of}.p99`, value: percentile(samples, 0.99), unit: "ms", bar: null, samples },
  ];
  for (const kind of known.length > 0 ? ["all", ...new Set(known.map((each) => each.kind))] : []) {
    const ranks: number[] = [];
    for (const question of known)
      if (kind === "all" || question.kind === kind)
        ranks.push(reciprocalRank(await engine.find(question.query, FOUND_MAX), question));
    measures.push({ name: `${of}.mrr.${kind}`, value: mean(ranks), unit: "MRR", bar: null, samples: ranks });
  }
  await engine.close();
  return measures;
}

const { values: asked, positionals } = parseArgs({
  options: { picture: { type: "string" } },
  allowPositionals: true,
});
const [only] = positionals;
const testdata = process.env["MARQUEE_TESTDATA"];
const engineUrl = process.env["MARQUEE_SEARCH_URL"];
const folder = testdata === undefined ? undefined : join(testdata, "catalogue");
const measures: Measure[] = [];
if (engineUrl === undefined) console.log("without MARQUEE_SEARCH_URL no OpenSearch is asked the same");
const of = async (name: string, entries: readonly Entry[], known: readonly Question[]): Promise<void> => {
  if (only === "quality") return;
  measures.push(...(await speed(name, entries)));
  if (engineUrl !== undefined) measures.push(...(await beside(engineUrl, name, entries, known)));
};
if (folder === undefined)
  console.log("without MARQUEE_TESTDATA there is no catalogue: only synthetic titles are asked for");
else {
  if (only !== "speed") measures.push(...(await quality(folder)));
  const { entries, knownItems } = await readCatalogue(folder);
  await of(
    "catalogue",
    entries,
    knownItems.filter((_, place) => place % 2 === 1),
  );
}
await of("synthetic", syntheticEntries(SYNTHETIC, seededRandom(SEED)), []);
console.log(`\n${table(measures)}`);
await writeResults("search", measures);
const shown = (value: number): string => value.toFixed(3);
if (drawn.ranks.length > 0)
  await writePicture(
    "search",
    asked.picture,
    drawPanels("What search finds", "8,704 films, questions and tags that nothing was chosen on", [
      { title: "Mean reciprocal rank of the title that was meant", marks: drawn.ranks, shown },
      { title: "nDCG@10 of viewers' tags, which no text has", marks: drawn.gains, shown },
    ]),
  );
