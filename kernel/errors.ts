/**
 * The closed set of errors. Codes are Connect's (https://connectrpc.com/docs/protocol#error-codes), each with its HTTP
 * status and whether a retry can help. BFFs turn a Problem into an RFC 9457 document; the transports carry it
 * unchanged between services.
 */
export const PROBLEM_CODES = {
  canceled: { status: 499, retryable: false },
  invalid_argument: { status: 400, retryable: false },
  deadline_exceeded: { status: 504, retryable: true },
  not_found: { status: 404, retryable: false },
  already_exists: { status: 409, retryable: false },
  permission_denied: { status: 403, retryable: false },
  resource_exhausted: { status: 429, retryable: true },
  failed_precondition: { status: 409, retryable: false },
  aborted: { status: 409, retryable: true },
  unimplemented: { status: 501, retryable: false },
  internal: { status: 500, retryable: false },
  unavailable: { status: 503, retryable: true },
  unauthenticated: { status: 401, retryable: false },
  unsupported_media: { status: 415, retryable: false },
} as const;

export type ProblemCode = keyof typeof PROBLEM_CODES;

export interface ProblemOptions {
  /** A stable word for programs, such as `stream_limit`; becomes the tail of the problem document's `type`. */
  readonly reason?: string;
  /** Members that a client may show or use, such as the devices that hold streams. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** When a retry may help, in seconds; becomes `Retry-After`. */
  readonly retryAfterS?: number;
  readonly cause?: unknown;
}

export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfterS: number | undefined;

  constructor(code: ProblemCode, message: string, options: ProblemOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reason = options.reason ?? code;
    this.details = options.details ?? {};
    this.retryAfterS = options.retryAfterS;
  }

  get status(): number {
    return PROBLEM_CODES[this.code].status;
  }

  get retryable(): boolean {
    return PROBLEM_CODES[this.code].retryable;
  }
}

type Make = (message: string, options?: ProblemOptions) => Problem;
const maker =
  (code: ProblemCode): Make =>
  (message, options) =>
    new Problem(code, message, options);

/** `throw problem.notFound("title 'x' does not exist")`. Messages name the value at fault and the remedy. */
export const problem = {
  invalid: maker("invalid_argument"),
  notFound: maker("not_found"),
  alreadyExists: maker("already_exists"),
  denied: maker("permission_denied"),
  exhausted: maker("resource_exhausted"),
  precondition: maker("failed_precondition"),
  aborted: maker("aborted"),
  unavailable: maker("unavailable"),
  unauthenticated: maker("unauthenticated"),
  unsupportedMedia: maker("unsupported_media"),
  deadline: maker("deadline_exceeded"),
  internal: maker("internal"),
} as const;

/** What connections say when whoever is at the other end has gone, or has no place left: the system's codes, PostgreSQL's (appendix A of its manual), and `pg`'s own words. */
const LOST = /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|08...|53300|57P0[123])$/;
const LOST_WORDS = /^(Connection terminated|timeout exceeded when trying to connect)/;

function isLostConnection(error: unknown): error is Error {
  return error instanceof Error && (LOST.test(String("code" in error && error.code)) || LOST_WORDS.test(error.message));
}

/** The system's code, and PostgreSQL's. */
const DISK_FULL: ReadonlySet<unknown> = new Set(["ENOSPC", "53100"]);

/**
 * Any thrown value as a Problem; what was not one becomes `internal`, or `unavailable` where a connection was lost or a disk is full, which both pass,
 * with the original as its cause.
 */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Error && error.name === "AbortError")
    return new Problem("canceled", "the caller gave up", { cause: error });
  if (isLostConnection(error))
    return new Problem("unavailable", "a connection was lost: try again in a moment", {
      reason: "connection_lost",
      retryAfterS: 1,
      cause: error,
    });
  if (error instanceof Error && "code" in error && DISK_FULL.has(error.code))
    return new Problem("unavailable", "the disk is full: as soon as there is room, this works again", {
      reason: "disk_full",
      retryAfterS: 10,
      cause: error,
    });
  return new Problem("internal", "something went wrong on our side", { cause: error });
}

/** Whether there was no room: more of it may be made. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && DISK_FULL.has(error.code);
}
