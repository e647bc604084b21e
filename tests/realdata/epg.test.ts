/**
 * Guides of other people: every file of `epg-xmltv` is read, and what is known of each is found. Of the outputs of the XMLTV project's tools
 * these are within an importer's meaning: what tv_cat and tv_sort take for one programme, how tv_sort orders, and which end it gives to
 * what has none. These are not, and are read as documents alone: tv_grep chooses, tv_augment rewrites by rules of its user, and
 * tv_remove_some_overlapping leaves overlaps that a grid cannot show.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { gunzipSync } from "node:zlib";
import { type Channel, numberingOf, openXmltvReader, type Programme } from "#media/xmltv";
import { arrange, type Placed, type Slot } from "../../services/content/epg/domain.ts";
import { listingOf } from "../../services/content/epg/listing.ts";

const testdata = process.env["MARQUEE_TESTDATA"] ?? "";
const folder = join(testdata, "epg-xmltv");
const skip = testdata === "" ? "MARQUEE_TESTDATA is not set: it names a folder with epg-xmltv/" : false;
const files = skip === false ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
const documents = files.filter((file) => /\.(xml|xml\.gz|expected|xml-expected)$/.test(file));

interface Seen {
  readonly channels: readonly Channel[];
  readonly programmes: readonly Programme[];
  readonly findings: Readonly<Record<string, number>>;
}

function read(file: string): Seen {
  const seen = { channels: [] as Channel[], programmes: [] as Programme[], findings: {} as Record<string, number> };
  const reader = openXmltvReader({
    onChannel: (channel) => void seen.channels.push(channel),
    onProgramme: (programme) => void seen.programmes.push(programme),
    onFinding: (code) => void (seen.findings[code] = (seen.findings[code] ?? 0) + 1),
  });
  const bytes = readFileSync(join(folder, file));
  const whole = file.endsWith(".gz") ? gunzipSync(bytes) : bytes;
  for (let at = 0; at < whole.length; at += 65_536) reader.write(whole.subarray(at, at + 65_536));
  reader.end();
  return seen;
}
const ugly = (name: string): Seen => read(join("ugly-synthetic", name));
const iso = (ms: number | null): string => (ms === null ? "" : new Date(ms).toISOString().slice(0, 16));
const titles = (all: readonly Programme[]): string[] => all.map((one) => one.titles[0]?.text ?? "");

/** The guide of each channel of a document. */
function guideOf({ programmes }: Seen): Map<string, Placed[]> {
  const slots = programmes.map((programme, seq): Slot & { channelId: string } => {
    const row = listingOf(programme, seq, "");
    return {
      ...{
        channelId: programme.channelId,
        source: "s",
        importId: "i",
        seq,
        startMs: row.start_ms,
        stopMs: row.stop_ms,
      },
      ...{ lengthS: row.length_s, clumpIndex: row.clump_index, clumpCount: row.clump_count, title: row.title },
      ...{ titleKey: row.title_key, seriesId: row.series_id, episodeKey: row.episode_key, hash: row.hash },
    };
  });
  return new Map(
    [...Map.groupBy(slots, ({ channelId }) => channelId)].map(([id, own]) => [id, arrange(own, () => {})]),
  );
}
const onlyGuide = (seen: Seen): Placed[] => [...guideOf(seen).values()].flat();
const shown = (all: readonly Placed[]): string[] =>
  all.map(({ title, startMs, stopMs }) => `${title} ${iso(startMs).slice(11)}-${iso(stopMs).slice(11)}`);

