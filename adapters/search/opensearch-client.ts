import { type Problem, problem } from "#kernel/errors";

export interface OpenSearchOptions {
  /** `https://search.example.org:9200`. */
  readonly url: string;
  readonly user?: string;
  readonly password?: string;
}

export interface OpenSearchClient {
  /** Host and port, for texts. */
  readonly host: string;
  /** The answer's body; undefined for 404, which some questions expect. Every other status that is no success rejects. */
  ask(method: string, path: string, body?: unknown): Promise<unknown>;
}

const TIMEOUT_MS = 20_000;

/** The REST API that OpenSearch and Elasticsearch share. A body that is a text is sent as lines of JSON. */
export function openSearchClient({ url, user, password }: OpenSearchOptions): OpenSearchClient {
  const { host } = new URL(url);
  const at = `the search engine at ${host}`;
  const login = user === undefined ? undefined : `Basic ${Buffer.from(`${user}:${password ?? ""}`).toString("base64")}`;
  return {
    host,
    async ask(method, path, body) {
      const response = await fetch(`${url.replace(/\/$/, "")}/${path}`, {
        method,
        headers: {
          "content-type": typeof body === "string" ? "application/x-ndjson" : "application/json",
          ...(login === undefined ? {} : { authorization: login }),
        },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch((error: unknown) => {
        throw problem.unavailable(
          `${at} cannot be reached (${reasonOf(error)}): see whether it runs, and MARQUEE_SEARCH_URL`,
        );
      });
      const said = await response.text().catch((error: unknown) => {
        throw problem.unavailable(`${at} broke off (${reasonOf(error)})`);
      });
      if (response.status === 404) return undefined;
      if (response.ok) return parse(said, at);
      throw faultOf(response.status, said, at);
    },
  };
}

function parse(text: string, at: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    throw problem.precondition(`${at} answers with something that is not JSON: correct MARQUEE_SEARCH_URL`);
  }
}

function faultOf(status: number, said: string, at: string): Problem {
  if (status === 401 || status === 403)
    return problem.precondition(`${at} refuses us (${status}): set MARQUEE_SEARCH_USER and MARQUEE_SEARCH_PASSWORD`);
  if (status === 429) return problem.exhausted(`${at} has too much to do: try again in a moment`, { retryAfterS: 5 });
  if (status >= 500 || status < 400) return problem.unavailable(`${at} answers ${status}`);
  return problem.internal(`${at} refuses a question (${status}): ${said.slice(0, 500)}`);
}

/** The code of the network's error where there is one: its message may quote headers. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return cause instanceof Error ? cause.name : "no answer";
}
