import assert from "node:assert/strict";
import { test } from "node:test";
import { DOMParser } from "@xmldom/xmldom";
import fc from "fast-check";
import { FormatError } from "#media/format";
import { parseMediaPlaylist } from "#media/hls";
import { crc32Mpeg } from "#media/mpegts";
import {
  applySplice,
  type Cue,
  cuesOf,
  decodeSplice,
  decodeSpliceText,
  encodeSplice,
  readUpid,
  SCHEME_BINARY,
  SCHEME_XML,
  type SpliceCommand,
  type SpliceDescriptor,
  type SpliceInfo,
  type SpliceRange,
  writeDateRange,
  writeEventStream,
} from "./index.ts";

const HEADER = { sapType: 3, ptsAdjustment: 0, cwIndex: 0, tier: 0xfff, legacyLength: false, stuffingHex: "" };
const infoOf = (command: SpliceCommand, descriptors: readonly SpliceDescriptor[] = []): SpliceInfo => ({
  ...HEADER,
  command,
  descriptors,
});
const insert = (eventId: number, outOfNetwork: boolean, ptsTime: number | null, durationS: number | null = null) =>
  infoOf({
    ...{ kind: "insert", eventId, cancel: false, compliant: true, outOfNetwork, immediate: ptsTime === null, ptsTime },
    ...{ components: null, uniqueProgramId: 1, availNum: 0, availsExpected: 0 },
    breakDuration: durationS === null ? null : { autoReturn: true, duration: durationS * 90_000 },
  });
const segment = (eventId: number, typeId: number, duration: number | null = null): SpliceDescriptor => ({
  ...{ kind: "segmentation", eventId, compliant: true, cancel: false, components: null, restrictions: null, duration },
  ...{ upid: { type: 0, bytesHex: "" }, typeId, segmentNum: 0, segmentsExpected: 0, sub: null },
});

const hex = (maxBytes: number) =>
  fc.uint8Array({ maxLength: maxBytes }).map((bytes) => Buffer.from(bytes).toString("hex"));
const u = (bits: number) => fc.maxSafeInteger().map((value) => Math.abs(value) % 2 ** bits);
const pts = fc.option(u(33));
const chars = (min: number, max: number) =>
  fc
    .array(fc.integer({ min: 0x20, max: 0x7e }), { minLength: min, maxLength: max })
    .map((all) => String.fromCharCode(...all));
const identifier = chars(4, 4).filter((text) => text !== "CUEI");

