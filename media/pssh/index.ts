/**
 * Protection system specific headers (ISO/IEC 23001-7, 8.1):
 *
 *   pssh = FullBox SystemID(128) [version > 0: KID_count(32) KID(128)*] DataSize(32) Data
 *
 * with the data of three systems:
 *
 *   common     none (W3C "cenc" Initialization Data Format, section 4): the KIDs are the message
 *   Widevine   WidevinePsshData, a protobuf message: 2 key_ids, 3 provider, 4 content_id, 9 protection_scheme
 *   PlayReady  PlayReady Object: length(32) count(16) { type(16) length(16) value }*, little-endian; record 1 is the
 *              PlayReady Header (WRMHEADER) in UTF-16LE ("PlayReady Header Specification", version 4.3.0.0)
 *
 * KIDs are 32 lower-case hexadecimal digits everywhere; PlayReady's own order of bytes never leaves this file.
 */

import { FormatError } from "#media/format";
import { BinaryReader, BinaryWriter, protobufFields } from "./binary.ts";

export const SYSTEM_IDS = {
  common: "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b",
  widevine: "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
  playready: "9a04f079-9840-4286-ab92-e65be0885f95",
  /** FairPlay has no pssh of its own: HLS signals it with a key URI. Its id stands in CPIX and in MPDs. */
  fairplay: "94ce86fb-07ff-4f43-adb8-93d2fa968ca2",
} as const;

const KIDS_MAX = 1024;
const BOXES_MAX = 64;
const DATA_BYTES_MAX = 1 << 20;

export interface Pssh {
  readonly version: 0 | 1;
  /** A UUID with hyphens, in lower case. */
  readonly systemId: string;
  /** Of the box itself (version 1); Widevine's and PlayReady's data name theirs once more. */
  readonly kids: readonly string[];
  readonly data: Uint8Array;
}

/** Reads one or more pssh boxes that follow each other, as moov and EME have them. Throws FormatError. */
export function parsePssh(bytes: Uint8Array): Pssh[] {
  const reader = new BinaryReader(bytes);
  const boxes: Pssh[] = [];
  while (reader.remainingBytes > 0) {
    if (boxes.length === BOXES_MAX) throw new FormatError("pssh", `more than ${BOXES_MAX} boxes`, reader.position);
    const start = reader.position;
    const size = reader.u32();
    const type = reader.u32();
    if (type !== 0x70737368) throw new FormatError("pssh", "the box is not of type 'pssh'", start);
    if (size < 32 || size > bytes.length - start) {
      throw new FormatError("pssh", `the box claims ${size} bytes where ${bytes.length - start} are there`, start);
    }
    const body = new BinaryReader(bytes, reader.position, start + size);
    reader.take(size - 8);
    const version = body.u8();
    body.take(3);
    if (version > 1) throw new FormatError("pssh", `version ${version} is not 0 or 1`, start);
    const systemId = withHyphens(hexOf(body.take(16)));
    const kids: string[] = [];
    if (version === 1) {
      const count = body.u32();
      if (count > KIDS_MAX) throw new FormatError("pssh", `${count} KIDs, over ${KIDS_MAX}`, start);
      for (let i = 0; i < count; i++) kids.push(hexOf(body.take(16)));
    }
    const data = body.take(body.u32());
    if (body.remainingBytes > 0) throw new FormatError("pssh", "bytes are left behind the data", body.position);
    boxes.push({ version: version === 1 ? 1 : 0, systemId, kids, data });
  }
  return boxes;
}

/** One pssh box. */
export function writePssh(pssh: Pssh): Uint8Array {
  if (pssh.version === 0 && pssh.kids.length > 0) throw new FormatError("pssh", "version 0 has no room for KIDs");
  if (pssh.data.length > DATA_BYTES_MAX) throw new FormatError("pssh", `data of ${pssh.data.length} bytes`);
  const systemId = pssh.systemId.replaceAll("-", "");
  const writer = new BinaryWriter();
  writer.u32(32 + (pssh.version === 1 ? 4 + 16 * pssh.kids.length : 0) + pssh.data.length);
  writer.u32(0x70737368);
  writer.u32(pssh.version << 24);
  writer.bytes(hexBytes(systemId, "system id"));
  if (pssh.version === 1) {
    writer.u32(checkKids(pssh.kids).length);
    for (const kid of pssh.kids) writer.bytes(hexBytes(kid, "KID"));
  }
  writer.u32(pssh.data.length);
  writer.bytes(pssh.data);
  return writer.finish();
}

/** W3C common box: version 1, all KIDs, no data. ClearKey and others read it. */
export function commonPssh(kids: readonly string[]): Uint8Array {
  return writePssh({ version: 1, systemId: SYSTEM_IDS.common, kids: checkKids(kids), data: new Uint8Array() });
}

