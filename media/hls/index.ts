/** HTTP Live Streaming: playlists written from a presentation, parsed from strangers, and sent out with a caller's query. */
export { type DrmByKid, drmOf, type DrmSignalling } from "./drm.ts";
export {
  type LiveDateRange,
  type LivePartEntry,
  type LivePlaylist,
  type LiveSegmentEntry,
  writeLivePlaylist,
} from "./live.ts";
export { type HlsBreak, readHlsBreaks } from "./markers.ts";
export { type HlsParseLimits, parseHls, parseMediaPlaylist, parseMultivariantPlaylist } from "./parse.ts";
export type {
  HlsByteRange,
  HlsKey,
  HlsMap,
  HlsPart,
  HlsRendition,
  HlsSegment,
  HlsVariant,
  MediaPlaylist,
  MultivariantPlaylist,
} from "./model.ts";
export { appendQueryToHls, prepareHls } from "./query.ts";
export { type HlsPiece, type TextPiece, writeSplicedPlaylist, writeSplicedSubtitles } from "./splice.ts";
export { compileTemplate, type QueryTemplate, splitUri, type TemplateOptions, type TemplatePiece } from "./template.ts";
export {
  HLS_NAMES,
  type HlsPathway,
  type MultivariantOptions,
  writeIFramePlaylist,
  writeImagePlaylist,
  writeMediaPlaylist,
  writeMultivariantPlaylist,
  writeSubtitlesPlaylist,
} from "./write.ts";
