import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { openS3Drop } from "#adapters/objects/s3-drop";
import { problem } from "#kernel";
import type { Cli } from "./cli.ts";
import { contentIdOf, type Drop, ERROR_ENDING, FILES_MAX, filmsOf } from "./watch.ts";

/** A look is a request that is paid for. */
const LOOK_MS = 5_000;
const DONE_ENDING = ".imported.txt";

/** The text beside a film that was taken in. Another film of the same name has another content id, and so is a new one. */
const markOf = (name: string, contentId: string): string => `${name}.${contentId}${DONE_ENDING}`;

/** `s3://bucket/folder/` taken apart. */
export function placeOf(text: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket, path = ""] = /^[sS]3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(text) ?? [];
  if (bucket === undefined || path.startsWith("/") || path.length > 800)
    throw problem.invalid(`'${text.slice(0, 200)}' is no folder of a bucket: write for example s3://my-bucket/films`);
  return { bucket, prefix: path === "" || path.endsWith("/") ? path : `${path}/` };
}

/**
 * A folder of a bucket. Nothing in it is moved or deleted: what was taken in gets a text that says so, and what was refused one with the
 * reason. They are the watcher's memory, wherever it runs the next time.
 */
export function bucketDrop(cli: Cli, text: string): Drop {
  const { bucket, prefix } = placeOf(text);
  const { MARQUEE_S3_ENDPOINT: endpoint, MARQUEE_S3_REGION: region } = cli.config;
  const drop = openS3Drop({ bucket, prefix, region, ...(endpoint === undefined ? {} : { endpoint }) });
  const address = (name: string): string => `s3://${bucket}/${prefix}${name}`;
  return {
    place: `s3://${bucket}/${prefix}`,
    lookMs: LOOK_MS,
    address,
    async look() {
      const found = await drop.look(FILES_MAX);
      const names = new Set(found.map(({ name }) => name));
      const films = new Set(filmsOf([...names]));
      return {
        names: [...names],
        films: found.filter(
          (file) => films.has(file.name) && !names.has(markOf(file.name, contentIdOf(address(file.name), file))),
        ),
      };
    },
    async withFiles(contentId, names, use) {
      // The same path each time: a product that was asked before a crash finds the file where it was told.
      const folder = join(cli.dataFolder, "watch", contentId);
      await mkdir(folder, { recursive: true });
      try {
        for (const name of names) await drop.download(name, join(folder, name));
        return await use((name) => join(folder, name));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async accepted(contentId, [film = ""]) {
      await drop.writeText(
        markOf(film, contentId),
        `Taken in as ${contentId}. This file keeps the film from being taken in twice.\n`,
      );
    },
    async refused(name, reason) {
      await drop.writeText(name + ERROR_ENDING, `${reason}\n\nDelete this file to try again.\n`);
    },
  };
}
