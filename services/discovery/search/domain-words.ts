/** Scripts that are written without blanks: each of their characters is a word of its own. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/gu;
const APOSTROPHES = /['’ʼʻ`]/g;
const WORD_LENGTH_MAX = 40;
const STEM_LENGTH_MIN = 4;

/**
 * The words of a text as they are kept and asked for: without case, accents and apostrophes, letters and digits alone. `ß` and `&` are written
 * out, so that `Straße` is found by `strasse` and `Wendell & Wild` by `wendell and wild`.
 */
export function wordsOf(text: string): string[] {
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .normalize("NFKC")
    .replace(APOSTROPHES, "")
    .replaceAll("ß", "ss")
    .replaceAll("&", " and ")
    .replace(UNSPACED, " $& ")
    .split(/[^\p{L}\p{N}\p{M}]+/u)
    .filter(Boolean)
    .map((word) => word.slice(0, WORD_LENGTH_MAX));
}

/** A text without its blanks: what was joined or divided by mistake is the same, or nearly. */
export const joined = (words: readonly string[]): string => words.join("");

/** Endings of plurals and of the commonest forms in English, German, Spanish and French, the longest first. */
const ENDINGS = [
  "ungen",
  "ings",
  "ing",
  "ies",
  "ern",
  "ers",
  "es",
  "en",
  "er",
  "ed",
  "em",
  "as",
  "os",
  "e",
  "s",
  "n",
  "y",
];

/**
 * What forms of a word have in common: `robots` and `robot`, `kinder` and `kind`. It is a light one, which knows no dictionary: forms that it makes
 * alike by mistake weigh less than words that are the same.
 */
export function stemOf(word: string): string {
  const ending = ENDINGS.find((each) => word.endsWith(each) && word.length - each.length >= STEM_LENGTH_MIN - 1);
  return ending === undefined ? word : word.slice(0, -ending.length);
}

/** How many letters may be wrong in a word: none in the shortest ones, which would fit anything. */
export const slipsMax = (length: number): number => (length < 3 ? 0 : length < 6 ? 1 : 2);

/** The same for a whole title without its blanks. */
export const titleSlipsMax = (length: number): number => (length < 5 ? 0 : length < 9 ? 1 : length < 16 ? 2 : 3);

/** Which letters a word has, a bit for each (letters beyond `z` share them). A slip changes two bits at most, so most words are told apart by this alone. */
export function lettersOf(word: string): number {
  let bits = 0;
  for (let index = 0; index < word.length; index += 1) bits |= 1 << (word.charCodeAt(index) & 31);
  return bits;
}

/** Which letters a word has more than once, in the same bits. */
export function repeatedLettersOf(word: string): number {
  let [once, more] = [0, 0];
  for (let index = 0; index < word.length; index += 1) {
    const bit = 1 << (word.charCodeAt(index) & 31);
    more |= once & bit;
    once |= bit;
  }
  return more;
}

/** How many bits are set (Warren, Hacker's Delight, figure 5-2). */
export function bitsIn(value: number): number {
  let bits = value - ((value >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

const LONGEST = 256;
let [beforeLast, last, next] = [new Uint8Array(LONGEST), new Uint8Array(LONGEST), new Uint8Array(LONGEST)];

/**
 * How many letters were added, left out, replaced or swapped with their neighbour between two words: the optimal string alignment distance
 * (Damerau 1964, in Wagner and Fischer's table), or `max + 1` where it is more than `max`. Only the diagonal band of the table that can stay
 * below `max` is filled (Ukkonen 1985).
 */
export function slipsBetween(a: string, b: string, max: number): number {
  const tooMany = max + 1;
  if (Math.abs(a.length - b.length) > max || a.length >= LONGEST || b.length >= LONGEST) return tooMany;
  for (let column = 0; column <= b.length; column += 1) last[column] = Math.min(column, tooMany);
  for (let row = 1; row <= a.length; row += 1) {
    const from = Math.max(1, row - max);
    const to = Math.min(b.length, row + max);
    next[from - 1] = from === 1 ? Math.min(row, tooMany) : tooMany;
    let least = next[from - 1] ?? tooMany;
    const letter = a.charCodeAt(row - 1);
    for (let column = from; column <= to; column += 1) {
      const other = b.charCodeAt(column - 1);
      let slips = (last[column - 1] ?? tooMany) + (letter === other ? 0 : 1);
      if (column < row + max) slips = Math.min(slips, (last[column] ?? tooMany) + 1);
      slips = Math.min(slips, (next[column - 1] ?? tooMany) + 1);
      if (row > 1 && column > 1 && letter === b.charCodeAt(column - 2) && a.charCodeAt(row - 2) === other)
        slips = Math.min(slips, (beforeLast[column - 2] ?? tooMany) + 1);
      next[column] = slips;
      least = Math.min(least, slips);
    }
    if (least > max) return tooMany;
    [beforeLast, last, next] = [last, next, beforeLast];
  }
  return Math.min(last[b.length] ?? tooMany, tooMany);
}
