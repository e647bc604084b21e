import type { SourceInfo } from "#kernel/ports/transcoder";
import type { FoundText } from "./domain-found.ts";

/** One rung of the ladder: a codec, a box that the picture fits into, a bitrate (ARCH-001 section 5, "ABR Ladder Definitions"). */
interface LadderRung {
  readonly name: string;
  readonly codec: "h264" | "hevc";
  readonly width: number;
  readonly height: number;
  readonly bitrateKbps: number;
}

export const LADDER_H264: readonly LadderRung[] = [
  { name: "1080p-h264", codec: "h264", width: 1920, height: 1080, bitrateKbps: 8_000 },
  { name: "720p-h264", codec: "h264", width: 1280, height: 720, bitrateKbps: 4_000 },
  { name: "480p-h264", codec: "h264", width: 854, height: 480, bitrateKbps: 1_500 },
  { name: "360p-h264", codec: "h264", width: 640, height: 360, bitrateKbps: 800 },
  { name: "240p-h264", codec: "h264", width: 426, height: 240, bitrateKbps: 400 },
];

export const LADDER_HEVC: readonly LadderRung[] = [
  { name: "1080p-hevc-high", codec: "hevc", width: 1920, height: 1080, bitrateKbps: 6_000 },
  { name: "1080p-hevc", codec: "hevc", width: 1920, height: 1080, bitrateKbps: 4_500 },
  { name: "720p-hevc", codec: "hevc", width: 1280, height: 720, bitrateKbps: 2_500 },
  { name: "540p-hevc", codec: "hevc", width: 960, height: 540, bitrateKbps: 1_200 },
  { name: "360p-hevc", codec: "hevc", width: 640, height: 360, bitrateKbps: 600 },
  { name: "240p-hevc", codec: "hevc", width: 426, height: 240, bitrateKbps: 300 },
];

export type Preset = "quick" | "full";
const QUICK_HEIGHT_MAX = 720;
const QUICK_RUNGS = 3;

/** Groups of pictures last 2 s, segments three of them, chunks (the unit of work) five segments. */
const GOP_S = 2;
/** How much larger than its source a rung may be that still takes it, at the size of the source. */
const NEAR_SCALE_MAX = 1.2;
export const GOPS_PER_SEGMENT = 3;
const SEGMENTS_PER_CHUNK = 5;
export const AUDIO_BITRATE_KBPS = 128;
export const POSTERS = 6;

export interface VideoRung {
  readonly profile: string;
  readonly codec: "h264" | "hevc";
  readonly width: number;
  readonly height: number;
  /** The mean that is aimed at; with `crf`, the most that is spent. */
  readonly bitrateKbps: number;
  /** One quality from beginning to end; absent in a fixed ladder. */
  readonly crf?: number;
  /** What the model expects, where one chose the rung. */
  readonly expectedKbps?: number;
  readonly vmaf?: number;
  readonly chunks: readonly { readonly firstFrame: number; readonly frameCount: number }[];
}
export interface AudioRung {
  readonly profile: string;
  readonly streamIndex: number;
  readonly language: string;
  readonly label: string;
  readonly isDefault: boolean;
}
export interface TextRung {
  readonly profile: string;
  readonly language: string;
  readonly label: string;
  readonly role: "subtitles" | "captions" | "forced";
  readonly from: { readonly streamIndex: number } | { readonly key: string } | { readonly closedCaptions: true };
}

/** Which ladder a plan has. While the film is measured, `video` is the fixed one, and nothing of it is encoded. */
export interface Ladder {
  readonly kind: "fixed" | "per-title" | "measuring";
  /** Why it is the fixed one; empty otherwise. */
  readonly why: string;
}

/** Everything that will be made of a source, decided once and kept, so that a restart goes on with the same plan. */
export interface Plan {
  readonly preset: Preset;
  /** Absent from plans that are older than ladders per title: the fixed one. */
  readonly ladder?: Ladder;
  readonly frameRate: readonly [number, number];
  readonly gopFrames: number;
  readonly video: readonly VideoRung[];
  readonly audio: readonly AudioRung[];
  readonly text: readonly TextRung[];
  /** Subtitles that were found in the film and are shown; they join when it plays already. */
  readonly found?: FoundText;
}

