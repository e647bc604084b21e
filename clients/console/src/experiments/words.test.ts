import assert from "node:assert/strict";
import { test } from "node:test";
import type { Experiment, MetricResult } from "../api.ts";
import { EMPTY_FORM, guardrailText, problemsOf, toRequest } from "./words.ts";

const running = (name: string, surface: string, state = "running"): Experiment => ({
  ...{ name, surface, state, allocation: 100, metric: "viewed", scale: 0.1, windowS: 60, reason: "" },
  ...{ startedAtMs: "1", earliestAtMs: "2", stoppedAtMs: "0" },
});
const GOOD = { ...EMPTY_FORM, name: "new-rails", surface: "home", scale: "0.02" };

test("a form says what is wrong, field by field, as the service would", () => {
  assert.deepEqual(problemsOf(GOOD, []), {});
  assert.deepEqual(Object.keys(problemsOf(EMPTY_FORM, [])), ["name", "surface", "scale"]);
  const wrong: readonly [Partial<typeof GOOD>, string][] = [
    [{ name: "New rails" }, "name"],
    [{ surface: "1home" }, "surface"],
    [{ percent: "4" }, "percent"],
    [{ percent: "51" }, "percent"],
    [{ percent: "10.5" }, "percent"],
    [{ scale: "0" }, "scale"],
    [{ scale: "much" }, "scale"],
    [{ hours: "0" }, "hours"],
    [{ hours: "337" }, "hours"],
    [{ hours: "" }, "hours"],
  ];
  for (const [change, field] of wrong) assert.deepEqual(Object.keys(problemsOf({ ...GOOD, ...change }, [])), [field]);
});

test("a name is used once, and three run on a surface", () => {
  assert.match(problemsOf(GOOD, [running("new-rails", "search", "stopped")]).name ?? "", /used before/);
  const three = ["a", "b", "c"].map((name) => running(name, "home"));
  assert.match(problemsOf(GOOD, three).surface ?? "", /3 experiments run there/);
  assert.deepEqual(problemsOf(GOOD, [...three.slice(1), running("d", "home", "stopped")]), {});
});

test("what is sent is in the service's units", () => {
  assert.deepEqual(toRequest({ ...GOOD, percent: "10", scale: "0,5", hours: "1.5" }), {
    ...{ name: "new-rails", surface: "home", metric: "viewed", treatmentPercent: 10, scale: 0.5, windowS: 5_400 },
  });
});

test("a guardrail is worse only where its whole interval is, each in its own direction", () => {
  const of = (metric: string, low: number, high: number, known = true): MetricResult => ({
    ...{ metric, role: "guardrail", controlMean: 0, treatmentMean: 0, effect: 0, low, high, pValue: 1, known },
  });
  const texts = [
    of("errors", 0.1, 0.2),
    of("errors", -0.2, -0.1),
    of("sessions", -0.2, -0.1),
    of("sessions", 0.1, 0.2),
  ];
  assert.deepEqual(
    texts.map((one) => guardrailText(one).text),
    ["Worse", "Better", "Worse", "Better"],
  );
  assert.equal(guardrailText(of("errors", -0.1, 0.1)).text, "Holds");
  assert.equal(guardrailText(of("errors", 1, 2, false)).text, "Too few people");
});
