import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { type ServerResponse, request as httpRequest } from "node:http";
import { after, before, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { EdgeConfig } from "./config.ts";
import { parseLivePath } from "./live-path.ts";
import { type EdgeServer, startEdgeServer } from "./server.ts";
import { edgeOptions, get, newKey, newToken, openTestOrigin, type TestOrigin } from "./testing.ts";

const NOW_S = 1_795_000_000;
const PLAYLIST =
  '#EXTM3U\n#EXT-X-MAP:URI="init-7.mp4"\n#EXT-X-PART:DURATION=0.5,INDEPENDENT=YES,URI="seg-9.0.m4s"\n' +
  '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="seg-9.1.m4s"\n#EXT-X-RENDITION-REPORT:URI="../audio-en/index.m3u8",LAST-MSN=9\n';
const HLS = "application/vnd.apple.mpegurl";

let origin: TestOrigin;
let edge: EdgeServer;
let url = "";
let token = "";
let cacheFolder = "";
let remove = async (): Promise<void> => {};
const key = newKey("k1");
const nowMs = NOW_S * 1_000;

before(async () => {
  origin = await openTestOrigin();
  origin.keys = [key];
  const made = await edgeOptions(origin, { liveBytesMax: 4_000_000 });
  ({ remove } = made);
  url = made.options.baseUrl;
  cacheFolder = made.options.cacheFolder;
  edge = await startEdgeServer(EdgeConfig.parse(made.options), () => nowMs);
  token = await newToken({ key, baseUrl: url, nowS: NOW_S, pathPrefix: "/live/ch-one/" });
});
after(async () => {
  await edge.close();
  await origin.close();
  await remove();
});
beforeEach(() => origin.counts.clear());

const ask = (path: string, headers: Record<string, string> = {}) =>
  get(url, `${path}${path.includes("?") ? "&" : "?"}CAT=${token}`, { headers });

/** What the origin holds back until it is there, as blocking reloads and parts that were announced are. */
function heldBack(path: string, body: Buffer | string, headers: Record<string, string> = {}) {
  const waiting: ServerResponse[] = [];
  const arrived = Promise.withResolvers<void>();
  origin.answers.set(path, (response) => {
    waiting.push(response);
    arrived.resolve();
  });
  return {
    asked: arrived.promise,
    release() {
      for (const response of waiting)
        response.writeHead(200, { "cache-control": "public, max-age=20", etag: '"1"', ...headers }).end(body);
    },
  };
}

describe("channels at an edge", () => {
  it("need a token of theirs", async () => {
    origin.answers.set("/live/ch-one/main.mpd", (response) => response.writeHead(200).end("<MPD/>"));
    assert.equal((await ask("/live/ch-one/main.mpd")).status, 200);
    assert.equal((await get(url, "/live/ch-one/main.mpd")).status, 403);
    assert.equal((await ask("/live/ch-two/main.mpd")).status, 403);
    assert.equal((await ask("/live/ch-one/../ch-two/main.mpd")).status, 403);
    assert.equal(origin.counts.get("/live/ch-two/main.mpd"), undefined);
  });

  it("have lists of ads for their own session, whose addresses are this edge's and carry the reader's token", async () => {
    const sid = `ses_${"1".repeat(26)}`;
    const path = `/live/ch-one/ads-${sid}-897000123.json`;
    const body = '{"ASSETS":[{"URI":"$base$/vod/ad-one/r1/main-1.m3u8?CAT=$cat$","DURATION":10}]}';
    origin.answers.set(path, (response) => response.writeHead(200).end(body));
    const own = await newToken({ key, baseUrl: url, nowS: NOW_S, pathPrefix: "/live/ch-one/", more: { sid } });
    const got = await get(url, `${path}?CAT=${own}`);
    assert.equal(got.headers["content-type"], "application/json");
    const uri = `${url}/vod/ad-one/r1/main-1.m3u8?CAT=${own}`;
    assert.deepEqual(JSON.parse(got.body.toString()), { ASSETS: [{ URI: uri, DURATION: 10 }] });
    assert.equal((await ask(path)).status, 404);
    assert.equal((await ask(`/live/ch-one/main-${sid}.mpd`)).status, 404);
  });

  it("tell everybody the time", async () => {
    const got = await get(url, "/live/time");
    assert.equal(Date.parse(got.body.toString()), nowMs);
    assert.equal(got.headers["cache-control"], "no-store");
  });

  it("ask the origin once for a playlist that many wait for, and fill in each reader's token", async () => {
    const path = "/live/ch-one/720p/index.m3u8?_HLS_msn=9&_HLS_part=1&_HLS_skip=YES";
    const held = heldBack(path, PLAYLIST, { "content-type": HLS });
    const other = await newToken({
      key,
      baseUrl: url,
      nowS: NOW_S,
      pathPrefix: "/live/ch-one/",
      more: { sid: "ses_2" },
    });
    // The order of directives and what else a player adds make no other object of it.
    const wishes = [
      `?_HLS_msn=9&_HLS_part=1&_HLS_skip=YES&CAT=${token}`,
      `?_HLS_skip=YES&_HLS_part=1&_HLS_msn=9&CMCD=ot%3Dm&CAT=${other}`,
    ];
    const all = Array.from({ length: 40 }, (_, i) => get(url, `/live/ch-one/720p/index.m3u8${wishes[i % 2]}`));
    await held.asked;
    held.release();
    for (const [i, got] of (await Promise.all(all)).entries()) {
      assert.equal(got.status, 200);
      assert.equal(got.headers["content-type"], HLS);
      assert.equal(got.headers["cache-control"], "no-store");
      const mine = i % 2 === 0 ? token : other;
      const uris = [...got.body.toString().matchAll(/URI="([^"]+)"/g)].map(([, uri]) => uri);
      assert.deepEqual(
        uris,
        ["init-7.mp4", "seg-9.0.m4s", "seg-9.1.m4s", "../audio-en/index.m3u8"].map((uri) => `${uri}?CAT=${mine}`),
      );
    }
    assert.equal((await ask(`/live/ch-one/720p/index.m3u8${wishes[0]}`)).status, 200, "and it is kept");
    assert.equal(origin.counts.get(path), 1);
  });

  it("keep a playlist no longer than the origin says", async () => {
    const path = "/live/ch-one/720p/index.m3u8";
    let version = 0;
    origin.answers.set(path, (response) => {
      version += 1;
      response.writeHead(200, { "cache-control": "no-cache" }).end(`#EXTM3U\nseg-${version}.m4s\n`);
    });
    assert.match((await ask(path)).body.toString(), /seg-1\.m4s/);
    assert.match((await ask(path)).body.toString(), /seg-2\.m4s/);
  });

  it("pass a segment in the making on to all at once, each from its beginning, and keep the whole of it", async () => {
    const path = "/live/ch-one/720p/seg-12.m4s";
    const [first, second] = [randomBytes(50_000), randomBytes(30_000)];
    let making: ServerResponse | undefined;
    origin.answers.set(path, (response) => {
      making = response;
      response.writeHead(200, { "cache-control": "public, max-age=20" });
      response.write(first);
    });
    const readers = await Promise.all(Array.from({ length: 20 }, () => openReader(`${path}?CAT=${token}`)));
    await Promise.all(readers.map((reader) => reader.received(first.length)));
    const late = await openReader(`${path}?CAT=${token}`);
    await late.received(first.length);
    making?.end(second);
    for (const reader of [...readers, late]) assert.deepEqual(await reader.ended, Buffer.concat([first, second]));
    const kept = await ask(path, { range: "bytes=49990-50009" });
    assert.equal(kept.status, 206);
    assert.deepEqual(kept.body, Buffer.concat([first.subarray(-10), second.subarray(0, 10)]));
    assert.equal(origin.counts.get(path), 1);
  });

  it("send a part that the origin has whole in one piece, or say that it did not come whole", async () => {
    const path = "/live/ch-one/720p/seg-12.0.m4s";
    const body = randomBytes(40_000);
    origin.answers.set(path, (response) => {
      response.writeHead(200, { "cache-control": "public, max-age=20", "content-length": body.length });
      response.write(body.subarray(0, 30_000));
      setTimeout(() => response.destroy(), 20);
    });
    assert.equal((await ask(path)).status, 502);
    origin.answers.set(path, (response) => {
      response.writeHead(200, { "cache-control": "public, max-age=20", "content-length": body.length });
      response.write(body.subarray(0, 30_000));
      setTimeout(() => response.end(body.subarray(30_000)), 20);
    });
    const all = await Promise.all(Array.from({ length: 20 }, () => ask(path)));
    for (const got of all) {
      assert.equal(got.headers["content-length"], String(body.length));
      assert.deepEqual(got.body, body);
    }
    assert.equal(origin.counts.get(path), 2);
    const part = await ask(path, { range: "bytes=10-19", origin: "https://page.test" });
    assert.deepEqual([part.status, part.body], [206, body.subarray(10, 20)]);
  });

  it("are judged for each object, however well a token is known", async () => {
    for (const [channel, track] of [
      ["ch-one", "720p"],
      ["ch-two", "720p"],
    ] as const)
      origin.answers.set(`/live/${channel}/${track}/seg-30.0.m4s`, (response) => response.writeHead(200).end("part"));
    const own = await newToken({ key, baseUrl: url, nowS: NOW_S, pathPrefix: "/live/ch-one/" });
    const expired = await newToken({ key, baseUrl: url, nowS: NOW_S, expS: NOW_S, pathPrefix: "/live/ch-one/" });
    const last = own.at(-5) === "A" ? "B" : "A";
    const forged = `${own.slice(0, -5)}${last}${own.slice(-4)}`;
    const status = async (channel: string, bearer: string) =>
      (await get(url, `/live/${channel}/720p/seg-30.0.m4s?CAT=${bearer}`)).status;
    for (let round = 0; round < 2; round += 1) {
      assert.equal(await status("ch-one", own), 200);
      assert.equal(await status("ch-two", own), 403);
      assert.equal(await status("ch-one", forged), 403);
      assert.equal(await status("ch-one", expired), 403);
    }
  });

  it("break off where the origin does, and keep nothing of it", async () => {
    const path = "/live/ch-one/720p/seg-13.m4s";
    origin.answers.set(path, (response) => {
      response.writeHead(200, { "cache-control": "public, max-age=20" });
      response.write(randomBytes(1_000));
      setTimeout(() => response.destroy(), 20);
    });
    await assert.rejects(ask(path), /aborted|hang up|ECONNRESET/);
    origin.answers.set(path, (response) => response.writeHead(200).end("whole"));
    assert.equal((await ask(path)).body.toString(), "whole");
  });

  it("say what the origin says of what is not there, for a moment only", async () => {
    const statuses = [404, 400, 403, 503, 500] as const;
    for (const status of statuses)
      origin.answers.set(`/live/ch-one/720p/seg-${status}.m4s`, (response) => response.writeHead(status).end("inside"));
    const got = await Promise.all(statuses.map((status) => ask(`/live/ch-one/720p/seg-${status}.m4s`)));
    assert.deepEqual(
      got.map(({ status }) => status),
      [404, 400, 403, 503, 502],
    );
    for (const { body } of got) assert.doesNotMatch(body.toString(), /inside/);
    origin.answers.set("/live/ch-one/720p/seg-404.m4s", (response) => response.writeHead(200).end("there"));
    assert.equal((await ask("/live/ch-one/720p/seg-404.m4s")).status, 404);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal((await ask("/live/ch-one/720p/seg-404.m4s")).status, 200);
  });

  it("never touch the films' disk, however much they make", async () => {
    const before = (await readdir(cacheFolder)).toSorted();
    for (let number = 100; number < 120; number += 1) {
      const path = `/live/ch-one/720p/seg-${number}.m4s`;
      origin.answers.set(path, (response) =>
        response.writeHead(200, { "cache-control": "public, max-age=60" }).end(randomBytes(500_000)),
      );
      assert.equal((await ask(path)).body.length, 500_000);
    }
    assert.deepEqual((await readdir(cacheFolder)).toSorted(), before);
    const metrics = (await get(url, "/metrics")).body.toString();
    const bytes = Number(/marquee_edge_live_bytes\{[^}]*\} (\d+)/.exec(metrics)?.[1]);
    assert.ok(bytes > 0 && bytes <= 4_000_000, `${bytes} bytes of 10 MB are kept`);
  });

  it("answer HEAD without a body", async () => {
    const path = "/live/ch-one/720p/seg-14.m4s";
    origin.answers.set(path, (response) => response.writeHead(200, { "content-length": 3 }).end("abc"));
    const got = await get(url, `${path}?CAT=${token}`, { method: "HEAD" });
    assert.deepEqual([got.status, got.body.length], [200, 0]);
  });
});

