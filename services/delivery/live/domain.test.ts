import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isSamePlace, liveGrid, partFrames, placeOf } from "#media/presentation";
import { createTsAligner, createTsClock, mediaMsOf, TS_PACKET_BYTES } from "./domain-ts.ts";
import { planAirings } from "./domain-schedule.ts";
import {
  dateRangesOf,
  entriesOf,
  eventsOf,
  hasReached,
  periodsOf,
  windowOf,
  type WindowSegment,
} from "./domain-window.ts";
import { channelOf, dayIndexOf, licensedDays, parseDirectives, parseLivePath, rungOf, startAfter } from "./domain.ts";

const KEY_PERIOD_MS = 86_400_000;
const wish = {
  ...{ id: "ch-x", number: 1, name: "X", logo: "", language: "", latency: "", ageRating: 0, tier: "", ladder: [] },
  ...{ onAir: true, onDemand: true, dvrWindowS: 0 },
};
const DEMO = [{ kind: "demo", url: "", secret: "" }];

describe("addresses of channels", () => {
  test("are manifests, playlists, headers, segments and parts", () => {
    const of = { channelId: "ch-x" };
    assert.deepEqual(parseLivePath("/live/ch-x/main.m3u8"), { ...of, kind: "hls", past: null, sessionId: "" });
    assert.deepEqual(parseLivePath("/live/ch-x/main-100-161.mpd"), {
      ...{ ...of, kind: "dash", past: { firstNumber: 50, lastNumber: 80 }, sessionId: "" },
    });
    assert.deepEqual(parseLivePath("/live/ch-x/audio-en/index.m3u8"), {
      ...{ ...of, kind: "media", track: "audio-en", past: null, sessionId: "" },
    });
    const sessionId = `ses_${"0".repeat(26)}`;
    assert.deepEqual(parseLivePath(`/live/ch-x/main-${sessionId}.mpd`), { ...of, kind: "dash", past: null, sessionId });
    assert.deepEqual(parseLivePath(`/live/ch-x/audio-en/index-${sessionId}.m3u8`), {
      ...{ ...of, kind: "media", track: "audio-en", past: null, sessionId },
    });
    assert.deepEqual(parseLivePath(`/live/ch-x/ads-${sessionId}-897000123.json`), {
      ...{ ...of, kind: "ads", sessionId, number: 897_000_123 },
    });
    const segment = { ...of, kind: "segment", track: "audio-en", number: 897_000_123 };
    assert.deepEqual(parseLivePath("/live/ch-x/audio-en/seg-897000123.m4s"), { ...segment, part: null, span: null });
    assert.deepEqual(parseLivePath("/live/ch-x/audio-en/seg-897000123.3.m4s"), { ...segment, part: 3, span: null });
    assert.deepEqual(parseLivePath("/live/ch-x/audio-en/seg-897000123-7-20783.m4s"), {
      ...{ ...segment, part: null, span: { run: 7, dayIndex: 20_783 } },
    });
    assert.equal(parseLivePath("/live/ch-x/audio-en/init-20783-7.mp4")?.kind, "init");
  });

  test("lead to nothing else", () => {
    for (const path of [
      "/live/film/main.m3u8",
      "/live/ch-x/../ch-y/main.m3u8",
      "/live/ch-x/main-ses_0.m3u8",
      "/live/ch-x/audio-en/../x.m4s",
      "/live/ch-x/audio-en/seg-01.m4s",
      "/live/ch-x/audio-en/seg-1.100.m4s",
      "/live/ch-x/audio-en/897000123.m4s",
      "/live/ch-x/main.m3u8\n",
      "/live/ch-x/AUDIO/index.m3u8",
    ])
      assert.equal(parseLivePath(path), null, path);
    assert.throws(() => parseDirectives("_HLS_part=1"), /without _HLS_msn/);
    assert.throws(() => parseDirectives("_HLS_msn=x"), /not a number/);
    assert.deepEqual(parseDirectives("_HLS_msn=5&_HLS_part=2&_HLS_skip=YES"), { msn: 5, part: 2, skip: true });
  });
});

