import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmod, chown, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { problem } from "#kernel/errors";
import { isReachable, locateEngine, SHARED_FOLDER, unprivilegedUser } from "./engine.ts";
import type { Engine, SystemUser } from "./engine.ts";
import { OWNER_ROLE } from "./roles.ts";

const run = promisify(execFile);
const INIT_TIMEOUT_MS = 120_000;

/**
 * A server for one machine: small memory, no parallel plans (they help reports, not a service's short queries), no
 * replication, but every commit durable. `synchronous_commit` and `fsync` stay on: kill -9 and power cuts lose nothing acknowledged.
 */
export const SETTINGS = {
  listen_addresses: "127.0.0.1",
  max_connections: "60",
  shared_buffers: "64MB",
  effective_cache_size: "256MB",
  work_mem: "4MB",
  maintenance_work_mem: "32MB",
  huge_pages: "off",
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_wal_size: "512MB",
  min_wal_size: "80MB",
  wal_compression: "on",
  checkpoint_timeout: "15min",
  random_page_cost: "1.1",
  jit: "off",
  io_method: "sync",
  max_worker_processes: "2",
  max_parallel_workers: "0",
  max_parallel_workers_per_gather: "0",
  max_logical_replication_workers: "0",
  autovacuum_max_workers: "2",
  autovacuum_naptime: "30s",
  // A service that dies in the middle of a transaction must not hold its locks for ever.
  idle_in_transaction_session_timeout: "60s",
  tcp_keepalives_idle: "30",
  password_encryption: "scram-sha-256",
  TimeZone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "%m [%p] %q%u ",
  // Statements in the log would carry values, and values are personal.
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
} as const;

interface Credentials {
  readonly ownerPassword: string;
  readonly runtimePassword: string;
}

export interface Cluster {
  readonly engine: Engine;
  readonly user: SystemUser | undefined;
  readonly data: string;
  readonly logPath: string;
  readonly credentials: Credentials;
}

/** Everything that must be there before a server can start: its user, its programs, its folder, its passwords, its data. */
export async function prepareCluster(givenFolder: string, log: (line: string) => void): Promise<Cluster> {
  const user = await unprivilegedUser();
  const engine = await locateEngine(user);
  const folder = resolve(givenFolder);
  await mkdir(folder, { recursive: true });
  const home = await homeFor(folder, user, log);
  const credentials = await loadCredentials(folder);
  const cluster = { engine, user, data: join(home, "data"), logPath: join(folder, "server.log"), credentials };
  const version = await readFile(join(cluster.data, "PG_VERSION"), "utf8").catch(() => undefined);
  if (version === undefined) {
    log("creating the database");
    await createCluster(cluster, home);
  } else if (Number(version.trim()) !== engine.major) {
    throw problem.precondition(
      `the data in ${cluster.data} belongs to PostgreSQL ${version.trim()}, and this program carries ${engine.major}: dump it with the older release, move the folder away and restore it here`,
    );
  }
  return cluster;
}

/** The folder that holds the data: the given one, or when we are root and PostgreSQL's user cannot reach it, one below SHARED_FOLDER. */
async function homeFor(folder: string, user: SystemUser | undefined, log: (line: string) => void): Promise<string> {
  if (user === undefined) return folder;
  const note = join(folder, "moved-to.txt");
  const moved = (await readFile(note, "utf8").catch(() => "")).trim();
  if (moved !== "") return moved;
  const { mode } = await stat(folder);
  await chmod(folder, mode | 0o011);
  if (await isReachable(folder, user)) return folder;
  const home = join(SHARED_FOLDER, `postgres-${createHash("sha256").update(folder).digest("hex").slice(0, 16)}`);
  await mkdir(home, { recursive: true, mode: 0o755 });
  await writeDurably(note, `${home}\n`, 0o644);
  log(`PostgreSQL does not run as root and its user cannot enter ${folder}: its data lie in ${home}`);
  return home;
}

async function loadCredentials(folder: string): Promise<Credentials> {
  const path = join(folder, "credentials.json");
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text !== undefined) {
    const value = JSON.parse(text) as Partial<Credentials>;
    if (typeof value.ownerPassword === "string" && typeof value.runtimePassword === "string") {
      return { ownerPassword: value.ownerPassword, runtimePassword: value.runtimePassword };
    }
    throw problem.precondition(`${path} is damaged: restore it from a backup, or move the folder away to begin anew`);
  }
  // Hexadecimal digits need no escaping in a URL.
  const made = { ownerPassword: randomBytes(24).toString("hex"), runtimePassword: randomBytes(24).toString("hex") };
  await writeDurably(path, JSON.stringify(made), 0o600);
  return made;
}

/** `initdb` writes to a draft that gets its name when it is whole and synced, so that a kill in the middle leaves nothing to repair. */
async function createCluster(cluster: Cluster, home: string): Promise<void> {
  const draft = join(home, "draft");
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  const passwordPath = join(draft, "password");
  const data = join(draft, "data");
  await writeFile(passwordPath, `${cluster.credentials.ownerPassword}\n`, { mode: 0o600 });
  if (cluster.user !== undefined)
    for (const path of [draft, passwordPath]) await chown(path, cluster.user.uid, cluster.user.gid);
  // The builtin provider sorts by code point the same way on every system, and skips the search for locales.
  const args = ["-D", data, "-U", OWNER_ROLE, `--pwfile=${passwordPath}`, "--auth=scram-sha-256", "--encoding=UTF8"];
  args.push("--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions");
  // A new segment is filled with zeros and synced: in small ones, so that commits elsewhere do not wait for 16 MB of them.
  args.push("--wal-segsize=1");
  try {
    await run(cluster.engine.initdb, args, {
      cwd: "/",
      env: environment(),
      timeout: INIT_TIMEOUT_MS,
      ...cluster.user,
    });
  } catch (error) {
    const text = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
    await rm(draft, { recursive: true, force: true });
    throw problem.unavailable(
      `PostgreSQL could not create its data in ${home}: ${text.split("\n").slice(-6).join("\n")}`,
    );
  }
  await rename(data, cluster.data);
  await syncFolder(home);
  await rm(draft, { recursive: true, force: true });
}

/** The environment decides about messages' language and time zone; nothing of ours (secrets among it) is passed on. */
export function environment(): NodeJS.ProcessEnv {
  return { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.draft`;
  const file = await open(draft, "w", mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  await syncFolder(join(path, ".."));
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
