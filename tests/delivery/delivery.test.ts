// Origin, token, keys and licences together, with two real edges in front: what a player meets.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import sharp from "sharp";
import { Catalog } from "#contracts/catalog";
import { Keys } from "#contracts/keys";
import { Origin } from "#contracts/origin";
import { Session } from "#contracts/session";
import { Token } from "#contracts/token";
import { type Clock, type Db, defineService, type Handlers, problem, systemClock } from "#kernel";
import { type HttpListener, listenHttp } from "#kernel/http";
import { openMetrics } from "#kernel/metrics";
import { silentLogger } from "#kernel/telemetry";
import type { Presentation, Segment } from "#media/presentation";
import { type RunningEdge, startEdge } from "../../apps/edge/start.ts";
import { freePort } from "#kernel/testing/ports";
import { get, type Got } from "../../apps/edge/testing.ts";
import keys from "../../services/content/keys/service.ts";
import license from "../../services/delivery/license/service.ts";
import origin from "../../services/delivery/origin/service.ts";
import token from "../../services/delivery/token/service.ts";
import { startTestHost, type TestHost } from "../host.ts";

const FILM = "ttl_film";
const FOLDER = `vod/${FILM}/r1`;

let host: TestHost;
let listeners: HttpListener[] = [];
const edges: RunningEdge[] = [];
let [aUrl, bUrl, originUrl, publicUrl] = ["", "", "", ""];
/** Moves the services' time; the edges have the machine's. */
let offsetMs = 0;
let livingSession = "ses_1";
const clock: Clock = { ...systemClock, nowMs: () => Date.now() + offsetMs };

/** A service of which a test needs a call or two. */
const partly = <H>(handlers: object): H =>
  new Proxy(handlers, {
    get: (target, name) =>
      Reflect.get(target, name) ??
      (async () => {
        throw problem.unavailable(`${String(name)} is not part of this test`);
      }),
  }) as H;

const sessions = defineService({
  contract: Session,
  uses: {},
  slo: { p99Ms: 1, availability: 1 },
  ai: { feeds: "none", uses: "none", fallback: "none" },
  start: () => null,
  rpc: () =>
    partly<Handlers<typeof Session.rpc>>({
      async get({ sessionId }: { sessionId: string }) {
        if (sessionId !== livingSession) throw problem.notFound("the session is over", { reason: "session_over" });
        return { session: { id: sessionId } };
      },
    }),
  ready: async () => {},
});

const catalog = defineService({
  contract: Catalog,
  uses: {},
  slo: { p99Ms: 1, availability: 1 },
  ai: { feeds: "none", uses: "none", fallback: "none" },
  start: ({ db }): { db: Db<typeof Catalog> } => ({ db }),
  rpc: ({ db }) =>
    partly<Handlers<typeof Catalog.rpc>>({
      async delete({ id }: { id: string }, context: { readonly tenant: string }) {
        await db.tx(context, async (tx) =>
          tx.emit("availabilityChanged", { contentId: id, available: false, reason: "deleted" }),
        );
        return {};
      },
    }),
  ready: async () => {},
});

before(async () => {
  const [publicPort, originPort, aPort, bPort] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  [publicUrl, originUrl] = [`http://localhost:${publicPort}`, `http://127.0.0.1:${originPort}`];
  [aUrl, bUrl] = [`http://localhost:${aPort}`, `http://127.0.0.1:${bPort}`];
  host = await startTestHost({
    services: [origin, token, keys, license, sessions, catalog],
    clock,
    addresses: {
      publicUrl,
      originUrl,
      edges: [
        { id: "edge-a", baseUrl: aUrl },
        { id: "edge-b", baseUrl: bUrl },
      ],
    },
  });
  listeners = await Promise.all(
    (["public", "origin"] as const).map((name) =>
      listenHttp({
        name,
        host: name === "origin" ? "127.0.0.1" : "localhost",
        port: name === "origin" ? originPort : publicPort,
        mounts: host.host.http.filter(({ listener }) => listener === name),
        fallback: (_, response) => void response.writeHead(404).end(),
        logger: silentLogger,
        metrics: openMetrics(),
      }),
    ),
  );
  await storePackage(FILM, 1);
  // One after the other: where one does not start the others are known, and stopped.
  for (const edge of [
    { id: "edge-a", host: "localhost", port: aPort, baseUrl: aUrl },
    { id: "edge-b", host: "127.0.0.1", port: bPort, baseUrl: bUrl },
  ]) {
    const cacheFolder = join(host.folder, edge.id);
    edges.push(await startEdge({ ...edge, originUrl, cacheFolder, cacheBytesMax: 10_000_000 }));
  }
});

