/**
 * Low-latency live playlists (draft-pantos-hls-rfc8216bis, sections 4.4.3.8 to 4.4.5.4 and appendix B), written from what a channel
 * has. Segments have the numbers of #media/presentation, so that a media sequence number is a place in time:
 *
 *   {track}/index.m3u8   seg-{number}.m4s   seg-{number}.{part}.m4s   {init}
 *
 * Absent on purpose: byte ranges for parts, EXT-X-DEFINE, rendition reports by pathway.
 */

import { liveSegmentName } from "#media/presentation";
import type { DrmByKid } from "./drm.ts";
import { attributes, keyLines, quoted } from "./tags.ts";

export interface LivePartEntry {
  readonly durationS: number;
  readonly isIndependent: boolean;
}

export interface LiveSegmentEntry {
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly durationS: number;
  /** Parts of segments near the live edge; empty where they are not offered any more. */
  readonly parts: readonly LivePartEntry[];
  /** Whether the segment is whole; only the last one may still grow. */
  readonly isWhole: boolean;
  readonly isGap: boolean;
  /** How many times the channel's timeline broke before it. A segment with another serial than the one before begins anew. */
  readonly runSerial: number;
  /** Where it is, if not beside the playlist under its number's name. */
  readonly uri?: string;
  /** The file of the CMAF header; null of a gap where none was ever written. */
  readonly init: string | null;
  /** Key id and constant initialisation vector, or null where it is clear. */
  readonly key: { readonly kid: string; readonly ivHex: string } | null;
}

export interface LiveDateRange {
  readonly id: string;
  readonly startMs: number;
  readonly durationS?: number;
  readonly plannedDurationS?: number;
  /** Further attributes, already in the form of the playlist: `SCTE35-OUT` → `0xFC…`. */
  readonly more?: Readonly<Record<string, string>>;
}

export interface LivePlaylist {
  /** Oldest first, numbers without holes: what is missing is a gap. */
  readonly segments: readonly LiveSegmentEntry[];
  readonly targetDurationS: number;
  /** The longest part; null for a channel without parts. */
  readonly partTargetS: number | null;
  /** What the encoder makes next, with its header and key: players read it as they read what is there. */
  readonly hint: (Pick<LiveSegmentEntry, "number" | "init" | "key"> & { readonly part: number }) | null;
  /** Where the other renditions are, as their playlists' addresses from this one. */
  readonly reports: readonly { readonly uri: string; readonly number: number; readonly part: number | null }[];
  readonly dateRanges?: readonly LiveDateRange[];
  readonly drm: DrmByKid;
  /** Nothing will be added: a span of the past. */
  readonly isEnded?: boolean;
  /** It is one reader's own: requests do not wait for what is to come, and each has the whole. */
  readonly isOwn?: boolean;
}

export interface LivePlaylistOptions {
  /** A delta update: older segments are told by their count (section 4.4.5.2). */
  readonly skip?: boolean;
}

/** Six target durations are the least that section 4.4.3.8 allows. */
const SKIP_TARGETS = 6;
/** Section 4.4.4.9: parts are of use within three target durations of the end. */
const PART_TARGETS = 3;
const HOLD_BACK_TARGETS = 3;
/** A date every minute is enough for a player that lost its place; each break has one of its own. */
const DATE_SEGMENTS = 30;

/** The playlist's text. Throws RangeError for a playlist without segments, and where nothing is known of a key. */
export function writeLivePlaylist(playlist: LivePlaylist, options: LivePlaylistOptions = {}): string {
  const first = playlist.segments[0];
  if (first === undefined) throw new RangeError("a live playlist has at least one segment");
  const skipped = options.skip === true ? countSkipped(playlist) : 0;
  let text = header(playlist, first);
  if (skipped > 0) text += `#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}\n`;
  const partsFrom = firstWithParts(playlist);
  for (const [offset, segment] of playlist.segments.slice(skipped).entries()) {
    const before = playlist.segments[skipped + offset - 1];
    // What is in force behind skipped segments is told again: players differ in what they remember.
    text += segmentHead(segment, before, offset === 0 ? undefined : before, playlist);
    text += segmentBody(segment, skipped + offset >= partsFrom && playlist.partTargetS !== null);
  }
  for (const range of playlist.dateRanges ?? []) text += `${dateRange(range)}\n`;
  if (playlist.isEnded === true) return `${text}#EXT-X-ENDLIST\n`;
  return text + hintAndReports(playlist);
}

