import { type Problem, problem } from "#kernel/errors";
import type { ByteRange } from "#kernel/ports/objects";

const KEY_BYTES_MAX = 1024;
/** A file's name may have 255 bytes everywhere; folders carry a mark. */
const PART_BYTES_MAX = 254;
const KEYS_MAX = 10_000;
/** What `get` puts into memory at most; larger objects are streamed. */
const GET_BYTES_MAX = 256 * 1024 * 1024;

/** Whether a key is `[A-Za-z0-9._-]` parts with slashes between them. */
export function isKey(key: string): boolean {
  const isPlain = key.length <= KEY_BYTES_MAX && /^[A-Za-z0-9._/-]+$/.test(key);
  return (
    isPlain &&
    key.split("/").every((part) => part !== "" && part !== "." && part !== ".." && part.length <= PART_BYTES_MAX)
  );
}

/** Throws `invalid_argument` for what is no key. */
export function assertKey(key: string): void {
  if (!isKey(key)) {
    throw problem.invalid(
      `'${key.slice(0, 100)}' is no object key: use parts of letters, digits, '.', '_' and '-' with single slashes between them, at most ${KEY_BYTES_MAX} bytes`,
    );
  }
}

/** A prefix is the beginning of a key, or empty. */
export function assertPrefix(prefix: string): void {
  if (prefix === "") return;
  assertKey(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
}

/** Throws `invalid_argument` unless everything with this prefix is one folder. */
export function assertWholeFolder(prefix: string): void {
  assertPrefix(prefix);
  if (!prefix.endsWith("/"))
    throw problem.invalid(`'${prefix}' does not end with a slash: only whole folders can be deleted`);
}

export function assertKeysMax(keysMax: number): void {
  if (!Number.isSafeInteger(keysMax) || keysMax < 1 || keysMax > KEYS_MAX)
    throw problem.invalid(`keysMax is ${keysMax}: 1 to ${KEYS_MAX} are possible`);
}

export function assertFitsMemory(key: string, sizeBytes: number): void {
  if (sizeBytes > GET_BYTES_MAX)
    throw problem.invalid(`${sizeBytes} bytes of '${key}' do not belong in memory: read a range, or stream it`);
}

/** Whether a range is one, whatever the object's size. */
export function isRange({ startBytes, endBytes }: ByteRange): boolean {
  return (
    Number.isSafeInteger(startBytes) && Number.isSafeInteger(endBytes) && startBytes >= 0 && endBytes >= startBytes
  );
}

export function notInside(key: string, { startBytes, endBytes }: ByteRange, sizeBytes?: number): Problem {
  const known = sizeBytes === undefined ? "" : `, which has ${sizeBytes}`;
  return problem.invalid(`bytes ${startBytes}-${endBytes} are not in '${key}'${known}`, {
    reason: "range_not_satisfiable",
    details: sizeBytes === undefined ? {} : { sizeBytes },
  });
}
