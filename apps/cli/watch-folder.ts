import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { problem } from "#kernel";
import { type Drop, ERROR_ENDING, FILES_MAX, filmsOf, type Found } from "./watch.ts";

const LOOK_MS = 1_000;
const DONE_FOLDER = "imported";

/** A folder of this machine: what was taken in is moved to imported/, what was refused gets a text with the reason. */
export function folderDrop(folder: string): Drop {
  return {
    place: folder,
    lookMs: LOOK_MS,
    address: (name) => join(folder, name),
    async look() {
      await mkdir(join(folder, DONE_FOLDER), { recursive: true });
      const names = await list(folder);
      return { names, films: await statAll(folder, filmsOf(names)) };
    },
    withFiles: (_contentId, _names, use) => use((name) => join(folder, name)),
    async accepted(_contentId, names) {
      for (const name of names) await moveAside(folder, name);
    },
    async refused(name, reason) {
      await writeFile(join(folder, name + ERROR_ENDING), `${reason}\n\nDelete this file to try again.\n`);
    },
  };
}

async function list(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .toSorted()
    .slice(0, FILES_MAX);
}

async function statAll(folder: string, names: readonly string[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const name of names) {
    // A file that went away between the two looks is simply not there.
    const info = await stat(join(folder, name)).catch(() => undefined);
    if (info?.isFile()) found.push({ name, sizeBytes: info.size, modifiedMs: Math.floor(info.mtimeMs) });
  }
  return found;
}

/** A name that is taken in imported/ gets a number, because nothing there is overwritten. */
async function moveAside(folder: string, name: string): Promise<void> {
  const ending = extname(name);
  const stem = basename(name, ending);
  for (let number = 1; number < 1_000; number++) {
    const target = join(folder, DONE_FOLDER, number === 1 ? name : `${stem} (${number})${ending}`);
    const isFree = await writeFile(target, "", { flag: "wx" }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EEXIST") return false;
        throw error;
      },
    );
    if (!isFree) continue;
    await rename(join(folder, name), target).catch(async (error: unknown) => {
      await rm(target, { force: true });
      throw error;
    });
    return;
  }
  throw problem.precondition(`'${join(folder, DONE_FOLDER)}' has a thousand files named '${name}' already: tidy it up`);
}
