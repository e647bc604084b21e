// Origin: serves packages to edges. Manifests are written when they are asked for; segments and pictures are objects.
import type { IncomingMessage, ServerResponse } from "node:http";
import { LRUCache } from "lru-cache";
import { Catalog, type CatalogAvailabilityChanged } from "#contracts/catalog";
import { Encoding, type EncodingCompleted } from "#contracts/encoding";
import { Keys } from "#contracts/keys";
import { License } from "#contracts/license";
import { Origin } from "#contracts/origin";
import { KEYS_PATH, PURGES_PATH, RENEW_PATH } from "#contracts/origin/edges";
import { Recording, type RecordingDeleted } from "#contracts/recording";
import { Token } from "#contracts/token";
import { defineService, on, type Platform, problem, type Received, systemContext, type Tx } from "#kernel";
import { answerObject } from "#kernel/serve-object";
import { parsePreviewPath, pathsOf, pictureFolder } from "./domain.ts";
import { type Feed, openFeed } from "./feed.ts";
import { openManifests } from "./manifests.ts";
import { answerMedia, type MediaParts } from "./media.ts";
import { openPictures, type Pictures } from "./pictures.ts";
import * as store from "./store.ts";

const CONTENT_ID = /^[A-Za-z0-9_-]{1,64}$/;
const OWNERS_MAX = 20_000;
const BODY_BYTES_MAX = 8 * 1_024;
const HOUR_MS = 3_600_000;
const PURGES_KEPT_MS = 30 * 24 * HOUR_MS;

const uses = { keys: Keys, license: License, token: Token };
export type OriginPlatform = Platform<typeof Origin, typeof uses>;
interface Parts extends MediaParts, Pick<OriginPlatform, "call" | "addresses"> {
  readonly pictures: Pictures;
  readonly feed: Feed;
}
type OriginTx = Tx<typeof Origin>;

export default defineService({
  contract: Origin,
  uses,
  slo: { p99Ms: 100, availability: 0.9999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),
  tenantless: ["contents", "purges"],

  start(platform: OriginPlatform): Parts {
    const { db, objects, call, clock, addresses } = platform;
    return {
      db,
      objects,
      call,
      clock,
      addresses,
      manifests: openManifests(platform),
      owners: new LRUCache({ max: OWNERS_MAX }),
      pictures: openPictures(objects),
      feed: openFeed(db, clock),
    };
  },

  on: [
    on(Catalog.events.availabilityChanged)(purgeDeleted),
    on(Encoding.events.completed)(purgeRepackaged),
    on(Recording.events.deleted)(purgeRecordings),
  ],

  rpc: ({ db, owners }) => ({
    async locate({ contentId, packageRevision, indexVersion }, context) {
      if (!CONTENT_ID.test(contentId))
        throw problem.invalid(`content id '${contentId.slice(0, 80)}' is not of the form ${CONTENT_ID.source}`);
      if (owners.get(contentId) !== context.tenant) {
        const owner = await db.tx(context, (tx) => store.claim(tx, contentId, context.tenant));
        if (owner !== context.tenant) throw problem.notFound(`title '${contentId}' does not exist`);
        owners.set(contentId, owner);
      }
      return pathsOf(contentId, packageRevision, indexVersion);
    },
  }),

  http: (parts) => [
    { listener: "origin", prefix: "/vod/", handle: (request, response) => answerMedia(parts, request, response) },
    {
      listener: "origin",
      prefix: "/.well-known/",
      handle: (request, response) => answerKeys(parts, request, response),
    },
    { listener: "origin", prefix: "/edge/", handle: (request, response) => answerEdge(parts, request, response) },
    { listener: "public", prefix: "/images/", handle: (request, response) => answerImages(parts, request, response) },
  ],

  periodic: ({ db, clock }) => [
    {
      name: "trim the feed of purges",
      everyMs: HOUR_MS,
      run: () => db.tx({ tenant: "system" }, (tx) => store.trim(tx, clock.nowMs() - PURGES_KEPT_MS)),
    },
  ],

  ready: ({ db }) => db.ping(),

  async stop({ feed }) {
    feed.stop();
  },
});

