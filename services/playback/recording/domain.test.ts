import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Airing,
  checkKeep,
  checkPadding,
  checkTime,
  decide,
  firstNumber,
  gapsBefore,
  keyOf,
  lastNumber,
  lengthS,
  PADDING_DEFAULT,
  quotaS,
  SEGMENT_MS,
  spanOf,
  surplus,
  unionOf,
  wanted,
  withGap,
} from "./domain.ts";

const HOUR_MS = 3_600_000;
const timed = fc
  .record({
    startMs: fc.integer({ min: 0, max: 1_000 }).map((at) => 1_700_000_000_000 + at * 1_000),
    lengthS: fc.integer({ min: 1, max: 7_200 }),
    beforeS: fc.nat(900),
    afterS: fc.nat(900),
  })
  .map(({ startMs, lengthS: seconds, beforeS, afterS }) => ({
    ...{ startMs, stopMs: startMs + seconds * 1_000, padding: { beforeS, afterS } },
  }));

test("property: a copy holds the padding of all who share it, in whole segments, and no more than that", () => {
  fc.assert(
    fc.property(fc.array(timed, { minLength: 1, maxLength: 6 }), (all) => {
      const span = unionOf(all);
      const [fromMs, toMs] = [firstNumber(span) * SEGMENT_MS, (lastNumber(span) + 1) * SEGMENT_MS];
      for (const one of all) {
        assert.ok(fromMs <= one.startMs - one.padding.beforeS * 1_000);
        assert.ok(toMs >= one.stopMs + one.padding.afterS * 1_000);
      }
      assert.ok(all.some((one) => spanOf(one).fromMs - fromMs < SEGMENT_MS));
      assert.ok(all.some((one) => toMs - spanOf(one).toMs < SEGMENT_MS));
    }),
  );
});

test("property: two back to back overlap by exactly the padding of both", () => {
  fc.assert(
    fc.property(timed, timed, (a, b) => {
      const next = { ...b, startMs: a.stopMs, stopMs: a.stopMs + (b.stopMs - b.startMs) };
      const overlapMs = spanOf(a).toMs - spanOf(next).fromMs;
      assert.equal(overlapMs, (a.padding.afterS + b.padding.beforeS) * 1_000);
    }),
  );
});

test("property: gaps are what is missing between the segments that came, neighbours as one", () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 });
  fc.assert(
    fc.property(numbers, (came) => {
      const sorted = came.toSorted((a, b) => a - b);
      let last = 0;
      let gaps: ReturnType<typeof withGap> = [];
      for (const number of [...sorted, 61]) {
        gaps = withGap(gaps, last, number);
        last = number;
      }
      const missing = Array.from({ length: 60 }, (_, index) => index + 1).filter((number) => !came.includes(number));
      const covered = gaps.flatMap(({ startMs, durationMs }) =>
        Array.from({ length: durationMs / SEGMENT_MS }, (_, index) => startMs / SEGMENT_MS + index),
      );
      assert.deepEqual(covered, missing);
      for (const [index, gap] of gaps.entries()) {
        const before = gaps[index - 1];
        if (before) assert.ok(before.startMs + before.durationMs < gap.startMs);
      }
      const span = { fromMs: SEGMENT_MS, toMs: 61 * SEGMENT_MS };
      const marked = sorted.flatMap((number, at) => (at > 0 && number > (sorted[at - 1] ?? 0) + 1 ? [at] : []));
      assert.deepEqual(gapsBefore(span, gaps, sorted.length), marked);
    }),
  );
  assert.deepEqual(withGap([{ startMs: 2_000, durationMs: 2_000 }], 1, 4), [{ startMs: 2_000, durationMs: 6_000 }]);
});

const airing = fc
  .record({
    slot: fc.nat(40),
    episode: fc.option(fc.nat(5), { nil: undefined }),
    channelId: fc.constantFrom("ch-a", "ch-b"),
    flag: fc.constantFrom("new", "repeat", "none"),
    noRecord: fc.boolean(),
  })
  .map(({ slot, episode, channelId, flag, noRecord }): Airing => {
    const startMs = 1_700_000_000_000 + slot * HOUR_MS;
    return {
      ...{ id: `${channelId}-${slot}`, channelId, startMs, stopMs: startMs + HOUR_MS, noRecord },
      ...{
        episodeKey: episode === undefined ? "" : `s1e${episode}`,
        isNew: flag === "new",
        isRepeat: flag === "repeat",
      },
    };
  });
const airings = fc.uniqueArray(airing, { selector: ({ id }) => id, maxLength: 30 });

test("property: a series rule takes each episode once, nothing that may not be recorded, and misses none that it could have", () => {
  const rule = fc.record({ channelId: fc.constantFrom("", "ch-a"), newOnly: fc.boolean() });
  fc.assert(
    fc.property(rule, airings, fc.nat(40), (own, all, hour) => {
      const nowMs = 1_700_000_000_000 + hour * HOUR_MS;
      const found = wanted(own, all, new Set(), nowMs);
      assert.equal(new Set(found.map(keyOf)).size, found.length);
      const fits = (one: Airing): boolean =>
        one.stopMs > nowMs &&
        !one.noRecord &&
        (own.channelId === "" || one.channelId === own.channelId) &&
        !(own.newOnly && one.isRepeat);
      assert.ok(found.every(fits));
      for (const one of all.filter(fits)) {
        const taken = found.find((other) => keyOf(other) === keyOf(one));
        assert.ok(taken && taken.startMs <= one.startMs, "the first airing of each is the one");
      }
      // What was dealt with is not taken again, whatever is aired.
      assert.deepEqual(wanted(own, all, new Set(found.map(keyOf)), nowMs), []);
    }),
  );
});

