/**
 * Digital programme insertion cues (ANSI/SCTE 35 2023): sections to objects and back, and the cues in them to HLS and DASH.
 *
 *   const info = decodeSpliceText("/DAqAAAAAAAAAP/wDwUAAHn+f8/+QubGOQAAAAAACgAIQ1VFSQAAAADizteX");
 *   cuesOf(info) → [{ id: "insert-31230", action: "out", pts: 1122420281, … }]
 */
export { type Cue, cuesOf, TICKS_PER_S } from "./cues.ts";
export { applySplice, endOf, type SpliceRange, writeDateRange } from "./daterange.ts";
export { decodeSplice } from "./decode.ts";
export { encodeSplice } from "./encode.ts";
export { SCHEME_BINARY, SCHEME_XML, type SpliceEvent, writeEventStream, writeSectionXml } from "./eventstream.ts";
export type {
  AudioComponent,
  DeliveryRestrictions,
  SegmentationDescriptor,
  SpliceCommand,
  SpliceDescriptor,
  SpliceInfo,
  SpliceInsert,
  Upid,
} from "./model.ts";
export { decodeSpliceText, sectionOfText } from "./text.ts";
export { readUpid, upidName, type UpidMeaning } from "./upid.ts";
