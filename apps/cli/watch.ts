import { createHash } from "node:crypto";
import { basename, extname } from "node:path";
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

/** What one look takes in at most. */
export const FILES_MAX = 10_000;
export const ERROR_ENDING = ".error.txt";
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

/** A place into which people put files: a folder of this machine, or one of a bucket. */
export interface Drop {
  /** How a person calls it. */
  readonly place: string;
  readonly lookMs: number;
  look(): Promise<{
    /** Every name, films and what lies beside them. */
    readonly names: readonly string[];
    /** The films that are to be taken in. */
    readonly films: readonly Found[];
  }>;
  /** How a person, and the content id, calls a film in it. */
  address(name: string): string;
  /** Files of these names on this machine, for as long as `use` takes. */
  withFiles<T>(
    contentId: string,
    names: readonly string[],
    use: (pathOf: (name: string) => string) => Promise<T>,
  ): Promise<T>;
  /** Remembers that they were taken in. */
  accepted(contentId: string, names: readonly string[]): Promise<void>;
  /** Puts the reason beside the film. */
  refused(name: string, reason: string): Promise<void>;
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

/** `marquee watch`: looks into a folder again and again, and hands over what is whole. */
export async function watch(cli: Cli, text: string, options: WatchOptions): Promise<ExitCode> {
  const settleMs = Number(options.settle) * 1_000;
  if (!(settleMs >= 0 && settleMs <= 3_600_000))
    throw problem.invalid(`--settle ${options.settle} is not between 0 and 3600 seconds`);
  const isBucket = /^s3:/i.test(text);
  const drop = isBucket
    ? (await import("./watch-bucket.ts")).bucketDrop(cli, text)
    : (await import("./watch-folder.ts")).folderDrop(cli.path(text));
  // A product that is not running is told at once, not when the first file arrives.
  await cli.client.about();
  // So is a place that cannot be used.
  await drop.look();
  if (!options.json) cli.terminal.note(`watching ${drop.place}: put films in, Ctrl-C ends`);
  const seen = new Map<string, Found & { sinceMs: number }>();
  let failed = 0;
  for (;;) {
    try {
      const { names, films } = await drop.look();
      const whole = stableFiles(films, seen, Date.now(), settleMs);
      for (const film of whole) {
        if (!(await takeOne(cli, drop, film, sidecarsOf(film.name, names), options))) failed++;
        seen.delete(film.name);
      }
      if (options.once && films.length === whole.length) return failed > 0 ? 1 : 0;
    } catch (error) {
      // A store that is away for a while says nothing about the films in it.
      const fault = toProblem(error);
      if (fault.reason !== "objects_away" || options.once) throw error;
      cli.terminal.note(plain(fault.message));
    }
    await new Promise((resolve) => setTimeout(resolve, drop.lookMs));
  }
}

async function takeOne(
  cli: Cli,
  drop: Drop,
  film: Found,
  sidecars: readonly { readonly name: string; readonly language: string }[],
  options: WatchOptions,
): Promise<boolean> {
  const address = drop.address(film.name);
  const contentId = contentIdOf(address, film);
  const tell = (status: "accepted" | "failed", reason: string): void => {
    if (options.json)
      cli.terminal.out(JSON.stringify({ file: address, contentId, status, reason: reason === "" ? null : reason }));
    else if (status === "failed") cli.terminal.note(`${plain(film.name)}: refused: ${plain(reason)}`);
    else cli.terminal.out(`${plain(film.name)}: taken in as ${contentId}`);
  };
  const all = [film.name, ...sidecars.map(({ name }) => name)];
  try {
    const before = await findIngest(cli.client, contentId);
    if (before?.state !== "accepted") {
      await drop.withFiles(contentId, all, async (pathOf) => {
        if (before?.state === "failed") await cli.client.of(Ingest).retry({ contentId });
        else if (!before) {
          await cli.client.of(Ingest).import({
            path: pathOf(film.name),
            contentId,
            preset: options.preset,
            publish: options.publish,
            subtitles: sidecars.map(({ name, language }) => ({ path: pathOf(name), language })),
          });
        }
        const ended = await follow({ client: cli.client, contentIds: [contentId], until: "accepted", onProgress() {} });
        const state = ended.get(contentId);
        if (state?.phase !== "done") throw problem.unsupportedMedia(state?.reason ?? "it was not taken in");
      });
    }
    await drop.accepted(contentId, all);
    tell("accepted", "");
    return true;
  } catch (error) {
    const fault = toProblem(error);
    // A product or a store that went away says nothing about the film: it is tried again when the watcher is.
    if (fault.reason === NOT_RUNNING || fault.reason === "objects_away" || fault.code === "internal") throw error;
    await drop.refused(film.name, fault.message);
    tell("failed", fault.message);
    return false;
  }
}
