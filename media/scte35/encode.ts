/** Writing a splice_info_section; the grammar stands in decode.ts. What decode.ts reads is written back to the same bytes, but for reserved bits, which are ones again. */
import { crc32Mpeg } from "#media/mpegts";
import { BitWriter, fail, fromHex } from "./bits.ts";
import { CRC_BYTES, LEGACY_LENGTH, SECTION_LENGTH_MAX, TABLE_ID } from "./decode.ts";
import {
  COMMAND_TYPES,
  CUEI,
  DESCRIPTOR_TAGS,
  type SegmentationDescriptor,
  type SpliceCommand,
  type SpliceDescriptor,
  type SpliceInfo,
} from "./model.ts";

/** The bytes of a section with its checksum. Throws FormatError for values that have no room in their fields. */
export function encodeSplice(info: SpliceInfo): Uint8Array {
  const { command } = info;
  const body = new BitWriter();
  let commandBytes: number;
  if (command.kind === "encrypted") {
    commandBytes = command.commandBytes;
    body.bytes(fromHex(command.bytesHex));
  } else {
    const written = writeCommand(command);
    commandBytes = info.legacyLength ? LEGACY_LENGTH : written.length;
    body.bits(typeOf(command), 8, "splice_command_type");
    body.bytes(written);
    const descriptors = info.descriptors.map(writeDescriptor);
    body.bits(
      descriptors.reduce((sum, { length }) => sum + length, 0),
      16,
      "descriptor_loop_length",
    );
    for (const each of descriptors) body.bytes(each);
    body.bytes(fromHex(info.stuffingHex));
  }
  const rest = body.finish();
  const section = new BitWriter();
  section.bits(TABLE_ID, 8, "table_id");
  section.bits(0, 2, "section_syntax_indicator");
  section.bits(info.sapType, 2, "sap_type");
  const sectionLength = 10 + rest.length + CRC_BYTES;
  if (sectionLength > SECTION_LENGTH_MAX)
    throw fail(`a section of ${sectionLength} bytes; ${SECTION_LENGTH_MAX} at most`);
  section.bits(sectionLength, 12, "section_length");
  section.bits(0, 8, "protocol_version");
  section.flag(command.kind === "encrypted");
  section.bits(command.kind === "encrypted" ? command.algorithm : 0, 6, "encryption_algorithm");
  section.bits(info.ptsAdjustment, 33, "pts_adjustment");
  section.bits(info.cwIndex, 8, "cw_index");
  section.bits(info.tier, 12, "tier");
  section.bits(commandBytes, 12, "splice_command_length");
  section.bytes(rest);
  const bytes = section.finish();
  section.bits(crc32Mpeg(bytes), 32, "CRC_32");
  return section.finish();
}

function typeOf(command: Exclude<SpliceCommand, { kind: "encrypted" }>): number {
  return command.kind === "other" ? command.type : COMMAND_TYPES[command.kind];
}

function writeCommand(command: Exclude<SpliceCommand, { kind: "encrypted" }>): Uint8Array {
  const out = new BitWriter();
  if (command.kind === "timeSignal") writeTime(out, command.ptsTime);
  else if (command.kind === "insert") writeInsert(out, command);
  else if (command.kind === "private") {
    writeIdentifier(out, command.identifier);
    out.bytes(fromHex(command.bytesHex));
  } else if (command.kind === "other") out.bytes(fromHex(command.bytesHex));
  return out.finish();
}

function writeTime(out: BitWriter, ptsTime: number | null): void {
  out.flag(ptsTime !== null);
  if (ptsTime === null) return out.reserved(7);
  out.reserved(6);
  out.bits(ptsTime, 33, "pts_time");
}

function writeInsert(out: BitWriter, command: Extract<SpliceCommand, { kind: "insert" }>): void {
  out.bits(command.eventId, 32, "splice_event_id");
  out.flag(command.cancel);
  out.reserved(7);
  if (command.cancel) return;
  const { components, immediate, breakDuration } = command;
  out.flag(command.outOfNetwork);
  out.flag(components === null);
  out.flag(breakDuration !== null);
  out.flag(immediate);
  out.flag(!command.compliant);
  out.reserved(3);
  if (components === null && !immediate) writeTime(out, command.ptsTime);
  if (components !== null) {
    out.bits(components.length, 8, "component_count");
    for (const { tag, ptsTime } of components) {
      out.bits(tag, 8, "component_tag");
      if (!immediate) writeTime(out, ptsTime);
    }
  }
  if (breakDuration !== null) {
    out.flag(breakDuration.autoReturn);
    out.reserved(6);
    out.bits(breakDuration.duration, 33, "break_duration");
  }
  out.bits(command.uniqueProgramId, 16, "unique_program_id");
  out.bits(command.availNum, 8, "avail_num");
  out.bits(command.availsExpected, 8, "avails_expected");
}

