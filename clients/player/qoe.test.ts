import assert from "node:assert/strict";
import { test } from "node:test";
import { Heartbeat } from "../../contracts/web/index.ts";
import {
  averageBitrateKbps,
  type BeatFacts,
  heartbeatOf,
  type QoeEvent,
  qoeAtStart,
  rebufferDurationMs,
  reduceQoe,
} from "./qoe.ts";

const after = (...events: QoeEvent[]) => events.reduce(reduceQoe, qoeAtStart);
const started: QoeEvent[] = [
  { type: "requested", atMs: 1_000 },
  { type: "firstFrame", atMs: 1_420 },
];
const rendition = (atMs: number, bitrateKbps: number, height: number): QoeEvent => ({
  type: "rendition",
  atMs,
  bitrateKbps,
  height,
  width: Math.round((height * 16) / 9),
});
const facts: BeatFacts = {
  sequence: 3,
  positionS: 12.5,
  durationS: 60,
  state: "playing",
  cdnId: "edge-a",
  droppedFrames: 1,
  decodedFrames: 300,
  throughputKbps: 9_000,
  bufferS: 20,
  liveLatencyMs: null,
};

test("start-up is from the press to the first picture, and is measured once", () => {
  assert.equal(after(...started).videoStartTimeMs, 420);
  assert.equal(after(...started, { type: "firstFrame", atMs: 9_000 }).videoStartTimeMs, 420);
});

test("waiting before the first picture and after a seek is no rebuffer", () => {
  assert.equal(after({ type: "requested", atMs: 0 }, { type: "waiting", atMs: 10 }).rebufferCount, 0);
  const sought = after(...started, { type: "seeking", atMs: 2_000 }, { type: "waiting", atMs: 2_010 });
  assert.equal(sought.rebufferCount, 0);
  assert.equal(reduceQoe(sought, { type: "resumed", atMs: 3_000 }).rebufferDurationMs, 0);
});

test("a rebuffer counts once and lasts until the picture moves again", () => {
  const waiting = after(...started, { type: "waiting", atMs: 5_000 }, { type: "waiting", atMs: 5_400 });
  assert.equal(waiting.rebufferCount, 1);
  assert.equal(rebufferDurationMs(waiting, 6_000), 1_000);
  const moving = reduceQoe(waiting, { type: "resumed", atMs: 6_500 });
  assert.equal(rebufferDurationMs(moving, 60_000), 1_500);
});

test("the average bitrate weighs each one by its time on screen; pauses weigh nothing", () => {
  const played = after(
    ...started,
    rendition(2_000, 1_000, 360),
    { type: "playing", atMs: 2_000 },
    rendition(3_000, 4_000, 1_080),
    { type: "stopped", atMs: 6_000 },
  );
  assert.equal(averageBitrateKbps(played, 600_000), 3_250);
  assert.equal(played.bitrateSwitches, 1);
  assert.equal(played.bitrateMaxKbps, 4_000);
  assert.equal(played.resolutionDrops, 0);
});

test("only a fall in resolution is a drop, and the same rendition again is no switch", () => {
  const state = after(...started, rendition(1, 4_000, 1_080), rendition(2, 4_000, 1_080), rendition(3, 800, 360));
  assert.equal(state.bitrateSwitches, 1);
  assert.equal(state.resolutionDrops, 1);
});

test("errors are bounded in number and in length", () => {
  const events = Array.from(
    { length: 14 },
    (_, index): QoeEvent => ({
      type: "error",
      atMs: index,
      code: String(1_000 + index),
      message: "x".repeat(900),
    }),
  );
  const { errors } = after(...events);
  assert.equal(errors.length, 10);
  assert.equal(errors.at(-1)?.code, "1013");
  assert.equal(errors[0]?.message.length, 300);
});

test("a new request starts from nothing", () => {
  const again = reduceQoe(after(...started, { type: "waiting", atMs: 2_000 }), { type: "requested", atMs: 9_000 });
  assert.deepEqual(again, { ...qoeAtStart, requestedAtMs: 9_000 });
});

test("every heartbeat keeps the contract, also with readings that make no sense", () => {
  const state = after(...started, rendition(2_000, 1_000, 360));
  assert.deepEqual(Heartbeat.parse(heartbeatOf(state, facts, 5_000)), heartbeatOf(state, facts, 5_000));
  const strange = {
    ...facts,
    positionS: Number.NaN,
    durationS: Number.POSITIVE_INFINITY,
    throughputKbps: -1,
    decodedFrames: 1e12,
    bufferS: -0.2,
    cdnId: "x".repeat(40),
  };
  const beat = Heartbeat.parse(heartbeatOf(state, strange, Number.NaN));
  assert.equal(beat.positionS, 0);
  assert.equal(beat.decodedFrames, 1_000_000_000);
});
