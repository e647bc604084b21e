import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import type { ClickHouseClient } from "@clickhouse/client";
import { childEnvironment } from "#kernel/child-environment";
import { problem } from "#kernel/errors";
import type { Analytics } from "#kernel/ports/analytics";
import { clientOf, stateOf } from "./clickhouse.ts";
import { createAnalytics } from "./store.ts";

export interface EmbeddedAnalyticsOptions {
  readonly folder: string;
  /** So long after the last call the engine ends and gives its memory back; the next call starts it again. */
  readonly idleMs?: number;
}

const IDLE_MS = 5 * 60_000;
const START_TIMEOUT_MS = 30_000;
/** After a start that failed the next one waits, so that calls in a row do not become starts in a row. */
const RETRY_MS = 5_000;
const STOP_TIMEOUT_MS = 5_000;
const STDERR_CHARACTERS_MAX = 2_000;
const AT = "the embedded ClickHouse";

interface Running {
  readonly child: ChildProcess;
  readonly client: ClickHouseClient;
  readonly gone: Promise<unknown>;
}

/** ClickHouse as a library (chdb) in a child process, which is started by the first call that needs it. */
export async function openEmbeddedAnalytics(
  options: EmbeddedAnalyticsOptions,
): Promise<Analytics & { /** Of the engine, while it runs. */ pid(): number | undefined }> {
  await mkdir(options.folder, { recursive: true });
  const idleMs = options.idleMs ?? IDLE_MS;
  let running: Promise<Running> | undefined;
  let pid: number | undefined;
  let failedMs = Number.NEGATIVE_INFINITY;
  let failure = "";
  let inUse = 0;
  let idle: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function start(): Promise<Running> {
    const password = randomBytes(16).toString("hex");
    const child = fork(new URL("./chdb-server.ts", import.meta.url), {
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: childEnvironment({
        MARQUEE_CHDB_FOLDER: options.folder,
        MARQUEE_CHDB_PORT: "0",
        MARQUEE_CHDB_USER: "marquee",
        MARQUEE_CHDB_PASSWORD: password,
      }),
    });
    pid = child.pid;
    let said = "";
    child.stderr?.on("data", (bytes: Buffer) => (said = `${said}${bytes.toString()}`.slice(-STDERR_CHARACTERS_MAX)));
    const gone = once(child, "exit").finally(() => {
      if (pid === child.pid) [pid, running] = [undefined, undefined];
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), START_TIMEOUT_MS);
    try {
      const port = await Promise.race([
        once(child, "message").then(([message]) => Number((message as { port?: unknown }).port)),
        gone.then(() => Promise.reject(new Error(said.trim().split("\n").slice(-12).join("\n") || "it ended at once"))),
      ]);
      const client = clientOf({ url: `http://127.0.0.1:${port}`, user: "marquee", password });
      void gone.then(() => client.close());
      return { child, client, gone };
    } finally {
      clearTimeout(timer);
    }
  }

  async function engine(): Promise<Running> {
    if (isClosed) throw problem.unavailable(`${AT} is closed`);
    if (running === undefined && performance.now() - failedMs < RETRY_MS) throw away();
    running ??= start().catch((error: unknown) => {
      failedMs = performance.now();
      failure = error instanceof Error ? error.message : String(error);
      running = undefined;
      throw away();
    });
    return running;
  }

  const away = () =>
    problem.unavailable(
      `${AT} in ${options.folder} does not start (${failure}): set MARQUEE_CLICKHOUSE_URL where there is a server`,
      { retryAfterS: RETRY_MS / 1_000 },
    );

  async function stop(): Promise<void> {
    const ending = await running?.catch(() => undefined);
    if (!ending) return;
    // Whoever calls from now on starts another one, which waits for this one's lock.
    running = undefined;
    ending.child.kill("SIGTERM");
    const timer = setTimeout(() => ending.child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await ending.gone;
    clearTimeout(timer);
  }

  const store = createAnalytics({
    at: AT,
    async use(work) {
      clearTimeout(idle);
      inUse += 1;
      try {
        return await work((await engine()).client);
      } finally {
        inUse -= 1;
        if (inUse === 0 && !isClosed) idle = setTimeout(() => inUse === 0 && void stop(), idleMs).unref();
      }
    },
    async state() {
      if (failure !== "" && performance.now() - failedMs < RETRY_MS) return { ok: false, detail: away().message };
      const now = await running?.catch(() => undefined);
      return now ? stateOf(AT, now.client) : { ok: true, detail: `${AT} is started when it is needed` };
    },
    async close() {
      isClosed = true;
      clearTimeout(idle);
      await stop();
    },
  });
  return { ...store, pid: () => pid };
}
