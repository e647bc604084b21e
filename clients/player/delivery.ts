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
  /**
   * Ids, the best one first, as the platform said last: when the session began, in a steering manifest or in the answer to a
   * heartbeat. The last word counts.
   */
  preference: readonly string[];
  /** The network that the last segment came from. */
  lastUsed: string | null;
  /** When each network may be trusted again, by id, in milliseconds of the caller's clock. */
  readonly unhealthyUntilMs: Map<string, number>;
}

export function createDelivery(cdns: readonly Cdn[]): Delivery {
  return { cdns, preference: cdns.map(({ id }) => id), lastUsed: null, unhealthyUntilMs: new Map() };
}

/**
 * The order of a content steering manifest (ETSI TS 103 998, section 6; draft-pantos-hls-rfc8216bis, section 7.2): pathways
 * are named like our networks. Null where it is none, or names nothing that we know.
 */
export function steeredOrder(delivery: Delivery, manifest: unknown): string[] | null {
  const priority: unknown =
    typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "PATHWAY-PRIORITY") : null;
  if (!Array.isArray(priority)) return null;
  const known = delivery.cdns.map(({ id }) => id).filter((id) => priority.includes(id));
  return known.length === 0 ? null : known.sort((a, b) => priority.indexOf(a) - priority.indexOf(b));
}

/** Where the next request goes when nothing else is known about it. */
export function presentCdn(delivery: Delivery, nowMs: number): string {
  const order = orderOf(delivery, []);
  return order.find((id) => (delivery.unhealthyUntilMs.get(id) ?? 0) <= nowMs) ?? order[0] ?? "";
}

function orderOf(delivery: Delivery, others: readonly string[]): string[] {
  return [...new Set([...delivery.preference, ...others, ...delivery.cdns.map(({ id }) => id)])];
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

/**
 * Where a license is asked for: with the present token, and without the CMCD that Shaka adds to license requests too. Keys
 * that the page holds already come from a `data:` address, which any parameter would break.
 */
export function forLicense(uri: string, token: string): string {
  const bare = withoutCmcd(uri);
  return bare.startsWith("data:") ? bare : withToken(bare, token);
}

function withoutCmcd(uri: string): string {
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
 * The fail-over order for one request, which is offered on every network: in the platform's order, then in that of the
 * manifest. A network that failed in the last half minute goes last, and is still there: it may be the only one left.
 */
export function candidates(delivery: Delivery, uris: readonly string[], nowMs: number): string[] {
  const first = uris[0];
  const cdn = first === undefined ? null : cdnOf(delivery, first);
  if (first === undefined || cdn === null) return [...uris];
  const path = first.slice(withSlash(cdn.baseUrl).length);
  const listed = uris.map((uri) => cdnOf(delivery, uri)?.id).filter((id) => id !== undefined);
  const order = orderOf(delivery, listed);
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