describe("guides of other people", { skip }, () => {
  it("reads every file, and finds nothing wrong but what is wrong", (t) => {
    assert.ok(documents.length > 100, `${documents.length} documents are too few: is this the right folder?`);
    let programmes = 0;
    for (const file of documents) {
      const seen = read(file);
      programmes += seen.programmes.length;
      const known: Readonly<Record<string, Readonly<Record<string, number>>>> = {
        "unknown-channel-and-dups.xml": { channel_repeated: 1 },
        "notitle.xml": { programme_without_title: 1 },
        "emptycategory.xml": { programme_without_title: 1 },
      };
      assert.deepEqual(seen.findings, known[basename(file)] ?? {}, file);
      for (const [channel, guide] of guideOf(seen))
        for (const [i, one] of guide.entries())
          assert.ok(i === 0 || one.startMs >= (guide[i - 1]?.stopMs ?? 0), `${file} overlaps on ${channel}`);
    }
    t.diagnostic(`${documents.length} documents, ${programmes} programmes`);
  });

  it("counts as the lists of what is expected do", () => {
    const huge = ugly("huge-100ch.xml.gz");
    assert.deepEqual([huge.channels.length, huge.programmes.length], [100, 26_780]);
    const uk = read("jellyfin/UK_Data.xml");
    assert.deepEqual([uk.channels.length, uk.programmes.length], [5, 1_339]);
    const dups = ugly("unknown-channel-and-dups.xml");
    assert.deepEqual(
      dups.channels.map(({ id }) => id),
      ["a"],
    );
    assert.deepEqual(titles(dups.programmes), ["Orphan", "Dup", "Dup", "SameSlotOtherTitle"]);
    assert.deepEqual(
      [...guideOf(dups)].map(([id, guide]) => [id, ...shown(guide)]),
      [
        ["zzz", "Orphan 12:00-13:00"],
        ["a", "Dup 12:00-13:00"],
      ],
    );
  });

  it("resolves overlaps, gaps and missing ends as the rule says", () => {
    assert.deepEqual(shown(onlyGuide(ugly("overlap.xml"))), ["One 20:00-20:30", "Two 20:30-21:30"]);
    assert.deepEqual(shown(onlyGuide(ugly("gap.xml"))), ["One 20:00-21:00", "Two 22:00-23:00"]);
    const open = onlyGuide(ugly("missing-stop.xml"));
    assert.deepEqual(shown(open), ["One 20:00-21:00", "Two 21:00-21:30", "Last 21:30-22:30"]);
    assert.deepEqual(
      open.map(({ stopAssumed }) => stopAssumed),
      [false, false, true],
    );
    const sorted = onlyGuide(ugly("unsorted-24h.xml"));
    assert.deepEqual(
      sorted.map(({ title }) => title),
      Array.from({ length: 48 }, (_, i) => `H${String(i).padStart(2, "0")}`),
    );
    for (const [i, one] of sorted.entries()) assert.equal(sorted[i + 1]?.startMs ?? one.stopMs, one.stopMs);
  });

  it("reads times of every kind, and days on which clocks change", () => {
    const starts = (name: string) => ugly(name).programmes.map(({ startMs }) => iso(startMs));
    assert.deepEqual(starts("odd-offsets.xml"), [
      "2026-03-01T06:15",
      "2026-02-28T22:15",
      "2026-03-01T15:30",
      "2026-03-01T12:00",
    ]);
    assert.deepEqual(starts("no-offset-and-names.xml"), [
      ...["2026-03-01T12:00", "2026-03-01T12:00", "2026-03-01T11:00", "2026-03-01T12:00", "2026-03-01T00:00"],
    ]);
    const spring = ugly("dst-spring-berlin.xml").programmes.map(({ startMs, stopMs }) => [iso(startMs), iso(stopMs)]);
    assert.deepEqual(spring[0], ["2026-03-29T00:30", "2026-03-29T01:30"]);
    assert.equal(spring[1]?.[0], "2026-03-29T01:30");
  });

  it("takes text for text", () => {
    const [programme] = ugly("entities-markup.xml").programmes;
    assert.equal(programme?.titles[0]?.text, 'Tom & Jerry <b>x</b> 😀 – "q"');
    const numbering = numberingOf(programme?.episodeNumbers ?? []);
    assert.deepEqual(
      [numbering?.season, numbering?.episode, numbering?.episodes, numbering?.part, numbering?.parts],
      [1, 5, 12, 2, 2],
    );
    assert.equal(read("xmltv-tools/input/test_livre.xml").programmes[0]?.titles[0]?.text.length, 1);
  });

  it("keeps languages apart", () => {
    const [programme] = read("jellyfin/MultilanguageData.xml").programmes;
    assert.deepEqual(
      programme?.titles.map(({ language }) => language),
      ["es", "es", "en", "en", "", ""],
    );
    assert.ok(programme && listingOf(programme, 0, "en").title.endsWith("English"));
  });

  const inputs = files
    .filter((file) => /xmltv-tools\/input\/.+\.xml$/.test(file))
    .map((file) => basename(file, ".xml"));
  const toolSaid = (tool: string, input: string): Seen => read(`xmltv-tools/expected/${tool}_${input}_xml.expected`);
  const signatures = ({ programmes }: Seen): string[] =>
    programmes.map((one) => `${one.channelId} ${one.startMs} ${one.titles.map(({ text }) => text).join("|")}`);

  it("takes for one programme what tv_cat takes for one", () => {
    for (const input of inputs) {
      const distinct = new Set(signatures(read(`xmltv-tools/input/${input}.xml`)));
      assert.deepEqual([...distinct].toSorted(), [...new Set(signatures(toolSaid("tv_cat", input)))].toSorted(), input);
    }
  });

  it("orders as tv_sort does, and ends what has no end where tv_sort ends it", (t) => {
    let compared = 0;
    for (const input of inputs) {
      const said = toolSaid("tv_sort", input).programmes;
      for (const [channelId, guide] of guideOf(read(`xmltv-tools/input/${input}.xml`))) {
        const theirs = said.filter((one) => one.channelId === channelId);
        const find = (one: Placed) =>
          theirs.findIndex(({ startMs, titles: all }) => startMs === one.startMs && all[0]?.text === one.title);
        const places = guide.filter(({ clumpCount }) => clumpCount === 1).map(find);
        assert.ok(!places.includes(-1), `${input}: tv_sort does not know ${shown(guide).join(", ")}`);
        assert.deepEqual(
          places,
          places.toSorted((a, b) => a - b),
          input,
        );
        for (const one of guide) {
          // An end that was written, or that an overlap moved, is not theirs to give.
          const stopMs = theirs[find(one)]?.stopMs;
          if (
            one.stopAssumed ||
            stopMs === undefined ||
            stopMs === null ||
            guide.some(({ startMs }) => startMs === one.stopMs && startMs < stopMs)
          )
            continue;
          assert.equal(iso(one.stopMs), iso(stopMs), `${input}: ${one.title}`);
          compared++;
        }
      }
    }
    assert.ok(compared > 5);
    t.diagnostic(`${compared} ends compared`);
  });
});
