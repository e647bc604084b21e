/** One way to call our own API, for pages, player and server rendering alike. Every call has a deadline. */
import type { ProblemDocument } from "../../contracts/web/index.ts";

const DEADLINE_MS = 15_000;

/** What the API answered instead of what was asked: an RFC 9457 problem, or `unreachable` where nothing came back. */
export class ApiError extends Error {
  readonly problem: ProblemDocument;
  constructor(problem: ProblemDocument, cause?: unknown) {
    super(problem.title, { cause });
    this.name = "ApiError";
    this.problem = problem;
  }
  get status(): number {
    return this.problem.status;
  }
  /** The last segment of the problem's type: `stream_limit`. */
  get reason(): string {
    return this.problem.type.slice(this.problem.type.lastIndexOf("/") + 1);
  }
}

export interface CallOptions {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  /** Lets a request outlive its page. */
  keepalive?: boolean;
  signal?: AbortSignal;
}

export interface Http {
  /** The parsed body; null for 204. Throws ApiError. */
  call<T>(path: string, options?: CallOptions): Promise<T>;
  readonly base: string;
}

function isProblem(value: unknown): value is ProblemDocument {
  return (
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    typeof value.type === "string" &&
    "status" in value &&
    typeof value.status === "number" &&
    "title" in value &&
    "traceId" in value
  );
}

function unreachable(cause: unknown): ApiError {
  return new ApiError(
    { type: "/problems/unreachable", title: "Unreachable", status: 503, detail: "No answer came back.", traceId: "" },
    cause,
  );
}

/** `headers` are those of the caller: a cookie on the server, nothing in the browser, which adds its cookie by itself. */
export function createHttp(origin: string, headers: Readonly<Record<string, string>> = {}): Http {
  const base = `${origin}/api/web/v1`;
  return {
    base,
    async call<T>(path: string, options: CallOptions = {}): Promise<T> {
      const method = options.method ?? "GET";
      const deadline = AbortSignal.timeout(DEADLINE_MS);
      const init: RequestInit = {
        method,
        signal: options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]),
        headers: {
          accept: "application/json",
          ...headers,
          ...(method === "GET" ? {} : { "x-marquee": "web" }),
          ...(options.body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        ...(options.keepalive === true ? { keepalive: true } : {}),
      };
      let status: number;
      let text: string;
      try {
        const response = await fetch(base + path, init);
        status = response.status;
        text = await response.text();
      } catch (error) {
        if (options.signal?.aborted === true) throw error;
        throw unreachable(error);
      }
      let value: unknown = null;
      try {
        value = text === "" ? null : JSON.parse(text);
      } catch (error) {
        throw unreachable(error);
      }
      if (status >= 200 && status < 300) return value as T;
      if (isProblem(value)) throw new ApiError(value);
      throw new ApiError({ type: "/problems/unknown", title: `Status ${status}`, status, detail: "", traceId: "" });
    },
  };
}
