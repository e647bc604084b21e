import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  assertCampaign,
  type Campaign,
  type Candidate,
  fill,
  fillWhole,
  nearestEdge,
  orderedBreaks,
  progressOf,
  wants,
} from "./domain.ts";
import { advance, type Heard, type Slot } from "./domain-track.ts";

const CAMPAIGN: Campaign = {
  ...{ id: "c", name: "Coffee", advertiser: "Roaster", priority: 5, paused: false, vastUrl: "" },
  ...{ flights: [{ startMs: 1_000, endMs: 11_000, impressions: 100, pacing: "even" }], caps: [] },
  targeting: { tiers: [], markets: [], devices: [], genres: [], ageRatingMin: 0, hours: [] },
};
const AUDIENCE = {
  tier: "basic",
  market: "DE",
  device: "web",
  genres: ["Drama"],
  ageRating: 12,
  nowMs: Date.UTC(2026, 2, 1, 20),
};

const candidate = fc.record({
  ...{ creativeId: fc.constantFrom("ad-1", "ad-2", "ad-3", "ad-4"), campaignId: fc.constantFrom("c1", "c2", "c3") },
  ...{
    advertiser: fc.constantFrom("a", "b", "c"),
    priority: fc.integer({ min: 1, max: 3 }),
    progress: fc.constant(0.5),
  },
  ...{ allowed: fc.integer({ min: 0, max: 3 }), packageRevision: fc.constant(1), indexVersion: fc.constant(1) },
  ...{ durationS: fc.integer({ min: 5, max: 40 }), beacons: fc.constant([]) },
});
const candidates = fc
  .uniqueArray(candidate, { selector: ({ creativeId }) => creativeId, maxLength: 4 })
  .map((all): Candidate[] =>
    all.map((each) => ({ ...each, allowed: all.find((c) => c.campaignId === each.campaignId)?.allowed ?? 0 })),
  );

test("property: breaks are never overfilled, and nobody is seen twice in one or more often than allowed", () => {
  const breaks = fc.array(fc.record({ atS: fc.nat(100), durationS: fc.integer({ min: 1, max: 60 }) }), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(breaks, candidates, candidates, (wanted, ads, slates) => {
      const filled = fill(wanted, ads, slates);
      const times = (campaignId: string): number =>
        filled.flat().filter((each) => !each.isSlate && each.candidate.campaignId === campaignId).length;
      filled.forEach((placed, i) => {
        const totalS = placed.reduce((sum, each) => sum + each.candidate.durationS, 0);
        assert.ok(totalS <= (wanted[i]?.durationS ?? 0) + 0.05);
        const shown = placed.filter(({ isSlate }) => !isSlate).map((each) => each.candidate);
        assert.equal(new Set(shown.map(({ advertiser }) => advertiser)).size, shown.length);
        if (shown.length === 0) assert.deepEqual(placed, [], "a break without an ad does not happen");
        // Whatever was left out did not fit, was not allowed any more, or is of somebody who is there.
        const freeS = (wanted[i]?.durationS ?? 0) - shown.reduce((sum, { durationS }) => sum + durationS, 0);
        const highest = Math.max(0, ...shown.map(({ priority }) => priority));
        for (const each of ads.filter(({ priority }) => priority > highest))
          assert.ok(
            each.durationS > freeS || times(each.campaignId) >= each.allowed,
            "a higher priority was passed over",
          );
      });
      const counts = Map.groupBy(
        filled.flat().filter(({ isSlate }) => !isSlate),
        (each) => each.candidate.campaignId,
      );
      for (const [id, placed] of counts)
        assert.ok(placed.length <= (ads.find(({ campaignId }) => campaignId === id)?.allowed ?? 0));
    }),
  );
});

test("a break of 30 s takes 10 and 15 s, and a slate for the rest", () => {
  const of = (creativeId: string, advertiser: string, durationS: number): Candidate => ({
    ...{ creativeId, campaignId: creativeId, advertiser, durationS, priority: 1, progress: 0, allowed: 1 },
    ...{ packageRevision: 1, indexVersion: 1, beacons: [] },
  });
  const placed = fill([{ atS: 6, durationS: 30 }], [of("ad-10", "a", 10), of("ad-15", "b", 15)], [of("ad-5", "us", 5)]);
  assert.deepEqual(
    placed[0]?.map(({ candidate: { creativeId }, isSlate }) => [creativeId, isSlate]),
    [
      ["ad-10", false],
      ["ad-15", false],
      ["ad-5", true],
    ],
  );
});

test("property: a break of a channel is filled to its end, or for as long as the programme can follow", () => {
  const some = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 });
  const longer = fc.array(fc.integer({ min: 5, max: 40 }), { maxLength: 6 });
  fc.assert(
    fc.property(some, longer, fc.integer({ min: 1, max: 30 }), (adsS, slatesS, segments) => {
      const durationS = segments * 2;
      const of = (name: string, each: number, index: number): Candidate => ({
        ...{
          creativeId: `${name}-${index}`,
          campaignId: `${name}-${index}`,
          advertiser: `${name}-${index}`,
          priority: 5,
        },
        ...{ progress: 0, allowed: 9, packageRevision: 1, indexVersion: 1, durationS: each, beacons: [] },
      });
      const candidates = adsS.map((each, index) => of("ad", each, index));
      const slates = slatesS.map((each, index) => of("slate", each, index));
      const placed = fillWhole(durationS, candidates, slates);
      const totalS = placed.reduce((sum, { shownS }) => sum + shownS, 0);
      assert.ok(totalS <= durationS + 0.05);
      assert.ok(Math.abs(totalS - Math.round(totalS / 2) * 2) <= 0.05);
      for (const { candidate, isSlate, shownS } of placed) {
        assert.ok(shownS > 0 && shownS <= candidate.durationS);
        if (!isSlate) assert.equal(shownS, candidate.durationS, "an ad is shown whole");
      }
      if (placed.length > 0 && slates.length > 0) assert.ok(Math.abs(totalS - durationS) <= 0.05);
    }),
  );
});

