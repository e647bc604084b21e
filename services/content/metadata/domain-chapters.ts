import type { Stretch, Survey } from "#kernel/ports/transcoder";
import type { Chapter } from "./domain.ts";

/** A place where a scene ends and another begins. */
interface Boundary {
  readonly timeS: number;
  /** How much speaks for a new chapter here. */
  readonly strength: number;
}

/** Cuts closer than this belong to one scene: a flash, or a cut that was found twice. */
const SCENE_S_MIN = 0.5;
/** Black and silence count for a cut so near. */
const NEAR_S = 0.75;
const BLACK_WEIGHT = 2;
const SILENCE_WEIGHT = 1.5;
/** Of silences and shots: longer ones say no more. */
const SILENCE_S_MAX = 2;
const SHOT_S_MAX = 16;
/** Chapters of a feature film last about five minutes, those of a clip ten seconds. */
const CHAPTER_S_MIN = 8;
const CHAPTER_SHARE_MIN = 0.03;
const CHAPTERS_MAX = 24;
const CHAPTER_S = 300;
const CHAPTERS_OF_A_CLIP = 5;
/** What a plain cut between two middling shots has: less makes no chapter. */
const STRENGTH_MIN = 1;

/** What lies between cuts. The middle of a black stretch is one, too. */
export function scenesOf({ cutsS, blacks }: Survey, durationS: number): Stretch[] {
  const middles = blacks.map(({ startS, endS }) => (startS + endS) / 2);
  const cuts = [...cutsS, ...middles].sort((a, b) => a - b);
  const starts = [0];
  for (const cutS of cuts)
    if (cutS - (starts.at(-1) ?? 0) >= SCENE_S_MIN && durationS - cutS >= SCENE_S_MIN) starts.push(cutS);
  return starts.map((startS, index) => ({ startS, endS: starts[index + 1] ?? durationS }));
}

const overlaps = (stretch: Stretch, timeS: number): boolean =>
  stretch.startS - NEAR_S <= timeS && timeS <= stretch.endS + NEAR_S;

function boundariesOf(scenes: readonly Stretch[], { blacks, silences }: Survey): Boundary[] {
  return scenes.slice(1).map(({ startS, endS }, index) => {
    const shotS = Math.min(SHOT_S_MAX, endS - startS);
    const shotBeforeS = Math.min(SHOT_S_MAX, startS - (scenes[index]?.startS ?? 0));
    const silence = silences.find((each) => overlaps(each, startS));
    const silenceS = silence ? Math.min(SILENCE_S_MAX, silence.endS - silence.startS) : 0;
    return {
      timeS: startS,
      strength:
        (blacks.some((each) => overlaps(each, startS)) ? BLACK_WEIGHT : 0) +
        (SILENCE_WEIGHT * silenceS) / SILENCE_S_MAX +
        // Where one stays after a cut, something else has begun; quick cuts are one thing seen from several sides.
        Math.log2(1 + shotS) / 2 +
        Math.log2(1 + shotBeforeS) / 4,
    };
  });
}

/**
 * Scenes merged to chapters: the strongest boundaries win, as long as chapters keep a length that is worth a place in a menu. A title too short for two has
 * none.
 */
export function chaptersOf(
  scenes: readonly Stretch[],
  survey: Survey,
  durationS: number,
): { readonly chapters: readonly Chapter[]; readonly confidence: number } {
  const lengthS = Math.max(CHAPTER_S_MIN, durationS * CHAPTER_SHARE_MIN);
  const wanted = Math.min(CHAPTERS_MAX, Math.max(CHAPTERS_OF_A_CLIP, Math.round(durationS / CHAPTER_S)));
  const chosen: Boundary[] = [];
  const boundaries = boundariesOf(scenes, survey).toSorted((a, b) => b.strength - a.strength || a.timeS - b.timeS);
  for (const boundary of boundaries) {
    if (chosen.length + 1 >= wanted || boundary.strength < STRENGTH_MIN) break;
    const { timeS } = boundary;
    const isFar = [0, durationS, ...chosen.map((each) => each.timeS)].every((at) => Math.abs(at - timeS) >= lengthS);
    if (isFar) chosen.push(boundary);
  }
  if (chosen.length === 0) return { chapters: [], confidence: 1 };
  const strength = chosen.reduce((sum, each) => sum + each.strength, 0) / chosen.length;
  const starts = [0, ...chosen.map(({ timeS }) => timeS)].sort((a, b) => a - b);
  return {
    chapters: starts.map((startS) => ({ startS: Math.round(startS * 1_000) / 1_000, title: "" })),
    // All of black, silence and a long shot would be as sure as it gets.
    confidence: Math.min(1, strength / (BLACK_WEIGHT + SILENCE_WEIGHT + 3)),
  };
}
