import type { Stretch } from "#kernel/ports/transcoder";
import { PICTURE_FEATURES, type PictureLook } from "#learning/picture";
import type { Scorer } from "./scorer.ts";

const CANDIDATES_MAX = 120;
const CANDIDATES_A_SCENE_MAX = 4;
/** Right beside a cut there may be half of both. */
const CUT_DISTANCE_S = 0.3;
const APART_S_MIN = 0.25;
/** Openings and endings are titles and credits. */
const FIRST_SHARE = 0.04;
const LAST_SHARE = 0.94;
/** Hashes of the same picture a moment later differ in so many bits. */
const ALIKE_BITS_MAX = 14;

/** Moments to look at: within scenes, away from their cuts, more in longer ones; in order. */
export function momentsOf(scenes: readonly Stretch[], durationS: number): number[] {
  const [firstS, lastS] = [durationS * FIRST_SHARE, durationS * LAST_SHARE];
  const perSceneMax = Math.max(1, Math.min(CANDIDATES_A_SCENE_MAX, Math.floor(CANDIDATES_MAX / scenes.length)));
  const all = scenes.flatMap(({ startS, endS }) => {
    const [from, to] = [Math.max(startS + CUT_DISTANCE_S, firstS), Math.min(endS - CUT_DISTANCE_S, lastS)];
    if (to <= from) return [];
    // A long scene of a short film is most of it.
    const wanted = Math.max(perSceneMax, Math.round((CANDIDATES_MAX * (to - from)) / durationS));
    const count = Math.min(wanted, Math.ceil((to - from) / APART_S_MIN));
    return Array.from({ length: count }, (_, index) => from + ((index + 0.5) * (to - from)) / count);
  });
  const step = Math.max(1, all.length / CANDIDATES_MAX);
  const chosen = Array.from(
    { length: Math.min(all.length, CANDIDATES_MAX) },
    (_, index) => all[Math.floor(index * step)] ?? 0,
  );
  return chosen.length > 0 ? chosen : [durationS / 2];
}

export interface Candidate {
  readonly timeS: number;
  readonly look: PictureLook;
  /** 64 bits, hexadecimal. */
  readonly hash: string;
  readonly faces: Faces;
}

export interface Faces {
  readonly count: number;
  /** Of the largest one, of the picture. */
  readonly share: number;
  readonly looked: boolean;
}

/** A face draws the eye (S. Yarbus 1967), and one that is cut off by its size does not gain by growing. */
const FACE_WEIGHT = 0.15;
const FACE_SHARE_FULL = 0.06;

/** 0 to 1: how likely the scorer takes the picture for the sound one of a pair, and a little more for a face. */
export function scoreOf({ look, faces }: Pick<Candidate, "look" | "faces">, scorer: Scorer): number {
  const margin = PICTURE_FEATURES.reduce(
    (sum, name, index) => sum + (scorer.weights[index] ?? 0) * (look[name] - (scorer.means[index] ?? 0)),
    0,
  );
  const sound = 1 / (1 + Math.exp(-margin / scorer.temperature));
  const face = faces.count === 0 ? 0 : Math.min(1, faces.share / FACE_SHARE_FULL);
  return sound * (1 - FACE_WEIGHT) + FACE_WEIGHT * face * sound;
}

function differentBits(a: string, b: string): number {
  let different = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let count = 0;
  for (; different > 0n; different &= different - 1n) count += 1;
  return count;
}

/** The best, then the best that shows something else and stands elsewhere, as many as there are. */
export function chooseDiverse<C extends Candidate & { readonly score: number }>(
  candidates: readonly C[],
  count: number,
  durationS: number,
): C[] {
  const chosen: C[] = [];
  const apartS = Math.min(60, durationS / (count * 3));
  const ranked = candidates.toSorted((a, b) => b.score - a.score || a.timeS - b.timeS);
  for (const candidate of ranked) {
    if (chosen.length >= count) break;
    const isNew = chosen.every(
      (other) =>
        Math.abs(other.timeS - candidate.timeS) >= apartS && differentBits(other.hash, candidate.hash) > ALIKE_BITS_MAX,
    );
    if (isNew) chosen.push(candidate);
  }
  return chosen;
}
