import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Epg, type ImportState } from "#contracts/epg";
import { problem, toProblem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { bar, bytes, plain } from "./terminal.ts";

export interface ImportGuideOptions {
  readonly source?: string | undefined;
  readonly zone?: string | undefined;
  readonly language?: string | undefined;
  readonly priority?: string | undefined;
  readonly addChannels?: boolean | undefined;
  readonly every?: string | undefined;
  readonly wait: boolean;
  readonly json: boolean;
}

const POLL_MS = 300;
const PIECE_BYTES = 1024 * 1024;
const FINDINGS_SHOWN = 12;

/** `marquee epg import`: makes or changes the source, has it taken in, and says what came of it. */
export async function importGuide(cli: Cli, document: string, options: ImportGuideOptions): Promise<ExitCode> {
  const name = options.source ?? nameOf(document);
  const place = await placeOf(cli, document);
  await cli.client.of(Epg).putSource({
    ...{ name, ...place },
    ...(options.zone === undefined ? {} : { zone: options.zone }),
    ...(options.language === undefined ? {} : { language: options.language }),
    ...(options.priority === undefined ? {} : { priority: numberOf(options.priority, "--priority") }),
    ...(options.addChannels === undefined ? {} : { addsChannels: options.addChannels }),
    ...(options.every === undefined ? {} : { refreshS: Math.round(numberOf(options.every, "--every") * 3_600) }),
  });
  const importId =
    place.kind === "pushed" ? await push(cli, name) : (await cli.client.of(Epg).import({ sourceName: name })).importId;
  if (!options.wait) {
    cli.terminal.out(
      options.json
        ? JSON.stringify({ source: name, importId, status: "accepted" })
        : `${name}: being taken in; ./marquee epg sources shows how far it is`,
    );
    return 0;
  }
  return report(cli, await followImport(cli, importId, options.json), options.json);
}

/** A name for a source out of its document's: what is before the endings, in letters that a name may have. */
export function nameOf(document: string): string {
  if (document === "-") throw problem.invalid("what comes from standard input has no name: add --source NAME");
  const stem = basename(URL.parse(document)?.pathname ?? document).replace(/(\.(xml|xmltv|gz|txt))+$/i, "");
  const name = stem
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+|-+$/g, "")
    .slice(0, 63);
  if (name === "") throw problem.invalid(`no name can be made of '${plain(document)}': add --source NAME`);
  return name;
}

async function placeOf(cli: Cli, document: string): Promise<{ kind: string; location: string }> {
  if (document === "-") return { kind: "pushed", location: "" };
  if (/^https?:\/\//i.test(document)) return { kind: "url", location: document };
  const path = cli.path(document);
  const info = await stat(path).catch((error: unknown) => {
    throw problem.notFound(`'${plain(document)}' cannot be read: check the name and its permissions`, { cause: error });
  });
  if (!info.isFile()) throw problem.invalid(`'${plain(document)}' is not a file`);
  return { kind: "file", location: path };
}

function numberOf(text: string, flag: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number))
    throw problem.invalid(`${flag} is a number, not '${plain(text)}'`);
  return number;
}

/** Hands over what comes on standard input, piece by piece. */
async function push(cli: Cli, sourceName: string): Promise<string> {
  let importId = "";
  let waiting: Buffer[] = [];
  let size = 0;
  const send = async (last: boolean): Promise<void> => {
    const piece = Buffer.concat(waiting);
    waiting = [];
    size = 0;
    ({ importId } = await cli.client.of(Epg).push({ sourceName, importId, piece, last }));
  };
  for await (const chunk of createReadStream("", { fd: 0, autoClose: false }) as AsyncIterable<Buffer>) {
    waiting.push(chunk);
    size += chunk.byteLength;
    if (size >= PIECE_BYTES) await send(false);
  }
  await send(true);
  return importId;
}

async function followImport(cli: Cli, importId: string, json: boolean): Promise<ImportState> {
  let told = "";
  for (;;) {
    const { import: state } = await cli.client
      .of(Epg)
      .getImport({ importId })
      .catch((error: unknown) => {
        if (toProblem(error).retryable) return { import: undefined };
        throw error;
      });
    if (state?.state === "completed" || state?.state === "failed") {
      cli.terminal.redraw([]);
      return state;
    }
    if (state) {
      const line = progressLine(state);
      if (json && line !== told)
        cli.terminal.out(
          JSON.stringify({ source: state.sourceName, importId, status: state.state, progress: ratioOf(state) }),
        );
      else if (!json) cli.terminal.redraw([line]);
      told = line;
    }
    await sleep(POLL_MS);
  }
}

const ratioOf = ({ state, bytesRead, bytesTotal, channelsMerged, channelsMatched }: ImportState): number =>
  state === "merging"
    ? channelsMerged / Math.max(channelsMatched, 1)
    : bytesTotal > 0n
      ? Math.floor((Number(bytesRead) / Number(bytesTotal)) * 100) / 100
      : 0;

function progressLine(state: ImportState): string {
  const what = `${plain(state.sourceName)}: ${state.state}`;
  if (state.state === "reading" && state.bytesTotal === 0n) return `${what} ${bytes(Number(state.bytesRead))}`;
  return state.state === "reading" || state.state === "merging" ? `${what.padEnd(24)} ${bar(ratioOf(state))}` : what;
}

function report(cli: Cli, state: ImportState, json: boolean): ExitCode {
  const isFailed = state.state === "failed";
  if (json) {
    cli.terminal.out(JSON.stringify(toJsonImport(state)));
    return isFailed ? 1 : 0;
  }
  const name = plain(state.sourceName);
  if (isFailed) {
    cli.terminal.note(`${name}: refused: ${plain(state.failure)}`);
    cli.terminal.note("  The guide is as it was.");
    return 1;
  }
  cli.terminal.out(
    `${name}: ${state.programmesKept} of ${state.programmes} programmes taken in, ${state.channelsMatched} of ${state.channels} channels matched`,
  );
  for (const { code, count, first } of state.findings.slice(0, FINDINGS_SHOWN))
    cli.terminal.note(
      `  ${String(count).padStart(6)} × ${code.replaceAll("_", " ")}${first === "" ? "" : ` (first: ${plain(first)})`}`,
    );
  if (state.channelsMatched < state.channels)
    cli.terminal.note(
      `  ./marquee epg match ${name} --unmatched shows the other channels; --add-channels puts them into the guide`,
    );
  return 0;
}

/** For programs: plain members, times as ISO 8601. */
export function toJsonImport(state: ImportState): Record<string, unknown> {
  const time = (ms: bigint): string | null => (ms === 0n ? null : new Date(Number(ms)).toISOString());
  return {
    ...{ source: state.sourceName, importId: state.importId, status: state.state },
    ...{ reason: state.failureReason || null, message: state.failure || null, bytes: Number(state.bytesRead) },
    ...{ channels: state.channels, channelsMatched: state.channelsMatched, programmes: state.programmes },
    programmesKept: state.programmesKept,
    findings: state.findings.map(({ code, count, first }) => ({ code, count, first })),
    ...{ createdAt: time(state.createdAtMs), finishedAt: time(state.finishedAtMs) },
  };
}
