/** A player's first steps: the manifest, a rung, its initialisation segment and its first media segment, and what another program sees in them. */
import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { readProtection } from "#media/cenc";
import { parseTrackInit } from "#media/isobmff";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

export interface Media {
  readonly segmentUrl: string;
  /** Of the rung's key, as 32 hexadecimal digits. */
  readonly kid: string;
  /** The initialisation segment and the media segment, one behind the other, as they came. */
  readonly bytes: Uint8Array;
}

async function load(url: string): Promise<Uint8Array> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`'${url.replace(/\?.*/, "")}' was answered ${answer.status}: ${await answer.text()}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** The first segment of a manifest's (HLS) first rung. */
export async function fetchFirst(manifestUrl: string): Promise<Media> {
  const lines = async (url: string): Promise<string[]> =>
    Buffer.from(await load(url))
      .toString("utf8")
      .split("\n");
  const firstOf = (text: readonly string[], base: string): string => {
    const line = text.find((one) => one !== "" && !one.startsWith("#"));
    if (line === undefined) throw new Error(`'${base.replace(/\?.*/, "")}' names nothing`);
    return new URL(line.trim(), base).href;
  };
  const rungUrl = firstOf(await lines(manifestUrl), manifestUrl);
  const rung = await lines(rungUrl);
  const segmentUrl = firstOf(rung, rungUrl);
  const map = /URI="([^"]+)"/.exec(rung.find((line) => line.startsWith("#EXT-X-MAP")) ?? "")?.[1] ?? "";
  const init = await load(new URL(map, rungUrl).href);
  const segment = await load(segmentUrl);
  const protection = readProtection(parseTrackInit(init));
  if (protection === null) throw new Error("the rung is not protected");
  return { segmentUrl, kid: protection.kid, bytes: Buffer.concat([init, segment]) };
}

/** Whether another program decrypts and decodes all of it without a word of complaint. */
export async function decodes(oracle: string, { bytes }: Media, key: string): Promise<boolean> {
  const folder = await makeTestFolder("media");
  try {
    const file = join(folder, "media.mp4");
    await writeFile(file, bytes);
    const words = ["-v", "error", "-decryption_key", key, "-show_entries", "frame=pict_type", "-of", "csv", file];
    const { stdout, stderr } = await promisify(execFile)(oracle, words, { timeout: 60_000 });
    return stderr === "" && stdout.includes("frame,I");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
