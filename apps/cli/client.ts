import { type IncomingMessage, request as httpRequest } from "node:http";
import { json } from "node:stream/consumers";
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromJson,
  type JsonValue,
  type Message,
  type MessageInitShape,
  toJson,
} from "@bufbuild/protobuf";
import type { FlagRule } from "#kernel/ports/flags";
import { type Client, type Contract, Problem, problem, PROBLEM_CODES, type ProblemCode } from "#kernel";
import type { TraceRecord } from "#kernel/tracing";
import { CODE_HEADER, DEADLINE_HEADER, DETAIL_TRAILER, TENANT_HEADER } from "../admin/calls.ts";
import type { FlagList } from "../admin/flags.ts";
import { isCode } from "../admin/socket.ts";

/** A service's calls as an operator makes them: the tenant and the deadline are the client's. */
export type Calls<S extends DescService> = {
  readonly [K in keyof Client<S>]: (request: Parameters<Client<S>[K]>[0]) => ReturnType<Client<S>[K]>;
};

/** The running product, as its operator's commands reach it. */
export interface AdminClient {
  /** The calls reject with the service's own Problem, or with reason `not_running` where nobody answers. */
  of<S extends DescService>(contract: Contract<S>, options?: { readonly deadlineMs?: number }): Calls<S>;
  about(): Promise<About>;
  flags(): Promise<FlagList>;
  putFlag(rule: FlagRule): Promise<FlagList>;
  removeFlag(name: string): Promise<FlagList>;
  /** The last traces that were kept, newest first. */
  traces(): Promise<readonly TraceRecord[]>;
  /** What the person with an id is called in logs and traces. */
  pseudonym(id: string): Promise<string>;
  /** A link to the operators' pages, good for one browser and a minute. */
  consoleLink(options: { readonly deadlineMs: number }): Promise<{ readonly url: string; readonly endsAtMs: number }>;
  /** A backup of the whole product, unencrypted. Reading it rejects where it breaks off. */
  backup(options: { readonly withMedia: boolean }): Promise<AsyncIterable<Uint8Array>>;
}

export interface About {
  readonly pid: number;
  readonly startedAtMs: number;
  readonly memoryBytes: number;
  readonly status: string;
  readonly services: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
  readonly adapters: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
  readonly [fact: string]: unknown;
}

