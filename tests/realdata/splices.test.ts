/** Sections and playlists of real encoders, decoded elsewhere. Needs MARQUEE_TESTDATA, a folder with `ads/`. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FormatError } from "#media/format";
import { readHlsBreaks } from "#media/hls";
import { decodeSplice, decodeSpliceText, encodeSplice, type SpliceDescriptor, type SpliceInfo } from "#media/scte35";

const folder = join(process.env["MARQUEE_TESTDATA"] ?? "", "ads");
const skip = existsSync(folder) ? false : "MARQUEE_TESTDATA has no ads folder";

interface Vectors {
  readonly vectors: readonly {
    readonly name: string;
    readonly base64: string;
    readonly hex: string;
    readonly expected: Readonly<Record<string, unknown>>;
  }[];
  readonly negative: readonly { readonly name: string; readonly input: string }[];
}

const COMMANDS: Readonly<Record<string, number>> = { null: 0, insert: 5, timeSignal: 6 };
const isGiven = ([, value]: readonly [string, unknown]): boolean => value !== undefined && value !== null;
const given = (fields: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(fields).filter(isGiven));

/** What was read, in the words of the vectors. */
function worded(info: SpliceInfo, bytes: Buffer): object {
  return {
    ...{ table_id: bytes[0], sap_type: info.sapType, section_length: bytes.length - 3 },
    ...{ encrypted: info.command.kind === "encrypted", pts_adjustment: info.ptsAdjustment, cw_index: info.cwIndex },
    ...{ tier: info.tier, splice_command_length: bytes.readUInt16BE(11) & 0xfff },
    ...{ splice_command_type: COMMANDS[info.command.kind], command: wordedCommand(info) },
    ...{ descriptors: info.descriptors.map(wordedDescriptor), crc32: bytes.readUInt32BE(bytes.length - 4) },
    // A wrong checksum and bytes behind the section are refused.
    ...{ crc_ok: true, trailing_bytes: 0 },
  };
}

function wordedCommand({ command }: SpliceInfo): object {
  if (command.kind === "timeSignal") return given({ pts_time: command.ptsTime });
  if (command.kind !== "insert" || command.cancel) return {};
  const { breakDuration } = command;
  return given({
    ...{ event_id: command.eventId, cancel: command.cancel, out_of_network: command.outOfNetwork },
    ...{ immediate: command.immediate, pts_time: command.ptsTime, unique_program_id: command.uniqueProgramId },
    ...{ avail_num: command.availNum, avails_expected: command.availsExpected },
    break_duration: breakDuration && { auto_return: breakDuration.autoReturn, duration: breakDuration.duration },
  });
}

function wordedDescriptor(each: SpliceDescriptor): object {
  if (each.kind === "avail") return { tag: 0, identifier: each.identifier, provider_avail_id: each.providerAvailId };
  // A stranger's descriptor of one byte under the avail's tag; the vectors read its body as an avail's number.
  if (each.kind === "other" && each.tag === 0)
    return { tag: 0, identifier: each.identifier, provider_avail_id: Number(`0x${each.bytesHex}`) };
  if (each.kind === "dtmf") return { tag: 1, identifier: "CUEI", preroll: each.prerollTenths, dtmf: each.chars };
  if (each.kind !== "segmentation" || each.cancel) return { unexpected: each };
  const limits = each.restrictions;
  return given({
    ...{ tag: 2, identifier: "CUEI", event_id: each.eventId, cancel: each.cancel },
    ...{ delivery_not_restricted: limits === null, web_delivery_allowed: limits?.webDeliveryAllowed },
    ...{ no_regional_blackout: limits?.noRegionalBlackout, archive_allowed: limits?.archiveAllowed },
    ...{ device_restrictions: limits?.deviceRestrictions, duration: each.duration, upid_type: each.upid.type },
    ...{ upid_hex: each.upid.bytesHex, type_id: each.typeId },
    ...{ segment_num: each.segmentNum, segments_expected: each.segmentsExpected },
  });
}

test("published sections decode as others decoded them, and are written again", { skip }, () => {
  const file = readFileSync(join(folder, "scte35", "scte35-vectors.json"), "utf8");
  const { vectors, negative } = JSON.parse(file) as Vectors;
  assert.ok(vectors.length > 20);
  let same = 0;
  for (const { name, base64, hex, expected } of vectors) {
    const bytes = Buffer.from(hex, "hex");
    const info = decodeSpliceText(base64);
    assert.deepEqual(worded(info, bytes), expected, name);
    assert.deepEqual(decodeSplice(bytes), info, name);
    const written = encodeSplice(info);
    assert.deepEqual(decodeSplice(written), info, name);
    if (Buffer.from(written).equals(bytes)) same++;
  }
  // The other encoders left reserved bits at zero, where the standard has ones.
  assert.equal(same, 18);
  assert.ok(negative.length > 3);
  for (const { name, input } of negative) assert.throws(() => decodeSpliceText(input), FormatError, name);
});

test("the markers of encoders' playlists mean the breaks that they should", { skip }, () => {
  const read = (name: string) => readHlsBreaks(readFileSync(join(folder, "hls-markers", name), "utf8"));
  const expected = JSON.parse(readFileSync(join(folder, "hls-markers", "EXPECTED.json"), "utf8")) as Readonly<
    Record<string, { break_start_seg: number; break_end_seg?: number; duration: number; event_id?: string } | string>
  >;
  for (const [name, says] of Object.entries(expected)) {
    const breaks = read(name);
    const [first] = breaks;
    if (name === "cue-in-without-out.m3u8") assert.deepEqual(breaks, [], String(says));
    else if (name === "early-return.m3u8")
      assert.deepEqual([first?.durationS, first?.plannedDurationS, first?.endSequence], [18, 60, 103], String(says));
    else {
      assert.ok(typeof says === "object", name);
      assert.equal(breaks.length, 1, name);
      assert.equal(first?.startSequence, says.break_start_seg, name);
      assert.equal(first?.endSequence ?? undefined, says.break_end_seg, name);
      assert.equal(first?.plannedDurationS, says.duration, name);
      assert.equal(first?.eventId ?? undefined, says.event_id && `insert-${Number(says.event_id)}`, name);
    }
  }
});
