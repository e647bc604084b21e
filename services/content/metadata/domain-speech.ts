import type { Stretch } from "#kernel/ports/transcoder";
import type { Cue } from "./domain.ts";

/** Silero hears windows of 512 samples, with the 64 before them. */
export const WINDOW_SAMPLES = 512;
export const CONTEXT_SAMPLES = 64;
export const WINDOW_S = WINDOW_SAMPLES / 16_000;

const SPEECH_MIN = 0.5;
/** What was speech is so until it is clearly none. */
const SPEECH_STAYS_MIN = 0.35;
const SPEECH_S_MIN = 0.25;
const PAUSE_S_MIN = 0.4;
/** Words begin before a detector is sure of them, and a recogniser wants the breath before them. */
const PAD_BEFORE_S = 0.7;
const PAD_AFTER_S = 0.5;
/** A piece of sound holds sentences that follow each other: a longer pause begins another, so that times are those that were heard. */
const PIECE_PAUSE_S_MAX = 1.5;
const PIECE_S_MAX = 28;

/** Where somebody speaks, by how likely each window is to be speech. */
export function speechOf(likelihoods: ArrayLike<number>, durationS: number): Stretch[] {
  const found: { startS: number; endS: number }[] = [];
  let startS: number | undefined;
  let quietSinceS: number | undefined;
  const close = (endS: number): void => {
    if (startS !== undefined && endS - startS >= SPEECH_S_MIN) found.push({ startS, endS });
    startS = undefined;
    quietSinceS = undefined;
  };
  for (let window = 0; window < likelihoods.length; window += 1) {
    const atS = window * WINDOW_S;
    const likelihood = likelihoods[window] ?? 0;
    if (likelihood >= SPEECH_MIN) {
      startS ??= atS;
      quietSinceS = undefined;
    } else if (startS !== undefined && likelihood < SPEECH_STAYS_MIN) {
      quietSinceS ??= atS;
      if (atS - quietSinceS >= PAUSE_S_MIN) close(quietSinceS);
    }
  }
  close(quietSinceS ?? durationS);
  return found.map((each, index) => ({
    startS: Math.max(found[index - 1]?.endS ?? 0, each.startS - PAD_BEFORE_S, 0),
    endS: Math.min(found[index + 1]?.startS ?? durationS, each.endS + PAD_AFTER_S, durationS),
  }));
}

/** Speech in pieces that a recogniser takes, none longer than it hears. */
export function piecesOf(speech: readonly Stretch[]): Stretch[] {
  const pieces: { startS: number; endS: number }[] = [];
  for (const { startS, endS } of speech) {
    const last = pieces.at(-1);
    if (last && startS - last.endS <= PIECE_PAUSE_S_MAX && endS - last.startS <= PIECE_S_MAX) last.endS = endS;
    else
      for (let at = startS; at < endS; at += PIECE_S_MAX)
        pieces.push({ startS: at, endS: Math.min(endS, at + PIECE_S_MAX) });
  }
  return pieces;
}

/** Two lines of what can be read in passing (Netflix and BBC guidelines name 37 to 42 letters). */
const LINE_MAX = 42;
const CUE_S_MIN = 0.8;
const CUE_S_MAX = 7;
/** A text stays a moment after its last word, where nobody speaks next. */
const LINGER_S = 0.3;

/** Sentences as cues of at most two lines; those of one that is too long share its time by their letters. */
export function cuesOf(segments: readonly Cue[], durationS: number): Cue[] {
  const cues = segments.flatMap((segment) => {
    const parts = wrap(segment.text, LINE_MAX * 2);
    const letters = parts.reduce((sum, part) => sum + part.length, 0);
    let at = segment.startS;
    return parts.map((part) => {
      const startS = at;
      at += ((segment.endS - segment.startS) * part.length) / letters;
      return { ...segment, startS, endS: at, text: wrap(part, LINE_MAX).join("\n") };
    });
  });
  return cues.map((cue, index) => {
    const nextS = cues[index + 1]?.startS ?? durationS;
    const wantedS = Math.max(cue.startS + CUE_S_MIN, Math.min(cue.endS + LINGER_S, cue.startS + CUE_S_MAX));
    const endS = Math.max(Math.min(wantedS, nextS, durationS), Math.min(cue.endS, durationS));
    return { ...cue, startS: round(cue.startS), endS: round(endS) };
  });
}

const round = (seconds: number): number => Math.round(seconds * 1_000) / 1_000;

/** Parts of nearly the same length, none longer than `max` unless a word is. */
function wrap(text: string, max: number): string[] {
  const words = text.split(/\s+/).filter(Boolean);
  const wanted = Math.ceil(text.length / max);
  const length = Math.ceil(text.length / Math.max(1, wanted));
  const parts: string[] = [];
  for (const word of words) {
    const last = parts.at(-1);
    const isFull = last === undefined || last.length + 1 + word.length > max || last.length >= length;
    if (isFull) parts.push(word);
    else parts[parts.length - 1] = `${last} ${word}`;
  }
  return parts;
}

/** Words that nearly every sentence of a language has. */
const FUNCTION_WORDS: Readonly<Record<string, string>> = {
  en: "the a an and of to in is it you that i for on with this be are was my what we have not",
  de: "der die das und ist ich nicht ein eine zu den mit sie es du wir auf für war was dem auch",
  es: "el la los de que y en un una es no por con para lo se su me te mi como más pero",
  fr: "le la les de et un une est je ne pas que vous il dans ce qui pour sur mon tu nous avec",
};
const WORDS_MIN = 12;

/** The language that words look like; undefined where there are too few, or where they look like none. */
export function languageOf(text: string): string | undefined {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  if (words.length < WORDS_MIN) return undefined;
  const shares = Object.entries(FUNCTION_WORDS).map(([language, list]) => {
    const known = new Set(list.split(" "));
    return { language, share: words.filter((word) => known.has(word)).length / words.length };
  });
  const [best, second] = shares.sort((a, b) => b.share - a.share);
  if (!best || best.share < 0.12 || best.share < (second?.share ?? 0) * 1.3) return undefined;
  return best.language;
}

/** Words that differ over words that were said (Levenshtein's distance by words); letters' case and punctuation are nobody's words. */
export function wordErrorRate(reference: string, said: string): number {
  const wordsOf = (text: string): string[] =>
    text
      .toLowerCase()
      .replace(/[’']/g, "")
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  const [right, heard] = [wordsOf(reference), wordsOf(said)];
  if (right.length === 0) return heard.length === 0 ? 0 : 1;
  let row = Array.from({ length: heard.length + 1 }, (_, index) => index);
  for (const [index, word] of right.entries()) {
    const next = [index + 1];
    for (const [at, other] of heard.entries())
      next.push(Math.min((row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1, (row[at] ?? 0) + (word === other ? 0 : 1)));
    row = next;
  }
  return (row[heard.length] ?? 0) / right.length;
}