function header(playlist: LivePlaylist, first: LiveSegmentEntry): string {
  const { targetDurationS, partTargetS, isEnded, isOwn } = playlist;
  const lines = ["#EXTM3U", "#EXT-X-VERSION:9", `#EXT-X-TARGETDURATION:${targetDurationS}`];
  const holdBack = { "HOLD-BACK": (targetDurationS * HOLD_BACK_TARGETS).toFixed(1) };
  if (isEnded === true) {
    lines.push("#EXT-X-PLAYLIST-TYPE:VOD");
  } else if (isOwn === true) {
    // Said, although it is what section 4.4.3.8 means where it is not: Shaka takes the last three segments for it, however short they are.
    lines.push(attributes("#EXT-X-SERVER-CONTROL", holdBack));
  } else {
    const control = attributes("#EXT-X-SERVER-CONTROL", {
      "CAN-BLOCK-RELOAD": "YES",
      "CAN-SKIP-UNTIL": (targetDurationS * SKIP_TARGETS).toFixed(1),
      "PART-HOLD-BACK": partTargetS === null ? undefined : (partTargetS * HOLD_BACK_TARGETS).toFixed(3),
      ...holdBack,
    });
    lines.push(control);
    if (partTargetS !== null) lines.push(`#EXT-X-PART-INF:PART-TARGET=${partTargetS.toFixed(3)}`);
  }
  lines.push("#EXT-X-INDEPENDENT-SEGMENTS", `#EXT-X-MEDIA-SEQUENCE:${first.number}`);
  if (first.runSerial > 0) lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${first.runSerial}`);
  return `${lines.join("\n")}\n`;
}

/** The segments before the skip boundary. At least one stays, and so does whatever has parts. */
function countSkipped({ segments, targetDurationS }: LivePlaylist): number {
  let leftS = 0;
  let index = segments.length;
  while (index > 0 && leftS < targetDurationS * SKIP_TARGETS) {
    index--;
    leftS += segments[index]?.durationS ?? 0;
  }
  return index;
}

/** The last segment always has its parts; others while they lie within the last three target durations. */
function firstWithParts({ segments, targetDurationS }: LivePlaylist): number {
  let index = segments.length - 1;
  let endS = segments[index]?.durationS ?? 0;
  while (index > 0) {
    endS += segments[index - 1]?.durationS ?? 0;
    if (endS > targetDurationS * PART_TARGETS) break;
    index--;
  }
  return index;
}

/** What stands before a segment's own lines. `written` is the one that this text has before it, if it has one. */
function segmentHead(
  segment: LiveSegmentEntry,
  before: LiveSegmentEntry | undefined,
  written: LiveSegmentEntry | undefined,
  { drm }: LivePlaylist,
): string {
  let text = "";
  const isBroken = before !== undefined && before.runSerial !== segment.runSerial;
  if (isBroken) text += "#EXT-X-DISCONTINUITY\n";
  text += mapAndKey(segment, written, drm);
  if (written === undefined || isBroken || segment.number % DATE_SEGMENTS === 0)
    text += `#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startMs).toISOString()}\n`;
  return text;
}

/** The header and the key, where they are not in force already. */
function mapAndKey(
  { init, key }: Pick<LiveSegmentEntry, "init" | "key">,
  written: Pick<LiveSegmentEntry, "init" | "key"> | undefined,
  drm: DrmByKid,
): string {
  const isNewMap = init !== null && init !== written?.init;
  const map = isNewMap ? `#EXT-X-MAP:URI=${quoted(init)}\n` : "";
  if (key === null || (!isNewMap && key.kid === written?.key?.kid)) return map;
  const signalling = drm.get(key.kid);
  if (signalling === undefined) throw new RangeError(`nothing is known of key ${key.kid}: pass its signalling`);
  return `${map}${keyLines("#EXT-X-KEY", key.kid, key.ivHex, signalling).join("\n")}\n`;
}

function segmentBody(segment: LiveSegmentEntry, hasParts: boolean): string {
  let text = "";
  if (hasParts && !segment.isGap) {
    for (const [part, { durationS, isIndependent }] of segment.parts.entries()) {
      const independent = isIndependent ? ",INDEPENDENT=YES" : "";
      text += `#EXT-X-PART:DURATION=${durationS.toFixed(5)},URI="${liveSegmentName(segment.number, part)}"${independent}\n`;
    }
  }
  if (!segment.isWhole) return text;
  if (segment.isGap) text += "#EXT-X-GAP\n";
  return `${text}#EXTINF:${segment.durationS.toFixed(5)},\n${segment.uri ?? liveSegmentName(segment.number)}\n`;
}

function hintAndReports({ hint, reports, partTargetS, segments, drm }: LivePlaylist): string {
  let text = "";
  // A part under a new key is fetched before any segment with that key is listed.
  if (hint !== null && partTargetS !== null)
    text += `${mapAndKey(hint, segments.at(-1), drm)}#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${liveSegmentName(hint.number, hint.part)}"\n`;
  for (const { uri, number, part } of reports) {
    const last = part === null ? "" : `,LAST-PART=${part}`;
    text += `#EXT-X-RENDITION-REPORT:URI=${quoted(uri)},LAST-MSN=${number}${last}\n`;
  }
  return text;
}

function dateRange({ id, startMs, durationS, plannedDurationS, more }: LiveDateRange): string {
  return attributes("#EXT-X-DATERANGE", {
    ID: quoted(id),
    "START-DATE": quoted(new Date(startMs).toISOString()),
    DURATION: durationS?.toFixed(3),
    "PLANNED-DURATION": plannedDurationS?.toFixed(3),
    ...more,
  });
}
