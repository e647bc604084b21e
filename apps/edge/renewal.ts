import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { RENEW_PATH } from "#contracts/origin/edges";
import { renewalField } from "#media/cat";
import type { Admission } from "./gate.ts";
import type { Upstream } from "./upstream.ts";

export interface Renewal {
  readonly token: string;
  /** The whole Set-Cookie value. */
  readonly cookie: string;
}

export interface Renewer {
  /** A successor for a token that is due, or undefined: the session is over, the origin is slow, or the token asks for another way. */
  renew(admission: Admission): Promise<Renewal | undefined>;
}

const Renewed = z.object({ token: z.string().regex(/^[A-Za-z0-9_-]{16,4096}$/), expiresAtMs: z.number() });
/** A segment must not wait for its token: a renewal that takes longer is there for the next request. */
const PATIENCE_MS = 400;
const REFUSED_MS = 5_000;
const KEPT_MS = 120_000;
const RENEWALS_MAX = 20_000;

/** Renews tokens (`catr`) in the name of players that cannot ask for new ones. One question a token, however many requests bring it. */
export function openRenewer(
  upstream: Upstream,
  of: { readonly networkId: string; readonly isSecure: boolean },
  nowMs: () => number,
): Renewer {
  const asked = new LRUCache<string, Promise<string | undefined>>({ max: RENEWALS_MAX, ttl: KEPT_MS });

  async function ask(token: string, digest: string): Promise<string | undefined> {
    const answer = await upstream.postJson(RENEW_PATH, { token, network: of.networkId }).catch(() => undefined);
    const parsed = answer?.status === 200 ? Renewed.safeParse(answer.body) : undefined;
    if (parsed?.success !== true) {
      const refused = asked.peek(digest);
      if (refused !== undefined) asked.set(digest, refused, { ttl: REFUSED_MS });
      return undefined;
    }
    return parsed.data.token;
  }

  return {
    async renew({ token, claims, carrier }) {
      const { catr, catu, exp } = claims;
      if (catr === undefined || exp === undefined) return undefined;
      const digest = hash("sha256", token, "base64url");
      let renewed = asked.get(digest);
      if (renewed === undefined) {
        renewed = ask(token, digest);
        asked.set(digest, renewed);
      }
      const next = await within(renewed, PATIENCE_MS);
      if (next === undefined) return undefined;
      const field = renewalField(catr, carrier, next);
      if (field.kind !== "field" || field.name !== "Set-Cookie") return undefined;
      const path = catu?.get("path")?.prefix ?? catu?.get("path")?.exact ?? "/";
      return { token: next, cookie: `${field.value}; ${attributes(path, exp, catr.expaddS)}` };
    },
  };

  function attributes(path: string, expS: number, expaddS: number): string {
    const ageS = Math.max(1, Math.floor(expS - nowMs() / 1_000 + expaddS));
    // A cookie goes to every player page of every site only over HTTPS; browsers refuse SameSite=None without Secure.
    const site = of.isSecure ? "SameSite=None; Secure" : "SameSite=Lax";
    return `Path=${/^\/[A-Za-z0-9/._-]*$/.test(path) ? path : "/"}; Max-Age=${ageS}; HttpOnly; ${site}`;
  }
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
