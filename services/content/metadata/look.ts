import { readFile } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import sharp from "sharp";
import { problem } from "#kernel";
import { askWorker } from "#kernel/worker";
import { lookAt, type PictureLook } from "#learning/picture";

/** What is measured of one picture. */
export interface Measured {
  readonly look: PictureLook;
  /** 64 bits, hexadecimal. */
  readonly hash: string;
}

export async function measure(file: string): Promise<Measured> {
  const bytes = await readFile(file);
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const small = await sharp(bytes).greyscale().resize(9, 8, { fit: "fill" }).raw().toBuffer();
  return { look: lookAt({ rgb: data, width: info.width, height: info.height }), hash: hashOf(small) };
}

/** A difference hash: whether each of eight columns is brighter than the next, in eight rows. */
function hashOf(grey: Uint8Array): string {
  let bits = 0n;
  for (let row = 0; row < 8; row += 1)
    for (let column = 0; column < 8; column += 1)
      bits = (bits << 1n) | ((grey[row * 9 + column] ?? 0) > (grey[row * 9 + column + 1] ?? 0) ? 1n : 0n);
  return bits.toString(16).padStart(16, "0");
}

export type FromLooker = { readonly measured: Measured } | { readonly failure: string };

/** Measures in a thread of its own, which gives way to everybody: a picture takes tens of milliseconds, in which the main thread answers people. */
export interface Looker {
  /** One at a time. */
  measure(file: string): Promise<Measured>;
  close(): Promise<void>;
}

export function openLooker(signal: AbortSignal): Looker {
  const worker = new Worker(new URL("./look-worker.ts", import.meta.url), { name: "looks", execArgv: [] });
  const onAbort = (): void => void worker.terminate();
  signal.addEventListener("abort", onAbort, { once: true });
  return {
    async measure(file) {
      const answer = await askWorker<FromLooker>(worker, file, "the measuring of pictures was cut off");
      if ("failure" in answer) throw problem.internal(`a still: ${answer.failure}`);
      return answer.measured;
    },
    async close() {
      signal.removeEventListener("abort", onAbort);
      await worker.terminate();
    },
  };
}
