import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * The command line of a process, or undefined when it does not run. A zombie (ended, not yet collected by its parent)
 * does not run. Slim container images have no `ps`, so Linux is asked through /proc.
 */
export async function commandOf(pid: number): Promise<string | undefined> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return undefined;
  }
  if (process.platform === "linux") {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    // A zombie's command line is empty.
    return line === "" ? undefined : line.replaceAll("\0", " ");
  }
  const { stdout } = await run("ps", ["-o", "stat=,command=", "-p", String(pid)]).catch(() => ({ stdout: "" }));
  const line = stdout.trim();
  return line === "" || line.startsWith("Z") ? undefined : line;
}

/** Whether a process ended within a time. */
export async function isGoneWithin(pid: number, timeoutMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs <= timeoutMs; waitedMs += 20) {
    if ((await commandOf(pid)) === undefined) return true;
    await sleep(20);
  }
  return false;
}

/** Sends a signal; a process that is gone already is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between our look and our signal.
  }
}
