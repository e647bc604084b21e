import { spawn } from "node:child_process";
import { problem } from "#kernel/errors";
import { distribution, findOnPath } from "../scripts/bootstrap/tools.mjs";

const LINES_MAX = 200;

/** Runs a program to its end; its last lines are the error's when it fails. */
export async function runTool(
  program: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<string> {
  const child = spawn(program, args, {
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeoutMs,
  });
  const lines: string[] = [];
  const note = (chunk: Buffer): void => {
    lines.push(...chunk.toString().split("\n"));
    lines.splice(0, lines.length - LINES_MAX);
  };
  child.stdout.on("data", note);
  child.stderr.on("data", note);
  const ended = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(signal ?? String(code)));
  });
  const text = lines.join("\n").trim();
  if (ended !== "0")
    throw problem.precondition(
      `'${program} ${args.join(" ")}' ended with ${ended}:\n${text.split("\n").slice(-8).join("\n")}`,
    );
  return text;
}

/** Where a program of the system is. As root on Debian its package is installed; elsewhere the error says what to type. */
export async function ensureProgram(
  program: string,
  debianPackage: string,
  say: (line: string) => void,
): Promise<string> {
  const found = findOnPath(program);
  if (found !== undefined) return found;
  const isDebian = distribution().some((id) => id === "debian" || id === "ubuntu");
  if (process.getuid?.() !== 0 || !isDebian) {
    throw problem.precondition(
      `${program} is not here: type  sudo apt-get install -y ${debianPackage}  (or install it as your system does), then run the same command again`,
    );
  }
  say(`${program} is missing: apt-get install ${debianPackage}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  await runTool("apt-get", [...wait, "update"], { env, timeoutMs: 300_000 });
  await runTool("apt-get", [...wait, "install", "-y", "--no-install-recommends", debianPackage], {
    env,
    timeoutMs: 600_000,
  });
  const now = findOnPath(program);
  if (now === undefined)
    throw problem.precondition(`apt-get installed ${debianPackage}, but ${program} is still not on PATH`);
  return now;
}