const insertCommand = fc.oneof(
  fc.record({ kind: fc.constant("insert" as const), eventId: u(32), cancel: fc.constant(true as const) }),
  fc
    .record({
      ...{ kind: fc.constant("insert" as const), eventId: u(32), cancel: fc.constant(false as const) },
      ...{ compliant: fc.boolean(), outOfNetwork: fc.boolean(), immediate: fc.boolean(), ptsTime: pts },
      components: fc.option(fc.array(fc.record({ tag: u(8), ptsTime: pts }), { maxLength: 4 })),
      breakDuration: fc.option(fc.record({ autoReturn: fc.boolean(), duration: u(33) })),
      ...{ uniqueProgramId: u(16), availNum: u(8), availsExpected: u(8) },
    })
    .map((drawn) => ({
      ...drawn,
      ptsTime: drawn.immediate || drawn.components ? null : drawn.ptsTime,
      components: drawn.components?.map((each) => (drawn.immediate ? { ...each, ptsTime: null } : each)) ?? null,
    })),
);
const anyCommand: fc.Arbitrary<SpliceCommand> = fc.oneof(
  fc.constant({ kind: "null" as const }),
  fc.constant({ kind: "bandwidthReservation" as const }),
  insertCommand,
  fc.record({ kind: fc.constant("timeSignal" as const), ptsTime: pts }),
  fc.record({ kind: fc.constant("private" as const), identifier, bytesHex: hex(20) }),
  fc.record({ kind: fc.constant("other" as const), type: fc.constantFrom(4, 9, 200), bytesHex: hex(20) }),
);
const anySegmentation: fc.Arbitrary<SpliceDescriptor> = fc.oneof(
  fc.record({
    ...{ kind: fc.constant("segmentation" as const), eventId: u(32), compliant: fc.boolean() },
    cancel: fc.constant(true as const),
  }),
  fc.record({
    ...{ kind: fc.constant("segmentation" as const), eventId: u(32), compliant: fc.boolean() },
    cancel: fc.constant(false as const),
    components: fc.option(fc.array(fc.record({ tag: u(8), ptsOffset: u(33) }), { maxLength: 3 })),
    restrictions: fc.option(
      fc.record({
        ...{ webDeliveryAllowed: fc.boolean(), noRegionalBlackout: fc.boolean(), archiveAllowed: fc.boolean() },
        deviceRestrictions: u(2),
      }),
    ),
    ...{ duration: fc.option(u(40)), upid: fc.record({ type: u(8), bytesHex: hex(40) }) },
    ...{ typeId: u(8), segmentNum: u(8), segmentsExpected: u(8) },
    sub: fc.option(fc.record({ num: u(8), expected: u(8) })),
  }),
);
const anyDescriptor: fc.Arbitrary<SpliceDescriptor> = fc.oneof(
  fc.record({ kind: fc.constant("avail" as const), identifier: chars(4, 4), providerAvailId: u(32) }),
  fc.record({ kind: fc.constant("dtmf" as const), prerollTenths: u(8), chars: chars(0, 7) }),
  anySegmentation,
  fc.record({ kind: fc.constant("time" as const), taiSeconds: u(48), taiNs: u(32), utcOffsetS: u(16) }),
  fc.record({
    kind: fc.constant("audio" as const),
    components: fc.array(
      fc.record({ tag: u(8), language: chars(3, 3), bitStreamMode: u(3), channels: u(4), fullService: fc.boolean() }),
      { maxLength: 15 },
    ),
  }),
  fc.record({
    kind: fc.constant("other" as const),
    tag: fc.integer({ min: 1, max: 255 }),
    identifier,
    bytesHex: hex(30),
  }),
);
/** Cloned, since the records of fast-check have no prototype. */
const anyInfo: fc.Arbitrary<SpliceInfo> = fc
  .record({
    ...{ sapType: u(2), ptsAdjustment: u(33), cwIndex: u(8), tier: u(12), legacyLength: fc.constant(false) },
    ...{ command: anyCommand, descriptors: fc.array(anyDescriptor, { maxLength: 5 }), stuffingHex: hex(6) },
  })
  .map((info) => structuredClone(info));

test("property: what is written is read back the same, and again to the same bytes", () => {
  fc.assert(
    fc.property(anyInfo, (info) => {
      const bytes = encodeSplice(info);
      assert.deepEqual(decodeSplice(bytes), info);
      const text = Buffer.from(bytes);
      for (const written of [text.toString("base64"), text.toString("hex"), `0x${text.toString("hex").toUpperCase()}`])
        assert.deepEqual(decodeSpliceText(written), info);
    }),
    { numRuns: 300 },
  );
});

