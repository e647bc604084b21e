import { constants } from "node:fs";
import { copyFile, type FileHandle, open } from "node:fs/promises";

/**
 * Writing in steps that are on the disk before the next one begins. A large file that is written at once and synced at its end fills the
 * disk's queue, and whoever waits for a small commit at that moment (a heartbeat, a bookmark) waits for all of it.
 */
const STEP_BYTES = 1024 * 1024;

/** Writes a new file, synced when this resolves. */
export async function writePaced(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, "wx");
  try {
    let unsyncedBytes = 0;
    for await (const chunk of chunks) {
      await writeWhole(file, chunk);
      unsyncedBytes += chunk.byteLength;
      if (unsyncedBytes < STEP_BYTES) continue;
      await file.datasync();
      unsyncedBytes = 0;
    }
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** The steps of a buffer. */
export function* stepsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += STEP_BYTES) yield bytes.subarray(at, at + STEP_BYTES);
}

/** Copies a file, synced when this resolves; the blocks are shared where the file system can (Btrfs, XFS, APFS). */
export async function copyPaced(from: string, to: string): Promise<void> {
  const isCloned = await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE).then(
    () => true,
    (error: unknown) => {
      if (CANNOT_CLONE.has(codeOf(error))) return false;
      throw error;
    },
  );
  if (isCloned) return syncFile(to);
  const source = await open(from, "r");
  try {
    await writePaced(to, source.createReadStream({ autoClose: false, highWaterMark: STEP_BYTES }));
  } finally {
    await source.close();
  }
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** What systems say to a clone that their file system, or two of them together, cannot make. */
const CANNOT_CLONE: ReadonlySet<string> = new Set(["ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EXDEV", "EINVAL", "ENOTTY"]);

const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "");

async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) at += (await file.write(bytes, at)).bytesWritten;
}