test("impressions of an even flight become due as its time passes; those of another at once", () => {
  for (const [nowMs, shown, expected] of [
    [999, 0, null],
    [1_000, 0, 0],
    [6_000, 49, 0.98],
    [6_000, 50, null],
    [10_999, 99, 0.99],
    [11_000, 0, null],
  ] as const) {
    const progress = progressOf(CAMPAIGN, shown, nowMs);
    assert.equal(progress === null ? null : Math.round(progress * 100) / 100, expected, `${shown} at ${nowMs}`);
  }
  const asap = { ...CAMPAIGN, flights: [{ startMs: 0, endMs: 0, impressions: 10, pacing: "asap" }] };
  assert.deepEqual([progressOf(asap, 9, 1), progressOf(asap, 10, 1)], [0.9, null]);
  assert.equal(progressOf({ ...CAMPAIGN, paused: true }, 0, 6_000), null);
});

test("a campaign is for whom its lists name, and empty lists name everybody", () => {
  const targeted = (targeting: Partial<Campaign["targeting"]>): boolean =>
    wants({ ...CAMPAIGN, targeting: { ...CAMPAIGN.targeting, ...targeting } }, AUDIENCE);
  for (const [targeting, expected] of [
    [{}, true],
    [{ tiers: ["basic"], markets: ["AT", "DE"], devices: ["web"], genres: ["drama"], hours: [20] }, true],
    [{ tiers: ["premium"] }, false],
    [{ markets: ["FR"] }, false],
    [{ devices: ["tizen"] }, false],
    [{ genres: ["Comedy"] }, false],
    [{ ageRatingMin: 16 }, false],
    [{ hours: [3] }, false],
  ] as const)
    assert.equal(targeted(targeting), expected, JSON.stringify(targeting));
});

test("what an operator wrote wrongly is named", () => {
  for (const [change, expected] of [
    [{ id: "a b" }, /id must/],
    [{ priority: 11 }, /priority 11/],
    [{ flights: [{ startMs: 5, endMs: 5, impressions: 0, pacing: "asap" }] }, /end after/],
    [{ flights: [{ startMs: 5, endMs: 0, impressions: 9, pacing: "even" }] }, /need an end/],
    [{ caps: [{ impressions: 0, windowS: 60 }] }, /caps/],
    [{ vastUrl: "ftp://x.example/" }, /vastUrl/],
    [{ targeting: { ...CAMPAIGN.targeting, markets: ["Germany"] } }, /markets/],
  ] as const)
    assert.throws(() => assertCampaign({ ...CAMPAIGN, ...change }), expected, JSON.stringify(change));
  assert.throws(() => orderedBreaks([{ atS: 5, durationS: 0 }]), /0 s is not from 1/);
  assert.throws(() => orderedBreaks([1, 1].map((atS) => ({ atS, durationS: 9 }))), /two breaks at 1/);
  assert.equal(nearestEdge([0, 6, 12, 18], 8.9), 6);
});

const SLOTS: readonly Slot[] = [10, 20].map((startS, slot) => ({
  ...{ breakIndex: 0, slot, startS, durationS: 10, campaignId: "c", creativeId: `ad-${slot}` },
  beacons: [0, 2.5, 5, 7.5, 10].map((atS) => ({ atS, event: "x", uri: `https://t.example/${slot}/${atS}` })),
}));
const FRESH: Heard = { presentedS: 0, timeMs: 0, told: [] };

test("property: an ad that is played through is told of in five events and five beacons, however its player reports", () => {
  const reports = fc.array(fc.double({ min: 0.2, max: 12, noNaN: true }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(reports, (steps) => {
      let heard = FRESH;
      const events: string[] = [];
      const uris: string[] = [];
      for (const stepS of [...steps, ...new Array<number>(8).fill(6)]) {
        const now = { presentedS: heard.presentedS + stepS, timeMs: heard.timeMs + stepS * 1_000 };
        const result = advance(SLOTS, heard, now);
        // The same report again, as a log may bring it, says nothing new.
        assert.deepEqual(advance(SLOTS, result.heard, now).told, []);
        heard = result.heard;
        events.push(...result.told.map(({ slot, event }) => `${slot.slot} ${event}`));
        uris.push(...result.due.map(({ uri }) => uri));
      }
      assert.deepEqual(
        events,
        [0, 1].flatMap((slot) =>
          ["start", "firstQuartile", "midpoint", "thirdQuartile", "complete"].map((event) => `${slot} ${event}`),
        ),
      );
      assert.equal(new Set(uris).size, 10);
      assert.equal(uris.length, 10);
    }),
  );
});

test("who jumps over an ad has not seen it, and who jumps into one has seen no more than that", () => {
  const over = advance(SLOTS, { ...FRESH, presentedS: 5, timeMs: 5_000 }, { presentedS: 100, timeMs: 6_000 });
  assert.deepEqual(over.told, []);
  const into = advance(SLOTS, { ...FRESH, presentedS: 1, timeMs: 1_000 }, { presentedS: 27, timeMs: 2_000 });
  const on = advance(SLOTS, into.heard, { presentedS: 31, timeMs: 6_000 });
  assert.deepEqual([...into.told, ...on.told], []);
});
