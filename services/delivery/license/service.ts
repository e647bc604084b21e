// License: ClearKey from our own keys; Widevine, PlayReady and FairPlay through the vendors' servers. Every answer is checked against session, right and token.
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Ads } from "#contracts/ads";
import { Entitlement } from "#contracts/entitlement";
import { Keys } from "#contracts/keys";
import { License } from "#contracts/license";
import { isChannelId, Live } from "#contracts/live";
import { Session } from "#contracts/session";
import { Token } from "#contracts/token";
import { type Config, defineService, type Platform, problem, toProblem } from "#kernel";
import { type Gate, openGate } from "./gate.ts";
import { allowedClasses, clearKeyLicense, type DrmSystem, requestedKids, securityLevelOf } from "./domain.ts";

const BODY_BYTES_MAX = 64 * 1_024;
const VENDOR_TIMEOUT_MS = 5_000;

const uses = { ads: Ads, session: Session, entitlement: Entitlement, keys: Keys, live: Live, token: Token };
export type LicensePlatform = Platform<typeof License, typeof uses>;
interface Parts extends Pick<LicensePlatform, "call" | "config" | "addresses"> {
  readonly gate: Gate;
  readonly answered: (system: string, code: string) => void;
}

export default defineService({
  contract: License,
  uses,
  slo: { p99Ms: 100, availability: 0.9999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },

  start({ call, config, clock, addresses, metrics }: LicensePlatform): Parts {
    const requests = metrics.counter("license_requests_total", "Licences that were asked for, and what came of it", [
      "system",
      "code",
    ]);
    const answered: Parts["answered"] = (system, code) => requests.inc({ system, code });
    return { call, config, addresses, gate: openGate(call, clock), answered };
  },

  rpc: ({ config, addresses }) => ({
    async locate({ sessionId, token }) {
      const at = (system: string): string => `${addresses.publicUrl}/license/${system}/${sessionId}?CAT=${token}`;
      return {
        clearkey: isClearKeyAllowed(config) ? at("clearkey") : "",
        widevine: config.MARQUEE_WIDEVINE_URL ? at("widevine") : "",
        playready: config.MARQUEE_PLAYREADY_URL ? at("playready") : "",
        fairplay: config.MARQUEE_FAIRPLAY_URL ? at("fairplay") : "",
        fairplayCertificate: config.MARQUEE_FAIRPLAY_CERTIFICATE ? `${addresses.publicUrl}/license/fairplay.cer` : "",
      };
    },
  }),

  http: (parts) => [
    { listener: "public", prefix: "/license/", handle: (request, response) => answer(parts, request, response) },
  ],

  ready: async () => {},
});

/** ClearKey gives keys to the page. It is for development, and for operators who allow it by name. */
const isClearKeyAllowed = (config: Config): boolean => config.MARQUEE_CLEARKEY ?? config.MARQUEE_MODE === "development";

async function answer(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", parts.addresses.publicUrl);
  if (url.pathname === "/license/fairplay.cer") return answerCertificate(parts.config, response);
  const [, , system = "", sessionId = ""] = url.pathname.split("/");
  if (!isSystem(system))
    throw problem.notFound(
      `'${system.slice(0, 40)}' is not a licence system: clearkey, widevine, playready or fairplay`,
    );
  let code = "ok";
  try {
    await answerSystem(parts, system, sessionId, url, request, response);
  } catch (error) {
    ({ code } = toProblem(error));
    throw error;
  } finally {
    parts.answered(system, code);
  }
}

async function answerSystem(
  parts: Parts,
  system: DrmSystem,
  sessionId: string,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  const pass = await parts.gate.admit(sessionId, url.searchParams.get("CAT") ?? "");
  if (system === "clearkey") return answerClearKey(parts, pass, body, response);
  const vendor = vendorUrl(parts.config, system);
  return proxy(vendor, await termsOf(parts, pass, system), request, body, response);
}

const isSystem = (name: string): name is DrmSystem =>
  name === "clearkey" || name === "widevine" || name === "playready" || name === "fairplay";

type Pass = Awaited<ReturnType<Gate["admit"]>>;

