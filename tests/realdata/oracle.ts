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

/** The MD5 of every packet's bytes in `path`, in the order of the file; decrypted where a key is given. */
export async function packetHashes(oracle: string, path: string, keyHex: string | null = null): Promise<string[]> {
  const key = keyHex === null ? [] : ["-decryption_key", keyHex];
  const asked = ["-show_packets", "-show_data_hash", "md5", "-show_entries", "packet=data_hash", "-of", "csv=p=0"];
  const { stdout } = await run(oracle, ["-v", "error", ...key, ...asked, path], {
    maxBuffer: OUTPUT_BYTES_MAX,
    timeout: TIMEOUT_MS,
  });
  const hashes = stdout.split("\n").flatMap((line) => /MD5:[0-9a-f]{32}/i.exec(line)?.[0] ?? []);
  assert.ok(hashes.length > 0, `the oracle found no packets in ${path}`);
  return hashes;
}
