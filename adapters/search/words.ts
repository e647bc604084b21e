/** Scripts that are written without blanks: each of their characters is a word of its own. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/gu;
const WORDS_ASKED_MAX = 8;
const WORD_LENGTH_MAX = 60;

/** The words of a text, without accents and case, as they are kept and asked for: letters and digits alone. */
export function wordsOf(text: string): string[] {
  return text
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .normalize("NFKC")
    .replace(UNSPACED, " $& ")
    .split(/[^\p{L}\p{N}\p{M}]+/u)
    .filter(Boolean)
    .map((word) => word.slice(0, WORD_LENGTH_MAX));
}

/** The words of a question, each once. */
export const wordsAsked = (text: string): string[] => [...new Set(wordsOf(text))].slice(0, WORDS_ASKED_MAX);

/** How many letters may be wrong in a word: none in short ones, which would fit anything. */
export const slipsMax = (word: string): number => (word.length < 4 ? 0 : word.length < 8 ? 1 : 2);

/** Letters that were added, left out, replaced or swapped with their neighbour (optimal string alignment). */
export function slipsBetween(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const least = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
      );
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      next.push(isSwap ? Math.min(least, (before[column - 2] ?? 0) + 1) : least);
    }
    [before, last] = [last, next];
  }
  return last[b.length] ?? 0;
}
