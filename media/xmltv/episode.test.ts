import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { numberingOf, parseOnscreen, parseProgramId, parseXmltvNs } from "./episode.ts";

const none = { season: null, episode: null, part: null, seasons: null, episodes: null, parts: null };

test("xmltv_ns counts from nought, with spaces wherever somebody likes them", () => {
  assert.deepEqual(parseXmltvNs("0.4/12.1/2"), { ...none, season: 1, episode: 5, episodes: 12, part: 2, parts: 2 });
  assert.deepEqual(parseXmltvNs("0 . 1 . "), { ...none, season: 1, episode: 2 });
  assert.deepEqual(parseXmltvNs(".5."), { ...none, episode: 6 });
  assert.deepEqual(parseXmltvNs("2 . 0/10 . 0/1"), { ...none, season: 3, episode: 1, episodes: 10, part: 1, parts: 1 });
  for (const text of ["..", "", "1", "S1E5", "a.b.c", "1.2.3.4", "-1.0.0"])
    assert.equal(parseXmltvNs(text), null, text);
});

test("numbers are read off what a screen shows", () => {
  for (const [text, season, episode] of [
    ["S1E5", 1, 5],
    ["S01E05", 1, 5],
    ["s2.ep 13", 2, 13],
    ["Season 3, Episode 4", 3, 4],
    ["Staffel 2 Folge 9", 2, 9],
    ["1x05", 1, 5],
    ["Episode 7", null, 7],
    ["Ep. 3/10", null, 3],
    ["5/6", null, 5],
  ] as const)
    assert.deepEqual([parseOnscreen(text)?.season, parseOnscreen(text)?.episode], [season, episode], text);
  assert.equal(parseOnscreen("News at 10"), null);
});

test("ids of Gracenote are divided into series and episode", () => {
  assert.deepEqual(parseProgramId("EP01419807.0010"), { kind: "EP", series: "EP01419807", episode: "0010" });
  assert.deepEqual(parseProgramId("EP123456789012"), { kind: "EP", series: "EP12345678", episode: "9012" });
  assert.deepEqual(parseProgramId(" mv00012345.0000 "), { kind: "MV", series: "MV00012345", episode: "0000" });
  assert.equal(parseProgramId("EP1.2"), null);
});

test("systems fill what others leave open", () => {
  const numbers = [
    { system: "onscreen", text: "S9E5" },
    { system: "xmltv_ns", text: ".4." },
  ];
  assert.deepEqual(numberingOf(numbers), { ...none, season: 9, episode: 5 });
  assert.equal(numberingOf([{ system: "dd_progid", text: "EP01419807.0010" }]), null);
});

test("property: what is written as xmltv_ns is read back", () => {
  const number = fc.option(fc.integer({ min: 1, max: 9_999 }), { nil: null });
  fc.assert(
    fc.property(number, number, number, (season, episode, part) => {
      fc.pre(season !== null || episode !== null || part !== null);
      const text = [season, episode, part].map((one) => (one === null ? "" : String(one - 1))).join(" . ");
      assert.deepEqual(parseXmltvNs(text), { ...none, season, episode, part });
    }),
  );
});
