/**
 * A strict, bounded parser for HLS playlists (RFC 8216bis, section 4). Syntax that the RFC forbids is a FormatError that
 * names the line; unknown tags and attributes are passed over, as section 6.3.1 asks.
 */
import { FormatError } from "#media/format";
import {
  Attributes,
  decimal,
  fail,
  type HlsLine,
  type HlsParseLimits,
  integer,
  LIMITS,
  readLines,
  substitute,
} from "./lines.ts";
import type {
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

export type { HlsParseLimits } from "./lines.ts";

/** The tags that only one of the two kinds of playlist may hold (section 4.1: mixing them is an error). */
const MEDIA_TAGS = new Set(
  "EXTINF EXT-X-TARGETDURATION EXT-X-MEDIA-SEQUENCE EXT-X-DISCONTINUITY-SEQUENCE EXT-X-ENDLIST EXT-X-PLAYLIST-TYPE EXT-X-I-FRAMES-ONLY EXT-X-BYTERANGE EXT-X-DISCONTINUITY EXT-X-KEY EXT-X-MAP EXT-X-PROGRAM-DATE-TIME EXT-X-GAP EXT-X-PART EXT-X-PART-INF EXT-X-SERVER-CONTROL EXT-X-SKIP EXT-X-PRELOAD-HINT EXT-X-RENDITION-REPORT EXT-X-DATERANGE EXT-X-IMAGES-ONLY EXT-X-TILES".split(
    " ",
  ),
);
const MULTIVARIANT_TAGS = new Set(
  "EXT-X-MEDIA EXT-X-STREAM-INF EXT-X-I-FRAME-STREAM-INF EXT-X-IMAGE-STREAM-INF EXT-X-SESSION-DATA EXT-X-SESSION-KEY EXT-X-CONTENT-STEERING".split(
    " ",
  ),
);

/** Parses either kind of playlist. Throws FormatError, naming the line. */
export function parseHls(text: string, limits: HlsParseLimits = {}): MediaPlaylist | MultivariantPlaylist {
  const lines = [...readLines(text, limits)];
  for (const line of lines) {
    if (line.tag !== null && MULTIVARIANT_TAGS.has(line.tag)) return multivariant(lines);
    if (line.tag !== null && MEDIA_TAGS.has(line.tag)) return media(lines, limits);
  }
  throw fail(1, "nothing in the playlist says whether it is a media or a multivariant playlist");
}

export function parseMediaPlaylist(text: string, limits: HlsParseLimits = {}): MediaPlaylist {
  const playlist = parseHls(text, limits);
  if (playlist.kind !== "media") throw new FormatError("hls", "this is a multivariant playlist, not a media playlist");
  return playlist;
}

export function parseMultivariantPlaylist(text: string, limits: HlsParseLimits = {}): MultivariantPlaylist {
  const playlist = parseHls(text, limits);
  if (playlist.kind !== "multivariant")
    throw new FormatError("hls", "this is a media playlist, not a multivariant playlist");
  return playlist;
}

function define(line: HlsLine, variables: Map<string, string>): void {
  const attributes = new Attributes(line, variables);
  const name = attributes.text("NAME");
  // QUERYPARAM and IMPORT take their values from outside of the playlist; a use of such a variable fails where it stands.
  if (name === null) return;
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(name)) throw attributes.fail("NAME is no variable name");
  if (variables.has(name)) throw attributes.fail(`the variable ${name} is defined twice`);
  if (variables.size >= LIMITS.variables) throw attributes.fail(`more than ${LIMITS.variables} variables`);
  variables.set(name, attributes.text("VALUE") ?? "");
}

function key(attributes: Attributes): HlsKey | null {
  const method = attributes.required("METHOD");
  if (method === "NONE") return null;
  const iv = attributes.text("IV");
  const keyId = attributes.text("KEYID");
  if (iv !== null && !/^0[xX][0-9a-fA-F]{1,32}$/.test(iv))
    throw attributes.fail("IV is no 128-bit number in hexadecimal");
  if (keyId !== null && !/^0[xX][0-9a-fA-F]{32}$/.test(keyId))
    throw attributes.fail("KEYID is not 0x and 32 hexadecimal digits");
  return {
    method,
    uri: attributes.required("URI"),
    ivHex: iv?.slice(2).toLowerCase().padStart(32, "0") ?? null,
    keyFormat: attributes.text("KEYFORMAT") ?? "identity",
    keyFormatVersions: attributes.text("KEYFORMATVERSIONS") ?? "1",
    keyId: keyId?.slice(2).toLowerCase() ?? null,
  };
}

