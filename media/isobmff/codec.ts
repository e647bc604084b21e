/**
 * Codec configuration records and their RFC 6381 strings:
 *
 *   avcC  AVCDecoderConfigurationRecord, ISO/IEC 14496-15, 5.3.3.1
 *   hvcC  HEVCDecoderConfigurationRecord, ISO/IEC 14496-15, 8.3.3.1; the string is annex E.3
 *   esds  ES_Descriptor, ISO/IEC 14496-1, 7.2.6.5; AudioSpecificConfig, ISO/IEC 14496-3, 1.6.2.1
 */

import { FormatError } from "#media/format";
import { ByteReader } from "./bytes.ts";

/** A hostile record may claim 255 arrays of 65,535 NAL units; real ones have a handful. */
const PARAMETER_SETS_MAX = 64;

const ES_DESCRIPTOR = 3;
const DECODER_CONFIG_DESCRIPTOR = 4;
const DECODER_SPECIFIC_INFO = 5;

const SAMPLE_RATES_HZ = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
const CHANNELS_BY_CONFIGURATION = [0, 1, 2, 3, 4, 5, 6, 8];

export interface NalConfig {
  readonly codec: string;
  /** Bytes of the length that stands before each NAL unit of a sample: 1, 2 or 4. */
  readonly nalLengthBytes: number;
  /** The NAL units of the record (VPS, SPS, PPS, SEI), in order, without lengths. */
  readonly parameterSets: readonly Uint8Array[];
}

export interface AudioConfig {
  readonly codec: string;
  /** 0 where the record leaves them to the sample entry or the bit stream. */
  readonly channels: number;
  readonly sampleRateHz: number;
  readonly audioSpecificConfig: Uint8Array;
}

function hex2(value: number): string {
  return value.toString(16).padStart(2, "0");
}

function nalLengthBytesOf(code: number, reader: ByteReader): number {
  const bytes = (code & 3) + 1;
  if (bytes === 3) throw new FormatError("isobmff", "a NAL length of 3 bytes is not allowed", reader.position - 1);
  return bytes;
}

function readParameterSets(reader: ByteReader, count: number, into: Uint8Array[]): void {
  for (let i = 0; i < count; i++) {
    if (into.length === PARAMETER_SETS_MAX) {
      throw new FormatError("isobmff", `more than ${PARAMETER_SETS_MAX} parameter sets`, reader.position);
    }
    const nal = reader.take(reader.u16());
    if (nal.length === 0) throw new FormatError("isobmff", "an empty parameter set", reader.position);
    into.push(nal);
  }
}

export function parseAvcConfig(record: Uint8Array): NalConfig {
  const reader = new ByteReader(record);
  const version = reader.u8();
  if (version !== 1) throw new FormatError("isobmff", `avcC version ${version} is not 1`, 0);
  const codec = `avc1.${hex2(reader.u8())}${hex2(reader.u8())}${hex2(reader.u8())}`;
  const nalLengthBytes = nalLengthBytesOf(reader.u8(), reader);
  const parameterSets: Uint8Array[] = [];
  readParameterSets(reader, reader.u8() & 31, parameterSets);
  readParameterSets(reader, reader.u8(), parameterSets);
  return { codec, nalLengthBytes, parameterSets };
}

export function parseHevcConfig(record: Uint8Array): NalConfig {
  const reader = new ByteReader(record);
  const version = reader.u8();
  if (version !== 1) throw new FormatError("isobmff", `hvcC version ${version} is not 1`, 0);
  const profile = reader.u8();
  const compatibility = reader.u32();
  const constraints = [...reader.take(6)];
  const level = reader.u8();
  reader.skip(8);
  const nalLengthBytes = nalLengthBytesOf(reader.u8(), reader);
  const parameterSets: Uint8Array[] = [];
  const arrays = reader.u8();
  for (let i = 0; i < arrays; i++) {
    reader.skip(1);
    readParameterSets(reader, reader.u16(), parameterSets);
  }
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) if ((compatibility >>> bit) & 1) reversed += 2 ** (31 - bit);
  while (constraints.at(-1) === 0) constraints.pop();
  const codec = [
    `hvc1.${["", "A", "B", "C"][profile >> 6] ?? ""}${profile & 31}`,
    reversed.toString(16),
    `${(profile >> 5) & 1 ? "H" : "L"}${level}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ].join(".");
  return { codec, nalLengthBytes, parameterSets };
}

/** Enters a descriptor of that tag and answers a reader of its body; the outer reader stands behind it. */
function openDescriptor(reader: ByteReader, wantedTag: number): ByteReader {
  const at = reader.position;
  const tag = reader.u8();
  let size = 0;
  for (let i = 0; ; i++) {
    const byte = reader.u8();
    size = size * 128 + (byte & 127);
    if (byte < 128) break;
    if (i === 3) throw new FormatError("isobmff", "a descriptor size of more than 4 bytes", at);
  }
  if (tag !== wantedTag) throw new FormatError("isobmff", `descriptor ${tag} where ${wantedTag} is expected`, at);
  const start = reader.position;
  reader.skip(size);
  return new ByteReader(reader.bytes, start, start + size);
}

/** Reads the body of an esds box behind version and flags. */
export function parseEsds(body: Uint8Array): AudioConfig {
  const es = openDescriptor(new ByteReader(body), ES_DESCRIPTOR);
  es.skip(2);
  const flags = es.u8();
  if (flags & 0x80) es.skip(2);
  if (flags & 0x40) es.skip(es.u8());
  if (flags & 0x20) es.skip(2);
  const decoder = openDescriptor(es, DECODER_CONFIG_DESCRIPTOR);
  const objectType = decoder.u8();
  decoder.skip(12);
  if (objectType !== 0x40) {
    // Other object types (MP3 is 6B) carry everything in their own frames.
    const codec = `mp4a.${hex2(objectType).toUpperCase()}`;
    return { codec, channels: 0, sampleRateHz: 0, audioSpecificConfig: new Uint8Array() };
  }
  const specific = openDescriptor(decoder, DECODER_SPECIFIC_INFO);
  const audioSpecificConfig = specific.take(specific.remainingBytes);
  return { ...parseAudioSpecificConfig(audioSpecificConfig), audioSpecificConfig };
}

function parseAudioSpecificConfig(config: Uint8Array): Omit<AudioConfig, "audioSpecificConfig"> {
  let bit = 0;
  const read = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++, bit++) {
      const byte = config[bit >> 3];
      if (byte === undefined) throw new FormatError("isobmff", "AudioSpecificConfig ends early", config.length);
      value = value * 2 + ((byte >> (7 - (bit & 7))) & 1);
    }
    return value;
  };
  const objectType = (): number => {
    const type = read(5);
    return type === 31 ? 32 + read(6) : type;
  };
  const sampleRateHz = (): number => {
    const index = read(4);
    const rate = index === 15 ? read(24) : SAMPLE_RATES_HZ[index];
    if (!rate) throw new FormatError("isobmff", `AAC sampling frequency index ${index} is reserved`, bit >> 3);
    return rate;
  };
  const type = objectType();
  let rate = sampleRateHz();
  const channels = CHANNELS_BY_CONFIGURATION[read(4)] ?? 0;
  // Types 5 (SBR) and 29 (PS) announce the rate that comes out of the decoder, which is twice the core's.
  if (type === 5 || type === 29) rate = sampleRateHz();
  return { codec: `mp4a.40.${type}`, channels, sampleRateHz: rate };
}
