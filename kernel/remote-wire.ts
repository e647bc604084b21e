/**
 * What travels beside a message between processes: the context of a call as gRPC metadata, a Problem as a trailer. Names that end in `-bin` hold
 * base64, as gRPC's do (PROTOCOL-HTTP2, "Custom-Metadata"). The deadline is `grpc-timeout`, giving up is RST_STREAM.
 */
import { Code, ConnectError, decodeBinaryHeader, encodeBinaryHeader } from "@connectrpc/connect";
import { z } from "zod";
import { assertTenant, type Context, type Viewer } from "./context.ts";
import { Problem, PROBLEM_CODES, type ProblemCode, problem } from "./errors.ts";
import { remoteSpan, traceparentOf } from "./traceparent.ts";

export const CALLER_HEADER = "marquee-caller";
const TENANT_HEADER = "marquee-tenant";
const VIEWER_HEADER = "marquee-viewer-bin";
const KEY_HEADER = "marquee-idempotency-key-bin";
const TRACE_HEADER = "traceparent";
const PROBLEM_TRAILER = "marquee-problem-bin";

/** Of one message, either way. */
export const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
/** Of all headers or trailers of a call together. */
export const HEADERS_BYTES_MAX = 64 * 1024;
/** A longer wait is cut; no call waits for a day. */
export const TIMEOUT_MS_MAX = 86_400_000;
const PROBLEM_BYTES_MAX = 32 * 1024;
const MESSAGE_CHARS_MAX = 2_000;

const text = (max: number) => z.string().max(max);
const ViewerOnWire: z.ZodType<Viewer> = z.object({
  userId: text(200).min(1),
  profileId: text(200),
  tier: text(100),
  deviceId: text(200),
  entitlements: z.array(text(200)).max(200),
});

export function headersOf(context: Context): Headers {
  const headers = new Headers({ [TENANT_HEADER]: context.tenant, [CALLER_HEADER]: context.caller });
  const traceparent = traceparentOf(context.span);
  if (traceparent !== undefined) headers.set(TRACE_HEADER, traceparent);
  if (context.viewer) headers.set(VIEWER_HEADER, encodeBinaryHeader(Buffer.from(JSON.stringify(context.viewer))));
  if (context.idempotencyKey !== null) headers.set(KEY_HEADER, encodeBinaryHeader(Buffer.from(context.idempotencyKey)));
  return headers;
}

/** A call's context on the side that answers. `invalid_argument` names the header that is wrong. */
export function contextOf(
  headers: Headers,
  { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal: AbortSignal },
): Context {
  const viewer = headers.get(VIEWER_HEADER);
  const key = headers.get(KEY_HEADER);
  return {
    tenant: assertTenant(headers.get(TENANT_HEADER) ?? ""),
    caller: headers.get(CALLER_HEADER) ?? "",
    viewer: viewer === null ? null : parseViewer(viewer),
    deadlineMs,
    signal,
    span: remoteSpan(headers.get(TRACE_HEADER)),
    idempotencyKey: key === null ? null : decodeText(KEY_HEADER, key),
  };
}

function parseViewer(header: string): Viewer {
  const found = ViewerOnWire.safeParse(parseJson(decodeText(VIEWER_HEADER, header)));
  if (found.success) return found.data;
  throw problem.invalid(
    `${VIEWER_HEADER} is not a viewer: ${found.error.issues[0]?.path.join(".") ?? "no JSON"} is wrong`,
  );
}

