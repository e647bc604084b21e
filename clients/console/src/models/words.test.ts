import assert from "node:assert/strict";
import { test } from "node:test";
import type { Model, Version } from "../api.ts";
import {
  answersOf,
  importanceOf,
  metricOf,
  metricsOf,
  promotionOf,
  rollbackOf,
  servingOf,
  trainingText,
  triedOf,
} from "./words.ts";

const version = (number: number, stage: string, more: Partial<Version> = {}): Version => ({
  ...{ name: "churn", version: number, stage, share: 0, trainedAtMs: "1", stageSinceMs: String(number), reason: "" },
  ...{ metrics: {}, segments: [], ...more },
});

test("who answers is said for every way that versions can stand", () => {
  const said = (...versions: Version[]) => answersOf(servingOf(versions));
  assert.equal(said(), "The rule answers everybody.");
  assert.equal(
    said(version(1, "canary", { share: 5 })),
    "Version 1 answers 5 % as a canary, the rule answers the others.",
  );
  assert.equal(said(version(2, "refused"), version(1, "production")), "Version 1 answers everybody.");
  assert.match(
    said(version(2, "canary", { share: 50 }), version(1, "production")),
    /50 % .* version 1 answers the others/,
  );
});

test("what a press will do is said as the product does it", () => {
  assert.match(promotionOf(version(1, "candidate")) ?? "", /5 %/);
  assert.match(promotionOf(version(1, "canary", { share: 5 })) ?? "", /50 %/);
  assert.match(promotionOf(version(1, "canary", { share: 50 })) ?? "", /everybody/);
  for (const stage of ["refused", "production", "retired", "rolled_back"])
    assert.equal(promotionOf(version(1, stage)), undefined, stage);
  assert.equal(rollbackOf([version(1, "refused")]), undefined);
  assert.match(rollbackOf([version(1, "production")]) ?? "", /the rule answers everybody/);
  assert.match(
    rollbackOf([version(3, "production"), version(2, "retired"), version(1, "retired")]) ?? "",
    /version 2,/,
  );
  assert.match(rollbackOf([version(3, "canary"), version(2, "production")]) ?? "", /the canary, .* version 2 answers/);
});

test("a training says what it waits for, or why it failed", () => {
  const model = (state: string, message = ""): Model => ({
    ...{ title: "Churn", name: "churn", state: "here", data: "", metric: "", fallback: "", retrain: "", lack: "" },
    ...{ psiMax: 0.2, training: { state, cause: "drift", askedAtMs: "1", atMs: "2", message } },
  });
  assert.match(trainingText(model("waiting")) ?? "", /waits, after a drift/);
  assert.match(trainingText(model("waiting", "it was cut off")) ?? "", /tried again: it was cut off/);
  assert.match(trainingText(model("failed", "too few")) ?? "", /failed: too few/);
  assert.equal(trainingText(model("done")), undefined);
});

test("what a version learned from is listed by its share", () => {
  const metrics = { auc: 0.8, "importance.days": 0.2, "importance.views": 0.8 };
  assert.deepEqual(importanceOf(version(1, "production", { metrics })), [
    ["views", 0.8],
    ["days", 0.2],
  ]);
});

test("an order is shown by its lists first, and what it was compared with beside it", () => {
  const order = version(1, "canary", { metrics: { auc: 0.7, logLoss: 0.5, ndcg: 0.6, incumbentNdcg: 0.4 } });
  assert.deepEqual(metricsOf([order]), ["ndcg", "auc", "logLoss"]);
  assert.deepEqual(metricsOf([version(2, "refused", { metrics: { auc: 0.7, logLoss: 0.5 } })]), ["auc", "logLoss"]);
  assert.deepEqual(metricOf(order, "ndcg"), { value: 0.6, beside: 0.4 });
  assert.ok(Number.isNaN(metricOf(order, "auc").beside));
});

test("what was tried is told by how it differs from the model's own options, the best on the most rows first", () => {
  const trial = (trees: number, share: number, loss: number, chosen = false) => ({
    ...{ options: { trees, leavesMax: 15 }, share, loss, chosen },
  });
  const lineage = {
    ...{ fromMs: "0", toMs: "1", trainingRows: 9, testRows: 3, features: [], sha256: "", cause: "schedule" },
    ...{ options: {}, trials: [trial(50, 1, 0.31), trial(10, 0.3, 0.2), trial(80, 1, 0.3, true)] },
  };
  assert.deepEqual(triedOf(version(1, "canary", { lineage })), [
    { options: "trees 80", share: 1, loss: 0.3, isChosen: true },
    { options: "", share: 1, loss: 0.31, isChosen: false },
    { options: "trees 10", share: 0.3, loss: 0.2, isChosen: false },
  ]);
  assert.deepEqual(triedOf(version(1, "canary")), []);
});