export interface Sidecar {
  readonly key: string;
  readonly language: string;
}

export function planOf(
  source: SourceInfo,
  preset: Preset,
  sidecars: readonly Sidecar[],
  options: { readonly hevc: boolean; readonly ladder: "fixed" | "per-title" },
): Plan {
  const { frameRate } = source.video;
  const fps = frameRate[0] / frameRate[1];
  const gopFrames = Math.max(1, Math.round(GOP_S * fps));
  const frames = Math.max(1, Math.round(source.durationS * fps));
  const rungs = [
    ...h264Rungs(source, preset),
    ...(preset === "full" && options.hevc ? fitting(LADDER_HEVC, source) : []),
  ];
  const chunks = chunksOf(frames, gopFrames * GOPS_PER_SEGMENT * SEGMENTS_PER_CHUNK, gopFrames);
  return {
    preset,
    ladder: ladderOf(preset, options.ladder),
    frameRate,
    gopFrames,
    video: rungs.map((rung) => ({ ...rung, chunks })),
    audio: audioRungs(source),
    text: textRungs(source, sidecars),
  };
}

/** Whoever imports quickly wants a picture now: measuring would come before the first frame of it. */
function ladderOf(preset: Preset, wanted: "fixed" | "per-title"): Ladder {
  if (preset === "quick") return { kind: "fixed", why: "the quick preset does not measure" };
  if (wanted === "fixed") return { kind: "fixed", why: "MARQUEE_ENCODING_LADDER says so" };
  return { kind: "measuring", why: "" };
}

export type Sized = Omit<VideoRung, "chunks">;

/** The sizes that a film is tried at, the largest first: those of the fixed ladders that it fills. */
export function sizesOf(source: SourceInfo): { readonly width: number; readonly height: number }[] {
  const sizes = fitting(LADDER_HEVC, source).map(({ width, height }) => ({ width, height }));
  return sizes.filter(({ width }, index) => sizes.findIndex((other) => other.width === width) === index);
}

/** The rungs that the source can fill: a picture is scaled down or left, never up. One rung always stays. */
function fitting(ladder: readonly LadderRung[], source: SourceInfo): Sized[] {
  const { displayWidth, displayHeight } = source.video;
  const isPortrait = displayHeight > displayWidth;
  const fit = ({ name, codec, width, height, bitrateKbps }: LadderRung): Sized & { readonly scale: number } => {
    const [boxWidth, boxHeight] = isPortrait ? [height, width] : [width, height];
    const scale = Math.min(boxWidth / displayWidth, boxHeight / displayHeight);
    const size = scaled(source, Math.min(1, scale));
    // A narrower picture has fewer pixels to spend bits on.
    const share = Math.min(1, (size.width * size.height) / (width * height)) ** 0.75;
    return { profile: name, codec, ...size, bitrateKbps: Math.max(100, Math.round(bitrateKbps * share)), scale };
  };
  const all = ladder.map(fit);
  // A source a little under a rung (1918 by 1078) fills it at its own size; far under it, the rung would be waste.
  const fits = all.filter((rung) => rung.scale <= NEAR_SCALE_MAX);
  const kept = fits.length > 0 ? fits : all.slice(-1);
  return kept.map(({ scale: _, ...rung }) => rung);
}

function scaled({ video }: SourceInfo, scale: number): { readonly width: number; readonly height: number } {
  const even = (value: number): number => Math.max(2, 2 * Math.round(value / 2));
  return { width: even(video.displayWidth * scale), height: even(video.displayHeight * scale) };
}

function h264Rungs(source: SourceInfo, preset: Preset): Sized[] {
  const all = fitting(LADDER_H264, source);
  if (preset === "full") return all;
  const small = all.filter((rung) => Math.min(rung.width, rung.height) <= QUICK_HEIGHT_MAX);
  if (small.length <= QUICK_RUNGS) return small;
  return [...small.slice(0, QUICK_RUNGS - 1), ...small.slice(-1)];
}

