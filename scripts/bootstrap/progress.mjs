import { spawn } from "node:child_process";

const TAIL_LINES_MAX = 400;
const STILL_AT_IT_MS = 10_000;

/** An end that the person can do something about: what failed, and the remedy. */
export class Stop extends Error {
  /** @param {string} message @param {string} [remedy] */
  constructor(message, remedy) {
    super(message);
    this.remedy = remedy;
  }
}

/** Progress goes to stderr, so that what a command prints for programs stays clean. @param {string} line */
export function say(line) {
  process.stderr.write(`marquee: ${line}\n`);
}

/**
 * Runs a set-up command quietly, says now and then that it is still at it, and returns its last lines.
 * @param {string} what for the progress lines, such as "npm ci"
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs: number, shell?: boolean }} options
 * @returns {Promise<{ ok: boolean, tail: string }>}
 */
export function runQuietly(what, command, args, { cwd, env, timeoutMs, shell = false }) {
  return new Promise((resolve) => {
    const startedMs = Date.now();
    const lines = [];
    const child = spawn(command, args, { cwd, env, shell, stdio: ["ignore", "pipe", "pipe"] });
    const note = (chunk) => {
      lines.push(
        ...String(chunk)
          .split("\n")
          .filter((line) => line.trim() !== ""),
      );
      lines.splice(0, lines.length - TAIL_LINES_MAX);
    };
    child.stdout.on("data", note);
    child.stderr.on("data", note);
    const ticker = setInterval(
      () => say(`${what}: ${Math.round((Date.now() - startedMs) / 1000)} s …`),
      STILL_AT_IT_MS,
    );
    const deadline = setTimeout(() => {
      note(`${what} took longer than ${timeoutMs / 60_000} minutes and was stopped`);
      child.kill("SIGTERM");
    }, timeoutMs);
    const finish = (ok) => {
      clearInterval(ticker);
      clearTimeout(deadline);
      resolve({ ok, tail: lines.join("\n") });
    };
    child.once("error", (error) => {
      note(error.message);
      finish(false);
    });
    child.once("close", (code) => finish(code === 0));
  });
}
