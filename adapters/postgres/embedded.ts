import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, chmod, mkdir, open, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { problem } from "#kernel/errors";
import type { PostgresServer } from "#kernel/ports/postgres";
import { isReachable, locateEngine, SHARED_FOLDER, unprivilegedUser } from "./engine.ts";
import type { Engine, SystemUser } from "./engine.ts";
import { commandOf, isGoneWithin, signalProcess } from "./processes.ts";
import { DATABASE, ensureRuntimeRole, isCode, OWNER_ROLE, RUNTIME_ROLE, withClient } from "./roles.ts";

const run = promisify(execFile);

/** Whoever ends our children when we are killed; the kernel's guardian is one. */
export interface SpawnGuard {
  add(pid: number, signal: "INT"): void;
  remove(pid: number): void;
}

export interface EmbeddedPostgresOptions {
  /** Where everything lies: credentials (0600), the server's log, and the data unless the folder cannot be reached by PostgreSQL's user. */
  readonly folder: string;
  log(line: string): void;
  readonly spawnGuard?: SpawnGuard;
}

/**
 * A server for one machine: small memory, no parallel plans (they help reports, not a service's short queries), no
 * replication, but every commit durable. `synchronous_commit` and `fsync` stay on: kill -9 and power cuts lose nothing acknowledged.
 */