after(async () => {
  await Promise.all(edges.map((edge) => edge.stop()));
  await Promise.all(listeners.map((listener) => listener.stop()));
  await host.stop();
});

/** Two rungs, sound, subtitles and thumbnails, of random bytes: nobody here decodes them. */
async function storePackage(contentId: string, indexVersion: number): Promise<void> {
  const { objects } = host.adapters;
  const set = await host.client(Keys, "test").createSet({ contentId, packageRevision: 1 }, host.context());
  const kidOf = (keyClass: string): string => set.keys.find((key) => key.keyClass === keyClass)?.kid ?? "";
  const segments: Segment[] = [1, 2].map(() => ({
    durationTicks: 6_000,
    sizeBytes: 4_000,
    iframes: [{ offsetBytes: 100, sizeBytes: 900, timeTicks: 0, durationTicks: 6_000 }],
  }));
  const track = { timescale: 1_000, bandwidthAverageBps: 1_000, bandwidthPeakBps: 2_000, segments };
  const rung = (profile: string, width: number, height: number, keyClass: string) =>
    ({
      ...track,
      kind: "video",
      profile,
      codec: "avc1.64001f",
      width,
      height,
      frameRate: [24, 1],
      kid: kidOf(keyClass),
    }) as const;
  const presentation: Presentation = {
    contentId,
    revision: 1,
    indexVersion,
    durationS: 12,
    keys: set.keys.map(({ kid, keyClass, iv }) => ({
      kid,
      keyClass: keyClass as "SD",
      ivHex: Buffer.from(iv).toString("hex"),
    })),
    video: [rung("720p-h264", 1280, 720, "HD"), rung("360p-h264", 640, 360, "SD")],
    audio: [
      {
        ...track,
        kind: "audio",
        profile: "audio-en",
        codec: "mp4a.40.2",
        language: "en",
        label: "English",
        channels: 2,
        sampleRateHz: 48_000,
        isDefault: true,
        kid: kidOf("AUDIO"),
      },
    ],
    text: [
      {
        kind: "text",
        profile: "text-en",
        language: "en",
        label: "English",
        role: "subtitles",
        segmentDurationsS: [6, 6],
      },
    ],
    thumbnails: {
      profile: "thumbs",
      columns: 5,
      rows: 5,
      width: 160,
      height: 90,
      intervalS: 2,
      tileCount: 1,
      bandwidthBps: 1_000,
    },
  };
  const folder = `vod/${contentId}/r1`;
  await objects.put(`${folder}/index-${indexVersion}.json`, Buffer.from(JSON.stringify(presentation)));
  for (const profile of ["720p-h264", "360p-h264", "audio-en"]) {
    for (const name of ["init.mp4", "seg-0000001.m4s", "seg-0000002.m4s"])
      await objects.put(`${folder}/${profile}/${name}`, randomBytes(4_000));
  }
  for (const name of ["seg-0000001.vtt", "seg-0000002.vtt"])
    await objects.put(`${folder}/text-en/${name}`, Buffer.from("WEBVTT\n"));
  await objects.put(`${folder}/thumbs/tile-0000001.jpg`, randomBytes(2_000));
}

