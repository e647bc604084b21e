import { problem } from "#kernel/errors";
import { keyClassOf, LIVE_SEGMENT_S, liveGrid, type KeyClass, type LiveGrid, partFrames } from "#media/presentation";

export const SEGMENT_MS = LIVE_SEGMENT_S * 1_000;

export interface Rung {
  /** Also the track's name and folder. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly bitrateKbps: number;
}

const INPUT_KINDS = ["demo", "rtmp", "srt", "mpegts", "hls", "files", "schedule"] as const;
type InputKind = (typeof INPUT_KINDS)[number];

export interface Input {
  readonly kind: InputKind;
  readonly url: string;
}

export type Latency = "low" | "standard";

export interface Channel {
  readonly id: string;
  readonly number: number;
  readonly name: string;
  readonly logo: string;
  readonly language: string;
  readonly latency: Latency;
  readonly ageRating: number;
  readonly tier: string;
  readonly ladder: readonly string[];
  readonly inputs: readonly Input[];
  readonly onAir: boolean;
  readonly onDemand: boolean;
  readonly dvrWindowS: number;
}

/** ARCH-001 section 5, "Live Transcoding": four rungs, three where every frame is waited for. */
const LADDERS: Readonly<Record<Latency, readonly string[]>> = {
  low: ["720p-h264-3000k", "480p-h264-1400k", "360p-h264-800k"],
  standard: ["1080p-h264-5000k", "720p-h264-3000k", "480p-h264-1400k", "360p-h264-800k"],
};
const RUNG = /^(\d{3,4})p-h264-(\d{3,5})k$/;
const CHANNEL_ID = /^ch-[a-z0-9][a-z0-9-]{0,59}$/;
const HOLDER = /^[A-Za-z0-9_.:-]{1,100}$/;
const RUNGS_MAX = 6;
const INPUTS_MAX = 2;
const NAME_CHARS_MAX = 100;
const AGE_RATINGS: readonly number[] = [0, 6, 12, 16, 18];
const TIERS: readonly string[] = ["basic", "premium"];
export const NUMBER_MAX = 9_999;
const DVR_WINDOW_S = 7_200;
const DVR_WINDOW_S_MAX = 86_400;

/** The rung of a name such as `720p-h264-3000k`: the picture is 16 to 9. */
export function rungOf(name: string): Rung {
  const [, lines, kbps] = RUNG.exec(name) ?? [];
  const height = Number(lines);
  if (lines === undefined || height % 2 !== 0 || height < 144 || height > 2_160)
    throw problem.invalid(`'${name.slice(0, 40)}' is no rung: write for example 720p-h264-3000k`);
  return { name, width: Math.round((height * 16) / 9 / 2) * 2, height, bitrateKbps: Number(kbps) };
}

export function assertChannelId(id: string): string {
  if (!CHANNEL_ID.test(id))
    throw problem.invalid(`channel id '${id.slice(0, 80)}' is not of the form ${CHANNEL_ID.source}`);
  return id;
}

export function assertHolder(holder: string): string {
  if (!HOLDER.test(holder))
    throw problem.invalid(`holder '${holder.slice(0, 80)}' is not of the form ${HOLDER.source}`);
  return holder;
}

/** What somebody wishes for, with everything that they left out filled in. */
export function channelOf(
  wish: Omit<Channel, "latency" | "inputs"> & { readonly latency: string },
  inputs: readonly WishedInput[],
): Channel {
  const { number, name, latency } = wish;
  assertChannelId(wish.id);
  if (!Number.isInteger(number) || number < 1 || number > NUMBER_MAX)
    throw problem.invalid(`channel number ${number} is not from 1 to ${NUMBER_MAX}`);
  if (name.trim() === "" || name.length > NAME_CHARS_MAX)
    throw problem.invalid(
      `the name of channel '${wish.id}' has ${name.length} characters: write 1 to ${NAME_CHARS_MAX}`,
    );
  if (latency !== "" && latency !== "low" && latency !== "standard")
    throw problem.invalid(`latency '${latency.slice(0, 40)}' is not known: low or standard`);
  if (!AGE_RATINGS.includes(wish.ageRating))
    throw problem.invalid(`age rating ${wish.ageRating} is not one of ${AGE_RATINGS.join(", ")}`);
  const tier = wish.tier || "basic";
  if (!TIERS.includes(tier)) throw problem.invalid(`tier '${tier.slice(0, 40)}' is not known: ${TIERS.join(" or ")}`);
  const language = languageOf(wish.language || "en");
  if (wish.dvrWindowS > DVR_WINDOW_S_MAX)
    throw problem.invalid(`a window of ${wish.dvrWindowS} s is longer than ${DVR_WINDOW_S_MAX} s`);
  // A film is not hurried: its segments are there as they were packaged.
  const isFilms = inputs[0]?.kind === "schedule";
  const kind: Latency = latency === "standard" || isFilms ? "standard" : "low";
  return {
    ...wish,
    name: name.trim(),
    logo: logoOf(wish.logo),
    ...{ language, tier, latency: kind },
    ladder: ladderOf(wish.ladder, kind),
    inputs: inputsOf(inputs),
    dvrWindowS: wish.dvrWindowS || DVR_WINDOW_S,
  };
}

function ladderOf(wished: readonly string[], latency: Latency): readonly string[] {
  const names = wished.length === 0 ? LADDERS[latency] : wished;
  if (names.length > RUNGS_MAX) throw problem.invalid(`${names.length} rungs are more than ${RUNGS_MAX}`);
  if (new Set(names).size !== names.length) throw problem.invalid("a rung stands twice in the ladder");
  return names
    .map(rungOf)
    .toSorted((a, b) => b.bitrateKbps - a.bitrateKbps)
    .map(({ name }) => name);
}

function inputsOf(inputs: readonly WishedInput[]): Input[] {
  if (inputs.length === 0 || inputs.length > INPUTS_MAX)
    throw problem.invalid(`a channel has one input and at most one backup, not ${inputs.length}`);
  const kinds = inputs.map(({ kind }) => kind);
  if (kinds.length > 1 && (kinds.includes("demo") || kinds.includes("schedule")))
    throw problem.invalid("what we make ourselves, a test picture or a schedule, has no backup and is none");
  const ports = inputs.flatMap(({ kind, url }) => (kind === "rtmp" || kind === "srt" ? [url] : []));
  if (new Set(ports).size !== ports.length) throw problem.invalid(`port ${ports[0]} is meant for two inputs`);
  return inputs.map(inputOf);
}

interface WishedInput {
  readonly kind: string;
  readonly url: string;
  readonly secret: string;
}

const STREAM_KEY = /^[A-Za-z0-9_-]{16,100}$/;
const PASSPHRASE = /^[\x20-\x7e]{10,79}$/;
const URL_CHARS_MAX = 1_000;
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** What may be an input: how it is written, and what is wrong where it is not. */
function inputOf({ kind, url, secret }: WishedInput): Input {
  const known = INPUT_KINDS.find((each) => each === kind);
  if (!known) throw problem.invalid(`input '${kind.slice(0, 40)}' is not known: ${INPUT_KINDS.join(", ")}`);
  if (known === "rtmp" || known === "srt") portOf(known, url);
  if (known === "rtmp" && !STREAM_KEY.test(secret))
    throw problem.invalid("a stream key has 16 to 100 letters, digits, '-' or '_'");
  if (known === "srt" && !PASSPHRASE.test(secret)) throw problem.invalid("a passphrase has 10 to 79 plain characters");
  if (known === "mpegts") assertAddress(known, url, ["udp:", "http:"], true);
  if (known === "hls") assertAddress(known, url, ["http:", "https:"], false);
  if (known === "files" && !/^\/[^\0\r\n]{1,1000}$/.test(url))
    throw problem.invalid(`'${url.slice(0, 80)}' is no absolute path of a video, or of a list with a path a line`);
  return { kind: known, url };
}

/** Where a push is waited for: not where systems have their own services. */
export function portOf(kind: string, text: string): number {
  const port = /^\d{4,5}$/.test(text) ? Number(text) : 0;
  if (port < 1_024 || port > 65_535)
    throw problem.invalid(`'${text.slice(0, 40)}' is no port for ${kind}: write for example ${kind}:9000`);
  return port;
}

function assertAddress(kind: string, text: string, protocols: readonly string[], isLocal: boolean): void {
  const url = text.length > URL_CHARS_MAX ? null : URL.parse(text);
  const shown = text.slice(0, 80);
  if (!url || !protocols.includes(url.protocol) || url.username !== "" || url.password !== "")
    throw problem.invalid(`'${shown}' is no address for ${kind}: ${protocols.join(" or ")}//host, without a password`);
  if (isLocal && !LOOPBACK.has(url.hostname))
    throw problem.invalid(`'${shown}' is elsewhere: a bare transport stream is taken from this machine alone`);
}

function languageOf(tag: string): string {
  try {
    const [canonical] = Intl.getCanonicalLocales(tag.slice(0, 40));
    if (canonical !== undefined) return canonical;
  } catch {
    // Falls through to the one error below.
  }
  throw problem.invalid(`'${tag.slice(0, 40)}' is not a language tag: write for example en, de or pt-BR`);
}

function logoOf(logo: string): string {
  if (logo !== "" && !/^\/[A-Za-z0-9/._?=&-]{1,300}$/.test(logo))
    throw problem.invalid(`logo '${logo.slice(0, 80)}' is no path below the public address, such as /images/logo.png`);
  return logo;
}

/** How a track of a channel is made. */
export interface TrackPlan {
  readonly name: string;
  readonly kind: "video" | "audio";
  readonly keyClass: KeyClass;
  readonly bitrateKbps: number;
  readonly rung: Rung | null;
  readonly language: string;
}

/** Whole, and divided by what every picture of the demo is made for. */
export const FRAME_RATE = 24;
const AUDIO_KBPS = 96;
const AUDIO_PART_S = 0.5;

export function tracksOf(channel: Pick<Channel, "ladder" | "language">): TrackPlan[] {
  return [
    ...channel.ladder.map((name): TrackPlan => {
      const rung = rungOf(name);
      return {
        ...{ name, kind: "video", rung, bitrateKbps: rung.bitrateKbps, language: channel.language },
        keyClass: keyClassOf(rung.width, rung.height),
      };
    }),
    {
      ...{ name: `audio-${channel.language.toLowerCase()}`, kind: "audio", rung: null, keyClass: "AUDIO" },
      ...{ bitrateKbps: AUDIO_KBPS, language: channel.language },
    },
  ];
}

/** Frames from one IDR to the next: each part opens with one, or where there are no parts each segment. */
export const gopFramesOf = (latency: Latency, frameRate: number): number =>
  latency === "low" ? partFrames(frameRate) : frameRate * LIVE_SEGMENT_S;

export function gridOf(
  { kind }: Pick<TrackPlan, "kind">,
  timescale: number,
  latency: Latency,
  frameRate: number,
): LiveGrid {
  if (latency === "standard") return liveGrid(timescale, LIVE_SEGMENT_S);
  return liveGrid(timescale, kind === "audio" ? AUDIO_PART_S : partFrames(frameRate) / frameRate);
}

/** Which key set is in use at a time; ARCH-001 section 8: one a day. */
export const dayIndexAt = (timeMs: number, periodMs: number): number => Math.floor(timeMs / periodMs);

export const dayIndexOf = (number: number, periodMs: number): number => dayIndexAt(number * SEGMENT_MS, periodMs);

/** The key sets that a licence of this moment covers: those of the window, the present one and the next one. */
export function licensedDays(nowMs: number, dvrWindowS: number, periodMs: number): number[] {
  const first = dayIndexAt(nowMs - dvrWindowS * 1_000, periodMs);
  const last = dayIndexAt(nowMs, periodMs) + 1;
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Segments begin at multiples of their length; encoders need a moment to come up. */
export const startAfter = (nowMs: number, leadMs: number): number =>
  Math.ceil((nowMs + leadMs) / SEGMENT_MS) * SEGMENT_MS;

export const objectKey = (channelId: string, track: string, number: number): string =>
  `${channelFolder(channelId)}${track}/${number}.m4s`;
export const initKey = (channelId: string, track: string, file: string): string =>
  `${channelFolder(channelId)}${track}/${file}`;
export const channelFolder = (channelId: string): string => `live/${channelId}/`;
/** `serial` tells apart the headers of films, which differ. */
export const initName = (dayIndex: number, serial?: number): string =>
  serial === undefined ? `init-${dayIndex}.mp4` : `init-${dayIndex}-${serial}.mp4`;

/** Whether one of its inputs is a transport stream as it comes, with splices if it has some. */
export const maySplice = ({ inputs }: Pick<Channel, "inputs">): boolean =>
  inputs.some(({ kind }) => kind === "srt" || kind === "mpegts");

/** Whether the channel is made of films: each has a header of its own. */
export const isLinear = ({ inputs }: Pick<Channel, "inputs">): boolean => inputs[0]?.kind === "schedule";

/**
 * What can be asked of a channel, and nothing else:
 *
 *   /live/{channelId}/main.m3u8 | main.mpd
 *   /live/{channelId}/main-{startS}-{endS}.m3u8 | .mpd              a span of the past, in seconds since the epoch
 *   /live/{channelId}/{track}/index-{startS}-{endS}.m3u8
 *   /live/{channelId}/main-{session}.m3u8 | .mpd, {track}/index-{session}.m3u8   with ads in the channel's breaks
 *   /live/{channelId}/ads-{session}-{number}.json                    the ads of the break at a segment, for players that put them in
 *   /live/{channelId}/{track}/index.m3u8 | init-{dayIndex}.mp4 | seg-{number}.m4s | seg-{number}.{part}.m4s
 *   /live/{channelId}/{track}/seg-{number}-{run}-{dayIndex}.m4s     the same segment, as one of a span of an MPD
 */
export type LivePath = { readonly channelId: string } & (
  | ({ readonly kind: "hls" } & Of)
  | ({ readonly kind: "dash" } & Of)
  | ({ readonly kind: "media"; readonly track: string } & Of)
  | { readonly kind: "ads"; readonly sessionId: string; readonly number: number }
  | { readonly kind: "init"; readonly track: string; readonly file: string }
  | {
      readonly kind: "segment";
      readonly track: string;
      readonly number: number;
      readonly part: number | null;
      readonly span: { readonly run: number; readonly dayIndex: number } | null;
    }
);

/** Of which form a manifest is: everybody's where both are missing. */
interface Of {
  readonly past: PastSpan | null;
  /** For whom breaks are filled; empty for nobody. */
  readonly sessionId: string;
}

/** Whole segments. */
export interface PastSpan {
  readonly firstNumber: number;
  readonly lastNumber: number;
}

const PATH =
  /^\/live\/(ch-[a-z0-9-]{1,60})\/(?:main(-\d{1,11}-\d{1,11}|-ses_[a-z0-9]{26})?\.(m3u8|mpd)|([a-z0-9][a-z0-9-]{0,63})\/(.{1,60}))$/;
const INDEX = /^index(-\d{1,11}-\d{1,11}|-ses_[a-z0-9]{26})?\.m3u8$/;
const ADS = /^\/live\/(ch-[a-z0-9-]{1,60})\/ads-(ses_[a-z0-9]{26})-(\d{1,12})\.json$/;
const SEGMENT = /^seg-(0|[1-9]\d{0,11})(?:\.(0|[1-9]\d?)|-(\d{1,9})-(\d{1,10}))?\.m4s$/;
const INIT = /^init-\d{1,10}(?:-\d{1,9})?\.mp4$/;

export function parseLivePath(path: string): LivePath | null {
  const [, interrupted, sessionId, at] = ADS.exec(path) ?? [];
  if (interrupted !== undefined && sessionId !== undefined)
    return { channelId: interrupted, kind: "ads", sessionId, number: Number(at) };
  const [, channelId, form, extension, track, file] = PATH.exec(path) ?? [];
  if (channelId === undefined) return null;
  if (extension !== undefined) return { channelId, kind: extension === "mpd" ? "dash" : "hls", ...ofForm(form) };
  if (track === undefined || file === undefined) return null;
  const index = INDEX.exec(file);
  if (index) return { channelId, kind: "media", track, ...ofForm(index[1]) };
  if (INIT.test(file)) return { channelId, kind: "init", track, file };
  const [, number, part, run, dayIndex] = SEGMENT.exec(file) ?? [];
  if (number === undefined) return null;
  return {
    ...{ channelId, kind: "segment", track, number: Number(number), part: part === undefined ? null : Number(part) },
    span: run === undefined ? null : { run: Number(run), dayIndex: Number(dayIndex) },
  };
}

function ofForm(form: string | undefined): Of {
  if (form === undefined) return { past: null, sessionId: "" };
  if (form.startsWith("-ses_")) return { past: null, sessionId: form.slice(1) };
  const [startS = 0, endS = 0] = form.slice(1).split("-").map(Number);
  const past = { firstNumber: Math.floor(startS / LIVE_SEGMENT_S), lastNumber: Math.ceil(endS / LIVE_SEGMENT_S) - 1 };
  return { past, sessionId: "" };
}

/** `_HLS_msn`, `_HLS_part` and `_HLS_skip` (RFC 8216bis, 6.2.5). */
export interface Directives {
  readonly msn: number | null;
  readonly part: number | null;
  readonly skip: boolean;
}

export function parseDirectives(query: string): Directives {
  const parameters = new URLSearchParams(query);
  const numberOf = (name: string): number | null => {
    const text = parameters.get(name);
    if (text === null) return null;
    if (!/^\d{1,12}$/.test(text)) throw problem.invalid(`${name} is '${text.slice(0, 40)}', not a number`);
    return Number(text);
  };
  const [msn, part] = [numberOf("_HLS_msn"), numberOf("_HLS_part")];
  if (part !== null && msn === null) throw problem.invalid("_HLS_part says nothing without _HLS_msn");
  const skip = parameters.get("_HLS_skip");
  return { msn, part, skip: skip === "YES" || skip === "v2" };
}