export interface WidevineData {
  readonly kids: readonly string[];
  readonly provider?: string;
  readonly contentId?: Uint8Array;
  /** A four-character scheme; ours is always `cbcs`. */
  readonly protectionScheme?: string;
}

/** Field numbers of WidevinePsshData. */
const WIDEVINE_KEY_ID = 2;
const WIDEVINE_PROVIDER = 3;
const WIDEVINE_CONTENT_ID = 4;
const WIDEVINE_PROTECTION_SCHEME = 9;

/** Reads WidevinePsshData; fields that we do not know are passed over. */
export function parseWidevineData(data: Uint8Array): WidevineData {
  const kids: string[] = [];
  let provider: string | undefined;
  let contentId: Uint8Array | undefined;
  let protectionScheme: string | undefined;
  for (const field of protobufFields(data)) {
    if (typeof field.value === "number") {
      if (field.number === WIDEVINE_PROTECTION_SCHEME) protectionScheme = schemeName(field.value);
    } else if (field.number === WIDEVINE_KEY_ID) {
      if (field.value.length !== 16) throw new FormatError("pssh", `a Widevine key id of ${field.value.length} bytes`);
      if (kids.length === KIDS_MAX) throw new FormatError("pssh", `more than ${KIDS_MAX} Widevine key ids`);
      kids.push(hexOf(field.value));
    } else if (field.number === WIDEVINE_PROVIDER) {
      provider = new TextDecoder().decode(field.value);
    } else if (field.number === WIDEVINE_CONTENT_ID) {
      contentId = field.value;
    }
  }
  return {
    kids,
    ...(provider === undefined ? {} : { provider }),
    ...(contentId === undefined ? {} : { contentId }),
    ...(protectionScheme === undefined ? {} : { protectionScheme }),
  };
}

export function writeWidevineData(content: WidevineData): Uint8Array {
  const writer = new BinaryWriter();
  const writeBytes = (number: number, value: Uint8Array) => {
    writer.varint(number * 8 + 2);
    writer.varint(value.length);
    writer.bytes(value);
  };
  for (const kid of content.kids) writeBytes(WIDEVINE_KEY_ID, hexBytes(kid, "KID"));
  if (content.provider !== undefined) writeBytes(WIDEVINE_PROVIDER, new TextEncoder().encode(content.provider));
  if (content.contentId !== undefined) writeBytes(WIDEVINE_CONTENT_ID, content.contentId);
  if (content.protectionScheme !== undefined) {
    if (!/^[\x20-\x7e]{4}$/.test(content.protectionScheme)) {
      throw new FormatError("pssh", `protection scheme '${content.protectionScheme}' is not four characters`);
    }
    writer.varint(WIDEVINE_PROTECTION_SCHEME * 8);
    writer.varint(new DataView(new TextEncoder().encode(content.protectionScheme).buffer).getUint32(0));
  }
  return writer.finish();
}

/** Widevine box: version 0, as every Widevine client reads it, for scheme cbcs. */
export function widevinePssh(content: Omit<WidevineData, "protectionScheme">): Uint8Array {
  const data = writeWidevineData({ ...content, kids: checkKids(content.kids), protectionScheme: "cbcs" });
  return writePssh({ version: 0, systemId: SYSTEM_IDS.widevine, kids: [], data });
}

export interface PlayReadyContent {
  readonly kids: readonly string[];
  /** LA_URL: where licences are asked for when the application does not say. */
  readonly licenseUrl?: string;
}

export interface PlayReadyObject extends PlayReadyContent {
  /** Of the header, such as `4.3.0.0`. */
  readonly version: string;
  /** ALGID of its first key, such as `AESCBC`; absent where the header has none. */
  readonly algorithm?: string;
  /** The WRMHEADER document itself. */
  readonly header: string;
}

const PLAYREADY_HEADER_RECORD = 1;
const WRM_NAMESPACE = "http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader";

