import { isLoopback, problem, type Platform } from "#kernel";
import type { Secrets } from "#kernel/ports/secrets";
import { encrypt, newVapidKey, type Receiver, vapidHeader, type VapidKey, vapidKeyOf } from "./web-push.ts";

const SECRET = "notification/vapid";
const ENDPOINT_CHARS_MAX = 1_000;
const TIMEOUT_MS = 10_000;

/** The push services of the browsers there are; a dot before a name takes in what is below it. */
const HOSTS = ["fcm.googleapis.com", ".push.services.mozilla.com", ".push.apple.com", ".notify.windows.com"] as const;

export interface Subscription extends Receiver {
  readonly endpoint: string;
}

/** What became of a push: it was taken, the browser is gone for good, it may be tried again, or it never will be taken. */
export type Outcome =
  | { readonly kind: "taken" | "gone" | "refused" }
  | { readonly kind: "again"; readonly afterMs: number };

export interface Push {
  readonly publicKey: string;
  /** Refuses an address that is none of a known push service: what a browser names, we fetch. */
  assertEndpoint(endpoint: string): void;
  send(to: Subscription, message: Buffer, how: { readonly ttlMs: number; readonly topic: string }): Promise<Outcome>;
}

export async function openPush({
  secrets,
  clock,
  config,
}: Pick<Platform, "secrets" | "clock" | "config">): Promise<Push> {
  const key = await loadKey(secrets);
  const more = (config.MARQUEE_PUSH_HOSTS ?? "").split(",").filter(Boolean);
  const contact = `mailto:${/<([^<>]+)>/.exec(config.MARQUEE_MAIL_FROM)?.[1] ?? config.MARQUEE_MAIL_FROM}`;
  const isKnown = (endpoint: string): boolean => isPushService(endpoint, more);
  return {
    publicKey: key.publicKey,
    assertEndpoint(endpoint) {
      if (!isKnown(endpoint))
        throw problem.invalid("the endpoint is none of a push service that we know: MARQUEE_PUSH_HOSTS names more", {
          reason: "push_service_unknown",
        });
    },
    async send(to, message, { ttlMs, topic }) {
      // What was allowed once may not be any more.
      if (!isKnown(to.endpoint)) return { kind: "gone" };
      const answered = await fetch(to.endpoint, {
        method: "POST",
        body: new Uint8Array(encrypt(message, to)),
        headers: {
          authorization: vapidHeader(key, to.endpoint, contact, clock.nowMs()),
          "content-encoding": "aes128gcm",
          "content-type": "application/octet-stream",
          ttl: String(Math.max(0, Math.ceil(ttlMs / 1_000))),
          urgency: "high",
          topic,
        },
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch(() => undefined);
      await answered?.body?.cancel().catch(() => {});
      return answered ? outcomeOf(answered.status, answered.headers.get("retry-after")) : { kind: "again", afterMs: 0 };
    },
  };
}

/** What an answer means (RFC 8030, section 5; RFC 8292, section 4.2). */
export function outcomeOf(status: number, retryAfter: string | null): Outcome {
  if (status >= 200 && status < 300) return { kind: "taken" };
  if (status === 404 || status === 410) return { kind: "gone" };
  if (status === 429 || status >= 500) {
    const seconds = /^\d{1,6}$/.test(retryAfter ?? "") ? Number(retryAfter) : 0;
    return { kind: "again", afterMs: seconds * 1_000 };
  }
  return { kind: "refused" };
}

/** Whether an address is one of a push service: HTTPS at one of the known hosts, or where the operator says so; on loopback plain HTTP too. */
export function isPushService(endpoint: string, more: readonly string[]): boolean {
  const url = endpoint.length <= ENDPOINT_CHARS_MAX ? URL.parse(endpoint) : null;
  if (!url || url.username !== "" || url.password !== "" || url.hash !== "") return false;
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) return false;
  const isOneOf = (host: string) =>
    host.startsWith(".") ? url.host.endsWith(host) && url.host.length > host.length : url.host === host;
  return (url.protocol === "https:" ? [...HOSTS, ...more] : more).some(isOneOf);
}

/** The product's key: browsers subscribe with it, so it never changes. */
async function loadKey(secrets: Secrets): Promise<VapidKey> {
  const read = async (): Promise<VapidKey | undefined> => {
    const value = (await secrets.get(SECRET))?.value as { publicKey: string; privateKey: string } | undefined;
    return value && vapidKeyOf(value);
  };
  const known = await read();
  if (known) return known;
  const made = newVapidKey();
  try {
    await secrets.put(SECRET, made, { expectedVersion: 0 });
    return vapidKeyOf(made);
  } catch (error) {
    // Another process was faster: its key is the key.
    const theirs = await read();
    if (theirs) return theirs;
    throw error;
  }
}
