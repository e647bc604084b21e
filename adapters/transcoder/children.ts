import { spawnSync } from "node:child_process";
import { Worker } from "node:worker_threads";
import { Problem, problem } from "#kernel/errors";
import type { FromWorker, Report, Start, ToWorker } from "./children-worker.ts";
import { describeFailure, missingProgram } from "./failures.ts";

/** How one child process ends up being fed, watched and understood. */
export interface ChildJob {
  readonly program: string;
  readonly args: readonly string[];
  /** What error texts call the input; never the whole command line, which could carry a person's folder names. */
  readonly subject: string;
  readonly signal?: AbortSignal | undefined;
  readonly stdin?: string;
  readonly cwd?: string;
  /** Standard output is either kept (bounded), or read line by line as ffmpeg's `-progress` report. */
  readonly output: "keep" | "progress";
  readonly outputBytesMax?: number;
  readonly onReport?: (report: Report) => void;
}

export interface ChildResult {
  readonly stdout: Buffer;
  /** The last bytes that the child wrote to its error output. */
  readonly stderr: string;
  readonly lastReport: Report;
}

export interface ChildrenOptions {
  /** 0 (normal) to 19 (most polite). */
  readonly niceness: number;
  /** A child that shows no sign of work for so long is killed. */
  readonly stallMsMax: number;
  /** A command that is put before the program so that it dies with this process; empty for none. */
  readonly spawnGuard: readonly string[];
}

export type RunChild = (job: ChildJob) => Promise<ChildResult>;

const STDOUT_BYTES_MAX = 16 * 1024 * 1024;

/**
 * What is put before a program, each part only where this system has it, found once, by running it. `setpriv --pdeathsig KILL` makes
 * the kernel kill the child when this process dies, even by SIGKILL, which no handler here could see. `chrt --idle` gives it
 * only what nobody else wants: a nice process still holds a core for some milliseconds while a viewer's request waits.
 */
export function detectSpawnGuard({ isIdle }: { readonly isIdle: boolean }): readonly string[] {
  if (process.platform !== "linux") return [];
  const parts = [["setpriv", "--pdeathsig", "KILL"], ...(isIdle ? [["chrt", "--idle", "0"]] : [])];
  return parts.filter(([program = "", ...args]) => works(program, [...args, "true"])).flat();
}

const works = (program: string, args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: "ignore", timeout: 5_000 }).status === 0;

/** Makes the function that runs every ffmpeg and ffprobe of this adapter: no shell, no input, bounded, killable. */
export function openChildren({ niceness, stallMsMax, spawnGuard }: ChildrenOptions): RunChild {
  return async (job) => {
    if (job.signal?.aborted) throw givenUp(job);
    const outputBytesMax = job.outputBytesMax ?? STDOUT_BYTES_MAX;
    const ended = await runInWorker(
      {
        command: [...spawnGuard, job.program, ...job.args],
        cwd: job.cwd,
        stdin: job.stdin ?? "",
        niceness,
        stallMsMax,
        output: job.output,
        outputBytesMax,
      },
      job,
    );
    if (ended.type === "not_started") {
      if (ended.code === "ENOENT") throw missingProgram(job.program);
      throw problem.internal(`cannot start ${job.program}: ${ended.code}`);
    }
    const { code, signalName, killed, stderr, lastReport } = ended;
    if (killed === "asked") throw givenUp(job);
    if (killed === "stalled") throw stalled(job, stallMsMax);
    if (killed === "too_much") throw tooMuch(job, outputBytesMax);
    if (code !== 0) throw describeFailure({ stderr, code, signalName, program: job.program, subject: job.subject });
    return { stdout: Buffer.from(ended.stdout.buffer), stderr, lastReport };
  };
}

type Ended = Exclude<FromWorker, { readonly type: "report" }>;

interface Running {
  readonly on: Worker;
  readonly onReport: ((report: Report) => void) | undefined;
  resolve(ended: Ended): void;
  reject(error: unknown): void;
}

/** One worker a process, begun with the first program. It keeps the process alive only while a program runs. */
let worker: Worker | undefined;
let lastId = 0;
const running = new Map<number, Running>();

function runInWorker(start: Omit<Start, "type" | "id">, { signal, onReport }: ChildJob): Promise<Ended> {
  const id = ++lastId;
  worker ??= openWorker();
  const to = worker;
  const send = (message: ToWorker): void => to.postMessage(message);
  const kill = (): void => send({ type: "kill", id });
  return new Promise<Ended>((resolve, reject) => {
    running.set(id, { on: to, onReport, resolve, reject });
    to.ref();
    signal?.addEventListener("abort", kill, { once: true });
    send({ type: "start", id, ...start });
  }).finally(() => {
    signal?.removeEventListener("abort", kill);
    running.delete(id);
    if (running.size === 0) to.unref();
  });
}

function openWorker(): Worker {
  // Our own flags (an inspector, --input-type) are not the worker's.
  const opened = new Worker(new URL("./children-worker.ts", import.meta.url), { name: "children", execArgv: [] });
  opened.on("message", (message: FromWorker) => {
    const run = running.get(message.id);
    if (message.type === "report") run?.onReport?.(message.report);
    else run?.resolve(message);
  });
  const fail = (error: Error): void => {
    if (worker === opened) worker = undefined;
    for (const run of running.values())
      if (run.on === opened) run.reject(problem.internal("the worker that starts programs ended", { cause: error }));
  };
  opened.on("error", fail);
  opened.on("exit", (code) => fail(new Error(`it exited with ${code}`)));
  return opened;
}

const givenUp = (job: ChildJob): Problem => new Problem("canceled", `the work on ${job.subject} was given up`);

const stalled = (job: ChildJob, stallMsMax: number): Problem =>
  problem.unsupportedMedia(
    `${job.subject} stopped making progress for ${Math.round(stallMsMax / 1_000)} s and was given up; ` +
      "the file is probably damaged: export it again from its source",
    { reason: "media_stalled" },
  );

const tooMuch = (job: ChildJob, bytesMax: number): Problem =>
  problem.unsupportedMedia(
    `${job.subject} made ${job.program} say more than ${bytesMax} bytes; the file is not a sane video`,
    {
      reason: "media_too_large",
    },
  );
