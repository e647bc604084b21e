/**
 * HLS playlists (RFC 8216 and draft-pantos-hls-rfc8216bis) written from a presentation.
 *
 * The multivariant playlist lies in the package's folder, every other playlist in the folder of its track, so that all
 * addresses are relative and every cache, edge and copy of a package serves them unchanged:
 *
 *   main.m3u8   {profile}/index.m3u8   {profile}/iframes.m3u8
 *
 * EXT-X-KEY and Shaka Player 5.2 (its parser, and tried in Chromium with CBCS): Widevine, PlayReady and FairPlay lines are
 * used; a line with an unknown KEYFORMAT (`org.w3.clearkey`) is passed over; `identity` makes it fetch the bare key at load,
 * whatever `drm.servers` says. No line leads it to `drm.servers["org.w3.clearkey"]`, as DASH does: a web player asks the W3C
 * license server itself and sets `drm.clearKeys`; rungs whose key was not granted (KEYID tells) are then left out.
 */
import type {
  AudioTrack,
  KeyClass,
  Presentation,
  Segment,
  TextTrack,
  ThumbnailTrack,
  VideoTrack,
} from "#media/presentation";
import { segmentName, tileName } from "#media/presentation";
import type { DrmByKid } from "./drm.ts";
import { attributes, keyLines, quoted } from "./tags.ts";

export const HLS_NAMES = { multivariant: "main.m3u8", media: "index.m3u8", iframes: "iframes.m3u8" } as const;

export interface HlsPathway {
  /** `[A-Za-z0-9._-]+`, as content steering wants it. */
  readonly id: string;
  /** The package's folder at this CDN, with a `/` at the end. */
  readonly baseUrl: string;
}

export interface MultivariantOptions {
  readonly drm?: DrmByKid;
  /** One set of variants each; none means relative addresses. The first is where players start. */
  readonly pathways?: readonly HlsPathway[];
  readonly steeringServerUri?: string;
  /**
   * Whose keys EXT-X-SESSION-KEY offers for preloading. Default AUDIO and SD: a key that a device may not have would
   * fail before it is needed.
   */
  readonly sessionKeyClasses?: readonly KeyClass[];
  /** What the playlists of tracks are called in their folders; default `index.m3u8`. */
  readonly mediaName?: string;
}

const HEADER = "#EXTM3U\n#EXT-X-VERSION:7\n";

/** The multivariant playlist (RFC 8216bis, section 4.4.6). Throws RangeError for a presentation without audio and video. */
export function writeMultivariantPlaylist(presentation: Presentation, options: MultivariantOptions = {}): string {
  const pathways = options.pathways ?? [];
  const lines = ["#EXT-X-INDEPENDENT-SEGMENTS"];
  const first = pathways[0];
  if (options.steeringServerUri !== undefined) {
    const pathway = first === undefined ? "" : `,PATHWAY-ID=${quoted(first.id)}`;
    lines.push(`#EXT-X-CONTENT-STEERING:SERVER-URI=${quoted(options.steeringServerUri)}${pathway}`);
  }
  lines.push(...sessionKeys(presentation, options));
  // RFC 8216bis, 7.2: each pathway names its own rendition groups, so that a switch moves audio and text as well.
  const mediaName = options.mediaName ?? HLS_NAMES.media;
  const bases = pathways.length === 0 ? [{ suffix: "", base: "", attribute: "" }] : pathways.map(pathwayPlace);
  const places = bases.map((place) => ({ ...place, mediaName }));
  for (const place of places) lines.push(...renditions(presentation, place));
  for (const place of places) lines.push(...variants(presentation, place));
  if (presentation.thumbnails !== null) lines.push(imageStream(presentation.thumbnails));
  return `${HEADER}${lines.join("\n")}\n`;
}

interface Place {
  readonly suffix: string;
  readonly base: string;
  readonly attribute: string;
  readonly mediaName: string;
}

