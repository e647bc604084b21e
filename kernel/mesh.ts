/**
 * Who is who among our processes: each has a certificate whose URIs name what it runs, `spiffe://marquee/svc/session`
 * (after SPIFFE ID, section 2; a certificate of ours has one for each service, where an X.509-SVID has a single one). An authority
 * of our own signs it. The authority lives in the secrets port and is made by whoever needs it first. Certificates
 * live for a day and are replaced while they are in use.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { z } from "zod";
import type { Clock } from "./clock.ts";
import { Problem, problem } from "./errors.ts";
import type { Secrets } from "./ports/secrets.ts";
import type { AdapterState } from "./ports/state.ts";
import type { Logger } from "./telemetry.ts";
import { type Identity, makeAuthority, makePeer } from "./x509.ts";

/** What a TLS connection between our processes is made with; connections of TLS 1.3 only, with certificates both ways. */
export interface PeerTls {
  readonly ca: readonly string[];
  readonly cert: string;
  readonly key: string;
}

export interface MeshIdentity {
  /** What this process may call itself. */
  readonly services: readonly string[];
  /** The present certificate. */
  tls(): PeerTls;
  /** Told after each replacement. */
  onReplaced(listener: () => void): void;
  state(): AdapterState;
  stop(): Promise<void>;
}

