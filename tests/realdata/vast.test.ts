/** The samples of a VAST client that is used on the web. Needs MARQUEE_TESTDATA, a folder with `ads/`. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  beaconsOf,
  bestFile,
  mergeWrapper,
  parseVast,
  type Vast,
  type VastAd,
  VAST_ERRORS,
  VastError,
} from "#media/vast";

const folder = join(process.env["MARQUEE_TESTDATA"] ?? "", "ads", "vast-dailymotion");
const skip = existsSync(folder) ? false : "MARQUEE_TESTDATA has no ads/vast-dailymotion folder";
const read = (name: string): Vast => parseVast(readFileSync(join(folder, name)));
const ad = (name: string, index = 0): VastAd => read(name).ads[index] ?? assert.fail(`${name} has no ad ${index}`);
const linearOf = ({ creatives }: VastAd) =>
  creatives.find(({ linear }) => linear !== null)?.linear ?? assert.fail("no linear creative");
const host = "http://example.com";

/** Of each document its version, its own errors, and of each ad: its form, its impressions and its creatives. */
const EXPECTED: Readonly<Record<string, unknown>> = {
  "empty-no-ad.xml": ["4.3", 1, []],
  "empty-no-creative.xml": ["4.3", 0, [["inline", 0, 0]]],
  "inline-linear.xml": ["4.3", 0, [["inline", 1, 1]]],
  "sample.xml": [
    ...["4.3", 0],
    [
      ["inline", 3, 3],
      ["inline", 1, 1],
    ],
  ],
  "wrapper-a.xml": [
    ...["4.3", 0],
    [
      ["wrapper-b.xml", 1, 4],
      ["vpaid.xml", 1, 1],
    ],
  ],
  "wrapper-attributes-multiple-ads.xml": [
    ...["4.3", 0],
    [
      ["sample.xml", 1, 1],
      ["wrapper-b.xml", 1, 1],
      ["wrapper-b.xml", 1, 1],
      ["sample.xml", 1, 1],
    ],
  ],
  "wrapper-b.xml": ["4.3", 0, [["sample.xml", 2, 3]]],
  "wrapper-empty-no-creative.xml": ["4.3", 0, [["empty-no-creative.xml", 1, 1]]],
  "wrapper-empty.xml": ["4.3", 0, [["empty-no-ad.xml", 1, 2]]],
  "wrapper-legacy.xml": ["2.0", 1, [["inline-linear.xml", 1, 2]]],
  "invalid-xmlfile.xml": VAST_ERRORS.xml,
  "outdated-vast.xml": VAST_ERRORS.version,
};

test("every sample is what it is", { skip }, () => {
  const names = readdirSync(folder).toSorted();
  assert.deepEqual(names, Object.keys(EXPECTED).toSorted());
  for (const name of names) {
    let found: unknown;
    try {
      const { version, errors, ads } = read(name);
      const forms = ads.map((each) => [
        each.wrapper?.tagUri ?? "inline",
        each.impressions.length,
        each.creatives.length,
      ]);
      found = [version, errors.length, forms];
    } catch (error) {
      found = error instanceof VastError ? error.code : error;
    }
    assert.deepEqual(found, EXPECTED[name], name);
  }
});

test("the large sample is read to its details", { skip }, () => {
  const first = ad("sample.xml");
  assert.deepEqual(
    [first.id, first.sequence, first.servingId],
    ["ad_id_0001", 1, "a532d16d-4d7f-4440-bd29-2ec0e693fc80"],
  );
  assert.deepEqual(first.pricing, { model: "CPM", currency: "USD", value: 1.09 });
  assert.deepEqual(first.errors, [`${host}/error_[ERRORCODE]`]);
  assert.deepEqual(
    first.verifications.map(({ vendor, resources, parameters }) => [vendor, resources, parameters]),
    [
      ["company.com-omid", [`${host}/omid1`], ""],
      ["company2.com-omid", [`${host}/omid2`], "test-verification-parameter"],
    ],
  );
  assert.deepEqual(
    first.extensions.map(({ type, text }) => [type, text]),
    [
      ["Pricing", "0"],
      ["Count", "4"],
      ["", "{ foo: bar }"],
    ],
  );
  const [creative, companions, nonLinear] = first.creatives;
  assert.deepEqual(creative?.universalAdIds, [{ registry: "daily-motion-L1", value: "Linear-12345" }]);
  assert.deepEqual([creative?.adId, companions?.adId], ["adId345690", "adId345691"]);
  assert.deepEqual([companions?.companions, nonLinear?.nonLinears], [3, 1]);
  const linear = linearOf(first);
  assert.equal(linear.durationS, 90.123);
  assert.equal(linear.clickThrough, `${host}/linear-clickthrough_adplayhead:[ADPLAYHEAD]`);
  assert.deepEqual([linear.clickTracking.length, linear.customClicks.length], [2, 1]);
  assert.equal(bestFile(linear)?.uri, `${host}/linear-mezzanine.mp4`);
  const [icon] = linear.icons;
  assert.deepEqual([icon?.program, icon?.offsetS, icon?.durationS, icon?.clickTracking.length], ["ad1", 15, 90, 2]);
  assert.deepEqual(
    beaconsOf(first, 90.123).map(({ event }) => event),
    [
      ...["impression", "impression", "impression", "start", "firstQuartile", "progress", "midpoint"],
      ...["progress", "thirdQuartile", "complete"],
    ],
  );
  // The second ad's only file is a program.
  const second = linearOf(ad("sample.xml", 1));
  assert.deepEqual([bestFile(second), second.durationS, second.skipOffset], [null, 30, { atS: 10 }]);
});

test("a chain of wrappers hears of the ad at its end", { skip }, () => {
  const merged = mergeWrapper(ad("wrapper-a.xml"), mergeWrapper(ad("wrapper-b.xml"), ad("sample.xml")));
  assert.deepEqual(merged.impressions.slice(0, 3), [
    ...[`${host}/wrapperA-impression`, `${host}/wrapperB-impression1`, `${host}/wrapperB-impression2`],
  ]);
  assert.equal(merged.impressions.length, 6);
  const linear = linearOf(merged);
  assert.equal(linear.tracking.filter(({ event }) => event === "complete").length, 3);
  assert.equal(linear.clickThrough, `${host}/linear-clickthrough_adplayhead:[ADPLAYHEAD]`);
  const multiple = read("wrapper-attributes-multiple-ads.xml").ads.map(({ wrapper }) => [
    wrapper?.allowMultipleAds,
    wrapper?.followAdditionalWrappers,
  ]);
  assert.deepEqual(multiple, [
    [false, true],
    [false, false],
    [true, true],
    [true, false],
  ]);
});
