/**
 * Playlists of one track in which pieces of several presentations follow each other (RFC 8216bis, section 4.4.4.3): each piece has its own
 * init segment, keys and clock, and an EXT-X-DISCONTINUITY before it.
 */
import { type AudioTrack, type Presentation, segmentName, type TextTrack, type VideoTrack } from "#media/presentation";
import type { DrmByKid } from "./drm.ts";
import { initAndKeys, vod } from "./write.ts";

/** A piece of the playlist: a track, whole or sliced, of a presentation. */
export interface HlsPiece {
  readonly presentation: Presentation;
  readonly track: VideoTrack | AudioTrack;
  readonly drm?: DrmByKid;
}

/** Throws RangeError where nothing is known of a track's key. */
export function writeSplicedPlaylist(pieces: readonly HlsPiece[]): string {
  let body = "";
  let longestS = 1;
  for (const { presentation, track, drm } of pieces.filter((piece) => piece.track.segments.length > 0)) {
    const base = track.place === undefined || track.place.base === "" ? "" : `../${track.place.base}${track.profile}/`;
    if (body !== "") body += "#EXT-X-DISCONTINUITY\n";
    // A key speaks for everything behind it, so that a clear piece has to take it back.
    if (track.kid === null) body += "#EXT-X-KEY:METHOD=NONE\n";
    body += initAndKeys(presentation, track, drm, base);
    track.segments.forEach(({ durationTicks }, index) => {
      const durationS = durationTicks / track.timescale;
      longestS = Math.max(longestS, durationS);
      body += `#EXTINF:${durationS.toFixed(6)},\n${base}${segmentName(index + 1 + (track.place?.skippedSegments ?? 0))}\n`;
    });
  }
  return vod(longestS, "", body);
}

/** A piece of a subtitles playlist: text of the title, or so many seconds in which there is none. */
export type TextPiece = { readonly track: TextTrack } | { readonly silentS: number };

/** Silence is a gap (section 4.4.4.7): a segment that is there by name alone, and that no player asks for. */
export function writeSplicedSubtitles(pieces: readonly TextPiece[]): string {
  let body = "";
  let longestS = 1;
  const add = (durationS: number, name: string, isGap: boolean): void => {
    longestS = Math.max(longestS, durationS);
    body += `${isGap ? "#EXT-X-GAP\n" : ""}#EXTINF:${durationS.toFixed(6)},\n${name}\n`;
  };
  for (const piece of pieces) {
    if (body !== "") body += "#EXT-X-DISCONTINUITY\n";
    if ("silentS" in piece) add(piece.silentS, segmentName(1, "vtt"), true);
    else {
      const { segmentDurationsS, place } = piece.track;
      segmentDurationsS.forEach((durationS, index) => {
        add(durationS, segmentName(index + 1 + (place?.skippedSegments ?? 0), "vtt"), false);
      });
    }
  }
  return vod(longestS, "", body);
}
