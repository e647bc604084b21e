/** Pieces of presentations, for manifests that put one into another. Segments stay where they are; only what is told of them changes. */
import type { AudioTrack, Presentation, TextTrack, TrackPlace, VideoTrack } from "./index.ts";

/**
 * The part of a presentation from one time to another, in seconds, which lie at edges of the video's segments. Tracks that were cut elsewhere
 * give what begins nearest. Pictures for scrubbing are left out: they know no pieces.
 */
export function slicePresentation(presentation: Presentation, fromS: number, toS: number): Presentation {
  const media = <Track extends VideoTrack | AudioTrack>(track: Track): Track => {
    const { from, to, ticks } = cut(
      track.segments.map(({ durationTicks }) => durationTicks),
      track.timescale,
      fromS,
      toS,
    );
    const segments = track.segments
      .slice(from, to)
      .map(({ durationTicks, sizeBytes }) => ({ durationTicks, sizeBytes }));
    return { ...track, segments, place: { skippedSegments: from, skippedTicks: ticks, base: "" } };
  };
  const text = (track: TextTrack): TextTrack => {
    const { from, to, ticks } = cut(
      track.segmentDurationsS.map((each) => each * 1_000),
      1_000,
      fromS,
      toS,
    );
    const place = { skippedSegments: from, skippedTicks: Math.round(ticks), base: "" };
    return { ...track, segmentDurationsS: track.segmentDurationsS.slice(from, to), place };
  };
  const { video, audio } = presentation;
  return {
    ...presentation,
    durationS: toS - fromS,
    video: video.map(media),
    audio: audio.map(media),
    text: presentation.text.map(text),
    thumbnails: null,
  };
}

/** The same presentation as it is seen from a manifest in another package's folder, without what a piece has no use for. */
export function placePresentation(presentation: Presentation, base: string): Presentation {
  const place: TrackPlace = { skippedSegments: 0, skippedTicks: 0, base };
  const placed = <Track extends VideoTrack | AudioTrack>(track: Track): Track => ({
    ...track,
    place,
    segments: track.segments.map(({ durationTicks, sizeBytes }) => ({ durationTicks, sizeBytes })),
  });
  const { video, audio } = presentation;
  return { ...presentation, video: video.map(placed), audio: audio.map(placed), text: [], thumbnails: null };
}

/** The segments that begin nearest to two times. */
function cut(durations: readonly number[], timescale: number, fromS: number, toS: number) {
  const starts = [0];
  for (const duration of durations) starts.push((starts.at(-1) ?? 0) + duration);
  const nearest = (atS: number): number =>
    starts.reduce(
      (best, start, i) =>
        Math.abs(start - atS * timescale) < Math.abs((starts[best] ?? 0) - atS * timescale) ? i : best,
      0,
    );
  const from = nearest(fromS);
  return { from, to: nearest(toS), ticks: starts[from] ?? 0 };
}
