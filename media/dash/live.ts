/**
 * A dynamic MPD (ISO/IEC 23009-1, profiles isoff-live and low-latency of DASH-IF "Low-latency Modes for DASH") written from what a
 * channel has. Time begins with the epoch, segments are addressed by their number, and the number follows from the clock, so that
 * the document changes only when a key or a timeline does: each such span is a Period.
 *
 *   main.mpd   {track}/{init}   {track}/seg-{number}{suffix}.m4s
 *
 * A segment can be fetched as soon as its first part is there (availabilityTimeOffset), and comes in chunks while it grows.
 */

import type { DrmByKid } from "#media/hls";
import { LIVE_SEGMENT_S, type Presentation } from "#media/presentation";
import { channelConfiguration, duration, family, folder, positive, ROLE, writeProtection } from "./elements.ts";
import { writePeriod as writeInsert } from "./write.ts";
import { Xml } from "./xml.ts";

interface LiveTrackBase {
  readonly name: string;
  readonly codec: string;
  readonly timescale: number;
  readonly bandwidthBps: number;
}
export interface LiveMpdVideo extends LiveTrackBase {
  readonly kind: "video";
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
}
export interface LiveMpdAudio extends LiveTrackBase {
  readonly kind: "audio";
  readonly language: string;
  readonly label: string;
  readonly channels: number;
  readonly sampleRateHz: number;
}
export type LiveMpdTrack = LiveMpdVideo | LiveMpdAudio;

export interface LiveMpdPeriod {
  /** Never given to another span. */
  readonly id: string;
  readonly firstNumber: number;
  /** The last segment of a span that is over; null while it goes on. */
  readonly lastNumber: number | null;
  /** What names the span in addresses of segments: a player may ask for one number beyond its end (Shaka Player 5 does). */
  readonly suffix: string;
  /** By the name of a track; a track that is not named is not in this span. */
  readonly tracks: ReadonlyMap<string, { readonly init: string; readonly kid: string | null }>;
  readonly events?: readonly LiveMpdEvent[];
}

export interface LiveMpdInsert {
  readonly id: string;
  readonly startS: number;
  readonly presentation: Presentation;
  readonly drm: DrmByKid;
}

export interface LiveMpdEvent {
  readonly id: number;
  readonly startMs: number;
  readonly durationMs: number;
  /** A whole splice_info_section. */
  readonly section: Uint8Array;
}

export interface LiveMpd {
  readonly tracks: readonly LiveMpdTrack[];
  /** In order, without overlap. */
  readonly periods: readonly LiveMpdPeriod[];
  /** What stands between them, such as ads: whole presentations, or as much of them as their length says. */
  readonly inserted?: readonly LiveMpdInsert[];
  /**
   * The longest segment that may ever be inserted, in seconds; a segment of the channel without it. Players reckon from it where the edge is, and
   * would find it further back, perhaps behind them, with the first ad that has longer ones.
   */
  readonly segmentSMax?: number;
  /** How far behind the edge players stay that are not told otherwise, in seconds. */
  readonly delayS?: number;
  /** How long after its begin a segment can be asked for. */
  readonly firstPartS: number;
  readonly windowS: number;
  readonly publishTimeMs: number;
  readonly latency: { readonly targetMs: number; readonly minMs: number; readonly maxMs: number };
  /** Where the time is asked for; from the MPD's address. */
  readonly timeUri: string;
  readonly drm: DrmByKid;
  /** Nothing will be added: a span of the past. Its time begins with its first segment. */
  readonly isEnded?: boolean;
}

/** A player looks again so often for a new key or a break. */
const UPDATE_S = 2;
const SCTE35_EVENTS = "urn:scte:scte35:2014:xml+bin";

