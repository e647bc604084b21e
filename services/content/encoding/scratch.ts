import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

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
