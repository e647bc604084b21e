import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FIRST_SHARE, isInCanary, nextStep, refusal, type Seen } from "./domain.ts";
import { type Account, CHURN_FEATURES, churnByRule, type Day, featuresAt, snapshotsOf } from "./domain-churn.ts";
import type { Judgement } from "./domain-recipe.ts";

const HOUR_MS = 3_600_000;
const GOOD: Seen = { predictions: 1_000, failures: 0, people: 800, drift: { psi: 0.01, kl: 0.01 } };
const CANARY = { sinceMs: 0, psiMax: 0.25 };
const judged = (auc: number, segment = auc, logLoss = 0.5): Judgement => ({
  ...{ auc, logLoss },
  segments: [{ segment: "tier=basic", rows: 500, auc: segment }],
});
const against = (judgement: Judgement) => ({ ...judgement, name: "version 1" });

describe("the gate", () => {
  it("lets pass what is better everywhere, and names what is not", () => {
    assert.equal(refusal(judged(0.8, 0.8, 0.4), against(judged(0.75))), undefined);
    assert.match(
      refusal(judged(0.75, 0.75, 0.4), against(judged(0.75))) ?? "",
      /AUC 0.7500 is not above 0.7500 of version 1/,
    );
    assert.match(refusal(judged(0.8, 0.8, 0.6), against(judged(0.75))) ?? "", /log loss 0.6000 is not below 0.5000/);
    assert.match(
      refusal(judged(0.8, 0.6, 0.4), against(judged(0.75))) ?? "",
      /tier=basic has AUC 0.6000, all have 0.8000/,
    );
    assert.match(refusal(judged(0.8, 0.7, 0.4), against(judged(0.75, 0.76))) ?? "", /with version 1 it has 0.7600/);
    assert.match(
      refusal(judged(Number.NaN), against(judged(0.5))) ?? "",
      /not above/,
      "what cannot be judged does not pass",
    );
  });
});

describe("a canary", () => {
  it("gets half after an hour and all after four more, if it was asked often enough", () => {
    assert.deepEqual(nextStep({ ...CANARY, share: FIRST_SHARE }, GOOD, HOUR_MS - 1), { kind: "hold" });
    assert.equal(nextStep({ ...CANARY, share: FIRST_SHARE }, { ...GOOD, predictions: 10 }, 9 * HOUR_MS).kind, "hold");
    const half = nextStep({ ...CANARY, share: FIRST_SHARE }, GOOD, HOUR_MS);
    assert.deepEqual([half.kind, half.kind === "widen" && half.share], ["widen", 50]);
    assert.equal(nextStep({ ...CANARY, share: 50 }, GOOD, 4 * HOUR_MS - 1).kind, "hold");
    assert.equal(nextStep({ ...CANARY, share: 50 }, GOOD, 4 * HOUR_MS).kind, "promote");
  });

  it("is taken back at once when it fails or drifts", () => {
    assert.equal(nextStep({ ...CANARY, share: 5 }, { ...GOOD, predictions: 100, failures: 2 }, 1).kind, "rollback");
    assert.equal(nextStep({ ...CANARY, share: 50 }, { ...GOOD, drift: { psi: 0.26, kl: 0.1 } }, 1).kind, "rollback");
    assert.equal(
      nextStep({ ...CANARY, share: 5 }, { ...GOOD, predictions: 10, failures: 10 }, 1).kind,
      "hold",
      "ten say nothing",
    );
    const few = { ...GOOD, people: 20, drift: { psi: 0.9, kl: 0.5 } };
    assert.equal(
      nextStep({ ...CANARY, share: 5 }, few, HOUR_MS).kind,
      "widen",
      "nor do twenty people, however often they are asked about",
    );
  });

  it("answers for its share, and for the same people while that grows", () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => `usr_${index}`);
    const share = (of: number) => ids.filter((id) => isInCanary("churn", id, of)).length / ids.length;
    assert.deepEqual([share(0), share(100)], [0, 1]);
    assert.ok(Math.abs(share(5) - 0.05) < 0.01 && Math.abs(share(50) - 0.5) < 0.02);
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (id, a, b) => {
        if (isInCanary("churn", id, Math.min(a, b))) assert.ok(isInCanary("churn", id, Math.max(a, b)));
      }),
    );
  });
});

describe("churn", () => {
  const days = fc
    .uniqueArray(fc.record({ day: fc.integer({ min: 0, max: 300 }), sessions: fc.integer({ min: 0, max: 4 }) }), {
      selector: ({ day }) => day,
      maxLength: 60,
    })
    .map((all) =>
      all
        .toSorted((a, b) => a.day - b.day)
        .map(
          (one): Day => ({
            ...one,
            watchedS: one.sessions * 600,
            errors: 0,
            scores: one.sessions,
            scoreSum: one.sessions * 80,
          }),
        ),
    );
  const accounts = days.map((own): Account => ({ userId: "usr_1", sinceDay: 0, tier: "basic", region: "", days: own }));

  it("is told by what was known before a day, and by nothing after", () => {
    fc.assert(
      fc.property(accounts, fc.integer({ min: 1, max: 300 }), (account, day) => {
        const known = { ...account, days: account.days.filter((on) => on.day < day) };
        assert.deepEqual(featuresAt(account, day), featuresAt(known, day));
        assert.equal(featuresAt(account, day).length, CHURN_FEATURES.length);
      }),
    );
  });

  it("has a label for each row of who was active: whether they came back in four weeks", () => {
    fc.assert(
      fc.property(accounts, (account) => {
        const { table, labels, segments, isTest } = snapshotsOf([account], 300);
        assert.equal(table.values.length, labels.length * CHURN_FEATURES.length);
        assert.deepEqual([segments.length, isTest.length], [labels.length, labels.length]);
        assert.ok(new Set(isTest).size <= 1, "all rows of an account are on one side");
      }),
    );
    const on = (day: number): Day => ({ day, sessions: 1, watchedS: 60, errors: 0, scores: 0, scoreSum: 0 });
    const gone = snapshotsOf([{ userId: "u", sinceDay: 0, tier: "", region: "", days: [on(270)] }], 300);
    assert.deepEqual([...gone.labels], [1]);
    const back = snapshotsOf([{ userId: "u", sinceDay: 0, tier: "", region: "", days: [on(250), on(280)] }], 300);
    assert.deepEqual(
      [...back.labels],
      [0, 0, 0, 1],
      "of the days 272, 265, 258 and 251 the four weeks of the last one end before day 280",
    );
  });

  it("is a threshold of engagement where no model answers", () => {
    const features = (since: number, sessions: number) => {
      const all = CHURN_FEATURES.map(() => 0);
      all[CHURN_FEATURES.indexOf("days_since_view")] = since;
      all[CHURN_FEATURES.indexOf("sessions_28d")] = sessions;
      return all;
    };
    const risks = [features(1, 9), features(5, 1), features(12, 3), features(25, 0), features(Number.NaN, 0)].map(
      churnByRule,
    );
    assert.deepEqual(risks, [0.1, 0.4, 0.6, 0.9, 0.9]);
  });
});
