/**
 * Which token of Whisper comes next, and what a row of them says: the rules of times by OpenAI's own decoder (`ApplyTimestampRules`), and byte-level
 * words as GPT-2 has them.
 */
export interface Vocabulary {
  /** Words in their byte-level spelling; the special tokens come after them. */
  readonly words: readonly string[];
  readonly end: number;
  readonly start: number;
  readonly noSpeech: number;
  /** 0.00 s; the tokens after it are 0.02 s later each. */
  readonly firstTime: number;
  /** Never said: notes, brackets, what is no speech. */
  readonly suppressed: readonly number[];
  /** Not said first. */
  readonly suppressedFirst: readonly number[];
}

export const TIME_STEP_S = 0.02;
/** The first words may be a second late, and not later: whoever cuts the sound cuts it near speech. */
const FIRST_TIME_MAX = 50;

const END = "<|endoftext|>";
const START = "<|startoftranscript|>";
const NO_SPEECH = "<|nocaptions|>";
const NO_TIMES = "<|notimestamps|>";

export function vocabularyOf(
  words: readonly string[],
  rules: { readonly suppressed: readonly number[]; readonly suppressedFirst: readonly number[] },
): Vocabulary {
  const find = (...names: readonly string[]): number => {
    const index = words.findIndex((word) => names.includes(word));
    if (index < 0) throw new RangeError(`the vocabulary has no ${names[0]}`);
    return index;
  };
  return {
    ...{ words, end: find(END), start: find(START), firstTime: find(NO_TIMES) + 1, ...rules },
    noSpeech: find(NO_SPEECH, "<|nospeech|>"),
  };
}

/** The most likely token that may follow, and the logarithm of how likely it is among those that may. */
export function nextToken(
  logits: Float32Array,
  said: readonly number[],
  vocabulary: Vocabulary,
): { readonly token: number; readonly logProbability: number } {
  const { end, firstTime, suppressed, suppressedFirst } = vocabulary;
  const allowed = logits.slice();
  const forbid = (from: number, to: number): void => void allowed.fill(Number.NEGATIVE_INFINITY, from, to);
  for (const token of suppressed) if (token >= 0) forbid(token, token + 1);
  // Nothing but words, times and the end is ever said.
  forbid(end + 1, firstTime);
  const isTime = (token: number | undefined): boolean => token !== undefined && token >= firstTime;
  if (said.length === 0) {
    for (const token of suppressedFirst) forbid(token, token + 1);
    forbid(0, firstTime);
    forbid(firstTime + FIRST_TIME_MAX + 1, allowed.length);
  } else if (isTime(said.at(-1))) {
    // Times come in pairs: an end and the next start; what begins goes on with words.
    if (said.length >= 2 && !isTime(said.at(-2))) forbid(0, end);
    else forbid(firstTime, allowed.length);
  }
  const lastTime = said.findLast(isTime);
  // Time never goes back, and what is said takes some.
  if (lastTime !== undefined)
    forbid(firstTime, lastTime + (isTime(said.at(-1)) && !isTime(said.at(-2)) && said.length > 1 ? 0 : 1));
  const total = logSumExp(allowed, 0, allowed.length);
  // Where a time is likelier than every single word, it is time for one.
  const times = logSumExp(allowed, firstTime, allowed.length);
  if (times > largest(allowed, 0, firstTime).value) forbid(0, firstTime);
  const { index, value } = largest(allowed, 0, allowed.length);
  return { token: index, logProbability: value - total };
}

function largest(values: Float32Array, from: number, to: number): { index: number; value: number } {
  let index = from;
  for (let at = from; at < to; at += 1) if ((values[at] ?? 0) > (values[index] ?? 0)) index = at;
  return { index, value: values[index] ?? Number.NEGATIVE_INFINITY };
}

function logSumExp(values: Float32Array, from: number, to: number): number {
  const { value: top } = largest(values, from, to);
  if (top === Number.NEGATIVE_INFINITY) return top;
  let sum = 0;
  for (let at = from; at < to; at += 1) sum += Math.exp((values[at] ?? 0) - top);
  return top + Math.log(sum);
}

/** How likely a token is, given logits as they come. */
export const logProbabilityOf = (logits: Float32Array, token: number): number =>
  (logits[token] ?? 0) - logSumExp(logits, 0, logits.length);

/** Bytes as GPT-2 spells them: those that can be printed as themselves, the others from U+0100 on. */
const BYTES: ReadonlyMap<string, number> = (() => {
  const isPlain = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return new Map(
    Array.from({ length: 256 }, (_, byte) => [String.fromCodePoint(isPlain(byte) ? byte : next++), byte] as const),
  );
})();

/** What words say; times and other special tokens say nothing. */
export function textOf(tokens: readonly number[], { words, end }: Vocabulary): string {
  const spelled = tokens.filter((token) => token < end).flatMap((token) => [...(words[token] ?? "")]);
  return new TextDecoder().decode(Uint8Array.from(spelled, (letter) => BYTES.get(letter) ?? 0x3f));
}

export interface Segment {
  readonly startS: number;
  readonly endS: number;
  readonly text: string;
  /** The mean over its words. */
  readonly logProbability: number;
}

/** Cuts what was said at its times. What has no end of its own lasts until `endS`. */
export function segmentsOf(
  said: readonly { readonly token: number; readonly logProbability: number }[],
  vocabulary: Vocabulary,
  endS: number,
): Segment[] {
  const { firstTime, end } = vocabulary;
  const segments: Segment[] = [];
  let startS = 0;
  let words: { token: number; logProbability: number }[] = [];
  const close = (atS: number): void => {
    const text = textOf(
      words.map(({ token }) => token),
      vocabulary,
    ).trim();
    if (text !== "")
      segments.push({
        ...{ startS, endS: Math.min(atS, endS), text },
        logProbability: words.reduce((sum, { logProbability }) => sum + logProbability, 0) / words.length,
      });
    words = [];
  };
  for (const each of said) {
    if (each.token >= firstTime) {
      const atS = (each.token - firstTime) * TIME_STEP_S;
      close(atS);
      startS = atS;
    } else if (each.token < end) words.push({ ...each });
  }
  close(endS);
  return segments;
}
