/**
 * Reading a splice_info_section (ANSI/SCTE 35 2023, section 9.6).
 *
 *   section = table_id 0xFC · 0(1) 0(1) sap_type(2) section_length(12) · protocol_version(8) · encrypted(1) algorithm(6)
 *             pts_adjustment(33) · cw_index(8) · tier(12) command_length(12) · command_type(8) command
 *             · descriptor_loop_length(16) descriptor* · stuffing · [E_CRC_32(32)] · CRC_32(32)
 *   descriptor = tag(8) · length(8) · identifier(32) · body
 */
import { crc32Mpeg } from "#media/mpegts";
import { BitReader, fail, toHex } from "./bits.ts";
import {
  type AudioComponent,
  COMMAND_TYPES,
  CUEI,
  DESCRIPTOR_TAGS,
  type SegmentationDescriptor,
  type SpliceCommand,
  type SpliceDescriptor,
  type SpliceInfo,
} from "./model.ts";

export const TABLE_ID = 0xfc;
export const LEGACY_LENGTH = 0xfff;
export const CRC_BYTES = 4;
const HEADER_BYTES = 3;
/** Up to and with the type of the command. */
const FIXED_BYTES = 14;
export const SECTION_LENGTH_MAX = 4093;
/** No encoder sends anywhere near as many; the loop's length alone would allow 10,000. */
const DESCRIPTORS_MAX = 256;

/** The typed form of a section, whose checksum must be right. Throws FormatError with the byte at fault. */
export function decodeSplice(bytes: Uint8Array): SpliceInfo {
  const input = new BitReader(bytes);
  const tableId = input.bits(8);
  if (tableId !== TABLE_ID) throw fail(`the table's id is ${tableId}, not ${TABLE_ID}`, 0);
  input.skip(2);
  const sapType = input.bits(2);
  const sectionLength = input.bits(12);
  const end = HEADER_BYTES + sectionLength;
  if (end > bytes.length) throw fail(`the section is ${end} bytes long, and ${bytes.length} are here`, 1);
  if (end < FIXED_BYTES + CRC_BYTES) throw fail(`a section of ${end} bytes has no room for a command`, 1);
  if (end < bytes.length) throw fail(`${bytes.length - end} bytes follow the section`, end);
  if (crc32Mpeg(bytes) !== 0) throw fail("the checksum (CRC_32) is wrong", end - CRC_BYTES);
  const version = input.bits(8);
  if (version !== 0) throw fail(`protocol_version is ${version}, and 0 is the only one there is`, 3);
  const encrypted = input.flag();
  const algorithm = input.bits(6);
  const ptsAdjustment = input.bits(33);
  const cwIndex = input.bits(8);
  const tier = input.bits(12);
  const commandBytes = input.bits(12);
  const header = { sapType, ptsAdjustment, cwIndex, tier, legacyLength: commandBytes === LEGACY_LENGTH };
  if (encrypted) {
    const bytesHex = toHex(bytes.subarray(input.positionBytes, end - CRC_BYTES));
    return {
      ...header,
      command: { kind: "encrypted", algorithm, commandBytes, bytesHex },
      descriptors: [],
      stuffingHex: "",
    };
  }
  const body = new BitReader(bytes, input.positionBytes, end - CRC_BYTES);
  const command = readCommand(bytes, body, commandBytes);
  const descriptors = readDescriptors(bytes, body);
  return { ...header, command, descriptors, stuffingHex: toHex(body.bytes(body.remainingBytes)) };
}

function readCommand(bytes: Uint8Array, body: BitReader, commandBytes: number): SpliceCommand {
  const type = body.bits(8);
  const start = body.positionBytes;
  if (commandBytes === LEGACY_LENGTH) return readCommandOf(type, body, null);
  if (commandBytes > body.remainingBytes) throw fail(`the command is ${commandBytes} bytes long, past the section`, 11);
  const command = readCommandOf(type, new BitReader(bytes, start, start + commandBytes), commandBytes);
  body.bytes(commandBytes);
  return command;
}

function readCommandOf(type: number, input: BitReader, lengthBytes: number | null): SpliceCommand {
  const { null: none, insert, timeSignal, bandwidthReservation, private: own } = COMMAND_TYPES;
  if (type === none) return { kind: "null" };
  if (type === bandwidthReservation) return { kind: "bandwidthReservation" };
  if (type === timeSignal) return { kind: "timeSignal", ptsTime: readTime(input) };
  if (type === insert) return readInsert(input);
  if (lengthBytes === null) throw fail(`a command of type ${type} without a length has no end`, input.positionBytes);
  if (type !== own) return { kind: "other", type, bytesHex: toHex(input.bytes(lengthBytes)) };
  return { kind: "private", identifier: readIdentifier(input), bytesHex: toHex(input.bytes(lengthBytes - 4)) };
}

/** splice_time(): null where the splice is as soon as possible. */
function readTime(input: BitReader): number | null {
  if (!input.flag()) {
    input.skip(7);
    return null;
  }
  input.skip(6);
  return input.bits(33);
}

