/** Somebody's recording as a player has it: its playlists, its licence and every segment, decrypted here and decoded by ffmpeg. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { createTrackWriter, decryptSegment, readProtection } from "#media/cenc";
import { type HlsSegment, parseMediaPlaylist, parseMultivariantPlaylist } from "#media/hls";
import { parseTrackInit } from "#media/isobmff";

const REQUEST_MS_MAX = 10_000;
const DECODE_MS_MAX = 60_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

export interface Decoded {
  readonly kind: "video" | "audio";
  readonly segments: readonly HlsSegment[];
  readonly durationS: number;
  /** Pictures, or blocks of sound. */
  readonly frames: number;
}

interface Session {
  readonly manifests: { readonly hls: string };
  readonly licenses: { readonly clearkey: string };
}

/** Plays all of it, every rung and the sound. Rejects where ffmpeg has a word to say about any of it. */
export async function decodeRecording(
  { url, token, contentId }: { readonly url: string; readonly token: string; readonly contentId: string },
  folder: string,
): Promise<Decoded[]> {
  // A device whose player keeps to one network: its manifests name each rung once.
  const device = { id: "chaos-decoder", type: "stb", name: "Decoder" };
  const started = await fetch(`${url}/api/web/v1/playback/sessions`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "x-marquee": "web" },
    body: JSON.stringify({ contentId, device }),
    signal: AbortSignal.timeout(REQUEST_MS_MAX),
  });
  assert.equal(started.status, 201, await started.clone().text());
  const { manifests, licenses } = (await started.json()) as Session;
  const keys = await licensed(licenses.clearkey);
  const main = parseMultivariantPlaylist(await text(manifests.hls));
  const uris = [...main.variants.map(({ uri }) => uri), ...main.renditions.map(({ uri }) => uri ?? "")];
  const decoded: Decoded[] = [];
  for (const [index, uri] of uris.entries()) {
    const playlistUrl = new URL(uri, manifests.hls).href;
    const playlist = parseMediaPlaylist(await text(playlistUrl));
    assert.ok(playlist.endList, "what was recorded ends");
    const clear = await clearTrack(playlistUrl, playlist.segments, keys);
    const file = path.join(folder, `recorded-${index}.mp4`);
    await writeFile(file, clear.bytes);
    decoded.push({
      ...{ kind: clear.kind, segments: playlist.segments, frames: await framesOf(file) },
      durationS: playlist.segments.reduce((sum, { durationS }) => sum + durationS, 0),
    });
  }
  return decoded;
}

async function load(address: string): Promise<Uint8Array> {
  const answer = await fetch(address, { signal: AbortSignal.timeout(REQUEST_MS_MAX) });
  assert.equal(answer.status, 200, address.replace(/\?.*/, ""));
  return new Uint8Array(await answer.arrayBuffer());
}
const text = async (address: string): Promise<string> => Buffer.from(await load(address)).toString("utf8");

/** Keys by their ids, as a licence gives them. */
async function licensed(address: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const body = JSON.stringify({ kids: [], type: "temporary" });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(address, { method: "POST", headers, body, signal: AbortSignal.timeout(REQUEST_MS_MAX) });
  assert.equal(answer.status, 200, await answer.clone().text());
  const { keys } = (await answer.json()) as { keys: { kid: string; k: string }[] };
  return new Map(
    keys.map(({ kid, k }) => [Buffer.from(kid, "base64url").toString("hex"), Buffer.from(k, "base64url")]),
  );
}

async function clearTrack(playlistUrl: string, segments: readonly HlsSegment[], keys: ReadonlyMap<string, Uint8Array>) {
  const init = await load(new URL(segments[0]?.map?.uri ?? "", playlistUrl).href);
  const track = parseTrackInit(init);
  const key = keys.get(readProtection(track)?.kid ?? "");
  assert.ok(key, "the licence opens the track");
  const writer = createTrackWriter({ ...track, sinf: null }, { protection: null });
  const pieces: Uint8Array[] = [writer.initSegment];
  let baseDecodeTimeTicks = 0;
  for (const [index, { uri }] of segments.entries()) {
    const fragments = decryptSegment(init, await load(new URL(uri, playlistUrl).href), key);
    const first = fragments[0]?.baseDecodeTimeTicks;
    assert.equal(first, baseDecodeTimeTicks, `segment ${index} of ${track.kind} begins where the one before it ended`);
    const { bytes, durationTicks } = writer.write(fragments, { sequence: index * 100 + 1, baseDecodeTimeTicks });
    pieces.push(bytes);
    baseDecodeTimeTicks += durationTicks;
  }
  return { kind: track.kind, bytes: Buffer.concat(pieces) };
}

async function framesOf(file: string): Promise<number> {
  const words = ["-nostdin", "-v", "warning", "-i", file, "-map", "0", "-f", "framecrc", "-"];
  const { stdout, stderr } = await promisify(execFile)("ffmpeg", words, {
    ...{ timeout: DECODE_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX },
  });
  assert.equal(stderr, "");
  return stdout.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
}
