import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seededRandom } from "#learning/random";
import { bestOf, choose, likeness, makeWorld, shareWatched } from "./world.ts";

const size = { personas: fc.integer({ min: 1, max: 12 }), titles: fc.integer({ min: 8, max: 60 }) };

test("a world is its seed's, and another seed's is another", () => {
  fc.assert(
    fc.property(fc.record({ seed: fc.nat(), ...size }), (options) => {
      const world = makeWorld(options);
      assert.deepEqual(makeWorld(options), world);
      assert.equal(world.genres.length, options.titles);
      assert.equal(world.tastes.length, options.personas);
      assert.ok(world.tastes.every((taste) => taste.length === options.titles && taste.every(Number.isFinite)));
      assert.notDeepEqual(makeWorld({ ...options, seed: options.seed + 1 }).tastes, world.tastes);
    }),
    { numRuns: 50 },
  );
});

test("genres say something of tastes, and not everything", () => {
  const { genres, tastes } = makeWorld({ seed: 3, personas: 100, titles: 1_000 });
  let [own, all] = [0, 0];
  for (const taste of tastes) {
    const best = [...bestOf(taste, new Set())].map((title) => genres[title] ?? "");
    const counts = [...Map.groupBy(best, (genre) => genre).values()].map(({ length }) => length).sort((a, b) => b - a);
    own += (counts[0] ?? 0) + (counts[1] ?? 0);
    all += best.length;
  }
  // Two genres of eight would be a quarter of everything if genres said nothing.
  assert.ok(own / all > 0.6 && own / all < 0.95, `two genres hold ${own / all} of what is liked best`);
});

test("what somebody would like best is what they like best of what they have not watched", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 4, maxLength: 80 }),
      fc.array(fc.nat({ max: 79 }), { maxLength: 30 }),
      (values, seen) => {
        const taste = Float64Array.from(values);
        const watched = new Set(seen);
        const best = bestOf(taste, watched);
        const left = [...taste.keys()].filter((title) => !watched.has(title));
        assert.equal(best.size, Math.min(left.length, Math.max(1, Math.floor(taste.length / 4)), 100));
        const worst = Math.min(...[...best].map((title) => taste[title] ?? Infinity));
        for (const title of left) assert.ok(best.has(title) || (taste[title] ?? 0) <= worst);
        for (const title of best) assert.ok(!watched.has(title));
      },
    ),
  );
});

test("a choice is one of what is shown, sooner what is liked and stands ahead", () => {
  assert.equal(choose([], new Float64Array(3), seededRandom(1)), undefined);
  const random = seededRandom(5);
  const taste = Float64Array.from([0, 2, 0, 0]);
  const counts = [0, 0, 0, 0];
  for (let n = 0; n < 4_000; n += 1) {
    const chosen = choose([3, 2, 1, 0], taste, random) ?? -1;
    counts[chosen] = (counts[chosen] ?? 0) + 1;
  }
  const [last = 0, liked = 0, , first = 0] = counts;
  assert.equal(counts.length, 4);
  assert.ok(liked > 3_000, `the liked one was chosen ${liked} times`);
  assert.ok(first > last, `the first one was chosen ${first} times, the last one ${last} times`);
});

test("more is watched of what is liked more", () => {
  fc.assert(
    fc.property(fc.double({ min: -8, max: 8, noNaN: true }), (liking) => {
      const share = shareWatched(liking);
      assert.ok(share > 0 && share < 1 && share < shareWatched(liking + 0.1));
    }),
  );
});

test("lists are as alike as what they share", () => {
  assert.equal(likeness([], []), 0);
  assert.equal(likeness([1, 2], [2, 1]), 1);
  assert.equal(likeness([1, 2, 3], [3, 4, 5]), 1 / 5);
});