function readInsert(input: BitReader): SpliceCommand {
  const eventId = input.bits(32);
  const cancel = input.flag();
  input.skip(7);
  if (cancel) return { kind: "insert", eventId, cancel };
  const outOfNetwork = input.flag();
  const isProgram = input.flag();
  const hasDuration = input.flag();
  const immediate = input.flag();
  const compliant = !input.flag();
  input.skip(3);
  const ptsTime = isProgram && !immediate ? readTime(input) : null;
  const components = isProgram
    ? null
    : Array.from({ length: input.bits(8) }, () => ({
        tag: input.bits(8),
        ptsTime: immediate ? null : readTime(input),
      }));
  const breakDuration = hasDuration ? readBreakDuration(input) : null;
  return {
    ...{ kind: "insert", eventId, cancel, compliant, outOfNetwork, immediate, ptsTime, components, breakDuration },
    ...{ uniqueProgramId: input.bits(16), availNum: input.bits(8), availsExpected: input.bits(8) },
  };
}

function readBreakDuration(input: BitReader): { readonly autoReturn: boolean; readonly duration: number } {
  const autoReturn = input.flag();
  input.skip(6);
  return { autoReturn, duration: input.bits(33) };
}

function readIdentifier(input: BitReader): string {
  return String.fromCharCode(...input.bytes(4));
}

function readDescriptors(bytes: Uint8Array, body: BitReader): SpliceDescriptor[] {
  const loopBytes = body.bits(16);
  if (loopBytes > body.remainingBytes)
    throw fail(`descriptors of ${loopBytes} bytes run past the section`, body.positionBytes);
  const loop = new BitReader(bytes, body.positionBytes, body.positionBytes + loopBytes);
  body.bytes(loopBytes);
  const descriptors: SpliceDescriptor[] = [];
  while (loop.remainingBytes > 0) {
    if (descriptors.length >= DESCRIPTORS_MAX)
      throw fail(`more than ${DESCRIPTORS_MAX} descriptors`, loop.positionBytes);
    const tag = loop.bits(8);
    const lengthBytes = loop.bits(8);
    if (lengthBytes < 4 || lengthBytes > loop.remainingBytes)
      throw fail(`a descriptor of ${lengthBytes} bytes, where 4 to ${loop.remainingBytes} can be`, loop.positionBytes);
    descriptors.push(readDescriptor(tag, new BitReader(bytes, loop.positionBytes, loop.positionBytes + lengthBytes)));
    loop.bytes(lengthBytes);
  }
  return descriptors;
}

function readDescriptor(tag: number, input: BitReader): SpliceDescriptor {
  const identifier = readIdentifier(input);
  // Encoders mark avails under identifiers of their own; all other tags of strangers mean what strangers say.
  if (tag === DESCRIPTOR_TAGS.avail && input.remainingBytes === 4)
    return { kind: "avail", identifier, providerAvailId: input.bits(32) };
  if (identifier === CUEI) {
    if (tag === DESCRIPTOR_TAGS.dtmf) return readDtmf(input);
    if (tag === DESCRIPTOR_TAGS.segmentation) return readSegmentation(input);
    if (tag === DESCRIPTOR_TAGS.time)
      return { kind: "time", taiSeconds: input.bits(48), taiNs: input.bits(32), utcOffsetS: input.bits(16) };
    if (tag === DESCRIPTOR_TAGS.audio) return readAudio(input);
  }
  return { kind: "other", tag, identifier, bytesHex: toHex(input.bytes(input.remainingBytes)) };
}

function readDtmf(input: BitReader): SpliceDescriptor {
  const prerollTenths = input.bits(8);
  const count = input.bits(3);
  input.skip(5);
  return { kind: "dtmf", prerollTenths, chars: String.fromCharCode(...input.bytes(count)) };
}

function readAudio(input: BitReader): SpliceDescriptor {
  const count = input.bits(4);
  input.skip(4);
  const components = Array.from(
    { length: count },
    (): AudioComponent => ({
      tag: input.bits(8),
      language: String.fromCharCode(...input.bytes(3)),
      bitStreamMode: input.bits(3),
      channels: input.bits(4),
      fullService: input.flag(),
    }),
  );
  return { kind: "audio", components };
}

function readSegmentation(input: BitReader): SegmentationDescriptor {
  const eventId = input.bits(32);
  const cancel = input.flag();
  const compliant = !input.flag();
  input.skip(6);
  if (cancel) return { kind: "segmentation", eventId, compliant, cancel };
  const isProgram = input.flag();
  const hasDuration = input.flag();
  const isFree = input.flag();
  const restrictions = {
    webDeliveryAllowed: input.flag(),
    noRegionalBlackout: input.flag(),
    archiveAllowed: input.flag(),
    deviceRestrictions: input.bits(2),
  };
  const components = isProgram ? null : readSegmentationComponents(input);
  const duration = hasDuration ? input.bits(40) : null;
  const upid = { type: input.bits(8), bytesHex: toHex(input.bytes(input.bits(8))) };
  const [typeId, segmentNum, segmentsExpected] = [input.bits(8), input.bits(8), input.bits(8)];
  // Written by some for every type and by others for none; what is there is read.
  const sub = input.remainingBytes >= 2 ? { num: input.bits(8), expected: input.bits(8) } : null;
  return {
    ...{ kind: "segmentation", eventId, compliant, cancel, components, restrictions: isFree ? null : restrictions },
    ...{ duration, upid, typeId, segmentNum, segmentsExpected, sub },
  };
}

function readSegmentationComponents(input: BitReader): { readonly tag: number; readonly ptsOffset: number }[] {
  return Array.from({ length: input.bits(8) }, () => {
    const tag = input.bits(8);
    input.skip(7);
    return { tag, ptsOffset: input.bits(33) };
  });
}
