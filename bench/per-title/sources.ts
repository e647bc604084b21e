/** Part of per-title.ts: what is encoded. Excerpts of the demo films, rendered without loss, and of clips, all at 720p at most. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import type { SourceInfo } from "#kernel/ports/transcoder";
import { openTranscoder } from "#adapters/transcoder/ffmpeg";
import { draw } from "../../apps/demo/drawing.ts";
import { DEMO_FILMS } from "../../apps/demo/films.ts";

const ffmpeg = promisify(execFile);
const LOSSLESS = ["-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "48", "-an"];
export const EXCERPT_S = 6;

export interface Excerpt {
  readonly name: string;
  readonly file: string;
  readonly source: SourceInfo;
  /** Why its figure does not count; empty where it does: a source that is itself worn flatters whoever wears it less. */
  readonly isWorn: string;
}

interface Wanted {
  readonly name: string;
  readonly isWorn: string;
  readonly make: (out: string, folder: string) => Promise<void>;
}

const films: readonly Wanted[] = DEMO_FILMS.map((film) => ({
  name: film.id,
  isWorn: "",
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
    const length = ["-frames:v", String(EXCERPT_S * film.rate), "-r", String(film.rate)];
    await ffmpeg("ffmpeg", ["-y", "-v", "error", ...inputs, ...graph, ...length, ...LOSSLESS, out]);
  },
}));

const clip = (name: string, file: string, fromS: number, size: string, isWorn: string): Wanted => ({
  name,
  isWorn,
  async make(out) {
    const input = ["-ss", String(fromS), "-t", String(EXCERPT_S), "-i", path.join(clipsFolder(), file)];
    await ffmpeg("ffmpeg", ["-y", "-v", "error", ...input, "-vf", `scale=${size}:flags=bicubic`, ...LOSSLESS, out]);
  },
});
const clipsFolder = (): string => path.join(process.env.MARQUEE_TESTDATA ?? "", "video");

/**
 * Sintel has 6.1 Mbit/s of HEVC for 4,096 columns: 1.9 times the top rung's H.264 at the 1,280 that it is scaled to here, and more than twice by what HEVC
 * saves.
 */
const clips: readonly Wanted[] = [
  clip("sintel-4k", "sintel-4k-hevc-noaudio.mp4", 3, "1280:544", ""),
  clip("flower", "flower.mp4", 0, "960:540", "the file has 1.8 Mbit/s"),
  clip("tears-of-steel", "tears-of-steel-battle-0-41s.webm", 12, "-2:360", "the file has 0.4 Mbit/s"),
];

/** Makes what is not there yet. Without MARQUEE_TESTDATA there are no clips. */
export async function openExcerpts(folder: string, only: (name: string) => boolean): Promise<Excerpt[]> {
  const wanted = [...(process.env.MARQUEE_TESTDATA === undefined ? [] : clips), ...films].filter(({ name }) =>
    only(name),
  );
  const transcoder = openTranscoder();
  const excerpts: Excerpt[] = [];
  for (const { name, isWorn, make } of wanted) {
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
    excerpts.push({ name, file, isWorn, source: await transcoder.probe(file) });
  }
  return excerpts;
}
