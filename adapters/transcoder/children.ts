import { spawn, spawnSync } from "node:child_process";
import { setPriority } from "node:os";
import { Problem, problem } from "#kernel/errors";
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
  readonly onReport?: (report: ReadonlyMap<string, string>) => void;
}

export interface ChildResult {
  readonly stdout: Buffer;
  /** The last bytes that the child wrote to its error output. */
  readonly stderr: string;
  readonly lastReport: ReadonlyMap<string, string>;
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

const STDERR_BYTES_MAX = 32 * 1024;
const STDOUT_BYTES_MAX = 16 * 1024 * 1024;
const REPORT_BYTES_MAX = 4096;
/** Report members that move only while work is being done; the rest (speed, bitrate) change by themselves. */
const SIGNS_OF_WORK = ["frame", "out_time_us", "total_size", "dup_frames", "drop_frames"];

/**
 * `setpriv --pdeathsig KILL` makes the kernel kill the child when this process dies, even by SIGKILL, which no
 * handler here could see. Found once, by running it; other systems go without.
 */
export function detectSpawnGuard(): readonly string[] {
  if (process.platform !== "linux") return [];
  const guard = ["setpriv", "--pdeathsig", "KILL"];
  const tried = spawnSync("setpriv", [...guard.slice(1), "true"], { stdio: "ignore", timeout: 5000 });
  return tried.status === 0 ? guard : [];
}

/** Makes the function that runs every ffmpeg and ffprobe of this adapter: no shell, no input, bounded, killable. */
export function openChildren(options: ChildrenOptions): RunChild {
  return (job) => runChild(job, options);
}

function runChild(job: ChildJob, options: ChildrenOptions): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    if (job.signal?.aborted) return reject(givenUp(job));
    const [command = job.program, ...args] = [...options.spawnGuard, job.program, ...job.args];
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], cwd: job.cwd, windowsHide: true });
    lowerPriority(child.pid, options.niceness);

    const outputBytesMax = job.outputBytesMax ?? STDOUT_BYTES_MAX;
    const kept: Buffer[] = [];
    const reports = readReports(job.onReport);
    let keptBytes = 0;
    let stderr = "";
    let failure: Problem | undefined;
    const stop = (why: Problem): void => {
      failure ??= why;
      child.kill("SIGKILL");
    };
    const watchdog = setTimeout(() => stop(stalled(job, options)), options.stallMsMax);
    const abort = (): void => stop(givenUp(job));
    job.signal?.addEventListener("abort", abort, { once: true });

    child.stdout.on("data", (bytes: Buffer) => {
      if (job.output === "progress") {
        if (reports.push(bytes)) watchdog.refresh();
        return;
      }
      watchdog.refresh();
      keptBytes += bytes.length;
      if (keptBytes > outputBytesMax) stop(tooMuch(job, outputBytesMax));
      else kept.push(bytes);
    });
    child.stderr.on("data", (bytes: Buffer) => {
      stderr = (stderr + bytes.toString("utf8")).slice(-STDERR_BYTES_MAX);
    });
    // A child that stops reading early closes the pipe; its exit code tells the story, not this error.
    child.stdin.on("error", () => undefined);
    child.stdin.end(job.stdin ?? "");

    const settle = (): void => {
      clearTimeout(watchdog);
      job.signal?.removeEventListener("abort", abort);
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      settle();
      reject(
        error.code === "ENOENT"
          ? missingProgram(job.program)
          : problem.internal(`cannot start ${job.program}: ${error.code ?? error.message}`, { cause: error }),
      );
    });
    child.on("close", (code, signalName) => {
      settle();
      if (failure !== undefined) return reject(failure);
      if (code === 0) return resolve({ stdout: Buffer.concat(kept), stderr, lastReport: reports.last() });
      reject(describeFailure({ stderr, code, signalName, program: job.program, subject: job.subject }));
    });
  });
}

/** Priority is a courtesy to the viewer on the same machine; where the system forbids it the work goes on. */
function lowerPriority(pid: number | undefined, niceness: number): void {
  if (pid === undefined || niceness <= 0) return;
  try {
    setPriority(pid, niceness);
  } catch {
    return;
  }
}

/** Reads `key=value` lines; `push` says whether any sign of work moved. */
function readReports(onReport: ChildJob["onReport"]) {
  let rest = "";
  let current = new Map<string, string>();
  let complete: ReadonlyMap<string, string> = new Map();
  return {
    last: () => complete,
    push(bytes: Buffer): boolean {
      let moved = false;
      const lines = (rest + bytes.toString("utf8")).split("\n");
      rest = (lines.pop() ?? "").slice(-REPORT_BYTES_MAX);
      for (const line of lines) {
        const at = line.indexOf("=");
        if (at < 1) continue;
        current.set(line.slice(0, at), line.slice(at + 1).trim());
        if (!line.startsWith("progress=")) continue;
        if (SIGNS_OF_WORK.some((key) => current.get(key) !== complete.get(key))) moved = true;
        complete = current;
        current = new Map();
        onReport?.(complete);
      }
      return moved;
    },
  };
}

const givenUp = (job: ChildJob): Problem => new Problem("canceled", `the work on ${job.subject} was given up`);

const stalled = (job: ChildJob, options: ChildrenOptions): Problem =>
  problem.unsupportedMedia(
    `${job.subject} stopped making progress for ${Math.round(options.stallMsMax / 1000)} s and was given up; ` +
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