async function play(contentId = FILM) {
  const located = await host
    .client(Origin, "test")
    .locate({ contentId, packageRevision: 1, indexVersion: 1 }, host.context());
  const { tokens } = await host.client(Token, "test").issue(
    {
      sessionId: "ses_1",
      userId: "usr_1",
      contentId,
      pathPrefix: located.pathPrefix,
      networks: [
        { id: "edge-a", baseUrl: aUrl },
        { id: "edge-b", baseUrl: bUrl },
      ],
    },
    host.context(),
  );
  return { ...located, a: tokens[0]?.token ?? "", b: tokens[1]?.token ?? "" };
}

/** Every address in a playlist, with what it is relative to. */
const urisOf = (text: string, base: string): string[] =>
  [...text.matchAll(/^(?!#)(\S+)$|URI="((?!data:|skd:|https?:\/\/[^"]*\/(?:license|steering)\/)[^"]+)"/gm)].map(
    (match) => new URL(match[1] ?? match[2] ?? "", base).href,
  );

const at = async (url: string): Promise<Got> => {
  const { origin: base, pathname, search } = new URL(url);
  return get(base, `${pathname}${search}`);
};

describe("a film's delivery", () => {
  it("answers every address of its HLS playlists, through an edge, with the token that came", async () => {
    const { hlsPath, a } = await play();
    const main = `${aUrl}${hlsPath}?CAT=${a}`;
    const text = (await at(main)).body.toString();
    const playlists = [...new Set(urisOf(text, main))];
    assert.equal(playlists.length, 7, "two rungs, their I-frames, sound, subtitles, thumbnails");
    let objects = 0;
    for (const playlist of playlists) {
      const got = await at(playlist);
      assert.equal(got.status, 200, playlist);
      for (const uri of new Set(urisOf(got.body.toString(), playlist))) {
        assert.equal((await at(uri)).status, 200, uri);
        objects += 1;
      }
    }
    assert.equal(objects, 2 * 3 + 2 * 3 + 3 + 2 + 1);
  });

  it("answers its MPD with licences for this session", async () => {
    const { dashPath, a } = await play();
    const { body, headers } = await at(`${aUrl}${dashPath}?CAT=${a}`);
    assert.equal(headers["content-type"], "application/dash+xml");
    const text = body.toString();
    assert.ok(text.includes(`<dashif:Laurl>${publicUrl}/license/clearkey/ses_1?CAT=${a}</dashif:Laurl>`));
    assert.ok(text.includes(`seg-$Number%07d$.m4s?CAT=${a}"`));
    assert.ok(!text.includes("$sid$") && !text.includes("$cat$") && !text.includes("ContentSteering"));
    assert.equal((await at(`${aUrl}/${FOLDER}/720p-h264/seg-0000001.m4s?CAT=${a}`)).status, 200);
  });

  it("names both networks and the session's steering server to players that can steer", async () => {
    const { hlsPath, dashPath, a, b } = await play();
    const hls = (await at(`${aUrl}${hlsPath}?steer=1&CAT=${a}`)).body.toString();
    assert.ok(hls.includes(`#EXT-X-CONTENT-STEERING:SERVER-URI="${publicUrl}/steering/hls/ses_1",PATHWAY-ID="edge-a"`));
    assert.ok(hls.includes(`${aUrl}/${FOLDER}/720p-h264/index.m3u8?CAT=${a}`));
    assert.ok(hls.includes(`${bUrl}/${FOLDER}/720p-h264/index.m3u8\n`), "our token is not for the other network");
    const mpd = (await at(`${bUrl}${dashPath}?steer=1&CAT=${b}`)).body.toString();
    assert.ok(
      mpd.indexOf(`<BaseURL serviceLocation="edge-b">${bUrl}/${FOLDER}/</BaseURL>`) <
        mpd.indexOf('serviceLocation="edge-a"'),
    );
    assert.match(
      mpd,
      new RegExp(
        `<ContentSteering defaultServiceLocation="edge-b"[^>]*>${publicUrl}/steering/dash/ses_1</ContentSteering>`,
      ),
    );
  });

  it("refuses one network's token at the other, and everything without one", async () => {
    const { a, b } = await play();
    const segment = `/${FOLDER}/720p-h264/seg-0000001.m4s`;
    assert.deepEqual(
      await Promise.all(
        [
          `${aUrl}${segment}?CAT=${b}`,
          `${bUrl}${segment}?CAT=${a}`,
          `${aUrl}${segment}`,
          `${bUrl}${segment}?CAT=${b}`,
        ].map(async (url) => (await at(url)).status),
      ),
      [403, 403, 403, 200],
    );
  });

  it("takes up a rotated key without a 403, and both keys work", async () => {
    const { a: old } = await play();
    await host.client(Token, "test").rotate({}, host.context());
    const { a: fresh } = await play();
    const segment = `${aUrl}/${FOLDER}/audio-en/seg-0000001.m4s`;
    assert.deepEqual(
      [(await at(`${segment}?CAT=${fresh}`)).status, (await at(`${segment}?CAT=${old}`)).status],
      [200, 200],
    );
  });

  it("renews by cookie while the session lives, and not after", async () => {
    const segment = `/${FOLDER}/audio-en/seg-0000002.m4s`;
    offsetMs = -250_000;
    const [{ a: due }, { a: late }] = [await play(), await play()];
    offsetMs = 0;
    const renewed = await get(aUrl, `${segment}?CAT=${due}`);
    const cookie = String(renewed.headers["set-cookie"]);
    assert.match(cookie, new RegExp(`^CAT=[\\w-]+; Path=/${FOLDER}/; `));
    assert.equal((await get(aUrl, segment, { headers: { cookie: cookie.split(";")[0] ?? "" } })).status, 200);
    livingSession = "ses_other";
    const ended = await get(aUrl, `${segment}?CAT=${late}`);
    livingSession = "ses_1";
    assert.deepEqual([ended.status, ended.headers["set-cookie"]], [200, undefined]);
  });

  it("has no address for indexes, intermediates and what lies elsewhere", async () => {
    await host.adapters.objects.put("intermediate/demo/ttl_film/720p-h264/0.mp4", randomBytes(10));
    for (const path of [
      `/${FOLDER}/index-1.json`,
      `/${FOLDER}/720p-h264/../index-1.json`,
      "/intermediate/demo/ttl_film/720p-h264/0.mp4",
      "/vod/../intermediate/demo/ttl_film/720p-h264/0.mp4",
      `/${FOLDER}/main-2.mpd`,
      `/${FOLDER}/main-1.mpd?steer=stranger`,
      `/${FOLDER}/480p-h264/index.m3u8`,
      "/vod/ttl_unknown/r1/main-1.mpd",
      "/edge/keys",
      "/.well-known/other",
    ]) {
      assert.equal((await get(originUrl, path)).status, 404, path);
    }
  });

  it("describes a rung that joined later, without a restart", async () => {
    await storePackage("ttl_growing", 1);
    const { a } = await play("ttl_growing");
    assert.equal((await get(aUrl, `/vod/ttl_growing/r1/main-2.m3u8?CAT=${a}`)).status, 404);
    await storePackage("ttl_growing", 2);
    assert.equal((await get(originUrl, "/vod/ttl_growing/r1/main-2.m3u8")).status, 200);
  });

  it("gives ranges and conditions to edges of other makers", async () => {
    const path = `/${FOLDER}/720p-h264/init.mp4`;
    const whole = await get(originUrl, path);
    assert.equal(whole.headers["cache-control"], "public, max-age=31536000, immutable");
    const part = await get(originUrl, path, { headers: { range: "bytes=100-199" } });
    assert.deepEqual([part.status, part.headers["content-range"]], [206, "bytes 100-199/4000"]);
    assert.deepEqual(part.body, whole.body.subarray(100, 200));
    assert.equal((await get(originUrl, path, { headers: { range: "bytes=4000-" } })).status, 416);
    assert.equal(
      (await get(originUrl, path, { headers: { "if-none-match": String(whole.headers.etag) } })).status,
      304,
    );
    assert.equal((await get(originUrl, path, { method: "HEAD" })).headers["content-length"], "4000");
    assert.equal((await get(originUrl, path, { method: "DELETE" })).status, 400);
  });

  it("does not locate another tenant's title", async () => {
    await play();
    const other = host
      .client(Origin, "test")
      .locate({ contentId: FILM, packageRevision: 1, indexVersion: 1 }, host.context({ tenant: "other" }));
    await assert.rejects(other, { code: "not_found" });
  });
});

describe("pictures", () => {
  it("come as WebP in our widths, from artwork only, and are made once", async () => {
    const { objects } = host.adapters;
    await objects.put(
      "artwork/ttl_film/poster-1.jpg",
      await sharp({ create: { width: 800, height: 450, channels: 3, background: "#335577" } })
        .jpeg()
        .toBuffer(),
    );
    const both = await Promise.all([1, 2].map(() => get(publicUrl, "/images/artwork/ttl_film/poster-1.jpg?w=320")));
    for (const got of both) {
      assert.equal(got.status, 200);
      assert.equal(got.headers["content-type"], "image/webp");
      const { width, height, format } = await sharp(got.body).metadata();
      assert.deepEqual([width, height, format], [320, 180, "webp"]);
    }
    assert.ok(await objects.head("images/artwork/ttl_film/w320/poster-1.jpg.webp"));
    assert.equal(
      (await sharp((await get(publicUrl, "/images/artwork/ttl_film/poster-1.jpg?w=1920")).body).metadata()).width,
      800,
      "never larger than its source",
    );
    assert.equal((await get(publicUrl, "/images/artwork/ttl_film/poster-1.jpg?w=333")).status, 400);
    assert.equal((await get(publicUrl, "/images/artwork/ttl_film/poster-9.jpg?w=320")).status, 404);
    assert.equal((await get(publicUrl, `/images/${FOLDER}/thumbs/tile-0000001.jpg?w=320`)).status, 404);
  });
});

describe("a deleted title", () => {
  it("leaves both edges and the origin", async () => {
    await storePackage("ttl_gone", 1);
    const { a, b } = await play("ttl_gone");
    const segment = "/vod/ttl_gone/r1/720p-h264/seg-0000001.m4s";
    const read = async () => [
      (await get(aUrl, `${segment}?CAT=${a}`)).status,
      (await get(bUrl, `${segment}?CAT=${b}`)).status,
    ];
    assert.deepEqual(await read(), [200, 200]);
    await host.client(Catalog, "test").delete({ id: "ttl_gone" }, host.context());
    await host.settled();
    let statuses = await read();
    for (let tries = 0; tries < 150 && statuses.includes(200); tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      statuses = await read();
    }
    assert.deepEqual(statuses, [404, 404]);
    assert.equal((await get(originUrl, "/vod/ttl_gone/r1/main-1.mpd")).status, 404);
    const feed = JSON.parse((await get(originUrl, "/edge/purges?after=0")).body.toString()) as {
      serial: number;
      purges: unknown;
    };
    assert.deepEqual(feed.purges, [{ contentId: "ttl_gone", deleted: true }]);
    const ahead = JSON.parse((await get(originUrl, `/edge/purges?after=${feed.serial + 5}`)).body.toString()) as {
      isReset: boolean;
    };
    assert.equal(ahead.isReset, true);
    assert.equal((await get(originUrl, "/edge/purges?after=x")).status, 400);
  });
});