/** `<n>[@<o>]`; without an offset the range begins where the one before it in the same resource ended (4.4.4.2). */
function byteRange(text: string, line: number, after: number | null): HlsByteRange {
  const match = /^(\d{1,16})(?:@(\d{1,16}))?$/.exec(text);
  if (match === null) throw fail(line, `'${text.slice(0, 60)}' is no byte range n[@o]`);
  const lengthBytes = integer(match[1] ?? "", line, "the length of the byte range");
  const offsetBytes = match[2] === undefined ? after : integer(match[2], line, "the offset of the byte range");
  if (offsetBytes === null) throw fail(line, "a byte range without an offset needs one before it in the same resource");
  return { lengthBytes, offsetBytes };
}

// ---------------------------------------------------------------------------------------------------- media playlist

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What the tags since the last URI said about the next segment. */
interface Pending {
  durationS: number | null;
  title: string;
  range: { text: string; line: number } | null;
  discontinuity: boolean;
  gap: boolean;
  programDateTime: string | null;
  tiles: HlsSegment["tiles"];
  parts: HlsPart[];
}

const nothingPending = (): Pending => ({
  durationS: null,
  title: "",
  range: null,
  discontinuity: false,
  gap: false,
  programDateTime: null,
  tiles: null,
  parts: [],
});

interface MediaState {
  readonly out: Mutable<MediaPlaylist>;
  readonly segments: HlsSegment[];
  readonly preloadHints: Readonly<Record<string, string>>[];
  readonly dateRanges: Readonly<Record<string, string>>[];
  readonly variables: Map<string, string>;
  readonly seen: Set<string>;
  pending: Pending;
  keys: readonly HlsKey[];
  /** Whether the last tag was EXT-X-KEY: neighbours add up, a later one replaces them all. */
  keysOpen: boolean;
  map: HlsMap | null;
  rangeEnd: { uri: string; offset: number } | null;
  partEnd: { uri: string; offset: number } | null;
}

function media(lines: readonly HlsLine[], limits: HlsParseLimits): MediaPlaylist {
  const state: MediaState = {
    out: {
      kind: "media",
      version: 1,
      targetDurationS: 0,
      mediaSequence: 0,
      discontinuitySequence: 0,
      type: null,
      endList: false,
      iFramesOnly: false,
      imagesOnly: false,
      independentSegments: false,
      partTargetS: null,
      serverControl: null,
      skippedSegments: 0,
      preloadHints: [],
      dateRanges: [],
      segments: [],
      trailingParts: [],
    },
    segments: [],
    preloadHints: [],
    dateRanges: [],
    variables: new Map(),
    seen: new Set(),
    pending: nothingPending(),
    keys: [],
    keysOpen: false,
    map: null,
    rangeEnd: null,
    partEnd: null,
  };
  const segmentsMax = limits.segmentsMax ?? LIMITS.segments;
  for (const line of lines) {
    if (line.tag === null) {
      if (state.segments.length >= segmentsMax) throw fail(line.number, `more than ${segmentsMax} segments`);
      addSegment(state, line);
    } else if (MULTIVARIANT_TAGS.has(line.tag)) {
      throw fail(line.number, `${line.tag} belongs to multivariant playlists, and this is a media playlist`);
    } else if (!headerTag(state, line)) {
      segmentTag(state, line);
    }
    if (line.tag !== "EXT-X-KEY") state.keysOpen = false;
  }
  const lastLine = lines.at(-1)?.number ?? 1;
  if (state.pending.durationS !== null) throw fail(lastLine, "the playlist ends after an EXTINF, before its URI");
  if (!state.seen.has("EXT-X-TARGETDURATION")) throw fail(lastLine, "EXT-X-TARGETDURATION is missing");
  const { out, segments, preloadHints, dateRanges } = state;
  return { ...out, segments, preloadHints, dateRanges, trailingParts: state.pending.parts };
}

