import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/**
 * Unfinished work lies beside the product's data, not in the system's temporary folder: what a killed encoder left is found and
 * removed there, and finished files move into the store instead of being copied from another disk.
 */
export interface Scratch {
  /** Removes what an earlier process left. Nobody may be working. */
  clear(): Promise<void>;
  /** Gives `use` an empty folder that is gone afterwards. */
  within<T>(use: (folder: string) => Promise<T>): Promise<T>;
}

export function openScratch(dataFolder: string): Scratch {
  const root = join(resolve(dataFolder), "scratch");
  return {
    clear: () => rm(root, { recursive: true, force: true }),
    async within(use) {
      await mkdir(root, { recursive: true, mode: 0o700 });
      const folder = await mkdtemp(join(root, "encode-"));
      try {
        return await use(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

const PACE_MS = 500;

/**
 * Syncs a file again and again while `make` writes it, so that it reaches the disk steadily. All at once, at its end, it would fill the
 * disk's queue, and viewers' heartbeats would wait behind it.
 */
export async function paced(path: string, make: () => Promise<void>): Promise<void> {
  const done = new AbortController();
  const pacing = (async () => {
    const file = await open(path, "r+");
    try {
      while (!done.signal.aborted) {
        await pause(PACE_MS, undefined, { signal: done.signal }).catch(() => {});
        await file.datasync();
      }
    } finally {
      await file.close();
    }
  })();
  try {
    await make();
  } finally {
    done.abort();
    // A disk that is full or broken is found by whoever writes.
    await pacing.catch(() => {});
  }
}
