/** What a feature, a group and a value are. Groups are data; what makes their values stands in the files beside this one. */
import { problem } from "#kernel/errors";

/** A number, a word, or a vector of numbers. Unknown are NaN, an empty word and an empty vector. */
export type Value = number | string | readonly number[];

export interface Feature {
  readonly name: string;
  /** How it is kept: `int` and `bool` are numbers without a fraction; a `vector` has `dimensions`. */
  readonly dtype: "double" | "int" | "bool" | "string" | "vector";
  /** Empty where it has none. */
  readonly unit: string;
  readonly description: string;
  /** What a model is given where nothing is known; null where it has to be able to miss it. */
  readonly fallback: number | string | null;
  readonly dimensions?: number;
}

export type Entity = "user" | "content" | "channel" | "cdn_region" | "session";

export interface FeatureGroup {
  readonly name: string;
  readonly entity: Entity;
  readonly description: string;
  /** Values are kept by their place in this list. Only ever add to its end. */
  readonly features: readonly Feature[];
  /** What is older counts as unknown. */
  readonly ttlMs: number;
  /** How often it is published; 0: with every event. */
  readonly cadenceMs: number;
  readonly sourceEvents: readonly string[];
}

/** How a group's values come of events: what is kept of an entity, and what that means. */
export interface Kind<S = unknown> {
  readonly group: FeatureGroup;
  readonly empty: S;
  /** Exactly the names that the group declares. */
  valuesOf(state: S, atMs: number): Readonly<Record<string, Value>>;
  /** When the values change without an event, such as at the end of a day; undefined: never. */
  changesAt?(state: S, atMs: number): number | undefined;
}

const [INT, BOOL, DOUBLE, WORD] = ["int", "bool", "double", "string"] as const;
/** Declarations, short enough to read thirty of them. */
export const count = (name: string, description: string, unit = ""): Feature => ({
  ...{ name, description, unit, dtype: INT, fallback: 0 },
});
export const flag = (name: string, description: string): Feature => ({
  ...{ name, description, unit: "", dtype: BOOL, fallback: 0 },
});
export const amount = (name: string, unit: string, description: string, fallback: number | null = 0): Feature => ({
  ...{ name, description, unit, dtype: DOUBLE, fallback },
});
export const word = (name: string, description: string): Feature => ({
  ...{ name, description, unit: "", dtype: WORD, fallback: "" },
});

/** What is known of an entity at a time, by kind of value, in the order of the declaration. */
export interface Known {
  readonly numbers: readonly number[];
  readonly words: readonly string[];
  readonly vector: readonly number[];
}

export const isWord = ({ dtype }: Feature): boolean => dtype === "string";
export const isVector = ({ dtype }: Feature): boolean => dtype === "vector";
export const isNumber = (feature: Feature): boolean => !isWord(feature) && !isVector(feature);

export function knownOf({ features }: FeatureGroup, values: Readonly<Record<string, Value>>): Known {
  const numbers: number[] = [];
  const words: string[] = [];
  let vector: readonly number[] = [];
  for (const feature of features) {
    const value = values[feature.name];
    if (isVector(feature)) vector = Array.isArray(value) ? (value as readonly number[]) : [];
    else if (isWord(feature)) words.push(typeof value === "string" ? value : "");
    else numbers.push(typeof value === "number" ? value : Number.NaN);
  }
  return { numbers, words, vector };
}

/** A value as it was published: since when it is true, when it was made, and when it should be made anew; 0: not before the next event. */
export interface Published extends Known {
  readonly eventTimeMs: number;
  readonly createdAtMs: number;
  readonly dueAtMs: number;
}

/** One line of text for the cache; NaN is null there. */
export const toText = ({ eventTimeMs, createdAtMs, dueAtMs, numbers, words, vector }: Published): string =>
  JSON.stringify([eventTimeMs, createdAtMs, dueAtMs, numbers, words, vector]);

/** What a line of the cache says; undefined for what is none of ours, which counts as absent. */
export function fromText(text: string): Published | undefined {
  try {
    const [eventTimeMs, createdAtMs, dueAtMs, numbers, words, vector] = JSON.parse(text) as [
      ...[number, number, number],
      ...[(number | null)[], string[], number[]],
    ];
    return { eventTimeMs, createdAtMs, dueAtMs, numbers: numbers.map((one) => one ?? Number.NaN), words, vector };
  } catch {
    return undefined;
  }
}

export type Freshness = "fresh" | "stale" | "missing";
/** Whoever publishes looks every few seconds; what is later than this has been forgotten. */
const GRACE_MS = 60_000;

