import assert from "node:assert/strict";
import { test } from "node:test";
import { openXmltvReader, type Programme } from "#media/xmltv";
import { type Body, type Card, listingOf } from "./listing.ts";

function programmeOf(inner: string): Programme {
  const found: Programme[] = [];
  const reader = openXmltvReader({ onChannel() {}, onFinding() {}, onProgramme: (one) => void found.push(one) });
  reader.write(Buffer.from(`<tv><programme start="20260301120000" channel="a">${inner}</programme></tv>`));
  reader.end();
  const [programme] = found;
  assert.ok(programme);
  return programme;
}
const listing = (inner: string, language = "") => {
  const { card, body, ...rest } = listingOf(programmeOf(inner), 0, language);
  return { ...rest, card: JSON.parse(card) as Card, body: JSON.parse(body) as Body };
};
const id = (system: string, text: string): string => `<episode-num system="${system}">${text}</episode-num>`;

test("ids come first, then numbers, then subtitles; and how it was found is said", () => {
  for (const [inner, series, episode, explanation] of [
    [
      id("dd_progid", "EP01419807.0010"),
      "dd-01419807",
      "dd-0010",
      /Gracenote id EP01419807; episode by its Gracenote id/,
    ],
    [id("dd_progid", "SH01419807.0000") + id("onscreen", "S2E3"), "dd-01419807", "s2e3", /number S2E3/],
    [
      id("thetvdb.com", "series/81189") + id("thetvdb.com", "episode/349232"),
      "tvdb-81189",
      "tvdb-349232",
      /TheTVDB id/,
    ],
    [id("xmltv_ns", "0.4/12.1/2"), /^t-/, "s1e5p2", /series by its title 'Soap'; episode by its number S1E5P2/],
    ["<sub-title>The One</sub-title>", /^t-/, /^n-/, /episode by its subtitle 'The One'/],
    ["<date>20111122</date>", /^t-/, "d-20111122", /first day/],
    ["", /^t-/, "", /cannot be told apart/],
  ] as const) {
    const found = listing(`<title>Soap</title>${inner}`);
    const fits = (value: string, wanted: string | RegExp): boolean =>
      typeof wanted === "string" ? value === wanted : wanted.test(value);
    assert.ok(fits(found.series_id, series), `${found.series_id} of ${inner}`);
    assert.ok(fits(found.episode_key, episode), `${found.episode_key} of ${inner}`);
    assert.match(found.body.identity, explanation);
  }
});

test("one title is one series, however it is written; a film is none", () => {
  const seriesOf = (title: string): string => listing(`<title>${title}</title>`).series_id;
  assert.equal(seriesOf("Tom &amp; Jerry’s Café"), seriesOf("TOM AND JERRYS CAFE"));
  assert.notEqual(seriesOf("News"), seriesOf("News at Ten"));
  assert.equal(listing("<title>Casablanca</title><category>Film</category>").series_id, "");
  assert.equal(listing(`<title>x</title>${id("dd_progid", "MV00012345.0000")}`).series_id, "");
});

test("texts are in the source's language, and all the others are kept", () => {
  const inner = '<title lang="en">News</title><title lang="de-AT">Nachrichten</title><desc lang="de">Was war</desc>';
  const { title, card, body } = listing(inner, "de");
  assert.equal(title, "Nachrichten");
  assert.deepEqual(card, { title: "Nachrichten", titles: { en: "News" } });
  assert.equal(body.titles.length, 2);
  assert.equal(listing(inner).title, "News");
});

test("what has no title is named by what there is", () => {
  assert.equal(listing('<category lang="en"/><category lang="en">sports</category>').title, "sports");
  assert.equal(listing("").title, "Untitled");
});

test("ratings become years where they say some", () => {
  const rated = (...values: readonly string[]): number =>
    listing(`<title>t</title>${values.map((value) => `<rating system="x"><value>${value}</value></rating>`).join("")}`)
      .body.ageRating;
  for (const [values, age] of [
    [["PG-13"], 12],
    [["TV-MA"], 18],
    [["14+", "TV14", "TV-14"], 14],
    [["FSK 16"], 16],
    [["12"], 12],
    [["U"], 0],
    [["unknown"], 0],
    [["G", "18"], 18],
  ] as const)
    assert.equal(rated(...values), age, values.join());
});

test("pictures are addresses that a browser may load, the widest first", () => {
  const { imageUrl } = listing(
    '<title>t</title><icon src="p8680420.jpg" width="960"/><icon src="https://x.test/s.jpg" width="100"/><icon src="https://x.test/l.jpg" width="900"/>',
  ).body;
  assert.equal(imageUrl, "https://x.test/l.jpg");
  assert.equal(listing('<title>t</title><icon src="javascript:alert(1)"/>').body.imageUrl, "");
});
