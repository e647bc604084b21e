/**
 * AES-128-CBC as scheme cbcs uses it (ISO/IEC 23001-7, 9.6 and 10.4): every protected range starts again from the constant
 * initialisation vector; a pattern of 1 encrypted and 9 clear blocks for video, every block for audio; what is left of
 * less than a block stays clear.
 *
 * A cipher object of node:crypto costs tens of microseconds to make and a microsecond to call, while a block costs ten
 * nanoseconds. So there is one object for each key, and it is called as seldom as the chaining allows:
 *
 * - Video: one call a range, with the range's blocks gathered. The object goes on chaining from its last ciphertext block,
 *   so the first block is XORed with (last ciphertext XOR initialisation vector), which is what a new object would see.
 * - Audio: samples are small and many, and they do not depend on each other. All first blocks are encrypted in one ECB
 *   call, then all second blocks, XORed with the ciphertext before: CBC of every sample, side by side.
 */

import { createCipheriv, createDecipheriv } from "node:crypto";
import { FormatError } from "#media/format";

const BLOCK_BYTES = 16;
/** One encrypted block and nine clear ones. */
export const VIDEO_PATTERN = { cryptBlocks: 1, skipBlocks: 9 } as const;
const VIDEO_STRIDE_BYTES = (VIDEO_PATTERN.cryptBlocks + VIDEO_PATTERN.skipBlocks) * BLOCK_BYTES;