export function writeLiveMpd(live: LiveMpd): string {
  const first = live.periods[0];
  if (first === undefined) throw new RangeError("a live MPD has at least one period");
  const originS = live.isEnded === true ? first.firstNumber * LIVE_SEGMENT_S : 0;
  const xml = new Xml();
  xml.open("MPD", {
    xmlns: "urn:mpeg:dash:schema:mpd:2011",
    "xmlns:cenc": "urn:mpeg:cenc:2013",
    "xmlns:mspr": "urn:microsoft:playready",
    "xmlns:dashif": "https://dashif.org/CPS",
    profiles: "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019",
    minBufferTime: "PT1S",
    maxSegmentDuration: duration(live.segmentSMax ?? LIVE_SEGMENT_S),
    ...timing(live, originS),
  });
  if (live.isEnded !== true) {
    const { targetMs, minMs, maxMs } = live.latency;
    xml.open("ServiceDescription", { id: 0 });
    xml.leaf("Latency", { target: targetMs, min: minMs, max: maxMs, referenceId: 0 });
    xml.leaf("PlaybackRate", { min: 0.96, max: 1.04 });
    xml.close("ServiceDescription");
  }
  const waiting = [...(live.inserted ?? [])];
  const insertUntil = (endS: number): void => {
    for (let next = waiting[0]; next && next.startS < endS; next = waiting[0]) {
      const { id, startS, presentation, drm } = next;
      writeInsert(xml, { presentation, drm }, { id, startS: startS - originS, trickPlay: false });
      waiting.shift();
    }
  };
  for (const period of live.periods) {
    insertUntil(period.firstNumber * LIVE_SEGMENT_S);
    writePeriod(xml, live, period, originS);
  }
  insertUntil(Number.POSITIVE_INFINITY);
  if (live.isEnded !== true)
    xml.leaf("UTCTiming", { schemeIdUri: "urn:mpeg:dash:utc:http-iso:2014", value: live.timeUri });
  xml.close("MPD");
  return xml.text;
}

function timing(live: LiveMpd, originS: number): Record<string, string | undefined> {
  if (live.isEnded === true) {
    const endS = ((live.periods.at(-1)?.lastNumber ?? 0) + 1) * LIVE_SEGMENT_S;
    return { type: "static", mediaPresentationDuration: duration(Math.max(LIVE_SEGMENT_S, endS - originS)) };
  }
  return {
    type: "dynamic",
    availabilityStartTime: "1970-01-01T00:00:00Z",
    publishTime: new Date(live.publishTimeMs).toISOString(),
    minimumUpdatePeriod: duration(UPDATE_S),
    timeShiftBufferDepth: duration(live.windowS),
    suggestedPresentationDelay: live.delayS === undefined ? undefined : duration(live.delayS),
  };
}

function writePeriod(xml: Xml, live: LiveMpd, period: LiveMpdPeriod, originS: number): void {
  const startS = period.firstNumber * LIVE_SEGMENT_S;
  const lengthS = period.lastNumber === null ? undefined : (period.lastNumber + 1) * LIVE_SEGMENT_S - startS;
  xml.open("Period", {
    id: period.id,
    start: duration(startS - originS),
    duration: lengthS === undefined ? undefined : duration(lengthS),
  });
  if (period.events !== undefined && period.events.length > 0) writeEvents(xml, period.events, startS);
  const present = live.tracks.filter((track) => period.tracks.has(track.name));
  const sets = Map.groupBy(present, (track) => setKey(track, period));
  const ids = new Map([...sets.keys()].map((key, index): [string, number] => [key, index + 1]));
  for (const [key, tracks] of sets) {
    const [lead] = tracks;
    if (lead === undefined) continue;
    const siblings = [...sets].flatMap(([other, [track]]) =>
      other !== key && track?.kind === "video" && lead.kind === "video" && family(track.codec) === family(lead.codec)
        ? [ids.get(other) ?? 0]
        : [],
    );
    writeSet(xml, live, period, { id: ids.get(key) ?? 0, tracks, lead, siblings });
  }
  xml.close("Period");
}

const setKey = (track: LiveMpdTrack, period: LiveMpdPeriod): string => {
  const kid = period.tracks.get(track.name)?.kid ?? "";
  return track.kind === "video"
    ? `video ${family(track.codec)} ${kid}`
    : JSON.stringify(["audio", track.language, track.label, track.channels, kid]);
};

