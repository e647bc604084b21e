import assert from "node:assert/strict";
import { test } from "node:test";
import type { Heartbeat, HeartbeatAnswer } from "../../contracts/web/index.ts";
import { createHeartbeats } from "./heartbeats.ts";
import { heartbeatOf, qoeAtStart } from "./qoe.ts";

/** A clock that a test moves, and an API that answers when the test says so. */
function world(intervalS = 10) {
  let nowMs = 0;
  let timers: { atMs: number; run(): void }[] = [];
  const sent: Heartbeat[] = [];
  const answers: HeartbeatAnswer[] = [];
  const failures: number[] = [];
  let reply: (sequence: number) => Promise<HeartbeatAnswer> = async () => ({
    heartbeatIntervalS: intervalS,
    switchTo: null,
    ended: false,
  });
  const heartbeats = createHeartbeats({
    intervalS,
    compose: (sequence) =>
      heartbeatOf(
        qoeAtStart,
        {
          sequence,
          positionS: nowMs / 1_000,
          durationS: 60,
          state: "playing",
          cdnId: "a",
          droppedFrames: 0,
          decodedFrames: 0,
          throughputKbps: 0,
          bufferS: 0,
          liveLatencyMs: null,
        },
        nowMs,
      ),
    send: (beat) => {
      sent.push(beat);
      return reply(beat.sequence);
    },
    onAnswer: (answer) => answers.push(answer),
    onFailure: (_, sinceLastMs) => failures.push(sinceLastMs),
    nowMs: () => nowMs,
    setTimer: (run, delayMs) => {
      const timer = { atMs: nowMs + delayMs, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  });
  return {
    heartbeats,
    sent,
    answers,
    failures,
    answerWith(next: typeof reply) {
      reply = next;
    },
    async advance(ms: number) {
      const untilMs = nowMs + ms;
      for (;;) {
        const due = timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        timers = timers.filter((timer) => timer !== due);
        nowMs = Math.max(nowMs, due.atMs);
        due.run();
        await new Promise((resolve) => setImmediate(resolve));
      }
      nowMs = untilMs;
    },
  };
}

test("beats come at the interval, numbered without a gap", async () => {
  const { sent, advance } = world();
  await advance(31_000);
  assert.deepEqual(
    sent.map(({ sequence, positionS }) => [sequence, positionS]),
    [
      [0, 10],
      [1, 20],
      [2, 30],
    ],
  );
});

test("the platform changes the interval by its answer", async () => {
  const { sent, advance, answerWith } = world();
  answerWith(async () => ({ heartbeatIntervalS: 5, switchTo: null, ended: false }));
  await advance(20_000);
  assert.equal(sent.length, 3);
});

test("an event beats at once; a storm of them beats once a second", async () => {
  const { heartbeats, sent, advance } = world();
  heartbeats.beat();
  await advance(0);
  assert.equal(sent.length, 1);
  for (let index = 0; index < 50; index += 1) heartbeats.beat();
  await advance(999);
  assert.equal(sent.length, 1);
  await advance(1);
  assert.equal(sent.length, 2);
});

test("what happens while a beat is under way is told right after it", async () => {
  const { heartbeats, sent, advance, answerWith } = world();
  let settle: (answer: HeartbeatAnswer) => void = () => undefined;
  answerWith(() => new Promise((resolve) => (settle = resolve)));
  heartbeats.beat();
  await advance(0);
  heartbeats.beat();
  await advance(5_000);
  assert.equal(sent.length, 1);
  settle({ heartbeatIntervalS: 10, switchTo: null, ended: false });
  await new Promise((resolve) => setImmediate(resolve));
  await advance(1_000);
  assert.equal(sent.length, 2);
});

test("a lost beat is told with the time since the last answer, and the next one comes", async () => {
  const { sent, failures, advance, answerWith } = world();
  answerWith(() => Promise.reject(new Error("offline")));
  await advance(20_000);
  assert.deepEqual(failures, [10_000, 20_000]);
  assert.equal(sent.length, 2);
});

test("after the end nothing is sent and nothing is answered", async () => {
  const { heartbeats, sent, answers, advance } = world();
  await advance(10_000);
  heartbeats.stop();
  heartbeats.beat();
  await advance(60_000);
  assert.equal(sent.length, 1);
  assert.equal(answers.length, 1);
  assert.equal(heartbeats.sequence(), 1);
});
