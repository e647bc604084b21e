import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem, problem, toProblem } from "#kernel";
import { openCinema } from "../simulate/cinema.ts";
import { type Row, runCourse } from "../simulate/course.ts";
import { addPersonas, addTitles, learn, removeAll, type Say } from "../simulate/people.ts";
import { drawCourse, sparkline } from "../simulate/picture.ts";
import { makeWorld, PERSONAS_MAX, TITLES_MAX } from "../simulate/world.ts";
import type { Cli, ExitCode } from "./cli.ts";
import { bar, confirm, duration } from "./terminal.ts";

export interface SimulateOptions {
  readonly personas: string;
  readonly titles: string;
  readonly minutes: string;
  readonly seed: string;
  readonly picture?: string | undefined;
  readonly remove: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

const MINUTES_MAX = 24 * 60;
const SEED_MAX = 2 ** 31 - 1;
/** With fewer, an interval of the lead would say nothing. */
const PERSONAS_MIN = 10;
const TITLES_MIN = 50;
const INTERVALS = 10;

/** `marquee simulate`: viewers with tastes of their own, and how well the homes that the product gives them suit these. */
export async function simulate(cli: Cli, options: SimulateOptions): Promise<ExitCode> {
  if (options.remove) return remove(cli, options);
  const personas = numberIn("--personas", options.personas, PERSONAS_MIN, PERSONAS_MAX);
  const titles = numberIn("--titles", options.titles, TITLES_MIN, TITLES_MAX);
  const minutes = numberIn("--minutes", options.minutes, 0.1, MINUTES_MAX, false);
  const seed = numberIn("--seed", options.seed, 0, SEED_MAX);
  const url = await assertMayBegin(cli, options.yes);
  const { signal, letGo } = interruptible(cli);
  const show = progressOf(cli);
  const say: Say = (...step) => {
    if (signal.aborted)
      throw new Problem("canceled", "ended before anybody watched: --remove takes away what was added");
    show(...step);
  };
  const file = options.picture === undefined ? join(cli.dataFolder, "simulation.svg") : cli.path(options.picture);
  const about = `${personas} personas, ${titles} titles, seed ${seed}`;
  const rows: Row[] = [];
  try {
    const left = await removeAll(cli.client, say);
    if (left.titles + left.accounts > 0) cli.terminal.note("what an earlier simulation left is removed");
    const world = makeWorld({ seed, personas, titles });
    const run = Date.now().toString(36);
    await addTitles(cli.client, run, world, say);
    await addPersonas(cli.client, personas, say);
    // Else the first minute would be that of a product that does not know its titles.
    await learn(cli.client);
    if (!options.json) for (const line of [about, "", HEAD]) cli.terminal.out(line);
    const cinema = openCinema({ client: cli.client, url, run, personas });
    let startedMs = Date.now();
    await runCourse(world, cinema, {
      ...{ seed, intervals: INTERVALS, intervalMs: (minutes * 60_000) / INTERVALS, signal, nowMs: Date.now },
      sleep: (ms) => pause(ms, signal),
      onRow(row) {
        // The time begins after everybody's first look.
        if (rows.push(row) === 1) startedMs = Date.now();
        cli.terminal.out(options.json ? jsonOf(row) : lineOf(row));
      },
      onVisit(watched) {
        const atS = (Date.now() - startedMs) / 1_000;
        cli.terminal.redraw([
          `${bar(atS / (minutes * 60))} ${watched} titles watched, ${duration(minutes * 60 - atS)} left`,
        ]);
      },
    });
  } finally {
    letGo();
    cli.terminal.redraw([]);
    if (rows.length > 0) await write(file, drawCourse(rows, about));
  }
  return conclude(cli, rows, file, options.json);
}

function numberIn(option: string, text: string, min: number, max: number, isWhole = true): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= min && value <= max) || (isWhole && !Number.isInteger(value)))
    throw problem.invalid(
      `${option} '${text.slice(0, 40)}' is not ${isWhole ? "a whole number" : "a number"} from ${min} to ${max}`,
    );
  return value;
}

/** A simulation is for trials: production has no part in it, and what is not the demo may be somebody's. The answer is the product's address. */
async function assertMayBegin({ client, terminal }: Cli, isSure: boolean): Promise<string> {
  const { url, mode, demo } = await client.about();
  if (mode !== "development")
    throw problem.precondition("this product is in production: viewers are simulated on products in development only");
  const question = "This is not the demo: simulated titles would stand in its catalogue. Simulate all the same? [y/N] ";
  if (demo === 1 || isSure) return String(url);
  if (await askOr(terminal, question)) return String(url);
  throw problem.precondition("this is not the demo, and nothing was simulated");
}

