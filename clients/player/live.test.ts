import assert from "node:assert/strict";
import { test } from "node:test";
import { latencyMsOf, placeOf, windowOf } from "./live.ts";
import type { ShakaPlayer } from "./shaka.ts";

const LOW = { latency: "low", dvrWindowS: 7_200, programme: null } as const;
/** A player whose picture at `atS` shows what the world was at `shownMs`. */
const playerOf = (range: { start: number; end: number }, shownMs: number | null) =>
  ({
    seekRange: () => range,
    getPlayheadTimeAsDate: () => (shownMs === null ? null : new Date(shownMs)),
  }) as ShakaPlayer;

test("a channel's window is what one may go to, and its edge is near", () => {
  const player = playerOf({ start: 100, end: 160 }, null);
  assert.deepEqual(windowOf(player, 158, LOW), { startS: 100, edgeS: 160, isAtEdge: true });
  assert.equal(windowOf(player, 150, LOW)?.isAtEdge, false);
  assert.equal(windowOf(player, 150, { ...LOW, latency: "standard" })?.isAtEdge, true);
  for (const range of [
    { start: 0, end: 0 },
    { start: Number.NaN, end: 1 },
    { start: 0, end: Number.POSITIVE_INFINITY },
  ])
    assert.equal(windowOf(playerOf(range, null), 0, LOW), null);
});

test("latency is told by the channel's own clock, and never as less than none", () => {
  assert.equal(latencyMsOf(playerOf({ start: 0, end: 1 }, null)), null);
  assert.equal(latencyMsOf(playerOf({ start: 0, end: 1 }, Date.now() + 5_000)), 0);
  assert.ok((latencyMsOf(playerOf({ start: 0, end: 1 }, Date.now() - 1_500)) ?? 0) >= 1_500);
});

test("a moment has a place while it is in the window", () => {
  const player = playerOf({ start: 100, end: 160 }, 1_000_000);
  assert.equal(placeOf(player, 1_000_000 - 30_000, 150), 120);
  assert.equal(placeOf(player, 1_000_000 - 60_000, 150), null);
  assert.equal(placeOf(player, 1_000_000 + 10_000, 150), null);
});
