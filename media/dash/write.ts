/**
 * A static MPD (ISO/IEC 23009-1, profile isoff-live) written from a presentation. It lies in the package's folder as
 * `manifest.mpd`; addresses are relative to it, or to the BaseURL of each service location.
 *
 * Keys: every key class (SD, HD, UHD) of a codec is an AdaptationSet of its own, tied together for seamless switching
 * (`urn:mpeg:dash:adaptation-set-switching:2016`), as DASH-IF IOP 4.3 section 7.7 asks. Shaka Player 5.2 requires it:
 * it refuses two default_KIDs in one set, and with ContentProtection in Representations it keeps the protection data of the
 * first only, so that the other keys are never asked for.
 */
import type { DrmByKid } from "#media/hls";
import type { AudioTrack, Presentation, TextTrack, ThumbnailTrack, VideoTrack } from "#media/presentation";
import { segmentName } from "#media/presentation";
import { channelConfiguration, duration, family, folder, positive, ROLE, writeProtection } from "./elements.ts";
import { type Attributes, Xml } from "./xml.ts";

export const DASH_NAME = "manifest.mpd";

export interface DashLocation {
  /** The `serviceLocation`, which content steering names; `[A-Za-z0-9._-]+`. */
  readonly id: string;
  /** The package's folder at this CDN, with a `/` at the end. */
  readonly baseUrl: string;
}

export interface MpdOptions {
  readonly drm?: DrmByKid;
  /** One BaseURL each, in order of preference; none means relative addresses. */
  readonly locations?: readonly DashLocation[];
  readonly steering?: { readonly serverUri: string; readonly queryBeforeStart?: boolean };
  /** Adds an I-frame set of byte ranges for the smallest rung of each codec. Default false: it doubles a long MPD. */
  readonly trickPlay?: boolean;
}

type MediaTrack = VideoTrack | AudioTrack;

/** Throws RangeError for a presentation or options that cannot be written, naming the value. */
export function writeMpd(presentation: Presentation, options: MpdOptions = {}): string {
  return writePeriods([{ presentation, ...(options.drm ? { drm: options.drm } : {}) }], options);
}

/** A stretch of an MPD: a presentation, or a piece of one, and what is known of its keys. */
export interface MpdPeriod {
  readonly presentation: Presentation;
  readonly drm?: DrmByKid;
}

/** An MPD of several presentations that follow each other, each in a Period of its own (ISO/IEC 23009-1, 5.3.2). */
export function writePeriods(periods: readonly MpdPeriod[], options: Omit<MpdOptions, "drm"> = {}): string {
  const totalS = periods.reduce((sum, { presentation }) => sum + presentation.durationS, 0);
  const xml = new Xml();
  xml.open("MPD", {
    xmlns: "urn:mpeg:dash:schema:mpd:2011",
    "xmlns:cenc": "urn:mpeg:cenc:2013",
    "xmlns:mspr": "urn:microsoft:playready",
    "xmlns:dashif": "https://dashif.org/CPS",
    type: "static",
    profiles: "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019",
    mediaPresentationDuration: duration(totalS),
    maxSegmentDuration: duration(Math.max(1, ...periods.map(({ presentation }) => longestSegmentS(presentation)))),
    minBufferTime: "PT2S",
  });
  const locations = options.locations ?? [];
  for (const location of locations) {
    checkLocation(location);
    xml.leaf("BaseURL", { serviceLocation: location.id }, location.baseUrl);
  }
  if (options.steering !== undefined) {
    // DASH-IF CTS 001 / ETSI TS 103 998, clause 5: asked before the first segment, a player starts at the right place.
    const queryBeforeStart = options.steering.queryBeforeStart ?? true;
    const defaultServiceLocation = locations[0]?.id;
    xml.leaf("ContentSteering", { defaultServiceLocation, queryBeforeStart }, options.steering.serverUri);
  }
  let startS = 0;
  periods.forEach((period, index) => {
    writePeriod(xml, period, { id: String(index), startS, trickPlay: options.trickPlay === true });
    startS += period.presentation.durationS;
  });
  xml.close("MPD");
  return xml.text;
}

