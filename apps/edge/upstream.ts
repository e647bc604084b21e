import { randomBytes } from "node:crypto";
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** Connections to the origin at once, and requests that may wait for one. */
const CONNECTIONS_MAX = 32;
const WAITING_MAX = 512;
/** Each question about what a channel has not made yet holds a connection until it is there: some a track, and no more than there are objects. */
const LIVE_CONNECTIONS_MAX = 512;
/** Until the answer's head, and between two pieces of its body. */
const SILENCE_MS = 10_000;
/** What a channel makes is late when it is not there after three segments (draft-pantos-hls-rfc8216bis, section 6.2.5.2), and then some. */
const LIVE_SILENCE_MS = 8_000;
const JSON_BYTES_MAX = 4 * 1024 * 1024;

/** The origin cannot help now: it does not answer, breaks off, or too much waits for it already. */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";
}

export interface Upstream {
  /** Resolves with the answer's head; its body must be read or destroyed. Tries once more when a kept connection turns out dead. */
  get(path: string): Promise<IncomingMessage>;
  /** The same for what a channel makes now: it may take seconds until it is there. */
  getLive(path: string): Promise<IncomingMessage>;
  getJson(path: string, options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<Answer>;
  postJson(path: string, body: unknown): Promise<Answer>;
  readonly counts: { requests: number; errors: number };
  close(): void;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

interface Options {
  readonly method: "GET" | "POST";
  readonly body?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly isLive?: boolean;
}

/** The one connection of an edge to the rest of the world. */
export function openUpstream(originUrl: string): Upstream {
  const base = new URL(originUrl);
  const isTls = base.protocol === "https:";
  const agentOptions = { keepAlive: true, maxSockets: CONNECTIONS_MAX, maxFreeSockets: CONNECTIONS_MAX };
  const agent = isTls ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  // Long polls hold a connection for as long as nothing happens; they must not take one from the media.
  const pollAgent = isTls ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const liveOptions = { keepAlive: true, maxSockets: LIVE_CONNECTIONS_MAX };
  const liveAgent = isTls ? new HttpsAgent(liveOptions) : new HttpAgent(liveOptions);
  const send = isTls ? httpsRequest : httpRequest;
  const counts = { requests: 0, errors: 0 };
  let waiting = 0;

  function once(path: string, options: Options & { readonly traceId: string }): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const timeoutMs = options.timeoutMs ?? (options.isLive ? LIVE_SILENCE_MS : SILENCE_MS);
      const headers = {
        traceparent: `00-${options.traceId}-${randomBytes(8).toString("hex")}-01`,
        ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      };
      const request: ClientRequest = send(new URL(path, base), {
        method: options.method,
        agent: options.isLive ? liveAgent : options.timeoutMs === undefined ? agent : pollAgent,
        headers,
        ...(options.signal ? { signal: options.signal } : {}),
      });
      request.setTimeout(timeoutMs, () =>
        request.destroy(new UpstreamError(`the origin is silent for ${timeoutMs} ms`)),
      );
      request.once("response", resolve);
      request.once("error", (error: NodeJS.ErrnoException) => {
        const isStale = request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
        reject(isStale ? new StaleConnection() : error);
      });
      request.end(options.body);
    });
  }

  async function fetchHead(path: string, options: Options): Promise<IncomingMessage> {
    const waitingMax = options.isLive ? WAITING_MAX + LIVE_CONNECTIONS_MAX : WAITING_MAX;
    if (waiting >= waitingMax) throw new UpstreamError(`${waiting} requests wait for the origin already`);
    waiting += 1;
    counts.requests += 1;
    // W3C Trace Context: the origin's spans and our error name the same trace.
    const traceId = randomBytes(16).toString("hex");
    const traced = { ...options, traceId };
    try {
      return await once(path, traced).catch((error: unknown) => {
        if (error instanceof StaleConnection) return once(path, traced);
        throw error;
      });
    } catch (error) {
      counts.errors += 1;
      throw new UpstreamError(`the origin does not answer (trace ${traceId})`, { cause: error });
    } finally {
      waiting -= 1;
    }
  }

  async function json(path: string, options: Options): Promise<Answer> {
    const response = await fetchHead(path, options);
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > JSON_BYTES_MAX) throw new UpstreamError(`the origin's answer is over ${JSON_BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString("utf8");
    try {
      return { status: response.statusCode ?? 0, body: text === "" ? null : (JSON.parse(text) as unknown) };
    } catch (error) {
      throw new UpstreamError("the origin's answer is no JSON", { cause: error });
    }
  }

  return {
    get: (path) => fetchHead(path, { method: "GET" }),
    getLive: (path) => fetchHead(path, { method: "GET", isLive: true }),
    getJson: (path, options = {}) => json(path, { method: "GET", ...options }),
    postJson: (path, body) => json(path, { method: "POST", body: JSON.stringify(body) }),
    counts,
    close() {
      agent.destroy();
      liveAgent.destroy();
      pollAgent.destroy();
    },
  };
}

class StaleConnection extends Error {}