function pathwayPlace(pathway: HlsPathway): Omit<Place, "mediaName"> {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(pathway.id))
    throw new RangeError(`pathway id '${pathway.id}' is not [A-Za-z0-9._-]+`);
  if (!/^https?:\/\/[^\s"]+\/$/.test(pathway.baseUrl)) {
    throw new RangeError(
      `pathway '${pathway.id}': base URL '${pathway.baseUrl}' is not http(s)://… with a '/' at the end`,
    );
  }
  return { suffix: `-${pathway.id}`, base: pathway.baseUrl, attribute: `,PATHWAY-ID=${quoted(pathway.id)}` };
}

function renditions(presentation: Presentation, place: Place): string[] {
  const lines: string[] = [];
  // PATHWAY-ID on renditions is young; without it Shaka finds no address for the text of a steered playlist.
  const audioNames = new Set<string>();
  // Section 4.4.6.1.1: no two renditions of a group share a NAME, and one at most is the default.
  const defaultAudio = presentation.audio.find((track) => track.isDefault) ?? presentation.audio[0];
  for (const track of presentation.audio) {
    lines.push(
      attributes("#EXT-X-MEDIA", {
        TYPE: "AUDIO",
        "GROUP-ID": quoted(`audio${place.suffix}`),
        NAME: quoted(unique(track.label, audioNames)),
        LANGUAGE: track.language === "und" ? undefined : quoted(track.language),
        DEFAULT: track === defaultAudio ? "YES" : "NO",
        AUTOSELECT: "YES",
        CHANNELS: quoted(String(track.channels)),
        URI: quoted(playlistUri(place.base, track.profile, place.mediaName)),
      }) + place.attribute,
    );
  }
  const textNames = new Set<string>();
  for (const track of presentation.text) {
    const captions = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound";
    lines.push(
      attributes("#EXT-X-MEDIA", {
        TYPE: "SUBTITLES",
        "GROUP-ID": quoted(`text${place.suffix}`),
        NAME: quoted(unique(track.label, textNames)),
        LANGUAGE: track.language === "und" ? undefined : quoted(track.language),
        DEFAULT: "NO",
        AUTOSELECT: "YES",
        FORCED: track.role === "forced" ? "YES" : "NO",
        CHARACTERISTICS: track.role === "captions" ? quoted(captions) : undefined,
        URI: quoted(playlistUri(place.base, track.profile, place.mediaName)),
      }) + place.attribute,
    );
  }
  return lines;
}

function variants(presentation: Presentation, place: Place): string[] {
  const { audio, video, text } = presentation;
  const audioPeakBps = Math.max(0, ...audio.map((track) => track.bandwidthPeakBps));
  const audioAverageBps = Math.max(0, ...audio.map((track) => track.bandwidthAverageBps));
  const audioCodecs = [...new Set(audio.map((track) => track.codec))];
  const shared = {
    AUDIO: audio.length > 0 ? quoted(`audio${place.suffix}`) : undefined,
    SUBTITLES: text.length > 0 ? quoted(`text${place.suffix}`) : undefined,
    "CLOSED-CAPTIONS": "NONE",
  };
  const lines: string[] = [];
  for (const track of video) {
    const line = attributes("#EXT-X-STREAM-INF", {
      BANDWIDTH: bps(track.bandwidthPeakBps + audioPeakBps),
      "AVERAGE-BANDWIDTH": bps(track.bandwidthAverageBps + audioAverageBps),
      CODECS: quoted([track.codec, ...audioCodecs].join(",")),
      RESOLUTION: `${track.width}x${track.height}`,
      "FRAME-RATE": (track.frameRate[0] / track.frameRate[1]).toFixed(3),
      "VIDEO-RANGE": "SDR",
      ...shared,
    });
    lines.push(`${line}${place.attribute}`, playlistUri(place.base, track.profile, place.mediaName));
  }
  const only = audio.find((track) => track.isDefault) ?? audio[0];
  if (video.length === 0) {
    if (only === undefined)
      throw new RangeError(`presentation '${presentation.contentId}' has neither audio nor video`);
    const line = attributes("#EXT-X-STREAM-INF", {
      BANDWIDTH: bps(audioPeakBps),
      "AVERAGE-BANDWIDTH": bps(audioAverageBps),
      CODECS: quoted(audioCodecs.join(",")),
      ...shared,
    });
    lines.push(`${line}${place.attribute}`, playlistUri(place.base, only.profile, place.mediaName));
  }
  for (const track of video) lines.push(...iframeStream(track, place));
  return lines;
}

