import { problem } from "#kernel/errors";

const KEY_BYTES_MAX = 1024;
/** A file's name may have 255 bytes everywhere; folders carry a mark. */
const PART_BYTES_MAX = 254;

/** Throws `invalid_argument` for a key that is not `[A-Za-z0-9._-]` parts with slashes between them. */
export function assertKey(key: string): void {
  const isPlain = key.length <= KEY_BYTES_MAX && /^[A-Za-z0-9._/-]+$/.test(key);
  const areParts =
    isPlain &&
    key.split("/").every((part) => part !== "" && part !== "." && part !== ".." && part.length <= PART_BYTES_MAX);
  if (!areParts) {
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