/** Chunks of whole segments; a last one shorter than a group of pictures joins its neighbour. */
function chunksOf(
  frames: number,
  chunkFrames: number,
  gopFrames: number,
): { firstFrame: number; frameCount: number }[] {
  const chunks: { firstFrame: number; frameCount: number }[] = [];
  for (let firstFrame = 0; firstFrame < frames; firstFrame += chunkFrames) {
    const frameCount = Math.min(chunkFrames, frames - firstFrame);
    const last = chunks.at(-1);
    if (last && frameCount < gopFrames) last.frameCount += frameCount;
    else chunks.push({ firstFrame, frameCount });
  }
  return chunks;
}

function audioRungs(source: SourceInfo): AudioRung[] {
  const names = uniqueNames();
  const defaultAt = Math.max(
    0,
    source.audio.findIndex((stream) => stream.isDefault),
  );
  return source.audio.map((stream, i) => {
    const language = languageOf(stream.language);
    return {
      profile: names(`audio-${slug(language)}`),
      streamIndex: stream.index,
      language,
      label: stream.title || languageName(language),
      isDefault: i === defaultAt,
    };
  });
}

const BITMAP = new Set(["hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub"]);

function textRungs(source: SourceInfo, sidecars: readonly Sidecar[]): TextRung[] {
  const names = uniqueNames();
  const track = (tag: string, title: string, role: TextRung["role"], from: TextRung["from"]): TextRung => {
    const language = languageOf(tag);
    return { profile: names(`text-${slug(language)}`), language, label: title || languageName(language), role, from };
  };
  const beside = sidecars.map(({ key, language }) => track(language, "", "subtitles", { key }));
  const inside = source.text
    .filter((stream) => !BITMAP.has(stream.codec))
    .map((stream) =>
      track(stream.language, stream.title, stream.isForced ? "forced" : "subtitles", { streamIndex: stream.index }),
    );
  const language = languageOf(source.audio[0]?.language ?? "und");
  const captions = source.hasClosedCaptions
    ? [track(language, `${languageName(language)} (CC)`, "captions", { closedCaptions: true })]
    : [];
  return [...beside, ...inside, ...captions];
}

/** A file's language as BCP 47 has it: `deu` and `ger` are `de`. What is no language at all is `und`. */
export function languageOf(tag: string): string {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? "und";
  } catch {
    return "und";
  }
}

export const slug = (language: string): string => language.toLowerCase().replace(/[^a-z0-9-]/g, "") || "und";

