import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { decodeMessage } from "#media/cose";
import { EdgeConfig } from "./config.ts";
import { type EdgeServer, startEdgeServer } from "./server.ts";
import { edgeOptions, get, newKey, newToken, openTestOrigin, type TestOrigin } from "./testing.ts";

const NOW_S = 1_795_000_000;
const SEGMENT = "/vod/film/r1/720p-h264/seg-0000001.m4s";
const BODY = randomBytes(100_000);

let origin: TestOrigin;
let a: EdgeServer;
let b: EdgeServer;
let aUrl = "";
let bUrl = "";
let logFile = "";
let nowMs = NOW_S * 1_000;
const key = newKey("k1");
const cleanups: (() => Promise<void>)[] = [];

before(async () => {
  origin = await openTestOrigin();
  origin.keys = [key];
  const forA = await edgeOptions(origin);
  const forB = await edgeOptions(origin, { id: "edge-b" });
  logFile = join(forA.options.cacheFolder, "log", "access.log");
  a = await startEdgeServer(EdgeConfig.parse({ ...forA.options, accessLog: logFile }), () => nowMs);
  b = await startEdgeServer(EdgeConfig.parse(forB.options), () => nowMs);
  aUrl = forA.options.baseUrl;
  bUrl = forB.options.baseUrl;
  cleanups.push(forA.remove, forB.remove);
});

after(async () => {
  await Promise.all([a.close(), b.close(), origin.close()]);
  for (const clean of cleanups) await clean();
});

beforeEach(() => {
  nowMs = NOW_S * 1_000;
  origin.counts.clear();
  origin.hold = undefined;
  origin.isBroken = false;
  origin.objects.set(SEGMENT, BODY);
});

const tokenFor = (baseUrl: string, more: Partial<Parameters<typeof newToken>[0]> = {}): Promise<string> =>
  newToken({ key, baseUrl, nowS: NOW_S, ...more });

