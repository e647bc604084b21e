import { Catalog } from "#contracts/catalog";
import { Encoding, type Encoding as EncodingState } from "#contracts/encoding";
import { Ingest, type Ingest as IngestState } from "#contracts/ingest";
import type { Cli, ExitCode } from "./cli.ts";
import { bar, duration, plain, table } from "./terminal.ts";

const LIMIT = 100;
const WATCH_MS = 1_000;

interface Job {
  readonly contentId: string;
  readonly name: string;
  readonly state: string;
  readonly progress: number;
  readonly leftS: number;
  readonly rungs: string;
  readonly failure: string;
}

interface Jobs {
  readonly jobs: readonly Job[];
  /** Pieces of work, of which a title has many. */
  readonly queued: number;
  readonly active: number;
}

/** `marquee jobs`: what is being taken in and encoded, newest first; with --watch until Ctrl-C. */
export async function showJobs(
  cli: Cli,
  options: { readonly watch: boolean; readonly json: boolean },
): Promise<ExitCode> {
  if (!options.watch) {
    await print(cli, options.json);
    return 0;
  }
  for (;;) {
    if (cli.terminal.isScreen && !options.json) {
      const found = await readJobs(cli);
      cli.terminal.redraw(["", ...lines(found, cli.terminal.columns), "", "Ctrl-C ends this view; the work goes on."]);
    } else await print(cli, options.json);
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
  }
}

async function print(cli: Cli, json: boolean): Promise<void> {
  const found = await readJobs(cli);
  if (!json) for (const line of lines(found, cli.terminal.columns)) cli.terminal.out(line);
  else {
    for (const job of found.jobs) cli.terminal.out(JSON.stringify(job));
    const { queued, active } = found;
    const failed = found.jobs.filter(({ state }) => state === "failed").length;
    cli.terminal.out(JSON.stringify({ queued, active, failed }));
  }
}

async function readJobs(cli: Cli): Promise<Jobs> {
  const [{ encodings, queued, active }, { ingests }] = await Promise.all([
    cli.client.of(Encoding).list({ limit: LIMIT }),
    cli.client.of(Ingest).list({ limit: LIMIT }),
  ]);
  const ids = [...new Set(encodings.map(({ contentId }) => contentId))];
  const { titles } = ids.length === 0 ? { titles: [] } : await cli.client.of(Catalog).getMany({ ids });
  const names = new Map(titles.map(({ id, title }) => [id, title]));
  return { jobs: jobsOf(ingests, encodings, names), queued, active };
}

/** What ingest still works on or refused, then what is encoded. A content is listed once. */
export function jobsOf(
  ingests: readonly IngestState[],
  encodings: readonly EncodingState[],
  names: ReadonlyMap<string, string>,
): Job[] {
  const known = new Set(encodings.map(({ contentId }) => contentId));
  const taking = ingests
    .filter(({ contentId, state }) => !known.has(contentId) && state !== "accepted")
    .map(({ contentId, fileName, state, failure }) => ({
      contentId,
      name: fileName,
      state,
      progress: 0,
      leftS: 0,
      rungs: "",
      failure,
    }));
  const making = encodings.map((encoding) => ({
    contentId: encoding.contentId,
    name: names.get(encoding.contentId) ?? "",
    state: encoding.state,
    progress: encoding.progress,
    leftS: encoding.leftS,
    rungs: `${encoding.rungs.filter((rung) => rung.packaged).length}/${encoding.rungs.length}`,
    failure: encoding.failure,
  }));
  return [...taking, ...making];
}

function lines({ jobs, queued, active }: Jobs, columns: number): string[] {
  if (jobs.length === 0) return ["Nothing was imported yet: ./marquee import FILE"];
  const rows = jobs.map((job) => [
    job.contentId,
    job.name,
    job.state,
    job.state === "failed" ? "" : bar(job.progress, 16),
    job.leftS > 0 && job.progress < 1 ? duration(job.leftS) : "",
    job.rungs,
  ]);
  const broken = jobs.filter(({ state }) => state === "failed");
  // Reasons are sentences: they get lines of their own, and no column is cut for them.
  const reasons = broken.map(({ contentId, failure }) => `${contentId} failed: ${plain(failure)}`);
  const summary = `${active} pieces at work, ${queued} waiting, ${broken.length} titles failed`;
  return [
    ...table(["ID", "TITLE", "STATE", "PROGRESS", "LEFT", "RUNGS"], rows, columns),
    ...(reasons.length === 0 ? [] : ["", ...reasons]),
    "",
    summary,
  ];
}

/** `marquee retry`: whichever of the two steps failed is tried again, from where it stopped. */
export async function retry(cli: Cli, contentIds: readonly string[]): Promise<ExitCode> {
  for (const contentId of contentIds) {
    const { encodings } = await cli.client.of(Encoding).getMany({ contentIds: [contentId] });
    if (encodings.length > 0) await cli.client.of(Encoding).retry({ contentId });
    else await cli.client.of(Ingest).retry({ contentId });
    cli.terminal.out(`${contentId}: being tried again; ./marquee jobs shows how far it is`);
  }
  return 0;
}

/** `marquee repackage`: new keys and a new revision without encoding. The old package plays on for those who have it open. */
export async function repackage(cli: Cli, contentIds: readonly string[]): Promise<ExitCode> {
  for (const contentId of contentIds) {
    const { packageRevision } = await cli.client.of(Encoding).repackage({ contentId });
    cli.terminal.out(`${contentId}: revision ${packageRevision} is being packaged under new keys`);
  }
  return 0;
}