async function askOr(terminal: Cli["terminal"], question: string): Promise<boolean> {
  if (!terminal.canAsk)
    throw problem.precondition(
      "this is not the demo: simulated titles would stand in its catalogue; add --yes if they may",
    );
  return confirm(terminal, question);
}

async function remove(cli: Cli, { yes, json }: SimulateOptions): Promise<ExitCode> {
  if (!yes && cli.terminal.canAsk && !(await confirm(cli.terminal, "Remove all simulated titles and accounts? [y/N] ")))
    return 0;
  const gone = await removeAll(cli.client, progressOf(cli));
  cli.terminal.redraw([]);
  if (json) cli.terminal.out(JSON.stringify(gone));
  else
    cli.terminal.out(`${gone.titles} simulated titles and ${gone.accounts} accounts are removed, with what they did`);
  return 0;
}

const progressOf =
  ({ terminal }: Cli): Say =>
  (what, done, of) =>
    terminal.redraw([`${bar(done / of)} ${what}: ${done} of ${of}`]);

/** The first Ctrl-C ends the course, the second one the command. */
function interruptible({ terminal }: Cli): { readonly signal: AbortSignal; letGo(): void } {
  const abort = new AbortController();
  const stop = (): void => {
    if (abort.signal.aborted) process.exit(130);
    terminal.note("ending with what there is; Ctrl-C again ends at once");
    abort.abort();
  };
  process.on("SIGINT", stop);
  return { signal: abort.signal, letGo: () => void process.off("SIGINT", stop) };
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });

const HEAD = "    AT   HOMES  POPULAR  DIFFERENCE (95 %)      ALIKE  TRUE REASONS  WATCHED  FELL BACK";

function lineOf(row: Row): string {
  const { estimate, low, high } = row.difference;
  return [
    duration(row.atS).padStart(6),
    row.home.toFixed(3).padStart(6),
    row.popular.toFixed(3).padStart(7),
    `${estimate.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`.padEnd(22),
    `${(100 * row.alike).toFixed(0)} %`.padStart(4),
    (row.asked === 0 ? "-" : `${((100 * row.withTrueReason) / row.asked).toFixed(0)} % of ${row.asked}`).padStart(12),
    String(row.watched).padStart(7),
    String(row.partial).padStart(9),
    ...(row.failed > 0 ? [`${row.failed} visits failed`] : []),
  ].join("  ");
}

function jsonOf({ difference, ...row }: Row): string {
  const { estimate, low, high } = difference;
  return JSON.stringify({ ...row, difference: estimate, low, high });
}

/** 0 where homes are better than popularity, and 1 where that cannot be said; an interrupted course is judged by its last row. */
function conclude({ terminal }: Cli, rows: readonly Row[], file: string, isJson: boolean): ExitCode {
  const last = rows.at(-1);
  if (!last) throw problem.unavailable("nothing was found: the simulation ended before its first look");
  const isBetter = last.difference.low > 0;
  if (!isJson) {
    const most = Math.max(...rows.map(({ home, popular }) => Math.max(home, popular)));
    terminal.out("");
    terminal.out(
      `homes       ${sparkline(
        rows.map(({ home }) => home),
        most,
      )}`,
    );
    terminal.out(
      `popularity  ${sparkline(
        rows.map(({ popular }) => popular),
        most,
      )}`,
    );
    terminal.out("");
    terminal.out(
      isBetter
        ? `homes suit their personas better than what is popular does, by ${last.difference.estimate.toFixed(3)} (${last.difference.low.toFixed(3)} to ${last.difference.high.toFixed(3)})`
        : "homes do not suit their personas better than what is popular does, or not clearly so",
    );
    terminal.out(
      `two homes have ${(100 * last.alike).toFixed(0)} % of their first 20 titles in common; ${last.withTrueReason} of ${last.asked} tiles name a title that was watched, ${last.withFalseReason} name one that was not`,
    );
  }
  terminal.note(`drawn: ${file}`);
  terminal.note("./marquee simulate --remove takes simulated titles and accounts away again");
  return isBetter ? 0 : 1;
}

async function write(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${process.pid}.part`;
  try {
    await writeFile(unfinished, text);
    await rename(unfinished, file);
  } catch (error) {
    throw problem.invalid(`the picture could not be written to '${file}': ${toProblem(error).message}`, {
      cause: error,
    });
  }
}
