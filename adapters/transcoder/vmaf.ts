import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { problem } from "#kernel/errors";
import { BY_NUMBER, escapeFilterValue } from "./filters.ts";
import { asInput, nameOf } from "./inputs.ts";
import type { RunChild } from "./children.ts";

/** Every fifth picture: neighbours differ by less than the mean's own error. */
const EVERY = 5;

/** An ffprobe with libvmaf, which Debian's has not; null where the package is not installed: it exists for Linux on x86-64 only. */
export function findVmafProgram(): string | null {
  try {
    const manifest = createRequire(import.meta.url).resolve("@ffprobe-installer/linux-x64/package.json");
    const program = join(dirname(manifest), "ffprobe");
    return existsSync(program) ? program : null;
  } catch {
    return null;
  }
}

/** How much an encode looks like its reference (Netflix' VMAF 0.6.1, 0 to 100), scaled to the reference's size as a player would. */
export async function measureVmaf(
  run: RunChild,
  program: string,
  {
    encode,
    reference,
    width,
    height,
  }: {
    readonly encode: string;
    readonly reference: string;
    readonly width: number;
    readonly height: number;
  },
): Promise<number> {
  const picture = (path: string): string =>
    `movie=${escapeFilterValue(asInput(path))},scale=${width}:${height}:flags=bicubic,format=yuv420p,${BY_NUMBER}`;
  const graph = `${picture(encode)}[d];${picture(reference)}[r];[d][r]libvmaf=n_threads=2:n_subsample=${EVERY}`;
  const { stderr } = await run({
    ...{ program, subject: nameOf(encode), output: "keep" },
    args: ["-v", "info", "-hide_banner", "-f", "lavfi", "-i", graph, "-show_entries", "frame=none", "-of", "csv"],
  });
  const score = /VMAF score[:=]\s*([\d.]+)/.exec(stderr)?.[1];
  if (score === undefined) throw problem.internal(`${program} measured no VMAF: ${stderr.slice(-200)}`);
  return Number(score);
}
