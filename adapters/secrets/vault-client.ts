import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Problem, problem } from "#kernel/errors";

export interface VaultClientOptions {
  /** `https://vault.example.org:8200` */
  readonly address: string;
  /** A token, or the file in which an agent keeps a fresh one. */
  readonly token?: string;
  readonly tokenFile?: string;
  readonly namespace?: string;
}

export interface VaultAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Vault's own words, which name paths and never values. */
  readonly errors: readonly string[];
}

const TIMEOUT_MS = 5_000;
const READ_TRIES = 3;
const RENEW_AGAIN_MS = 10_000;
const TOKEN_CHARACTERS_MAX = 4_096;
const Errors = z.object({ errors: z.array(z.string()) });
const TokenInfo = z.object({ data: z.object({ ttl: z.number(), renewable: z.boolean() }) });

type Method = "GET" | "POST";

export interface VaultClient {
  readonly host: string;
  /** Answers of status 200 to 299, 400 and 404; everything else is a Problem. Reads are tried again, writes are not. */
  ask(method: Method, path: string, body?: unknown): Promise<VaultAnswer>;
  /** How long our token lives, in seconds; 0 for ever. */
  tokenTtlS(): Promise<number>;
  close(): void;
}

/** Calls of Vault's HTTP API with a deadline each, and a token that is kept alive. */
export async function openVaultClient(options: VaultClientOptions): Promise<VaultClient> {
  const base = parse(options.address);
  const at = `Vault at ${base.host}`;
  let token = await readToken(options);
  let renewal: NodeJS.Timeout | undefined;
  let closed = false;

  async function send(method: Method, path: string, body: unknown): Promise<VaultAnswer> {
    const response = await fetch(new URL(`/v1/${path}`, base), {
      method,
      headers: {
        "X-Vault-Token": token,
        "X-Vault-Request": "true",
        ...(options.namespace === undefined ? {} : { "X-Vault-Namespace": options.namespace }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A token is for this address only, wherever it may send us.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw away(at, reasonOf(error));
    });
    const text = await response.text().catch((error: unknown) => {
      throw away(at, reasonOf(error));
    });
    const answer = parseJson(text);
    const errors = Errors.safeParse(answer);
    return { status: response.status, body: answer, errors: errors.success ? errors.data.errors : [] };
  }

  async function attempt(method: Method, path: string, body: unknown): Promise<VaultAnswer> {
    let answer = await send(method, path, body);
    if (answer.status === 403 && options.tokenFile !== undefined) {
      // Its keeper may have written a new one since.
      const fresh = await readToken(options);
      if (fresh !== token) {
        token = fresh;
        answer = await send(method, path, body);
      }
    }
    const { status } = answer;
    if ((status >= 200 && status < 300) || status === 400 || status === 404) return answer;
    throw refusal(at, path, answer);
  }

  async function ask(method: Method, path: string, body?: unknown): Promise<VaultAnswer> {
    if (closed) throw problem.unavailable("the secrets are closed");
    const triesMax = method === "GET" ? READ_TRIES : 1;
    for (let tries = 1; ; tries += 1) {
      try {
        return await attempt(method, path, body);
      } catch (error) {
        if (!(error instanceof Problem && error.code === "unavailable") || tries >= triesMax) throw error;
        await sleep(100 * 2 ** tries * (0.5 + Math.random()));
      }
    }
  }

  async function lookUp(): Promise<z.infer<typeof TokenInfo>["data"]> {
    const { body } = await ask("GET", "auth/token/lookup-self");
    const info = TokenInfo.safeParse(body);
    if (!info.success) throw problem.precondition(`${at} does not answer as Vault does: correct MARQUEE_VAULT_ADDR`);
    return info.data.data;
  }

  function renewIn(afterMs: number): void {
    renewal = setTimeout(() => void renew(), Math.min(afterMs, 2 ** 31 - 1));
    renewal.unref();
  }
  async function renew(): Promise<void> {
    try {
      await ask("POST", "auth/token/renew-self", {});
      await keepAlive();
    } catch {
      // `state` tells how long the token has left.
      if (!closed) renewIn(RENEW_AGAIN_MS);
    }
  }

  /** A token that ends is renewed at half of its life; what an agent writes to a file is the agent's business. */
  async function keepAlive(): Promise<void> {
    const { ttl, renewable } = await lookUp();
    if (options.tokenFile === undefined && renewable && ttl > 0) renewIn(ttl * 500);
  }

  await keepAlive();
  return {
    host: base.host,
    ask,
    tokenTtlS: async () => (await lookUp()).ttl,
    close() {
      closed = true;
      clearTimeout(renewal);
    },
  };
}

function parse(address: string): URL {
  const example = "write https://vault.example.org:8200";
  if (!URL.canParse(address)) throw problem.invalid(`the address of Vault, '${address}', is not a URL: ${example}`);
  const url = new URL(address);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw problem.invalid(`the address of Vault begins with '${url.protocol}': ${example}`);
  if (url.username !== "" || url.password !== "")
    throw problem.invalid(`the address of Vault holds a password: give a token by MARQUEE_VAULT_TOKEN, ${example}`);
  return url;
}

async function readToken({ token, tokenFile }: VaultClientOptions): Promise<string> {
  const text =
    tokenFile === undefined
      ? (token ?? "")
      : await readFile(tokenFile, "utf8").catch((cause: unknown) => {
          throw problem.precondition(
            `the token of Vault in '${tokenFile}' cannot be read (${reasonOf(cause)}): correct MARQUEE_VAULT_TOKEN_FILE`,
          );
        });
  const trimmed = text.trim();
  // It becomes a header, so it has one line of visible characters.
  if (trimmed.length > TOKEN_CHARACTERS_MAX || !/^[\x21-\x7e]+$/.test(trimmed)) {
    throw problem.precondition(
      "there is no token for Vault: set MARQUEE_VAULT_TOKEN, or MARQUEE_VAULT_TOKEN_FILE to the file that holds one",
    );
  }
  return trimmed;
}

/** An answer that is no JSON, such as a proxy's page, is nothing that Vault said. */
function parseJson(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : error;
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.name;
}

/** Without a cause: errors of requests hold the request, and that the token. */
function away(at: string, why: string): Problem {
  return problem.unavailable(
    `${at} does not answer (${why}): is it running, and does MARQUEE_VAULT_ADDR point at it?`,
    {
      reason: "secrets_away",
      retryAfterS: 2,
    },
  );
}

function refusal(at: string, path: string, { status, errors }: VaultAnswer): Problem {
  if (status === 403) {
    return problem.precondition(
      `${at} refuses our token at '${path}': it may have ended, or its policy lacks this path (docs/guides/operate.md has one that suffices)`,
    );
  }
  if (status === 503 && errors.some((error) => /sealed/i.test(error)))
    return problem.unavailable(`${at} is sealed: unseal it`, { reason: "secrets_away", retryAfterS: 10 });
  if (status === 429 || status >= 500)
    return problem.unavailable(`${at} cannot answer now (${status}): try again`, {
      reason: "secrets_away",
      retryAfterS: 2,
    });
  if (status >= 300 && status < 400)
    return problem.precondition(`${at} sends us elsewhere (${status}): point MARQUEE_VAULT_ADDR at its active node`);
  return problem.internal(`${at} answered ${status} at '${path}'`);
}