/** A client that says how much has come. */
function openReader(
  path: string,
): Promise<{ received(bytes: number): Promise<void>; readonly ended: Promise<Buffer> }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let wake = (): void => {};
      const size = (): number => chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        wake();
      });
      resolve({
        async received(bytes) {
          while (size() < bytes) await new Promise<void>((more) => (wake = more));
        },
        ended: new Promise((whole) => response.once("end", () => whole(Buffer.concat(chunks)))),
      });
    });
    request.once("error", reject);
    request.end();
  });
}

describe("addresses of channels", () => {
  it("are names of objects with what belongs to them, and nothing else is", () => {
    const target = (path: string, query = "") => parseLivePath(path, query)?.target ?? null;
    assert.equal(target("/live/ch-one/main.m3u8", "_HLS_msn=1"), "/live/ch-one/main.m3u8");
    assert.equal(target("/live/ch-one/a/index.m3u8", "x=1&_HLS_msn=12"), "/live/ch-one/a/index.m3u8?_HLS_msn=12");
    assert.equal(target("/live/ch-one/a/seg-9.2.m4s", "_HLS_msn=12"), "/live/ch-one/a/seg-9.2.m4s");
    for (const query of [
      "_HLS_msn=-1",
      "_HLS_msn=01",
      "_HLS_msn=1e9",
      "_HLS_part=1",
      "_HLS_skip=no",
      "_HLS_msn=1&_HLS_part=",
    ])
      assert.equal(target("/live/ch-one/a/index.m3u8", query), null, query);
    for (const path of [
      "/live/ch-one/a/b/seg-1.m4s",
      "/live/ch-one/.a/seg-1.m4s",
      "/live/ch%2done/main.mpd",
      "/live//main.mpd",
      "/live/ch-one/a/seg-1.exe",
    ])
      assert.equal(target(path), null, path);
  });

  it("property: a target is what was asked for, or that with well-formed directives", () => {
    fc.assert(
      fc.property(fc.string(), (query) => {
        const parsed = parseLivePath("/live/ch-one/a/index.m3u8", query);
        if (parsed === null) return;
        assert.match(
          parsed.target,
          /^\/live\/ch-one\/a\/index\.m3u8(\?(_HLS_msn=\d+(&_HLS_part=\d+)?(&_HLS_skip=(YES|v2))?|_HLS_skip=(YES|v2)))?$/,
        );
      }),
    );
  });
});
