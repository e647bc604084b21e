// The preview behind a title's page: known by the catalogue once it is encoded, read like artwork, gone with its title.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Catalog } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Session } from "#contracts/session";
import { type Db, defineService, problem } from "#kernel";
import { type HttpListener, listenHttp } from "#kernel/http";
import { openMetrics } from "#kernel/metrics";
import { silentLogger } from "#kernel/telemetry";
import { freePort } from "#kernel/testing/ports";
import { get } from "../../apps/edge/testing.ts";
import catalog from "../../services/content/catalog/service.ts";
import keys from "../../services/content/keys/service.ts";
import license from "../../services/delivery/license/service.ts";
import origin from "../../services/delivery/origin/service.ts";
import token from "../../services/delivery/token/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { startTestHost, type TestHost } from "../host.ts";

const never = async (): Promise<never> => {
  throw problem.unavailable("this is not part of the test");
};
const room = {
  uses: {},
  slo: { p99Ms: 1, availability: 0.999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  ready: async () => {},
};
let encodings: Db<typeof Encoding>;
const encoder = defineService({
  ...{ ...room, contract: Encoding },
  start: ({ db }) => (encodings = db),
  rpc: () => ({ get: never, getMany: never, list: never, repackage: never, retry: never }),
});
const sessions = defineService({
  ...{ ...room, contract: Session },
  start: () => null,
  rpc: () => new Proxy({}, { get: () => never }) as never,
});

let host: TestHost;
let listener: HttpListener;
let publicUrl = "";
before(async () => {
  const port = await freePort();
  publicUrl = `http://localhost:${port}`;
  host = await startTestHost({ services: [tenant, catalog, encoder, sessions, keys, license, token, origin] });
  listener = await listenHttp({
    ...{ name: "public", host: "localhost", port, logger: silentLogger, metrics: openMetrics() },
    mounts: host.host.http.filter((mount) => mount.listener === "public"),
    fallback: (_, response) => void response.writeHead(404).end(),
  });
});
after(async () => {
  await listener?.stop();
  await host?.stop();
});

const PATH = "/images/artwork/ttl_film/preview-0123456789abcdef.mp4";
const clip = Buffer.from(Array.from({ length: 1_000 }, (_, at) => at % 251));

test("it is read in ranges, kept for good, and nothing beside it can be read that way", async () => {
  const { objects } = host.adapters;
  await objects.put("artwork/ttl_film/preview-0123456789abcdef.mp4", clip);
  await objects.put("artwork/ttl_film/preview-0123.mp4", clip);
  await objects.put("artwork/ttl_film/other.mp4", clip);
  const whole = await get(publicUrl, PATH);
  assert.equal(whole.status, 200);
  assert.equal(whole.headers["content-type"], "video/mp4");
  assert.equal(whole.headers["cache-control"], "public, max-age=31536000, immutable");
  assert.equal(whole.headers["accept-ranges"], "bytes");
  assert.deepEqual(whole.body, clip);
  const part = await get(publicUrl, PATH, { headers: { range: "bytes=100-199" } });
  assert.deepEqual([part.status, part.headers["content-range"]], [206, "bytes 100-199/1000"]);
  assert.deepEqual(part.body, clip.subarray(100, 200));
  assert.equal((await get(publicUrl, PATH, { headers: { range: "bytes=1000-" } })).status, 416);
  const known = await get(publicUrl, PATH, { headers: { "if-none-match": String(whole.headers.etag) } });
  assert.equal(known.status, 304);
  const head = await get(publicUrl, PATH, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers["content-length"], head.body.length], [200, "1000", 0]);
  assert.equal((await get(publicUrl, PATH, { method: "POST" })).status, 400);
  for (const other of [
    "/images/artwork/ttl_film/other.mp4",
    "/images/artwork/ttl_film/preview-0123.mp4",
    "/images/artwork/ttl_film/x/preview.mp4",
    "/images/artwork/../artwork/ttl_film/preview.mp4",
    "/images/artwork/ttl_gone/preview.mp4",
  ])
    assert.notEqual((await get(publicUrl, other)).status, 200, other);
});

async function complete(contentId: string, previewKey: string | null, stage = "complete"): Promise<void> {
  await encodings.tx({ tenant: "demo" }, async (tx) =>
    tx.emit("completed", {
      ...{
        contentId,
        stage,
        packageRevision: 1,
        indexVersion: 1,
        durationS: 60,
        artwork: [],
        previewKey,
        chapters: [],
      },
      ...{ audioLanguages: [], subtitleLanguages: [], width: 1280, height: 720 },
    }),
  );
  await host.settled();
}

test("a title has its own, a series that of its first playable episode for the same ages", async () => {
  const titles = host.client(Catalog, "test");
  const add = (title: object) =>
    titles.add({ title: { tierMin: "basic", publication: "published", ...title } }, host.context());
  const keyOf = async (id: string) => (await titles.get({ id }, host.context())).title?.previewKey;
  const own = (id: string): string => `artwork/${id}/preview.mp4`;
  await add({ id: "ttl_series", kind: "series", title: "Series", ageRating: 6 });
  const episodes = [
    { id: "ttl_one", ageRating: 12 },
    { id: "ttl_two", ageRating: 6 },
  ];
  for (const [at, episode] of episodes.entries())
    await add({
      ...episode,
      kind: "episode",
      title: episode.id,
      parentId: "ttl_series",
      seasonNumber: 1,
      episodeNumber: at + 1,
    });
  await complete("ttl_two", own("ttl_two"));
  assert.deepEqual([await keyOf("ttl_two"), await keyOf("ttl_series")], [own("ttl_two"), own("ttl_two")]);
  await complete("ttl_one", own("ttl_one"));
  assert.deepEqual([await keyOf("ttl_one"), await keyOf("ttl_series")], [own("ttl_one"), own("ttl_two")]);
  await titles.delete({ id: "ttl_two" }, host.context());
  assert.equal(await keyOf("ttl_series"), "", "the one that is left is for older people");
  await complete("ttl_one", null, "repackaged");
  assert.equal(await keyOf("ttl_one"), "");
});
