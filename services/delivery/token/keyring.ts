import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { LRUCache } from "lru-cache";
import { type Clock, Problem } from "#kernel";
import type { Secrets } from "#kernel/ports/secrets";
import { type CatClaims, tokenIssuer } from "#media/cat";
import type { CoseVerify } from "#media/cose";
import { KEY_LIFETIME_MS } from "./domain.ts";

const SECRET = "token/cat";
/** The current key, the previous one, and one more, so that a rotation by hand right after another ends no token in use. */
const KEYS_MAX = 3;
const PSEUDONYMS_MAX = 10_000;

interface StoredKey {
  readonly kid: string;
  readonly createdAtMs: number;
  readonly privateJwk: Record<string, unknown>;
}
interface StoredRing {
  readonly keys: readonly StoredKey[];
  /** Makes pseudonyms of user ids. It never changes, or a person would become somebody else in the edges' logs. */
  readonly pseudonymKey: string;
}

/** The signing keys of access tokens. They live in the secrets port; what leaves this file is public or a signature. */
export interface Keyring {
  issue(claims: CatClaims): Promise<string>;
  readonly verify: CoseVerify;
  publicJwks(): string;
  pseudonym(userId: string): string;
  /** Rotates when the current key is a week old, or at once. Returns the current key's id. */
  rotate(options: { readonly force: boolean }): Promise<string>;
  /** Takes over what another process rotated. */
  reload(): Promise<void>;
}

export async function openKeyring(secrets: Secrets, clock: Clock): Promise<Keyring> {
  let ring = await load(secrets, clock);
  let active = activate(ring);
  const pseudonyms = new LRUCache<string, string>({ max: PSEUDONYMS_MAX });

  async function reload(): Promise<void> {
    ring = await load(secrets, clock);
    active = activate(ring);
  }

  return {
    issue: (claims) => active.issue(claims),
    verify: (kid, _algorithm, bytes, signature) => {
      const key = kid && active.publicKeys.get(Buffer.from(kid).toString());
      return key !== undefined && verify("sha256", bytes, { key, dsaEncoding: "ieee-p1363" }, signature);
    },
    publicJwks: () => active.jwks,
    pseudonym(userId) {
      const known = pseudonyms.get(userId);
      if (known !== undefined) return known;
      const made = createHmac("sha256", active.pseudonymKey).update(userId).digest("base64url").slice(0, 22);
      pseudonyms.set(userId, made);
      return made;
    },
    reload,
    async rotate({ force }) {
      // Another process may have rotated since we looked: what it made is the base of what we make.
      const stored = await secrets.get(SECRET);
      await reload();
      const current = ring.keys[0];
      if (!force && current && clock.nowMs() - current.createdAtMs < KEY_LIFETIME_MS) return current.kid;
      const next = { ...ring, keys: [newKey(clock.nowMs()), ...ring.keys].slice(0, KEYS_MAX) };
      await secrets.put(SECRET, next, { expectedVersion: stored?.version ?? 0 });
      await reload();
      return next.keys[0]?.kid ?? "";
    },
  };
}

function activate(ring: StoredRing) {
  const current = ring.keys[0];
  if (!current) throw new Problem("internal", "the access token key ring is empty");
  const privateKey = createPrivateKey({ key: current.privateJwk, format: "jwk" });
  const publicKeys = new Map<string, KeyObject>(
    ring.keys.map((key) => [key.kid, createPublicKey(createPrivateKey({ key: key.privateJwk, format: "jwk" }))]),
  );
  return {
    publicKeys,
    pseudonymKey: Buffer.from(ring.pseudonymKey, "base64url"),
    issue: tokenIssuer({
      kid: Buffer.from(current.kid),
      sign: (_kid, _algorithm, bytes) => sign("sha256", bytes, { key: privateKey, dsaEncoding: "ieee-p1363" }),
    }),
    jwks: JSON.stringify({
      keys: [...publicKeys].map(([kid, key]) => ({ ...key.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" })),
    }),
  };
}

async function load(secrets: Secrets, clock: Clock): Promise<StoredRing> {
  const stored = await secrets.get(SECRET);
  if (stored) return stored.value as unknown as StoredRing;
  const fresh: StoredRing = { keys: [newKey(clock.nowMs())], pseudonymKey: randomBytes(32).toString("base64url") };
  try {
    await secrets.put(SECRET, { ...fresh }, { expectedVersion: 0 });
    return fresh;
  } catch (error) {
    // Another process was faster: its ring is the ring.
    const theirs = await secrets.get(SECRET);
    if (theirs) return theirs.value as unknown as StoredRing;
    throw error;
  }
}

function newKey(nowMs: number): StoredKey {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    kid: randomBytes(6).toString("base64url"),
    createdAtMs: nowMs,
    privateJwk: { ...privateKey.export({ format: "jwk" }) },
  };
}
