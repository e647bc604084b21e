import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FormatError } from "#media/format";
import { type Channel, openXmltvReader, type Programme, type XmltvOptions } from "./index.ts";

interface Seen {
  readonly channels: Channel[];
  readonly programmes: Programme[];
  readonly findings: Record<string, number>;
}

/** Reads a document in pieces of some size. */
function read(
  document: string | Uint8Array,
  { pieceBytes = 65_536, ...options }: Partial<XmltvOptions> & { pieceBytes?: number } = {},
): Seen {
  const seen: Seen = { channels: [], programmes: [], findings: {} };
  const reader = openXmltvReader({
    onChannel: (channel) => void seen.channels.push(channel),
    onProgramme: (programme) => void seen.programmes.push(programme),
    onFinding: (code) => void (seen.findings[code] = (seen.findings[code] ?? 0) + 1),
    ...options,
  });
  const bytes = typeof document === "string" ? Buffer.from(document) : document;
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.write(bytes.subarray(at, at + pieceBytes));
  reader.end();
  return seen;
}

const programme = (inner: string, attributes = 'start="20260301120000 +0000" channel="a"'): string =>
  `<tv><programme ${attributes}>${inner}</programme></tv>`;
const titleOf = (document: string | Uint8Array): string | undefined => read(document).programmes[0]?.titles[0]?.text;