test("a channel that is wished for is made whole, or refused with the value at fault", () => {
  const made = channelOf(wish, DEMO);
  assert.deepEqual([made.latency, made.tier, made.language, made.dvrWindowS], ["low", "basic", "en", 7_200]);
  assert.equal(made.ladder.length, 3);
  assert.equal(channelOf({ ...wish, latency: "standard" }, DEMO).ladder.length, 4);
  assert.equal(rungOf("480p-h264-1400k").width, 854);
  for (const [change, expected] of [
    [{ id: "film" }, /channel id 'film'/],
    [{ number: 0 }, /number 0/],
    [{ latency: "none" }, /latency 'none'/],
    [{ ladder: ["big"] }, /'big' is no rung/],
    [{ ladder: ["720p-h264-3000k", "720p-h264-3000k"] }, /twice/],
    [{ logo: "https://elsewhere.test/x.png" }, /no path below/],
    [{ language: "?" }, /not a language tag/],
    [{ ageRating: 7 }, /age rating 7/],
  ] as const)
    assert.throws(() => channelOf({ ...wish, ...change }, DEMO), expected);
  assert.throws(() => channelOf(wish, [...DEMO, ...DEMO]), /no backup/);
});

test("property: a part never spans two places, and the place of what comes next is where it will be", () => {
  const grids = fc.constantFrom(
    ...[24, 25, 30, 50, 60].map((rate) => ({ frame: 90_000 / rate, grid: liveGrid(90_000, partFrames(rate) / rate) })),
    { frame: 1_024, grid: liveGrid(48_000, 0.5) },
  );
  fc.assert(
    fc.property(grids, fc.integer({ min: 1, max: 900_000_000 }), fc.nat(1_023), ({ frame, grid }, number, phase) => {
      let at = number * grid.segmentTicks + (frame === 1_024 ? phase : 0);
      let [place, lengthTicks, segments] = [placeOf(at, grid), 0, 0];
      for (let frames = 0; frames < 400; frames++) {
        const next = placeOf(at + frame, grid);
        lengthTicks += frame;
        at += frame;
        if (isSamePlace(place, next)) continue;
        assert.ok(lengthTicks <= Math.ceil(grid.partTicks / frame) * frame, "PART-TARGET covers the longest part");
        const isNext =
          next.number === place.number
            ? next.part === place.part + 1
            : next.number === place.number + 1 && next.part === 0;
        assert.ok(isNext, "parts and segments are counted without holes");
        if (next.part === 0) segments++;
        [place, lengthTicks] = [next, 0];
      }
      assert.ok(segments >= 2);
    }),
  );
});