export interface MeshOptions {
  readonly services: readonly string[];
  readonly secrets: Pick<Secrets, "get" | "put">;
  readonly clock: Clock;
  readonly logger: Logger;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LEAF_MS = DAY_MS;
/** With two thirds of its life over there is time for an authority that cannot be reached for hours. */
const REPLACE_AFTER_MS = 16 * HOUR_MS;
const RETRY_MS = 60_000;
/** Clocks of other machines may be a little behind. */
const BACKDATED_MS = 10 * 60_000;
const AUTHORITY_MS = 730 * DAY_MS;
const RENEW_AUTHORITY_MS = 60 * DAY_MS;
/** A new authority signs only when every process has met it, which happens with each replacement. */
const ANNOUNCED_MS = 2 * DAY_MS;
const SECRET = "mesh/ca";
const TRIES_MAX = 5;
const SERVICES_MAX = 100;
const NAME = /^[a-z][a-z0-9-]{0,62}$/;
const URI_PREFIX = "spiffe://marquee/svc/";

const StoredAuthority = z.object({
  createdAtMs: z.number().int(),
  certificatePem: z.string().max(8_192),
  keyPem: z.string().max(8_192),
});
type StoredAuthority = z.infer<typeof StoredAuthority>;
const Ring = z.object({ authorities: z.array(StoredAuthority).min(1).max(8) });

/** The services that a certificate names, from Node's text of its alternative names. What is not of our form is not there. */
export function servicesOf(subjectAltName: string | undefined): string[] {
  return (subjectAltName ?? "").split(", ").flatMap((entry) => {
    const name = entry.startsWith(`URI:${URI_PREFIX}`) ? entry.slice(4 + URI_PREFIX.length) : "";
    return NAME.test(name) ? [name] : [];
  });
}

const untilMsOf = (certificatePem: string): number => Date.parse(new X509Certificate(certificatePem).validTo);

/** The newest authority that was announced for long enough, else the oldest one. */
export function signerOf<A extends { readonly createdAtMs: number }>(
  authorities: readonly A[],
  nowMs: number,
): A | undefined {
  const sorted = authorities.toSorted((a, b) => a.createdAtMs - b.createdAtMs);
  return sorted.findLast(({ createdAtMs }) => createdAtMs + ANNOUNCED_MS <= nowMs) ?? sorted[0];
}

/** The authorities to trust; makes the first one, and the next one in time. Of many processes that do so at once, one is heard. */
async function loadAuthorities(secrets: MeshOptions["secrets"], clock: Clock): Promise<readonly StoredAuthority[]> {
  for (let attempt = 1; ; attempt++) {
    const secret = await secrets.get(SECRET);
    const parsed = secret && Ring.safeParse(secret.value);
    if (parsed && !parsed.success)
      throw problem.precondition(
        `the secret '${SECRET}' is damaged: restore it, or delete it and restart every process`,
      );
    const nowMs = clock.nowMs();
    const living = (parsed?.data.authorities ?? []).filter(({ certificatePem }) => untilMsOf(certificatePem) > nowMs);
    const isEnough = living.some(({ certificatePem }) => untilMsOf(certificatePem) > nowMs + RENEW_AUTHORITY_MS);
    if (isEnough) return living;
    const made = makeAuthority("Marquee mesh", { fromMs: nowMs - BACKDATED_MS, untilMs: nowMs + AUTHORITY_MS });
    const authorities = [
      ...living,
      {
        createdAtMs: nowMs,
        certificatePem: made.certificatePem,
        keyPem: String(made.key.export({ type: "pkcs8", format: "pem" })),
      },
    ];
    try {
      await secrets.put(SECRET, { authorities }, { expectedVersion: secret?.version ?? 0 });
      return authorities;
    } catch (error) {
      if (attempt >= TRIES_MAX || !(error instanceof Problem) || error.code !== "aborted") throw error;
    }
  }
}

async function issue({ services, secrets, clock }: MeshOptions): Promise<PeerTls & { readonly untilMs: number }> {
  const authorities = await loadAuthorities(secrets, clock);
  const nowMs = clock.nowMs();
  const signer = signerOf(authorities, nowMs);
  if (!signer) throw problem.internal("there is no authority to sign with");
  const authority: Identity = { certificatePem: signer.certificatePem, key: createPrivateKey(signer.keyPem) };
  const untilMs = nowMs + LEAF_MS;
  const uris = services.map((name) => URI_PREFIX + name);
  const leaf = makePeer("marquee", uris, authority, { fromMs: nowMs - BACKDATED_MS, untilMs });
  return {
    ca: authorities.map(({ certificatePem }) => certificatePem),
    cert: leaf.certificatePem,
    key: String(leaf.key.export({ type: "pkcs8", format: "pem" })),
    untilMs,
  };
}

/** Gets a certificate for this process, and a new one long before it ends. */
export async function openMeshIdentity(options: MeshOptions): Promise<MeshIdentity> {
  const { services, clock, logger } = options;
  const wrong = services.find((name) => !NAME.test(name));
  if (wrong !== undefined || services.length === 0 || services.length > SERVICES_MAX)
    throw problem.invalid(
      `a process runs 1 to ${SERVICES_MAX} services, each a word like 'session', not '${wrong ?? ""}'`,
    );
  let current = await issue(options);
  const listeners: (() => void)[] = [];
  const stopping = new AbortController();

  async function keepFresh(): Promise<void> {
    let waitMs = REPLACE_AFTER_MS;
    while (!stopping.signal.aborted) {
      await clock.sleep(waitMs, stopping.signal).catch(() => {});
      if (stopping.signal.aborted) return;
      try {
        current = await issue(options);
        for (const listener of listeners) listener();
        waitMs = REPLACE_AFTER_MS;
      } catch (error) {
        waitMs = RETRY_MS;
        logger.warn("the certificate of this process could not be replaced and will be tried again", { error });
      }
    }
  }
  const keeping = keepFresh();

  return {
    services,
    tls: () => current,
    onReplaced: (listener) => void listeners.push(listener),
    state() {
      const leftMs = current.untilMs - clock.nowMs();
      if (leftMs <= 0)
        return { ok: false, detail: `its certificate has ended: the secret '${SECRET}' could not be read` };
      return { ok: true, detail: `certificate for ${services.join(", ")}, ${Math.floor(leftMs / HOUR_MS)} h left` };
    },
    async stop() {
      stopping.abort();
      await keeping;
    },
  };
}
