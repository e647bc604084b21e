import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import fc from "fast-check";
import { appendQueryToMpd, type LiveMpd, writeLiveMpd } from "./index.ts";

/** The part of mpd-parser that these tests read; the package has no types. */
interface MpdParser {
  parse(
    manifest: string,
    options: { readonly manifestUri: string; readonly NOW: number },
  ): {
    readonly playlists: readonly {
      readonly attributes: { readonly NAME: string };
      readonly segments: readonly {
        readonly number: number;
        readonly resolvedUri: string;
        readonly duration: number;
      }[];
    }[];
  };
}
const mpdParser = createRequire(import.meta.url)("mpd-parser") as MpdParser;

const KID = "ab".repeat(16);
const drm = new Map([[KID, { pssh: {}, clearkeyLicenseUrl: "https://l.example/?a=1&b=2" }]]);
const VIDEO = "720p-h264-3000k";

/** Spans of a channel that follow each other, with holes between them. */
const mpds: fc.Arbitrary<LiveMpd> = fc
  .record({
    first: fc.integer({ min: 800_000_000, max: 900_000_000 }),
    spans: fc.array(fc.record({ length: fc.integer({ min: 1, max: 60 }), hole: fc.integer({ min: 0, max: 9 }) }), {
      minLength: 1,
      maxLength: 5,
    }),
  })
  .map(({ first, spans }) => {
    let at = first;
    const periods = spans.map(({ length, hole }, index) => {
      const firstNumber = at;
      at += length + hole;
      const isLast = index === spans.length - 1;
      return {
        ...{
          id: `${index}-1`,
          suffix: `-${index}-1`,
          firstNumber,
          lastNumber: isLast ? null : firstNumber + length - 1,
        },
        tracks: new Map([
          [VIDEO, { init: "init-1.mp4", kid: KID }],
          ["audio-en", { init: "init-1.mp4", kid: KID }],
        ]),
      };
    });
    const base = { codec: "avc1.64001f", timescale: 90_000, bandwidthBps: 3_000_000 };
    return {
      tracks: [
        { ...base, kind: "video", name: VIDEO, width: 1280, height: 720, frameRate: 24 },
        {
          ...{ kind: "audio", name: "audio-en", codec: "mp4a.40.2", timescale: 48_000, bandwidthBps: 96_000 },
          ...{ language: "en", label: "English", channels: 2, sampleRateHz: 48_000 },
        },
      ],
      ...{ periods, firstPartS: 0.5, windowS: 7_200, timeUri: "/live/time", drm },
      latency: { targetMs: 1_200, minMs: 800, maxMs: 6_000 },
      publishTimeMs: at * 2_000,
    };
  });

describe("live MPDs", () => {
  test("property: number and time of a segment are the same thing", () => {
    fc.assert(
      fc.property(mpds, (mpd) => {
        const text = writeLiveMpd(mpd);
        const periods = [...text.matchAll(/<Period id="[^"]+" start="PT(\d+)S"(?: duration="PT(\d+)S")?>/g)];
        assert.equal(periods.length, mpd.periods.length);
        for (const [index, [, start, length]] of periods.entries()) {
          const meant = mpd.periods[index];
          assert.ok(meant);
          assert.equal(Number(start), meant.firstNumber * 2);
          assert.equal(
            length === undefined ? null : Number(length),
            meant.lastNumber === null ? null : (meant.lastNumber - meant.firstNumber + 1) * 2,
          );
        }
        for (const [, timescale, number, offset] of text.matchAll(
          /timescale="(\d+)" duration="\d+" startNumber="(\d+)" presentationTimeOffset="(\d+)"/g,
        ))
          assert.equal(Number(offset), Number(number) * 2 * Number(timescale));
      }),
    );
  });

  test("property: another reader finds the segments of the last span", () => {
    fc.assert(
      fc.property(mpds, (mpd) => {
        const last = mpd.periods.at(-1);
        assert.ok(last);
        // Six segments into the last span, with a window that lies in it.
        const nowMs = (last.firstNumber + 6) * 2_000;
        const only = { ...mpd, periods: [last], windowS: 8 };
        const { playlists } = mpdParser.parse(writeLiveMpd(only), {
          ...{ manifestUri: "https://e.example/live/ch-x/main.mpd", NOW: nowMs },
        });
        const [video] = playlists;
        assert.equal(video?.attributes.NAME, VIDEO);
        const newest = video?.segments.at(-1);
        assert.equal(newest?.duration, 2);
        const address = `https://e.example/live/ch-x/${VIDEO}/seg-${last.firstNumber + 5}${last.suffix}.m4s`;
        assert.equal(newest.resolvedUri, address, "the newest one that is whole");
      }),
      { numRuns: 30 },
    );
  });

  test("has what low latency takes, and tells addresses to nobody else's", () => {
    const [mpd] = fc.sample(mpds, { numRuns: 1, seed: 3 });
    assert.ok(mpd);
    const text = writeLiveMpd(mpd);
    for (const expected of [
      /type="dynamic"/,
      /availabilityTimeOffset="1\.5" availabilityTimeComplete="false"/,
      /<Latency target="1200" min="800" max="6000"/,
      /<UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-iso:2014" value="\/live\/time"\/>/,
      /cenc:default_KID="abababab-abab-/,
    ])
      assert.match(text, expected);
    const withQuery = appendQueryToMpd(text, "CAT=x");
    assert.match(withQuery, /seg-\$Number\$-0-1\.m4s\?CAT=x"/);
    assert.match(withQuery, /<dashif:Laurl>https:\/\/l\.example\/\?a=1&amp;b=2</);
    assert.throws(() => writeLiveMpd({ ...mpd, drm: new Map() }), /nothing is known of key/);
    assert.throws(() => writeLiveMpd({ ...mpd, periods: [] }), RangeError);
  });

  test("a span of the past begins at nought and ends", () => {
    const [mpd] = fc.sample(mpds, { numRuns: 1, seed: 3 });
    const first = mpd?.periods[0];
    assert.ok(mpd && first);
    const period = { ...first, lastNumber: first.firstNumber + 9 };
    const text = writeLiveMpd({ ...mpd, periods: [period], isEnded: true });
    assert.match(text, /type="static" mediaPresentationDuration="PT20S"/);
    assert.match(text, /<Period id="[^"]+" start="PT0S" duration="PT20S">/);
    assert.doesNotMatch(text, /availabilityTimeOffset|UTCTiming|Latency/);
  });

  test("tells of breaks on the clock of their period", () => {
    const [mpd] = fc.sample(mpds, { numRuns: 1, seed: 3 });
    const first = mpd?.periods[0];
    assert.ok(mpd && first);
    const startMs = first.firstNumber * 2_000 + 1_500;
    const events = [{ id: 7, startMs, durationMs: 30_000, section: Uint8Array.of(0xfc, 0x30) }];
    const text = writeLiveMpd({ ...mpd, periods: [{ ...first, events }, ...mpd.periods.slice(1)] });
    assert.match(text, /<Event id="7" presentationTime="1500" duration="30000">/);
    assert.match(text, /<Binary>\/DA=<\/Binary>/);
  });
});
