/**
 * What the system itself says about processes (Linux, /proc): who belongs to a product, and who is still there. Nobody's
 * own word is taken for it, because those that are asked about were killed.
 */
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/** A process number is given again; a number with its beginning is not. */
export interface ProcessId {
  readonly pid: number;
  readonly startedAt: string;
  readonly command: string;
}

interface Seen extends ProcessId {
  readonly parent: number;
  readonly environment: string;
}

/** Every process that descends from `root` or names `folder` on its command line or in its environment. */
export async function processesOf(root: number, folder: string): Promise<ProcessId[]> {
  const all = await everybody();
  const ours = new Set(
    all
      .filter(({ pid, command, environment }) => pid === root || `${command}\0${environment}`.includes(folder))
      .map(({ pid }) => pid),
  );
  // We name the folder ourselves, and are nobody's to kill.
  ours.delete(process.pid);
  for (let before = -1; before !== ours.size; ) {
    before = ours.size;
    for (const { pid, parent } of all) if (ours.has(parent)) ours.add(pid);
  }
  return all.filter(({ pid }) => ours.has(pid)).map(({ pid, startedAt, command }) => ({ pid, startedAt, command }));
}

export async function isAlive({ pid, startedAt }: ProcessId): Promise<boolean> {
  return (await seen(pid))?.startedAt === startedAt;
}

/** Those that are still there when `timeoutMs` have passed, or none. */
export async function remaining(processes: readonly ProcessId[], timeoutMs: number): Promise<ProcessId[]> {
  const untilMs = performance.now() + timeoutMs;
  for (;;) {
    const alive: ProcessId[] = [];
    for (const one of processes) if (await isAlive(one)) alive.push(one);
    if (alive.length === 0 || performance.now() > untilMs) return alive;
    await pause(50);
  }
}

/** Kills by number and beginning, so that a number that was given again is left alone. */
export async function killAll(processes: readonly ProcessId[]): Promise<void> {
  for (const one of processes) {
    if (!(await isAlive(one))) continue;
    try {
      process.kill(one.pid, "SIGKILL");
    } catch {
      // It ended by itself in this moment.
    }
  }
}

async function everybody(): Promise<Seen[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map((pid) => seen(Number(pid))));
  return found.filter((one) => one !== undefined);
}

async function seen(pid: number): Promise<Seen | undefined> {
  const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
  const stat = await read("stat");
  if (stat === "") return undefined;
  // The name before the last bracket may hold spaces and brackets of its own (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z") return undefined;
  const command = (await read("cmdline")).replaceAll("\0", " ").trim();
  return { pid, parent: Number(fields[1]), startedAt: fields[19] ?? "", command, environment: await read("environ") };
}
