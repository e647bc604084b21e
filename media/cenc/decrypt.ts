/** The way back, for tests and for checking a package: clear samples of a CBCS segment. */

import { FormatError } from "#media/format";
import { type Fragment, parseFragments, parseTrackInit } from "#media/isobmff";
import { checkKeyAndIv, decryptRange } from "./cipher.ts";
import { readProtection } from "./protection.ts";

/**
 * The fragments of a segment with their samples decrypted, in a copy of the segment's bytes. Only scheme cbcs with a
 * constant initialisation vector is supported; a clear track comes back as it is.
 */
export function decryptSegment(init: Uint8Array, segment: Uint8Array, key: Uint8Array): Fragment[] {
  const track = parseTrackInit(init);
  const protection = readProtection(track);
  if (protection === null) return parseFragments(segment, track);
  if (protection.scheme !== "cbcs" || protection.perSampleIvBytes !== 0) {
    throw new FormatError(
      "cenc",
      `scheme '${protection.scheme}' with ${protection.perSampleIvBytes}-byte IVs is not cbcs`,
    );
  }
  const iv = protection.constantIv;
  checkKeyAndIv(key, iv);
  // Not slice(): of a Buffer that is a view, and the caller's segment would be decrypted in place.
  const bytes = new Uint8Array(segment);
  const fragments = parseFragments(bytes, track, { perSampleIvBytes: 0 });
  for (const fragment of fragments) {
    for (const [index, sample] of fragment.samples.entries()) {
      const subsamples = fragment.subsamples?.[index] ?? [];
      if (subsamples.length === 0) decryptRange(bytes, sample, key, iv, protection);
      let at = sample.offsetBytes;
      for (const { clearBytes, protectedBytes } of subsamples) {
        at += clearBytes;
        decryptRange(bytes, { offsetBytes: at, sizeBytes: protectedBytes }, key, iv, protection);
        at += protectedBytes;
      }
    }
  }
  return fragments;
}
