import { problem } from "#kernel/errors";
import { LIVE_SEGMENT_S } from "#media/presentation";

export interface Padding {
  readonly beforeS: number;
  readonly afterS: number;
}

export const PADDING_DEFAULT: Padding = { beforeS: 120, afterS: 600 };
const PADDING_S_MAX = 7_200;
const RECORDING_S_MAX = 12 * 3_600;
const KEEP_MAX = 100;
export const TITLE_CHARS_MAX = 200;

export function checkPadding(padding: Padding | undefined): Padding {
  const { beforeS, afterS } = padding ?? PADDING_DEFAULT;
  for (const seconds of [beforeS, afterS])
    if (seconds > PADDING_S_MAX) throw problem.invalid(`a padding of ${seconds} s is longer than ${PADDING_S_MAX} s`);
  return { beforeS, afterS };
}

export function checkKeep(keep: number): number {
  if (keep > KEEP_MAX) throw problem.invalid(`${keep} episodes are more than can be kept (${KEEP_MAX}); 0 keeps all`);
  return keep;
}

/** A stretch of time that can be recorded. */
export function checkTime(startMs: number, stopMs: number, nowMs: number): void {
  if (!Number.isSafeInteger(startMs) || !Number.isSafeInteger(stopMs) || stopMs <= startMs)
    throw problem.invalid(`a recording from ${startMs} to ${stopMs} has no length: write milliseconds since the epoch`);
  if (stopMs - startMs > RECORDING_S_MAX * 1_000)
    throw problem.invalid(`a recording is no longer than ${RECORDING_S_MAX / 3_600} hours: record it in parts`);
  if (stopMs <= nowMs) throw problem.precondition("this is over already", { reason: "over" });
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Timed {
  readonly startMs: number;
  readonly stopMs: number;
  readonly padding: Padding;
}

export const spanOf = ({ startMs, stopMs, padding }: Timed): Span => ({
  fromMs: startMs - padding.beforeS * 1_000,
  toMs: stopMs + padding.afterS * 1_000,
});

/** What a copy must hold for all who share it, so that nobody's padding is cut off. */
export function unionOf(all: readonly Timed[]): Span {
  const spans = all.map(spanOf);
  return {
    fromMs: Math.min(...spans.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...spans.map(({ toMs }) => toMs)),
  };
}

/** Channels are cut into segments that are counted since the epoch. */
export const SEGMENT_MS = LIVE_SEGMENT_S * 1_000;
export const firstNumber = ({ fromMs }: Span): number => Math.floor(fromMs / SEGMENT_MS);
export const lastNumber = ({ toMs }: Span): number => Math.ceil(toMs / SEGMENT_MS) - 1;

export interface Gap {
  readonly startMs: number;
  readonly durationMs: number;
}

/** The gaps once segments between two are known to be missing; neighbours become one. */
export function withGap(gaps: readonly Gap[], afterNumber: number, beforeNumber: number): readonly Gap[] {
  const missing = beforeNumber - afterNumber - 1;
  if (missing <= 0) return gaps;
  const gap = { startMs: (afterNumber + 1) * SEGMENT_MS, durationMs: missing * SEGMENT_MS };
  const last = gaps.at(-1);
  if (last && last.startMs + last.durationMs === gap.startMs)
    return [...gaps.slice(0, -1), { ...last, durationMs: last.durationMs + gap.durationMs }];
  return [...gaps, gap];
}

/** Before which of a recording's segments, counted from 0, something is missing; what is missing at its ends is not between two. */
export function gapsBefore(span: Span, gaps: readonly Gap[], segments: number): number[] {
  let missing = 0;
  return gaps
    .map(({ startMs, durationMs }) => {
      const index = startMs / SEGMENT_MS - firstNumber(span) - missing;
      missing += durationMs / SEGMENT_MS;
      return index;
    })
    .filter((index) => index > 0 && index < segments);
}

/** A segment of a channel, by what there is of it. */
export interface Offered {
  readonly number: number;
  /** Names of tracks. */
  readonly tracks: readonly string[];
}

/** What is recorded of a segment; nothing where it is better a gap. */
export interface Decided {
  readonly number: number;
  readonly tracks: readonly string[];
}

/** So many segments are looked at before a track is taken for gone: after a restart encoders come back one by one. */
const AHEAD = 5;

/**
 * What to record of segments, in order, as far as that can be said already. All segments of a recording have the same tracks. One that
 * lacks some is a gap when the next ones have them again; when they do not come back, the recording goes on without, as long as every
 * kind of track is still there. `known` has the tracks so far, or nothing before the first segment.
 */
export function decide(
  known: readonly string[] | null,
  offered: readonly Offered[],
  { kindOf, isOver }: { readonly kindOf: (track: string) => string; readonly isOver: boolean },
): { readonly decided: readonly Decided[]; readonly known: readonly string[] | null } {
  const decided: Decided[] = [];
  let own = known;
  for (const [index, { number, tracks }] of offered.entries()) {
    const ahead = offered.slice(index, index + AHEAD);
    const isSure = isOver || ahead.length === AHEAD;
    if (own === null && !isSure) break;
    const wanted: readonly string[] = own ?? [...new Set(ahead.flatMap((one) => one.tracks))];
    if (wanted.length === 0) {
      // Nothing was made yet, and there is nothing to go on with.
      decided.push({ number, tracks: [] });
      continue;
    }
    const hasAll = (one: Offered): boolean => wanted.every((track) => one.tracks.includes(track));
    if (!hasAll({ number, tracks })) {
      if (!isSure) break;
      const left = wanted.filter((track) => tracks.includes(track));
      const kinds = new Set(left.map(kindOf));
      if (ahead.some(hasAll) || !wanted.every((track) => kinds.has(kindOf(track)))) {
        decided.push({ number, tracks: [] });
        continue;
      }
      own = left;
    } else own = wanted;
    decided.push({ number, tracks: own });
  }
  return { decided, known: own };
}

/** How much a plan may keep, by the length of programmes without padding. */
const HOURS: Readonly<Record<string, number>> = { basic: 20, premium: 200 };
export const quotaS = (tier: string): number => (HOURS[tier] ?? HOURS["basic"] ?? 0) * 3_600;

export const lengthS = ({ startMs, stopMs }: Pick<Timed, "startMs" | "stopMs">): number =>
  Math.ceil((stopMs - startMs) / 1_000);

/** What of an airing decides whether a series rule wants it. */
export interface Airing {
  readonly id: string;
  readonly channelId: string;
  readonly episodeKey: string;
  readonly startMs: number;
  readonly stopMs: number;
  readonly isRepeat: boolean;
  readonly isNew: boolean;
  readonly noRecord: boolean;
}

export interface Rule {
  readonly channelId: string;
  readonly newOnly: boolean;
}

/**
 * The airings that a rule wants of a series: each episode once, at its first time that may be recorded. What cannot be told from another
 * episode is an episode of its own. `known` has the episodes and airings that were dealt with.
 */
export function wanted(rule: Rule, airings: readonly Airing[], known: ReadonlySet<string>, nowMs: number): Airing[] {
  const taken = new Set(known);
  return (
    airings
      .filter(({ channelId }) => rule.channelId === "" || rule.channelId === channelId)
      .filter(({ stopMs, noRecord }) => stopMs > nowMs && !noRecord)
      // Where nobody said whether it is new, what was not recorded yet is.
      .filter(({ isRepeat, isNew }) => !rule.newOnly || isNew || !isRepeat)
      .toSorted((a, b) => a.startMs - b.startMs || (a.id < b.id ? -1 : 1))
      .filter(({ id, episodeKey }) => {
        const key = keyOf({ id, episodeKey });
        if (taken.has(key)) return false;
        taken.add(key);
        return true;
      })
  );
}

export const keyOf = ({ id, episodeKey }: Pick<Airing, "id" | "episodeKey">): string => episodeKey || `airing:${id}`;

/** The oldest of a rule's recordings that are too many, once one more is there. */
export function surplus<T extends { readonly startMs: number }>(keep: number, completed: readonly T[]): readonly T[] {
  if (keep === 0 || completed.length <= keep) return [];
  return completed.toSorted((a, b) => a.startMs - b.startMs).slice(0, completed.length - keep);
}
