/**
 * Part of per-title.ts: what is encoded. Excerpts of the demo films, rendered without loss, and of clips, all at 720p at most. A clip is itself an encode; where it
 * has less than twice what the top rung may spend, it teaches the model and is no judge of it.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import type { SourceInfo } from "#kernel/ports/transcoder";
import { openTranscoder } from "#adapters/transcoder/ffmpeg";
import { draw } from "../../apps/demo/drawing.ts";
import { DEMO_FILMS } from "../../apps/demo/films.ts";
import { planOf } from "../../services/content/encoding/domain.ts";

const run = promisify(execFile);
const LOSSLESS = ["-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "48", "-an"];
/** What is drawn moves evenly, so it takes less to know it. */
export const EXCERPT_S = { real: 6, drawn: 4 } as const;

export interface Excerpt {
  readonly name: string;
  /** Excerpts of one film are left out together. */
  readonly film: string;
  readonly kind: "real" | "drawn";
  readonly file: string;
  readonly source: SourceInfo;
  /** Why its figure does not count; empty where it does: a source that is itself worn flatters whoever wears it less. */
  readonly isWorn: string;
}

interface Wanted {
  readonly name: string;
  readonly film: string;
  /** What its own file spends on it; absent where nothing is lost. */
  readonly spentKbps?: () => Promise<number>;
  readonly make: (out: string, folder: string) => Promise<void>;
}

const films: readonly Wanted[] = DEMO_FILMS.map((film) => ({
  name: film.id,
  film: film.id,
  async make(out, folder) {
    const scenes = film.reels[0]?.scenes() ?? [];
    const scene = scenes[scenes.length >> 1];
    if (!scene) throw new Error(`${film.id} has no scenes`);
    const inputs: string[] = [];
    for (const [index, still] of scene.stills.entries()) {
      const file = path.join(folder, `still-${index}.png`);
      await draw(still, file);
      inputs.push("-i", file);
    }
    const graph = ["-filter_complex", `${scene.graph(film.rate)};[picture]setsar=1[out]`, "-map", "[out]"];
    const length = ["-frames:v", String(EXCERPT_S.drawn * film.rate), "-r", String(film.rate)];
    await run("ffmpeg", ["-y", "-v", "error", ...inputs, ...graph, ...length, ...LOSSLESS, out]);
  },
}));

interface Cut {
  readonly file: string;
  readonly fromS: number;
  readonly size: string;
}

const clip = (name: string, film: string, { file, fromS, size }: Cut): Wanted => ({
  name,
  film,
  spentKbps: () => spentKbps(path.join(clipsFolder(), file), fromS),
  async make(out) {
    const input = ["-ss", String(fromS), "-t", String(EXCERPT_S.real), "-i", path.join(clipsFolder(), file)];
    await run("ffmpeg", ["-y", "-v", "error", ...input, "-vf", `scale=${size}:flags=bicubic`, ...LOSSLESS, out]);
  },
});
const clipsFolder = (): string => path.join(process.env.MARQUEE_TESTDATA ?? "", "video");

async function spentKbps(file: string, fromS: number): Promise<number> {
  const packets = ["-select_streams", "v:0", "-show_entries", "packet=pts_time,size", "-of", "csv=p=0"];
  const { stdout } = await run("ffprobe", ["-v", "error", ...packets, file]);
  const read = stdout.split("\n").map((line) => line.split(",").map(Number));
  const startS = Math.min(...read.flatMap(([atS]) => (atS === undefined || Number.isNaN(atS) ? [] : [atS])));
  const within = read.filter(([atS = Number.NaN]) => atS - startS >= fromS && atS - startS < fromS + EXCERPT_S.real);
  return (within.reduce((sum, [, sizeBytes = 0]) => sum + sizeBytes, 0) * 8) / 1_000 / EXCERPT_S.real;
}

const BUNNY = "bbb-720p-60s.mp4";
const SINTEL = "sintel-4k-hevc-noaudio.mp4";
const STEEL = "tears-of-steel-battle-0-41s.webm";
/** Sintel where it has most bits, and where it has fewer at a smaller size; Big Buck Bunny where it has twice the bits of 360p. The rest is worn. */
const clips: readonly Wanted[] = [
  clip("sintel-chase", "sintel", { file: SINTEL, fromS: 7.5, size: "1280:544" }),
  clip("sintel-walk", "sintel", { file: SINTEL, fromS: 0, size: "960:408" }),
  clip("bunny-360p", "big-buck-bunny", { file: BUNNY, fromS: 44.25, size: "640:360" }),
  clip("bunny-meadow", "big-buck-bunny", { file: BUNNY, fromS: 14, size: "1280:720" }),
  clip("steel-dome", "tears-of-steel", { file: STEEL, fromS: 12, size: "800:332" }),
  clip("steel-battle", "tears-of-steel", { file: STEEL, fromS: 34, size: "800:332" }),
  clip("flower", "flower", { file: "flower.mp4", fromS: 0, size: "960:540" }),
];

/** Makes what is not there yet. Without MARQUEE_TESTDATA there are no clips. */
export async function openExcerpts(folder: string, only: (name: string) => boolean): Promise<Excerpt[]> {
  const known = process.env.MARQUEE_TESTDATA === undefined ? films : [...clips, ...films];
  const wanted = known.filter(({ name }) => only(name));
  const transcoder = openTranscoder();
  const excerpts: Excerpt[] = [];
  for (const { name, film, spentKbps: spent, make } of wanted) {
    const file = path.join(folder, `${name}.mkv`);
    if (!existsSync(file)) {
      const work = await mkdtemp(path.join(folder, ".make-"));
      try {
        await make(path.join(work, "out.mkv"), work);
        await rename(path.join(work, "out.mkv"), file);
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    }
    const source = await transcoder.probe(file);
    const isWorn = spent ? wearOf(await spent(), source) : "";
    excerpts.push({ name, film, kind: spent ? "real" : "drawn", file, source, isWorn });
  }
  return excerpts;
}

/** How many times the top rung's bits a source has to have. */
const SPARE_MIN = 2;

function wearOf(spent: number, source: SourceInfo): string {
  const { video } = planOf(source, "full", [], { hevc: false, ladder: "fixed" });
  const top = Math.max(...video.map(({ bitrateKbps }) => bitrateKbps));
  return spent >= SPARE_MIN * top ? "" : `its file has ${Math.round(spent)} kbit/s, the top rung ${top}`;
}