async function answerClearKey(
  { call, config }: Parts,
  { session, context }: Pass,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  if (!isClearKeyAllowed(config))
    throw problem.denied("ClearKey is off here: an operator may allow it with MARQUEE_CLEARKEY=1");
  const kids = requestedKids(body.toString("utf8"));
  if (!kids) throw problem.invalid('the licence request is not of the form {"kids": ["…"], "type": "temporary"}');
  const deviceType = session.device?.type ?? "";
  const classes = allowedClasses(deviceType, securityLevelOf(deviceType, "clearkey"));
  const keys = await fromSets(call, session, context, (set) => call.keys.getSet(set, context));
  const granted = keys.filter(
    (key) => (kids.length === 0 || kids.includes(key.kid)) && (classes as ReadonlySet<string>).has(key.keyClass),
  );
  if (granted.length === 0) throw problem.denied("none of these keys belongs to what this device may play");
  response.writeHead(200, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(clearKeyLicense(granted));
}

/** Days that one licence may cover: as many as a window of hours touches, and the next one. */
const SETS_MAX = 64;

/**
 * The keys that a session may have: those of its title's package and of the ads that are shown in it, so that no break waits for a licence; or
 * of the days that its channel's window touches, the present one and the next, and of the ads in its breaks so far. A day that the channel was not on the air has none, and
 * an ad that was removed meanwhile costs itself alone.
 */
async function fromSets<K>(
  call: LicensePlatform["call"],
  { id, contentId, packageRevision, ads }: Pass["session"],
  context: Pass["context"],
  ask: (set: {
    readonly contentId: string;
    readonly packageRevision: number;
  }) => Promise<{ readonly keys: readonly K[] }>,
): Promise<readonly K[]> {
  if (!isChannelId(contentId)) {
    const ofAds = ads.map((ad) =>
      ask({ contentId: ad.contentId, packageRevision: ad.packageRevision }).catch(noneIsNone),
    );
    const [own, ...others] = await Promise.all([ask({ contentId, packageRevision }), ...ofAds]);
    return [own, ...others].flatMap(({ keys }) => keys);
  }
  const [{ dayIndices }, placed] = await Promise.all([
    call.live.locate({ channelId: contentId }, context),
    // Without ads a channel is still a channel.
    call.ads.listPlaced({ sessionId: id }, context).catch(() => ({ ads: [] })),
  ]);
  const sets = [
    ...dayIndices.slice(-SETS_MAX).map((day) => ({ contentId, packageRevision: day })),
    ...placed.ads.slice(-SETS_MAX).map((ad) => ({ contentId: ad.creativeId, packageRevision: ad.packageRevision })),
  ];
  const found = await Promise.all(sets.map((set) => ask(set).catch(noneIsNone)));
  return found.flatMap(({ keys }) => keys);
}

function noneIsNone(error: unknown): { readonly keys: readonly never[] } {
  if (toProblem(error).code === "not_found") return { keys: [] };
  throw error;
}

function vendorUrl(config: Config, system: Exclude<DrmSystem, "clearkey">): string {
  const url = {
    widevine: config.MARQUEE_WIDEVINE_URL,
    playready: config.MARQUEE_PLAYREADY_URL,
    fairplay: config.MARQUEE_FAIRPLAY_URL,
  }[system];
  if (!url) throw problem.unavailable(`${system} is not configured here: set MARQUEE_${system.toUpperCase()}_URL`);
  return url;
}

/** What the vendor needs to know beside the challenge: for which content it is, and which keys the licence may carry at most. */
async function termsOf(
  { call }: Parts,
  { session, context }: Pass,
  system: DrmSystem,
): Promise<Readonly<Record<string, string>>> {
  const { contentId } = session;
  const deviceType = session.device?.type ?? "";
  const level = securityLevelOf(deviceType, system);
  const classes: ReadonlySet<string> = allowedClasses(deviceType, level);
  const keys = await fromSets(call, session, context, (set) => call.keys.signalling(set, context));
  const kids = keys.filter(({ keyClass }) => classes.has(keyClass)).map(({ kid }) => kid);
  return {
    "x-marquee-session": session.id,
    "x-marquee-content": contentId,
    "x-marquee-security-level": level,
    "x-marquee-key-ids": kids.join(","),
  };
}

/** Hands the challenge to the vendor's server and its answer back, unread. */
async function proxy(
  vendor: string,
  terms: Readonly<Record<string, string>>,
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  const headers: Record<string, string> = {
    ...terms,
    "content-type": request.headers["content-type"] ?? "application/octet-stream",
  };
  const soapAction = request.headers["soapaction"];
  if (typeof soapAction === "string") headers["soapaction"] = soapAction;
  const answered = await fetch(vendor, {
    method: "POST",
    headers,
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(VENDOR_TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw problem.unavailable("the licence vendor does not answer", { retryAfterS: 5, cause: error });
  });
  const license = Buffer.from(await answered.arrayBuffer());
  if (!answered.ok) throw problem.unavailable(`the licence vendor answered ${answered.status}`, { retryAfterS: 5 });
  response.writeHead(200, {
    "content-type": answered.headers.get("content-type") ?? "application/octet-stream",
    "cache-control": "no-store",
  });
  response.end(license);
}

async function answerCertificate(config: Config, response: ServerResponse): Promise<void> {
  if (!config.MARQUEE_FAIRPLAY_CERTIFICATE) throw problem.notFound("no FairPlay certificate is configured");
  const certificate = await readFile(config.MARQUEE_FAIRPLAY_CERTIFICATE);
  response.writeHead(200, { "content-type": "application/octet-stream", "cache-control": "public, max-age=3600" });
  response.end(certificate);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  if (request.method !== "POST") throw problem.invalid(`a licence is asked for by POST, not by ${request.method}`);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > BODY_BYTES_MAX) throw problem.invalid(`the licence request is larger than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
