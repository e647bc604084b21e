import assert from "node:assert/strict";
import { test } from "node:test";
import { readSurvey } from "./survey.ts";

test("what the filters found is read between the reports of progress", () => {
  const lines = [
    "frame:250  pts:250  pts_time:10\nlavfi.scd.time=10",
    "frame=12\nfps=25.00\nout_time_us=480000\nprogress=continue",
    "frame:260 pts:260 pts_time:10.4\nlavfi.black_start=10.4",
    "lavfi.silence_start=-0.02",
    "lavfi.silence_end=1.5",
    "lavfi.black_end=11.2\nlavfi.scd.time=10\nlavfi.scd.time=44.04",
    "lavfi.silence_start=29",
    "lavfi.scd.mafd=3.1",
  ].join("\n");
  assert.deepEqual(readSurvey(lines, 30), {
    cutsS: [10],
    blacks: [{ startS: 10.4, endS: 11.2 }],
    silences: [
      { startS: 0, endS: 1.5 },
      { startS: 29, endS: 30 },
    ],
  });
  assert.deepEqual(readSurvey("", 30), { cutsS: [], blacks: [], silences: [] });
});
