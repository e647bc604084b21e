/** Short films that ffmpeg draws and plays by itself, and the way of one into the product. */
import { execFile } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { Encoding } from "#contracts/encoding";
import { Ingest } from "#contracts/ingest";
import type { AdminClient } from "../../apps/cli/client.ts";

export interface Clip {
  readonly width: number;
  readonly height: number;
  readonly rate: number;
  readonly durationS: number;
  /** Strength of the grain, 0 to 100: grain costs bits, so that every rung of the ladder is filled. */
  readonly grain: number;
}

export async function makeClip(file: string, { width, height, rate, durationS, grain }: Clip): Promise<void> {
  const picture = `testsrc2=size=${width}x${height}:rate=${rate}:duration=${durationS}`;
  const filter = grain > 0 ? ["-vf", `noise=alls=${grain}:allf=t+u`] : [];
  const encode = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-g",
    String(2 * rate),
    "-pix_fmt",
    "yuv420p",
    "-c:a",
    "aac",
    "-shortest",
  ];
  await promisify(execFile)(
    "ffmpeg",
    [
      "-v",
      "error",
      "-y",
      "-f",
      "lavfi",
      "-i",
      picture,
      "-f",
      "lavfi",
      "-i",
      `sine=frequency=330:duration=${durationS}`,
      ...filter,
      ...encode,
      file,
    ],
    { timeout: 240_000 },
  );
}

export async function importClip(admin: AdminClient, file: string, contentId: string): Promise<void> {
  await admin
    .of(Ingest)
    .import({ path: file, contentId, title: contentId, preset: "quick", publish: true, allowDuplicate: true });
}

/** Resolves when every rung is packaged; rejects when the title failed or took longer than `timeoutMs`. */
export async function untilComplete(
  admin: AdminClient,
  contentIds: readonly string[],
  timeoutMs: number,
): Promise<void> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const { encodings } = await admin.of(Encoding).getMany({ contentIds: [...contentIds] });
    const open = contentIds.filter((id) => encodings.find((one) => one.contentId === id)?.state !== "complete");
    if (open.length === 0) return;
    for (const id of open) {
      const failure =
        encodings.find((one) => one.contentId === id)?.failure ||
        (await admin.of(Ingest).get({ contentId: id })).ingest?.failure;
      if (failure) throw new Error(`'${id}' failed: ${failure}`);
    }
    if (performance.now() > untilMs) {
      const states = open.map(
        (id) => `${id} ${JSON.stringify(encodings.find((one) => one.contentId === id)?.rungs ?? "not begun")}`,
      );
      throw new Error(`not finished after ${timeoutMs} ms: ${states.join("; ")}`);
    }
    await pause(200);
  }
}