export function writePeriod(
  xml: Xml,
  { presentation, drm }: MpdPeriod,
  { id, startS, trickPlay }: { readonly id: string; readonly startS: number; readonly trickPlay: boolean },
): void {
  const start = startS === 0 ? "PT0S" : duration(startS);
  xml.open("Period", { id, start, duration: duration(presentation.durationS) });
  const ids = { next: 1 };
  const videoSets = numbered(
    groups(presentation.video, (track) => `${family(track.codec)} ${track.kid ?? ""}`),
    ids,
  );
  for (const set of videoSets) writeVideoSet(xml, presentation, set, videoSets, drm);
  const audioKey = (track: AudioTrack): string =>
    JSON.stringify([family(track.codec), track.kid, track.language, track.label, track.channels]);
  const defaultAudio = presentation.audio.find((track) => track.isDefault) ?? presentation.audio[0];
  for (const set of numbered(groups(presentation.audio, audioKey), ids)) {
    writeAudioSet(xml, presentation, set, defaultAudio, drm);
  }
  for (const track of presentation.text) writeTextSet(xml, track, ids.next++);
  if (presentation.thumbnails !== null) writeThumbnails(xml, presentation.thumbnails, ids.next++);
  if (trickPlay) {
    for (const set of trickSets(videoSets)) writeTrickSet(xml, presentation, set, ids.next++, drm);
  }
  xml.close("Period");
}

interface TrackSet<Track> {
  readonly id: number;
  readonly tracks: readonly [Track, ...Track[]];
}

function groups<Track>(tracks: readonly Track[], keyOf: (track: Track) => string): [Track, ...Track[]][] {
  const byKey = new Map<string, [Track, ...Track[]]>();
  for (const track of tracks) {
    const group = byKey.get(keyOf(track));
    if (group === undefined) byKey.set(keyOf(track), [track]);
    else group.push(track);
  }
  return [...byKey.values()];
}

const numbered = <Track>(sets: readonly [Track, ...Track[]][], ids: { next: number }): TrackSet<Track>[] =>
  sets.map((tracks) => ({ id: ids.next++, tracks }));

function writeVideoSet(
  xml: Xml,
  presentation: Presentation,
  set: TrackSet<VideoTrack>,
  all: readonly TrackSet<VideoTrack>[],
  drm: DrmByKid | undefined,
): void {
  const [first] = set.tracks;
  const shared = sharedTimeline(set.tracks);
  xml.open("AdaptationSet", {
    id: set.id,
    contentType: "video",
    mimeType: "video/mp4",
    segmentAlignment: true,
    startWithSAP: 1,
    maxWidth: Math.max(...set.tracks.map((track) => track.width)),
    maxHeight: Math.max(...set.tracks.map((track) => track.height)),
  });
  protection(xml, presentation, first, drm);
  const others = all.filter((other) => other !== set && family(other.tracks[0].codec) === family(first.codec));
  if (others.length > 0) {
    const value = others.map((other) => other.id).join(",");
    xml.leaf("SupplementalProperty", { schemeIdUri: "urn:mpeg:dash:adaptation-set-switching:2016", value });
  }
  xml.leaf("Role", { schemeIdUri: ROLE, value: "main" });
  if (shared) segmentTemplate(xml, first, "$RepresentationID$");
  for (const track of set.tracks) {
    const { width, height } = track;
    const frameRate = track.frameRate[1] === 1 ? String(track.frameRate[0]) : track.frameRate.join("/");
    representation(xml, track, { width, height, frameRate, sar: "1:1" }, shared);
  }
  xml.close("AdaptationSet");
}

function writeAudioSet(
  xml: Xml,
  presentation: Presentation,
  set: TrackSet<AudioTrack>,
  defaultAudio: AudioTrack | undefined,
  drm: DrmByKid | undefined,
): void {
  const [first] = set.tracks;
  const shared = sharedTimeline(set.tracks);
  const isDefault = defaultAudio !== undefined && set.tracks.includes(defaultAudio);
  xml.open("AdaptationSet", {
    id: set.id,
    contentType: "audio",
    mimeType: "audio/mp4",
    lang: first.language,
    segmentAlignment: true,
    startWithSAP: 1,
  });
  xml.leaf("AudioChannelConfiguration", {
    schemeIdUri: "urn:mpeg:mpegB:cicp:ChannelConfiguration",
    value: channelConfiguration(first.channels),
  });
  protection(xml, presentation, first, drm);
  xml.leaf("Label", {}, first.label);
  const sameLanguage = defaultAudio?.language === first.language;
  xml.leaf("Role", { schemeIdUri: ROLE, value: isDefault ? "main" : sameLanguage ? "alternate" : "dub" });
  if (shared) segmentTemplate(xml, first, "$RepresentationID$");
  for (const track of set.tracks) representation(xml, track, { audioSamplingRate: track.sampleRateHz }, shared);
  xml.close("AdaptationSet");
}

