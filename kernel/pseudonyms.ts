import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { problem } from "./errors.ts";
import type { Secrets } from "./ports/secrets.ts";

/**
 * People in logs and traces: the same name for the same person everywhere, from which nobody without the key learns who it is (ARCH-001
 * section 9, "PII Handling"). The key is in the secrets port, so that all processes of a product agree.
 */
export interface Pseudonyms {
  /** Such as `usr~9f86d081884c7d65` for `usr_01k…`; `usr~` while the key is not known yet. */
  of(id: string): string;
}

/** The attribute of a span that says who watches (OpenTelemetry semantic conventions, "End user attributes"). */
export const VIEWER = "enduser.pseudo.id";

const SECRET_NAME = "logs/pseudonyms";
const KEY_BYTES = 32;
/** 64 bits: two of a million people share a name with a chance of one to 37 million. */
const DIGITS = 16;
const KNOWN_MAX = 10_000;

export interface LatePseudonyms extends Pseudonyms {
  /** Reads the key, or makes it. Before, everybody has the same empty name: logs begin earlier than the secrets can be read. */
  load(secrets: Pick<Secrets, "get" | "put">): Promise<void>;
}

export function openPseudonyms(): LatePseudonyms {
  const known = new LRUCache<string, string>({ max: KNOWN_MAX });
  let key: Buffer | undefined;
  return {
    of(id) {
      const prefix = /^[a-z]{2,6}(?=_)/.exec(id)?.[0] ?? "id";
      if (key === undefined) return `${prefix}~`;
      const made = known.get(id) ?? `${prefix}~${createHmac("sha256", key).update(id).digest("hex").slice(0, DIGITS)}`;
      known.set(id, made);
      return made;
    },
    async load(secrets) {
      key = (await read(secrets)) ?? (await make(secrets));
    },
  };
}

async function read(secrets: Pick<Secrets, "get">): Promise<Buffer | undefined> {
  const text = (await secrets.get(SECRET_NAME))?.value["key"];
  return typeof text === "string" ? Buffer.from(text, "base64") : undefined;
}

async function make(secrets: Pick<Secrets, "get" | "put">): Promise<Buffer> {
  const made = randomBytes(KEY_BYTES);
  try {
    await secrets.put(SECRET_NAME, { key: made.toString("base64") }, { expectedVersion: 0 });
    return made;
  } catch (error) {
    // Another process was faster: its key is the key.
    const theirs = await read(secrets);
    if (theirs) return theirs;
    throw problem.unavailable("the key of pseudonyms can neither be read nor made", { cause: error });
  }
}
