/** Part of per-title.ts: encodes by the product's own transcoder, what they weigh and what VMAF says of them; each is made once. */
import { appendFile, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Complexity, PictureProbe, VideoEncode } from "#kernel/ports/transcoder";
import { detectSpawnGuard, openChildren } from "#adapters/transcoder/children";
import { openTranscoder } from "#adapters/transcoder/ffmpeg";
import { findVmafProgram, measureVmaf } from "#adapters/transcoder/vmaf";
import type { Excerpt } from "./sources.ts";

export type Asked = Pick<VideoEncode, "codec" | "width" | "height" | "bitrateKbps" | "crf">;
export interface Made {
  readonly kbps: number;
  readonly vmaf: number;
}

export interface Laboratory {
  encode(of: Excerpt, asked: Asked): Promise<Made>;
  complexity(of: Excerpt, probes: readonly PictureProbe[]): Promise<Complexity>;
}

const GOP_S = 2;
/** A benchmark may be made to wait while others measure. */
const STALL_MS_MAX = 3_600_000;

/** Results lie in `folder` beside the excerpts, so that a run that was stopped goes on. Null where VMAF cannot be measured here. */
export async function openLaboratory(folder: string): Promise<Laboratory | null> {
  const program = findVmafProgram();
  if (program === null) return null;
  const transcoder = openTranscoder({ stallMsMax: STALL_MS_MAX });
  const run = openChildren({ niceness: 0, stallMsMax: STALL_MS_MAX, spawnGuard: detectSpawnGuard({ isIdle: false }) });
  const book = path.join(folder, "results.jsonl");
  const known = await readBook(book);
  const once = async <T>(key: string, make: (work: string) => Promise<T>): Promise<T> => {
    if (known.has(key)) return known.get(key) as T;
    const work = await mkdtemp(path.join(folder, ".work-"));
    try {
      const made = await make(work);
      known.set(key, made);
      await appendFile(book, `${JSON.stringify([key, made])}\n`);
      return made;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  };
  return {
    encode: (of, asked) =>
      once(`${of.name} ${JSON.stringify(asked)}`, async (work) => {
        const { source, file } = of;
        const rate = source.video.frameRate[0] / source.video.frameRate[1];
        const frames = {
          firstFrame: 0,
          frameCount: Math.round(source.durationS * rate),
          gopFrames: Math.round(GOP_S * rate),
        };
        const out = path.join(work, "encode.mp4");
        await transcoder.encodeVideo({ path: file, source, ...asked, preset: "full", ...frames }, out, () => {});
        const kbps = ((await stat(out)).size * 8) / 1_000 / source.durationS;
        const { displayWidth: width, displayHeight: height } = source.video;
        const vmaf = await measureVmaf(run, program, { encode: out, reference: file, width, height });
        return { kbps, vmaf };
      }),
    complexity: (of, probes) =>
      once(`${of.name} probes ${JSON.stringify(probes)}`, (work) =>
        transcoder.complexity(of.file, of.source, probes, work),
      ),
  };
}

/** One result a line; a line that a stopped run left half-written is made again. */
async function readBook(file: string): Promise<Map<string, unknown>> {
  const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
  const whole = lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as [string, unknown]];
    } catch {
      return [];
    }
  });
  return new Map(whole);
}