const TEXT_ROLES = { subtitles: "subtitle", captions: "caption", forced: "forced-subtitle" } as const;

function writeTextSet(xml: Xml, track: TextTrack, id: number): void {
  xml.open("AdaptationSet", {
    id,
    contentType: "text",
    mimeType: "text/vtt",
    lang: track.language,
    segmentAlignment: true,
  });
  xml.leaf("Label", {}, track.label);
  xml.leaf("Role", { schemeIdUri: ROLE, value: TEXT_ROLES[track.role] });
  xml.open("SegmentTemplate", {
    timescale: 1000,
    ...offsetOf(track),
    media: `${baseOf(track)}$RepresentationID$/${numberTemplate(segmentName(1, "vtt"))}`,
    startNumber: 1 + (track.place?.skippedSegments ?? 0),
  });
  // Rounding where segments end, not how long they are, keeps the sum exact.
  let endS = 0;
  const ends = track.segmentDurationsS.map((durationS) => Math.round((endS += durationS) * 1000));
  timeline(
    xml,
    ends.map((end, index) => end - (ends[index - 1] ?? 0)),
    track.place?.skippedTicks,
  );
  xml.close("SegmentTemplate");
  xml.leaf("Representation", { id: folder(track.profile), bandwidth: 256 });
  xml.close("AdaptationSet");
}

function writeThumbnails(xml: Xml, track: ThumbnailTrack, id: number): void {
  // DASH-IF IOP 4.3, section 6.2.6: width and height are those of the whole tile, the property tells how it is divided.
  xml.open("AdaptationSet", { id, contentType: "image", mimeType: "image/jpeg" });
  xml.leaf("SegmentTemplate", {
    timescale: 1000,
    media: "$RepresentationID$/tile-$Number%07d$.jpg",
    duration: Math.round(track.columns * track.rows * track.intervalS * 1000),
    startNumber: 1,
  });
  xml.open("Representation", {
    id: folder(track.profile),
    bandwidth: positive(track.bandwidthBps),
    width: track.columns * track.width,
    height: track.rows * track.height,
  });
  xml.leaf("EssentialProperty", {
    schemeIdUri: "http://dashif.org/guidelines/thumbnail_tile",
    value: `${track.columns}x${track.rows}`,
  });
  xml.close("Representation");
  xml.close("AdaptationSet");
}

/** The smallest rung with I-frames of each codec: scrubbing needs no more. */
function trickSets(sets: readonly TrackSet<VideoTrack>[]): { mainId: number; track: VideoTrack }[] {
  const best = new Map<string, { mainId: number; track: VideoTrack }>();
  for (const set of sets) {
    for (const track of set.tracks) {
      const known = best.get(family(track.codec))?.track.bandwidthAverageBps ?? Number.POSITIVE_INFINITY;
      const hasFrames = track.segments.some((segment) => (segment.iframes ?? []).length > 0);
      if (hasFrames && track.bandwidthAverageBps < known) best.set(family(track.codec), { mainId: set.id, track });
    }
  }
  return [...best.values()];
}

function writeTrickSet(
  xml: Xml,
  presentation: Presentation,
  { mainId, track }: { mainId: number; track: VideoTrack },
  id: number,
  drm: DrmByKid | undefined,
): void {
  const frames = track.segments.flatMap((segment, index) =>
    (segment.iframes ?? []).map((frame) => ({ ...frame, name: segmentName(index + 1) })),
  );
  xml.open("AdaptationSet", {
    id,
    contentType: "video",
    mimeType: "video/mp4",
    segmentAlignment: true,
    startWithSAP: 1,
  });
  protection(xml, presentation, track, drm);
  xml.leaf("EssentialProperty", { schemeIdUri: "http://dashif.org/guidelines/trickmode", value: String(mainId) });
  const bits = frames.reduce((sum, frame) => sum + frame.sizeBytes * 8, 0);
  xml.open("Representation", {
    id: `${folder(track.profile)}-trick`,
    codecs: track.codec,
    bandwidth: positive(bits / presentation.durationS),
    width: track.width,
    height: track.height,
    codingDependency: false,
  });
  xml.open("SegmentList", { timescale: track.timescale });
  xml.leaf("Initialization", { sourceURL: `${folder(track.profile)}/init.mp4` });
  // The first I-frame may start late (an open first GOP); what is before it belongs to no entry.
  timeline(
    xml,
    frames.map((frame) => frame.durationTicks),
    frames[0]?.timeTicks ?? 0,
  );
  for (const frame of frames) {
    const mediaRange = `${frame.offsetBytes}-${frame.offsetBytes + frame.sizeBytes - 1}`;
    xml.leaf("SegmentURL", { media: `${folder(track.profile)}/${frame.name}`, mediaRange });
  }
  xml.close("SegmentList");
  xml.close("Representation");
  xml.close("AdaptationSet");
}

