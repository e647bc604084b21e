import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { wavesOf } from "./consumer.ts";

const waves = (text: string): string[] =>
  wavesOf(
    text.split(" ").map((word) => ({ key: word.charAt(0), name: word.charAt(1), at: word })),
    ({ name }) => name,
  ).map((wave) => wave.map(({ at }) => at).join(" "));

test("events of different keys are handled together, as far as the order of each allows", () => {
  assert.deepEqual(waves("a1 a2 b1 b2 c1"), ["a1 b1 c1", "a2 b2"]);
  assert.deepEqual(waves("a1 a1 b1 a2 a1"), ["a1 a1 b1", "a2", "a1"]);
  assert.deepEqual(waves("a1 b2"), ["a1", "b2"]);
});

test("no event is lost, and none of a key overtakes another", () => {
  const item = fc.record({ key: fc.constantFrom("a", "b", "c"), name: fc.constantFrom("x", "y", "z"), at: fc.nat() });
  fc.assert(
    fc.property(fc.array(item, { maxLength: 40 }), (items) => {
      const made = wavesOf(items, ({ name }) => name);
      for (const wave of made) assert.equal(new Set(wave.map(({ name }) => name)).size, 1);
      for (const key of ["a", "b", "c"])
        assert.deepEqual(
          made.flat().filter((one) => one.key === key),
          items.filter((one) => one.key === key),
        );
    }),
  );
});
