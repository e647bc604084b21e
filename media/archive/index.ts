/**
 * Single files out of archives, as package registries hand them out. Both read names as they are and write nothing.
 *
 *   zip: APPNOTE.TXT 6.3.10, 4.3: end of central directory, central directory headers, local headers; stored (0) or deflated (8), without zip64
 *   tar: POSIX.1-2017 ustar, 512-byte headers, inside gzip (RFC 1952)
 */
import { constants, gunzipSync, inflateRawSync } from "node:zlib";
import { FormatError } from "#media/format";

const FILE_BYTES_MAX = 512 * 1024 * 1024;
const TAR_BYTES_MAX = 1024 * 1024 * 1024;
const ENTRIES_MAX = 20_000;
const BLOCK = 512;
const END_SIGNATURE = 0x06054b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;

/** The files of these names; those that the archive does not have are left out. */
export function readZip(archive: Uint8Array, names: ReadonlySet<string>): Map<string, Uint8Array> {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const fault = (what: string, at?: number): never => {
    throw new FormatError("zip", what, at);
  };
  let end = archive.byteLength - END_BYTES;
  const first = Math.max(0, end - COMMENT_BYTES_MAX);
  while (end >= first && view.getUint32(end, true) !== END_SIGNATURE) end -= 1;
  if (end < first) fault("there is no end of a central directory");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const found = new Map<string, Uint8Array>();
  for (let entry = 0; entry < Math.min(count, ENTRIES_MAX); entry += 1) {
    if (at + 46 > archive.byteLength || view.getUint32(at, true) !== CENTRAL_SIGNATURE)
      fault("the central directory is damaged", at);
    const method = view.getUint16(at + 10, true);
    const packed = view.getUint32(at + 20, true);
    const size = view.getUint32(at + 24, true);
    const lengths = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const [nameLength = 0, extraLength = 0, commentLength = 0] = lengths;
    const local = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(archive.subarray(at + 46, at + 46 + nameLength));
    at += 46 + nameLength + extraLength + commentLength;
    if (!names.has(name)) continue;
    if (size > FILE_BYTES_MAX) fault(`'${name}' has ${size} bytes, more than ${FILE_BYTES_MAX}`);
    if (local + 30 > archive.byteLength) fault(`'${name}' begins beyond the end`, local);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + packed > archive.byteLength) fault(`'${name}' goes beyond the end`, start);
    const bytes = archive.subarray(start, start + packed);
    if (method !== 0 && method !== 8) fault(`'${name}' is packed by method ${method}`, local);
    found.set(name, method === 0 ? bytes : inflateRawSync(bytes, { maxOutputLength: size || 1 }));
  }
  return found;
}

/** The same of a gzipped tar. */
export function readTarGz(archive: Uint8Array, names: ReadonlySet<string>): Map<string, Uint8Array> {
  const tar = gunzipSync(archive, { maxOutputLength: TAR_BYTES_MAX, finishFlush: constants.Z_SYNC_FLUSH });
  const found = new Map<string, Uint8Array>();
  const text = (at: number, length: number): string =>
    new TextDecoder().decode(tar.subarray(at, at + length)).replace(/\0[\s\S]*$/, "");
  for (let at = 0, entry = 0; at + BLOCK <= tar.byteLength && entry < ENTRIES_MAX; entry += 1) {
    const prefix = text(at + 345, 155);
    const name = `${prefix === "" ? "" : `${prefix}/`}${text(at, 100)}`;
    if (name === "") break;
    const size = Number.parseInt(text(at + 124, 12).trim() || "0", 8);
    if (!(size >= 0) || at + BLOCK + size > tar.byteLength)
      throw new FormatError("tar", `'${name.slice(0, 100)}' goes beyond the end`, at);
    if (names.has(name)) found.set(name, tar.subarray(at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return found;
}