describe("the window of a channel", () => {
  const segment = (number: number, run = 1): WindowSegment => ({
    ...{
      number,
      run,
      runFirst: number,
      dayIndex: 0,
      init: "init-0.mp4",
      durationTicks: 180_000,
      isWhole: true,
      parts: [],
    },
  });
  const keyOf = () => ({ kid: "0".repeat(32), ivHex: "0".repeat(32) });
  const track = (segments: readonly WindowSegment[]) => ({ name: "v", keyClass: "SD" as const, segments, next: null });

  test("property: has every number once, and nothing that was not made but gaps", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 100, max: 300 }), { minLength: 1, maxLength: 60 }), (numbers) => {
        const made = numbers.toSorted((a, b) => a - b);
        const segments = windowOf(
          made.map((number) => segment(number)),
          0,
        );
        const entries = entriesOf(track(segments), { timescale: 90_000 }, keyOf);
        const first = entries[0]?.number ?? 0;
        assert.deepEqual(
          entries.map(({ number }) => number),
          entries.map((_, index) => first + index),
        );
        assert.equal(entries.at(-1)?.number, made.at(-1));
        for (const { number, isGap } of entries) assert.equal(isGap, !made.includes(number));
        // It begins behind the last hole of more than a minute.
        assert.ok(entries.every((_, index) => entries.slice(index, index + 31).some(({ isGap }) => !isGap)));
      }),
    );
  });

  test("is reached part by part", () => {
    const growing = { number: 5, isWhole: false, parts: [{ durationTicks: 1, isIndependent: true }] };
    assert.equal(hasReached([], 5, 0), false);
    assert.equal(hasReached([growing], 5, 0), true);
    assert.equal(hasReached([growing], 5, 1), false);
    assert.equal(hasReached([growing], 5, null), false);
    assert.equal(hasReached([{ ...growing, isWhole: true }], 5, null), true);
    assert.equal(hasReached([growing], 4, 9), true);
  });

  test("tells of the next key's span before it begins", () => {
    const nextDay = KEY_PERIOD_MS / 2_000;
    const lead = track([segment(nextDay - 2), segment(nextDay - 1)]);
    const of = {
      lead,
      tracks: [lead],
      keyOf,
      keyPeriodMs: KEY_PERIOD_MS,
      isOpen: true,
      initOf: (day: number) => `i${day}`,
      splices: [],
    };
    const spans = periodsOf({ ...of, nowMs: KEY_PERIOD_MS - 1_000 });
    assert.deepEqual(
      spans.map(({ id, firstNumber, lastNumber }) => [id, firstNumber, lastNumber]),
      [
        ["1-0", nextDay - 2, nextDay - 1],
        ["1-1", nextDay, null],
      ],
    );
    assert.equal(spans[1]?.tracks.get("v")?.init, "i1");
    assert.equal(periodsOf({ ...of, nowMs: KEY_PERIOD_MS - 3_600_000 }).length, 1);
  });
});

test("splices are told where they take effect, in the period that they fall into, a section once", () => {
  const section = (last: string): string => `fc30110000000000000000fffffe000000${last}`;
  const base = { endMs: null, plannedDurationS: null, outHex: null, inHex: null, cmdHex: null };
  const ranges = [
    {
      ...{ ...base, id: "insert-1", startMs: 21_500, endMs: 40_500 },
      ...{ plannedDurationS: 30, outHex: section("00000001"), inHex: section("00000002") },
    },
    { ...base, id: "segment-2-16", startMs: 41_000, cmdHex: section("00000003") },
    { ...base, id: "segment-2-32", startMs: 41_000, cmdHex: section("00000003") },
  ];
  const told = (firstNumber: number, lastNumber: number | null) =>
    eventsOf(ranges, { firstNumber, lastNumber }).map(({ id, startMs, durationMs }) => [id, startMs, durationMs]);
  assert.deepEqual(told(10, 19), [[1, 21_500, 19_000]]);
  assert.deepEqual(told(20, null), [
    [2, 40_500, 0],
    [3, 41_000, 0],
  ]);
  assert.deepEqual(dateRangesOf(ranges).slice(0, 1), [
    {
      ...{ id: "insert-1", startMs: 21_500, durationS: 19, plannedDurationS: 30 },
      more: {
        "SCTE35-OUT": `0x${section("00000001").toUpperCase()}`,
        "SCTE35-IN": `0x${section("00000002").toUpperCase()}`,
      },
    },
  ]);
});

test("licences cover the window, the present day and the next one", () => {
  const nowMs = 10 * KEY_PERIOD_MS + 3_600_000;
  assert.deepEqual(licensedDays(nowMs, 7_200, KEY_PERIOD_MS), [9, 10, 11]);
  assert.deepEqual(licensedDays(nowMs, 600, KEY_PERIOD_MS), [10, 11]);
  assert.equal(dayIndexOf(startAfter(nowMs, 700) / 2_000, KEY_PERIOD_MS), 10);
});