test("property: of a series as many are kept as were asked for, the newest", () => {
  const completed = fc.uniqueArray(fc.nat(1_000), { maxLength: 20 }).map((all) => all.map((startMs) => ({ startMs })));
  fc.assert(
    fc.property(completed, fc.nat(10), (all, keep) => {
      const gone = surplus(keep, all);
      const kept = all.filter((one) => !gone.includes(one));
      if (keep === 0) assert.equal(gone.length, 0);
      else assert.equal(kept.length, Math.min(all.length, keep));
      for (const old of gone) for (const one of kept) assert.ok(old.startMs < one.startMs);
    }),
  );
});

test("what cannot be recorded is refused, with the remedy", () => {
  assert.deepEqual(checkPadding(undefined), PADDING_DEFAULT);
  assert.throws(() => checkPadding({ beforeS: 0, afterS: 7_201 }), /7201 s is longer than 7200 s/);
  assert.throws(() => checkKeep(101), /at most|more than can be kept/);
  assert.throws(() => checkTime(10, 10, 0), /has no length/);
  assert.throws(() => checkTime(0, 13 * HOUR_MS, 0), /no longer than 12 hours/);
  assert.throws(() => checkTime(0, HOUR_MS, HOUR_MS), /over already/);
  assert.deepEqual([quotaS("basic"), quotaS("premium"), quotaS("unheard-of")], [72_000, 720_000, 72_000]);
  assert.equal(lengthS({ startMs: 0, stopMs: 1_500 }), 2);
});

const KINDS: Readonly<Record<string, string>> = { hd: "video", sd: "video", en: "audio" };
const how = (isOver: boolean) => ({ kindOf: (track: string) => KINDS[track] ?? "", isOver });
const offer = (...segments: readonly (readonly string[])[]) =>
  segments.map((tracks, index) => ({ number: index + 1, tracks }));

test("encoders that come back one by one leave a gap, and one that stays away is done without", () => {
  const all = ["hd", "sd", "en"];
  const told = (known: readonly string[] | null, segments: readonly (readonly string[])[], isOver = false) =>
    decide(known, offer(...segments), how(isOver)).decided.map(({ tracks }) => tracks.join(" "));
  // A channel that wakes: the sound is there first.
  assert.deepEqual(told(null, [["en"], ["sd", "en"], all, all, all, all]), ["", ""], "the rest waits for more");
  assert.deepEqual(told(null, [["en"], ["sd", "en"], all, all], true), ["", "", "hd sd en", "hd sd en"]);
  // A channel that was away for longer than is looked ahead: what it did not make is passed over.
  const nothing = Array.from({ length: 15 }, () => []);
  assert.equal(told(null, nothing).length, 11);
  assert.equal(told(all, nothing).length, 11);
  assert.deepEqual(told(null, [...nothing, all, all, all, all, all]).filter((tracks) => tracks !== "").length, 5);
  // A restart in the middle.
  assert.deepEqual(told(all, [all, ["en"], all]), ["hd sd en"], "nobody knows yet");
  assert.deepEqual(told(all, [all, ["en"], all, all, all, all]), [
    "hd sd en",
    "",
    "hd sd en",
    "hd sd en",
    "hd sd en",
    "hd sd en",
  ]);
  // The large rung is left out for good; the sound alone is no recording of a picture.
  const five = Array.from({ length: 5 }, () => ["sd", "en"]);
  assert.deepEqual(told(all, five), ["sd en", "sd en", "sd en", "sd en", "sd en"]);
  assert.deepEqual(told(all, [["en"], ["en"], ["en"], ["en"], ["en"]]), [""]);
});

test("property: all that is recorded has the same tracks, but for those that never come back, and every kind of them", () => {
  const tracks = fc.subarray(["hd", "sd", "en"]);
  fc.assert(
    fc.property(fc.array(tracks, { maxLength: 30 }), fc.boolean(), (segments, isOver) => {
      const { decided } = decide(null, offer(...segments), how(isOver));
      assert.deepEqual(
        decided.map(({ number }) => number),
        decided.map((_, index) => index + 1),
        "in order, none left out",
      );
      let before: readonly string[] | undefined;
      for (const { number, tracks: taken } of decided.filter((one) => one.tracks.length > 0)) {
        assert.ok(taken.every((track) => segments[number - 1]?.includes(track)));
        if (before) assert.ok(taken.every((track) => before?.includes(track)));
        if (before)
          assert.equal(new Set(taken.map((one) => KINDS[one])).size, new Set(before.map((one) => KINDS[one])).size);
        before = taken;
      }
    }),
  );
});