function representation(xml: Xml, track: MediaTrack, more: Attributes, shared: boolean): void {
  const attributes = {
    id: folder(track.profile),
    codecs: track.codec,
    bandwidth: positive(track.bandwidthPeakBps),
    ...more,
  };
  if (shared) {
    xml.leaf("Representation", attributes);
    return;
  }
  xml.open("Representation", attributes);
  segmentTemplate(xml, track, "$RepresentationID$");
  xml.close("Representation");
}

/** Rungs that were cut at the same frames, in the same timescale, can share one timeline, which is most of an MPD. */
function sharedTimeline(tracks: readonly [MediaTrack, ...MediaTrack[]]): boolean {
  const [first, ...rest] = tracks;
  return rest.every(
    (track) =>
      track.timescale === first.timescale &&
      track.segments.length === first.segments.length &&
      track.segments.every((segment, index) => segment.durationTicks === first.segments[index]?.durationTicks),
  );
}

function segmentTemplate(xml: Xml, track: MediaTrack, at: string): void {
  xml.open("SegmentTemplate", {
    timescale: track.timescale,
    ...offsetOf(track),
    initialization: `${baseOf(track)}${at}/init.mp4`,
    media: `${baseOf(track)}${at}/${numberTemplate(segmentName(1))}`,
    startNumber: 1 + (track.place?.skippedSegments ?? 0),
  });
  timeline(
    xml,
    track.segments.map((segment) => segment.durationTicks),
    track.place?.skippedTicks,
  );
  xml.close("SegmentTemplate");
}

type Placed = MediaTrack | TextTrack;
const baseOf = ({ place }: Placed): string => place?.base ?? "";
/** A piece begins its Period with what is in the middle of its track. */
const offsetOf = ({ place }: Placed): { readonly presentationTimeOffset?: number } =>
  place === undefined || place.skippedTicks === 0 ? {} : { presentationTimeOffset: place.skippedTicks };

/** `seg-0000001.m4s` becomes `seg-$Number%07d$.m4s`, so that the name has one home, in media/presentation. */
const numberTemplate = (name: string): string => name.replace("0000001", "$Number%07d$");

function timeline(xml: Xml, durations: readonly number[], startTicks = 0): void {
  xml.open("SegmentTimeline", {});
  for (let at = 0; at < durations.length; ) {
    const d = durations[at] ?? 0;
    let end = at + 1;
    while (end < durations.length && durations[end] === d) end++;
    xml.leaf("S", { t: at === 0 ? startTicks : undefined, d, r: end - at > 1 ? end - at - 1 : undefined });
    at = end;
  }
  xml.close("SegmentTimeline");
}

function protection(xml: Xml, presentation: Presentation, track: MediaTrack, drm: DrmByKid | undefined): void {
  if (track.kid === null) return;
  const signalling = drm?.get(track.kid);
  if (signalling === undefined || !presentation.keys.some((key) => key.kid === track.kid)) {
    throw new RangeError(
      `track '${track.profile}': nothing is known of its key ${track.kid}; pass its signalling in options.drm`,
    );
  }
  writeProtection(xml, track.kid, signalling);
}

function longestSegmentS(presentation: Presentation): number {
  let longest = 1;
  for (const track of [...presentation.video, ...presentation.audio]) {
    for (const segment of track.segments) longest = Math.max(longest, segment.durationTicks / track.timescale);
  }
  for (const track of presentation.text)
    for (const valueS of track.segmentDurationsS) longest = Math.max(longest, valueS);
  return longest;
}

function checkLocation(location: DashLocation): void {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(location.id))
    throw new RangeError(`service location '${location.id}' is not [A-Za-z0-9._-]+`);
  if (!/^https?:\/\/[^\s"<>]+\/$/.test(location.baseUrl)) {
    throw new RangeError(
      `service location '${location.id}': '${location.baseUrl}' is not http(s)://… with a '/' at the end`,
    );
  }
}
