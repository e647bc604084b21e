/**
 * By what a model put a title where it stands in a list: one thing at a time that is known of the title is set to what is usual in the list, and the same
 * model is asked again (one-at-a-time ablation against a baseline, as in E. Štrumbelj and I. Kononenko 2010, "An efficient explanation of individual
 * classifications using game theory", of which this is the first order). What the difference is, that thing did.
 *
 * Features that say one thing to a person are set together, since each alone would be held up by the others. What is the same for the whole list, such as
 * what is known of the viewer, is usual by itself and has no influence.
 */
import { columnsOf, type Order } from "./domain-order.ts";

/** What is known of a title, as people would name it, with the features that say it. */
const COLUMNS = {
  /** How well it suits, to whoever made the list: the profile, or the words of a search. */
  suits: ["score", "score_of_best"],
  meaning: ["nearness"],
  taste: ["genre_share"],
  added: ["days_since_added"],
  year: ["year"],
  age: ["age_rating"],
  length: ["duration"],
  series: ["is_series"],
  genres: ["genre_count"],
  people: ["credit_count"],
  preview: ["has_preview"],
  watched: ["starts_24h", "starts_7d", "starts_28d", "trend"],
  finished: ["completion_ratio_28d"],
  clicked: ["click_through_7d"],
  liked: ["liked_ratio_28d"],
} as const;
export type What = keyof typeof COLUMNS;

/** The first place is the question itself, and the viewer is the same for the whole list. */
export const OF_NO_TITLE: readonly string[] = [
  ...["position", "sessions_7d", "sessions_28d", "titles_28d", "top_share", "breadth"],
];

/** The features of a model by what they say. */
export function placesOf(order: Order): ReadonlyMap<What, readonly number[]> {
  const columns = columnsOf(order);
  const all = Object.entries(COLUMNS) as [What, readonly string[]][];
  return new Map(
    all
      .map(([what, names]): [What, number[]] => [
        what,
        names.map((name) => columns.indexOf(name)).filter((at) => at >= 0),
      ])
      .filter(([, places]) => places.length > 0),
  );
}

export interface Variant {
  readonly what: What;
  readonly features: readonly number[];
}

/** A title's features with one thing as is usual in its list; what is not known of it cannot be otherwise. */
export function variantsOf(order: Order, rows: readonly (readonly number[])[], at: number): Variant[] {
  const own = rows[at] ?? [];
  const others = rows.filter((_, row) => row !== at);
  return [...placesOf(order)].flatMap(([what, places]) => {
    const features = [...own];
    for (const place of places)
      if (!Number.isNaN(own[place])) features[place] = usual(others.map((row) => row[place] ?? Number.NaN));
    return features.every((value, place) => Object.is(value, own[place])) ? [] : [{ what, features }];
  });
}

/** The lower median of what is known: a value that some title has. Unknown where nothing is. */
function usual(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
  return known[Math.floor((known.length - 1) / 2)] ?? Number.NaN;
}

export interface Influence {
  readonly what: What;
  /** Of the score. */
  readonly effect: number;
  /** That the title stands further up with it; below 0 further down. */
  readonly places: number;
}

const INFLUENCES_MAX = 4;
/** Of the strongest, and of what lies between the first and the last of the list where no place is moved: less is not worth saying. */
const SHARE_MIN = { ofStrongest: 0.05, ofSpread: 0.02 };

/** What moved a title's score most, the strongest first. */
export function influencesOf(
  variants: readonly Pick<Variant, "what">[],
  scores: { readonly list: readonly number[]; readonly variants: readonly number[] },
  at: number,
): Influence[] {
  const own = scores.list[at] ?? 0;
  const place = placeOf(own, scores.list, at);
  const all = variants
    .map(({ what }, row): Influence => {
      const without = scores.variants[row] ?? own;
      return { what, effect: own - without, places: placeOf(without, scores.list, at) - place };
    })
    .filter(({ effect }) => effect !== 0)
    .toSorted((a, b) => Math.abs(b.effect) - Math.abs(a.effect));
  const strongest = Math.abs(all[0]?.effect ?? 0);
  const spread = Math.max(...scores.list) - Math.min(...scores.list);
  const isWorthSaying = ({ effect, places }: Influence): boolean =>
    Math.abs(effect) >= SHARE_MIN.ofStrongest * strongest &&
    (places !== 0 || Math.abs(effect) >= SHARE_MIN.ofSpread * spread);
  return all.filter(isWorthSaying).slice(0, INFLUENCES_MAX);
}

/** Where a title with this score stands among the others, from 0; of equals the one that the list had first. */
export const placeOf = (score: number, list: readonly number[], at: number): number =>
  list.filter((other, row) => row !== at && (other > score || (other === score && row < at))).length;
