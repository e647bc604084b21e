import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#kernel";
import { silentLogger } from "#kernel/telemetry";
import { openBreaks } from "./breaks.ts";
import { SEGMENT_MS } from "./domain.ts";
import type { Station } from "./station.ts";

const FROM = 1_000;
const creative = { contentId: "ad-tea", revision: 1, keys: [], video: [], audio: [] };
const placed = { creativeId: "ad-tea", packageRevision: 1, indexVersion: 1, durationS: 30 };

/** A channel with a break of 30 s, whose newest whole segment is `newest`, and ads that answer one thing after the other. */
function stage(answers: readonly { readonly ads: readonly (typeof placed)[]; readonly isOpen: boolean }[]) {
  const asked: boolean[] = [];
  let newest = FROM - 4;
  const fillBreak = async ({ isLate }: { readonly isLate: boolean }) => {
    asked.push(isLate);
    return answers[asked.length - 1] ?? assert.fail("asked too often");
  };
  const objects = { get: async () => Buffer.from(JSON.stringify(creative)) };
  const platform = { call: { ads: { fillBreak } }, objects, clock: systemClock, logger: silentLogger };
  const breaks = openBreaks(platform as unknown as Parameters<typeof openBreaks>[0]);
  const range = { id: "insert-7", startMs: FROM * SEGMENT_MS, endMs: null, plannedDurationS: 30, outHex: "00" };
  const station = {
    ...{ tenant: "demo", channel: { id: "ch-one" }, splices: { ranges: () => [range] } },
    history: {
      tracks: { values: () => [{ segments: [{ number: newest, isWhole: true }] }].values() },
    },
  } as unknown as Station;
  return {
    asked,
    reach: (number: number) => void (newest = number),
    ads: async () => (await breaks.of(station, "ses_one")).flatMap(({ ads }) => ads.map(({ shownS }) => shownS)),
  };
}

test("a break that could not be decided is decided again while it is ahead, and then stays as it is", async () => {
  const { ads, asked } = stage([
    { ads: [], isOpen: true },
    { ads: [placed], isOpen: false },
  ]);
  assert.deepEqual([await ads(), await ads(), await ads()], [[], [30], [30]]);
  assert.deepEqual(asked, [false, false]);
});

test("a break for which there are no ads is asked for once", async () => {
  const { ads, asked } = stage([{ ads: [], isOpen: false }]);
  assert.deepEqual([await ads(), await ads()], [[], []]);
  assert.equal(asked.length, 1);
});

test("a break that has begun stays the programme, whatever was wrong before", async () => {
  const { ads, asked, reach } = stage([{ ads: [], isOpen: true }]);
  await ads();
  reach(FROM);
  assert.deepEqual(await ads(), []);
  assert.equal(asked.length, 1);
});
