import { createPublicKey } from "node:crypto";
import { z } from "zod";
import { KEYS_PATH } from "#contracts/origin/edges";
import { COSE_ALGORITHMS, type CoseVerify } from "#media/cose";
import { type CoseKey, nodeVerifier } from "#media/cose/node";
import type { Upstream } from "./upstream.ts";

/** A stranger can name any key id, so unknown ones make us ask the origin once in a while only. */
const ASK_AGAIN_MS = 1_000;
const KEYS_MAX = 16;

const KeySet = z.object({
  issuer: z.string().min(1).max(256),
  keys: z
    .array(
      z.looseObject({
        kty: z.literal("EC"),
        crv: z.literal("P-256"),
        kid: z.string().min(1).max(128),
        x: z.string(),
        y: z.string(),
      }),
    )
    .max(KEYS_MAX),
});

/** The issuer's public keys as the origin publishes them. */
export interface KeyStore {
  readonly verify: CoseVerify;
  /** Undefined until the origin told us. */
  issuer(): string | undefined;
  has(kid: Uint8Array | undefined): boolean;
  /** Changes when a key was withdrawn: what it had signed counts no more. */
  generation(): number;
  /** Fetches the keys. A failure leaves the known ones in force and is thrown. */
  refresh(): Promise<void>;
  /** Fetches them because a token names one that is unknown; at most once a second, shared by all who wait. */
  refreshSoon(): Promise<void>;
}

export function openKeyStore(upstream: Upstream, nowMs: () => number): KeyStore {
  let byKid = new Map<string, CoseKey>();
  let verifier: CoseVerify = () => false;
  let issuer: string | undefined;
  let generation = 0;
  let asked: { readonly atMs: number; readonly done: Promise<void> } | undefined;

  async function refresh(): Promise<void> {
    const { status, body } = await upstream.getJson(KEYS_PATH);
    if (status !== 200) throw new Error(`the origin answered ${status} to ${KEYS_PATH}`);
    const set = KeySet.parse(body);
    const next = new Map(
      set.keys.map((jwk) => {
        const key = createPublicKey({ key: jwk, format: "jwk" });
        return [jwk.kid, { kid: Buffer.from(jwk.kid), algorithm: COSE_ALGORITHMS.ES256, key }] as const;
      }),
    );
    if ([...byKid].some(([kid, { key }]) => next.get(kid)?.key.equals(key) !== true)) generation += 1;
    byKid = next;
    verifier = nodeVerifier([...next.values()]);
    issuer = set.issuer;
  }

  return {
    // A token must name its key; nodeVerifier would try the only one for a token that does not.
    verify: (kid, algorithm, bytes, signature) => kid !== undefined && verifier(kid, algorithm, bytes, signature),
    issuer: () => issuer,
    has: (kid) => kid !== undefined && byKid.has(Buffer.from(kid).toString()),
    generation: () => generation,
    refresh,
    refreshSoon() {
      const atMs = nowMs();
      if (asked === undefined || atMs - asked.atMs >= ASK_AGAIN_MS) asked = { atMs, done: refresh().catch(() => {}) };
      return asked.done;
    },
  };
}
