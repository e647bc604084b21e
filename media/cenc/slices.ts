/** What a CBCS packager must know of a codec's NAL units. */

export interface SliceParser {
  /**
   * Bytes from the NAL unit's first byte to the end of its slice header (rounded up to whole bytes), for a NAL unit with
   * coded slice data; null for every other NAL unit, which stays clear. Throws FormatError for a slice that cannot be
   * read, and for a parameter set that is not one of the track's own.
   */
  clearHeaderBytes(bytes: Uint8Array, start: number, end: number): number | null;
}

/** A NAL unit's bytes are those of one of the known parameter sets. */
export function isKnownParameterSet(
  known: readonly Uint8Array[],
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const size = end - start;
  return known.some((set) => {
    if (set.length !== size) return false;
    for (let i = 0; i < size; i++) if (set[i] !== bytes[start + i]) return false;
    return true;
  });
}