export interface ByteRange {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface CbcsEncryptor {
  /** Encrypts 1 of 10 blocks of one range, in place. */
  encryptPattern(view: DataView, offsetBytes: number, sizeBytes: number): void;
  /** Encrypts all whole blocks of each range, in place. */
  encryptWhole(bytes: Uint8Array, ranges: readonly ByteRange[]): void;
}

export function checkKeyAndIv(key: Uint8Array, iv: Uint8Array): void {
  if (key.length !== BLOCK_BYTES) throw new FormatError("cenc", `a content key of ${key.length} bytes is not 16`);
  if (iv.length !== BLOCK_BYTES) throw new FormatError("cenc", `a constant IV of ${iv.length} bytes is not 16`);
}

export function createCbcsEncryptor(key: Uint8Array, iv: Uint8Array): CbcsEncryptor {
  checkKeyAndIv(key, iv);
  const cbc = createCipheriv("aes-128-cbc", key, new Uint8Array(BLOCK_BYTES)).setAutoPadding(false);
  const ecb = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  const ivView = viewOf(new Uint8Array(iv));
  /** Last ciphertext block of `cbc` XOR the initialisation vector; the object starts from zeros. */
  const reset = viewOf(new Uint8Array(iv));
  let scratch = new Uint8Array(64 * 1024);
  let gathered = viewOf(scratch);

  function reserve(sizeBytes: number): void {
    if (sizeBytes <= scratch.length) return;
    scratch = new Uint8Array(Math.max(sizeBytes, scratch.length * 2));
    gathered = viewOf(scratch);
  }

  function encryptPattern(view: DataView, offsetBytes: number, sizeBytes: number): void {
    if (sizeBytes < BLOCK_BYTES) return;
    const gatheredBytes = (Math.floor((sizeBytes - BLOCK_BYTES) / VIDEO_STRIDE_BYTES) + 1) * BLOCK_BYTES;
    reserve(gatheredBytes);
    for (let to = 0, from = offsetBytes; to < gatheredBytes; to += BLOCK_BYTES, from += VIDEO_STRIDE_BYTES) {
      copyBlock(view, from, gathered, to);
    }
    xorBlock(gathered, 0, reset, 0, gathered, 0);
    const out = viewOf(cbc.update(scratch.subarray(0, gatheredBytes)));
    for (let from = 0, to = offsetBytes; from < gatheredBytes; from += BLOCK_BYTES, to += VIDEO_STRIDE_BYTES) {
      copyBlock(out, from, view, to);
    }
    xorBlock(out, gatheredBytes - BLOCK_BYTES, ivView, 0, reset, 0);
  }

  function encryptWhole(bytes: Uint8Array, ranges: readonly ByteRange[]): void {
    const view = viewOf(bytes);
    // Longest first, so that the ranges that still have a block at any step are the first ones.
    const longestFirst = [...ranges].sort((a, b) => b.sizeBytes - a.sizeBytes);
    let width = longestFirst.length;
    let chain = ivView;
    let chainStrideBytes = 0;
    for (let stepBytes = 0; ; stepBytes += BLOCK_BYTES) {
      while (width > 0 && (longestFirst[width - 1]?.sizeBytes ?? 0) < stepBytes + BLOCK_BYTES) width--;
      if (width === 0) return;
      reserve(width * BLOCK_BYTES);
      for (let i = 0; i < width; i++) {
        const from = (longestFirst[i]?.offsetBytes ?? 0) + stepBytes;
        xorBlock(view, from, chain, i * chainStrideBytes, gathered, i * BLOCK_BYTES);
      }
      chain = viewOf(ecb.update(scratch.subarray(0, width * BLOCK_BYTES)));
      chainStrideBytes = BLOCK_BYTES;
      for (let i = 0; i < width; i++) {
        copyBlock(chain, i * BLOCK_BYTES, view, (longestFirst[i]?.offsetBytes ?? 0) + stepBytes);
      }
    }
  }

  return { encryptPattern, encryptWhole };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// Four words a block, spelled out: these two run once for every encrypted block of a film. The byte order does not matter
// as long as it is the same everywhere.

function copyBlock(from: DataView, fromBytes: number, to: DataView, toBytes: number): void {
  to.setInt32(toBytes, from.getInt32(fromBytes, true), true);
  to.setInt32(toBytes + 4, from.getInt32(fromBytes + 4, true), true);
  to.setInt32(toBytes + 8, from.getInt32(fromBytes + 8, true), true);
  to.setInt32(toBytes + 12, from.getInt32(fromBytes + 12, true), true);
}

function xorBlock(a: DataView, aBytes: number, b: DataView, bBytes: number, to: DataView, toBytes: number): void {
  to.setInt32(toBytes, a.getInt32(aBytes, true) ^ b.getInt32(bBytes, true), true);
  to.setInt32(toBytes + 4, a.getInt32(aBytes + 4, true) ^ b.getInt32(bBytes + 4, true), true);
  to.setInt32(toBytes + 8, a.getInt32(aBytes + 8, true) ^ b.getInt32(bBytes + 8, true), true);
  to.setInt32(toBytes + 12, a.getInt32(aBytes + 12, true) ^ b.getInt32(bBytes + 12, true), true);
}

/** Decrypts one protected range in place; `skipBlocks` 0 means that every block is encrypted. */
export function decryptRange(
  bytes: Uint8Array,
  range: ByteRange,
  key: Uint8Array,
  iv: Uint8Array,
  pattern: { readonly cryptBlocks: number; readonly skipBlocks: number },
): void {
  const decipher = createDecipheriv("aes-128-cbc", key, iv).setAutoPadding(false);
  const end = range.offsetBytes + range.sizeBytes;
  const strideBlocks = pattern.cryptBlocks + pattern.skipBlocks;
  let blocks = Math.floor(range.sizeBytes / BLOCK_BYTES);
  let at = range.offsetBytes;
  while (blocks > 0) {
    const crypt = pattern.skipBlocks === 0 ? blocks : Math.min(pattern.cryptBlocks, blocks);
    const piece = bytes.subarray(at, Math.min(at + crypt * BLOCK_BYTES, end));
    piece.set(decipher.update(piece));
    const advance = pattern.skipBlocks === 0 ? blocks : strideBlocks;
    at += advance * BLOCK_BYTES;
    blocks -= advance;
  }
}