/** A PlayReady Object with a 4.3.0.0 header, whose AESCBC stands for scheme cbcs; base64 of it is an MPD's `mspr:pro`. */
export function playReadyObject({ kids, licenseUrl }: PlayReadyContent): Uint8Array {
  const keys = checkKids(kids)
    .map((kid) => `<KID ALGID="AESCBC" VALUE="${swapGuid(hexBytes(kid, "KID")).toString("base64")}"></KID>`)
    .join("");
  const url = licenseUrl === undefined ? "" : `<LA_URL>${escapeXml(licenseUrl)}</LA_URL>`;
  const header =
    `<WRMHEADER xmlns="${WRM_NAMESPACE}" version="4.3.0.0">` +
    `<DATA><PROTECTINFO><KIDS>${keys}</KIDS></PROTECTINFO>${url}</DATA></WRMHEADER>`;
  const text = Buffer.from(header, "utf16le");
  if (text.length > 0xffff) throw new FormatError("pssh", `a PlayReady header of ${text.length} bytes, over 65535`);
  const object = Buffer.alloc(10 + text.length);
  object.writeUInt32LE(object.length, 0);
  object.writeUInt16LE(1, 4);
  object.writeUInt16LE(PLAYREADY_HEADER_RECORD, 6);
  object.writeUInt16LE(text.length, 8);
  object.set(text, 10);
  return new Uint8Array(object);
}

/** What an MPD's `mspr:pro` element holds. */
export function playReadyProBase64(content: PlayReadyContent): string {
  return Buffer.from(playReadyObject(content)).toString("base64");
}

export function playReadyPssh(content: PlayReadyContent): Uint8Array {
  return writePssh({ version: 0, systemId: SYSTEM_IDS.playready, kids: [], data: playReadyObject(content) });
}

/** Reads a PlayReady Object of header versions 4.0 to 4.3. */
export function parsePlayReadyObject(data: Uint8Array): PlayReadyObject {
  const reader = new BinaryReader(data);
  const length = reader.u32le();
  if (length !== data.length)
    throw new FormatError("pssh", `a PlayReady Object of ${length} in ${data.length} bytes`, 0);
  const records = reader.u16le();
  for (let i = 0; i < records; i++) {
    const type = reader.u16le();
    const value = reader.take(reader.u16le());
    if (type === PLAYREADY_HEADER_RECORD) return parseWrmHeader(new TextDecoder("utf-16le").decode(value));
  }
  throw new FormatError("pssh", "the PlayReady Object has no header record");
}

/**
 * The header is small and its elements never nest in themselves, so that patterns without backtracking read it: 4.0 has
 * `<KID>base64</KID>`, later versions `<KID VALUE="base64" ALGID="…">`.
 */
function parseWrmHeader(header: string): PlayReadyObject {
  const root = /<WRMHEADER\b[^<>]*>/.exec(header)?.[0];
  const version = root === undefined ? undefined : attribute(root, "version");
  if (version === undefined) throw new FormatError("pssh", "the PlayReady header has no WRMHEADER with a version");
  const kids: string[] = [];
  let algorithm = /<ALGID>([^<>]*)<\/ALGID>/.exec(header)?.[1];
  for (const [tag, text] of header.matchAll(/<KID\b[^<>]*>([^<>]*)/g)) {
    const base64 = attribute(tag, "VALUE") ?? text ?? "";
    const guid = Buffer.from(base64.trim(), "base64");
    if (guid.length !== 16) throw new FormatError("pssh", `PlayReady KID '${base64.slice(0, 64)}' is not 16 bytes`);
    if (kids.length === KIDS_MAX) throw new FormatError("pssh", `more than ${KIDS_MAX} PlayReady KIDs`);
    kids.push(swapGuid(guid).toString("hex"));
    algorithm ??= attribute(tag, "ALGID");
  }
  const licenseUrl = /<LA_URL>([^<>]*)<\/LA_URL>/.exec(header)?.[1];
  return {
    version,
    header,
    kids,
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(licenseUrl === undefined ? {} : { licenseUrl: unescapeXml(licenseUrl) }),
  };
}

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`)
    .exec(tag)
    ?.slice(1)
    .find((value) => value !== undefined);
}

/** Between the order of RFC 4122 and that of a Windows GUID, whose first three fields are little-endian. */
function swapGuid(bytes: Uint8Array): Buffer {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return Buffer.from(order.map((index) => bytes[index] ?? 0));
}

function checkKids(kids: readonly string[]): readonly string[] {
  if (kids.length === 0 || kids.length > KIDS_MAX) {
    throw new FormatError("pssh", `${kids.length} KIDs; 1 to ${KIDS_MAX} are allowed`);
  }
  return kids;
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function withHyphens(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function hexBytes(hex: string, name: string): Uint8Array {
  if (!/^[0-9a-f]{32}$/.test(hex)) {
    throw new FormatError("pssh", `${name} '${hex.slice(0, 64)}' is not 32 lower-case hexadecimal digits`);
  }
  return Buffer.from(hex, "hex");
}

function schemeName(code: number): string {
  return String.fromCharCode((code >>> 24) & 255, (code >>> 16) & 255, (code >>> 8) & 255, code & 255);
}

const XML_ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => XML_ENTITIES[character] ?? character);
}

function unescapeXml(text: string): string {
  const characters: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => characters[name] ?? "");
}