describe("an edge's gate", () => {
  const reasonOf = (body: Buffer): unknown => (JSON.parse(body.toString()) as { reason: unknown }).reason;

  it("serves the holder of a good token, by query, header and cookie", async () => {
    const token = await tokenFor(aUrl);
    for (const [path, headers] of [
      [`${SEGMENT}?CAT=${token}`, {}],
      [SEGMENT, { "cta-common-access-token": token }],
      [SEGMENT, { cookie: `other=1; CAT=${token}` }],
      [`${SEGMENT}?CMCD=bl%3D2000&CAT=${token}`, {}],
    ] as const) {
      const got = await get(aUrl, path, { headers });
      assert.equal(got.status, 200, path);
      assert.deepEqual(got.body, BODY);
      assert.equal(got.headers["content-type"], "video/iso.segment");
      assert.equal(got.headers["cache-control"], "private, max-age=31536000, immutable");
    }
    assert.equal(origin.counts.get(SEGMENT) ?? 0, 1);
  });

  it("answers 403 to every token that is not good here", async () => {
    const good = await tokenFor(aUrl);
    const bytes = Buffer.from(good, "base64url");
    const tampered = Buffer.from(bytes);
    const payloadAt = bytes.indexOf(Buffer.from("/vod/film/"));
    tampered.write("/vod/", payloadAt);
    tampered.write("fily", payloadAt + 5);
    const stranger = newKey("stranger");
    const impostor = newKey("k1");
    const cases: readonly (readonly [name: string, token: string | undefined, reason: string])[] = [
      ["no token", undefined, "missing"],
      ["an empty one", "", "malformed"],
      ["an expired one", await tokenFor(aUrl, { expS: NOW_S }), "expired"],
      ["one not yet valid", await tokenFor(aUrl, { more: { nbf: NOW_S + 10 } }), "not_yet_valid"],
      ["another path's", await tokenFor(aUrl, { pathPrefix: "/vod/other/r1/" }), "url"],
      ["another revision's", await tokenFor(aUrl, { pathPrefix: "/vod/film/r2/" }), "url"],
      ["another host's", await tokenFor(aUrl.replace("127.0.0.1", "localhost")), "url"],
      ["the other network's", await tokenFor(bUrl), "url"],
      ["another method's", await tokenFor(aUrl, { more: { catm: ["POST"] } }), "method"],
      ["another network address's", await tokenFor(aUrl, { more: { catnip: [64_512] } }), "ip"],
      ["another issuer's", await tokenFor(aUrl, { more: { iss: "somebody" } }), "issuer"],
      ["a tampered one", tampered.toString("base64url"), "signature"],
      ["one cut short", good.slice(0, -8), "malformed"],
      ["one signed by an unknown key", await tokenFor(aUrl, { key: stranger }), "unknown_key"],
      ["one signed by an impostor of the key", await tokenFor(aUrl, { key: impostor }), "signature"],
      ["a JWT without a signature", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJtYXJxdWVlIn0.", "malformed"],
      ["text that is no token", "%00%0d%0aset-cookie:x", "malformed"],
    ];
    for (const [name, token, reason] of cases) {
      const got = await get(aUrl, token === undefined ? SEGMENT : `${SEGMENT}?CAT=${token}`);
      assert.equal(got.status, 403, name);
      assert.equal(got.headers["content-type"], "application/problem+json", name);
      assert.equal(got.headers["access-control-allow-origin"], "*", name);
      assert.equal(reasonOf(got.body), reason, name);
    }
    assert.equal((await get(bUrl, `${SEGMENT}?CAT=${good}`)).status, 403, "A's token at B");
  });

  it("refuses MACs and missing algorithms, whatever secret made them", async () => {
    const { privateKey: _, ...hmac } = key;
    // A verifier that trusts the header would take the public key's bytes for the secret.
    const secret = Buffer.from(JSON.stringify(hmac.jwk));
    const { createHmac } = await import("node:crypto");
    const { signMessage } = await import("#media/cose");
    const payload = decodeMessage(Buffer.from(await tokenFor(aUrl), "base64url")).payload;
    assert.ok(payload);
    const mac = await signMessage(payload, {
      kind: "mac0",
      algorithm: 5,
      kid: Buffer.from(key.kid),
      sign: (_kid, _algorithm, bytes) => createHmac("sha256", secret).update(bytes).digest(),
    });
    const got = await get(aUrl, `${SEGMENT}?CAT=${Buffer.from(mac).toString("base64url")}`);
    assert.equal(got.status, 403);
    assert.equal(reasonOf(got.body), "algorithm");
  });

  it("judges every request anew: a verdict does not leak to another path, host or time", async () => {
    const token = await tokenFor(aUrl, { pathPrefix: "/vod/film/r1/720p-h264/" });
    assert.equal((await get(aUrl, `${SEGMENT}?CAT=${token}`)).status, 200);
    assert.equal((await get(aUrl, `/vod/film/r1/480p-h264/seg-0000001.m4s?CAT=${token}`)).status, 403);
    assert.equal((await get(aUrl, `${SEGMENT}?CAT=${token}`, { headers: { host: "evil.example" } })).status, 403);
    assert.equal((await get(aUrl, `${SEGMENT}?CAT=${token}`, { headers: { host: new URL(bUrl).host } })).status, 403);
    nowMs = (NOW_S + 300) * 1_000;
    assert.equal((await get(aUrl, `${SEGMENT}?CAT=${token}`)).status, 403);
  });

  it("takes up a new key without a 403, and drops a withdrawn one", async () => {
    const next = newKey("k2");
    const old = await tokenFor(aUrl);
    assert.equal((await get(aUrl, `${SEGMENT}?CAT=${old}`)).status, 200);
    nowMs += 2_000;
    origin.keys = [next, key];
    const fresh = await tokenFor(aUrl, { key: next });
    const both = await Promise.all([
      get(aUrl, `${SEGMENT}?CAT=${fresh}`),
      get(aUrl, `${SEGMENT}?CAT=${fresh}`),
      get(aUrl, `${SEGMENT}?CAT=${old}`),
    ]);
    assert.deepEqual(
      both.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(origin.counts.get("/.well-known/cat-keys"), 1, "one question for all who wait");
    nowMs += 2_000;
    origin.keys = [key];
    // A token of an unknown key makes the edge look, and see that the second key is gone.
    await get(aUrl, `${SEGMENT}?CAT=${await tokenFor(aUrl, { key: newKey() })}`);
    assert.equal((await get(aUrl, `${SEGMENT}?CAT=${fresh}`)).status, 403);
    assert.equal((await get(aUrl, `${SEGMENT}?CAT=${old}`)).status, 200);
  });

  it("asks about unknown keys once a second, however many come", async () => {
    nowMs += 10_000;
    for (let each = 0; each < 5; each += 1) {
      assert.equal((await get(aUrl, `${SEGMENT}?CAT=${await tokenFor(aUrl, { key: newKey() })}`)).status, 403);
    }
    assert.equal(origin.counts.get("/.well-known/cat-keys"), 1);
  });

  it("lets no hostile path through", async () => {
    const token = await tokenFor(aUrl, { pathPrefix: "/vod/" });
    const hostile = [
      "/vod/film/r1/../../../etc/passwd",
      "/vod/film/r1/%2e%2e/%2e%2e/secret.mp4",
      "/vod/film/r1/..%2fsecret.mp4",
      "/vod//film/r1/720p/init.mp4",
      "/vod/film//r1/720p/init.mp4",
      "/vod/film/r1/720p/seg%00.m4s",
      "/vod/film/r1/720p\\init.mp4",
      "/vod/film/r1/.hidden/init.mp4",
      "/vod/film/r1/720p/.m4s",
      "/vod/film/r1/index-1.json",
      "/vod/film/r01/720p/init.mp4",
      "/vod/film/r1/a/b/init.mp4",
      "/vod/film/r1/720p~x/init.mp4",
      `/vod/${"x".repeat(65)}/r1/720p/init.mp4`,
      `/vod/film/r1/${"x".repeat(8_000)}.mp4`,
    ];
    for (const path of hostile) {
      const got = await get(aUrl, `${path}?CAT=${token}`);
      assert.ok(got.status === 403 || got.status === 404, `${path.slice(0, 80)}: ${got.status}`);
    }
    assert.equal((await get(aUrl, `/vod/${"x".repeat(13_000)}`)).status, 400);
    const media = [...origin.counts.keys()].filter((path) => path.startsWith("/vod/") || !path.startsWith("/edge/"));
    assert.deepEqual(media, [], "nothing of it reached the origin");
    const raw = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(aUrl).port), "127.0.0.1", () =>
        socket.write(`GET /vod/film/r1/\0.m4s?CAT=${token} HTTP/1.1\r\nhost: x\r\n\r\n`),
      );
      socket.once("data", (chunk) => resolve(chunk.toString()));
      socket.once("error", reject);
    });
    assert.match(raw, /^HTTP\/1\.1 400 /);
  });

  it("answers preflights, other methods and health without a token", async () => {
    const preflight = await get(aUrl, SEGMENT, { method: "OPTIONS", headers: { origin: "https://player.example" } });
    assert.equal(preflight.status, 204);
    assert.match(String(preflight.headers["access-control-allow-headers"]), /Range/);
    assert.equal((await get(aUrl, SEGMENT, { method: "POST" })).status, 405);
    assert.equal((await get(aUrl, "/healthz")).status, 200);
    assert.equal((await get(aUrl, "/")).status, 404);
    assert.match(
      (await get(aUrl, "/metrics")).body.toString(),
      /marquee_edge_requests_total\{edge="edge-a",status="403"\} \d+/,
    );
  });
});

