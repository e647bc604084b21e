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

/**
 * `POST /call/{service}/{method}` with a request as protobuf JSON: every call of every contract, for the operator of this
 * machine. Answers protobuf JSON or a problem document.
 */
export function openCalls(host: Pick<Host, "client">, contracts: readonly Contract[], audit: Audit, logger: Logger) {
  const methods = new Map<
    string,
    { readonly service: string; readonly descriptor: DescMethod; readonly call: Method }
  >();
  for (const contract of contracts) {
    const client = host.client(contract, "admin") as unknown as Readonly<Record<string, Method>>;
    for (const descriptor of contract.rpc.methods) {
      const call = client[descriptor.localName];
      if (call && descriptor.methodKind === "unary")
        methods.set(`${contract.name}/${descriptor.localName}`, { service: contract.name, descriptor, call });
    }
  }
  const services = contracts.map(({ name }) => name).toSorted();

  function find(path: string) {
    const [service = "", name = ""] = path.replace(/^\/call\//, "").split("/", 2);
    const found = methods.get(`${service}/${name.charAt(0).toLowerCase()}${name.slice(1)}`);
    if (found) return found;
    const known = services.includes(service)
      ? `'${service}' has no call '${name}'`
      : `there is no service '${service}'; there are ${services.join(", ")}`;
    throw problem.notFound(known.slice(0, 1_000), { reason: "call_unknown" });
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      if (request.method !== "POST") throw problem.invalid(`${request.method ?? "?"} is not POST`);
      const { service, descriptor, call } = find((request.url ?? "").split("?", 1)[0] ?? "");
      const message = parse(descriptor, await readBody(request));
      const context = contextOf(request, gone.signal);
      const work = (): Promise<Message> => call(message, context);
      const answer = await (isRecorded(service, descriptor)
        ? audited(audit, attemptOf(service, descriptor, message, context), work)
        : work());
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(toJson(descriptor.output, answer)));
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
  return { tenant, who: "operator", what: `${service}.${descriptor.localName}`, on: said.join(" "), from: "socket" };
}

function contextOf(request: IncomingMessage, signal: AbortSignal): Context {
  const header = (name: string): string => String(request.headers[name] ?? "");
  const tenant = header(TENANT_HEADER);
  if (tenant === "") throw problem.invalid(`the header ${TENANT_HEADER} is missing: it says whose titles are meant`);
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
