import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startGuardian } from "./guardian.ts";

/** Signal 0 asks whether a process is there; one that ended and waits for init to collect it does not count. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !existsSync("/proc/self") || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  for (let tries = 0; tries < 250; tries += 1) {
    if (!isAlive(pid)) return;
    await sleep(20);
  }
  assert.fail(`process ${pid} is still there`);
}

/** A parent in its own process that starts three sleepers, guards two of them, lets one go again, and prints the three numbers. */
const PARENT = `
import { spawn } from "node:child_process";
import { startGuardian } from ${JSON.stringify(new URL("./guardian.ts", import.meta.url).href)};
const guardian = startGuardian();
const pids = [0, 1, 2].map(() => spawn("sleep", ["60"], { stdio: "ignore", detached: true }).pid);
guardian.add(pids[0]);
guardian.add(pids[1], "TERM");
guardian.add(pids[2]);
guardian.remove(pids[2]);
console.log(JSON.stringify(pids));
setInterval(() => {}, 1000);
`;

async function startParent() {
  const parent = spawn(process.execPath, ["--input-type=module", "-e", PARENT], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const [line] = (await once(createInterface(parent.stdout), "line")) as [string];
  const [first, second, released] = JSON.parse(line) as [number, number, number];
  return { parent, first, second, released };
}

test("a parent killed with -9 leaves no guarded child, and one that was let go stays", async () => {
  const { parent, first, second, released } = await startParent();
  try {
    assert.ok(isAlive(first) && isAlive(second) && isAlive(released));
    parent.kill("SIGKILL");
    await untilGone(first);
    await untilGone(second);
    assert.ok(isAlive(released), "the released child must not be signalled");
  } finally {
    process.kill(released, "SIGKILL");
  }
});

test("Ctrl-C of the terminal's process group does not end the guardian", async () => {
  const { parent, first, second, released } = await startParent();
  try {
    // The parent leads its own group; the signal reaches whoever is in it, as a terminal's would.
    process.kill(-(parent.pid ?? 0), "SIGINT");
    await untilGone(first);
    await untilGone(second);
  } finally {
    process.kill(released, "SIGKILL");
  }
});

test("stop signals what is still on the list", async () => {
  const guardian = startGuardian();
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  guardian.add(child.pid ?? 0, "TERM");
  guardian.stop();
  const [, signal] = (await once(child, "exit")) as [number | null, string];
  assert.equal(signal, "SIGTERM");
});

test("process groups and init are refused", () => {
  const guardian = startGuardian();
  for (const pid of [0, 1, -5, 1.5]) assert.throws(() => guardian.add(pid), RangeError);
  guardian.stop();
});