function addSegment(state: MediaState, line: HlsLine): void {
  const { pending } = state;
  if (pending.durationS === null) throw fail(line.number, "a URI needs an EXTINF before it");
  const uri = substitute(line.value, state.variables, line.number);
  const after = state.rangeEnd?.uri === uri ? state.rangeEnd.offset : null;
  const range = pending.range === null ? null : byteRange(pending.range.text, pending.range.line, after);
  state.rangeEnd = range === null ? null : { uri, offset: range.offsetBytes + range.lengthBytes };
  state.segments.push({
    uri,
    durationS: pending.durationS,
    title: pending.title,
    byteRange: range,
    discontinuity: pending.discontinuity,
    gap: pending.gap,
    keys: state.keys,
    map: state.map,
    programDateTime: pending.programDateTime,
    parts: pending.parts,
    tiles: pending.tiles,
    line: line.number,
  });
  state.pending = nothingPending();
}

/** The tags that speak of the whole playlist; false for any other. */
function headerTag(state: MediaState, line: HlsLine): boolean {
  const { out } = state;
  const number = (): number => integer(line.value.trim(), line.number, line.tag ?? "");
  switch (line.tag) {
    case "EXT-X-VERSION":
      once(state, line);
      out.version = number();
      if (out.version < 1) throw fail(line.number, "EXT-X-VERSION is 0; versions begin with 1");
      return true;
    case "EXT-X-TARGETDURATION":
      once(state, line);
      out.targetDurationS = number();
      return true;
    case "EXT-X-MEDIA-SEQUENCE":
      once(state, line);
      if (state.segments.length > 0)
        throw fail(line.number, "EXT-X-MEDIA-SEQUENCE must stand before the first segment");
      out.mediaSequence = number();
      return true;
    case "EXT-X-DISCONTINUITY-SEQUENCE":
      once(state, line);
      out.discontinuitySequence = number();
      return true;
    case "EXT-X-PLAYLIST-TYPE":
      once(state, line);
      if (line.value !== "VOD" && line.value !== "EVENT")
        throw fail(line.number, "EXT-X-PLAYLIST-TYPE is neither VOD nor EVENT");
      out.type = line.value;
      return true;
    case "EXT-X-ENDLIST":
      out.endList = true;
      return true;
    case "EXT-X-I-FRAMES-ONLY":
      out.iFramesOnly = true;
      return true;
    case "EXT-X-IMAGES-ONLY":
      out.imagesOnly = true;
      return true;
    case "EXT-X-INDEPENDENT-SEGMENTS":
      out.independentSegments = true;
      return true;
    case "EXT-X-DEFINE":
      define(line, state.variables);
      return true;
    case "EXT-X-PART-INF":
      out.partTargetS = new Attributes(line, state.variables).decimal("PART-TARGET");
      return true;
    case "EXT-X-SERVER-CONTROL":
      out.serverControl = new Attributes(line, state.variables).values;
      return true;
    case "EXT-X-SKIP":
      out.skippedSegments = new Attributes(line, state.variables).integer("SKIPPED-SEGMENTS") ?? 0;
      return true;
    case "EXT-X-PRELOAD-HINT":
      state.preloadHints.push(new Attributes(line, state.variables).values);
      return true;
    case "EXT-X-DATERANGE":
      state.dateRanges.push(new Attributes(line, state.variables).values);
      return true;
    default:
      return false;
  }
}

function once(state: MediaState, line: HlsLine): void {
  const tag = line.tag ?? "";
  if (state.seen.has(tag)) throw fail(line.number, `${tag} stands twice`);
  state.seen.add(tag);
}