function writeIdentifier(out: BitWriter, identifier: string): void {
  if (!/^[\u0000-\u00ff]{4}$/.test(identifier))
    throw fail(`the identifier '${identifier.slice(0, 8)}' is not four bytes`);
  for (const char of identifier) out.bits(char.charCodeAt(0), 8, "identifier");
}

/** ISO 646 characters, of which each has a byte. */
function writeChars(out: BitWriter, text: string): void {
  if (!/^[\u0000-\u00ff]*$/.test(text)) throw fail(`'${text.slice(0, 40)}' has characters of more than a byte`);
  out.bytes(Uint8Array.from(text, (char) => char.charCodeAt(0)));
}

function writeDescriptor(descriptor: SpliceDescriptor): Uint8Array {
  const body = new BitWriter();
  const isNamed = descriptor.kind === "avail" || descriptor.kind === "other";
  writeIdentifier(body, isNamed ? descriptor.identifier : CUEI);
  if (descriptor.kind === "avail") body.bits(descriptor.providerAvailId, 32, "provider_avail_id");
  else if (descriptor.kind === "dtmf") {
    body.bits(descriptor.prerollTenths, 8, "preroll");
    body.bits(descriptor.chars.length, 3, "dtmf_count");
    body.reserved(5);
    writeChars(body, descriptor.chars);
  } else if (descriptor.kind === "segmentation") writeSegmentation(body, descriptor);
  else if (descriptor.kind === "time") {
    body.bits(descriptor.taiSeconds, 48, "TAI_seconds");
    body.bits(descriptor.taiNs, 32, "TAI_ns");
    body.bits(descriptor.utcOffsetS, 16, "UTC_offset");
  } else if (descriptor.kind === "audio") {
    body.bits(descriptor.components.length, 4, "audio_count");
    body.reserved(4);
    for (const each of descriptor.components) {
      body.bits(each.tag, 8, "component_tag");
      if (each.language.length !== 3) throw fail(`the language '${each.language.slice(0, 8)}' is not three letters`);
      writeChars(body, each.language);
      body.bits(each.bitStreamMode, 3, "Bit_Stream_Mode");
      body.bits(each.channels, 4, "Num_Channels");
      body.flag(each.fullService);
    }
  } else body.bytes(fromHex(descriptor.bytesHex));
  const bytes = body.finish();
  const out = new BitWriter();
  out.bits(descriptor.kind === "other" ? descriptor.tag : DESCRIPTOR_TAGS[descriptor.kind], 8, "splice_descriptor_tag");
  out.bits(bytes.length, 8, "descriptor_length");
  out.bytes(bytes);
  return out.finish();
}

function writeSegmentation(out: BitWriter, descriptor: SegmentationDescriptor): void {
  out.bits(descriptor.eventId, 32, "segmentation_event_id");
  out.flag(descriptor.cancel);
  out.flag(!descriptor.compliant);
  out.reserved(6);
  if (descriptor.cancel) return;
  const { components, duration, restrictions, upid, sub } = descriptor;
  out.flag(components === null);
  out.flag(duration !== null);
  out.flag(restrictions === null);
  if (restrictions === null) out.reserved(5);
  else {
    out.flag(restrictions.webDeliveryAllowed);
    out.flag(restrictions.noRegionalBlackout);
    out.flag(restrictions.archiveAllowed);
    out.bits(restrictions.deviceRestrictions, 2, "device_restrictions");
  }
  if (components !== null) {
    out.bits(components.length, 8, "component_count");
    for (const { tag, ptsOffset } of components) {
      out.bits(tag, 8, "component_tag");
      out.reserved(7);
      out.bits(ptsOffset, 33, "pts_offset");
    }
  }
  if (duration !== null) out.bits(duration, 40, "segmentation_duration");
  const upidBytes = fromHex(upid.bytesHex);
  out.bits(upid.type, 8, "segmentation_upid_type");
  out.bits(upidBytes.length, 8, "segmentation_upid_length");
  out.bytes(upidBytes);
  out.bits(descriptor.typeId, 8, "segmentation_type_id");
  out.bits(descriptor.segmentNum, 8, "segment_num");
  out.bits(descriptor.segmentsExpected, 8, "segments_expected");
  if (sub !== null) {
    out.bits(sub.num, 8, "sub_segment_num");
    out.bits(sub.expected, 8, "sub_segments_expected");
  }
}
