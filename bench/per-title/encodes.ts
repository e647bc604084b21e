/** Part of per-title.ts: encodes by the product's own transcoder, what they weigh and what VMAF says of them; each is made once. */
import { readFile, rm, rename, stat, writeFile } from "node:fs/promises";
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

/** Results lie in `folder` beside the excerpts, so that a run that was stopped goes on. Null where VMAF cannot be measured here. */
export async function openLaboratory(folder: string): Promise<Laboratory | null> {
  const program = findVmafProgram();
  if (program === null) return null;
  const transcoder = openTranscoder();
  const run = openChildren({ niceness: 0, stallMsMax: 300_000, spawnGuard: detectSpawnGuard({ isIdle: false }) });
  const book = path.join(folder, "results.json");
  const known = new Map<string, unknown>(
    Object.entries(JSON.parse(await readFile(book, "utf8").catch(() => "{}")) as Record<string, unknown>),
  );
  const once = async <T>(key: string, make: () => Promise<T>): Promise<T> => {
    if (known.has(key)) return known.get(key) as T;
    const made = await make();
    known.set(key, made);
    await writeFile(`${book}.part`, JSON.stringify(Object.fromEntries(known)));
    await rename(`${book}.part`, book);
    return made;
  };
  return {
    encode: (of, asked) =>
      once(`${of.name} ${JSON.stringify(asked)}`, async () => {
        const { source, file } = of;
        const rate = source.video.frameRate[0] / source.video.frameRate[1];
        const frames = {
          firstFrame: 0,
          frameCount: Math.round(source.durationS * rate),
          gopFrames: Math.round(GOP_S * rate),
        };
        const out = path.join(folder, "encode.mp4");
        await transcoder.encodeVideo({ path: file, source, ...asked, preset: "full", ...frames }, out, () => {});
        const kbps = ((await stat(out)).size * 8) / 1_000 / source.durationS;
        const { displayWidth: width, displayHeight: height } = source.video;
        const vmaf = await measureVmaf(run, program, { encode: out, reference: file, width, height });
        await rm(out);
        return { kbps, vmaf };
      }),
    complexity: (of, probes) =>
      once(`${of.name} probes ${JSON.stringify(probes)}`, () =>
        transcoder.complexity(of.file, of.source, probes, folder),
      ),
  };
}