describe("an edge's cache", () => {
  it("asks the origin once, however many want an object, and streams it to all of them", async () => {
    const path = "/vod/film/r1/720p-h264/seg-0000002.m4s";
    origin.objects.set(path, BODY);
    let release = (): void => {};
    origin.hold = new Promise((resolve) => (release = resolve));
    setTimeout(release, 60);
    const token = await tokenFor(aUrl);
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, index) => {
        const range = index % 2 === 0 ? { range: `bytes=${index}-${index + 9}` } : {};
        return get(aUrl, `${path}?CAT=${token}&n=${index}`, { headers: range });
      }),
    );
    all.forEach(({ status, body }, index) => {
      assert.equal(status, index % 2 === 0 ? 206 : 200);
      assert.deepEqual(body, index % 2 === 0 ? BODY.subarray(index, index + 10) : BODY);
    });
    assert.equal(origin.counts.get(path), 1);
  });

  it("does not wait for the end of a download to send its beginning", async () => {
    const path = "/vod/film/r1/720p-h264/seg-0000003.m4s";
    origin.objects.set(path, BODY);
    let release = (): void => {};
    origin.hold = new Promise((resolve) => (release = resolve));
    const token = await tokenFor(aUrl);
    const early = await get(aUrl, `${path}?CAT=${token}`, { headers: { range: "bytes=0-99" } });
    assert.deepEqual(early.body, BODY.subarray(0, 100), "it came while the second half was held back");
    const late = get(aUrl, `${path}?CAT=${token}`);
    release();
    assert.deepEqual((await late).body, BODY);
    assert.equal(origin.counts.get(path), 1);
  });

  it("serves ranges, conditions and HEAD", async () => {
    const token = await tokenFor(aUrl);
    const path = `${SEGMENT}?CAT=${token}`;
    const whole = await get(aUrl, path);
    const etag = String(whole.headers.etag);
    const part = await get(aUrl, path, { headers: { range: "bytes=10-19", "if-range": etag } });
    assert.equal(part.status, 206);
    assert.equal(part.headers["content-range"], `bytes 10-19/${BODY.length}`);
    assert.deepEqual(part.body, BODY.subarray(10, 20));
    assert.deepEqual((await get(aUrl, path, { headers: { range: "bytes=-5" } })).body, BODY.subarray(-5));
    assert.equal((await get(aUrl, path, { headers: { range: "bytes=10-19", "if-range": '"other"' } })).status, 200);
    const beyond = await get(aUrl, path, { headers: { range: `bytes=${BODY.length}-` } });
    assert.equal(beyond.status, 416);
    assert.equal(beyond.headers["content-range"], `bytes */${BODY.length}`);
    assert.equal((await get(aUrl, path, { headers: { "if-none-match": etag } })).status, 304);
    const head = await get(aUrl, path, { method: "HEAD" });
    assert.equal(head.headers["content-length"], String(BODY.length));
    assert.equal(head.body.length, 0);
  });

  it("breaks off where the origin breaks off, keeps nothing of it, and recovers", async () => {
    const path = "/vod/film/r1/720p-h264/seg-0000004.m4s";
    origin.objects.set(path, BODY);
    origin.isBroken = true;
    const token = await tokenFor(aUrl);
    await assert.rejects(get(aUrl, `${path}?CAT=${token}`), /aborted|hang up|ECONNRESET/);
    origin.isBroken = false;
    assert.deepEqual((await get(aUrl, `${path}?CAT=${token}`)).body, BODY);
  });

  it("answers 404 for what the origin does not have, and asks again only after a moment", async () => {
    const token = await tokenFor(aUrl);
    for (let each = 0; each < 3; each += 1) {
      assert.equal((await get(aUrl, `/vod/film/r1/none/init.mp4?CAT=${token}`)).status, 404);
    }
    assert.equal(origin.counts.get("/vod/film/r1/none/init.mp4"), 1);
  });

  it("forgets a purged title, and does not ask for a deleted one again", async () => {
    const [kept, deleted] = ["/vod/kept/r1/720p/init.mp4", "/vod/gone/r1/720p/init.mp4"];
    const tokenOf = (contentId: string): Promise<string> => tokenFor(aUrl, { pathPrefix: `/vod/${contentId}/r1/` });
    const read = async (path: string): Promise<number> =>
      (await get(aUrl, `${path}?CAT=${await tokenOf(path.split("/")[2] ?? "")}`)).status;
    origin.objects.set(kept, BODY);
    origin.objects.set(deleted, BODY);
    assert.deepEqual([await read(kept), await read(deleted)], [200, 200]);
    origin.purge("kept", false);
    origin.purge("gone", true);
    await until(async () => (await read(deleted)) === 404);
    assert.equal(await read(kept), 200);
    assert.deepEqual([origin.counts.get(kept), origin.counts.get(deleted)], [2, 1]);
  });
});

