/** What runs on this machine, from /proc: so that a test can say that a stopped product left nothing behind. */
import { readdir, readFile } from "node:fs/promises";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** When it began, in ticks since the machine did. Numbers are given again, a number with its beginning is not. */
  readonly startTicks: string;
  readonly command: string;
}

async function readProcess(pid: number): Promise<Process | null> {
  try {
    const [stat, command] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile(`/proc/${pid}/cmdline`, "utf8"),
    ]);
    // The name in parentheses may contain anything, also parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state = "", parent = "", , session = ""] = fields;
    if (state === "Z") return null;
    return {
      pid,
      parent: Number(parent),
      session: Number(session),
      startTicks: fields[19] ?? "",
      command: command.replaceAll("\0", " ").trim(),
    };
  } catch {
    return null;
  }
}

export async function allProcesses(): Promise<Process[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  return (await Promise.all(pids.map(readProcess))).filter((found) => found !== null);
}

/** A process and everything below it. */
export function treeOf(root: number, processes: readonly Process[]): Process[] {
  const found = processes.filter(({ pid }) => pid === root);
  for (const { pid } of found) found.push(...processes.filter(({ parent }) => parent === pid));
  return found;
}

const isSame = (a: Process, b: Process): boolean => a.pid === b.pid && a.startTicks === b.startTicks;

/**
 * Watches what a process starts. Whoever was once seen below it counts as its own, also when its parent died and another
 * one took it over; so does whoever is in its session or names its folder.
 */
export function watchProcesses(root: number, folder: string, intervalMs = 500) {
  const known = new Map<string, Process>();
  async function look(): Promise<Process[]> {
    const all = await allProcesses();
    for (const own of treeOf(root, all)) known.set(`${own.pid}/${own.startTicks}`, own);
    return all.filter(
      (one) =>
        one.pid !== process.pid &&
        (one.session === root || one.command.includes(folder) || [...known.values()].some((own) => isSame(own, one))),
    );
  }
  const timer = setInterval(() => void look(), intervalMs);
  timer.unref();
  return {
    /** What of it runs now. */
    living: look,
    stop: () => clearInterval(timer),
  };
}
