import assert from "node:assert/strict";
import { test } from "node:test";
import type { FeatureGroup, Published } from "./domain.ts";
import { amount, word } from "./domain.ts";
import type { Past } from "./offline.ts";
import { compare } from "./status.ts";

const group: FeatureGroup = {
  ...{ name: "g", entity: "user", description: "d", ttlMs: 1, cadenceMs: 0, sourceEvents: ["e"] },
  features: [amount("a", "", "A"), amount("b", "", "B"), word("c", "C")],
};
const served = (key: string, a: number, eventTimeMs = 10): { key: string; served: Published } => ({
  key,
  served: {
    ...{ numbers: [a, Number.NaN], words: ["w"], vector: [] },
    ...{ eventTimeMs, createdAtMs: 11, dueAtMs: 0 },
  },
});
const kept = (key: string, a: number, changes: Partial<Past> = {}): Past => ({
  ...{ key, group: "g", numbers: [a, Number.NaN], words: ["w"], vector: [], eventTimeMs: 10, createdAtMs: 11 },
  ...changes,
});

test("what is the same is the same, what is not there yet is not compared, and what differs is counted", () => {
  const all = [served("same", 1), served("other", 2), served("later", 3, 20), { key: "none", served: undefined }];
  const past = [kept("same", 1), kept("other", 2.5), kept("later", 9)];
  const { sampled, compared, skewed, psi } = compare(group, all, past);
  assert.deepEqual([sampled, compared, skewed], [4, 2, 1]);
  assert.ok(Number.isNaN(psi), "two say nothing about a distribution");
});

test("of two values of one time, the one that was made later counts", () => {
  const past = [kept("x", 2, { createdAtMs: 12 }), kept("x", 1)];
  assert.equal(compare(group, [served("x", 2)], past).skewed, 0);
  assert.equal(compare(group, [served("x", 1)], past).skewed, 1);
});

test("the worst distribution is named", () => {
  const keys = Array.from({ length: 200 }, (_, n) => `k${n}`);
  const same = compare(
    group,
    keys.map((key, n) => served(key, n)),
    keys.map((key, n) => kept(key, n)),
  );
  assert.deepEqual([same.skewed, same.psi, same.psiFeature], [0, 0, "a"]);
  const moved = compare(
    group,
    keys.map((key, n) => served(key, n + 100)),
    keys.map((key, n) => kept(key, n)),
  );
  assert.ok(moved.psi > 0.25 && moved.skewed === 200, String(moved.psi));
});
