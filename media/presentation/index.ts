/**
 * The presentation: what one package of a title contains, as data. The packager writes it once (as JSON, next to the
 * segments); the HLS and DASH writers turn it into manifests at request time. "Presentation" is DASH's word
 * (ISO/IEC 23009-1, 3.1.25: a collection of data that establishes a bounded or unbounded media presentation).
 *
 * Addresses (ARCH-001 section 5, "Segment Naming Convention", with a package revision that is never reused):
 *   /vod/{contentId}/r{revision}/{profile}/init.mp4
 *   /vod/{contentId}/r{revision}/{profile}/seg-0000001.m4s        the first segment has number 1
 */

/** The usage classes of content keys (CPIX usage rules): one key each per title. SD reaches up to 576 lines, HD up to 1080, UHD above. */
export type KeyClass = "AUDIO" | "SD" | "HD" | "UHD";

export interface IFrame {
  /** Where the movie fragment that starts with this frame begins in the segment, in bytes. */
  readonly offsetBytes: number;
  /** Bytes from there to the end of the frame's sample: an I-frame playlist's byte range. */
  readonly sizeBytes: number;
  /** Presentation time from the start of the segment, in the track's timescale. */
  readonly timeTicks: number;
  /** The time until the next I-frame of the track, in the track's timescale. */
  readonly durationTicks: number;
}

export interface Segment {
  readonly durationTicks: number;
  readonly sizeBytes: number;
  /** Video only: the random access points of the segment, in order. */
  readonly iframes?: readonly IFrame[];
}

/** Where a track lies that is shown in another's presentation, or in pieces of its own (see slice.ts). */
export interface TrackPlace {
  /** What is left out before the first segment. */
  readonly skippedSegments: number;
  readonly skippedTicks: number;
  /** From the folder of the manifest's package to that of the track's: empty for the same, else with a `/` at the end. */
  readonly base: string;
}

interface TrackBase {
  /** Absent where the track is whole and lies beside its manifest, as in every index. */
  readonly place?: TrackPlace;
  /** The folder of the track's segments and its name in manifests, such as `720p-h264` or `audio-en`. */
  readonly profile: string;
  /** RFC 6381 codecs string, such as `avc1.64001f`, `hvc1.1.6.L93.B0`, `mp4a.40.2`. */
  readonly codec: string;
  readonly timescale: number;
  readonly bandwidthAverageBps: number;
  readonly bandwidthPeakBps: number;
  /** Lower-case hexadecimal key id, 32 digits, or null where the track is clear. */
  readonly kid: string | null;
  readonly segments: readonly Segment[];
}

export interface VideoTrack extends TrackBase {
  readonly kind: "video";
  readonly width: number;
  readonly height: number;
  /** Frames a second as a fraction, such as [24000, 1001]. */
  readonly frameRate: readonly [number, number];
}

export interface AudioTrack extends TrackBase {
  readonly kind: "audio";
  /** BCP 47; `und` where the source does not say. */
  readonly language: string;
  /** What a person reads in a menu, such as `English` or `Deutsch (5.1)`. */
  readonly label: string;
  readonly channels: number;
  readonly sampleRateHz: number;
  readonly isDefault: boolean;
}

export interface TextTrack {
  readonly kind: "text";
  /** As that of other tracks, in milliseconds. */
  readonly place?: TrackPlace;
  /** The folder of the track's WebVTT segments, such as `text-en`; segments are `seg-0000001.vtt`. */
  readonly profile: string;
  readonly language: string;
  readonly label: string;
  readonly role: "subtitles" | "captions" | "forced";
  /** Segment durations in seconds; together they cover the presentation. */
  readonly segmentDurationsS: readonly number[];
}

/** JPEG tiles of small pictures, for scrubbing (DASH-IF IOP "tiled thumbnails"; HLS EXT-X-IMAGE-STREAM-INF, Roku). */
export interface ThumbnailTrack {
  /** The folder of the tiles, such as `thumbs`; tiles are `tile-0000001.jpg`. */
  readonly profile: string;
  readonly columns: number;
  readonly rows: number;
  /** Size of one small picture, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly intervalS: number;
  readonly tileCount: number;
  readonly bandwidthBps: number;
}

export interface Chapter {
  /** Within the presentation; chapters stand in the order of their starts. */
  readonly startS: number;
  /** May be empty. */
  readonly title: string;
}

export interface PresentationKey {
  readonly kid: string;
  readonly keyClass: KeyClass;
  /** The constant initialisation vector, 32 lower-case hexadecimal digits. It is no secret: `tenc` and HLS carry it. */
  readonly ivHex: string;
}

export interface Presentation {
  readonly contentId: string;
  /** Part of every address of the package; a package that changed gets a new one. */
  readonly revision: number;
  /** Grows when rungs join a package that plays already; segments keep their addresses. */
  readonly indexVersion: number;
  readonly durationS: number;
  readonly keys: readonly PresentationKey[];
  readonly video: readonly VideoTrack[];
  readonly audio: readonly AudioTrack[];
  readonly text: readonly TextTrack[];
  readonly thumbnails: ThumbnailTrack | null;
  /** Absent where the source has none, and from indexes that are older than chapters. */
  readonly chapters?: readonly Chapter[];
  /** Segments, counted from 0, before which something is missing: of a recording, what its channel did not make. Absent where nothing is. */
  readonly gapsBefore?: readonly number[];
}

/** `seg-0000001.m4s` for 1. Throws RangeError unless the number is a positive integer of at most seven digits. */
export function segmentName(number: number, extension: "m4s" | "vtt" = "m4s"): string {
  if (!Number.isInteger(number) || number < 1 || number > 9_999_999) {
    throw new RangeError(`segment number ${number} is not an integer from 1 to 9999999`);
  }
  return `seg-${String(number).padStart(7, "0")}.${extension}`;
}

/** `tile-0000001.jpg` for 1. */
export function tileName(number: number): string {
  if (!Number.isInteger(number) || number < 1 || number > 9_999_999) {
    throw new RangeError(`tile number ${number} is not an integer from 1 to 9999999`);
  }
  return `tile-${String(number).padStart(7, "0")}.jpg`;
}

export { audioLike, videoLike } from "./like.ts";
export { placePresentation, slicePresentation } from "./slice.ts";

/** The folder of a package, without a leading slash: `vod/{contentId}/r{revision}`. */
export function packageFolder(contentId: string, revision: number): string {
  return `vod/${contentId}/r${revision}`;
}

export {
  isSamePlace,
  LIVE_SEGMENT_S,
  liveGrid,
  type LiveGrid,
  type LivePlace,
  liveSegmentName,
  partFrames,
  placeOf,
} from "./live.ts";

/** The class of content key by picture size: the same limits as the usage rules of our CPIX documents. */
const SD_PIXELS_MAX = 1_024 * 576;
const HD_PIXELS_MAX = 1_920 * 1_088;
export function keyClassOf(width: number, height: number): KeyClass {
  const pixels = width * height;
  if (pixels <= SD_PIXELS_MAX) return "SD";
  return pixels <= HD_PIXELS_MAX ? "HD" : "UHD";
}