test("property: airings follow each other, in whole segments, and no film comes twice before all others", () => {
  const films = fc.uniqueArray(
    fc.record({ contentId: fc.string({ minLength: 1, maxLength: 5 }), durationS: fc.integer({ min: 1, max: 400 }) }),
    {
      selector: ({ contentId }) => contentId,
      maxLength: 8,
    },
  );
  fc.assert(
    fc.property(films, fc.integer({ min: 1, max: 1_000 }), (all, number) => {
      const told = all.map((film) => ({ ...film, title: "t", packageRevision: 1, indexVersion: 1 }));
      const airings = planAirings(told, { number, afterContentId: null }, number + 2_000, 500);
      const usable = all.filter(({ durationS }) => durationS >= 10);
      assert.equal(airings.length > 0, usable.length > 0);
      for (const [index, { firstNumber, lastNumber, contentId }] of airings.entries()) {
        assert.equal(firstNumber, index === 0 ? number : (airings[index - 1]?.lastNumber ?? 0) + 1);
        const film = usable.find((each) => each.contentId === contentId);
        assert.equal(lastNumber - firstNumber + 1, Math.floor((film?.durationS ?? 0) / 2));
        const before = airings.slice(Math.max(0, index - usable.length + 1), index);
        assert.ok(before.every((each) => each.contentId !== contentId));
      }
    }),
  );
});

describe("the clock of a transport stream", () => {
  /** A packet that begins a frame of picture. */
  function packet(ptsS: number): Uint8Array {
    const bytes = new Uint8Array(TS_PACKET_BYTES).fill(0xff);
    const pts = Math.round(ptsS * 90_000);
    bytes.set([0x47, 0x41, 0x00, 0x10, 0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5]);
    bytes[13] = 0x21 | (Math.floor(pts / 2 ** 30) << 1);
    bytes[14] = Math.floor(pts / 2 ** 22) & 0xff;
    bytes[15] = ((Math.floor(pts / 2 ** 15) & 0x7f) << 1) | 1;
    bytes[16] = Math.floor(pts / 2 ** 7) & 0xff;
    bytes[17] = ((pts & 0x7f) << 1) | 1;
    return bytes;
  }

  test("goes on, and jumps are seen in both directions", () => {
    const clock = createTsClock();
    assert.equal(clock.lastS(), null);
    assert.equal(clock.push(packet(10)).hasJumped, false);
    assert.equal(clock.push(packet(10.04)).hasJumped, false);
    assert.ok(Math.abs((clock.lastS() ?? 0) - 10.04) < 1e-4);
    assert.equal(clock.push(packet(3_600)).hasJumped, true);
    assert.equal(clock.push(packet(1)).hasJumped, true);
  });

  test("property: a time of the input is shown once, where its 33 bits begin anew as well", () => {
    const drawn = fc.record({
      startS: fc.integer({ min: 0, max: 95_443 }),
      afterS: fc.integer({ min: -40_000, max: 40_000 }),
    });
    fc.assert(
      fc.property(drawn, ({ startS, afterS }) => {
        const ticks = (((startS + afterS) * 90_000) % 2 ** 33) + (startS + afterS < 0 ? 2 ** 33 : 0);
        assert.equal(mediaMsOf({ startS, startMs: 1_000_000 }, ticks), 1_000_000 + afterS * 1_000);
      }),
    );
  });

  test("property: whatever the pieces, packets stay whole, and rubbish between them is dropped", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 30 }), (sizes) => {
        const all = Buffer.concat([Buffer.from([1, 2, 3]), ...Array.from({ length: 20 }, (_, index) => packet(index))]);
        const align = createTsAligner();
        const out: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < all.length; turn++) {
          const end = at + (sizes[turn % sizes.length] ?? 1);
          out.push(new Uint8Array(align(all.subarray(at, end))));
          at = end;
        }
        const got = Buffer.concat(out);
        assert.equal(got.length % TS_PACKET_BYTES, 0);
        assert.ok(got.equals(all.subarray(3, 3 + got.length)));
      }),
    );
  });
});