const SETTINGS = {
  unix_socket_directories: "",
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

const START_TIMEOUT_MS = 120_000;
const RESTARTS_MAX = 3;
const RESTART_WINDOW_MS = 60_000;
const LOG_BYTES_MAX = 8 * 1024 * 1024;

interface Credentials {
  readonly ownerPassword: string;
  readonly runtimePassword: string;
}

interface Cluster {
  readonly engine: Engine;
  readonly user: SystemUser | undefined;
  readonly data: string;
  readonly logPath: string;
  readonly credentials: Credentials;
}

/** A running postmaster: our child, or an orphan of a killed predecessor that we adopted. */
interface Running {
  readonly pid: number;
  readonly port: number;
  readonly child: ChildProcess | undefined;
}

/**
 * Opens the PostgreSQL of a data folder: makes it at first, adopts or ends what a killed predecessor left running, restarts
 * it when it dies, and stops it with `stop()`. One product at a time may open a folder; the caller holds that lock.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<PostgresServer> {
  const cluster = await prepare(options);
  let running = (await adopt(cluster, options)) ?? (await launch(cluster, await freePort()));
  const { port } = running;
  let failure: string | undefined;
  let stopping = false;
  let settled = Promise.resolve();
  const restartsMs: number[] = [];
  const urlOf = (role: string, password: string, database: string) =>
    `postgresql://${role}:${password}@127.0.0.1:${port}/${database}`;
  const adminUrl = urlOf(OWNER_ROLE, cluster.credentials.ownerPassword, DATABASE);
  const runtimeUrl = urlOf(RUNTIME_ROLE, cluster.credentials.runtimePassword, DATABASE);

  function watch(): void {
    options.spawnGuard?.add(running.pid, "INT");
    const { pid, child } = running;
    const ended = () => {
      options.spawnGuard?.remove(pid);
      if (!stopping) settled = revive();
    };
    if (child !== undefined) {
      if (child.exitCode !== null || child.signalCode !== null) ended();
      else child.once("exit", ended);
      return;
    }
    // An adopted server is not our child, so nobody tells us when it ends.
    const timer = setInterval(() => {
      void commandOf(pid).then((command) => {
        if (command !== undefined && !stopping) return;
        clearInterval(timer);
        if (command === undefined) ended();
      });
    }, 1000).unref();
  }

  async function revive(): Promise<void> {
    options.log("PostgreSQL ended unexpectedly");
    while (!stopping) {
      const nowMs = performance.now();
      restartsMs.push(nowMs);
      if (restartsMs.filter((at) => nowMs - at < RESTART_WINDOW_MS).length > RESTARTS_MAX) {
        failure ??= "PostgreSQL keeps ending";
        options.log(
          `PostgreSQL ended more than ${RESTARTS_MAX} times within a minute and stays down; its last lines:\n${await lastLines(cluster.logPath)}`,
        );
        return;
      }
      try {
        running = await launch(cluster, port);
        failure = undefined;
        options.log("PostgreSQL runs again");
        watch();
        return;
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
        await sleep(500);
      }
    }
  }

  try {
    await ensureDatabase(urlOf(OWNER_ROLE, cluster.credentials.ownerPassword, "postgres"), adminUrl);
    await withClient(adminUrl, (client) =>
      ensureRuntimeRole(client, RUNTIME_ROLE, cluster.credentials.runtimePassword),
    );
  } catch (error) {
    stopping = true;
    await end(running);
    throw error;
  }
  watch();
  const trimmer = setInterval(() => void trimLog(cluster.logPath), 60_000).unref();

  return {
    adminUrl,
    runtimeUrl,
    async state() {
      if (stopping) return { ok: false, detail: "embedded PostgreSQL is stopped" };
      if (failure !== undefined)
        return { ok: false, detail: `embedded PostgreSQL is down: ${failure}; see ${cluster.logPath}` };
      try {
        const version = await withClient(adminUrl, (client) =>
          client.query<{ server_version: string }>("SHOW server_version"),
        );
        return { ok: true, detail: `embedded PostgreSQL ${version.rows[0]?.server_version ?? ""} on port ${port}` };
      } catch (error) {
        return {
          ok: false,
          detail: `embedded PostgreSQL does not answer: ${error instanceof Error ? error.message : String(error)}; see ${cluster.logPath}`,
        };
      }
    },
    async stop() {
      if (stopping) return;
      stopping = true;
      clearInterval(trimmer);
      await settled;
      await end(running);
      options.spawnGuard?.remove(running.pid);
    },
  };
}

/** Everything that must be there before a server can start: its user, its programs, its folder, its passwords, its data. */
async function prepare(options: EmbeddedPostgresOptions): Promise<Cluster> {
  const user = await unprivilegedUser();
  const engine = await locateEngine(user);
  const folder = resolve(options.folder);
  await mkdir(folder, { recursive: true });
  const home = await homeFor(folder, user, options.log);
  const credentials = await loadCredentials(folder);
  const cluster = { engine, user, data: join(home, "data"), logPath: join(folder, "server.log"), credentials };
  const version = await readFile(join(cluster.data, "PG_VERSION"), "utf8").catch(() => undefined);
  if (version === undefined) {
    options.log("creating the database");
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
  try {
    await run(cluster.engine.initdb, args, {
      cwd: "/",
      env: environment(),
      timeout: START_TIMEOUT_MS,
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

/** What postmaster.pid says: process, port and status, in PostgreSQL's order of lines (miscadmin.h, LOCK_FILE_LINE_*). */
async function readLock(data: string): Promise<{ pid: number; port: number; status: string } | undefined> {
  const text = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split("\n");
  return { pid: Number(lines[0]), port: Number(lines[3]), status: (lines[7] ?? "").trim() };
}

/** The server that a killed predecessor left behind, if it is well; one that is not is ended. */
async function adopt(cluster: Cluster, options: EmbeddedPostgresOptions): Promise<Running | undefined> {
  const lock = await readLock(cluster.data);
  if (lock === undefined) return undefined;
  const command = Number.isSafeInteger(lock.pid) && lock.pid > 1 ? await commandOf(lock.pid) : undefined;
  if (command?.includes(cluster.data) !== true) {
    // The number belongs to nobody or, after a reboot, to a stranger; PostgreSQL itself would refuse to start then.
    await rm(join(cluster.data, "postmaster.pid"), { force: true });
    return undefined;
  }
  const running: Running = { pid: lock.pid, port: lock.port, child: undefined };
  if (lock.status === "ready" && (await isOurs(cluster, lock.port))) {
    options.log(`adopted the PostgreSQL that was still running (process ${lock.pid})`);
    return running;
  }
  options.log(`ending the PostgreSQL that was still running (process ${lock.pid})`);
  await end(running);
  return undefined;
}

async function isOurs(cluster: Cluster, port: number): Promise<boolean> {
  const url = `postgresql://${OWNER_ROLE}:${cluster.credentials.ownerPassword}@127.0.0.1:${port}/postgres`;
  try {
    const shown = await withClient(url, (client) => client.query<{ data_directory: string }>("SHOW data_directory"));
    return shown.rows[0]?.data_directory === cluster.data;
  } catch {
    return false;
  }
}

/** Starts a postmaster in a session of its own, because the terminal's Ctrl-C is for us to answer, and waits until it accepts connections. */
async function launch(cluster: Cluster, port: number): Promise<Running> {
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const output: FileHandle = await open(cluster.logPath, "a", 0o600);
  const before = (await output.stat()).size;
  let child: ChildProcess;
  try {
    // It writes to a file, not to a pipe to us: an orphan's messages must have somewhere to go.
    const stdio = ["ignore", output.fd, output.fd] as const;
    child = spawn(cluster.engine.postgres, ["-D", cluster.data, "-p", String(port), ...settings], {
      cwd: "/",
      env: environment(),
      detached: true,
      stdio: [...stdio],
      ...cluster.user,
    });
  } finally {
    await output.close();
  }
  let spawnError: Error | undefined;
  child.once("error", (error) => {
    spawnError = error;
  });
  child.unref();
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadlineMs) {
    if (spawnError !== undefined) throw problem.unavailable(`PostgreSQL could not be started: ${spawnError.message}`);
    if (child.exitCode !== null || child.signalCode !== null) {
      throw problem.unavailable(
        `PostgreSQL ended while starting (${child.signalCode ?? child.exitCode}); its last lines:\n${await lastLines(cluster.logPath, before)}`,
      );
    }
    const lock = await readLock(cluster.data);
    if (lock?.pid === child.pid && lock?.status === "ready" && child.pid !== undefined)
      return { pid: child.pid, port, child };
    await sleep(10);
  }
  if (child.pid !== undefined) await end({ pid: child.pid, port, child });
  throw problem.unavailable(
    `PostgreSQL was not ready after ${START_TIMEOUT_MS / 1000} s; its last lines:\n${await lastLines(cluster.logPath, before)}`,
  );
}

/** Fast shutdown (connections end, a checkpoint is written), then immediate (the next start recovers from the WAL), then by force. */
async function end(running: Running): Promise<void> {
  for (const [signal, timeoutMs] of [
    ["SIGINT", 10_000],
    ["SIGQUIT", 5_000],
    ["SIGKILL", 2_000],
  ] as const) {
    signalProcess(running.pid, signal);
    if (await isGoneWithin(running.pid, timeoutMs)) return;
  }
}

async function ensureDatabase(serverUrl: string, url: string): Promise<void> {
  try {
    await withClient(url, (client) => client.query("SELECT 1"));
  } catch (error) {
    if (!isCode(error, "3D000")) throw error;
    await withClient(serverUrl, (client) => client.query(`CREATE DATABASE ${DATABASE} OWNER ${OWNER_ROLE}`));
  }
}

/** The environment decides about messages' language and time zone; nothing of ours (secrets among it) is passed on. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

/** A port that is free now. Somebody may take it before PostgreSQL does: then the start fails with a clear message. */
function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolvePort(port));
    });
  });
}

async function lastLines(path: string, from = 0): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.slice(from).trim().split("\n").slice(-12).join("\n");
}

/** PostgreSQL appends, so a log that is cut to nothing goes on from its beginning. */
async function trimLog(path: string): Promise<void> {
  const size = await stat(path).then(
    (info) => info.size,
    () => 0,
  );
  if (size > LOG_BYTES_MAX) await truncate(path, 0).catch(() => undefined);
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
