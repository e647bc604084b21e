import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { open, readFile, rm, stat, truncate } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { problem } from "#kernel/errors";
import type { PostgresServer } from "#kernel/ports/postgres";
import { environment, prepareCluster, SETTINGS } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";
import { commandOf, isGoneWithin, signalProcess } from "./processes.ts";
import { DATABASE, ensureRuntimeRole, isCode, OWNER_ROLE, RUNTIME_ROLE, withClient } from "./roles.ts";

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
  /** How many may be connected at once; enough for one product unless said otherwise. */
  readonly connectionsMax?: number;
}

const START_TIMEOUT_MS = 120_000;
const RESTARTS_MAX = 3;
const RESTART_WINDOW_MS = 60_000;
const RETRY_MS = 500;
/** A disk that is full becomes free again, and nobody should have to start the product for it. */
const RARE_RETRY_MS = 10_000;
const LOG_BYTES_MAX = 8 * 1024 * 1024;

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
  const cluster = await prepareCluster(options.folder, options.log);
  let running = (await adopt(cluster, options)) ?? (await launch(cluster, await freePort(), options));
  const { port } = running;
  let failure: string | undefined;
  let stopping = false;
  let settled = Promise.resolve();
  const restartsMs: number[] = [];
  const stopped = new AbortController();
  const rest = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stopped.signal }).catch(() => undefined);
  // A socket of the file system costs half of what one of the network does; a program that does not know the parameter takes the address.
  const host = existsSync(socketOf(cluster.data, port)) ? `?host=${encodeURIComponent(cluster.data)}` : "";
  const urlOf = (role: string, password: string, database: string) =>
    `postgresql://${role}:${password}@127.0.0.1:${port}/${database}${host}`;
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
      const restarts = restartsMs.filter((at) => nowMs - at < RESTART_WINDOW_MS).length;
      if (restarts > RESTARTS_MAX) failure ??= "PostgreSQL keeps ending";
      if (restarts === RESTARTS_MAX + 1)
        options.log(
          `PostgreSQL ended more than ${RESTARTS_MAX} times within a minute and is tried every ${RARE_RETRY_MS / 1_000} s from now on; its last lines:\n${await lastLines(cluster.logPath)}`,
        );
      if (restarts > RESTARTS_MAX) await rest(RARE_RETRY_MS);
      if (stopping) return;
      try {
        running = await launch(cluster, port, options);
        failure = undefined;
        options.log("PostgreSQL runs again");
        watch();
        return;
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
        await rest(RETRY_MS);
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
      stopped.abort();
      clearInterval(trimmer);
      await settled;
      await end(running);
      options.spawnGuard?.remove(running.pid);
    },
  };
}

/** sockaddr_un holds 108 bytes on Linux, 104 elsewhere, its closing zero included. */
const SOCKET_PATH_BYTES_MAX = 103;

/** Where PostgreSQL puts its socket for a port, in the folder of its data, which nobody else may enter. */
const socketOf = (data: string, port: number): string => join(data, `.s.PGSQL.${port}`);

/** Empty, which means none, where the path would be too long. */
const socketFolderOf = (data: string): string =>
  process.platform === "win32" || Buffer.byteLength(socketOf(data, 65_535)) > SOCKET_PATH_BYTES_MAX ? "" : data;

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
async function launch(cluster: Cluster, port: number, { connectionsMax }: EmbeddedPostgresOptions): Promise<Running> {
  const all = {
    ...SETTINGS,
    unix_socket_directories: socketFolderOf(cluster.data),
    ...(connectionsMax === undefined ? {} : { max_connections: String(connectionsMax) }),
  };
  const settings = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const output = await open(cluster.logPath, "a", 0o600);
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
