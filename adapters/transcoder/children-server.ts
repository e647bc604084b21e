/**
 * The process that starts programs. To start one, a process is copied, map of its memory included: of the product, which is large, that takes tens of
 * milliseconds, in which it cannot touch new memory, and each page that it writes afterwards costs a fault. This one is small. It knows nothing of what
 * programs mean: it bounds what they say, watches that they go on, and tells how they ended.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { setPriority } from "node:os";

export interface Start {
  readonly type: "start";
  readonly id: number;
  /** The program and its arguments, with what is put before it. */
  readonly command: readonly string[];
  readonly cwd: string | undefined;
  readonly stdin: string;
  readonly niceness: number;
  readonly stallMsMax: number;
  /** Standard output is either kept, or read line by line as ffmpeg's `-progress` report. */
  readonly output: "keep" | "progress";
  readonly outputBytesMax: number;
}
export type ToServer = Start | { readonly type: "kill"; readonly id: number };

export type Report = ReadonlyMap<string, string>;
/** How a program ended: by itself, killed by us (and why), or never begun. */
export type Ending =
  | {
      readonly type: "closed";
      readonly code: number | null;
      readonly signalName: NodeJS.Signals | null;
      readonly killed: "asked" | "stalled" | "too_much" | null;
      readonly stdout: Uint8Array;
      /** The last bytes that it wrote to its error output. */
      readonly stderr: string;
      readonly lastReport: Report;
    }
  | { readonly type: "not_started"; readonly code: string };
export type FromServer = { readonly id: number } & ({ readonly type: "report"; readonly report: Report } | Ending);

const STDERR_BYTES_MAX = 32 * 1024;
const REPORT_BYTES_MAX = 4096;
/** Report members that move only while work is being done; the rest (speed, bitrate) change by themselves. */
const SIGNS_OF_WORK = ["frame", "out_time_us", "total_size", "dup_frames", "drop_frames"];

if (!process.send) throw new Error("this module runs as a process of its own");
const send = process.send.bind(process);
const kills = new Map<number, () => void>();

process.on("message", (message: ToServer) => {
  if (message.type === "kill") kills.get(message.id)?.();
  else begin(message);
});
// The terminal's Ctrl-C is for the product to answer. When that is gone, however it went, so are we, and what we started.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => {
  for (const kill of kills.values()) kill();
  process.exit();
});

function begin({ id, command, cwd, stdin, niceness, stallMsMax, output, outputBytesMax }: Start): void {
  const say = (what: Ending | { readonly type: "report"; readonly report: Report }): void =>
    void send({ id, ...what } satisfies FromServer);
  const [program = "", ...args] = command;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], cwd, windowsHide: true });
  lowerPriority(child, niceness);
  const kept: Buffer[] = [];
  const reports = readReports((report) => say({ type: "report", report }));
  let keptBytes = 0;
  let stderr = "";
  let killed: "asked" | "stalled" | "too_much" | null = null;
  const kill = (why: NonNullable<typeof killed>): void => {
    killed ??= why;
    child.kill("SIGKILL");
  };
  const watchdog = setTimeout(() => kill("stalled"), stallMsMax);
  kills.set(id, () => kill("asked"));
  const settle = (): void => {
    clearTimeout(watchdog);
    kills.delete(id);
  };

  child.stdout.on("data", (bytes: Buffer) => {
    if (output === "progress") {
      if (reports.push(bytes)) watchdog.refresh();
      return;
    }
    watchdog.refresh();
    keptBytes += bytes.length;
    if (keptBytes > outputBytesMax) kill("too_much");
    else kept.push(bytes);
  });
  child.stderr.on("data", (bytes: Buffer) => {
    stderr = (stderr + bytes.toString("utf8")).slice(-STDERR_BYTES_MAX);
  });
  // A child that stops reading early closes the pipe; its exit code tells the story, not this error.
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  child.on("error", (error: NodeJS.ErrnoException) => {
    settle();
    say({ type: "not_started", code: error.code ?? error.message });
  });
  child.on("close", (code, signalName) => {
    settle();
    say({ type: "closed", code, signalName, killed, stdout: Buffer.concat(kept), stderr, lastReport: reports.last() });
  });
}

/** Priority is a courtesy to the viewer on the same machine; where the system forbids it the work goes on. */
function lowerPriority({ pid }: ChildProcess, niceness: number): void {
  if (pid === undefined || niceness <= 0) return;
  try {
    setPriority(pid, niceness);
  } catch {
    return;
  }
}

/** Reads `key=value` lines; `push` says whether any sign of work moved. */
function readReports(onReport: (report: Report) => void) {
  let rest = "";
  let current = new Map<string, string>();
  let complete: Report = new Map();
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
        onReport(complete);
      }
      return moved;
    },
  };
}