function iframeStream(track: VideoTrack, place: Place): string[] {
  const frames = track.segments.flatMap((segment) => segment.iframes ?? []);
  if (frames.length === 0) return [];
  const rates = frames.map((frame) => (frame.sizeBytes * 8 * track.timescale) / Math.max(1, frame.durationTicks));
  const bits = frames.reduce((sum, frame) => sum + frame.sizeBytes * 8, 0);
  const ticks = frames.reduce((sum, frame) => sum + frame.durationTicks, 0);
  const peak = rates.reduce((most, rate) => Math.max(most, rate), 0);
  const line = attributes("#EXT-X-I-FRAME-STREAM-INF", {
    BANDWIDTH: bps(peak),
    "AVERAGE-BANDWIDTH": bps((bits * track.timescale) / Math.max(1, ticks)),
    CODECS: quoted(track.codec),
    RESOLUTION: `${track.width}x${track.height}`,
    "VIDEO-RANGE": "SDR",
    URI: quoted(playlistUri(place.base, track.profile, HLS_NAMES.iframes)),
  });
  return [`${line}${place.attribute}`];
}

function imageStream(thumbnails: ThumbnailTrack): string {
  // Roku's extension: RESOLUTION is that of one small picture; EXT-X-TILES in the playlist tells how many share a file.
  return attributes("#EXT-X-IMAGE-STREAM-INF", {
    BANDWIDTH: bps(thumbnails.bandwidthBps),
    RESOLUTION: `${thumbnails.width}x${thumbnails.height}`,
    CODECS: quoted("jpeg"),
    URI: quoted(playlistUri("", thumbnails.profile, HLS_NAMES.media)),
  });
}

function sessionKeys(presentation: Presentation, options: MultivariantOptions): string[] {
  const classes = options.sessionKeyClasses ?? ["AUDIO", "SD"];
  const lines = new Set<string>();
  for (const key of presentation.keys) {
    const signalling = options.drm?.get(key.kid);
    if (signalling === undefined || !classes.includes(key.keyClass)) continue;
    // Without an init segment beside it, a bare key cannot be told apart from the others, and a ClearKey server has one address
    // for all keys, which a second line of the same format must not repeat (RFC 8216bis, 4.4.6.2): both stay out.
    const { identityKeyUri: _identity, clearkeyLicenseUrl: _clearkey, ...rest } = signalling;
    for (const line of keyLines("#EXT-X-SESSION-KEY", key.kid, key.ivHex, rest)) lines.add(line);
  }
  return [...lines];
}

/** A video or audio media playlist. Throws RangeError for an encrypted track whose key the options do not describe. */
export function writeMediaPlaylist(
  presentation: Presentation,
  track: VideoTrack | AudioTrack,
  options: { readonly drm?: DrmByKid } = {},
): string {
  let body = "";
  track.segments.forEach((segment, index) => {
    body += gapBefore(presentation, index);
    body += `#EXTINF:${seconds(segment, track.timescale)},\n${segmentName(index + 1)}\n`;
  });
  const longest = Math.max(1, ...track.segments.map((segment) => segment.durationTicks / track.timescale));
  return vod(longest, `#EXT-X-INDEPENDENT-SEGMENTS\n${initAndKeys(presentation, track, options.drm)}`, body);
}

/** The I-frame playlist of a video track (section 4.4.3.6): byte ranges of its segments. */
export function writeIFramePlaylist(
  presentation: Presentation,
  track: VideoTrack,
  options: { readonly drm?: DrmByKid } = {},
): string {
  let body = "";
  let longest = 1;
  track.segments.forEach((segment, index) => {
    body += gapBefore(presentation, index);
    for (const frame of segment.iframes ?? []) {
      longest = Math.max(longest, frame.durationTicks / track.timescale);
      body += `#EXTINF:${seconds(frame, track.timescale)},\n#EXT-X-BYTERANGE:${frame.sizeBytes}@${frame.offsetBytes}\n`;
      body += `${segmentName(index + 1)}\n`;
    }
  });
  return vod(longest, `#EXT-X-I-FRAMES-ONLY\n${initAndKeys(presentation, track, options.drm)}`, body);
}

