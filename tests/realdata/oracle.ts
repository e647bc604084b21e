/** An independent decoder: the FFmpeg of another package, which knows CBCS and nothing of our packager. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 1 << 27;
const TIMEOUT_MS = 60_000;

/** Null where the package is not installed: it exists for Linux on x86-64 only. */
export function findOracle(): string | null {
  try {
    const manifest = createRequire(import.meta.url).resolve("@ffprobe-installer/linux-x64/package.json");
    const path = join(dirname(manifest), "ffprobe");
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

export interface Packet {
  readonly md5: string;
  readonly sizeBytes: number;
}

/** Every packet's bytes in `path` as a hash and a size, in the order of the file; decrypted where a key is given. */
export async function packetsOf(oracle: string, path: string, keyHex: string | null = null): Promise<Packet[]> {
  const key = keyHex === null ? [] : ["-decryption_key", keyHex];
  const asked = ["-show_packets", "-show_data_hash", "md5", "-show_entries", "packet=size,data_hash", "-of", "json"];
  const { stdout } = await run(oracle, ["-v", "error", ...key, ...asked, path], {
    maxBuffer: OUTPUT_BYTES_MAX,
    timeout: TIMEOUT_MS,
  });
  const { packets } = JSON.parse(stdout) as { packets: { size: string; data_hash: string }[] };
  assert.ok(packets.length > 0, `the oracle found no packets in ${path}`);
  return packets.map(({ size, data_hash }) => ({ md5: data_hash, sizeBytes: Number(size) }));
}
