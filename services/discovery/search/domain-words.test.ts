import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createVocabulary } from "./domain-vocabulary.ts";
import { bitsIn, lettersOf, slipsBetween, stemOf, wordsOf } from "./domain-words.ts";

/** The whole table of the optimal string alignment distance, as textbooks have it. */
function oracle(a: string, b: string): number {
  const table = Array.from({ length: a.length + 1 }, (_, row) =>
    Array.from({ length: b.length + 1 }, (__, column) => (row === 0 ? column : column === 0 ? row : 0)),
  );
  const at = (row: number, column: number): number => table[row]?.[column] ?? Infinity;
  for (let row = 1; row <= a.length; row += 1) {
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let least = Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, at(row - 1, column - 1) + cost);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        least = Math.min(least, at(row - 2, column - 2) + 1);
      (table[row] ?? [])[column] = least;
    }
  }
  return at(a.length, b.length);
}
const word = fc.string({ unit: fc.constantFrom("a", "b", "c", "é", "1"), maxLength: 9 });

test("words are without case, accents and apostrophes", () => {
  assert.deepEqual(wordsOf("Amélie's  STRASSE, Straße & Wall-E"), [
    "amelies",
    "strasse",
    "strasse",
    "and",
    "wall",
    "e",
  ]);
  assert.deepEqual(wordsOf("千と千尋 été"), ["千", "と", "千", "尋", "ete"]);
  assert.deepEqual(wordsOf("اَلْفِيل"), wordsOf("اَلْفِيل"));
  assert.deepEqual(
    [stemOf("robots"), stemOf("comedies"), stemOf("cats"), stemOf("it")],
    ["robot", "comed", "cat", "it"],
  );
});

test("slips are those of the whole table, up to the bound", () => {
  fc.assert(
    fc.property(word, word, fc.nat(3), (a, b, max) => {
      assert.equal(slipsBetween(a, b, max), Math.min(oracle(a, b), max + 1));
    }),
    { numRuns: 500 },
  );
});

test("letters never hide a word that is near enough", () => {
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.ok(bitsIn(lettersOf(a) ^ lettersOf(b)) <= 2 * oracle(a, b));
    }),
  );
});

test("a vocabulary finds what a look at every term finds", () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 40 }), word, (terms, asked) => {
      const vocabulary = createVocabulary();
      const kept = [...new Set(terms)];
      for (const term of terms) assert.equal(vocabulary.term(vocabulary.add(term)), term);
      const texts = (numbers: readonly number[]): string[] =>
        numbers.map((number) => vocabulary.term(number)).toSorted();
      assert.deepEqual(
        texts(vocabulary.beginningWith(asked, 100)),
        kept.filter((term) => term.startsWith(asked)).toSorted(),
      );
      assert.deepEqual(
        texts(vocabulary.near(asked, 2).map(({ number }) => number)),
        kept.filter((term) => term !== "" && oracle(asked, term) > 0 && oracle(asked, term) <= 2).toSorted(),
      );
      assert.equal(vocabulary.size, kept.length);
    }),
  );
});
