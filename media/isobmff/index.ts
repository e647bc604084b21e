/**
 * ISO base media files as ffmpeg writes them in fragments, and CMAF as players read them (ISO/IEC 14496-12, 23000-19).
 *
 * Absent on purpose: progressive files (sample tables), several sample entries in a track, several tracks in a segment.
 */

export { findBox, makeBox, makeFullBox, readBoxes, childBoxes, boxBody, concatBytes, type Box } from "./box.ts";
export { ByteReader, ByteWriter } from "./bytes.ts";
export { parseAvcConfig, parseEsds, parseHevcConfig, type AudioConfig, type NalConfig } from "./codec.ts";
export {
  parseFragments,
  totalDurationTicks,
  type Fragment,
  type FragmentOptions,
  type Sample,
  type SubsampleRange,
} from "./fragment.ts";
export {
  parseInit,
  parseTrackInit,
  writeInit,
  type AudioInit,
  type InitOptions,
  type MovieInit,
  type SampleDefaults,
  type TrackInit,
  type VideoInit,
} from "./init.ts";
export { groupSamples, segmentFragments, normaliseFragments, type NormaliseOptions } from "./timeline.ts";
export { chunkOf, writeSegment, type Chunk, type SegmentOptions, type WrittenSegment } from "./segment.ts";
export { createFragmentStream, type FragmentStream, type Streamed } from "./stream.ts";
