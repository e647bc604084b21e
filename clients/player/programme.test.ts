import assert from "node:assert/strict";
import { test } from "node:test";
import { followProgramme, type Programme } from "./programme.ts";

const NOW_MS = Date.UTC(2026, 10, 26, 20, 0);
const programme = (title: string, endsInMs: number): Programme => ({
  ...{ title, startsAt: new Date(NOW_MS).toISOString(), endsAt: new Date(NOW_MS + endsInMs).toISOString() },
  canStartOver: true,
});

test("the guide is asked again when a programme ends, now and then, and not any more when nobody watches", async () => {
  const waits: number[] = [];
  const seen: (string | null)[] = [];
  const answers: (Programme | Error)[] = [programme("Second", 600_000), new Error("away"), null];
  let go = () => {};
  const following = followProgramme({
    first: programme("First", 20_000),
    async request() {
      const next = answers.shift() ?? null;
      if (next instanceof Error) throw next;
      return { programme: next };
    },
    onProgramme: (now) => void seen.push(now?.title ?? null),
    nowMs: () => NOW_MS,
    setTimer(run, delayMs) {
      waits.push(delayMs);
      go = run;
      return () => (go = () => {});
    },
  });
  for (let turn = 0; turn < 3; turn++) {
    go();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(waits, [20_000, 60_000, 60_000, 60_000]);
  assert.deepEqual(seen, ["Second", null], "without an answer the present one stays");
  following.stop();
  go();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(waits.length, 4);
});
