import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { randomNormal, seededRandom } from "./random.ts";
import { drawOptions, successiveHalving } from "./tuning.ts";

interface Options {
  readonly trees: number;
  readonly rate: number;
  readonly loss: string;
}
const FIRST: Options = { trees: 80, rate: 0.1, loss: "logistic" };
const values = fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 6, minLength: 1 });

describe("options", () => {
  it("are drawn from the space, each once, and never what is there already", () => {
    fc.assert(
      fc.property(values, values, fc.integer({ min: 0, max: 40 }), fc.integer(), (trees, rate, count, seed) => {
        const drawn = drawOptions(FIRST, { trees, rate }, count, seededRandom(seed));
        const isFirstInside = trees.includes(FIRST.trees) && rate.includes(FIRST.rate);
        assert.equal(drawn.length, Math.min(count, trees.length * rate.length - (isFirstInside ? 1 : 0)));
        assert.equal(new Set(drawn.map((one) => `${one.trees} ${one.rate}`)).size, drawn.length);
        for (const one of drawn) {
          assert.ok(trees.includes(one.trees) && rate.includes(one.rate) && one.loss === "logistic");
          assert.ok(one.trees !== FIRST.trees || one.rate !== FIRST.rate);
        }
        assert.deepEqual(drawOptions(FIRST, { trees, rate }, count, seededRandom(seed)), drawn, "a seed says all");
      }),
    );
  });

  it("are drawn evenly", () => {
    const random = seededRandom(4);
    const counts = new Map<number, number>();
    for (let round = 0; round < 3_000; round += 1)
      for (const { trees } of drawOptions(FIRST, { trees: [1, 2, 3, 4, 5, 6] }, 2, random))
        counts.set(trees, (counts.get(trees) ?? 0) + 1);
    assert.equal(counts.size, 6);
    for (const count of counts.values()) assert.ok(Math.abs(count - 1_000) < 120, `${count} of 1,000`);
  });
});

/** Learners whose loss falls to a limit of their own with more data. */
const limits = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 20 });
const some = (all: readonly number[]): [number, ...number[]] => [all[0] ?? 0, ...all.slice(1)];

describe("successive halving", () => {
  it("tries all, fewer on more, the first always on all, and costs what it should", () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 2, max: 4 }), fc.integer({ min: 0, max: 3 }), (all, factor, rounds) => {
        const asked: [number, number][] = [];
        const lossesOf = (limit: number, share: number): number[] => {
          asked.push([limit, share]);
          return [limit, limit + 0.1];
        };
        const { tried } = successiveHalving(some(all), lossesOf, { random: seededRandom(1), factor, rounds });
        assert.deepEqual(
          tried.map(({ options }) => options),
          all,
        );
        assert.equal(tried[0]?.share, 1);
        for (let round = rounds, others = all.length - 1; round >= 0; round -= 1) {
          const there = asked.filter(([, share]) => share === factor ** -round);
          assert.equal(there.length, others + 1);
          others = Math.ceil(others / factor);
        }
      }),
    );
  });

  it("finds the best where more data changes no order, and stays where nothing is better", () => {
    fc.assert(
      fc.property(limits, (all) => {
        const { chosen, gain } = successiveHalving(some(all), (limit, share) => [limit - share, limit - share], {
          random: seededRandom(1),
        });
        const best = Math.min(...all);
        assert.equal(chosen, best);
        assert.ok(all[0] === best ? gain.low <= 0 : gain.low > 0);
      }),
    );
  });

  it("keeps what is there where the others are better by chance, and leaves it where they are better beyond doubt", () => {
    const random = seededRandom(11);
    const noisy = (limit: number): number[] => Array.from({ length: 400 }, () => limit + randomNormal(random) / 4);
    let left = 0;
    for (let seed = 0; seed < 40; seed += 1)
      if (successiveHalving([0.5, 0.500001, 0.500002, 0.500003], noisy, { random: seededRandom(seed) }).chosen !== 0.5)
        left += 1;
    assert.ok(left <= 8, `${left} of 40 searches went after noise`);
    assert.equal(successiveHalving([0.5, 0.4, 0.6, 0.45], noisy, { random: seededRandom(1) }).chosen, 0.4);
  });

  it("does not take what cannot be judged", () => {
    const lossesOf = (limit: number): number[] => [limit, limit];
    assert.equal(successiveHalving([0.5, Number.NaN, 0.4], lossesOf, { random: seededRandom(1) }).chosen, 0.4);
    assert.equal(successiveHalving([0.5, Number.NaN], lossesOf, { random: seededRandom(1) }).chosen, 0.5);
  });
});
