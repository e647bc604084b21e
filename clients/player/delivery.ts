/**
 * Which network a media request goes to, and with which token. Pure but for the `Delivery` value that it changes.
 *
 * Every network (CDN) of a session serves the same paths under its own base URL and wants its own Common Access Token in the
 * query (`CAT`). A request may therefore be sent to any of them: the addresses of one request are its fail-over order.
 */
import type { TokenAnswer } from "../../contracts/web/index.ts";

type Cdn = TokenAnswer["cdns"][number];

/** A network that failed is asked last for so long. */
const UNHEALTHY_MS = 30_000;

export interface Delivery {
  cdns: readonly Cdn[];
  /** Ids in the order the platform asked for in its last heartbeat answer; empty until it does. */
  preference: readonly string[];
  /** When each network may be trusted again, by id, in milliseconds of the caller's clock. */
  readonly unhealthyUntilMs: Map<string, number>;
}

export function createDelivery(cdns: readonly Cdn[]): Delivery {
  return { cdns, preference: [], unhealthyUntilMs: new Map() };
}

function withSlash(base: string): string {
  return base.endsWith("/") ? base : `${base}/`;
}

/** The network that serves `uri`, or null for an address of ours (a license) or of nobody we know. */
export function cdnOf(delivery: Delivery, uri: string): Cdn | null {
  let found: Cdn | null = null;
  for (const cdn of delivery.cdns) {
    if (!uri.startsWith(withSlash(cdn.baseUrl))) continue;
    if (found === null || cdn.baseUrl.length > found.baseUrl.length) found = cdn;
  }
  return found;
}

/**
 * `uri` with `token` as its `CAT` parameter. The rest of the query stays byte for byte as it is: rewriting it through
 * URLSearchParams would encode CMCD's values anew.
 */
export function withToken(uri: string, token: string): string {
  const hash = uri.indexOf("#");
  const bare = hash < 0 ? uri : uri.slice(0, hash);
  const question = bare.indexOf("?");
  const parameter = `CAT=${encodeURIComponent(token)}`;
  if (question < 0) return `${bare}?${parameter}`;
  const kept = bare
    .slice(question + 1)
    .split("&")
    .filter((part) => part !== "" && !part.startsWith("CAT="));
  return `${bare.slice(0, question)}?${[...kept, parameter].join("&")}`;
}

/** `uri` without its CMCD, which Shaka adds to license requests too: there it is nobody's, and it breaks a `data:` address. */
export function withoutCmcd(uri: string): string {
  const question = uri.indexOf("?");
  if (question < 0) return uri;
  const kept = uri
    .slice(question + 1)
    .split("&")
    .filter((part) => !part.startsWith("CMCD="));
  return kept.length === 0 ? uri.slice(0, question) : `${uri.slice(0, question)}?${kept.join("&")}`;
}

/** `uri` on its own network with that network's present token; an address that is not media's comes back unchanged. */
export function signed(delivery: Delivery, uri: string): string {
  const cdn = cdnOf(delivery, uri);
  return cdn === null ? uri : withToken(uri, cdn.token);
}

/**
 * The fail-over order for one request. `uris` come from the manifest in the order that content steering gave them; each is
 * offered on every network. Steering's order holds unless a heartbeat answer asked for another one; a network that failed
 * in the last half minute goes last, and is still there: it may be the only one left.
 */
export function candidates(delivery: Delivery, uris: readonly string[], nowMs: number): string[] {
  const first = uris[0];
  const cdn = first === undefined ? null : cdnOf(delivery, first);
  if (first === undefined || cdn === null) return [...uris];
  const path = first.slice(withSlash(cdn.baseUrl).length);
  const steered = uris.map((uri) => cdnOf(delivery, uri)?.id).filter((id) => id !== undefined);
  const order = [...new Set([...delivery.preference, ...steered, ...delivery.cdns.map(({ id }) => id)])];
  const healthy = order.filter((id) => (delivery.unhealthyUntilMs.get(id) ?? 0) <= nowMs);
  const ordered = [...new Set([...healthy, ...order])];
  return ordered.flatMap((id) => {
    const target = delivery.cdns.find((candidate) => candidate.id === id);
    return target === undefined ? [] : [withToken(withSlash(target.baseUrl) + path, target.token)];
  });
}

/** Remembers that the network of `uri` failed. Returns its id, or null where the address is nobody's. */
export function markFailed(delivery: Delivery, uri: string, nowMs: number): string | null {
  const cdn = cdnOf(delivery, uri);
  if (cdn === null) return null;
  delivery.unhealthyUntilMs.set(cdn.id, nowMs + UNHEALTHY_MS);
  return cdn.id;
}

/**
 * When to ask for the next tokens: a minute before they end, which for tokens of five minutes is at four. The bounds hold
 * where the browser's clock is wrong: neither a storm of requests nor a token that is never renewed.
 */
export function refreshDelayMs(tokenExpiresAt: string, nowMs: number): number {
  const untilMs = Date.parse(tokenExpiresAt) - nowMs - 60_000;
  return Math.min(240_000, Math.max(20_000, Number.isFinite(untilMs) ? untilMs : 0));
}
