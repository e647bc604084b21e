/**
 * Common Encryption, scheme cbcs (ISO/IEC 23001-7), and the track packager that applies it while it writes CMAF.
 *
 * Absent on purpose: schemes cenc, cens and cbc1, per-sample initialisation vectors, key rotation (sample groups seig).
 */

export { createAvcSliceParser } from "./avc.ts";
export { createCbcsEncryptor, type ByteRange, type CbcsEncryptor } from "./cipher.ts";
export { decryptSegment } from "./decrypt.ts";
export { createHevcSliceParser } from "./hevc.ts";
export {
  createSubsampleMapper,
  createTrackPackager,
  createTrackWriter,
  type PackagedSegment,
  type SubsampleMapper,
  type TrackPackager,
  type TrackPackagerOptions,
  type TrackProtection,
  type TrackWriter,
} from "./packager.ts";
export { readProtection, writeSinf, type Protection } from "./protection.ts";
export type { SliceParser } from "./slices.ts";
