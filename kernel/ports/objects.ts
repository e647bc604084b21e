import type { Readable } from "node:stream";
import type { Stateful } from "./state.ts";

/**
 * The object port, after S3: flat keys with slashes, whole-object writes that appear at once or not at all, ranges.
 * Keys are at most 1,024 bytes of `[A-Za-z0-9._/-]` without empty, `.` or `..` parts; anything else is `invalid_argument`.
 * A key may be the beginning of others; S3 servers that keep objects as files refuse it (`failed_precondition`), so that
 * services had better not rely on it.
 */
export interface Objects extends Stateful {
  /** Writes an object. With `exclusive`, `already_exists` when the key is taken (S3: If-None-Match: *). */
  put(
    key: string,
    body: Uint8Array | Readable,
    options?: { readonly exclusive?: boolean; readonly contentType?: string },
  ): Promise<void>;
  /** Moves or copies a local file in; where it can, without copying the bytes. */
  putFile(key: string, path: string, options?: { readonly move?: boolean }): Promise<void>;
  /** The bytes, or a part of them; `not_found` when the key is free. */
  get(key: string, range?: ByteRange): Promise<Uint8Array>;
  /** The same as a stream, for objects that do not belong in memory. */
  stream(key: string, range?: ByteRange): Promise<Readable>;
  head(key: string): Promise<ObjectInfo | undefined>;
  /** Keys in order below a prefix, at most `keysMax` after `after`. */
  list(prefix: string, options: { readonly keysMax: number; readonly after?: string }): Promise<readonly ObjectInfo[]>;
  /** Deletes keys; missing ones are no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** Deletes everything below a prefix that ends with a slash; returns how many. */
  deletePrefix(prefix: string): Promise<number>;
  /** The address by which other programs know the object, such as `s3://bucket/key` or `file:///…`, unescaped; whether it exists is not asked. */
  uri(key: string): string;
  /** A path on this machine with the object's bytes, valid until `use` settles; where objects are files, no copy is made. */
  withFile<T>(key: string, use: (path: string) => Promise<T>): Promise<T>;
}

export interface ByteRange {
  readonly startBytes: number;
  /** The last byte's position, included, as in HTTP. */
  readonly endBytes: number;
}

export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}