interface LiveSet {
  readonly id: number;
  readonly tracks: readonly LiveMpdTrack[];
  readonly lead: LiveMpdTrack;
  /** Sets of another key that players may switch to. */
  readonly siblings: readonly number[];
}

function writeSet(xml: Xml, live: LiveMpd, period: LiveMpdPeriod, { id, tracks, lead, siblings }: LiveSet): void {
  const isVideo = lead.kind === "video";
  const common = { segmentAlignment: true, startWithSAP: 1 };
  if (isVideo) xml.open("AdaptationSet", { id, contentType: "video", mimeType: "video/mp4", ...common });
  else xml.open("AdaptationSet", { id, contentType: "audio", mimeType: "audio/mp4", lang: lead.language, ...common });
  if (!isVideo) {
    const value = channelConfiguration(lead.channels);
    xml.leaf("AudioChannelConfiguration", { schemeIdUri: "urn:mpeg:mpegB:cicp:ChannelConfiguration", value });
  }
  const kid = period.tracks.get(lead.name)?.kid ?? null;
  if (kid !== null) {
    const signalling = live.drm.get(kid);
    if (signalling === undefined) throw new RangeError(`nothing is known of key ${kid}: pass its signalling`);
    writeProtection(xml, kid, signalling);
  }
  if (siblings.length > 0) {
    const value = siblings.join(",");
    xml.leaf("SupplementalProperty", { schemeIdUri: "urn:mpeg:dash:adaptation-set-switching:2016", value });
  }
  if (!isVideo) xml.leaf("Label", {}, lead.label);
  xml.leaf("Role", { schemeIdUri: ROLE, value: "main" });
  for (const track of tracks) writeRepresentation(xml, live, period, track);
  xml.close("AdaptationSet");
}

function writeRepresentation(xml: Xml, live: LiveMpd, period: LiveMpdPeriod, track: LiveMpdTrack): void {
  const more =
    track.kind === "video"
      ? { width: track.width, height: track.height, frameRate: track.frameRate, sar: "1:1" }
      : { audioSamplingRate: track.sampleRateHz };
  xml.open("Representation", {
    id: folder(track.name),
    codecs: track.codec,
    bandwidth: positive(track.bandwidthBps),
    ...more,
  });
  const isEarly = live.isEnded !== true && live.firstPartS < LIVE_SEGMENT_S;
  xml.leaf("SegmentTemplate", {
    timescale: track.timescale,
    duration: track.timescale * LIVE_SEGMENT_S,
    startNumber: period.firstNumber,
    presentationTimeOffset: period.firstNumber * LIVE_SEGMENT_S * track.timescale,
    availabilityTimeOffset: isEarly ? Number((LIVE_SEGMENT_S - live.firstPartS).toFixed(3)) : undefined,
    availabilityTimeComplete: isEarly ? false : undefined,
    initialization: `$RepresentationID$/${period.tracks.get(track.name)?.init ?? ""}`,
    media: `$RepresentationID$/seg-$Number$${period.suffix}.m4s`,
  });
  xml.close("Representation");
}

/** SCTE 214-1, section 6.7.4: whole sections, in base64. */
function writeEvents(xml: Xml, events: readonly LiveMpdEvent[], periodStartS: number): void {
  xml.open("EventStream", { schemeIdUri: SCTE35_EVENTS, timescale: 1000 });
  for (const { id, startMs, durationMs, section } of events) {
    const presentationTime = Math.max(0, startMs - periodStartS * 1000);
    xml.open("Event", { id, presentationTime, duration: durationMs > 0 ? durationMs : undefined });
    xml.open("Signal", { xmlns: "http://www.scte.org/schemas/35/2016" });
    xml.leaf("Binary", {}, Buffer.from(section).toString("base64"));
    xml.close("Signal");
    xml.close("Event");
  }
  xml.close("EventStream");
}
