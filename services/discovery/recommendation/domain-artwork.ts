/**
 * Which of a title's pictures a profile is shown: a bandit over pictures (O. Chapelle and L. Li 2011, "An empirical evaluation of Thompson sampling").
 * A picture's rate is that of profiles of the same taste who went to the title, drawn towards that of everybody, and that towards the title's, by as much
 * as little is known. One profile in five explores: it is shown what a draw from these beliefs says. All others are shown the editor's picture until
 * another one is better beyond doubt.
 */
import { createHash } from "node:crypto";
import { type Random, randomNormal, seededRandom } from "#learning/random";

/** How often a picture was shown to whom, and how many of them went to the title. */
export interface Arm {
  readonly contentId: string;
  readonly key: string;
  readonly taste: string;
  readonly shown: number;
  readonly chosen: number;
}

/** A belief weighs as much as so many profiles. */
const PRIOR = 20;
const EXPLORE_SHARE = 0.2;
/** Beyond doubt: 1.64 deviations, which chance alone comes to once in twenty times. */
const DEVIATIONS = 1.64;

export interface Wish {
  readonly profileId: string;
  readonly contentId: string;
  /** The editor's first. */
  readonly keys: readonly string[];
  readonly taste: string;
}

interface Belief {
  readonly mean: number;
  readonly deviation: number;
}

/** @param arms of this title, in any order */
export function chooseArtwork({ profileId, contentId, keys, taste }: Wish, arms: readonly Arm[]): string {
  const [editors = ""] = keys;
  if (keys.length < 2) return editors;
  const own = arms.filter((arm) => keys.includes(arm.key));
  const beliefs = keys.map((key) => ({ key, ...beliefOf(key, taste, own) }));
  const random = randomOf(profileId, contentId);
  if (random() < EXPLORE_SHARE) return best(beliefs, ({ mean, deviation }) => mean + deviation * randomNormal(random));
  const [first, ...others] = beliefs;
  const better = others.filter(
    ({ mean, deviation }) =>
      first !== undefined && mean - first.mean > DEVIATIONS * Math.hypot(deviation, first.deviation),
  );
  return better.length > 0 ? best(better, ({ mean }) => mean) : editors;
}

function beliefOf(key: string, taste: string, arms: readonly Arm[]): Belief {
  const sum = (of: readonly Arm[]) =>
    of.reduce((total, { shown, chosen }) => ({ shown: total.shown + shown, chosen: total.chosen + chosen }), {
      ...{ shown: 0, chosen: 0 },
    });
  const title = sum(arms);
  const everybody = sum(arms.filter((arm) => arm.key === key));
  const alike = sum(arms.filter((arm) => arm.key === key && arm.taste === taste));
  const rate = (title.chosen + 1) / (title.shown + PRIOR);
  const broad = (everybody.chosen + PRIOR * rate) / (everybody.shown + PRIOR);
  const mean = (alike.chosen + PRIOR * broad) / (alike.shown + PRIOR);
  return { mean, deviation: Math.sqrt((mean * (1 - mean)) / (everybody.shown + PRIOR)) };
}

/** A profile draws the same for a title every time, so that its pictures do not change as it looks. */
const randomOf = (profileId: string, contentId: string): Random =>
  seededRandom(createHash("sha256").update(`${profileId}\n${contentId}`).digest().readInt32BE(0));

function best<T extends { readonly key: string }>(all: readonly T[], of: (one: T) => number): string {
  const ranked = all.map((one) => ({ key: one.key, value: of(one) })).toSorted((a, b) => b.value - a.value);
  return ranked[0]?.key ?? "";
}