export function freshnessOf(
  { ttlMs }: Pick<FeatureGroup, "ttlMs">,
  published: Pick<Published, "eventTimeMs" | "dueAtMs"> | undefined,
  nowMs: number,
): Freshness {
  if (!published || nowMs - published.eventTimeMs > ttlMs) return "missing";
  return published.dueAtMs > 0 && nowMs > published.dueAtMs + GRACE_MS ? "stale" : "fresh";
}

/** What was asked for, group by group: which places of its numbers and words. */
export interface Chosen {
  readonly group: FeatureGroup;
  readonly numbers: readonly number[];
  readonly words: readonly number[];
  readonly hasVector: boolean;
}
export interface Selection {
  readonly entity: Entity;
  readonly chosen: readonly Chosen[];
  readonly numberFeatures: string[];
  readonly wordFeatures: string[];
}

const FEATURES_MAX = 100;

/** @throws Problem for what is not declared, for groups of several kinds of entities, and for more than a hundred features */
export function select(groups: readonly FeatureGroup[], features: readonly string[]): Selection {
  if (features.length === 0) throw problem.invalid("name at least one feature, as GROUP:FEATURE or GROUP");
  if (features.length > FEATURES_MAX)
    throw problem.invalid(`${features.length} features are more than ${FEATURES_MAX}: ask for fewer at once`);
  const wanted = new Map<FeatureGroup, Set<string>>();
  for (const reference of features) {
    const [groupName = "", name, ...rest] = reference.split(":");
    const group = groups.find((each) => each.name === groupName);
    const isKnown = name === undefined || group?.features.some((feature) => feature.name === name);
    if (!group || !isKnown || rest.length > 0)
      throw problem.invalid(`'${reference.slice(0, 80)}' is no feature: \`./marquee features list\` names them`);
    const names = wanted.get(group) ?? new Set();
    for (const each of name === undefined ? group.features.map((feature) => feature.name) : [name]) names.add(each);
    wanted.set(group, names);
  }
  const entities = new Set([...wanted.keys()].map(({ entity }) => entity));
  const [entity = "user"] = entities;
  if (entities.size > 1)
    throw problem.invalid(`these are features of ${[...entities].join(" and ")}: ask for those of one kind at once`);
  const chosen = [...wanted].map(([group, names]) => chooseOf(group, names));
  const total = chosen.reduce((sum, { numbers, words }) => sum + numbers.length + words.length, 0);
  if (total > FEATURES_MAX)
    throw problem.invalid(`${total} features are more than ${FEATURES_MAX}: name those you need`);
  const nameAll = (kind: (feature: Feature) => boolean, places: (one: Chosen) => readonly number[]): string[] =>
    chosen.flatMap((one) => {
      const own = one.group.features.filter(kind);
      return places(one).map((place) => `${one.group.name}:${own[place]?.name ?? ""}`);
    });
  return {
    ...{ entity, chosen },
    numberFeatures: nameAll(isNumber, ({ numbers }) => numbers),
    wordFeatures: nameAll(isWord, ({ words }) => words),
  };
}

function chooseOf(group: FeatureGroup, names: ReadonlySet<string>): Chosen {
  const places = (kind: (feature: Feature) => boolean): number[] =>
    group.features.filter(kind).flatMap(({ name }, place) => (names.has(name) ? [place] : []));
  const vector = group.features.find(isVector);
  return {
    ...{ group, numbers: places(isNumber), words: places(isWord) },
    hasVector: vector !== undefined && names.has(vector.name),
  };
}

/** Rows of values as an answer has them: flat, row by row. */
export interface Flat {
  readonly numberFeatures: string[];
  readonly wordFeatures: string[];
  readonly groups: string[];
  readonly numbers: number[];
  readonly words: string[];
  readonly vectors: number[];
  readonly eventTimesMs: number[];
}

/** @param rows for each row the value of each chosen group; undefined where nothing is known */
export function flatten(
  { chosen, numberFeatures, wordFeatures }: Selection,
  rows: readonly (readonly ((Known & { readonly eventTimeMs: number }) | undefined)[])[],
): Flat {
  const flat: Flat = {
    ...{ numberFeatures, wordFeatures, groups: chosen.map(({ group }) => group.name) },
    ...{ numbers: [], words: [], vectors: [], eventTimesMs: [] },
  };
  for (const row of rows)
    for (const [index, { group, numbers, words, hasVector }] of chosen.entries()) {
      const known = row[index];
      for (const place of numbers) flat.numbers.push(known?.numbers[place] ?? Number.NaN);
      for (const place of words) flat.words.push(known?.words[place] ?? "");
      flat.eventTimesMs.push(known?.eventTimeMs ?? 0);
      if (!hasVector) continue;
      const dimensions = group.features.find(isVector)?.dimensions ?? 0;
      for (let at = 0; at < dimensions; at += 1) flat.vectors.push(known?.vector[at] ?? 0);
    }
  return flat;
}
