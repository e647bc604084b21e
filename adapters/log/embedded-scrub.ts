import { fdatasyncSync, readSync, writeSync } from "node:fs";

/**
 * Zeros what pages of an SQLite file hold outside of their cells. `secure_delete` zeros a cell that is deleted, but where a page is built anew
 * (rows move between neighbours when one is split or merged) what stood in its unallocated space before stays there: copies of rows that the
 * table has elsewhere, or had.
 *
 * Rows lie in leaves of table b-trees, and on pages that hang on to them and hold nothing else (file format of SQLite, sections 1.6 and 1.7).
 */
const LEAF_OF_TABLE = 13;
const LEAF_HEADER_BYTES = 8;
const SLICE_BYTES = 32 * 1024 * 1024;

/**
 * A page that is no b-tree begins with a page's number of four bytes. While a file has fewer pages than this, none of them can look like a leaf,
 * whose first byte is 13.
 */
export const PAGES_MAX = 200_000_000;

/** Where a leaf's unallocated space lies, or undefined for any other page. */
function unallocatedOf(page: Buffer): readonly [from: number, to: number] | undefined {
  if (page[0] !== LEAF_OF_TABLE) return undefined;
  const from = LEAF_HEADER_BYTES + 2 * page.readUInt16BE(3);
  const to = page.readUInt16BE(5) || 65_536;
  return from <= to && to <= page.length ? [from, to] : undefined;
}

/**
 * Scrubs a slice of the database file `fd`, of which nothing newer may be in a write-ahead log or a cache. Returns where the next slice begins, or
 * undefined at the end.
 */
export function scrubSlice(fd: number, from: number, pageBytes: number): number | undefined {
  const slice = Buffer.alloc(SLICE_BYTES);
  const bytes = readSync(fd, slice, 0, SLICE_BYTES, from);
  for (let at = 0; at + pageBytes <= bytes; at += pageBytes) {
    const page = slice.subarray(at, at + pageBytes);
    const space = unallocatedOf(page);
    if (!space) continue;
    const [begin, end] = space;
    const unused = page.subarray(begin, end);
    if (unused.every((byte) => byte === 0)) continue;
    unused.fill(0);
    writeSync(fd, unused, 0, unused.length, from + at + begin);
  }
  fdatasyncSync(fd);
  return bytes < SLICE_BYTES ? undefined : from + bytes;
}
