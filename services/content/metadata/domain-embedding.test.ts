import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  cosine,
  fromMiddle,
  isFlat,
  middleOf,
  momentsIn,
  nearest,
  nearnessTo,
  packVector,
  poolFrames,
  unpackVector,
} from "./domain-embedding.ts";

const LENGTH = 24;
/** As a network's last layer gives them: nothing below 0, many zeros. */
const features = fc
  .array(fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 6, noNaN: true })), {
    minLength: LENGTH,
    maxLength: LENGTH,
  })
  .filter((values) => values.some((value) => value > 0));
const frames = fc.array(features, { minLength: 1, maxLength: 8 });
const near = (a: number, b: number, by: number): boolean => Math.abs(a - b) <= by;

const pooled = (some: readonly (readonly number[])[]) => {
  const embedding = poolFrames(some);
  assert.ok(embedding);
  return embedding;
};

test("a title's vector has length 1, whatever the order and the strength of its frames", () => {
  fc.assert(
    fc.property(frames, fc.double({ min: 0.1, max: 10, noNaN: true }), (some, factor) => {
      const { vector, agreement } = pooled(some);
      assert.ok(near(Math.hypot(...vector), 1, 1e-9));
      assert.ok(agreement > 0 && agreement <= 1);
      const [first = [], ...rest] = some;
      const other = pooled([...rest.toReversed(), first.map((value) => value * factor)]);
      assert.ok(vector.every((value, at) => near(value, other.vector[at] ?? Number.NaN, 1e-9)));
      assert.ok(near(agreement, other.agreement, 1e-9));
    }),
  );
});

test("frames that agree speak for all of them, and those that have nothing in common do not", () => {
  const one = [1, 0, 0, 0];
  assert.ok(near(pooled([one, [3, 0, 0, 0]]).agreement, 1, 1e-12));
  assert.ok(near(pooled([one, [0, 1, 0, 0]]).agreement, Math.SQRT1_2, 1e-12));
  assert.equal(poolFrames([]), undefined);
  assert.equal(poolFrames([[0, 0]]), undefined);
  assert.deepEqual(
    [
      ...pooled([
        [0, 0],
        [0, 2],
      ]).vector,
    ],
    [0, 1],
    "a frame of nothing is not counted",
  );
});

test("what is kept of a vector is as near to others as the vector itself", () => {
  fc.assert(
    fc.property(features, features, (a, b) => {
      const [kept, other] = [a, b].map((values) => unpackVector(packVector(Float64Array.from(values))));
      assert.ok(kept && other);
      assert.ok(near(cosine(kept, other), cosine(a, b), 1e-3));
      assert.equal(cosine(kept, other), cosine(other, kept));
      assert.ok(near(cosine(kept, kept), 1, 1e-12));
      assert.ok(cosine(kept, other) >= 0 && cosine(kept, other) <= 1 + 1e-12);
    }),
  );
});

test("seen from the middle, vectors lie around it, however long they are", () => {
  fc.assert(
    fc.property(fc.array(features, { minLength: 1, maxLength: 8 }), (all) => {
      const middle = middleOf(all);
      const seen = all.map((vector) => fromMiddle(vector, middle));
      for (let at = 0; at < LENGTH; at += 1)
        assert.ok(
          near(
            seen.reduce((sum, vector) => sum + (vector[at] ?? 0), 0),
            0,
            1e-9,
          ),
        );
      const [first = []] = all;
      const longer = fromMiddle(
        first.map((value) => value * 3),
        middle,
      );
      assert.ok(longer.every((value, at) => near(value, seen[0]?.[at] ?? Number.NaN, 1e-12)));
    }),
  );
});

test("what is compared in one pass is what is compared step by step", () => {
  fc.assert(
    fc.property(features, features, fc.array(features, { minLength: 3, maxLength: 8 }), (own, other, more) => {
      const middle = middleOf([own, other, ...more]);
      const [a, b] = [own, other].map((vector) => fromMiddle(vector, middle));
      assert.ok(a && b);
      // What lies on the middle has no direction from there.
      fc.pre(Math.hypot(...a) > 1e-3 && Math.hypot(...b) > 1e-3);
      assert.ok(near(nearnessTo(own, middle)(other), cosine(a, b), 1e-6));
    }),
  );
  assert.equal(nearnessTo([1, 0], Float64Array.of(0.5, 0.5))([1, 0, 0]), 0);
});

test("what all have in common does not make two alike", () => {
  const [one, like, other] = [
    [9, 1, 0],
    [9, 0.9, 0.1],
    [9, 0, 1],
  ];
  assert.ok(cosine(one, other) > 0.98, "as they are, all are alike");
  const middle = middleOf([one, like, other]);
  const [a, b, c] = [one, like, other].map((vector) => fromMiddle(vector, middle));
  assert.ok(a && b && c);
  assert.ok(cosine(a, b) > 0.9 && cosine(a, c) < 0, `${cosine(a, b)}, ${cosine(a, c)}`);
});

test("bytes that begin anywhere are read, and vectors of another length are like nothing", () => {
  const packed = packVector(Float64Array.of(1, -0.5, 0));
  const behind = new Uint8Array([7, ...packed]).subarray(1);
  assert.deepEqual([...unpackVector(behind)], [32_767, -16_383, 0]);
  assert.equal(cosine([1, 2], [1, 2, 3]), 0);
  assert.equal(cosine([0, 0], [1, 2]), 0);
});

test("neighbours that are found page by page are those of all at once", () => {
  const similarity = fc.integer({ min: 0, max: 5 }).map((value) => value / 5);
  fc.assert(
    fc.property(fc.array(similarity, { maxLength: 40 }), fc.integer({ min: 1, max: 12 }), (all, limit) => {
      const others = all.map((value, at) => ({ contentId: `t${String(at).padStart(2, "0")}`, similarity: value }));
      let found: ReturnType<typeof nearest> = [];
      for (let at = 0; at < others.length; at += 7) found = nearest([...found, ...others.slice(at, at + 7)], limit);
      assert.deepEqual(found, nearest(others, limit));
      assert.equal(found.length, Math.min(limit, others.length));
      const worst = found.at(-1)?.similarity ?? 0;
      const left = others.filter(({ contentId }) => !found.some((one) => one.contentId === contentId));
      assert.ok(left.every((one) => one.similarity <= worst));
    }),
  );
});

test("moments lie within the film, in order, and are no more than can be looked at", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.04, max: 20_000, noNaN: true }), (durationS) => {
      const moments = momentsIn(durationS);
      assert.ok(moments.length >= 1 && moments.length <= 48);
      assert.ok(moments.every((at, index) => at > (moments[index - 1] ?? 0) && at < durationS));
    }),
  );
});

test("black, white and fog are flat; a picture is not", () => {
  const pixels = (valueAt: (index: number) => number): Uint8Array =>
    Uint8Array.from({ length: 300 }, (_, at) => valueAt(at));
  for (const value of [0, 128, 255]) assert.ok(isFlat(pixels(() => value)));
  assert.ok(isFlat(pixels((at) => 128 + (Math.floor(at / 3) % 2))));
  assert.ok(!isFlat(pixels((at) => (Math.floor(at / 3) % 2) * 200)));
  assert.ok(!isFlat(pixels((at) => (at % 3 === 2 ? (Math.floor(at / 3) % 2) * 60 : 0))), "blue at night is one");
  assert.ok(isFlat(new Uint8Array(0)));
});
