/** With which options a model is trained: chosen on a part of the rows that it is trained on, and on none that it is judged by. */
import { type GbdtOptions, predictGbdt, trainGbdt } from "#learning/gbdt";
import { seededRandom, shuffle } from "#learning/random";
import { rowsOf, type Table } from "#learning/table";
import { drawOptions, successiveHalving, type Tuned } from "#learning/tuning";
import { judgeLists, listsOf } from "./domain-lists.ts";
import { type Examples, lossOf, type Recipe } from "./domain-recipe.ts";

const SEED = 20_261_127;
/** Beside those of the recipe. With a ninth, a third and all of three quarters of the rows they cost less than five trainings more. */
const OTHERS = 8;
const HELD_OUT_SHARE = 0.25;
/** More rows make a search no surer, and slower. */
const ROWS_MAX = 24_000;
/** Fewer groups, or rows of each kind, say nothing. */
const GROUPS_MIN = 20;
const LABELS_MIN = 20;

/** Undefined where there are too few rows to tell options apart: those of the recipe stay. */
export function tune({ options, space }: Recipe, examples: Examples): Tuned<GbdtOptions> | undefined {
  const { learned, heldOut } = splitOf(examples);
  const labelsOf = (rows: readonly number[]): Float32Array =>
    Float32Array.from(rows, (row) => examples.labels[row] ?? Number.NaN);
  const rows = heldOut.flat().toSorted((a, b) => a - b);
  const labels = labelsOf(rows);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  if (heldOut.length < GROUPS_MIN || Math.min(positives, labels.length - positives) < LABELS_MIN) return undefined;
  const table = asAsked(rowsOf(examples.table, rows), examples);
  const judge = judgeOf(examples, rows, labels);
  const random = seededRandom(SEED);
  return successiveHalving(
    [options, ...drawOptions(options, space, OTHERS, random)],
    (tried, share) => {
      const some = learned.slice(0, Math.ceil(share * learned.length)).flat();
      return judge(predictGbdt(trainGbdt(rowsOf(examples.table, some), labelsOf(some), tried), table));
    },
    { random },
  );
}

type Groups = readonly (readonly number[])[];

/** Whole groups of rows to learn from, in an order of chance, and groups that are held out of them. */
export function splitOf({ groups, isTest, isInTime }: Examples): {
  readonly learned: Groups;
  readonly heldOut: Groups;
} {
  const training = [...groups.keys()].filter((row) => !isTest[row]);
  const all = shuffle([...Map.groupBy(training, (row) => groups[row] ?? -1).values()], seededRandom(SEED));
  const chosen = upTo(all, ROWS_MAX);
  const groupOf = ([row = -1]: readonly number[]): number => groups[row] ?? -1;
  // The latest stand first where time counts.
  const ordered = isInTime ? chosen.toSorted((a, b) => groupOf(b) - groupOf(a)) : chosen;
  const heldOut = upTo(ordered, HELD_OUT_SHARE * chosen.flat().length);
  const isHeldOut = new Set(heldOut);
  return { heldOut, learned: chosen.filter((group) => !isHeldOut.has(group)) };
}

function upTo(groups: Groups, rowsMax: number): Groups {
  let rows = 0;
  const end = groups.findIndex((group) => (rows += group.length) > rowsMax);
  return end < 0 ? groups : groups.slice(0, end);
}

function asAsked({ values, columns }: Table, { asAsked: fixed }: Examples): Table {
  if (fixed) for (let at = fixed.column; at < values.length; at += columns) values[at] = fixed.value;
  return { values, columns };
}

/** What is lost at each group that is held out: by what the gate will look at. */
function judgeOf(
  { groups, lists }: Examples,
  rows: readonly number[],
  labels: Float32Array,
): (scores: ArrayLike<number>) => readonly number[] {
  const own = lists && listsOf(lists, rows);
  if (own) return (scores) => judgeLists(scores, labels, own, [...rows.keys()]).people.map((ndcg) => 1 - ndcg);
  const places = [...Map.groupBy(rows.keys(), (at) => groups[rows[at] ?? -1]).values()];
  return (scores) =>
    places.map((some) => some.reduce((sum, at) => sum + lossOf(scores[at], labels[at]), 0) / some.length);
}
