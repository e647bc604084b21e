import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { problem } from "#kernel/errors";
import { startGuardian } from "#kernel/guardian";

/** A real server that stands behind a port in production, as it is installed and run on a developer's machine without containers. */
export interface Engine {
  /** Such as `kafka`. */
  readonly name: string;
  /** One line: which port it serves. */
  readonly what: string;
  /** The engine's own licence, such as `Apache-2.0`. */
  readonly licence: string;
  /** Downloads and installs into `programs`: a pinned version, once; says progress. */
  install(at: EnginePlace): Promise<void>;
  /** The command that runs in the foreground; `uid` and `gid` where it must not be root. */
  command(at: EnginePlace): Promise<EngineCommand>;
  /** Resolves with the engine's own version text when it answers; rejects when it does not yet. */
  health(at: EnginePlace): Promise<string>;
  /** Environment variables of Marquee that point at it. */
  environment(at: EnginePlace): Readonly<Record<string, string>>;
}

export interface EngineCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
}

export interface EnginePlace {
  /** Installed files; shared by all runs. */
  readonly programs: string;
  /** Data and logs of this run. */
  readonly data: string;
  /** The first of up to four consecutive ports. */
  readonly port: number;
  /** Where it listens, when somebody else started it; the loopback otherwise. */
  readonly host?: string;
  readonly say: (line: string) => void;
}

export interface RunningEngine {
  readonly pid: number;
  readonly version: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Asks it to end, and kills it when it does not within ten seconds. */
  stop(): Promise<void>;
  /** As `kill -9`. */
  kill(): Promise<void>;
}

export const PORTS_PER_ENGINE = 4;
/** A JVM on a machine that is busy with other things takes its time. */
const START_TIMEOUT_MS = 180_000;
const HEALTH_TIMEOUT_MS = 5_000;
const STOP_TIMEOUT_MS = 10_000;
const TAIL_LINES = 25;

const logOf = (place: EnginePlace): string => join(place.data, "engine.log");

/** Installs, starts and waits until it answers. It ends with us, however we end. */
export async function startEngine(engine: Engine, place: EnginePlace): Promise<RunningEngine> {
  const child = await spawnEngine(engine, place, false);
  const guardian = startGuardian();
  const pid = pidOf(engine, child);
  guardian.add(pid);
  const gone = once(child, "exit").then(() => {
    guardian.remove(pid);
    guardian.stop();
  });
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(timer);
  };
  try {
    const version = await untilHealthy(engine, place, child);
    return {
      pid,
      version,
      environment: engine.environment(place),
      stop: () => end("SIGTERM"),
      kill: () => end("SIGKILL"),
    };
  } catch (error) {
    await end("SIGKILL");
    throw error;
  }
}

/** Starts an engine that outlives this process, for `npm run engines`. */
export async function launchEngine(
  engine: Engine,
  place: EnginePlace,
): Promise<{ readonly pid: number; readonly version: string }> {
  const child = await spawnEngine(engine, place, true);
  const pid = pidOf(engine, child);
  try {
    const version = await untilHealthy(engine, place, child);
    child.unref();
    return { pid, version };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

async function spawnEngine(engine: Engine, place: EnginePlace, detached: boolean): Promise<ChildProcess> {
  await Promise.all([place.programs, place.data].map((folder) => mkdir(folder, { recursive: true })));
  await engine.install(place);
  const { program, args, env, cwd, uid, gid } = await engine.command(place);
  const log = await open(logOf(place), "a");
  try {
    const child = spawn(program, args, {
      cwd: cwd ?? place.data,
      env: { ...process.env, ...env },
      stdio: ["ignore", log.fd, log.fd],
      detached,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    // A program that cannot be run at all is told by `untilHealthy`, as one that ended.
    child.on("error", (error) => place.say(`${engine.name}: ${error.message}`));
    return child;
  } finally {
    await log.close();
  }
}

function pidOf(engine: Engine, child: ChildProcess): number {
  if (child.pid === undefined)
    throw problem.precondition(`${engine.name} could not be started: its program '${child.spawnfile}' cannot be run`);
  return child.pid;
}

async function untilHealthy(engine: Engine, place: EnginePlace, child: ChildProcess): Promise<string> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  let last: unknown;
  while (performance.now() < deadlineMs) {
    const version = await answerOf(engine, place).catch((error: unknown) => {
      last = error;
      return undefined;
    });
    // Another server on the same port would answer for one that has already given up.
    if (child.exitCode !== null || child.signalCode !== null)
      throw problem.precondition(
        `${engine.name} ended while it started (${child.signalCode ?? `code ${child.exitCode}`}); the end of ${logOf(place)}:\n${await tailOf(place)}`,
      );
    if (version !== undefined) return version;
    await sleep(200);
  }
  throw problem.deadline(
    `${engine.name} did not answer within ${START_TIMEOUT_MS / 1000} s (${last instanceof Error ? last.message : String(last)}); the end of ${logOf(place)}:\n${await tailOf(place)}`,
  );
}

/** What `health` says, or a rejection when it says nothing in time. */
export async function answerOf(engine: Engine, place: EnginePlace): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(problem.deadline(`${engine.name} does not answer`)), HEALTH_TIMEOUT_MS);
  });
  try {
    return await Promise.race([engine.health(place), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function tailOf(place: EnginePlace): Promise<string> {
  const text = await readFile(logOf(place), "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
}

/** The first of so many consecutive ports of the loopback that nobody listens on. */
export async function freePorts(count = PORTS_PER_ENGINE): Promise<number> {
  for (let tries = 0; tries < 50; tries += 1) {
    const first = await portOrNone(0);
    if (first === undefined || first + count > 65_535) continue;
    const next = await Promise.all(Array.from({ length: count - 1 }, (_, index) => portOrNone(first + 1 + index)));
    if (next.every((port) => port !== undefined)) return first;
  }
  throw problem.unavailable(`no ${count} consecutive ports are free on 127.0.0.1`);
}

function portOrNone(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === "object" ? address.port : undefined));
    });
  });
}