function uniqueNames(): (name: string) => string {
  const seen = new Map<string, number>();
  return (name) => {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}-${count}`;
  };
}

/** A language in its own words, as menus show it: `Deutsch` for de. */
export function languageName(language: string): string {
  if (language === "und" || language === "") return "Original";
  try {
    const name = new Intl.DisplayNames([language], { type: "language" }).of(language) ?? language;
    return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
  } catch {
    return language;
  }
}

export type Stage = "playable" | "complete";

/**
 * With which stage a rung comes. A full ladder plays when its H.264 rungs are there, since every player has H.264. A quick one plays
 * as soon as its largest and its smallest rung are there, for the best picture and the slowest network; what lies between joins.
 */
export function stageOf(
  plan: Pick<Plan, "preset" | "video">,
  { profile, codec }: Pick<VideoRung, "profile" | "codec">,
): Stage {
  if (codec === "hevc") return "complete";
  if (plan.preset === "full") return "playable";
  const h264 = plan.video.filter((rung) => rung.codec === "h264");
  return profile === h264[0]?.profile || profile === h264.at(-1)?.profile ? "playable" : "complete";
}

/** One unit of work. The name is its key: it is done at most once for a title. */
export interface Task {
  readonly name: string;
  readonly kind: "video" | "audio" | "text" | "pictures" | "ladder";
  readonly profile: string;
  readonly chunk: number;
  readonly stage: Stage;
  /** Its share of the whole work, in units of one H.264 pixel. */
  readonly weight: number;
}

const HEVC_WEIGHT = 4;
/** What is left of a ladder's weight when it is decided, beside all of the film. */
export const MEASURED_WEIGHT = 1;

/** What is done first: all of it, or, while the ladder is not decided, all but the video. */
export function tasksOf(plan: Plan): Task[] {
  const frames = plan.video[0]?.chunks.reduce((sum, chunk) => sum + chunk.frameCount, 0) ?? 0;
  const other = (kind: Task["kind"], profile: string): Task => ({
    name: `${kind}/${profile}`,
    kind,
    profile,
    chunk: 0,
    stage: "playable",
    weight: frames * 0.02,
  });
  const video = videoTasksOf(plan);
  return [
    ...plan.audio.map(({ profile }) => other("audio", profile)),
    ...plan.text.map(({ profile }) => other("text", profile)),
    other("pictures", "pictures"),
    ...(plan.ladder?.kind === "measuring"
      ? // It stands for what will come of it, or the progress would fall when that is known.
        [{ ...other("ladder", "ladder"), weight: video.reduce((sum, { weight }) => sum + weight, 0) }]
      : video),
  ];
}

export function videoTasksOf(plan: Plan): Task[] {
  return plan.video.flatMap((rung) =>
    rung.chunks.map(
      (chunk, i): Task => ({
        name: `video/${rung.profile}/${i}`,
        kind: "video",
        profile: rung.profile,
        chunk: i,
        stage: stageOf(plan, rung),
        weight: (rung.width * rung.height * chunk.frameCount * (rung.codec === "hevc" ? HEVC_WEIGHT : 1)) / 1e6,
      }),
    ),
  );
}

/** The finished share of a set of tasks, by weight; `partial` is how far those under way are. */
export function progressOf(
  tasks: readonly { readonly name: string; readonly weight: number; readonly done: boolean }[],
  partial: ReadonlyMap<string, number>,
): number {
  const total = tasks.reduce((sum, task) => sum + task.weight, 0);
  if (total === 0) return 1;
  const finished = tasks.reduce((sum, task) => sum + task.weight * (task.done ? 1 : (partial.get(task.name) ?? 0)), 0);
  return Math.min(1, finished / total);
}

/** The silent clip that plays behind a title's page. */
export const PREVIEW_S = 8;
const PREVIEWED_S_MIN = 10;

/**
 * Where the preview starts: at the picture that stands there before it, so that the still begins to move. Null for a
 * film that the preview would almost be the whole of.
 */
export function previewStartS(durationS: number, bestPosterS: number): number | null {
  if (durationS < PREVIEWED_S_MIN) return null;
  return Math.min(Math.max(0, bestPosterS), durationS - PREVIEW_S);
}

/** What people know is a film and what belongs to it, not the objects that these became. */
export const nameFilm = (message: string): string =>
  message
    .replaceAll(/'(?:[^\s']*\/)?source'/g, "the film")
    .replaceAll(/'(?:[^\s']*\/)?text-\d+\.\w+'/g, "a subtitle file")
    .replaceAll(/'(?:intermediate|vod|artwork)\/[^\s']*'/g, "a part of the film");

/** Intermediates are clear, so they never leave this prefix, which no edge can reach. */
export const intermediateFolder = (tenant: string, contentId: string): string => `intermediate/${tenant}/${contentId}/`;
export const artworkFolder = (contentId: string): string => `artwork/${contentId}/`;

/**
 * `artwork/ID/poster-1-9f86d081884c7d65.jpg`: a picture's address holds a part of its SHA-256. Browsers keep pictures for a year without
 * asking, so an address may never mean another picture, not even of a title that was deleted and came back under its id.
 */
export const artworkKey = (contentId: string, name: string, sha256Hex: string): string =>
  `${artworkFolder(contentId)}${name.replace(/(?=\.[a-z0-9]+$)/, `-${sha256Hex.slice(0, 16)}`)}`;
export const indexKey = (folder: string, indexVersion: number): string => `${folder}/index-${indexVersion}.json`;

/** About 160 pictures, a hundred a tile sheet at most, never denser than one a second. */
export function thumbnailShapeOf(source: SourceInfo): {
  columns: number;
  rows: number;
  width: number;
  height: number;
  intervalS: number;
} {
  const width = 192;
  const height = Math.max(2, 2 * Math.round((width * source.video.displayHeight) / source.video.displayWidth / 2));
  return { columns: 5, rows: 5, width, height, intervalS: Math.max(1, Math.ceil(source.durationS / 160)) };
}
