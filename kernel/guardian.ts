import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";

/**
 * The guardian ends our child processes when we cannot: after kill -9 nobody runs our exit handlers. It is one
 * /bin/sh that holds the reading end of a pipe whose writing end only we hold. The kernel closes that end however we
 * die, `read` then fails, and the guardian signals whoever is still on its list. It works wherever there is a POSIX
 * shell; it needs no polling and under 1 MB.
 */
export interface Guardian {
  /** Signals `pid` when this process is gone. KILL unless said otherwise. */
  add(pid: number, signal?: GuardianSignal): void;
  /** Call it as soon as the child ended, because the system gives its number to somebody else later. */
  remove(pid: number): void;
  /** Ends the guardian; a child that is still on the list is signalled, since nobody would own it any more. */
  stop(): void;
}

export type GuardianSignal = "KILL" | "QUIT" | "INT" | "TERM";

/** It runs in a session of its own and ignores what the terminal sends to the process group. `read` takes one byte at a time, so no line is lost in a buffer. */
const SCRIPT = `
trap '' INT TERM QUIT HUP
list=''
while read -r verb pid signal; do
  rest=''
  for entry in $list; do
    [ "\${entry%%:*}" = "$pid" ] || rest="$rest $entry"
  done
  list="$rest"
  [ "$verb" = add ] && list="$list $pid:$signal"
done
for entry in $list; do
  kill -s "\${entry#*:}" "\${entry%%:*}" 2>/dev/null
done
exit 0
`;

/** A shell that keeps dying is not worth fighting for: something on this machine does not want it. */
const RESTARTS_MAX = 5;

/** Starts the guardian at once, so that no child is ever without one. */
export function startGuardian(): Guardian {
  const list = new Map<number, GuardianSignal>();
  let stopped = false;
  let restarts = 0;
  let shell = launch();

  function launch(): ChildProcess {
    const child = spawn("/bin/sh", ["-c", SCRIPT], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      cwd: "/",
      env: {},
    });
    // The guardian must not keep us alive, and a write to one that just died is answered by `exit` below.
    child.unref();
    const pipe = child.stdin;
    pipe?.on("error", () => undefined);
    if (pipe !== null && "unref" in pipe && typeof pipe.unref === "function") pipe.unref();
    child.on("error", () => undefined);
    child.on("exit", () => {
      if (stopped || restarts >= RESTARTS_MAX) return;
      restarts += 1;
      shell = launch();
      for (const [pid, signal] of list) tell(`add ${pid} ${signal}`);
    });
    return child;
  }

  function tell(line: string): void {
    shell.stdin?.write(`${line}\n`);
  }

  return {
    add(pid, signal = "KILL") {
      // 0, 1 and negative numbers mean "my group", "init" and "that group" to kill(1).
      if (!Number.isSafeInteger(pid) || pid <= 1)
        throw new RangeError(`the guardian cannot watch process ${pid}: a process id above 1 is needed`);
      list.set(pid, signal);
      tell(`add ${pid} ${signal}`);
    },
    remove(pid) {
      if (list.delete(pid)) tell(`del ${pid} -`);
    },
    stop() {
      stopped = true;
      list.clear();
      shell.stdin?.end();
    },
  };
}
