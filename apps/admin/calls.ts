import type { IncomingMessage, ServerResponse } from "node:http";
import { type DescMethod, fromJson, type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import {
  type Audit,
  audited,
  type Contract,
  type Context,
  type Logger,
  problem,
  systemContext,
  toProblem,
} from "#kernel";
import type { Host } from "#kernel/host";
import { sendProblem } from "#kernel/http";

const BODY_BYTES_MAX = 4 * 1024 * 1024;
const DEADLINE_MS = 30_000;
const DEADLINE_MS_MAX = 600_000;

/** The problem code travels beside the document, because several codes share one HTTP status. */
export const CODE_HEADER = "x-marquee-code";
/** What went wrong in the middle of a long answer, escaped as in a URL. */
export const DETAIL_TRAILER = "x-marquee-detail";
export const TENANT_HEADER = "x-marquee-tenant";
export const DEADLINE_HEADER = "x-marquee-deadline-ms";

type Method = (request: unknown, context: Context) => Promise<Message>;

interface Asked {
  readonly context: Context;
  /** What the audit log says of where it came from. */
  readonly from: string;
  /** Members that have their default stand in the answer too, for readers that do not know the contract's defaults. */
  readonly isWhole?: boolean;
}

/** A call that the operator may make: by name, with a request in protobuf JSON. */
export interface Methods {
  /** Answers with protobuf JSON; throws a Problem, `call_unknown` where there is no such call. */
  run(path: string, body: string, of: Asked): Promise<JsonValue>;
}

export interface MethodsOptions {
  readonly host: Pick<Host, "client">;
  readonly contracts: readonly Contract[];
  readonly audit: Audit;
  /** Names like `models/list`: of all others it is said that they do not exist. Without it every call may be made. */
  readonly allowed?: ReadonlySet<string>;
}

/** Calls of contracts by `{service}/{method}`. What changes something is recorded with where it came from. */
export function openMethods({ host, contracts, audit, allowed }: MethodsOptions): Methods {
  const methods = new Map<
    string,
    { readonly service: string; readonly descriptor: DescMethod; readonly call: Method }
  >();
  for (const contract of contracts) {
    const client = host.client(contract, "admin") as unknown as Readonly<Record<string, Method>>;
    for (const descriptor of contract.rpc.methods) {
      const name = `${contract.name}/${descriptor.localName}`;
      const call = client[descriptor.localName];
      if (call && descriptor.methodKind === "unary" && (allowed?.has(name) ?? true))
        methods.set(name, { service: contract.name, descriptor, call });
    }
  }
  const services = contracts.map(({ name }) => name).toSorted();

  function find(path: string) {
    const [service = "", name = ""] = path.split("/", 2);
    const found = methods.get(`${service}/${name.charAt(0).toLowerCase()}${name.slice(1)}`);
    if (found) return found;
    const known = services.includes(service)
      ? `'${service}' has no call '${name}'`
      : `there is no service '${service}'; there are ${services.join(", ")}`;
    throw problem.notFound(known.slice(0, 1_000), { reason: "call_unknown" });
  }

  return {
    async run(path, body, { context, from, isWhole = false }) {
      const { service, descriptor, call } = find(path);
      const message = parse(descriptor, body);
      const work = (): Promise<Message> => call(message, context);
      const answer = await (isRecorded(service, descriptor)
        ? audited(audit, { ...attemptOf(service, descriptor, message, context), from }, work)
        : work());
      return toJson(descriptor.output, answer, { alwaysEmitImplicit: isWhole });
    },
  };
}

/** `POST /call/{service}/{method}`: every call of every contract, for the operator of this machine. Answers JSON or a problem document. */
export function openCalls(host: Pick<Host, "client">, contracts: readonly Contract[], audit: Audit, logger: Logger) {
  const methods = openMethods({ host, contracts, audit });
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      if (request.method !== "POST") throw problem.invalid(`${request.method ?? "?"} is not POST`);
      const path = ((request.url ?? "").split("?", 1)[0] ?? "").replace(/^\/call\//, "");
      const body = await readBody(request);
      const answer = await methods.run(path, body, { context: contextOf(request, gone.signal), from: "socket" });
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer));
    } catch (error) {
      const fault = toProblem(error);
      // The operator is told that the log says more.
      if (fault.code === "internal") logger.error("a call of the operator's failed", { path: request.url, error });
      if (!response.headersSent) response.setHeader(CODE_HEADER, fault.code);
      sendProblem(request, response, fault);
    }
  };
}

/** Reading changes nothing and is not recorded, but for keys: whoever has read one has it. */
const isRecorded = (service: string, { idempotency }: DescMethod): boolean =>
  service === "keys" || idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;

const SECRET = /password|secret|token|pin|key$/i;
const VALUE_LENGTH_MAX = 80;

function attemptOf(service: string, descriptor: DescMethod, message: Message, { tenant }: Context) {
  const members = Object.entries(toJson(descriptor.input, message) as Readonly<Record<string, unknown>>);
  const said = members
    .filter(([name, value]) => typeof value === "string" && !SECRET.test(name))
    .map(([name, value]) => `${name}=${String(value).slice(0, VALUE_LENGTH_MAX)}`);
  return { tenant, who: "operator", what: `${service}.${descriptor.localName}`, on: said.join(" ") };
}

/** Whose titles and people are meant. */
export function tenantOf(request: IncomingMessage): string {
  const tenant = String(request.headers[TENANT_HEADER] ?? "");
  if (tenant === "") throw problem.invalid(`the header ${TENANT_HEADER} is missing: it says whose titles are meant`);
  return tenant;
}

function contextOf(request: IncomingMessage, signal: AbortSignal): Context {
  const header = (name: string): string => String(request.headers[name] ?? "");
  const tenant = tenantOf(request);
  const asked = header(DEADLINE_HEADER);
  const deadlineMs = asked === "" ? DEADLINE_MS : Number(asked);
  if (!(deadlineMs >= 1 && deadlineMs <= DEADLINE_MS_MAX)) {
    throw problem.invalid(`${DEADLINE_HEADER} '${asked.slice(0, 40)}' is not between 1 and ${DEADLINE_MS_MAX}`);
  }
  const idempotencyKey = header("idempotency-key") || null;
  return { ...systemContext(tenant, "admin", { deadlineMs, signal }), idempotencyKey };
}

function parse(descriptor: DescMethod, text: string): Message {
  try {
    return fromJson(descriptor.input, (text === "" ? {} : JSON.parse(text)) as JsonValue);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw problem.invalid(`the body is not a ${descriptor.input.typeName} in JSON: ${said.slice(0, 300)}`);
  }
}

/** A request's body, up to a limit. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw problem.invalid(`the body has more than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
