import type { LiveTrack } from "#contracts/live";
import { type AudioTrack, keyClassOf, type Presentation, type Segment, type VideoTrack } from "#media/presentation";

/** A track of the channel, as its first segment in the recording had it. */
export interface KnownTrack {
  readonly name: string;
  readonly kind: "video" | "audio";
  readonly codec: string;
  readonly timescale: number;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly language: string;
  readonly channels: number;
  readonly sampleRateHz: number;
  readonly kid: string;
  /** The length of all segments so far. */
  readonly ticks: number;
}

/** What there is of a segment, by the names of tracks. */
export type SegmentTracks = Readonly<Record<string, Segment>>;

export const classOf = ({ kind, width, height }: Pick<LiveTrack, "kind" | "width" | "height">) =>
  kind === "audio" ? "AUDIO" : keyClassOf(width, height);

interface Facts {
  readonly contentId: string;
  readonly indexVersion: number;
  readonly keys: Presentation["keys"];
  readonly tracks: readonly KnownTrack[];
  readonly segments: readonly SegmentTracks[];
  readonly gapsBefore: readonly number[];
}

/** The index of a recording as it is now: what has every segment is in it, a rung that was left out for a while is not. */
export function presentationOf({ contentId, indexVersion, keys, tracks, segments, gapsBefore }: Facts): Presentation {
  const whole = tracks.flatMap((track) => {
    const own = segments.flatMap((segment) => segment[track.name] ?? []);
    return own.length === segments.length ? [{ track, own }] : [];
  });
  const video = whole
    .filter(({ track }) => track.kind === "video")
    .toSorted((a, b) => b.track.height - a.track.height)
    .map(
      ({ track, own }): VideoTrack => ({
        ...{ kind: "video", width: track.width, height: track.height, frameRate: [track.frameRate || 25, 1] },
        ...base(track, own),
      }),
    );
  const audio = whole
    .filter(({ track }) => track.kind === "audio")
    .map(
      ({ track, own }, index): AudioTrack => ({
        ...{ kind: "audio", language: track.language || "und", label: labelOf(track.language), isDefault: index === 0 },
        ...{ channels: track.channels, sampleRateHz: track.sampleRateHz },
        ...base(track, own),
      }),
    );
  const lead = video[0] ?? audio[0];
  const durationS = lead ? totalTicks(lead.segments) / lead.timescale : 0;
  const media = { video, audio, text: [], thumbnails: null };
  return {
    contentId,
    revision: 1,
    indexVersion,
    durationS,
    keys,
    ...media,
    ...(gapsBefore.length > 0 ? { gapsBefore } : {}),
  };
}

const totalTicks = (segments: readonly Segment[]): number =>
  segments.reduce((sum, { durationTicks }) => sum + durationTicks, 0);

function base({ name, codec, timescale, kid }: KnownTrack, segments: readonly Segment[]) {
  const bits = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes * 8, 0);
  const peak = Math.max(0, ...segments.map((one) => (one.sizeBytes * 8 * timescale) / Math.max(1, one.durationTicks)));
  const seconds = Math.max(totalTicks(segments) / timescale, 0.001);
  return {
    ...{ profile: name, codec, timescale, kid, segments },
    ...{ bandwidthAverageBps: Math.ceil(bits / seconds), bandwidthPeakBps: Math.ceil(peak) },
  };
}

function labelOf(language: string): string {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(language) ?? language;
  } catch {
    return language;
  }
}