/** The tags that speak of the next segment, or of all that follow. */
function segmentTag(state: MediaState, line: HlsLine): void {
  const { pending } = state;
  switch (line.tag) {
    case "EXTINF": {
      if (pending.durationS !== null) throw fail(line.number, "two EXTINF stand before one URI");
      const comma = line.value.indexOf(",");
      const duration = comma < 0 ? line.value : line.value.slice(0, comma);
      pending.durationS = decimal(duration.trim(), line.number, "EXTINF: the duration");
      pending.title = comma < 0 ? "" : line.value.slice(comma + 1);
      return;
    }
    case "EXT-X-BYTERANGE":
      pending.range = { text: line.value.trim(), line: line.number };
      return;
    case "EXT-X-DISCONTINUITY":
      pending.discontinuity = true;
      return;
    case "EXT-X-GAP":
      pending.gap = true;
      return;
    case "EXT-X-PROGRAM-DATE-TIME":
      if (!Number.isFinite(Date.parse(line.value)))
        throw fail(line.number, "EXT-X-PROGRAM-DATE-TIME is no ISO 8601 time");
      pending.programDateTime = line.value;
      return;
    case "EXT-X-KEY": {
      const parsed = key(new Attributes(line, state.variables));
      // Section 4.4.4.4: a tag applies until the next one with the same KEYFORMAT, or to the end.
      if (parsed === null) state.keys = [];
      else if (state.keysOpen)
        state.keys = [...state.keys.filter((other) => other.keyFormat !== parsed.keyFormat), parsed];
      else state.keys = [parsed];
      if (state.keys.length > LIMITS.attributes)
        throw fail(line.number, `more than ${LIMITS.attributes} keys for one segment`);
      state.keysOpen = true;
      return;
    }
    case "EXT-X-MAP": {
      const attributes = new Attributes(line, state.variables);
      const range = attributes.text("BYTERANGE");
      state.map = {
        uri: attributes.required("URI"),
        byteRange: range === null ? null : byteRange(range, line.number, 0),
      };
      return;
    }
    case "EXT-X-PART":
      addPart(state, new Attributes(line, state.variables));
      return;
    case "EXT-X-TILES": {
      const attributes = new Attributes(line, state.variables);
      pending.tiles = {
        resolution: attributes.required("RESOLUTION"),
        layout: attributes.required("LAYOUT"),
        durationS: attributes.decimal("DURATION") ?? 0,
      };
      return;
    }
    default:
      return;
  }
}

function addPart(state: MediaState, attributes: Attributes): void {
  const uri = attributes.required("URI");
  const range = attributes.text("BYTERANGE");
  const after = state.partEnd?.uri === uri ? state.partEnd.offset : 0;
  const parsed = range === null ? null : byteRange(range, attributes.line, after);
  state.partEnd = parsed === null ? null : { uri, offset: parsed.offsetBytes + parsed.lengthBytes };
  const durationS = attributes.decimal("DURATION");
  if (durationS === null) throw attributes.fail("the attribute DURATION is missing");
  if (state.pending.parts.length >= 1000) throw attributes.fail("more than 1000 parts in one segment");
  state.pending.parts.push({
    uri,
    durationS,
    byteRange: parsed,
    independent: attributes.flag("INDEPENDENT"),
    gap: attributes.flag("GAP"),
  });
}

// --------------------------------------------------------------------------------------------- multivariant playlist

