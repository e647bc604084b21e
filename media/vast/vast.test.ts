import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FormatError } from "#media/format";
import {
  beaconsOf,
  bestFile,
  fillMacros,
  formatClock,
  mergeWrapper,
  parseClock,
  parseVast,
  type ServedAd,
  VAST_ERRORS,
  VastError,
  writeVast,
} from "./index.ts";

const word = fc
  .string({ minLength: 1, maxLength: 20 })
  .map((text) => `x${text.replace(/[\u0000-\u001f\ufffe\uffff]/g, "")}x`);
const uri = word.map((text) => `https://t.example/${encodeURIComponent(text)}?a=1&b=]]>`);
const served: fc.Arbitrary<ServedAd> = fc.record({
  ...{
    id: word,
    title: word,
    advertiser: word,
    durationS: fc.integer({ min: 1, max: 400_000 }).map((ms) => ms / 1_000),
  },
  universalAdId: fc.record({ registry: word, value: word }),
  impressions: fc.array(uri, { maxLength: 3 }),
  tracking: fc.array(fc.record({ event: fc.constantFrom("start", "midpoint", "complete"), uri }), { maxLength: 4 }),
  clickThrough: fc.option(uri),
  mediaFiles: fc.array(
    fc.record({
      ...{ uri, type: fc.constant("application/vnd.apple.mpegurl"), delivery: fc.constant("streaming") },
      ...{ width: fc.nat(4_000), height: fc.nat(4_000) },
    }),
    { maxLength: 3 },
  ),
});

test("property: our own documents are read back as they were meant, as a pod in its order", () => {
  fc.assert(
    fc.property(fc.array(served, { maxLength: 4 }), (ads) => {
      const { version, ads: read, errors } = parseVast(writeVast(ads, "https://t.example/none"));
      assert.equal(version, "4.2");
      assert.deepEqual(errors, ads.length === 0 ? ["https://t.example/none"] : []);
      for (const [i, ad] of ads.entries()) {
        const got = read[i];
        const creative = got?.creatives[0];
        assert.equal(got?.sequence, ads.length > 1 ? i + 1 : null);
        assert.deepEqual([got?.id, got?.title, got?.advertiser], [ad.id, ad.title, ad.advertiser]);
        assert.deepEqual(got?.impressions, ad.impressions);
        assert.equal(creative?.linear?.durationS, ad.durationS);
        assert.equal(creative?.linear?.clickThrough, ad.clickThrough);
        assert.deepEqual({ ...creative?.universalAdIds[0] }, { ...ad.universalAdId });
        assert.deepEqual(
          creative?.linear?.tracking.map(({ event, uri: at }) => [event, at]),
          ad.tracking.map(({ event, uri: at }) => [event, at]),
        );
        assert.deepEqual(
          creative?.linear?.mediaFiles.map((file) => file.uri),
          ad.mediaFiles.map((file) => file.uri),
        );
      }
    }),
    { numRuns: 60 },
  );
});

test("what is no VAST is refused with the code to report", () => {
  for (const [document, code] of [
    ["{ vast: null }", VAST_ERRORS.xml],
    ["<VAST version='3.0'><Ad></VAST>", VAST_ERRORS.xml],
    ['<!DOCTYPE VAST [<!ENTITY a "b">]><VAST version="3.0">&a;</VAST>', VAST_ERRORS.xml],
    ["<html/>", VAST_ERRORS.schema],
    ["<VideoAdServingTemplate/>", VAST_ERRORS.version],
    ["<VAST version='5.0'/>", VAST_ERRORS.version],
    ["<VAST/>", VAST_ERRORS.version],
    ["<VAST version='3.0'><Ad><Wrapper/></Ad></VAST>", VAST_ERRORS.schema],
    [`<VAST version="3.0">${"<Ad><InLine/></Ad>".repeat(51)}</VAST>`, VAST_ERRORS.schema],
    [`<VAST version="3.0"><!--${"x".repeat(1 << 20)}--></VAST>`, VAST_ERRORS.xml],
  ] as const) {
    assert.throws(
      () => parseVast(document),
      (error) => error instanceof VastError && error.code === code,
      document.slice(0, 60),
    );
  }
});