function decodeText(name: string, header: string): string {
  try {
    return Buffer.from(decodeBinaryHeader(header)).toString("utf8");
  } catch (error) {
    throw problem.invalid(`${name} is not base64`, { cause: error });
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

/** Our codes are Connect's, but for one that gRPC has no number for; the trailer has the true one. */
const CODES = {
  canceled: Code.Canceled,
  invalid_argument: Code.InvalidArgument,
  deadline_exceeded: Code.DeadlineExceeded,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  permission_denied: Code.PermissionDenied,
  resource_exhausted: Code.ResourceExhausted,
  failed_precondition: Code.FailedPrecondition,
  aborted: Code.Aborted,
  unimplemented: Code.Unimplemented,
  internal: Code.Internal,
  unavailable: Code.Unavailable,
  unauthenticated: Code.Unauthenticated,
  unsupported_media: Code.InvalidArgument,
} as const satisfies Record<ProblemCode, Code>;

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEM_CODES, code);

const ProblemOnWire = z.object({
  code: z.string().refine(isProblemCode),
  message: z.string(),
  reason: z.string(),
  retryAfterS: z.number().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** A Problem for the wire. Its cause stays here; details that are too large for a trailer are left out, and the message stays whole. */
export function toConnectError(fault: Problem): ConnectError {
  const { code, reason, retryAfterS } = fault;
  const message = fault.message.slice(0, MESSAGE_CHARS_MAX);
  const encode = (details: Problem["details"]): Buffer =>
    Buffer.from(JSON.stringify({ code, message, reason, retryAfterS, details }));
  const whole = encode(fault.details);
  const bytes = whole.length <= PROBLEM_BYTES_MAX ? whole : encode({});
  return new ConnectError(message, CODES[code], { [PROBLEM_TRAILER]: encodeBinaryHeader(bytes) });
}

/** How far a call that failed had come, which decides whether sending it again is safe. */
export type Progress = "refused" | "sent" | "answered";

export interface RemoteFault {
  readonly problem: Problem;
  readonly progress: Progress;
}

/** Reasons with which a server refuses a call before it looks at it. */
export const REFUSED_REASONS: ReadonlySet<string> = new Set(["certificate_ended", "draining"]);

/**
 * What became of a call, as the Problem that was thrown there, or as `unavailable` where the connection broke. A stream that was refused
 * was not processed (RFC 9113, section 8.7).
 */
export function faultOf(error: unknown, what: string, hasGivenUp: boolean): RemoteFault {
  const fault = ConnectError.from(error);
  const trailer = fault.metadata.get(PROBLEM_TRAILER);
  if (trailer !== null) {
    const answered = parseProblem(trailer);
    if (answered) return { problem: answered, progress: REFUSED_REASONS.has(answered.reason) ? "refused" : "answered" };
  }
  if (hasGivenUp) return { problem: new Problem("canceled", `${what}: the caller gave up`), progress: "sent" };
  if (fault.code === Code.DeadlineExceeded)
    return { problem: problem.deadline(`${what} did not answer in time`), progress: "sent" };
  const code = PROBLEM_OF_CODE.get(fault.code);
  // With a status of gRPC's it is an answer of the other side, though not one of our handlers: a message that was too large, say.
  if (code && (fault.metadata.has("grpc-status") || !CONNECTION_FAULTS.has(fault.code)))
    return { problem: new Problem(code, `${what}: ${fault.rawMessage}`, { cause: error }), progress: "answered" };
  const progress = fault.rawMessage.includes("REFUSED_STREAM") ? "refused" : "sent";
  return {
    problem: problem.unavailable(`the connection to ${what} broke`, { reason: "connection_lost", cause: error }),
    progress,
  };
}

const PROBLEM_OF_CODE: ReadonlyMap<Code, ProblemCode> = new Map(
  Object.entries(CODES).flatMap(([code, number]) =>
    isProblemCode(code) && code !== "unsupported_media" ? [[number, code] as const] : [],
  ),
);

/** What the library makes of a connection that breaks. */
const CONNECTION_FAULTS: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.Aborted,
  Code.Internal,
  Code.Unknown,
  Code.Canceled,
]);

function parseProblem(trailer: string): Problem | undefined {
  const found = ProblemOnWire.safeParse(parseJson(decodeText(PROBLEM_TRAILER, trailer)));
  if (!found.success || !isProblemCode(found.data.code)) return undefined;
  const { code, message, reason, retryAfterS, details } = found.data;
  return new Problem(code, message, {
    reason,
    ...(details ? { details } : {}),
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
  });
}
