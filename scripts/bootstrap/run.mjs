import { spawn } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { pinnedNode } from "./install.mjs";
import { say } from "./progress.mjs";

/** One Ctrl-C can reach us twice: from the terminal and again from npm, which passes it on. */
const SAME_KEYPRESS_MS = 800;

/**
 * Runs a script on the pinned Node and ends as it ends. Signals are passed on; a second one kills. The child is on a
 * leash (see leash.mjs): when this process is killed without a chance to pass anything on, it stops by itself.
 * @param {{ root: string, script: string, args: string[], ownGroup: boolean, nodeFlags: string[] }} options
 * @returns {Promise<number>} the exit code
 */
export function runUntilDone({ root, script, args, ownGroup, nodeFlags }) {
  const node = pinnedNode(root);
  const leash = pathToFileURL(path.join(root, "scripts/bootstrap/leash.mjs")).href;
  const own = ["--disable-warning=ExperimentalWarning", "--import", leash];
  const child = spawn(node, [...own, ...nodeFlags, script, ...args], {
    stdio: [ownGroup ? "ignore" : "inherit", "inherit", "inherit", "ipc"],
    detached: ownGroup,
    env: {
      ...process.env,
      PATH: [path.dirname(node), process.env.PATH ?? ""].join(path.delimiter),
      // Node keeps what it compiled, and what it made of our TypeScript: half of what a command does before its first line.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? path.join(root, ".cache/compile"),
      MARQUEE_LEASH: `${process.pid}:${ownGroup ? "group" : "self"}`,
    },
  });

  let stoppedAtMs = 0;
  const passOn = (signal) => {
    const nowMs = Date.now();
    if (stoppedAtMs !== 0) {
      if (nowMs - stoppedAtMs < SAME_KEYPRESS_MS) return;
      say("stopping at once");
      killHard(child.pid, ownGroup);
      return;
    }
    stoppedAtMs = nowMs;
    // A child in our own group has had the terminal's Ctrl-C already, and would take a second one for impatience.
    if (signal === "SIGINT" && !ownGroup && process.stdin.isTTY) return;
    child.kill(signal === "SIGHUP" ? "SIGTERM" : signal);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => passOn(signal));

  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (os.constants.signals[signal] ?? 0)));
  });
}

function killHard(pid, ownGroup) {
  if (pid === undefined) return;
  try {
    process.kill(ownGroup ? -pid : pid, "SIGKILL");
  } catch {
    // It ended in the meantime.
  }
}
