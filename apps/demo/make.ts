import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { problem } from "#kernel/errors";
import { detectSpawnGuard, openChildren, type RunChild } from "#adapters/transcoder/children";
import { escapeFilterValue } from "#adapters/transcoder/filters";
import { draw } from "./drawing.ts";
import type { DemoFilm, Reel } from "./film.ts";
import { type Music, musicGraph, SYNTHESIS_HZ, synthesize } from "./music.ts";
import { toWebVtt } from "./narration.ts";
import type { Scene } from "./scenes.ts";

export interface MakeOptions {
  readonly ffmpegPath?: string;
  readonly signal?: AbortSignal;
  /** Called with the finished share of this film, 0 to 1. */
  readonly progress?: (ratio: number) => void;
  /** 0 (normal) to 19 (most polite). */
  readonly niceness?: number;
  /** How many scenes are rendered at once; the first film of a first start may use every core. */
  readonly parallel?: number;
}

export interface MadeReel {
  /** The film's id, or the episode's. */
  readonly id: string;
  readonly video: string;
  readonly subtitles: readonly { readonly language: string; readonly file: string }[];
}

/** MP4 names languages by ISO 639-2. */
const MP4_LANGUAGES: Readonly<Record<string, string>> = { en: "eng", de: "deu", es: "spa", ar: "ara" };
const FADE_S = 1.2;
const TITLE_FROM_S = 2;
const TITLE_UNTIL_S = 7.5;
const STALL_MS_MAX = 120_000;

/** Makes a film, or a series' episodes, in `folder`. What is there already is kept; nothing half-made gets the final name. */
export async function makeFilm(film: DemoFilm, folder: string, options: MakeOptions = {}): Promise<MadeReel[]> {
  await mkdir(folder, { recursive: true });
  const made: MadeReel[] = [];
  for (const [index, reel] of film.reels.entries()) {
    const share = (ratio: number): void => options.progress?.((index + ratio) / film.reels.length);
    made.push(await makeReel(film, reel, folder, { ...options, progress: share }));
  }
  return made;
}

