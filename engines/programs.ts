import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { problem } from "#kernel/errors";

const execute = promisify(execFile);
const INSTALL_TIMEOUT_MS = 10 * 60_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** What brings Java on Debian 12. */
export const JAVA_PACKAGE = "openjdk-17-jre-headless";

/** Where a program is on PATH, or undefined. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter).filter(Boolean)) {
    const file = join(folder, name);
    const isHere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isHere) return file;
  }
  return undefined;
}

/** Finds a program, or installs its Debian package where we may (root on a system with apt), or says what to type. */
export async function ensureProgram(name: string, aptPackage: string, say: (line: string) => void): Promise<string> {
  const here = await findProgram(name);
  if (here !== undefined) return here;
  const apt = await findProgram("apt-get");
  if (apt !== undefined && process.getuid?.() === 0) {
    say(`'${name}' is missing: apt-get install ${aptPackage}`);
    const wait = ["-o", "DPkg::Lock::Timeout=300"];
    const options = { DEBIAN_FRONTEND: "noninteractive" };
    await runProgram(apt, [...wait, "update"], { env: options });
    await runProgram(apt, [...wait, "install", "-y", "--no-install-recommends", aptPackage], { env: options });
    const installed = await findProgram(name);
    if (installed !== undefined) return installed;
  }
  throw problem.precondition(
    `'${name}' is not on PATH: install it (on Debian and Ubuntu: sudo apt-get install ${aptPackage}) and try again`,
  );
}

/** Runs a set-up program to its end; a failure carries its last lines. */
export async function runProgram(
  program: string,
  args: readonly string[],
  {
    cwd,
    env,
    timeoutMs = INSTALL_TIMEOUT_MS,
  }: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly timeoutMs?: number;
  } = {},
): Promise<string> {
  try {
    const { stdout } = await execute(program, [...args], {
      timeout: timeoutMs,
      maxBuffer: OUTPUT_BYTES_MAX,
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    return stdout;
  } catch (cause) {
    const { stdout = "", stderr = "" } = cause as { stdout?: string; stderr?: string };
    const tail = `${stdout}\n${stderr}`.trim().split("\n").slice(-12).join("\n");
    throw problem.unavailable(`'${program} ${args.join(" ")}' failed:\n${tail}`, { cause });
  }
}