describe("XMLTV", () => {
  it("reads everything that the DTD has", () => {
    const { channels, programmes, findings } = read(`<?xml version="1.0" encoding="UTF-8"?>
      <!DOCTYPE tv SYSTEM "xmltv.dtd">
      <tv><channel id="one.tv"><display-name lang="en">Channel One</display-name><display-name>7</display-name>
        <icon src="https://x.test/1.png" width="100" height="50"/><url>https://x.test/</url></channel>
      <programme start="20220331180000 +0000" stop="20220331190000 +0000" channel="one.tv" clumpidx="0/1">
        <title lang="en">Programme One</title><title lang="fr_FR">Programme un</title><sub-title lang="en">Pilot</sub-title>
        <desc lang="en">  What
           it is about </desc>
        <credits><director>Samuel Jones</director><actor role="Karl James" guest="yes"> Ryan Lee
          <image type="person">https://x.test/p.jpg</image></actor><guest>Emily Parker</guest></credits>
        <date>19901011</date><category lang="en">Comedy</category><keyword>romantic</keyword><language>English</language>
        <orig-language lang="en">French</orig-language><length units="minutes">60</length><icon src="https://x.test/i.jpg"/>
        <url system="imdb">https://x.test/u</url><country>US</country>
        <episode-num system="onscreen">S01E01</episode-num><episode-num system="xmltv_ns">1 . 1 . 0/1</episode-num>
        <video><aspect>16:9</aspect><quality>HDTV</quality></video><audio><stereo>Dolby Digital</stereo></audio>
        <previously-shown start="20220101180000 +0000" channel="two.tv"/><premiere>First time</premiere><last-chance/><new/>
        <subtitles type="teletext"><language>English</language></subtitles>
        <rating system="BBFC"><value>15</value></rating><star-rating system="TV Guide"><value>4/5</value></star-rating>
        <review type="text">Fantastic</review><image type="poster">https://x.test/poster.jpg</image>
      </programme></tv>`);
    assert.deepEqual(channels, [
      {
        id: "one.tv",
        names: [
          { text: "Channel One", language: "en" },
          { text: "7", language: "" },
        ],
        icons: [{ url: "https://x.test/1.png", widthPx: 100, heightPx: 50 }],
        urls: ["https://x.test/"],
      },
    ]);
    assert.deepEqual(programmes, [
      {
        channelId: "one.tv",
        startMs: Date.UTC(2022, 2, 31, 18),
        stopMs: Date.UTC(2022, 2, 31, 19),
        clump: { index: 0, count: 1 },
        titles: [
          { text: "Programme One", language: "en" },
          { text: "Programme un", language: "fr-FR" },
        ],
        subtitles: [{ text: "Pilot", language: "en" }],
        descriptions: [{ text: "What it is about", language: "en" }],
        credits: [
          { name: "Samuel Jones", role: "director", character: "" },
          { name: "Ryan Lee", role: "actor", character: "Karl James" },
          { name: "Emily Parker", role: "guest", character: "" },
        ],
        date: "19901011",
        categories: [{ text: "Comedy", language: "en" }],
        keywords: [{ text: "romantic", language: "" }],
        languages: ["English"],
        originalLanguage: "French",
        lengthS: 3_600,
        icons: [{ url: "https://x.test/i.jpg", widthPx: null, heightPx: null }],
        images: [{ url: "https://x.test/poster.jpg", type: "poster" }],
        urls: ["https://x.test/u"],
        countries: ["US"],
        episodeNumbers: [
          { system: "onscreen", text: "S01E01" },
          { system: "xmltv_ns", text: "1 . 1 . 0/1" },
        ],
        ...{ isNew: true, isPremiere: true, isLastChance: true, isPreviouslyShown: true },
        previousStartMs: Date.UTC(2022, 0, 1, 18),
        ratings: [{ system: "BBFC", value: "15" }],
        starRatings: [{ system: "TV Guide", value: "4/5" }],
        subtitleTypes: ["teletext"],
        ...{ aspect: "16:9", quality: "HDTV", stereo: "Dolby Digital" },
      },
    ]);
    assert.deepEqual(findings, {});
  });

  it("keeps text as text, whatever it looks like", () => {
    assert.equal(
      titleOf(programme("<title>Tom &amp; Jerry &lt;b&gt;x&lt;/b&gt; &#x1F600; <![CDATA[<i>&amp;</i>]]></title>")),
      "Tom & Jerry <b>x</b> 😀 <i>&amp;</i>",
    );
  });

  it("goes by the byte order mark, then by the declaration", () => {
    const text = programme("<title>Zürich – ünïcode</title>");
    const utf16 = (isBig: boolean) => {
      const bytes = Buffer.from(`\uFEFF${text}`, "utf16le");
      return isBig ? bytes.swap16() : bytes;
    };
    const latin = (name: string) =>
      Buffer.from(`<?xml version="1.0" encoding="${name}"?>${programme("<title>Z\u00FCrich</title>")}`, "latin1");
    assert.equal(titleOf(text), "Zürich – ünïcode");
    assert.equal(titleOf(Buffer.from(`\uFEFF${text}`)), "Zürich – ünïcode");
    assert.equal(titleOf(utf16(false)), "Zürich – ünïcode");
    assert.equal(titleOf(utf16(true)), "Zürich – ünïcode");
    assert.equal(titleOf(latin("ISO-8859-1")), "Zürich");
    assert.equal(titleOf(latin("windows-1252")), "Zürich");
    assert.throws(() => titleOf(latin("x-klingon")), /encoding 'x-klingon'/);
  });

  it("tells of broken bytes and goes on", () => {
    const { programmes, findings } = read(Buffer.from(programme("<title>Z\u00FCrich</title>"), "latin1"));
    assert.equal(programmes[0]?.titles[0]?.text, "Z\uFFFDrich");
    assert.deepEqual(findings, { encoding_broken: 1 });
    const lie = `<?xml version="1.0" encoding="UTF-16"?>${programme("<title>x</title>")}`;
    assert.deepEqual(read(lie).findings, { encoding_mismatch: 1 });
  });

  it("expands no entity but the five of XML, and fetches nothing", () => {
    const bomb = `<!DOCTYPE tv [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;">]>${programme("<title>&b;</title>")}`;
    assert.throws(() => read(bomb), /declares entities/);
    const external = `<!DOCTYPE tv [<!ENTITY x SYSTEM "file:///etc/passwd">]>${programme("<title>&x;</title>")}`;
    assert.throws(() => read(external), /declares entities/);
    const { programmes, findings } = read(programme("<title>a&nbsp;b</title>"));
    assert.equal(programmes[0]?.titles[0]?.text, "a&nbsp;b");
    assert.deepEqual(findings, { xml_mended: 1 });
  });

  it("ends where memory would not", () => {
    const piece = Buffer.alloc(65_536, "x");
    const feed = (start: string): void => {
      const reader = openXmltvReader({ onChannel() {}, onProgramme() {}, onFinding() {} });
      reader.write(Buffer.from(start));
      // Two gigabytes, were they taken.
      for (let i = 0; i < 32_768; i++) reader.write(piece);
    };
    for (const start of ["<tv><programme><desc>", '<tv><programme a="', "<tv><!--", "<tv><", "<!DOCTYPE "])
      assert.throws(() => feed(start), /characters without a tag|disallowed|incorrect/, start);
    assert.throws(() => read(`<tv>${"<a>".repeat(100)}`), /nest deeper/);
    const list = "<category>c</category>".repeat(60);
    const { programmes, findings } = read(programme(`<title>t</title>${list}<desc>${"d".repeat(30_000)}</desc>`));
    assert.deepEqual([programmes[0]?.categories.length, programmes[0]?.descriptions[0]?.text.length], [50, 20_000]);
    assert.deepEqual(findings, { list_shortened: 10, text_shortened: 1 });
  });

  it("says what is wrong with what is no guide", () => {
    for (const [document, message] of [
      ["", /root element/],
      ["<html><body/></html>", /'html', not 'tv'/],
      ["<tv><programme>", /unclosed tag/],
      ["<tv></channel></tv>", /unexpected close tag/],
      ["just text", /tv/],
      ["{}", /tv/],
    ] as const)
      assert.throws(
        () => read(document),
        (error: unknown) => error instanceof FormatError && message.test(error.message),
        document,
      );
  });

  it("takes an end before its start for none, and leaves out what has no start or channel", () => {
    const { programmes, findings } = read(
      `<tv><programme start="20260301120000" stop="20260301110000" channel="a"><title>N</title></programme>
       <programme start="yesterday" channel="a"><title>x</title></programme><programme channel="a"><title>x</title></programme>
       <programme start="20260301120000"><title>x</title></programme></tv>`,
    );
    assert.deepEqual(
      programmes.map(({ stopMs }) => stopMs),
      [null],
    );
    assert.deepEqual(findings, {
      duration_negative: 1,
      time_unreadable: 1,
      time_missing: 1,
      programme_without_channel: 1,
    });
  });

  it("puts what has no offset in order where an hour comes twice", () => {
    const slots = ["013000", "020000", "023000", "020000", "023000", "030000"];
    const times = slots.map((slot, i) => ({ start: `20261025${slot}`, stop: `20261025${slots[i + 1] ?? "033000"}` }));
    const document = `<tv>${times.map(({ start, stop }) => `<programme start="${start}" stop="${stop}" channel="a"><title>t</title></programme>`).join("")}</tv>`;
    const { programmes } = read(document, { zone: "Europe/Berlin" });
    assert.deepEqual(
      programmes.map(({ startMs, stopMs }) => [
        new Date(startMs).toISOString().slice(11, 16),
        ((stopMs ?? 0) - startMs) / 60_000,
      ]),
      [
        ["23:30", 30],
        ["00:00", 30],
        ["00:30", 30],
        ["01:00", 30],
        ["01:30", 30],
        ["02:00", 30],
      ],
    );
  });

  const words = fc.string({ unit: fc.constantFrom(..."ab &<>\"'é日😀]"), minLength: 1, maxLength: 20 });
  const escaped = (text: string): string =>
    text.replace(/[&<>"]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[one] ?? one);

  it("property: what is written is read, however it is divided", () => {
    fc.assert(
      fc.property(
        fc.array(words, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        (titles, pieceBytes) => {
          const document = `<tv>${titles.map((title) => programme(`<title>${escaped(title)}</title>`).slice(4, -5)).join("\n")}</tv>`;
          const wanted = titles.map((title) => title.replace(/\s+/g, " ").trim());
          const seen = read(document, { pieceBytes });
          assert.deepEqual(
            seen.programmes.map((one) => one.titles[0]?.text ?? ""),
            wanted,
          );
          assert.deepEqual(
            seen.findings,
            wanted.includes("") ? { programme_without_title: wanted.filter((one) => one === "").length } : {},
          );
        },
      ),
    );
  });

  it("fuzz: a broken document is read or refused, and nothing else happens", () => {
    const whole = Buffer.from(
      `<?xml version="1.0" encoding="UTF-8"?><tv><channel id="a"><display-name>A</display-name></channel>${programme(
        '<title lang="en">T &amp; T</title><credits><actor role="r">N</actor></credits><rating><value>1</value></rating><new/>',
      ).slice(4)}`,
    );
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(damage, fc.integer({ min: 1, max: 400 }), (changes, pieceBytes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          read(bytes, { pieceBytes });
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});
