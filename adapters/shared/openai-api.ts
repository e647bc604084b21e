import { Problem, problem } from "#kernel/errors";

/** What OpenAI's API and those who speak it have in common, whatever is asked of them. */
export interface OpenAiApi {
  /** Posts to a path below the version and gives what came back as JSON; undefined where it is none. */
  post(path: string, body: string | FormData, signal: AbortSignal): Promise<unknown>;
}

export interface OpenAiApiOptions {
  /** Up to and including the version: `https://llm.example.org/v1`. */
  readonly url: string;
  readonly key: string | undefined;
  /** How errors call the server. */
  readonly at: string;
  /** What its variables begin with, for remedies: `MARQUEE_LLM`. */
  readonly variables: string;
  readonly timeoutMs: number;
  readonly bytesMax: number;
}

/** What a server that says nothing of it is left alone for. */
const BUSY_S = 5;
const RETRY_AFTER_S_MAX = 3_600;

export function openOpenAiApi({ url, key, at, variables, timeoutMs, bytesMax }: OpenAiApiOptions): OpenAiApi {
  return {
    async post(path, body, signal) {
      const response = await fetch(`${url.replace(/\/$/, "")}${path}`, {
        method: "POST",
        headers: {
          // A form names its own type, with its boundary.
          ...(typeof body === "string" ? { "content-type": "application/json" } : {}),
          ...(key ? { authorization: `Bearer ${key}` } : {}),
        },
        body,
        redirect: "manual",
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      }).catch((error: unknown) => {
        throw problem.unavailable(`${at} cannot be reached: see whether it runs, and ${variables}_URL`, {
          cause: error,
        });
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw faultOf(response, at, variables);
      }
      return jsonIn(await textOf(response, at, bytesMax));
    },
  };
}

/** Undefined where it is no JSON. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function textOf(response: Response, at: string, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) throw problem.unavailable(`${at} answers with more than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw problem.unavailable(`${at} stopped in the middle of its answer`, { cause: error });
  }
  return Buffer.concat(chunks).toString("utf8");
}

function faultOf({ status, headers }: Response, at: string, variables: string) {
  if (status === 401 || status === 403)
    return problem.precondition(`${at} refuses us (${status}): set ${variables}_TOKEN`);
  if (status === 404) return problem.precondition(`${at} does not know this model: see ${variables}_MODEL`);
  if (status === 413) return problem.precondition(`${at} takes no question of this size: see its limits`);
  if (status === 400 || status === 415 || status === 422)
    return problem.precondition(
      `${at} does not take what it is asked (${status}): see whether ${variables}_MODEL is a model for it`,
    );
  const retryAfterS = retryAfterSOf(headers.get("retry-after"));
  if (status === 429) return problem.exhausted(`${at} has too much to do`, { retryAfterS: retryAfterS ?? BUSY_S });
  return problem.unavailable(`${at} answers ${status}`, retryAfterS === undefined ? {} : { retryAfterS });
}

/** Seconds, or a moment in time (RFC 9110, section 10.2.3); undefined where there is none that can be read. */
function retryAfterSOf(text: string | null): number | undefined {
  if (text === null || text.trim() === "") return undefined;
  const waitS = /^\d{1,9}$/.test(text.trim()) ? Number(text) : (Date.parse(text) - Date.now()) / 1_000;
  return Number.isFinite(waitS) ? Math.min(RETRY_AFTER_S_MAX, Math.max(0, waitS)) : undefined;
}
