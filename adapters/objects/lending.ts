import { mkdir, rm, statfs } from "node:fs/promises";
import { extname, resolve } from "node:path";
import { problem } from "#kernel/errors";
import { newDraft, sweepDrafts } from "./drafts.ts";

export interface LendingOptions {
  /** Where copies lie while they are lent. */
  readonly folder: string;
  /** What all copies may take together. */
  readonly bytesMax: number;
}

/** What is to be lent: `version` changes with the bytes, as an ETag does. */
export interface Original {
  readonly key: string;
  readonly version: string;
  readonly sizeBytes: number;
}

interface Copy {
  readonly path: string;
  readonly sizeBytes: number;
  readonly ready: Promise<void>;
  users: number;
  drop: NodeJS.Timeout | undefined;
}

/** The jobs of a film want the same file one after another; so long after the last one its copy goes. */
const KEPT_MS = 60_000;
/** Room that is left to everybody else on the disk. */
const FREE_BYTES_MIN = 512 * 1024 * 1024;

/** Local copies of objects for programs that want a path. Those who want the same bytes at the same time share one copy. */
export async function openLending(options: LendingOptions): Promise<{
  lend<T>(original: Original, download: (path: string) => Promise<void>, use: (path: string) => Promise<T>): Promise<T>;
}> {
  const folder = resolve(options.folder);
  await mkdir(folder, { recursive: true });
  await sweepDrafts(folder);
  const copies = new Map<string, Copy>();
  let takenBytes = 0;

  async function remove(id: string, copy: Copy): Promise<void> {
    if (copies.get(id) !== copy) return;
    copies.delete(id);
    clearTimeout(copy.drop);
    takenBytes -= copy.sizeBytes;
    await rm(copy.path, { force: true });
  }

  /** Copies that nobody uses make room for new ones; without room the caller is told to come back. */
  async function makeRoom(key: string, sizeBytes: number): Promise<void> {
    for (;;) {
      const { bavail, bsize } = await statfs(folder);
      const isRoomy = takenBytes <= options.bytesMax && sizeBytes + FREE_BYTES_MIN <= bavail * bsize;
      if (isRoomy) return;
      const idle = [...copies].find(([, copy]) => copy.users === 0);
      if (idle === undefined) {
        throw problem.exhausted(
          `there is no room in ${folder} for a copy of '${key}' (${sizeBytes} bytes; copies may take ${options.bytesMax} together): free some space, then try again`,
          { reason: "disk_full", retryAfterS: 30 },
        );
      }
      await remove(...idle);
    }
  }

  function copyOf(id: string, original: Original, download: (path: string) => Promise<void>): Copy {
    const path = newDraft(folder, extname(original.key));
    const copy: Copy = {
      path,
      sizeBytes: original.sizeBytes,
      ready: Promise.resolve()
        .then(() => makeRoom(original.key, original.sizeBytes))
        .then(() => download(path)),
      users: 0,
      drop: undefined,
    };
    // It counts from now on, so that two that start together do not take the same room.
    takenBytes += original.sizeBytes;
    copies.set(id, copy);
    return copy;
  }

  return {
    async lend(original, download, use) {
      const id = `${original.key}\0${original.version}`;
      const copy = copies.get(id) ?? copyOf(id, original, download);
      copy.users += 1;
      clearTimeout(copy.drop);
      try {
        await copy.ready.catch(async (error: unknown) => {
          await remove(id, copy);
          throw error;
        });
        return await use(copy.path);
      } finally {
        copy.users -= 1;
        // Another may have removed it, when its download failed.
        if (copy.users === 0 && copies.get(id) === copy) {
          copy.drop = setTimeout(() => void remove(id, copy).catch(() => undefined), KEPT_MS);
          // A copy that outlives us is swept away at the next start, and must not keep the process alive.
          copy.drop.unref();
        }
      }
    },
  };
}