test("fuzz: damaged sections are refused or read, and nothing else happens", () => {
  const damaged = fc.tuple(anyInfo.map(encodeSplice), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat());
  fc.assert(
    fc.property(damaged, ([whole, at, flip, cut]) => {
      const bytes = whole.slice(0, whole.length - (cut % 3));
      const i = at % bytes.length;
      bytes[i] = (bytes[i] ?? 0) ^ flip;
      assert.throws(() => decodeSplice(bytes), FormatError);
      // With a checksum that fits, the damage reaches the parser itself.
      const sealed = Buffer.from(bytes);
      sealed.writeUInt32BE(crc32Mpeg(sealed.subarray(0, -4)), sealed.length - 4);
      try {
        cuesOf(decodeSplice(sealed));
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => assert.throws(() => decodeSplice(bytes), FormatError)),
  );
});

test("the command's length of old encoders is read, and an encrypted section is reported as it lies", () => {
  const old = { ...insert(7, true, 900_000, 30), legacyLength: true };
  assert.deepEqual(decodeSplice(encodeSplice(old)), old);
  const sealed: SpliceInfo = {
    ...infoOf({ kind: "encrypted", algorithm: 2, commandBytes: 20, bytesHex: "5a".repeat(32) }),
    cwIndex: 9,
  };
  assert.deepEqual(decodeSplice(encodeSplice(sealed)), sealed);
  assert.deepEqual(cuesOf(sealed), []);
});

test("a value without room is refused by its field's name", () => {
  for (const [info, name] of [
    [{ ...infoOf({ kind: "null" }), tier: 4_096 }, /tier is 4096/],
    [insert(2 ** 32, true, 0), /splice_event_id/],
    [infoOf({ kind: "timeSignal", ptsTime: 2 ** 33 }), /pts_time/],
    [infoOf({ kind: "null" }, [{ kind: "dtmf", prerollTenths: 0, chars: "12345678" }]), /dtmf_count is 8/],
  ] as const)
    assert.throws(() => encodeSplice(info), { name: "FormatError", message: name });
});

test("identifiers are read in the form in which people know them", () => {
  const read = (type: number, bytesHex: string) => readUpid({ type, bytesHex });
  const ascii = (text: string): string => Buffer.from(text).toString("hex");
  assert.deepEqual(read(0x03, ascii("ABCD0001000H")), { kind: "text", name: "Ad-ID", text: "ABCD0001000H" });
  assert.deepEqual(read(0x08, "000000002ca0a18a"), { kind: "number", name: "TI", value: 748_724_618n });
  assert.deepEqual(read(0x0a, "1478ea7379d71b2bb3783a73"), {
    ...{ kind: "eidr", name: "EIDR", text: "10.5240/EA73-79D7-1B2B-B378-3A73-M" },
  });
  assert.equal(
    (read(0x10, "00112233445566778899aabbccddeeff") as { text: string }).text,
    "00112233-4455-6677-8899-aabbccddeeff",
  );
  assert.deepEqual(read(0x0c, `${ascii("VMNU")}0102`), {
    ...{ kind: "mpu", name: "MPU", formatIdentifier: "VMNU", privateHex: "0102" },
  });
  assert.deepEqual(read(0x0d, `0f02${ascii("a:")}1003010203`), {
    kind: "multiple",
    name: "MID",
    upids: [
      { type: 0x0f, bytesHex: ascii("a:") },
      { type: 0x10, bytesHex: "010203" },
    ],
  });
  assert.deepEqual(read(0x0b, `0123caff${ascii("id")}`), {
    ...{ kind: "atsc", name: "ATSC Content Identifier", tsid: 0x123, endOfDay: 5, uniqueFor: 255, contentId: "id" },
  });
  assert.deepEqual(read(0x77, "01"), { kind: "bytes", name: "type 0x77", bytesHex: "01" });
  for (const [type, bytesHex] of [
    [0x03, "00"],
    [0x0d, "0f09"],
    [0x0c, "00"],
  ] as const)
    assert.throws(() => read(type, bytesHex), FormatError, `type ${type}`);
});

const START_MS = Date.parse("2026-03-01T20:00:00.000Z");
const wallMs = (cue: Cue): number => START_MS + (cue.pts ?? 0) / 90;
const apply = (ranges: readonly SpliceRange[], ...sections: readonly SpliceInfo[]): readonly SpliceRange[] =>
  sections.reduce((all, info) => applySplice(all, encodeSplice(info), wallMs), ranges);

test("a break is one date range: planned when it begins, measured when it ends", () => {
  const out = insert(31, true, 900_000, 60);
  const open = apply([], out, out);
  assert.equal(open.length, 1, "an encoder that says it twice makes no second break");
  const hexOf = (info: SpliceInfo): string => Buffer.from(encodeSplice(info)).toString("hex").toUpperCase();
  const line = `#EXT-X-DATERANGE:ID="insert-31",START-DATE="2026-03-01T20:00:10.000Z"`;
  assert.deepEqual(open.map(writeDateRange), [`${line},PLANNED-DURATION=60.000,SCTE35-OUT=0x${hexOf(out)}`]);
  // The return has a number of its own, and comes early.
  const back = insert(32, false, 900_000 + 18 * 90_000);
  const closed = apply(open, back, back).map(writeDateRange);
  const ended = `${line},DURATION=18.000,PLANNED-DURATION=60.000,SCTE35-OUT=0x${hexOf(out)},SCTE35-IN=0x${hexOf(back)}`;
  assert.deepEqual(closed, [ended]);
  const playlist = `#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-PROGRAM-DATE-TIME:2026-03-01T20:00:00.000Z\n${ended}\n#EXTINF:6,\na.m4s\n`;
  assert.equal(parseMediaPlaylist(playlist).dateRanges[0]?.["DURATION"], "18.000");
});

test("segments of a time_signal open, close and mark; cancellations take back; a return without a break is nothing", () => {
  const signal = (at: number, ...descriptors: SpliceDescriptor[]): SpliceInfo =>
    infoOf({ kind: "timeSignal", ptsTime: at * 90_000 }, descriptors);
  const ranges = apply([], signal(5, segment(1, 0x34, 30 * 90_000), segment(9, 0x10)), signal(35, segment(1, 0x35)));
  assert.deepEqual(
    ranges.map(({ id, startMs, endMs, plannedDurationS, cmdHex }) => [
      id,
      startMs - START_MS,
      endMs,
      plannedDurationS,
      cmdHex !== null,
    ]),
    [
      ["segment-1-52", 5_000, START_MS + 35_000, 30, false],
      ["segment-9-16", 5_000, null, null, true],
    ],
  );
  const taken = apply(
    [],
    signal(5, segment(1, 0x34)),
    signal(5, { kind: "segmentation", eventId: 1, compliant: true, cancel: true }),
  );
  assert.deepEqual(taken, []);
  assert.deepEqual(apply([], insert(4, false, 90_000)), []);
});

test("a number that an encoder gives again, behind the end of its event, is another event", () => {
  const ranges = apply([], insert(1, true, 900_000, 30), insert(1, true, 900_000, 30), insert(1, true, 9_000_000, 30));
  assert.deepEqual(
    ranges.map(({ id, startMs }) => [id, startMs - START_MS]),
    [
      ["insert-1", 10_000],
      [`insert-1@${START_MS + 100_000}`, 100_000],
    ],
  );
  const [first, second] = apply(ranges, insert(1, false, 9_900_000));
  assert.deepEqual([first?.endMs, second?.endMs], [null, START_MS + 110_000]);
});

test("the adjustment of a restamped stream counts, and time goes round at 2^33", () => {
  const info = { ...insert(1, true, 2 ** 33 - 90_000, 30), ptsAdjustment: 180_000 };
  assert.equal(cuesOf(decodeSplice(encodeSplice(info)))[0]?.pts, 90_000);
});

test("property: every section that can be written has an event in both schemes that XML parsers take", () => {
  fc.assert(
    fc.property(anyInfo, (info) => {
      const event = { id: 1, presentationTimeS: 12.5, durationS: 30, section: encodeSplice(info) };
      const parse = (text: string) =>
        new DOMParser({
          onError: (_, message) => {
            throw new Error(message);
          },
        }).parseFromString(text, "application/xml");
      const binary = parse(writeEventStream([event], SCHEME_BINARY));
      assert.deepEqual(decodeSpliceText(binary.getElementsByTagName("Binary").item(0)?.textContent ?? ""), info);
      assert.equal(binary.getElementsByTagName("Event").item(0)?.getAttribute("presentationTime"), "1125000");
      if (info.command.kind === "other") return assert.throws(() => writeEventStream([event], SCHEME_XML), FormatError);
      const section = parse(writeEventStream([event], SCHEME_XML))
        .getElementsByTagName("SpliceInfoSection")
        .item(0);
      assert.equal(section?.getAttribute("ptsAdjustment"), String(info.ptsAdjustment));
      assert.equal(section?.childNodes.length, 1 + info.descriptors.length);
    }),
  );
  assert.equal(writeEventStream([]), "");
});