test("fuzz: a document that was damaged anywhere is read or refused", () => {
  const ad: ServedAd = {
    ...{ id: "1", title: "A", advertiser: "B", durationS: 10, universalAdId: { registry: "r", value: "v" } },
    ...{
      impressions: ["https://t.example/i"],
      tracking: [{ event: "start", uri: "https://t.example/s" }],
      clickThrough: null,
    },
    mediaFiles: [],
  };
  const whole = writeVast([ad]);
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(20), fc.string({ maxLength: 6 }), (at, length, put) => {
      try {
        parseVast(whole.slice(0, at) + put + whole.slice(at + length));
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});

const INLINE = `<VAST version="3.0"><Ad id="a"><InLine><AdSystem>s</AdSystem><AdTitle>t</AdTitle><Impression>https://i.example/in</Impression>
 <Creatives><Creative AdID="x"><Linear skipoffset="25%"><Duration>00:00:40</Duration>
 <TrackingEvents><Tracking event="midpoint">https://t.example/m</Tracking><Tracking event="progress" offset="10%">https://t.example/p</Tracking>
 <Tracking event="mute">https://t.example/mute</Tracking><Tracking event="progress" offset="00:01:00">https://t.example/late</Tracking></TrackingEvents>
 <MediaFiles><MediaFile delivery="progressive" type="video/mp4" bitrate="300" width="640" height="360">https://m.example/s.mp4</MediaFile>
 <MediaFile delivery="progressive" type="video/mp4" bitrate="900" width="1280" height="720">https://m.example/l.mp4</MediaFile>
 <MediaFile apiFramework="VPAID" type="application/javascript" width="9999" height="9999">https://m.example/x.js</MediaFile></MediaFiles>
 </Linear></Creative></Creatives></InLine></Ad></VAST>`;
const WRAPPER = `<VAST version="3.0"><Ad id="w"><Wrapper followAdditionalWrappers="0"><AdSystem>o</AdSystem><VASTAdTagURI><![CDATA[ https://v.example/?a=1&b=2 ]]></VASTAdTagURI>
 <Impression>https://i.example/out</Impression><Error>https://e.example/[ERRORCODE]</Error>
 <Creatives><Creative><Linear><TrackingEvents><Tracking event="complete">https://t.example/c</Tracking></TrackingEvents>
 <VideoClicks><ClickThrough>https://c.example/</ClickThrough></VideoClicks></Linear></Creative></Creatives></Wrapper></Ad></VAST>`;

test("a wrapper is data, and hears of the ad that it leads to", () => {
  const [wrapper] = parseVast(WRAPPER).ads;
  const [inline] = parseVast(INLINE).ads;
  assert.ok(wrapper && inline);
  assert.deepEqual(wrapper.wrapper, {
    ...{ tagUri: "https://v.example/?a=1&b=2", followAdditionalWrappers: false, allowMultipleAds: false },
    fallbackOnNoAd: false,
  });
  const merged = mergeWrapper(wrapper, inline);
  assert.deepEqual(merged.impressions, ["https://i.example/out", "https://i.example/in"]);
  assert.equal(merged.creatives[0]?.linear?.clickThrough, "https://c.example/");
  assert.deepEqual(merged.creatives[0]?.linear?.skipOffset, { share: 0.25 });
  assert.deepEqual(
    beaconsOf(merged, 40).map(({ atS, event }) => [atS, event]),
    [
      [0, "impression"],
      [0, "impression"],
      [4, "progress"],
      [20, "midpoint"],
      [40, "complete"],
    ],
  );
  assert.equal(
    merged.creatives[0] && bestFile(merged.creatives[0].linear ?? assert.fail("no linear"))?.uri,
    "https://m.example/l.mp4",
  );
});

test("macros are filled, unknown values are -1, and what is no macro stays", () => {
  const filled = fillMacros("https://t.example/?t=[TIMESTAMP]&e=[ERRORCODE]&c=[CACHEBUSTING]&x=[random]&y=[OTHER]", {
    ...{ TIMESTAMP: "2026-03-01T20:00:00Z", CACHEBUSTING: 12_345_678 },
  });
  assert.equal(filled, "https://t.example/?t=2026-03-01T20%3A00%3A00Z&e=-1&c=12345678&x=[random]&y=[OTHER]");
});

test("property: times are written as they are read", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 359_999_999 }), (ms) =>
      assert.equal(parseClock(formatClock(ms / 1_000)), ms / 1_000),
    ),
  );
  for (const [given, expected] of [
    ["30", 30],
    ["00:00:61", null],
    ["-1", null],
    ["", null],
  ] as const)
    assert.equal(parseClock(given), expected, given);
});