function multivariant(lines: readonly HlsLine[]): MultivariantPlaylist {
  const out: Mutable<MultivariantPlaylist> = {
    kind: "multivariant",
    version: 1,
    independentSegments: false,
    variants: [],
    iFrameVariants: [],
    imageVariants: [],
    renditions: [],
    sessionKeys: [],
    steering: null,
  };
  const variants: HlsVariant[] = [];
  const iFrameVariants: HlsVariant[] = [];
  const imageVariants: HlsVariant[] = [];
  const renditions: HlsRendition[] = [];
  const sessionKeys: HlsKey[] = [];
  const variables = new Map<string, string>();
  let waiting: Attributes | null = null;
  for (const line of lines) {
    if (line.tag === null) {
      if (waiting === null) throw fail(line.number, "a URI needs an EXT-X-STREAM-INF before it");
      variants.push(variant(waiting, substitute(line.value, variables, line.number)));
      waiting = null;
      continue;
    }
    if (MEDIA_TAGS.has(line.tag))
      throw fail(line.number, `${line.tag} belongs to media playlists, and this is a multivariant playlist`);
    if (waiting !== null && line.tag.startsWith("EXT-X-STREAM-INF"))
      throw fail(line.number, "the EXT-X-STREAM-INF before it has no URI");
    const attributes = (): Attributes => new Attributes(line, variables);
    switch (line.tag) {
      case "EXT-X-VERSION":
        out.version = integer(line.value.trim(), line.number, "EXT-X-VERSION");
        break;
      case "EXT-X-INDEPENDENT-SEGMENTS":
        out.independentSegments = true;
        break;
      case "EXT-X-DEFINE":
        define(line, variables);
        break;
      case "EXT-X-STREAM-INF":
        waiting = attributes();
        break;
      case "EXT-X-I-FRAME-STREAM-INF":
        iFrameVariants.push(variant(attributes(), null));
        break;
      case "EXT-X-IMAGE-STREAM-INF":
        imageVariants.push(variant(attributes(), null));
        break;
      case "EXT-X-MEDIA":
        renditions.push(rendition(attributes()));
        break;
      case "EXT-X-SESSION-KEY": {
        const parsed = key(attributes());
        if (parsed === null) throw fail(line.number, "EXT-X-SESSION-KEY cannot have METHOD=NONE");
        sessionKeys.push(parsed);
        break;
      }
      case "EXT-X-CONTENT-STEERING": {
        const steering = attributes();
        out.steering = { serverUri: steering.required("SERVER-URI"), pathwayId: steering.text("PATHWAY-ID") };
        break;
      }
      default:
        break;
    }
    if (
      variants.length + iFrameVariants.length + imageVariants.length + renditions.length + sessionKeys.length >
      10_000
    ) {
      throw fail(line.number, "more than 10000 variants and renditions");
    }
  }
  if (waiting !== null) throw waiting.fail("the playlist ends before its URI");
  return { ...out, variants, iFrameVariants, imageVariants, renditions, sessionKeys };
}

function variant(attributes: Attributes, uri: string | null): HlsVariant {
  const resolution = attributes.text("RESOLUTION");
  const size = resolution === null ? null : /^(\d{1,5})[xX](\d{1,5})$/.exec(resolution);
  if (resolution !== null && size === null)
    throw attributes.fail(`RESOLUTION '${resolution.slice(0, 40)}' is not <width>x<height>`);
  const bandwidthBps = attributes.integer("BANDWIDTH");
  if (bandwidthBps === null) throw attributes.fail("the attribute BANDWIDTH is missing");
  const captions = attributes.text("CLOSED-CAPTIONS");
  return {
    uri: uri ?? attributes.required("URI"),
    bandwidthBps,
    averageBandwidthBps: attributes.integer("AVERAGE-BANDWIDTH"),
    codecs: (attributes.text("CODECS") ?? "")
      .split(",")
      .flatMap((codec) => (codec.trim() === "" ? [] : [codec.trim()])),
    width: size === null ? null : Number(size[1]),
    height: size === null ? null : Number(size[2]),
    frameRate: attributes.decimal("FRAME-RATE"),
    videoRange: attributes.text("VIDEO-RANGE"),
    audioGroup: attributes.text("AUDIO"),
    videoGroup: attributes.text("VIDEO"),
    subtitlesGroup: attributes.text("SUBTITLES"),
    closedCaptionsGroup: captions === "NONE" ? null : captions,
    pathwayId: attributes.text("PATHWAY-ID"),
    line: attributes.line,
  };
}

const RENDITION_TYPES = ["AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"] as const;

function rendition(attributes: Attributes): HlsRendition {
  const type = RENDITION_TYPES.find((known) => known === attributes.required("TYPE"));
  if (type === undefined) throw attributes.fail(`TYPE is none of ${RENDITION_TYPES.join(", ")}`);
  const uri = attributes.text("URI");
  if (type === "SUBTITLES" && uri === null) throw attributes.fail("subtitles need a URI");
  return {
    type,
    groupId: attributes.required("GROUP-ID"),
    name: attributes.required("NAME"),
    language: attributes.text("LANGUAGE"),
    uri,
    isDefault: attributes.flag("DEFAULT"),
    autoselect: attributes.flag("AUTOSELECT"),
    forced: attributes.flag("FORCED"),
    channels: attributes.text("CHANNELS"),
    characteristics: attributes.text("CHARACTERISTICS"),
    instreamId: attributes.text("INSTREAM-ID"),
    pathwayId: attributes.text("PATHWAY-ID"),
  };
}
