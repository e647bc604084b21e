import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { childEnvironment } from "#kernel/child-environment";
import { Problem, problem } from "#kernel/errors";
import type { FromServer, Report, Start, ToServer } from "./children-server.ts";
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
    const ended = await runInServer(
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
    return {
      stdout: Buffer.from(ended.stdout.buffer, ended.stdout.byteOffset, ended.stdout.byteLength),
      stderr,
      lastReport,
    };
  };
}

type Ended = Exclude<FromServer, { readonly type: "report" }>;

interface Running {
  readonly on: ChildProcess;
  readonly onReport: ((report: Report) => void) | undefined;
  resolve(ended: Ended): void;
  reject(error: unknown): void;
}

/** One a process, begun with the first program. It keeps us alive only while a program runs. */
let server: ChildProcess | undefined;
let lastId = 0;
const running = new Map<number, Running>();

function runInServer(start: Omit<Start, "type" | "id">, { signal, onReport }: ChildJob): Promise<Ended> {
  const id = ++lastId;
  server ??= openServer();
  const to = server;
  const send = (message: ToServer): void => {
    // Without a callback the failure would be an "error" event; whoever ended says so by "exit".
    to.send(message, () => undefined);
  };
  const kill = (): void => send({ type: "kill", id });
  return new Promise<Ended>((resolve, reject) => {
    running.set(id, { on: to, onReport, resolve, reject });
    to.channel?.ref();
    signal?.addEventListener("abort", kill, { once: true });
    send({ type: "start", id, ...start });
  }).finally(() => {
    signal?.removeEventListener("abort", kill);
    running.delete(id);
    if (running.size === 0) to.channel?.unref();
  });
}

function openServer(): ChildProcess {
  // Programs of others run in its environment, so it has none of the product's secrets; our own flags (an inspector, --input-type) are not its.
  const opened = fork(new URL("./children-server.ts", import.meta.url), {
    execArgv: [],
    serialization: "advanced",
    env: childEnvironment(),
  });
  opened.unref();
  opened.on("message", (message: FromServer) => {
    const run = running.get(message.id);
    if (message.type === "report") run?.onReport?.(message.report);
    else run?.resolve(message);
  });
  const fail = (why: string): void => {
    if (server === opened) server = undefined;
    for (const run of running.values())
      if (run.on === opened) run.reject(problem.unavailable(`the process that starts programs ended: ${why}`));
  };
  opened.on("error", (error) => fail(error.message));
  opened.on("exit", (code, signalName) => fail(`it exited with ${signalName ?? code}`));
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
