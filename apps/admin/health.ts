import type { IncomingMessage, ServerResponse } from "node:http";
import { toProblem } from "#kernel";
import type { AdapterState } from "#kernel/ports/state";
import type { HttpMount } from "#kernel/service";

export type States = () => Promise<Readonly<Record<string, AdapterState>>>;

/** What /readyz answers: names are those of the services and of the adapters. */
export interface Readiness {
  readonly status: "ready" | "not ready";
  readonly services: Readonly<Record<string, AdapterState>>;
  readonly adapters: Readonly<Record<string, AdapterState>>;
}

export interface Health {
  /** GET /healthz: the process lives and its event loop turns. */
  healthz(request: IncomingMessage, response: ServerResponse): void;
  /** GET /readyz: 200 when every service and adapter can do its work, else 503; both name each with its state. */
  readyz(request: IncomingMessage, response: ServerResponse): Promise<void>;
  readonly mounts: readonly Pick<HttpMount, "prefix" | "handle">[];
}

/** Anybody may ask, so the same answer serves everybody for a second. */
const FRESH_MS = 1_000;
const ANSWER_MS_MAX = 5_000;

export function openHealth(states: States): Health {
  let known: { readonly answer: Promise<Readiness>; readonly atMs: number } | undefined;
  const health: Health = {
    healthz(request, response) {
      sendJson(request, response, 200, { status: "alive" });
    },
    async readyz(request, response) {
      const nowMs = performance.now();
      if (!known || nowMs - known.atMs > FRESH_MS) known = { answer: readiness(states), atMs: nowMs };
      const answer = await known.answer;
      sendJson(request, response, answer.status === "ready" ? 200 : 503, answer);
    },
    mounts: [
      { prefix: "/healthz", handle: (request, response) => health.healthz(request, response) },
      { prefix: "/readyz", handle: (request, response) => health.readyz(request, response) },
    ],
  };
  return health;
}

/** Asks everything once; a question that fails or hangs is an answer too. */
export async function readiness(states: States): Promise<Readiness> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Awaited<ReturnType<States>>>((resolve) => {
    const detail = `no answer within ${ANSWER_MS_MAX / 1_000} s`;
    timer = setTimeout(() => resolve({ "service/kernel": { ok: false, detail } }), ANSWER_MS_MAX);
  });
  const asked = states().catch((error: unknown) => ({
    "service/kernel": { ok: false, detail: toProblem(error).message },
  }));
  const found = await Promise.race([asked, late]);
  clearTimeout(timer);
  const of = (kind: string): Record<string, AdapterState> =>
    Object.fromEntries(
      Object.entries(found)
        .filter(([name]) => name.startsWith(`${kind}/`))
        .map(([name, { ok, detail }]) => [name.slice(kind.length + 1), { ok, detail }]),
    );
  const isReady = Object.values(found).every((state) => state.ok);
  return { status: isReady ? "ready" : "not ready", services: of("service"), adapters: of("adapter") };
}

export function sendJson(request: IncomingMessage, response: ServerResponse, status: number, body: unknown): void {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(request.method === "HEAD" ? undefined : `${JSON.stringify(body, null, 2)}\n`);
}
