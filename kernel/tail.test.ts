import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventReader } from "./events.ts";
import type { EventLog, LogRecord } from "./ports/log.ts";
import { positionsFrom, readOn } from "./tail.ts";

/** A log of one partition a topic, with so many records in each, that remembers how many it was asked for. */
function openLog(counts: Readonly<Record<string, number>>) {
  const asked: [topic: string, recordsMax: number][] = [];
  const log = {
    offsets: async (topic: string, atMs?: number) => new Map([[0, atMs === undefined ? (counts[topic] ?? 0) : 0]]),
    async read(topic: string, positions: ReadonlyMap<number, number>, recordsMax: number) {
      asked.push([topic, recordsMax]);
      const from = positions.get(0) ?? 0;
      const left = Math.min(recordsMax, (counts[topic] ?? 0) - from);
      return Array.from({ length: left }, (_, i) => ({
        ...{ topic, partition: 0, offset: from + i, key: "", value: new Uint8Array(1), headers: {} },
        timestampMs: from + i,
      }));
    },
  } as unknown as EventLog;
  return { log, asked };
}
const reader = { decode: async () => undefined, attributesOf: () => ({}) } as unknown as EventReader;

test("a busy topic keeps no other from being seen, and has all the room when it is the last one", async () => {
  const { log, asked } = openLog({ busy: 100, quiet: 3, empty: 0 });
  let positions = await positionsFrom(log, ["busy", "quiet", "empty"], { fromMs: 0 });
  const seen: LogRecord[] = [];
  for (let isAtEnd = false; !isAtEnd; ) {
    const stretch = await readOn({ log, reader }, positions, 20);
    seen.push(...stretch.events.map(({ record }) => record));
    ({ next: positions, isAtEnd } = stretch);
  }
  assert.equal(seen.length, 103);
  assert.deepEqual(asked.slice(0, 3), [
    ["busy", 10],
    ["quiet", 10],
    ["busy", 20],
  ]);
  assert.equal(asked.length, 2 + Math.ceil(90 / 20), "no more looks than it takes");
  assert.ok(seen.slice(0, 13).some(({ topic }) => topic === "quiet"));
});