/** A subtitles playlist: WebVTT segments with X-TIMESTAMP-MAP. */
export function writeSubtitlesPlaylist(track: TextTrack): string {
  const body = track.segmentDurationsS
    .map((durationS, index) => `#EXTINF:${durationS.toFixed(6)},\n${segmentName(index + 1, "vtt")}\n`)
    .join("");
  return vod(Math.max(1, ...track.segmentDurationsS), "", body);
}

/** Thumbnail tiles as an image playlist (Roku, "Trick mode HLS"; Shaka, hls.js and video.js read it too). */
export function writeImagePlaylist(presentation: Presentation, thumbnails: ThumbnailTrack): string {
  const fullS = thumbnails.columns * thumbnails.rows * thumbnails.intervalS;
  const tiles = attributes("#EXT-X-TILES", {
    RESOLUTION: `${thumbnails.width}x${thumbnails.height}`,
    LAYOUT: `${thumbnails.columns}x${thumbnails.rows}`,
    DURATION: String(thumbnails.intervalS),
  });
  let body = "";
  let longest = 1;
  for (let index = 0; index < thumbnails.tileCount; index++) {
    const leftS = presentation.durationS - index * fullS;
    const durationS = leftS > 0 && leftS < fullS ? leftS : fullS;
    longest = Math.max(longest, durationS);
    body += `#EXTINF:${durationS.toFixed(6)},\n${tiles}\n${tileName(index + 1)}\n`;
  }
  return vod(longest, "#EXT-X-IMAGES-ONLY\n", body);
}

/** Where something is missing, what follows was made by other encoders (section 4.4.4.3); times go on without a hole. */
const gapBefore = ({ gapsBefore }: Presentation, index: number): string =>
  gapsBefore?.includes(index) ? "#EXT-X-DISCONTINUITY\n" : "";

export function vod(longestS: number, head: string, body: string): string {
  const target = `#EXT-X-TARGETDURATION:${Math.ceil(longestS)}\n#EXT-X-PLAYLIST-TYPE:VOD\n`;
  return `${HEADER}${target}${head}${body}#EXT-X-ENDLIST\n`;
}

/** The lines before the first segment of a track, or of a piece of one whose folder lies at `base`. */
export function initAndKeys(
  presentation: Presentation,
  track: VideoTrack | AudioTrack,
  drm: DrmByKid | undefined,
  base = "",
): string {
  // The map comes first: it is clear, and EXT-X-KEY speaks for what follows it.
  const map = `#EXT-X-MAP:URI="${base}init.mp4"\n`;
  if (track.kid === null) return map;
  const key = presentation.keys.find((candidate) => candidate.kid === track.kid);
  const signalling = drm?.get(track.kid);
  if (key === undefined || signalling === undefined) {
    throw new RangeError(
      `track '${track.profile}': nothing is known of its key ${track.kid}; pass its signalling in options.drm`,
    );
  }
  const lines = keyLines("#EXT-X-KEY", key.kid, key.ivHex, signalling);
  if (lines.length === 0) throw new RangeError(`key ${key.kid}: the signalling names no DRM system`);
  return `${map}${lines.join("\n")}\n`;
}

function unique(label: string, taken: Set<string>): string {
  let name = label;
  for (let copy = 2; taken.has(name); copy++) name = `${label} (${copy})`;
  taken.add(name);
  return name;
}

function playlistUri(base: string, profile: string, name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(profile))
    throw new RangeError(`profile '${profile}' is no folder name`);
  return `${base}${profile}/${name}`;
}

const bps = (value: number): string => String(Math.max(1, Math.ceil(value)));
const seconds = (piece: Pick<Segment, "durationTicks">, timescale: number): string =>
  (piece.durationTicks / timescale).toFixed(6);
