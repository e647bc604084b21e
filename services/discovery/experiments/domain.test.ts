import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Arm } from "#learning/sequential";
import { DAY_MS, harmOf, type Metric, ratioOf, type Sums, testAll, verdictOf } from "./domain.ts";

const PLAN = { metric: "viewed" as const, scale: 0.02, startedAtMs: 0 };
/** Of people of whom a share did something once, and the others nothing. */
const shareOf = (count: number, share: number): Arm => ({ count, sum: count * share, sumOfSquares: count * share });
const sums = (metric: Metric, control: number, treatment: number, count = 20_000): [Metric, Sums] => [
  metric,
  { control: shareOf(count, control), treatment: shareOf(count, treatment) },
];
const NEVER = new Map<string, number>();

describe("an experiment", () => {
  const better = testAll(
    PLAN,
    new Map([sums("viewed", 0.3, 0.33), sums("errors", 0.01, 0.01), sums("sessions", 0.5, 0.5)]),
    NEVER,
  );

  it("is judged by its metric, after a week, where the arms have the people that were meant", () => {
    assert.deepEqual(
      better.map(({ metric, role }) => [metric, role]),
      [
        ["viewed", "primary"],
        ["sessions", "guardrail"],
        ["errors", "guardrail"],
      ],
    );
    assert.equal(verdictOf(PLAN, better, 0.5, 7 * DAY_MS - 1), "too_early");
    assert.equal(verdictOf(PLAN, better, 0.5, 7 * DAY_MS), "better");
    assert.equal(verdictOf(PLAN, better, 0.0005, 7 * DAY_MS), "sample_ratio_mismatch");
    const same = testAll(PLAN, new Map([sums("viewed", 0.3, 0.301)]), NEVER);
    assert.equal(verdictOf(PLAN, same, 0.5, 7 * DAY_MS), "no_difference_yet");
    const worse = testAll(PLAN, new Map([sums("viewed", 0.33, 0.3)]), NEVER);
    assert.equal(verdictOf(PLAN, worse, 0.5, 7 * DAY_MS), "worse");
    assert.equal(verdictOf(PLAN, [], 0.5, 7 * DAY_MS), "no_difference_yet", "nobody's window is over");
  });

  it("has fewer errors where it is better, if errors are what it is about", () => {
    const plan = { ...PLAN, metric: "errors" as const, scale: 0.01 };
    const fewer = testAll(plan, new Map([sums("errors", 0.05, 0.03)]), NEVER);
    assert.equal(verdictOf(plan, fewer, 0.5, 7 * DAY_MS), "better");
    assert.equal(harmOf(fewer), undefined);
  });

  it("stops where people watch less often or meet more errors, and for nothing else", () => {
    assert.equal(harmOf(better), undefined);
    const errors = testAll(PLAN, new Map([sums("errors", 0.01, 0.05)]), NEVER);
    assert.match(
      harmOf(errors) ?? "",
      /^guardrail errors: treatment differs by 0\.0400 \(0\.0\d+ to 0\.0\d+, p \d\.\de-\d+\)$/,
    );
    assert.match(harmOf(testAll(PLAN, new Map([sums("sessions", 0.5, 0.4)]), NEVER)) ?? "", /^guardrail sessions/);
    assert.equal(harmOf(testAll(PLAN, new Map([sums("sessions", 0.4, 0.5)]), NEVER)), undefined, "more is no harm");
    assert.equal(
      harmOf(testAll(PLAN, new Map([sums("errors", 0.01, 0.9, 20)]), NEVER)),
      undefined,
      "twenty say nothing",
    );
  });

  it("keeps what was found once, and knows an arm that people are kept out of", () => {
    const [again] = testAll(PLAN, new Map([sums("viewed", 0.3, 0.3)]), new Map([["viewed", 0.01]]));
    assert.equal(again?.pValue, 0.01);
    assert.ok(ratioOf([5_000, 5_100]) > 0.001);
    assert.ok(ratioOf([5_000, 5_500]) < 0.001);
  });
});
