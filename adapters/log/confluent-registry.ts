import { LRUCache } from "lru-cache";
import { z } from "zod";
import { type Problem, problem } from "#kernel/errors";
import type { SchemaRegistry } from "#kernel/ports/log";
import { canonical, checkSchema, checkSubject } from "./schemas.ts";

export interface ConfluentRegistryOptions {
  /** Where the registry's API begins, such as `http://registry:8081`; may hold a user and a password. */
  readonly url: string;
}

const REQUEST_TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 1024 * 1024;
const TRIES_MAX = 3;
const RETRY_MS = 200;
const SCHEMAS_MAX = 1_000;

/** Error codes of the Confluent Schema Registry's API ("Errors"): the first three digits are the HTTP status. */
const CODE = { subjectNotFound: 40_401, schemaNotFound: 40_403, incompatible: 409, invalidSchema: 42_201 } as const;

const Fault = z.object({ error_code: z.number().int().optional(), message: z.string().optional() });
const Registered = z.object({ id: z.number().int().positive() });
const Schema = z.object({ schema: z.string() });
const Level = z.object({ compatibilityLevel: z.string() });
const STRICT_ENOUGH: ReadonlySet<string> = new Set(["BACKWARD", "BACKWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"]);

/**
 * A Confluent-compatible schema registry over HTTP. Compatibility is asserted to be BACKWARD or stricter for each subject that we register,
 * whatever the registry's own default is. Schemas never change, so what was read once is not asked for again.
 */
export async function openConfluentRegistry(options: ConfluentRegistryOptions): Promise<SchemaRegistry> {
  const base = new URL(options.url);
  const headers: Record<string, string> = {
    accept: "application/vnd.schemaregistry.v1+json, application/json",
    "content-type": "application/vnd.schemaregistry.v1+json",
  };
  if (base.username !== "") {
    const login = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`;
    headers["authorization"] = `Basic ${Buffer.from(login).toString("base64")}`;
    base.username = "";
    base.password = "";
  }
  const root = base.href.replace(/\/$/, "");
  const texts = new LRUCache<number, string>({ max: SCHEMAS_MAX });
  const closing = new AbortController();

  async function once<T>(method: string, path: string, answer: z.ZodType<T>, body?: unknown): Promise<T> {
    const signal = AbortSignal.any([AbortSignal.timeout(REQUEST_TIMEOUT_MS), closing.signal]);
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${root}${path}`, {
        method,
        headers,
        signal,
        redirect: "error",
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await textOf(response);
    } catch (cause) {
      throw problem.unavailable(`the schema registry at ${root} does not answer (${reasonOf(cause)})`, { cause });
    }
    const parsed = parseJson(text);
    if (!response.ok) throw faultOf(root, path, response.status, Fault.safeParse(parsed).data ?? {});
    const result = answer.safeParse(parsed);
    if (result.success) return result.data;
    throw problem.unavailable(
      `${root}${path} does not answer as a Confluent-compatible registry: check MARQUEE_SCHEMA_REGISTRY_URL`,
    );
  }

  /** Every request may be repeated: registering what is registered gives the same id. */
  async function ask<T>(method: string, path: string, answer: z.ZodType<T>, body?: unknown): Promise<T> {
    if (closing.signal.aborted) throw problem.unavailable("the schema registry is closed");
    for (let tries = 1; ; tries += 1) {
      try {
        return await once(method, path, answer, body);
      } catch (error) {
        const isWorthIt = (error as Problem).code === "unavailable" && !closing.signal.aborted;
        if (!isWorthIt || tries >= TRIES_MAX) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS * tries));
      }
    }
  }

  const at = (subject: string): string => encodeURIComponent(subject);

  /** The id of exactly this schema under this subject, where it is registered. */
  async function find(subject: string, schema: string): Promise<number | undefined> {
    const found = await ask("POST", `/subjects/${at(subject)}`, Registered, { schema }).catch((error: unknown) => {
      if ((error as Problem).code === "not_found") return undefined;
      throw error;
    });
    return found?.id;
  }

  /** A registry whose default is laxer than BACKWARD gets a rule for this subject. */
  async function assertCompatibility(subject: string): Promise<void> {
    const level = await ask("GET", `/config/${at(subject)}?defaultToGlobal=true`, Level).then(
      ({ compatibilityLevel }) => compatibilityLevel,
      (error: unknown) => {
        if ((error as Problem).code === "not_found") return "NONE";
        throw error;
      },
    );
    if (STRICT_ENOUGH.has(level)) return;
    // Confluent's answers `compatibility`, Apicurio's `compatibilityLevel`; what was asked for holds either way.
    await ask("PUT", `/config/${at(subject)}`, z.object({}), { compatibility: "BACKWARD" });
  }

  return {
    async register(subject, text) {
      checkSubject(subject);
      checkSchema(subject, text);
      // Not every registry takes the same schema with other blanks for the same.
      const schema = canonical(text);
      // Looked up first: an older program may start beside a newer one, and what it knows need not be the latest any more.
      const known = await find(subject, schema);
      if (known !== undefined) return known;
      await assertCompatibility(subject);
      const { id } = await ask("POST", `/subjects/${at(subject)}/versions`, Registered, { schema });
      return id;
    },
    async byId(id) {
      if (closing.signal.aborted) throw problem.unavailable("the schema registry is closed");
      if (!Number.isSafeInteger(id) || id < 0) throw problem.notFound(`no schema has the id ${id}`);
      const known = texts.get(id);
      if (known !== undefined) return known;
      const { schema } = await ask("GET", `/schemas/ids/${id}`, Schema);
      texts.set(id, schema);
      return schema;
    },
    async state() {
      if (closing.signal.aborted) return { ok: false, detail: "the schema registry is closed" };
      return once("GET", "/config", Level).then(
        () => ({ ok: true, detail: `schema registry at ${root}` }),
        (error: unknown) => ({ ok: false, detail: (error as Error).message }),
      );
    },
    async close() {
      closing.abort();
    },
  };
}

async function textOf(response: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > ANSWER_BYTES_MAX) throw new Error(`more than ${ANSWER_BYTES_MAX} bytes`);
  }
  return text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}

function faultOf(root: string, path: string, status: number, fault: z.infer<typeof Fault>): Problem {
  const code = fault.error_code ?? status;
  const said = (fault.message ?? "").slice(0, 500);
  const subject = decodeURIComponent(/^\/subjects\/([^/]+)/.exec(path)?.[1] ?? "");
  if (code === CODE.incompatible || status === 409)
    return problem.precondition(
      `the new schema of '${subject}' cannot read what the current one writes (${said}): give every new field a default and change no type`,
      { reason: "incompatible_schema" },
    );
  if (code === CODE.invalidSchema || status === 422)
    return problem.invalid(`the schema for '${subject}' is refused by the registry: ${said}`);
  if (code === CODE.schemaNotFound || code === CODE.subjectNotFound || status === 404)
    return problem.notFound(
      path.startsWith("/schemas/ids/") ? `no schema has the id ${path.split("/").at(-1)}` : `'${path}': ${said}`,
    );
  if (status === 401 || status === 403)
    return problem.denied(`the schema registry at ${root} does not let us in: check the login in its URL`);
  return problem.unavailable(`the schema registry at ${root} answered ${status} (${said})`);
}
