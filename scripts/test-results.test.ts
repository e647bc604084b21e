import assert from "node:assert/strict";
import { test } from "node:test";
import { TestResults } from "./test-results.ts";

const FILE = "media/cat/cat.test.ts";
const counts = (passed: number, failed = 0) => ({
  ...{ tests: passed + failed + 1, suites: 2, passed, cancelled: 0, skipped: 1, todo: 0 },
});
/** Two files, one of which has a test that failed. */
function failedOnce(): TestResults {
  const results = new TestResults();
  results.counted("a.test.ts", counts(3), 1_000);
  results.counted(FILE, counts(4, 1), 2_000);
  results.failed({ file: FILE, at: `${FILE}:7`, name: "refuses" });
  return results;
}
const passing = (file: string, passed: number): TestResults => {
  const results = new TestResults();
  results.counted(file, counts(passed), 500);
  return results;
};

test("totals are those of all files, the slowest of which are told", () => {
  const results = failedOnce();
  assert.equal(results.passes, false);
  assert.deepEqual(results.lines(3_000), [
    ...["", "✖ failed:", `  ${FILE}:7: refuses`],
    ...["", "slowest files:", `  2 s  ${FILE}`, "  1 s  a.test.ts"],
    ...["", "in all:", "ℹ tests 10", "ℹ suites 4", "ℹ pass 7", "ℹ fail 1", "ℹ cancelled 0", "ℹ skipped 2", "ℹ todo 0"],
    "ℹ duration_ms 3000",
  ]);
});

test("a file that ended before it could count is a failure", () => {
  const results = new TestResults();
  results.failed({ file: FILE, at: `${FILE}:1`, name: FILE });
  assert.equal(results.totals.failed, 1);
  assert.equal(results.passes, false);
});

test("nothing at all does not pass, nor does a run that was stopped", () => {
  assert.equal(new TestResults().passes, false);
  const stopped = passing(FILE, 3);
  assert.equal(stopped.passes, true);
  stopped.trouble("stopped by SIGTERM");
  assert.equal(stopped.passes, false);
});

for (const isWhole of [true, false])
  test(`what passes when it is run again, ${isWhole ? "with its file" : "alone"}, is told apart`, () => {
    const results = failedOnce();
    results.replace(FILE, passing(FILE, isWhole ? 5 : 1), isWhole);
    assert.equal(results.passes, true);
    assert.deepEqual(results.totals, { ...counts(8), tests: 10, suites: 4, skipped: 2, failed: 0 });
    assert.match(results.lines(1).join("\n"), /↻ failed, and passed[^\n]*\n {2}media\/cat\/cat\.test\.ts:7: refuses\n/);
  });

test("what fails again has failed, and so has what was not found again", () => {
  const again = new TestResults();
  again.counted(FILE, counts(4, 1), 2_000);
  again.failed({ file: FILE, at: `${FILE}:9`, name: "another" });
  for (const second of [again, new TestResults()]) {
    const results = failedOnce();
    results.replace(FILE, second, false);
    assert.equal(results.passes, false);
    assert.deepEqual(
      results.failures.map(({ name }) => name),
      ["refuses"],
    );
  }
});
