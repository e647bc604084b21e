import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Arm, chooseArtwork } from "./domain-artwork.ts";

const arm = (key: string, shown: number, chosen: number, taste = "Drama"): Arm => ({
  ...{ contentId: "t", key, taste, shown, chosen },
});
const KEYS = ["editors", "b", "c"];
const choices = (arms: readonly Arm[], taste = "Drama"): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (let profile = 0; profile < 1_000; profile += 1) {
    const key = chooseArtwork({ profileId: `p${profile}`, contentId: "t", keys: KEYS, taste }, arms);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
};

test("while nothing is known, four in five see the editor's picture and the others look at all", () => {
  const seen = choices([]);
  assert.ok(
    (seen.get("editors") ?? 0) > 800 && (seen.get("b") ?? 0) > 30 && (seen.get("c") ?? 0) > 30,
    String([...seen]),
  );
});

test("a picture that is better beyond doubt is what most see, and one that may be is not", () => {
  const clear = [arm("editors", 800, 40), arm("b", 800, 120), arm("c", 800, 40)];
  assert.ok((choices(clear).get("b") ?? 0) > 900);
  const doubtful = [arm("editors", 60, 3), arm("b", 60, 5), arm("c", 60, 3)];
  assert.ok((choices(doubtful).get("editors") ?? 0) > 750);
});

test("what those of one taste go for, those of another are not shown", () => {
  const arms = [
    ...[arm("editors", 500, 30), arm("b", 500, 110), arm("c", 500, 20)],
    ...[arm("editors", 500, 60, "Comedy"), arm("b", 500, 10, "Comedy"), arm("c", 500, 60, "Comedy")],
  ];
  assert.ok((choices(arms, "Drama").get("b") ?? 0) > 800);
  assert.ok((choices(arms, "Comedy").get("b") ?? 0) < 100);
});

test("property: the answer is one of the pictures, and the same for the same profile", () => {
  const arms = fc.array(
    fc
      .record({
        contentId: fc.constant("t"),
        key: fc.constantFrom("editors", "b", "c", "gone"),
        taste: fc.constantFrom("", "Drama", "Comedy"),
        shown: fc.nat(1_000),
        chosen: fc.nat(1_000),
      })
      .map((one) => ({ ...one, chosen: Math.min(one.shown, one.chosen) })),
  );
  fc.assert(
    fc.property(arms, fc.string(), fc.subarray(KEYS, { minLength: 1 }), (all, profileId, keys) => {
      const wish = { profileId, contentId: "t", keys, taste: "Drama" };
      const key = chooseArtwork(wish, all);
      assert.ok(keys.includes(key));
      assert.equal(chooseArtwork(wish, all), key);
    }),
  );
});
