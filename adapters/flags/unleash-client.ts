import { Problem, problem } from "#kernel/errors";

export interface UnleashClientOptions {
  /** Of the client API: `https://unleash.example.org/api`. */
  readonly url: string;
  /** A client token; it says which project and environment are meant. */
  readonly token: string;
  /** Tells the processes of one product apart. */
  readonly instanceId: string;
}

/** What the server said to a question for features: nothing new, or all of them. */
export type Answer =
  | { readonly isNew: false }
  | { readonly isNew: true; readonly etag: string | undefined; readonly body: unknown };

export interface UnleashClient {
  /** Host and port, for texts. */
  readonly host: string;
  features(etag: string | undefined): Promise<Answer>;
  /** `POST client/register` and `client/metrics`. */
  post(path: "register" | "metrics", body: Readonly<Record<string, unknown>>): Promise<void>;
}

export const APP_NAME = "marquee";
const TIMEOUT_MS = 10_000;
const BODY_BYTES_MAX = 32 * 1024 * 1024;
/** The client specification that our engine is tested with. */
const SPECIFICATION = "5.2.0";

/** The client API of Unleash (https://docs.getunleash.io/reference/api/unleash). Faults say what to do and never hold the token. */
export function unleashClient({ url, token, instanceId }: UnleashClientOptions): UnleashClient {
  if (!/^[\x21-\x7e]+$/.test(token))
    throw problem.precondition("Unleash wants a token: set MARQUEE_UNLEASH_TOKEN to a client token of one environment");
  const { host } = new URL(url);
  const at = `Unleash at ${host}`;
  const headers = {
    authorization: token,
    "unleash-appname": APP_NAME,
    "unleash-instanceid": instanceId,
    "unleash-connection-id": instanceId,
    "unleash-client-spec": SPECIFICATION,
  };

  async function ask(path: string, init: RequestInit): Promise<Response> {
    const response = await fetch(`${url.replace(/\/$/, "")}/client/${path}`, {
      ...init,
      // The token is for this address and no other.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw problem.unavailable(
        `${at} cannot be reached (${reasonOf(error)}): see whether it runs, and MARQUEE_UNLEASH_URL`,
      );
    });
    if (response.ok || response.status === 304) return response;
    await response.body?.cancel();
    if (response.status === 401 || response.status === 403)
      throw problem.precondition(
        `${at} refuses our token (${response.status}): set MARQUEE_UNLEASH_TOKEN to a client token`,
        {
          reason: "token_refused",
        },
      );
    if (response.status === 404 || (response.status >= 300 && response.status < 400))
      throw problem.precondition(
        `${at} has no client API at '${new URL(url).pathname}' (${response.status}): MARQUEE_UNLEASH_URL ends with /api`,
      );
    throw problem.unavailable(`${at} answers ${response.status}`);
  }

  return {
    host,
    async features(etag) {
      const response = await ask("features", { headers: { ...headers, ...(etag ? { "if-none-match": etag } : {}) } });
      if (response.status === 304) return { isNew: false };
      const body = parse(await textOf(response, at), at);
      return { isNew: true, etag: response.headers.get("etag") ?? undefined, body };
    },
    async post(path, body) {
      const response = await ask(path, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      await response.body?.cancel();
    },
  };
}

/** Reads a body that may not be longer than what fits us. */
async function textOf(response: Response, at: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX)
        throw problem.exhausted(`the features of ${at} have more than ${BODY_BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw problem.unavailable(`${at} broke off (${reasonOf(error)})`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string, at: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw problem.precondition(`${at} answers with something that is not JSON: MARQUEE_UNLEASH_URL ends with /api`);
  }
}

/** The code of the network's error where there is one: its message may quote headers. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return cause instanceof Error ? cause.name : "no answer";
}
