import type { LRUCache } from "lru-cache";
import type { CatRequest } from "#media/cat";
import type { Counters } from "./counters.ts";
import type { StoredObject } from "./disk.ts";
import { finished } from "./download.ts";
import type { Admission, Gate, Refusal } from "./gate.ts";
import type { AccessLog } from "./log.ts";
import type { Live } from "./live.ts";
import { parseLivePath } from "./live-path.ts";
import { compileManifest, type Manifest } from "./manifest.ts";
import { cacheKeyOf, isMainManifest, type MediaPath, parseMediaPath } from "./paths.ts";
import type { Renewal, Renewer } from "./renewal.ts";
import {
  corsHeaders,
  destroy,
  type Fault,
  type Headers,
  objectHeaders,
  preflight,
  type Request,
  type Response,
  sendDownload,
  sendManifest,
  sendObject,
  sendProblem,
  wantedOf,
  writeHead,
} from "./reply.ts";
import type { Source, Store } from "./store.ts";
import { carriedTokens, parseTarget, type Target } from "./target.ts";
import { UpstreamError } from "./upstream.ts";

export type Handler = (request: Request, response: Response) => void;

export interface HandlerParts {
  readonly id: string;
  /** The edge's public address. */
  readonly base: URL;
  readonly gate: Gate;
  readonly renewer: Renewer;
  readonly store: Store;
  readonly live: Live;
  readonly manifests: LRUCache<string, { readonly etag: string; readonly manifest: Manifest }>;
  readonly counters: Counters;
  readonly log: AccessLog | undefined;
  readonly nowMs: () => number;
  readonly isReady: () => boolean;
  readonly gauges: () => Readonly<Record<string, number>>;
}

/** What time it is, for players whose own clock is wrong (DASH-IF IOP, `urn:mpeg:dash:utc:http-iso:2014`); no secret, and no token covers it. */
const TIME_PATH = "/live/time";

/** What is told about an answer, in counters and in the log. */
interface Outcome {
  status: number;
  bytes: number;
  source: Source | "-";
  sessionId: string;
  reason: string;
}

const FAULTS = {
  target: { status: 400, reason: "bad_target", detail: "the request target is no path, or too long" },
  method: { status: 405, reason: "method_not_allowed", detail: "media is read by GET or HEAD" },
  unknown: { status: 404, reason: "not_found", detail: "there is no such object here" },
  host: { status: 403, reason: "host", detail: "this network does not answer under that name" },
  notReady: { status: 503, reason: "not_ready", detail: "the keys have not arrived yet: try again", retryAfterS: 1 },
  origin: {
    status: 502,
    reason: "origin_unreachable",
    detail: "the origin does not answer: try again, or another network",
    retryAfterS: 1,
  },
  defect: { status: 500, reason: "internal", detail: "something went wrong on our side" },
} as const satisfies Record<string, Fault>;