describe("an edge's manifests", () => {
  const MAIN = "/vod/film/r1/main-1.m3u8";
  const PLAYLIST =
    '#EXTM3U\n#EXT-X-CONTENT-STEERING:SERVER-URI="https://p.example/steering/hls/$sid$",PATHWAY-ID="edge-a"\n' +
    '#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="https://p.example/license/clearkey/$sid$?CAT=$cat$"\n' +
    "#EXT-X-STREAM-INF:BANDWIDTH=1\n720p/index.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://other.example/vod/film/r1/720p/index.m3u8\n";

  it("appends the reader's token to its own URIs, and fills in the session", async () => {
    origin.objects.set(MAIN, Buffer.from(PLAYLIST));
    const tokens = [await tokenFor(aUrl), await tokenFor(aUrl, { more: { sid: "ses_2" } })];
    for (const [index, token] of tokens.entries()) {
      const { status, body, headers } = await get(aUrl, `${MAIN}?CAT=${token}`);
      assert.equal(status, 200);
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["content-type"], "application/vnd.apple.mpegurl");
      const sid = `ses_${index + 1}`;
      const expected = PLAYLIST.replaceAll("$sid$", sid)
        .replace("$cat$", token ?? "")
        .replace("\n720p/index.m3u8", `\n720p/index.m3u8?CAT=${token}`);
      assert.equal(body.toString(), expected);
    }
    assert.equal(origin.counts.get(MAIN), 1);
  });

  it("leaves URIs alone for players whose token is in a cookie", async () => {
    const token = await tokenFor(aUrl);
    const { body } = await get(aUrl, MAIN, { headers: { cookie: `CAT=${token}` } });
    assert.match(body.toString(), /\n720p\/index\.m3u8\n/);
  });

  it("keeps the steered form apart, and asks for it in its own name", async () => {
    const token = await tokenFor(aUrl);
    origin.objects.set(
      `${MAIN}?steer=edge-a`,
      Buffer.from("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2\nsteered/index.m3u8\n"),
    );
    assert.match((await get(aUrl, `${MAIN}?CAT=${token}&steer=1`)).body.toString(), /steered\/index\.m3u8\?CAT=/);
    assert.doesNotMatch((await get(aUrl, `${MAIN}?CAT=${token}`)).body.toString(), /steered/);
    // It means nothing elsewhere.
    await get(aUrl, `${SEGMENT}?CAT=${token}&steer=1`);
    assert.equal(origin.counts.get(`${SEGMENT}?steer=edge-a`), undefined);
  });
});

