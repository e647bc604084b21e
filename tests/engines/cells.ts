/**
 * The product as separate processes on the engines that the environment names, as an operator would run it: `marquee serve` for each part, and
 * something in front that sends each path to the part that answers it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, readFile, rm } from "node:fs/promises";
import { createServer, request as ask } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { openEmbeddedPostgres } from "#adapters/postgres/embedded";
import { startGuardian } from "#kernel/guardian";
import { adminSocketPath } from "../../apps/admin/socket.ts";
import { type AdminClient, adminClient } from "../../apps/cli/client.ts";
import { buildClients } from "../../scripts/build-clients.ts";
import { PRODUCT_FLAGS } from "../../scripts/bootstrap/flags.mjs";
import { processesOf } from "../chaos/processes.ts";
import { freeRange } from "#kernel/testing/ports";
import { TENANT } from "../chaos/product.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

const MARQUEE = resolve(import.meta.dirname, "../../apps/marquee.ts");
const PORTS_PER_CELL = 6;
const READY_MS_MAX = 120_000;
const ERRORS_SHOWN = 3;
/** Each process has a pool of its own, and one that was killed keeps its places for a moment. */
const CONNECTIONS_MAX = 250;
const OUTPUT_CHARACTERS_MAX = 20_000;

/** The parts, by the names that their spans carry. */
export const PARTS = {
  identity: ["tenant", "user", "auth", "profile", "subscription", "entitlement"],
  content: ["catalog", "ingest", "encoding", "keys", "epg", "metadata", "ads", "search"],
  delivery: ["origin", "license", "token", "routing", "live"],
  playback: ["session", "bookmark", "recording", "schedule", "notification"],
  insight: ["qoe", "analytics", "experiments", "models", "recommendation", "features"],
  web: ["web", "admin"],
  edges: ["edges"],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type Part = keyof typeof PARTS;
const NAMES = Object.keys(PARTS) as readonly Part[];

/** What the front sends elsewhere than to the web. */
const ROADS: readonly (readonly [prefix: string, part: Part])[] = [
  ["/oauth/", "identity"],
  ["/license/", "delivery"],
  ["/steering/", "delivery"],
  ["/images/", "delivery"],
];

export interface Cells {
  readonly folder: string;
  /** Where browsers go. */
  readonly url: string;
  /** The operator's calls, through the socket of the process that serves them. */
  readonly admin: AdminClient;
  pidOf(part: Part): number;
  start(part: Part): Promise<void>;
  /** Ends it as told, and resolves when it is gone; its exit code, or the signal. */
  end(part: Part, signal: "SIGTERM" | "SIGKILL"): Promise<number | NodeJS.Signals>;
  /** Runs a command of the operator's, and resolves with what it printed; rejects where it fails. */
  command(...words: readonly string[]): Promise<string>;
  output(part: Part): string;
  /** Processes of PostgreSQL, the postmaster first. */
  postgres(): Promise<readonly number[]>;
  close(): Promise<void>;
}

export async function openCells(engines: Readonly<Record<string, string>>): Promise<Cells> {
  await buildClients();
  const folder = await makeTestFolder("cells");
  // PostgreSQL's own user must be able to enter.
  await chmod(folder, 0o755);
  const guardian = startGuardian();
  const postgres = await openEmbeddedPostgres({
    folder: join(folder, "postgres"),
    log: () => undefined,
    spawnGuard: guardian,
    connectionsMax: CONNECTIONS_MAX,
  });
  const ports = new Map<Part, number>();
  for (const name of NAMES) ports.set(name, await freeRange(PORTS_PER_CELL));
  const portOf = (part: Part): number => ports.get(part) ?? 0;
  const front = await openFront((path) => portOf(ROADS.find(([prefix]) => path.startsWith(prefix))?.[1] ?? "web"));
  const environment = {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    ...engines,
    MARQUEE_DEMO: "0",
    MARQUEE_POSTGRES_URL: postgres.adminUrl,
    MARQUEE_POSTGRES_RUNTIME_URL: postgres.runtimeUrl,
    MARQUEE_PUBLIC_URL: front.url,
    MARQUEE_ORIGIN_URL: `http://127.0.0.1:${portOf("delivery") + 3}`,
    MARQUEE_EDGES: `edge-a=http://localhost:${portOf("edges") + 1},edge-b=http://127.0.0.1:${portOf("edges") + 2}`,
    MARQUEE_PEERS: NAMES.flatMap((part) =>
      PARTS[part].flatMap((name) =>
        ["web", "admin", "edges"].includes(name) ? [] : `${name}=https://127.0.0.1:${portOf(part) + 5}`,
      ),
    ).join(","),
  };
  const environmentOf = (part: Part) => ({
    ...environment,
    MARQUEE_DATA: join(folder, part),
    MARQUEE_PORT: String(portOf(part)),
    OTEL_SERVICE_NAME: part,
  });
  const running = new Map<Part, ChildProcess>();
  const outputs = new Map<Part, string>();

  async function start(part: Part): Promise<void> {
    const child = spawn(process.execPath, [...PRODUCT_FLAGS, MARQUEE, "serve", ...PARTS[part]], {
      env: environmentOf(part),
      stdio: ["ignore", "pipe", "pipe"],
    });
    guardian.add(child.pid ?? 0);
    running.set(part, child);
    await new Promise<void>((ready, reject) => {
      const fail = (how: string): void => reject(new Error(`'${part}' ${how}:\n${outputs.get(part) ?? ""}`));
      const late = setTimeout(() => fail(`is not ready after ${READY_MS_MAX} ms`), READY_MS_MAX);
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => {
          const output = ((outputs.get(part) ?? "") + text).slice(-OUTPUT_CHARACTERS_MAX);
          outputs.set(part, output);
          if (!/^ready /m.test(text)) return;
          clearTimeout(late);
          ready();
        });
      child.once("exit", (code, signal) => {
        clearTimeout(late);
        guardian.remove(child.pid ?? 0);
        if (running.get(part) === child) running.delete(part);
        fail(`ended (${code ?? signal})`);
      });
    });
  }

  async function end(part: Part, signal: "SIGTERM" | "SIGKILL"): Promise<number | NodeJS.Signals> {
    const child = running.get(part);
    if (!child) throw new Error(`'${part}' does not run:\n${outputs.get(part) ?? ""}`);
    const ended = new Promise<number | NodeJS.Signals>((resolve) =>
      child.once("exit", (code, how) => resolve(code ?? how ?? "SIGKILL")),
    );
    child.kill(signal);
    return ended;
  }

  return {
    folder,
    url: front.url,
    admin: adminClient({
      socketPath: adminSocketPath(join(folder, "web")),
      tenant: TENANT,
      dataFolder: join(folder, "web"),
    }),
    pidOf: (part) => running.get(part)?.pid ?? 0,
    start,
    end,
    command: (...words) =>
      run(words, environmentOf("web")).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${await lastErrors(join(folder, "web/logs/marquee.log"))}`);
      }),
    output: (part) => outputs.get(part) ?? "",
    async postgres() {
      const all = (await processesOf(0, join(folder, "postgres"))).filter(({ command }) => /postgres/.test(command));
      const [first, ...rest] = all.map(({ pid }) => pid).sort((a, b) => a - b);
      return first === undefined ? [] : [first, ...rest];
    },
    async close() {
      await Promise.all([...running.keys()].map((part) => end(part, "SIGTERM")));
      front.close();
      await postgres.stop();
      guardian.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** What a process wrote down last of what went wrong. */
async function lastErrors(file: string): Promise<string> {
  const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
  return lines
    .filter((line) => line.includes('"level":"ERROR"'))
    .slice(-ERRORS_SHOWN)
    .join("\n");
}

function run(words: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, [MARQUEE, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let all = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => void ((out += text), (all += text)));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (all += text));
  return new Promise((done, reject) => {
    child.once("exit", (code) =>
      code === 0 ? done(out) : reject(new Error(`marquee ${words.join(" ")} ended with ${code}:\n${all}`)),
    );
  });
}

/** What stands in front of the public ports; it does nothing but pass on. */
async function openFront(portOf: (path: string) => number): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const { method, url = "/", headers } = request;
    const onward = ask(
      {
        host: "localhost",
        port: portOf(url),
        method,
        path: url,
        headers: { ...headers, "x-forwarded-host": headers.host },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(response);
      },
    );
    onward.once("error", () => {
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
    request.pipe(onward);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