export function createHandler(parts: HandlerParts): Handler {
  const { base, gate, renewer, store, counters, log } = parts;
  const names = namesOf(base);
  const place = {
    scheme: base.protocol.slice(0, -1),
    host: base.hostname,
    port: Number(base.port || (base.protocol === "https:" ? 443 : 80)),
  };

  const catRequestOf = (request: Request, { path, query }: Target): CatRequest => ({
    method: request.method ?? "",
    url: { ...place, path, query },
    // Only Set-Cookie would be a list, and no request has it.
    headers: request.headers as Record<string, string | undefined>,
    ip: ipOf(request.socket.remoteAddress),
  });

  async function media(request: Request, response: Response, target: Target, outcome: Outcome): Promise<void> {
    const fail = (fault: Fault, cors?: Headers): void => {
      outcome.status = fault.status;
      outcome.reason = fault.reason;
      outcome.bytes = sendProblem(response, fault, cors);
    };
    if (!names.has(hostOf(request))) return fail(FAULTS.host);
    const tokens = carriedTokens(target.queryToken, request.headers);
    const admission = await gate.admit(tokens, catRequestOf(request, target));
    if (!admission.ok) {
      outcome.sessionId = admission.sessionId ?? "";
      const isCookieUsed = tokens.some(({ carrier }) => carrier === "cookie");
      return fail(faultOf(admission), corsHeaders(request.headers.origin, isCookieUsed));
    }
    outcome.sessionId = admission.claims.sid ?? "";
    const channel = isLive(target.path) ? parseLivePath(target.path, target.query) : null;
    const wanted = parseMediaPath(target.path);
    const isAnothers = channel?.sessionId !== undefined && channel.sessionId !== admission.claims.sid;
    if ((wanted === null && channel === null) || isAnothers) return fail(FAULTS.unknown);
    const renewal = admission.isRenewalDue ? await renewer.renew(admission) : undefined;
    if (renewal !== undefined) counters.renewals += 1;
    const isCookieUsed = renewal !== undefined || admission.carrier === "cookie";
    const cors = corsHeaders(request.headers.origin, isCookieUsed);
    const headers = renewal === undefined ? cors : [...cors, "set-cookie", renewal.cookie];
    const reader = readerOf(admission, renewal, target);
    if (channel !== null) {
      Object.assign(outcome, await parts.live.answer(request, response, channel, reader, headers));
      return;
    }
    if (wanted === null) return;
    const isSteered = target.isSteered && isMainManifest(wanted);
    const found = await store.find(wanted, isSteered);
    if (found.kind === "absent") return fail(FAULTS.unknown, cors);
    outcome.source = found.source;
    const isHead = request.method === "HEAD";
    if (wanted.kind !== "object") {
      const object = found.kind === "object" ? found.object : await finished(found.download);
      const filled = manifestOf(wanted, isSteered, object).fill(reader);
      outcome.status = 200;
      outcome.bytes = sendManifest(response, wanted.contentType, filled, headers, isHead);
      return;
    }
    const subject = found.kind === "object" ? found.object : found.download;
    const part = wantedOf(request.headers, subject.etag, subject.body.length);
    const head = objectHeaders(wanted, subject.etag, subject.body.length, part, headers);
    outcome.status = part.status;
    if (found.kind === "object" || isHead) outcome.bytes = sendObject(response, subject.body, part, head, isHead);
    else outcome.bytes = await sendDownload(response, found.download, part, head);
  }

  /** Compiled once, and again when the origin's text is another one. */
  function manifestOf(wanted: MediaPath, isSteered: boolean, object: StoredObject): Manifest {
    const key = cacheKeyOf(wanted, isSteered);
    const known = parts.manifests.get(key);
    if (known !== undefined && known.etag === object.etag) return known.manifest;
    const manifest = compileManifest(object.body.toString("utf8"), wanted.kind, base.origin);
    parts.manifests.set(key, { etag: object.etag, manifest }, { size: object.body.length * 3 + 1_024 });
    return manifest;
  }

  async function answer(request: Request, response: Response, outcome: Outcome): Promise<Target | null> {
    const url = request.url ?? "";
    const target = parseTarget(url);
    if (request.method === "OPTIONS") {
      outcome.status = 204;
      preflight(request, response);
    } else if (request.method !== "GET" && request.method !== "HEAD") plain(response, outcome, FAULTS.method);
    else if (target === null) plain(response, outcome, FAULTS.target);
    else if (target.path === TIME_PATH) {
      sendText(response, outcome, "text/plain; charset=utf-8", new Date(parts.nowMs()).toISOString());
    } else if (target.path.startsWith("/vod/") || isLive(target.path)) {
      try {
        await media(request, response, target, outcome);
      } catch (error) {
        recover(response, outcome, error);
      }
    } else internal(request, response, outcome, target.path);
    return target;
  }

  /** Health for everybody, metrics for this machine. */
  function internal(request: Request, response: Response, outcome: Outcome, path: string): void {
    const isLocal = LOOPBACK.has(request.socket.remoteAddress ?? "");
    if (path === "/healthz") {
      if (!parts.isReady()) return plain(response, outcome, FAULTS.notReady);
      sendText(response, outcome, "application/json", JSON.stringify({ status: "ok", edge: parts.id }));
    } else if (path === "/metrics" && isLocal) {
      sendText(response, outcome, "text/plain; version=0.0.4", counters.text(parts.id, parts.gauges()));
    } else plain(response, outcome, FAULTS.unknown);
  }

  return (request, response) => {
    const startedMs = performance.now();
    const outcome: Outcome = { status: 0, bytes: 0, source: "-", sessionId: "", reason: "" };
    answer(request, response, outcome).then(
      (target) => {
        const { path, query } = target ?? { path: "", query: "" };
        const access = {
          method: request.method ?? "",
          path,
          query,
          durationMs: performance.now() - startedMs,
          ...outcome,
        };
        counters.note(access);
        log?.write(access);
      },
      // The client went away in the middle of an answer.
      () => destroy(response),
    );
  };
}

function plain(response: Response, outcome: Outcome, fault: Fault): void {
  outcome.status = fault.status;
  outcome.reason = fault.reason;
  outcome.bytes = sendProblem(response, fault);
}

function recover(response: Response, outcome: Outcome, error: unknown): void {
  if (response.headersSent) {
    outcome.reason = "broken_off";
    destroy(response);
    return;
  }
  plain(response, outcome, error instanceof UpstreamError ? FAULTS.origin : FAULTS.defect);
}

function sendText(response: Response, outcome: Outcome, type: string, text: string): void {
  const body = Buffer.from(text);
  writeHead(response, 200, [
    "content-type",
    type,
    "content-length",
    String(body.length),
    "cache-control",
    "no-store",
    "access-control-allow-origin",
    "*",
  ]);
  response.end(body);
  outcome.status = 200;
  outcome.bytes = body.length;
}

const readerOf = (admission: Admission, renewal: Renewal | undefined, target: Target) => ({
  sessionId: admission.claims.sid ?? "",
  token: renewal?.token ?? admission.token,
  isTokenInQuery: target.queryToken !== undefined,
});

function faultOf({ reason }: Refusal): Fault {
  if (reason === "not_ready") return FAULTS.notReady;
  const detail =
    reason === "missing"
      ? "media needs an access token: start playback"
      : `the access token does not allow this (${reason}): renew it, or start playback`;
  return { status: 403, reason, detail };
}

const isLive = (path: string): boolean => path.startsWith("/live/");

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "::ffff:127.0.0.1"]);

/** The names under which an address is asked for: with its port, and without where it is the scheme's own. */
function namesOf({ protocol, hostname, port }: URL): ReadonlySet<string> {
  const ownPort = protocol === "https:" ? "443" : "80";
  return new Set(port === "" ? [hostname, `${hostname}:${ownPort}`] : [`${hostname}:${port}`]);
}

const hostOf = (request: Request): string =>
  ("authority" in request && request.authority ? request.authority : (request.headers.host ?? "")).toLowerCase();

/** IPv4 in IPv6 is IPv4 to a token that names networks. */
const ipOf = (address: string | undefined): string => (address ?? "").replace(/^::ffff:/, "");