describe("an edge's renewal", () => {
  it("renews a token that is due, once, by a cookie that then carries the session on", async () => {
    const old = await tokenFor(aUrl, { expS: NOW_S + 30 });
    const next = await tokenFor(aUrl, { nowS: NOW_S, expS: NOW_S + 400 });
    let asked = 0;
    origin.renew = async ({ token, network }) => {
      asked += 1;
      return token === old && network === "edge-a" ? next : undefined;
    };
    const headers = { origin: "https://player.example" };
    const [first] = await Promise.all([1, 2, 3].map(() => get(aUrl, `${SEGMENT}?CAT=${old}`, { headers })));
    assert.equal(asked, 1);
    assert.deepEqual(first?.headers["set-cookie"], [
      `CAT=${next}; Path=/vod/film/r1/; Max-Age=330; HttpOnly; SameSite=Lax`,
    ]);
    assert.equal(first?.headers["access-control-allow-origin"], "https://player.example");
    assert.equal(first?.headers["access-control-allow-credentials"], "true");
    nowMs += 60_000;
    assert.equal((await get(aUrl, `${SEGMENT}?CAT=${old}`)).status, 403);
    const carried = await get(aUrl, `${SEGMENT}?CAT=${old}`, { headers: { cookie: `CAT=${next}` } });
    assert.equal(carried.status, 200, "the address is old, the cookie is good");
    assert.equal(carried.headers["set-cookie"], undefined);
  });

  it("serves until the end when the session is over", async () => {
    origin.renew = async () => undefined;
    const old = await tokenFor(aUrl, { expS: NOW_S + 31 });
    const got = await get(aUrl, `${SEGMENT}?CAT=${old}`);
    assert.equal(got.status, 200);
    assert.equal(got.headers["set-cookie"], undefined);
  });
});

describe("an edge's log", () => {
  it("tells what was asked, with CMCD, and neither a token nor an address", async () => {
    const token = await tokenFor(aUrl);
    await get(aUrl, `${SEGMENT}?CMCD=bl%3D2100%2Cot%3Dv%2Cbr%3D3200&CAT=${token}`);
    let text = "";
    await until(async () => (text = await readFile(logFile, "utf8")).includes('"bl":2100'));
    const line = JSON.parse(
      text
        .trim()
        .split("\n")
        .find((each) => each.includes('"bl":2100')) ?? "null",
    ) as Record<string, unknown>;
    assert.equal(line["path"], SEGMENT);
    assert.equal(line["session"], "ses_1");
    assert.equal(line["source"], "memory");
    assert.equal(line["bytes"], BODY.length);
    assert.deepEqual(line["cmcd"], { v: 1, bl: 2100, ot: "v", br: 3200, droppedKeys: 0 });
    assert.ok(!text.includes("127.0.0.1") && !text.includes(token.slice(0, 40)) && !text.includes("CAT"));
  });
});

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await isTrue().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("it did not become true within two seconds");
}