/** Artwork, and the one clip among it, which is as public as the posters: it is cut from the film to be shown before it is played. */
async function answerImages(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const key = parsePreviewPath((request.url ?? "").split("?", 1)[0] ?? "");
  if (key === null) return parts.pictures.answer(request, response);
  if (request.method !== "GET" && request.method !== "HEAD")
    throw problem.invalid(`previews are read by GET or HEAD, not by ${request.method}`);
  return answerObject(parts.objects, key, "video/mp4", request, response);
}

/** The issuer's public keys. Short-lived in caches, as a token of a new key comes within seconds of its making. */
async function answerKeys({ call, clock }: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url !== KEYS_PATH) throw problem.notFound("there is no such document");
  const { jwksJson, issuer } = await call.token.keys({}, systemContext("system", "origin", { clock }));
  const { keys } = JSON.parse(jwksJson) as { keys: unknown };
  sendJson(response, { issuer, keys }, "public, max-age=5");
}

async function answerEdge(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path, query = ""] = (request.url ?? "").split("?", 2);
  if (path === PURGES_PATH && request.method === "GET") {
    const after = Number(new URLSearchParams(query).get("after") ?? "NaN");
    if (!Number.isSafeInteger(after) || after < -1)
      throw problem.invalid("after is the serial of the last purge that is known, or -1");
    const leaving = new AbortController();
    response.once("close", () => leaving.abort());
    return sendJson(response, await parts.feed.after(after, leaving.signal), "no-store");
  }
  if (path === RENEW_PATH && request.method === "POST")
    return sendJson(response, await renew(parts, await readJson(request)), "no-store");
  throw problem.notFound("there is nothing of that name for edges");
}

async function renew(
  { call, clock, addresses }: Parts,
  body: unknown,
): Promise<{ token: string; expiresAtMs: number }> {
  const { token, network } = (body ?? {}) as { token?: unknown; network?: unknown };
  const edge = addresses.edges.find(({ id }) => id === network);
  if (typeof token !== "string" || !edge)
    throw problem.invalid('a renewal is asked for by {"token": "…", "network": "edge-a"}');
  const renewed = await call.token.renew(
    { token, networkBaseUrl: edge.baseUrl },
    systemContext("system", "origin", { clock }),
  );
  return { token: renewed.token, expiresAtMs: Number(renewed.expiresAtMs) };
}

function sendJson(response: ServerResponse, value: unknown, cacheControl: string): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": body.length,
    "cache-control": cacheControl,
  });
  response.end(body);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > BODY_BYTES_MAX) throw problem.invalid(`the request is larger than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch {
    throw problem.invalid("the request is no JSON");
  }
}

/** A deleted title is gone from edges, from here, and so are the pictures that were made of its artwork. */
async function purgeDeleted(
  parts: Parts,
  tx: OriginTx,
  events: readonly Received<CatalogAvailabilityChanged>[],
): Promise<void> {
  const deleted = events.filter(({ data }) => data.reason === "deleted").map(({ data }) => data.contentId);
  for (const contentId of deleted) {
    await store.forget(tx, contentId);
    await parts.objects.deletePrefix(pictureFolder(contentId));
    parts.owners.delete(contentId);
  }
  await purge(parts, tx, deleted, true);
}

/** What nobody has recorded any more leaves the caches; the one who made it deletes it. */
async function purgeRecordings(
  parts: Parts,
  tx: OriginTx,
  events: readonly Received<RecordingDeleted>[],
): Promise<void> {
  const gone = events.filter(({ data }) => data.gone).map(({ data }) => data.contentId);
  for (const contentId of gone) {
    await store.forget(tx, contentId);
    parts.owners.delete(contentId);
  }
  await purge(parts, tx, gone, true);
}

/** A repackaged title has new keys: the old revision has to leave the caches. */
async function purgeRepackaged(
  parts: Parts,
  tx: OriginTx,
  events: readonly Received<EncodingCompleted>[],
): Promise<void> {
  const contentIds = events.filter(({ data }) => data.stage === "repackaged").map(({ data }) => data.contentId);
  await purge(parts, tx, contentIds, false);
}

async function purge(parts: Parts, tx: OriginTx, contentIds: readonly string[], deleted: boolean): Promise<void> {
  if (contentIds.length === 0) return;
  await store.purge(
    tx,
    contentIds.map((contentId) => ({ contentId, deleted })),
    parts.clock.nowMs(),
  );
  for (const contentId of contentIds) parts.manifests.forget(contentId);
  parts.feed.wakeSoon();
}
