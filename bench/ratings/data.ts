/** Ratings of films (MovieLens, F. M. Harper and J. A. Konstan, 2015) as who liked what, and splits of each person's into past and future. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Interactions, interactionsOf } from "#learning/interactions";
import { seededRandom, shuffle } from "#learning/random";

/** From here on a rating says that somebody likes the film, as in D. Liang et al., "Variational autoencoders for collaborative filtering", 2018. */
const LIKED_MIN = 4;
const TEST_SHARE = 0.2;

interface Rating {
  readonly item: number;
  readonly isLiked: boolean;
  readonly atS: number;
}

export interface Ratings {
  /** Of each person, by time. */
  readonly people: readonly (readonly Rating[])[];
  readonly items: number;
  /** Which film has which genre or decade. */
  readonly features: Interactions;
}

/** One way to divide what people rated. */
export interface Split {
  /** What each liked, of the part to learn from. */
  readonly train: Interactions;
  /** All that each rated in that part, which is not recommended again. */
  readonly seen: readonly ReadonlySet<number>[];
  /** What each liked of the other part, which is to be found. */
  readonly wanted: readonly ReadonlySet<number>[];
}

export async function readRatings(folder: string): Promise<Ratings> {
  const lines = async (name: string) => (await readFile(join(folder, name), "utf8")).trim().split(/\r?\n/).slice(1);
  const rows = (await lines("ratings.csv")).map((line) => line.split(",").map(Number));
  const ids = [...new Set(rows.map(([, film = 0]) => film))].sort((a, b) => a - b);
  const itemOf = new Map(ids.map((id, item) => [id, item]));
  const people = [...Map.groupBy(rows, ([person]) => person).values()].map((own) =>
    own
      .map(([, film = 0, rating = 0, atS = 0]) => ({ item: itemOf.get(film) ?? 0, isLiked: rating >= LIKED_MIN, atS }))
      .sort((a, b) => a.atS - b.atS || a.item - b.item),
  );
  const words: string[][] = ids.map(() => []);
  for (const line of await lines("movies.csv")) {
    // A title with a comma in it stands in quotes; genres, which come last, never do.
    const item = itemOf.get(Number(line.slice(0, line.indexOf(","))));
    const genres = line.slice(line.lastIndexOf(",") + 1).split("|");
    const decade = /\((\d{3})\d\)"?,[^,]*$/.exec(line)?.[1];
    if (item !== undefined) words[item] = decade ? [...genres, `${decade}0s`] : genres;
  }
  const names = new Map([...new Set(words.flat())].map((name, at) => [name, at]));
  const features = interactionsOf(
    words.map((own) => own.map((word) => names.get(word) ?? 0)),
    names.size,
  );
  return { people, items: ids.length, features };
}

export type Order = "time" | number;

/** Divides by each person's time, or by chance with a seed: the last fifth is to be found. */
export function splitBy({ people, items }: Ratings, order: Order): Split {
  const random = seededRandom(order === "time" ? 0 : order);
  return divide(
    people.map((own) => (order === "time" ? own : shuffle([...own], random))),
    items,
  );
}

/** The part to learn from, divided once more in the same way: what settings are chosen on, while the other part is not looked at. */
export function splitAgain({ people, items }: Ratings, order: Order): Split {
  const random = seededRandom(order === "time" ? 0 : order);
  return divide(
    people.map((own) => {
      const all = order === "time" ? own : shuffle([...own], random);
      return all.slice(0, cutOf(all.length));
    }),
    items,
  );
}

const cutOf = (count: number): number => Math.floor(count * (1 - TEST_SHARE));

function divide(people: readonly (readonly Rating[])[], items: number): Split {
  const liked = (ratings: readonly Rating[]): number[] =>
    ratings.filter(({ isLiked }) => isLiked).map(({ item }) => item);
  const parts = people.map((own) => ({ past: own.slice(0, cutOf(own.length)), future: own.slice(cutOf(own.length)) }));
  return {
    train: interactionsOf(
      parts.map(({ past }) => liked(past)),
      items,
    ),
    seen: parts.map(({ past }) => new Set(past.map(({ item }) => item))),
    wanted: parts.map(({ future }) => new Set(liked(future))),
  };
}
