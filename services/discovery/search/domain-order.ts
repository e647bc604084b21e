import type { FoundTitles } from "./domain-library.ts";

/** The first of what was found are put in another order, and the others stay behind them. */
export const ORDERED_MAX = 50;

/** What was found, with where each stands by words and meaning. */
export interface Placed extends FoundTitles {
  readonly ranks: readonly number[];
}

export const placed = <F extends FoundTitles>(found: F): F & Placed => ({ ...found, ranks: [...found.ids.keys()] });

/** Of a page, what of the first is to be put in order: all that may move. */
export const movable = ({ ids, pinned }: FoundTitles): readonly number[] => [...ids.keys()].slice(pinned, ORDERED_MAX);

/**
 * What was found, as a model puts it. Titles that are called as the words say stay before all others.
 * @param scores of those that are movable; of another number of titles they change nothing
 */
export function reordered<F extends Placed>(found: F, scores: readonly number[]): F {
  const moved = movable(found);
  if (scores.length !== moved.length) return found;
  const scoreOf = (place: number): number => scores[place - found.pinned] ?? 0;
  const inOrder = moved.toSorted((a, b) => scoreOf(b) - scoreOf(a) || a - b);
  const places = [...found.ids.keys()].map((place) => inOrder[place - found.pinned] ?? place);
  return slice(found, places);
}

/** The part of what was found that one page shows. */
export const pageOf = <F extends Placed>(found: F, offset: number, limit: number): F =>
  slice(found, [...found.ids.keys()].slice(offset, offset + limit));

const slice = <F extends Placed>(found: F, places: readonly number[]): F => ({
  ...found,
  ids: places.flatMap((place) => found.ids[place] ?? []),
  marks: places.flatMap((place) => found.marks[place] ?? []),
  ranks: places.flatMap((place) => found.ranks[place] ?? []),
});
