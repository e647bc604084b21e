import type { Problem } from "#kernel/errors";
import type { Harm, Judgement, Opinion } from "#kernel/ports/moderation";
import type { Cue } from "./domain.ts";
import { type Kind, KINDS, type Moment, SPOKEN_KINDS, stretchesOf, type Suspicion } from "./domain-moderation.ts";

// What a moderation server says of frames and cues, as suspicions. What is harmful is its own call: only it knows what its scores mean.

export interface Judged {
  readonly timeS: number;
  readonly judgement: Judgement;
  /** Of the moments around it; absent where the frame gave no reason to look, or was one too many. */
  readonly around?: readonly Judgement[];
}

export interface Verdicts {
  readonly frames: readonly Judged[];
  /** Of the first cues; as many as were judged. */
  readonly words: readonly Judgement[];
  readonly hasSeenAll: boolean;
  readonly hasReadAll: boolean;
  /** What kept the server from looking at all of it. */
  readonly fault: Problem | undefined;
}

/** So many flagged frames are looked at closer. A film in which more is flagged is what it is, and the others are pointed at by one look. */
export const CLOSER_MAX = 25;
/** Of the looks around a frame, so many have to be flagged as well. */
const AGREE_MIN = 0.5;

/** The worse first: what is flagged for both is called by it. */
const SEEN: readonly (readonly [Kind, readonly Harm[]])[] = [
  ["violence", ["graphic", "violence"]],
  ["nudity", ["sexual"]],
];
const SAID: readonly (readonly [Kind, readonly Harm[]])[] = [
  ["threats", ["threat", "graphic", "violence"]],
  ["language", ["hate"]],
];
const CALLED_SEEN: Readonly<Partial<Record<Harm, string>>> = {
  graphic: "graphic violence",
  violence: "violence",
  sexual: "sexual content",
};
const CALLED_SAID: Readonly<Partial<Record<Harm, string>>> = {
  threat: "a threat",
  graphic: "graphic violence in words",
  violence: "violence in words",
  hate: "hate",
};

const flaggedOf = (judgement: Judgement, harms: readonly Harm[]): readonly (Opinion & { readonly harm: Harm })[] =>
  harms.flatMap((harm) => {
    const opinion = judgement[harm];
    return opinion?.isFlagged ? [{ harm, ...opinion }] : [];
  });
const worstOf = (judgement: Judgement, harms: readonly Harm[]): number =>
  Math.max(0, ...harms.map((harm) => judgement[harm]?.score ?? 0));

/** The frames that deserve a closer look, the worst first. */
export function flaggedIn(frames: readonly Judged[]): Judged[] {
  const harms = SEEN.flatMap(([, all]) => all);
  const worst = ({ judgement }: Judged): number =>
    Math.max(0, ...flaggedOf(judgement, harms).map(({ score }) => score));
  return frames
    .filter(({ judgement }) => flaggedOf(judgement, harms).length > 0)
    .toSorted((a, b) => worst(b) - worst(a))
    .slice(0, CLOSER_MAX);
}

/** Frames, a step apart, that are flagged and stay so when the moments around them are looked at, as stretches of the film. */
export function judgedIn(frames: readonly Judged[], stepS: number): Suspicion[] {
  return SEEN.flatMap(([kind, harms]) => {
    const moments = frames.flatMap(({ timeS, judgement, around = [] }): Moment[] => {
      const [first] = flaggedOf(judgement, harms);
      if (!first) return [];
      const agreeing = around.filter((look) => flaggedOf(look, harms).length > 0).length;
      if (agreeing < around.length * AGREE_MIN) return [];
      const looks = around.length === 0 ? [judgement] : around;
      const score = looks.reduce((sum, look) => sum + worstOf(look, harms), 0) / looks.length;
      return [{ timeS, score, label: CALLED_SEEN[first.harm] ?? kind }];
    });
    return stretchesOf(kind, moments, stepS);
  });
}

/** Cues that are flagged; judgements are of cues at the same places. */
export function saidIn(cues: readonly Cue[], judgements: readonly Judgement[]): Suspicion[] {
  return SAID.flatMap(([kind, harms]) =>
    cues.flatMap(({ startS, endS, confidence }, index): Suspicion[] => {
      const judgement = judgements[index];
      const flagged = judgement ? flaggedOf(judgement, harms) : [];
      const [first] = flagged;
      if (!first) return [];
      const score = Math.max(...flagged.map((opinion) => opinion.score)) * confidence;
      return [{ kind, startS, endS, score, label: CALLED_SAID[first.harm] ?? kind }];
    }),
  );
}

/** How sure the server was of what each frame is, on the whole. */
export function surenessOf(frames: readonly Judged[]): number {
  if (frames.length === 0) return 1;
  const sum = frames.reduce(
    (all, { judgement: { violence } }) => all + Math.max(violence.score, 1 - violence.score),
    0,
  );
  return sum / frames.length;
}

/** The highest score of each harm that pictures were looked at for. */
export const highestJudged = (frames: readonly Judged[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    SEEN.flatMap(([, harms]) => harms)
      .filter((harm) => frames.some(({ judgement }) => judgement[harm]))
      .map((harm) => [harm, Math.max(...frames.map(({ judgement }) => worstOf(judgement, [harm])))]),
  );

export interface Looked {
  readonly looked: Readonly<Record<Kind, boolean>>;
  /** Why not, of each that was not looked for. */
  readonly notLooked: Readonly<Partial<Record<Kind, string>>>;
}

/** What a title was looked at for. A server that fell silent half-way has not looked, whatever it had found until then. */
export function lookedOf(by: {
  readonly hasDetector: boolean;
  readonly verdicts: Verdicts | undefined;
  /** Of the subtitles; undefined where there are none. */
  readonly language: string | undefined;
  /** Whether there is a list of strong words in it. */
  readonly isListed: boolean;
}): Looked {
  const { hasDetector, verdicts, language, isListed } = by;
  const hasRead = language !== undefined && verdicts?.hasReadAll === true;
  // A server may be one that looks for some harms alone.
  const all = (of: readonly Judgement[] | undefined, harm: Harm): boolean =>
    of?.every((judgement) => judgement[harm]) === true;
  const isJudgedFor = (harm: Harm): boolean =>
    verdicts?.hasSeenAll === true &&
    all(
      verdicts.frames.map(({ judgement }) => judgement),
      harm,
    );
  const looked = {
    nudity: hasDetector || isJudgedFor("sexual"),
    violence: isJudgedFor("violence"),
    language: isListed || (hasRead && all(verdicts?.words, "hate")),
    threats: hasRead,
  };
  const byServer =
    verdicts === undefined
      ? "no server judges it: set MARQUEE_MODERATION_URL"
      : (verdicts.fault?.message ?? "the moderation server was not asked about all of it");
  const unsaid = language === undefined ? "there are no subtitles" : undefined;
  const reasons = {
    nudity: "its weights are not here: ./marquee model pull moderation",
    violence: byServer,
    language: unsaid ?? `there is no list of words in '${language}'`,
    threats: unsaid ?? byServer,
  };
  return {
    looked,
    notLooked: Object.fromEntries(KINDS.filter((kind) => !looked[kind]).map((kind) => [kind, reasons[kind]])),
  };
}

/**
 * The kinds whose findings that wait make place for those of now. What was seen in a picture is still in it when nobody looks for it any more; what was
 * said may have been corrected, and stays where a server was away alone.
 */
export const replacedBy = ({ looked }: Looked, fault: Problem | undefined): Kind[] =>
  KINDS.filter((kind) => looked[kind] || (SPOKEN_KINDS.includes(kind) && fault === undefined));
