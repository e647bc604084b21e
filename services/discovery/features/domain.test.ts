import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlaybackHeartbeat } from "#contracts/session";
import fc from "fast-check";
import { flatten, freshnessOf, fromText, isVector, knownOf, select, toText } from "./domain.ts";
import { session, sessionValues } from "./domain-session.ts";
import { groups, kindOf } from "./groups.ts";

/** ARCH-001, section 6, "Feature Groups". */
const SPECIFIED = [
  ["user_viewing_history", "user", 25],
  ["user_genre_preferences", "user", 15],
  ["user_device_context", "user", 10],
  ["content_metadata", "content", 30],
  ["content_embeddings", "content", 1],
  ["content_popularity", "content", 8],
  ["channel_performance", "channel", 12],
  ["cdn_performance", "cdn_region", 10],
  ["session_context", "session", 8],
] as const;

const beat = (changes: Partial<PlaybackHeartbeat> = {}): PlaybackHeartbeat => ({
  ...{ userId: "usr", profileId: "prf", sessionId: "ses", contentId: "vod", deviceId: "dev", deviceType: "web" },
  ...{ startedAtMs: 1_000_000, sequence: 1, timeMs: 1_120_000, positionS: 60, durationS: 600, presentedS: 60 },
  ...{ state: "playing", networkId: "a", videoStartTimeMs: 300, rebufferCount: 1, rebufferDurationMs: 12_000 },
  ...{ bitrateKbps: 2_000, averageBitrateKbps: 1_900, bitrateMaxKbps: 4_000, bitrateSwitches: 1, width: 1_280 },
  ...{ height: 720, resolutionDrops: 0, droppedFrames: 0, decodedFrames: 3_000, throughputKbps: 9_000, bufferS: 12 },
  ...{ errorCount: 0, market: "DE", contentType: "vod", liveLatencyMs: -1 },
  ...changes,
});

test("groups, entities and counts are those of the specification", () => {
  assert.deepEqual(
    groups.map(({ name, entity, features }) => [name, entity, features.length]),
    SPECIFIED,
  );
  for (const { name, features, description, ttlMs, sourceEvents } of groups) {
    assert.equal(new Set(features.map((feature) => feature.name)).size, features.length, name);
    assert.ok(description && ttlMs > 0 && sourceEvents.length > 0, name);
    for (const feature of features) assert.ok(/^[a-z0-9_]+$/.test(feature.name) && feature.description, feature.name);
  }
});

test("a group's values have the names that it declares, and the types", () => {
  const made = [
    ...groups.flatMap((group) => {
      const kind = kindOf(group.name);
      return kind ? [{ group, values: kind.valuesOf(kind.empty, 1e12) }] : [];
    }),
    { group: session, values: sessionValues(beat()) },
  ];
  assert.equal(made.length, groups.length);
  for (const { group, values } of made) {
    // Of titles and networks that nobody told of nothing is known, not even a name.
    const names = Object.keys(values);
    if (names.length > 0) assert.deepEqual(names.toSorted(), group.features.map(({ name }) => name).toSorted());
    for (const { name, dtype } of group.features) {
      const value = values[name];
      if (value === undefined) continue;
      const type = dtype === "string" ? "string" : dtype === "vector" ? "object" : "number";
      assert.equal(typeof value, type, `${group.name}:${name}`);
    }
  }
});

test("what is known goes into the cache and comes back", () => {
  const number = fc.oneof(fc.double(), fc.constant(Number.NaN)).filter((one) => one !== Infinity && one !== -Infinity);
  // JSON has no -0.
  const published = fc.record({
    ...{ eventTimeMs: fc.nat(), createdAtMs: fc.nat(), dueAtMs: fc.nat() },
    numbers: fc.array(number.map((one) => (one === 0 ? 0 : one))),
    ...{ words: fc.array(fc.string()), vector: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: 1 })) },
  });
  fc.assert(fc.property(published, (one) => assert.deepEqual(fromText(toText(one)), { ...one })));
  for (const broken of ["", "null", "{}", "[1,2]", "[1,2,3,4]"]) assert.equal(fromText(broken), undefined, broken);
});

test("what is chosen comes in the order of the declaration, row by row", () => {
  const selection = select(groups, [
    "user_device_context:usual_hour",
    "user_viewing_history:last_content_id",
    "user_device_context:devices_28d",
  ]);
  assert.deepEqual(selection.numberFeatures, ["user_device_context:devices_28d", "user_device_context:usual_hour"]);
  assert.deepEqual(selection.wordFeatures, ["user_viewing_history:last_content_id"]);
  const device = groups.find(({ name }) => name === "user_device_context");
  assert.ok(device);
  const known = { ...knownOf(device, { devices_28d: 2, usual_hour: 20, last_device_type: "web" }), eventTimeMs: 5 };
  const rows = [
    [known, undefined],
    [undefined, undefined],
  ];
  const flat = flatten(selection, rows);
  assert.deepEqual(flat.numbers, [2, 20, Number.NaN, Number.NaN]);
  assert.deepEqual(flat.words, ["", ""]);
  assert.deepEqual(flat.eventTimesMs, [5, 0, 0, 0]);
});

test("a vector comes whole, and as zeros where there is none", () => {
  const selection = select(groups, ["content_embeddings:embedding", "content_metadata:kind"]);
  const group = groups.find(({ name }) => name === "content_embeddings");
  const dimensions = group?.features.find(isVector)?.dimensions ?? 0;
  assert.equal(dimensions, 64);
  const vector = Array.from({ length: dimensions }, (_, index) => index);
  const flat = flatten(selection, [
    [{ numbers: [], words: [], vector, eventTimeMs: 1 }, undefined],
    [undefined, undefined],
  ]);
  assert.deepEqual(flat.vectors, [...vector, ...new Array<number>(dimensions).fill(0)]);
});

test("what is not declared, mixed or too much is refused by name", () => {
  const refuse = (features: readonly string[], why: RegExp) => assert.throws(() => select(groups, features), why);
  refuse([], /at least one/);
  refuse(["user_viewing_history:nope"], /'user_viewing_history:nope' is no feature/);
  refuse(["nope"], /'nope' is no feature/);
  refuse(["session_context:length:x"], /is no feature/);
  refuse(["session_context", "content_metadata"], /session and content/);
  refuse(new Array<string>(101).fill("session_context"), /more than 100/);
});

test("a value is fresh until it should have been made anew, and missing when its life is over", () => {
  const at = (nowMs: number, dueAtMs: number) => freshnessOf({ ttlMs: 1_000_000 }, { eventTimeMs: 0, dueAtMs }, nowMs);
  assert.equal(at(900_000, 0), "fresh");
  assert.equal(at(60_000, 1), "fresh");
  assert.equal(at(61_000, 1), "stale");
  assert.equal(at(1_000_001, 0), "missing");
  assert.equal(freshnessOf({ ttlMs: 1 }, undefined, 0), "missing");
});

test("a session is what its last beat says", () => {
  const values = sessionValues(beat());
  assert.deepEqual(values, {
    ...{ position_ratio: 0.1, length: 2, bitrate: 2_000, bitrate_of_best: 0.5, throughput: 9_000, buffer: 12 },
    ...{ rebuffering_ratio: 0.1, device_type: "web" },
  });
  assert.ok(Number.isNaN(sessionValues(beat({ contentType: "live" }))["position_ratio"]));
});