export interface AdminClientOptions {
  readonly socketPath: string;
  readonly tenant: string;
  /** Named in the text that says that nothing runs. */
  readonly dataFolder: string;
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 30_000;
const SILENCE_MS = 300_000;
const BODY_BYTES_MAX = 64 * 1024 * 1024;

export function adminClient(options: AdminClientOptions): AdminClient {
  async function call(
    contract: Contract,
    method: DescMethod,
    request: MessageInitShape<DescMessage>,
    more: { readonly deadlineMs?: number },
  ): Promise<Message> {
    const body = JSON.stringify(toJson(method.input, create(method.input, request)));
    const answer = await send({ ...options, ...more }, "POST", `/call/${contract.name}/${method.localName}`, body);
    return fromJson(method.output, answer as JsonValue, { ignoreUnknownFields: true });
  }
  return {
    of<S extends DescService>(contract: Contract<S>, more = {}) {
      const calls: Record<string, (request: unknown) => Promise<Message>> = {};
      for (const method of contract.rpc.methods) {
        calls[method.localName] = (request) => call(contract, method, request as MessageInitShape<DescMessage>, more);
      }
      return calls as Calls<S>;
    },
    flags: async () => (await send(options, "GET", "/flags", "")) as FlagList,
    putFlag: async (rule) =>
      (await send(options, "PUT", `/flags/${encodeURIComponent(rule.name)}`, JSON.stringify(rule))) as FlagList,
    removeFlag: async (name) => (await send(options, "DELETE", `/flags/${encodeURIComponent(name)}`, "")) as FlagList,
    traces: async () => (await send(options, "GET", "/traces", "")) as TraceRecord[],
    async pseudonym(id) {
      const answer = await send(options, "GET", `/pseudonym/${id}`, "");
      return (answer as { readonly pseudonym: string }).pseudonym;
    },
    about: async () => (await send(options, "GET", "/about", "")) as About,
    consoleLink: async (more) =>
      (await send({ ...options, ...more }, "POST", "/console", "")) as {
        readonly url: string;
        readonly endsAtMs: number;
      },
    backup: ({ withMedia }) => stream(options, `/backup${withMedia ? "" : "?media=0"}`),
  };
}

/** An answer that is read as it comes; only silence ends it. */
function stream(
  { socketPath, tenant, dataFolder }: AdminClientOptions,
  path: string,
): Promise<AsyncIterable<Uint8Array>> {
  return new Promise((resolve, reject) => {
    const headers = { [TENANT_HEADER]: tenant };
    const request = httpRequest({ socketPath, path, headers, timeout: SILENCE_MS }, (response) => {
      if (response.statusCode === 200) return resolve(whole(response));
      const code = String(response.headers[CODE_HEADER] ?? "internal");
      json(response).then((document) => reject(toFault(code, document)), reject);
    });
    request.once("timeout", () =>
      request.destroy(problem.deadline("the running Marquee does not answer: see ./marquee doctor")),
    );
    request.once("error", (error) => reject(describe(error, socketPath, dataFolder)));
    request.end();
  });
}

function send(
  { socketPath, tenant, dataFolder, deadlineMs = DEADLINE_MS }: AdminClientOptions,
  method: string,
  path: string,
  body: string,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      [TENANT_HEADER]: tenant,
      [DEADLINE_HEADER]: deadlineMs,
    };
    // The product keeps the deadline; ours is a little longer, for a product that hangs.
    const request = httpRequest({ socketPath, method, path, headers, timeout: deadlineMs + 5_000 }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > BODY_BYTES_MAX) request.destroy(problem.internal("the answer is too long"));
        chunks.push(chunk);
      });
      response.once("error", reject);
      response.once("end", () => {
        try {
          const answer: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
          if (response.statusCode === 200) resolve(answer);
          else reject(toFault(String(response.headers[CODE_HEADER] ?? "internal"), answer));
        } catch {
          reject(problem.internal(`the product answered ${response.statusCode ?? 0} and something that is not JSON`));
        }
      });
    });
    request.once("timeout", () =>
      request.destroy(problem.deadline("the running Marquee does not answer: see ./marquee doctor")),
    );
    request.once("error", (error) => reject(describe(error, socketPath, dataFolder)));
    request.end(body);
  });
}

/** An answer that was broken off, or says in its trailer that it is not whole, rejects. */
async function* whole(response: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch (cause) {
    throw problem.unavailable("the running Marquee stopped in the middle of its answer", { cause });
  }
  const { [CODE_HEADER]: code, [DETAIL_TRAILER]: detail } = response.trailers;
  if (code) throw toFault(code, { detail: decodeURIComponent(detail ?? "") });
}

function describe(error: Error, socketPath: string, dataFolder: string): unknown {
  if (isCode(error, "ENOENT") || isCode(error, "ECONNREFUSED")) {
    return problem.unavailable(`Marquee is not running here: start it with npm start (MARQUEE_DATA=${dataFolder})`, {
      reason: NOT_RUNNING,
    });
  }
  if (isCode(error, "ECONNRESET") || isCode(error, "EPIPE")) {
    return problem.unavailable("Marquee stopped before it answered: start it again with npm start", {
      reason: NOT_RUNNING,
    });
  }
  if (isCode(error, "EACCES") || isCode(error, "EPERM")) {
    return problem.denied(`'${socketPath}' belongs to another user: run this command as the user who runs Marquee`);
  }
  return error;
}

export const NOT_RUNNING = "not_running";

/** The product's problem document as the Problem that it was. */
function toFault(code: string, document: unknown): Problem {
  const {
    type,
    detail,
    title,
    status,
    instance: _instance,
    traceId,
    ...details
  } = (document ?? {}) as Record<string, unknown>;
  const known = Object.hasOwn(PROBLEM_CODES, code) ? (code as ProblemCode) : "internal";
  const reason = String(type ?? "").replace(/^.*\//, "");
  return new Problem(known, String(detail ?? title ?? `the product answered ${String(status)}`), {
    ...(reason === "" ? {} : { reason }),
    details: { ...details, traceId },
  });
}
