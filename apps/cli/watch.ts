import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { Ingest } from "#contracts/ingest";
import { problem, toProblem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { NOT_RUNNING } from "./client.ts";
import { findIngest, follow } from "./follow.ts";
import { plain } from "./terminal.ts";

export interface WatchOptions {
  readonly preset: string;
  /** Seconds without a change that make a file whole. */
  readonly settle: string;
  readonly publish: boolean;
  readonly once: boolean;
  readonly json: boolean;
}

const LOOK_MS = 1_000;
const FILES_MAX = 10_000;
const DONE_FOLDER = "imported";
const ERROR_ENDING = ".error.txt";
/** Names that programs give to what they have not finished writing, and files that belong to a film. */
const NOT_FILMS =
  /(^\.|^~|\.(part|partial|crdownload|download|tmp|temp|filepart|aria2|txt|srt|vtt|ass|ssa|ttml|nfo|json|xml|jpe?g|png|md5|sha\d+)$)/i;
const SUBTITLE = /\.(srt|vtt|ass|ssa|ttml)$/i;

/** What a look at the folder found under a name. */
export interface Found {
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/**
 * Which files are whole: those whose size and time have not changed for a while. `seen` is what earlier looks remember;
 * it is brought up to date.
 */
export function stableFiles(
  found: readonly Found[],
  seen: Map<string, Found & { readonly sinceMs: number }>,
  nowMs: number,
  stableMs: number,
): Found[] {
  const names = new Set(found.map(({ name }) => name));
  for (const name of seen.keys()) if (!names.has(name)) seen.delete(name);
  return found.filter((file) => {
    const before = seen.get(file.name);
    const isSame = before?.sizeBytes === file.sizeBytes && before.modifiedMs === file.modifiedMs;
    if (!isSame) seen.set(file.name, { ...file, sinceMs: nowMs });
    return isSame && nowMs - before.sinceMs >= stableMs;
  });
}

/** Films of a listing that have no error beside them: hidden, unfinished and accompanying files are none. */
export function filmsOf(names: readonly string[]): string[] {
  const all = new Set(names);
  return names.filter((name) => !NOT_FILMS.test(name) && !all.has(`${name}${ERROR_ENDING}`));
}

/** `film.en.srt` and `film.srt` belong to `film.mp4`; without a language it is `und` (RFC 5646). */
export function sidecarsOf(
  film: string,
  names: readonly string[],
): { readonly name: string; readonly language: string }[] {
  const stem = basename(film, extname(film));
  return names.flatMap((name) => {
    if (!SUBTITLE.test(name) || !name.startsWith(`${stem}.`)) return [];
    const tag = basename(name, extname(name)).slice(stem.length + 1);
    if (tag === "") return [{ name, language: "und" }];
    // Ingest takes ISO 639 codes; `forced` and `commentary` are no languages.
    return /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}$/.test(tag) ? [{ name, language: tag }] : [];
  });
}

/** The same file gets the same id, so that a watcher that was killed half-way does not import it twice. */
export function contentIdOf(path: string, { sizeBytes, modifiedMs }: Found): string {
  return `vod_${createHash("sha256").update(`${path}\0${sizeBytes}\0${modifiedMs}`).digest("hex").slice(0, 32)}`;
}

/** `marquee watch`: looks into the folder every second and hands over what is whole. */
export async function watchFolder(cli: Cli, text: string, options: WatchOptions): Promise<ExitCode> {
  if (/^s3:/i.test(text))
    throw problem.invalid(
      `'${text}' is no folder of this machine: watching a bucket needs the S3 object store, which this product does not have yet`,
    );
  const settleMs = Number(options.settle) * 1_000;
  if (!(settleMs >= 0 && settleMs <= 3_600_000))
    throw problem.invalid(`--settle ${options.settle} is not between 0 and 3600 seconds`);
  const folder = cli.path(text);
  // A product that is not running is told at once, not when the first file arrives.
  await cli.client.about();
  await mkdir(join(folder, DONE_FOLDER), { recursive: true });
  if (!options.json) cli.terminal.note(`watching ${folder}: put films in, Ctrl-C ends`);
  const seen = new Map<string, Found & { sinceMs: number }>();
  let failed = 0;
  for (;;) {
    const names = await list(folder);
    const found = await statAll(folder, filmsOf(names));
    const whole = stableFiles(found, seen, Date.now(), settleMs);
    for (const file of whole) {
      if (!(await takeOne(cli, folder, file, sidecarsOf(file.name, names), options))) failed++;
      seen.delete(file.name);
    }
    if (options.once && found.length === whole.length) return failed > 0 ? 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
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

async function takeOne(
  cli: Cli,
  folder: string,
  file: Found,
  sidecars: readonly { readonly name: string; readonly language: string }[],
  options: WatchOptions,
): Promise<boolean> {
  const path = join(folder, file.name);
  const contentId = contentIdOf(path, file);
  const tell = (status: "accepted" | "failed", reason: string): void => {
    if (options.json)
      cli.terminal.out(JSON.stringify({ file: path, contentId, status, reason: reason === "" ? null : reason }));
    else if (status === "failed") cli.terminal.note(`${plain(file.name)}: refused: ${plain(reason)}`);
    else cli.terminal.out(`${plain(file.name)}: taken in as ${contentId}`);
  };
  try {
    const before = await findIngest(cli.client, contentId);
    if (before?.state === "failed") await cli.client.of(Ingest).retry({ contentId });
    else if (!before) {
      await cli.client.of(Ingest).import({
        path,
        contentId,
        preset: options.preset,
        publish: options.publish,
        subtitles: sidecars.map(({ name, language }) => ({ path: join(folder, name), language })),
      });
    }
    const ended = await follow({ client: cli.client, contentIds: [contentId], until: "accepted", onProgress() {} });
    const state = ended.get(contentId);
    if (state?.phase !== "done") throw problem.unsupportedMedia(state?.reason ?? "it was not taken in");
    for (const name of [file.name, ...sidecars.map((sidecar) => sidecar.name)]) await moveAside(folder, name);
    tell("accepted", "");
    return true;
  } catch (error) {
    const fault = toProblem(error);
    // A product that went away says nothing about the file: it is tried again when the watcher is.
    if (fault.reason === NOT_RUNNING || fault.code === "internal") throw error;
    await writeFile(`${path}${ERROR_ENDING}`, `${fault.message}\n\nDelete this file to try again.\n`);
    tell("failed", fault.message);
    return false;
  }
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