async function makeReel(film: DemoFilm, reel: Reel, folder: string, options: MakeOptions): Promise<MadeReel> {
  const video = join(folder, `${reel.id}.mp4`);
  const subtitles = Object.entries(reel.narration).map(([language, lines]) => ({
    language,
    lines,
    file: join(folder, `${reel.id}.${language}.vtt`),
  }));
  for (const { file, lines } of subtitles) await writeWhole(file, toWebVtt(lines));
  const result = { id: reel.id, video, subtitles: subtitles.map(({ language, file }) => ({ language, file })) };
  if (await isThere(video)) {
    options.progress?.(1);
    return result;
  }
  const work = await mkdtemp(join(folder, `.${reel.id}-`));
  try {
    const run = openChildren({
      niceness: options.niceness ?? 10,
      stallMsMax: STALL_MS_MAX,
      spawnGuard: detectSpawnGuard({ isIdle: false }),
    });
    await renderReel(
      { run, work, film, reel, options, ffmpeg: options.ffmpegPath ?? "ffmpeg" },
      join(work, "whole.mp4"),
    );
    await rename(join(work, "whole.mp4"), video);
    return result;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

interface Studio {
  readonly run: RunChild;
  readonly ffmpeg: string;
  readonly work: string;
  readonly film: DemoFilm;
  readonly reel: Reel;
  readonly options: MakeOptions;
}

/** The scenes and the music are rendered side by side, then joined without being encoded again. */
async function renderReel(studio: Studio, out: string): Promise<void> {
  const scenes = studio.reel.scenes();
  const durationS = scenes.reduce((sum, scene) => sum + scene.durationS, 0);
  const done = scenes.map(() => 0);
  const report = (): void =>
    studio.options.progress?.(
      (0.97 * done.reduce((sum, ratio, index) => sum + ratio * (scenes[index]?.durationS ?? 0), 0)) / durationS,
    );
  const tasks: (() => Promise<void>)[] = [
    ...scenes.map(
      (scene, index) => () =>
        renderScene(studio, scene, index, (ratio) => {
          done[index] = ratio;
          report();
        }),
    ),
    // Last, because its notes are computed on the thread that may be starting the product meanwhile.
    () => renderMusic(studio, durationS),
  ];
  const next = tasks.values();
  const worker = async (): Promise<void> => {
    for (const task of next) await task();
  };
  await Promise.all(Array.from({ length: Math.max(1, studio.options.parallel ?? 1) }, worker));
  await joinScenes(studio, scenes, out);
  studio.options.progress?.(1);
}

async function renderScene(
  studio: Studio,
  scene: Scene,
  index: number,
  progress: (ratio: number) => void,
): Promise<void> {
  const { film, reel } = studio;
  const inputs: string[] = [];
  for (const [number, still] of scene.stills.entries()) {
    const file = join(studio.work, `scene-${index}-${number}.png`);
    await draw(still, file);
    inputs.push("-i", `file:${file}`);
  }
  const fades = `fade=t=in:d=${FADE_S},fade=t=out:st=${scene.durationS - FADE_S}:d=${FADE_S}`;
  const title = index === 0 ? `,${titleFilters(reel.card, film.byline)}` : "";
  const frames = scene.durationS * film.rate;
  await child(
    studio,
    [
      ...[
        ...inputs,
        "-filter_complex",
        `${scene.graph(film.rate)};[picture]setsar=1,${fades}${title}[out]`,
        "-map",
        "[out]",
      ],
      ...[
        "-frames:v",
        String(frames),
        "-r",
        String(film.rate),
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        "17",
        ...["-maxrate", "18M", "-bufsize", "36M"],
        "-g",
        String(film.rate * 2),
      ],
      ...[
        "-pix_fmt",
        "yuv420p",
        "-threads",
        "2",
        "-video_track_timescale",
        String(film.rate * 1000),
        `file:${join(studio.work, `scene-${index}.mp4`)}`,
      ],
    ],
    (report) => progress(Math.min(1, Number(report.get("frame") ?? 0) / frames)),
  );
}

async function renderMusic(studio: Studio, durationS: number): Promise<void> {
  const tracks = studio.reel.tracks;
  const inputs: string[] = [];
  for (const [index, { music }] of tracks.entries()) {
    const file = join(studio.work, `tones-${index}.f32`);
    await writeFile(file, tonesOf(music, durationS));
    inputs.push("-f", "f32le", "-ar", String(SYNTHESIS_HZ), "-ac", "2", "-i", `file:${file}`);
  }
  const graph = tracks.map(({ music }, index) => musicGraph(music, durationS, index, `a${index}`)).join(";");
  const maps = tracks.flatMap((_, index) => ["-map", `[a${index}]`]);
  const music = `file:${join(studio.work, "music.mp4")}`;
  await child(studio, [...inputs, "-filter_complex", graph, ...maps, "-c:a", "aac", "-b:a", "160k", music]);
}

/** The product shares this thread: it gets a turn after every second of music. */
async function* tonesOf(music: Music, durationS: number): AsyncGenerator<Uint8Array> {
  for (const part of synthesize(music, durationS)) {
    yield new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    await setImmediate();
  }
}

/** Joins scenes and music by copying; each scene was encoded with the same settings. */
async function joinScenes(studio: Studio, scenes: readonly Scene[], out: string): Promise<void> {
  const list = scenes.map((_, index) => `file 'scene-${index}.mp4'\n`).join("");
  await writeFile(join(studio.work, "scenes.txt"), list);
  await writeFile(join(studio.work, "chapters.txt"), chapterMetadata(scenes, studio.reel.chapters ?? []));
  const languages = studio.reel.tracks.flatMap((track, index) => [
    ...[`-metadata:s:a:${index}`, `language=${MP4_LANGUAGES[track.language] ?? "und"}`],
    ...[`-disposition:a:${index}`, index === 0 ? "default" : "0"],
  ]);
  await child(studio, [
    ...[
      "-f",
      "concat",
      "-safe",
      "0",
      "-i",
      `file:${join(studio.work, "scenes.txt")}`,
      "-i",
      `file:${join(studio.work, "music.mp4")}`,
      "-f",
      "ffmetadata",
      "-i",
      `file:${join(studio.work, "chapters.txt")}`,
    ],
    ...[
      "-map",
      "0:v",
      "-map",
      "1:a",
      "-map_chapters",
      "2",
      "-c",
      "copy",
      "-metadata",
      `title=${studio.reel.card}`,
      ...languages,
      "-movflags",
      "+faststart",
      `file:${out}`,
    ],
  ]);
}

/** A chapter for each scene that has a name, as ffmpeg's metadata files have them (ffmpeg-formats, "Metadata"). */
export function chapterMetadata(scenes: readonly Pick<Scene, "durationS">[], names: readonly string[]): string {
  const escape = (text: string): string => text.replace(/[=;#\\\n]/g, (character) => `\\${character}`);
  let atMs = 0;
  const chapters = scenes.map(({ durationS }, index) => {
    const startMs = atMs;
    atMs += Math.round(durationS * 1000);
    const name = names[index];
    return name === undefined
      ? ""
      : `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${startMs}\nEND=${atMs}\ntitle=${escape(name)}\n`;
  });
  return `;FFMETADATA1\n${chapters.join("")}`;
}

async function child(
  studio: Studio,
  args: readonly string[],
  onReport?: (report: ReadonlyMap<string, string>) => void,
): Promise<void> {
  await studio.run({
    program: studio.ffmpeg,
    args: ["-nostdin", "-hide_banner", "-y", "-v", "error", "-nostats", "-progress", "pipe:1", ...args],
    subject: `the demo film '${studio.reel.id}'`,
    signal: studio.options.signal,
    output: "progress",
    ...(onReport ? { onReport } : {}),
  });
}

const require = createRequire(import.meta.url);

function fontFile(name: string): string {
  const file = require.resolve(`@fontsource-variable/${name}`);
  if (!existsSync(file)) throw problem.internal(`the font ${name} is not installed; run npm ci`);
  return file;
}

/** The title card, drawn in the house's own faces; it comes and goes softly over the first scene. */
function titleFilters(title: string, byline: string): string {
  const alpha = `'clip(min((t-${TITLE_FROM_S})/1.2\\,(${TITLE_UNTIL_S}-t)/1.2)\\,0\\,1)'`;
  const line = (text: string, font: string, size: number, y: string, strength: number): string =>
    [
      `drawtext=fontfile=${escapeFilterValue(font)}:expansion=none:text=${escapeFilterValue(text)}:fontsize=${size}`,
      `fontcolor=white@${strength}:shadowcolor=black@0.45:shadowx=0:shadowy=2:x=(w-tw)/2:y=${y}`,
      `alpha=${alpha}:enable='between(t\\,${TITLE_FROM_S}\\,${TITLE_UNTIL_S})'`,
    ].join(":");
  // The picture steps back while the words stand before it, whatever its colours are.
  const dim = `eq=brightness='-0.24*${alpha.slice(1, -1)}':eval=frame:enable='between(t\\,${TITLE_FROM_S}\\,${TITLE_UNTIL_S})'`;
  return [
    dim,
    line(title, fontFile("fraunces/files/fraunces-latin-full-normal.woff2"), 84, "h-212", 1),
    line(byline, fontFile("instrument-sans/files/instrument-sans-latin-standard-normal.woff2"), 24, "h-96", 0.85),
  ].join(",");
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.size > 0,
    () => false,
  );

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.part`, text);
  await rename(`${file}.part`, file);
}
