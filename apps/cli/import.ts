import { basename } from "node:path";
import { Ingest } from "#contracts/ingest";
import { problem, toProblem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { NOT_RUNNING } from "./client.ts";
import { follow, type Progress, type Until } from "./follow.ts";
import { bar, cut, duration, percent, plain } from "./terminal.ts";

export interface ImportOptions {
  readonly preset: string;
  readonly title?: string | undefined;
  readonly subtitles: readonly string[];
  readonly wait?: string | undefined;
  readonly json: boolean;
  readonly allowDuplicate: boolean;
  readonly publish: boolean;
}

export interface Sidecar {
  readonly path: string;
  readonly language: string;
}

const SIDECAR = /^(.+):([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4})$/s;

/** `film.en.srt:en` is a path and, after its last colon, a language tag (RFC 5646). Null where there is no tag. */
export function parseSidecar(text: string): Sidecar | null {
  const [, path, language] = SIDECAR.exec(text) ?? [];
  return path === undefined || language === undefined ? null : { path, language };
}

/**
 * Which arguments are films and which are subtitles. `--subtitles` takes all words that follow it, so `--subtitles a.srt:en
 * film.mp4` hands us a film among them: what has no language is one.
 */
export function sortArguments(
  files: readonly string[],
  subtitles: readonly string[],
): { files: string[]; sidecars: Sidecar[] } {
  const parsed = subtitles.map((text) => ({ text, sidecar: parseSidecar(text) }));
  const strays = parsed.filter(({ sidecar }) => sidecar === null).map(({ text }) => text);
  const subtitleWithoutLanguage = strays.find((text) => /\.(srt|vtt|ass|ssa|ttml)$/i.test(text));
  if (subtitleWithoutLanguage !== undefined) {
    throw problem.invalid(
      `'${subtitleWithoutLanguage}' has no language: write it after a colon, as in ${subtitleWithoutLanguage}:en`,
    );
  }
  return { files: [...files, ...strays], sidecars: parsed.flatMap(({ sidecar }) => sidecar ?? []) };
}

export function parseUntil(wait: string | undefined): Until {
  if (wait === undefined) return "accepted";
  if (wait === "playable" || wait === "complete") return wait;
  throw problem.invalid(
    `--wait=${wait} is not known: write --wait (until it plays) or --wait=complete (until every rung is there)`,
  );
}

interface Item {
  readonly file: string;
  /** Empty while the product has not taken the file. */
  contentId: string;
  state: Progress;
}

/** `marquee import`: hands files over and, where asked to, stays until they play. */
export async function importFiles(cli: Cli, words: readonly string[], options: ImportOptions): Promise<ExitCode> {
  const until = parseUntil(options.wait);
  const { files, sidecars } = sortArguments(words, options.subtitles);
  if (files.length === 0) throw problem.invalid("which file? Write: ./marquee import FILE");
  if (files.length > 1 && (options.title !== undefined || sidecars.length > 0)) {
    throw problem.invalid(
      `--title and --subtitles belong to one film, but there are ${files.length} files: import them one by one`,
    );
  }
  if (options.preset !== "quick" && options.preset !== "full") {
    throw problem.invalid(
      `preset '${options.preset}' is not known: write quick (three rungs, fast) or full (both ladders)`,
    );
  }
  const letGo = onInterrupt(() => cli.terminal.note("The work goes on without me; ./marquee jobs shows it."));
  const items: Item[] = [];
  try {
    for (const file of files) items.push(await handOver(cli, file, sidecars, options));
    const show = options.json ? jsonProgress(cli, items) : screenProgress(cli, items, until);
    const contentIds = items.flatMap(({ contentId }) => (contentId === "" ? [] : [contentId]));
    const ended = await follow({
      client: cli.client,
      contentIds,
      until,
      onProgress(states) {
        for (const state of states) {
          const item = items.find(({ contentId }) => contentId === state.contentId);
          if (item) item.state = state;
        }
        show();
      },
      onAway: (fault) => cli.terminal.redraw([`${fault.message} … waiting for it to come back`]),
    });
    for (const item of items) item.state = ended.get(item.contentId) ?? item.state;
  } finally {
    letGo();
    cli.terminal.redraw([]);
  }
  for (const item of items) report(cli, item, until, options.json);
  return items.some(({ state }) => state.phase === "failed") ? 1 : 0;
}

/** A file that the product refuses at once is a failed item, and the other files go on. */
async function handOver(cli: Cli, file: string, sidecars: readonly Sidecar[], options: ImportOptions): Promise<Item> {
  const state: Progress = {
    contentId: "",
    phase: "waiting",
    ratio: 0,
    leftS: 0,
    reason: "",
    code: "",
    duplicateOf: "",
  };
  try {
    const { contentId } = await cli.client.of(Ingest).import({
      path: cli.path(file),
      preset: options.preset,
      title: options.title ?? "",
      subtitles: sidecars.map(({ path, language }) => ({ path: cli.path(path), language })),
      allowDuplicate: options.allowDuplicate,
      publish: options.publish,
    });
    return { file, contentId, state: { ...state, contentId } };
  } catch (error) {
    const fault = toProblem(error);
    if (fault.reason === NOT_RUNNING || fault.code === "internal") throw error;
    return { file, contentId: "", state: { ...state, phase: "failed", reason: fault.message, code: fault.reason } };
  }
}

/** One JSON object a line whenever something moved by a percent or changed its phase. */
function jsonProgress(cli: Cli, items: readonly Item[]): () => void {
  const told = new Map<Item, string>();
  return () => {
    for (const item of items) {
      const { phase, ratio, leftS, contentId } = item.state;
      if (phase === "done" || phase === "failed") continue;
      const line = JSON.stringify({
        file: item.file,
        contentId,
        status: phase,
        progress: Math.floor(ratio * 100) / 100,
      });
      if (told.get(item) === line) continue;
      told.set(item, line);
      cli.terminal.out(JSON.stringify({ ...(JSON.parse(line) as object), leftS: Math.round(leftS) }));
    }
  };
}

/** A bar for each file on a screen; in a log file, a line at each phase and each tenth. */
function screenProgress(cli: Cli, items: readonly Item[], until: Until): () => void {
  const told = new Map<Item, string>();
  return () => {
    if (cli.terminal.isScreen)
      return cli.terminal.redraw(items.map(({ file, state }) => progressLine(file, state, until)));
    for (const item of items) {
      const { phase, ratio } = item.state;
      const step = `${phase} ${Math.floor(ratio * 10)}`;
      if (phase === "done" || phase === "failed" || told.get(item) === step) continue;
      told.set(item, step);
      cli.terminal.note(`${plain(basename(item.file))}: ${phase}${phase === "encoding" ? ` ${percent(ratio)}` : ""}`);
    }
  };
}

export function progressLine(file: string, state: Progress, until: Until): string {
  const name = cut(plain(basename(file)), 32).padEnd(32);
  if (state.phase === "failed") return `${name} failed`;
  if (state.phase === "done") return `${name} ${until === "accepted" ? "taken in" : "ready"}`;
  const left = state.leftS > 0 ? `  ${duration(state.leftS)} left` : "";
  return `${name} ${state.phase.padEnd(10)} ${bar(state.ratio)}${left}`;
}

function report(cli: Cli, { file, contentId, state }: Item, until: Until, json: boolean): void {
  const isFailed = state.phase === "failed";
  if (json) {
    const status = isFailed ? "failed" : until === "accepted" ? "accepted" : "ready";
    const facts = {
      file,
      contentId: contentId === "" ? null : contentId,
      status,
      reason: isFailed ? state.reason : null,
    };
    const more = isFailed
      ? { code: state.code, ...(state.duplicateOf === "" ? {} : { duplicateOf: state.duplicateOf }) }
      : {};
    cli.terminal.out(JSON.stringify({ ...facts, ...more }));
    return;
  }
  const name = plain(basename(file));
  if (isFailed) {
    cli.terminal.note(`${name}: failed: ${plain(state.reason)}`);
    if (contentId !== "" && state.code !== "duplicate")
      cli.terminal.note(`  when it is mended: ./marquee retry ${contentId}`);
    return;
  }
  if (until === "accepted") cli.terminal.out(`${name}: taken in as ${contentId}; ./marquee jobs shows how far it is`);
  else cli.terminal.out(`${name}: ready as ${contentId}`);
}

/** Ctrl-C ends the command and not the work; says so, and ends as a shell expects it. */
function onInterrupt(say: () => void): () => void {
  const stop = (): void => {
    say();
    process.exit(130);
  };
  process.on("SIGINT", stop);
  return () => process.off("SIGINT", stop);
}
