import type { Dirent } from "node:fs";
import { link, lstat, mkdir, open, readdir, rename, rm, rmdir, stat, statfs, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { problem } from "#kernel/errors";
import type { ByteRange, ObjectInfo, Objects } from "#kernel/ports/objects";
import { newDraft, sweepDrafts } from "./drafts.ts";
import { copyPaced, stepsOf, syncFile, writePaced } from "./paced.ts";
import {
  assertFitsMemory,
  assertKey,
  assertKeysMax,
  assertPrefix,
  assertWholeFolder,
  isRange,
  notInside,
} from "./keys.ts";

const FREE_BYTES_MIN = 100 * 1024 * 1024;
/**
 * Folders end with a mark that no key contains, so that `a` and `a/b` can both be objects, as they can in S3:
 * `titles/7/init.mp4` lies in `titles~/7~/init.mp4`, and files keep their names for the programs that look at them.
 */
const FOLDER_MARK = "~";

/**
 * Objects as files below one folder. A write goes to a temporary file, is synced, and gets its name in one step, so that a
 * reader sees all of it or nothing, also after a power cut. Several processes may use one folder.
 */
export async function openFileObjects(options: { readonly folder: string }): Promise<Objects> {
  const root = resolve(options.folder);
  const data = join(root, "objects");
  const drafts = join(root, "drafts");
  await mkdir(data, { recursive: true });
  await mkdir(drafts, { recursive: true });
  await sweepDrafts(drafts);

  const pathOf = (key: string): string => {
    assertKey(key);
    return join(data, key.replaceAll("/", `${FOLDER_MARK}/`));
  };

  /** Gives a finished draft its name. The folder may vanish between its making and the move, when another call just emptied it. */
  async function publish(draft: string, key: string, exclusive: boolean): Promise<void> {
    const path = pathOf(key);
    for (let tries = 0; ; tries += 1) {
      try {
        await makeFolders(dirname(path));
        if (exclusive) {
          await link(draft, path);
          await unlink(draft);
        } else await rename(draft, path);
        await syncShared(dirname(path));
        return;
      } catch (error) {
        if (codeOf(error) === "EEXIST" && exclusive) throw problem.alreadyExists(`the object '${key}' exists already`);
        if (codeOf(error) !== "ENOENT" || tries >= 5) throw error;
      }
    }
  }

  /** Makes folders and syncs those that are new into their parents. */
  async function makeFolders(folder: string): Promise<void> {
    const first = await mkdir(folder, { recursive: true });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
  }

  /** Writes through a draft; whatever goes wrong, nothing of it stays. */
  async function write(key: string, exclusive: boolean, fill: (draft: string) => Promise<void>): Promise<void> {
    assertKey(key);
    const draft = newDraft(drafts);
    try {
      await fill(draft);
      await publish(draft, key, exclusive);
    } catch (error) {
      await rm(draft, { force: true });
      throw writeProblem(key, error);
    }
  }

  async function openObject(key: string): Promise<{ file: FileHandle; sizeBytes: number }> {
    const path = pathOf(key);
    try {
      const file = await open(path, "r");
      return { file, sizeBytes: (await file.stat()).size };
    } catch (error) {
      if (isMissing(error)) throw problem.notFound(`there is no object '${key}'`);
      throw error;
    }
  }

  return {
    put(key, body, put) {
      return write(key, put?.exclusive === true, (draft) =>
        writePaced(draft, body instanceof Uint8Array ? stepsOf(body) : body),
      );
    },
    async putFile(key, path, put) {
      assertKey(key);
      const info = await lstat(path).catch(() => undefined);
      if (info?.isFile() !== true) throw problem.invalid(`'${path}' is not a file`);
      if (put?.move === true) {
        try {
          await syncFile(path);
          await publish(path, key, false);
          return;
        } catch (error) {
          // Another disk: copy, then delete.
          if (codeOf(error) !== "EXDEV") throw writeProblem(key, error);
        }
      }
      await write(key, false, (draft) => copyPaced(path, draft));
      if (put?.move === true) await unlink(path);
    },
    async get(key, range) {
      const { file, sizeBytes } = await openObject(key);
      try {
        const { start, length } = within(key, sizeBytes, range);
        assertFitsMemory(key, length);
        // A buffer of its own: the caller may transfer it to a worker.
        const bytes = Buffer.allocUnsafeSlow(length);
        let done = 0;
        while (done < length) {
          const { bytesRead } = await file.read(bytes, done, length - done, start + done);
          if (bytesRead === 0) throw problem.internal(`the object '${key}' became shorter while it was read`);
          done += bytesRead;
        }
        return bytes;
      } finally {
        await file.close();
      }
    },
    async stream(key, range) {
      const { file, sizeBytes } = await openObject(key);
      try {
        const { start, length } = within(key, sizeBytes, range);
        if (length > 0) return file.createReadStream({ start, end: start + length - 1, highWaterMark: 256 * 1024 });
        return file.createReadStream({ start: sizeBytes });
      } catch (error) {
        await file.close();
        throw error;
      }
    },
    async head(key) {
      const info = await stat(pathOf(key)).catch(ignoreMissing);
      return info?.isFile() === true ? infoOf(key, info) : undefined;
    },
    async list(prefix, list) {
      assertPrefix(prefix);
      assertKeysMax(list.keysMax);
      const found: ObjectInfo[] = [];
      // The folder that holds every key with this prefix.
      const top = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      for await (const { key, path } of walk(data, top, prefix, list.after ?? "")) {
        const info = await stat(path).catch(ignoreMissing);
        if (info !== undefined) found.push(infoOf(key, info));
        if (found.length >= list.keysMax) break;
      }
      return found;
    },
    async delete(keys) {
      for (const path of keys.map(pathOf)) {
        await unlink(path).catch(ignoreMissing);
        await removeEmpty(dirname(path), data);
      }
    },
    async deletePrefix(prefix) {
      assertWholeFolder(prefix);
      const folder = pathOf(prefix.slice(0, -1)) + FOLDER_MARK;
      const draft = newDraft(drafts);
      try {
        // It vanishes at once; taking it apart may take its time.
        await rename(folder, draft);
      } catch (error) {
        if (isMissing(error)) return 0;
        throw error;
      }
      await syncFolder(dirname(folder));
      await removeEmpty(dirname(folder), data);
      const entries = await readdir(draft, { recursive: true, withFileTypes: true });
      await rm(draft, { recursive: true, force: true });
      return entries.filter((entry) => entry.isFile()).length;
    },
    async withFile(key, use) {
      const path = pathOf(key);
      if ((await stat(path).catch(ignoreMissing))?.isFile() !== true)
        throw problem.notFound(`there is no object '${key}'`);
      return use(path);
    },
    async state() {
      try {
        const { bavail, bsize } = await statfs(data);
        const freeBytes = bavail * bsize;
        const free = `${(freeBytes / 1e9).toFixed(1)} GB free`;
        if (freeBytes < FREE_BYTES_MIN)
          return { ok: false, detail: `files in ${root}: the disk is almost full (${free}), delete something` };
        return { ok: true, detail: `files in ${root}, ${free}` };
      } catch (error) {
        return { ok: false, detail: `files in ${root}: ${error instanceof Error ? error.message : String(error)}` };
      }
    },
  };
}

/** Keys with a prefix beyond `after`, in the order of their bytes. `top` is the key of the folder to begin with. */
async function* walk(
  data: string,
  top: string,
  prefix: string,
  after: string,
): AsyncGenerator<{ key: string; path: string }> {
  const folder = join(data, top.replaceAll("/", `${FOLDER_MARK}/`));
  const entries = await readdir(folder, { withFileTypes: true }).catch(ignoreMissing);
  for (const { key, isFolder, path } of (entries ?? [])
    .map((entry) => placeOf(entry, top))
    .sort((a, b) => (a.key < b.key ? -1 : 1))) {
    if (isFolder) {
      // All keys in it begin with its own, so one comparison skips it whole.
      const isWanted = (key.startsWith(prefix) || prefix.startsWith(key)) && (key > after || after.startsWith(key));
      if (isWanted) yield* walk(data, key, prefix, after);
    } else if (key.startsWith(prefix) && key > after) yield { key, path };
  }
}

/** A folder's key ends with a slash: sorted with it, the order of entries is the order of the keys inside. */
function placeOf(entry: Dirent, top: string): { key: string; isFolder: boolean; path: string } {
  const isFolder = entry.isDirectory();
  const key = isFolder ? `${top}${entry.name.slice(0, -FOLDER_MARK.length)}/` : top + entry.name;
  return { key, isFolder, path: join(entry.parentPath, entry.name) };
}

function within(key: string, sizeBytes: number, range: ByteRange | undefined): { start: number; length: number } {
  if (range === undefined) return { start: 0, length: sizeBytes };
  const { startBytes, endBytes } = range;
  if (!isRange(range) || startBytes >= sizeBytes) throw notInside(key, range, sizeBytes);
  return { start: startBytes, length: Math.min(endBytes, sizeBytes - 1) - startBytes + 1 };
}

function infoOf(key: string, info: { size: number; mtimeMs: number }): ObjectInfo {
  return { key, sizeBytes: info.size, modifiedMs: Math.round(info.mtimeMs) };
}

function writeProblem(key: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return problem.exhausted(`the disk is full: '${key}' was not written; free some space, then try again`, {
      reason: "disk_full",
      retryAfterS: 30,
      cause: error,
    });
  }
  return error;
}

/** Removes folders that became empty, from the inside out. */
async function removeEmpty(folder: string, data: string): Promise<void> {
  for (let at = folder; at.length > data.length; at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return;
    }
  }
}

interface Sync {
  readonly under: Promise<void>;
  next: Promise<void> | undefined;
}
const syncs = new Map<string, Sync>();

/** Syncs a folder for everybody who asks: one sync that begins after all their renames covers them all. */
function syncShared(path: string): Promise<void> {
  const sync = syncs.get(path);
  if (sync) return (sync.next ??= sync.under.catch(() => undefined).then(() => begin()));
  return begin();

  function begin(): Promise<void> {
    const begun: Sync = {
      under: syncFolder(path).finally(() => {
        if (!begun.next) syncs.delete(path);
      }),
      next: undefined,
    };
    syncs.set(path, begun);
    return begun.under;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** ENOTDIR: a part of the path is a file, so nothing can be below it. */
function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
