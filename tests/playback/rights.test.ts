import assert from "node:assert/strict";
import { createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Keys } from "#contracts/keys";
import { Routing } from "#contracts/routing";
import { Token } from "#contracts/token";
import type { Problem } from "#kernel";
import { type Viewer } from "#kernel";
import { type CatVerdict, validate } from "#media/cat";
import { calm, openServer, type PlaybackHost, startPlayback } from "./setup.ts";

// Tokens, steering and licences, for sessions as they really are.

let host: PlaybackHost;
let vendor: Awaited<ReturnType<typeof openServer>>;
const challenges: { readonly headers: NodeJS.Dict<string | string[]>; readonly body: string }[] = [];
let vendorStatus = 200;
before(async () => {
  vendor = await openServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      challenges.push({ headers: request.headers, body });
      response.writeHead(vendorStatus, { "content-type": "application/x-license" }).end(`licence for ${body}`);
    });
  });
  host = await startPlayback({ env: { MARQUEE_WIDEVINE_URL: `${vendor.baseUrl}/proxy`, MARQUEE_MARKET: "DE" } });
  await host.addFilm("film");
  await host.addFilm("german", { markets: ["DE"] });
  for (const contentId of ["film", "german"]) {
    await host.client(Keys, "test").createSet({ contentId, packageRevision: 1 }, host.context());
  }
});
after(async () => {
  await host?.stop();
  vendor?.close();
});

async function playing(contentId = "film", deviceType = "web") {
  const viewer = await host.newViewer();
  const device = { id: "tv", type: deviceType, name: "TV" };
  const started = await host.sessions.start({ contentId, device, market: "DE" }, host.context({ viewer }));
  const [own, other] = started.cdns;
  assert.ok(own && other && started.session);
  return { ...started, viewer, sessionId: started.session.id, own, other };
}
const stop = (viewer: Viewer, sessionId: string) => host.sessions.stop({ sessionId }, host.context({ viewer }));

async function judge(token: string, url: string, afterS = 0): Promise<CatVerdict> {
  const { jwksJson, issuer } = await host.client(Token, "test").keys({}, host.context());
  const { keys } = JSON.parse(jwksJson) as { keys: (JsonWebKey & { kid: string })[] };
  const { protocol, hostname, port, pathname } = new URL(url);
  const at = { scheme: protocol.slice(0, -1), host: hostname, port: Number(port), path: pathname, query: "" };
  return validate(
    token,
    { method: "GET", url: at },
    {
      nowS: Math.floor(host.clock.nowMs() / 1_000) + afterS,
      issuer,
      verify(kid, _, bytes, signature) {
        const key = keys.find((one) => kid && one.kid === Buffer.from(kid).toString());
        if (!key) return false;
        return verify(
          "sha256",
          bytes,
          { key: createPublicKey({ key, format: "jwk" }), dsaEncoding: "ieee-p1363" },
          signature,
        );
      },
    },
  );
}

describe("an access token", () => {
  const client = () => host.client(Token, "test");
  const renew = (token: string, networkBaseUrl: string) => client().renew({ token, networkBaseUrl }, host.context());

  test("opens one title's package on one network for five minutes, and does not say who watches", async () => {
    const { own, other, sessionId, viewer } = await playing();
    const inside = "/vod/film/r1/720p-h264/seg-0000001.m4s";
    const verdict = await judge(own.token, own.baseUrl + inside);
    assert.equal(verdict.ok, true);
    const claims = verdict.ok ? verdict.claims : undefined;
    assert.deepEqual([claims?.sid, claims?.cid, claims?.iss], [sessionId, "film", "marquee"]);
    assert.equal((claims?.exp ?? 0) - (claims?.iat ?? 0), 300);
    assert.match(claims?.sub ?? "", /^demo:[\w-]{22}$/);
    assert.equal(
      JSON.stringify(claims, (_, value: unknown) => (value instanceof Map ? [...value] : value)).includes(
        viewer.userId,
      ),
      false,
    );
    for (const elsewhere of [other.baseUrl + inside, `${own.baseUrl}/vod/film/r2/x`, `${own.baseUrl}/vod/other/r1/x`]) {
      assert.equal((await judge(own.token, elsewhere)).ok, false, elsewhere);
    }
    // Seconds may have passed since the token was made.
    assert.equal((await judge(own.token, own.baseUrl + inside, 280)).ok, true);
    assert.equal((await judge(own.token, own.baseUrl + inside, 300)).ok, false);
  });

  test("is renewed in its last minute only, by its own network, while its session lives", async () => {
    const { own, other, sessionId, viewer } = await playing();
    const live = (sequence: number) => host.sessions.beat(calm(sessionId, sequence, 1), host.context({ viewer }));
    await assert.rejects(renew(own.token, own.baseUrl), { reason: "not_due" });
    for (let i = 0; i < 10; i++) {
      host.clock.offsetMs += 25_000;
      await live(i);
    }
    await assert.rejects(renew(own.token, other.baseUrl), { reason: "token_invalid" });
    await assert.rejects(renew(`${own.token.slice(0, -2)}AA`, own.baseUrl), { reason: "token_invalid" });
    await assert.rejects(renew("no token at all", own.baseUrl), { reason: "token_invalid" });
    const { token } = await renew(own.token, own.baseUrl);
    const verdict = await judge(token, `${own.baseUrl}/vod/film/r1/x`, 290);
    assert.equal(verdict.ok, true, "the successor lasts five minutes again");
    assert.equal((await judge(token, `${own.baseUrl}/vod/other/r1/x`)).ok, false, "and opens no more");
    await stop(viewer, sessionId);
    await assert.rejects(renew(own.token, own.baseUrl), { code: "not_found" });
    host.clock.offsetMs += 60_000;
    await assert.rejects(renew(own.token, own.baseUrl), { reason: "token_invalid" });
  });

  test("outlives the rotation of its key, and the person keeps the pseudonym", async () => {
    const { own, sessionId, viewer } = await playing();
    const { kid } = await client().rotate({}, host.context());
    const { cdns } = await host.sessions.refreshToken({ sessionId }, host.context({ viewer }));
    const url = `${own.baseUrl}/vod/film/r1/x`;
    const next = cdns.find(({ id }) => id === own.id)?.token ?? "";
    const [old, fresh] = [await judge(own.token, url), await judge(next, url)];
    assert.ok(old.ok && fresh.ok);
    assert.equal(old.claims.sub, fresh.claims.sub);
    const { jwksJson } = await client().keys({}, host.context());
    const { keys } = JSON.parse(jwksJson) as { keys: Record<string, unknown>[] };
    assert.deepEqual([keys.length, keys[0]?.["kid"]], [2, kid]);
    assert.ok(
      keys.every((key) => !("d" in key)),
      "no private key leaves",
    );
    assert.notEqual((await host.adapters.secrets.get("token/cat"))?.version, undefined);
    const wide = { sessionId: "s", userId: "u", contentId: "c", networks: [] };
    await assert.rejects(client().issue({ ...wide, pathPrefix: "/" }, host.context()), { code: "invalid_argument" });
  });
});

describe("steering", () => {
  test("tells players of a session which network comes first, in either protocol", async () => {
    const { sessionId, viewer, own, other } = await playing();
    const ask = async (protocol: string, id = sessionId) => host.http(`http://x/steering/${protocol}/${id}`);
    const order = async (protocol: string): Promise<unknown> =>
      ((await (await ask(protocol)).json()) as Record<string, unknown>)["PATHWAY-PRIORITY"];
    assert.deepEqual(
      [await order("hls"), await order("dash")],
      [
        [own.id, other.id],
        [own.id, other.id],
      ],
    );
    const answered = await ask("hls");
    assert.equal(answered.headers.get("content-type"), "application/vnd.apple.steering-list");
    assert.equal(answered.headers.get("cache-control"), "no-store");
    const document = (await answered.json()) as Record<string, unknown>;
    assert.deepEqual([document["VERSION"], document["TTL"]], [1, 10]);
    const trouble = { ...calm(sessionId, 0, 1), cdnId: own.id, errors: [{ code: "3016", message: "network" }] };
    await host.sessions.beat(trouble, host.context({ viewer }));
    assert.deepEqual(await order("hls"), [other.id, own.id]);
    for (const [protocol, id] of [
      ["hls", "ses_nobody"],
      ["smooth", sessionId],
      ["hls", "%2e%2e"],
    ] as const) {
      assert.equal((await ask(protocol, id)).status, 404);
    }
    const elsewhere = { sessionId, networkId: own.id, errorCount: 1, state: "playing" };
    const steered = await host.client(Routing, "test").steer(elsewhere, host.context({ tenant: "north" }));
    assert.deepEqual({ ...steered, $typeName: "" }, { $typeName: "", networkIds: [], switched: false });
  });
});

describe("a licence", () => {
  const request = (kids: readonly string[]): RequestInit => ({
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ kids: kids.map((kid) => Buffer.from(kid, "hex").toString("base64url")), type: "temporary" }),
  });
  const keysOf = async (contentId: string) =>
    (await host.client(Keys, "test").getSet({ contentId, packageRevision: 1 }, host.context())).keys;
  const reason = async (response: Response): Promise<[number, string]> => [
    response.status,
    ((await response.json()) as { type: string }).type.split("/").at(-1) ?? "",
  ];

  test("by ClearKey holds the keys that the device may have, as a W3C document", async () => {
    const { licenseClearkey } = await playing();
    const keys = await keysOf("film");
    const answered = await host.http(licenseClearkey, request(keys.map(({ kid }) => kid)));
    assert.equal(answered.status, 200);
    const { keys: granted } = (await answered.json()) as { keys: { kid: string; k: string }[] };
    const expected = keys.filter(({ keyClass }) => keyClass !== "UHD");
    const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
    assert.deepEqual(
      granted.map(({ kid, k }) => [kid, k]),
      expected.map(({ kid, key }) => [Buffer.from(kid, "hex").toString("base64url"), base64url(key)]),
    );
    const foreign = (await keysOf("german")).map(({ kid }) => kid);
    assert.equal((await host.http(licenseClearkey, request(foreign))).status, 403);
    assert.equal((await host.http(licenseClearkey, { method: "POST", body: "x" })).status, 400);
    assert.equal((await host.http(licenseClearkey, { method: "POST", body: "x".repeat(70_000) })).status, 400);
    assert.equal((await host.http(licenseClearkey)).status, 400);
    assert.equal((await host.http(licenseClearkey.replace("clearkey", "rot13"), request(foreign))).status, 404);
  });

  test("is judged by the market in which the film was started", async () => {
    const { licenseClearkey } = await playing("german");
    const kids = (await keysOf("german")).map(({ kid }) => kid);
    assert.equal((await host.http(licenseClearkey, request(kids))).status, 200);
  });

  test("is refused to stale and foreign tokens, and to sessions that are over", async () => {
    const [one, two] = [await playing(), await playing()];
    const kids = (await keysOf("film")).map(({ kid }) => kid);
    const ask = (url: string) => host.http(url, request(kids));
    const withToken = (token: string): string => one.licenseClearkey.replace(/CAT=.*$/, `CAT=${token}`);
    assert.deepEqual(await reason(await ask(withToken(two.own.token))), [403, "token_invalid"]);
    assert.deepEqual(await reason(await ask(withToken("garbage"))), [403, "token_invalid"]);
    assert.deepEqual(await reason(await ask(withToken(""))), [403, "token_invalid"]);
    assert.equal((await ask(one.licenseClearkey)).status, 200);
    await stop(one.viewer, one.sessionId);
    assert.deepEqual(await reason(await ask(one.licenseClearkey)), [404, "session_over"]);
    host.clock.offsetMs += 301_000;
    assert.deepEqual(await reason(await ask(two.licenseClearkey)), [403, "token_invalid"]);
  });

  test("ends with the right to watch", async () => {
    const { licenseClearkey } = await playing();
    const kids = (await keysOf("film")).map(({ kid }) => kid);
    await host.catalog.unpublish({ id: "film" }, host.context());
    await host.settled();
    assert.ok([403, 404].includes((await host.http(licenseClearkey, request(kids))).status));
    await host.catalog.publish({ id: "film" }, host.context());
    await host.settled();
    assert.equal((await host.http(licenseClearkey, request(kids))).status, 200);
  });

  test("by a vendor is the vendor's answer to the player's challenge, after our own judgement", async () => {
    const { licenseWidevine, licensePlayready } = await playing();
    assert.equal(licensePlayready, "");
    const challenge = { method: "POST", body: "challenge", headers: { "content-type": "application/octet-stream" } };
    const answered = await host.http(licenseWidevine, challenge);
    assert.deepEqual([answered.status, await answered.text()], [200, "licence for challenge"]);
    assert.equal(answered.headers.get("content-type"), "application/x-license");
    assert.equal(challenges.at(-1)?.headers["authorization"], undefined);
    const told = challenges.length;
    assert.equal((await host.http(licenseWidevine.replace(/CAT=.*/, "CAT=x"), challenge)).status, 403);
    assert.equal(challenges.length, told, "the vendor is not asked for what we refuse");
    vendorStatus = 500;
    assert.equal((await host.http(licenseWidevine, challenge)).status, 503);
    const playready = licenseWidevine.replace("widevine", "playready");
    assert.deepEqual(await reason(await host.http(playready, challenge)), [503, "unavailable"]);
    assert.equal((await host.http("http://x/license/fairplay.cer")).status, 404);
  });
});

test("ClearKey is off in production, unless an operator allows it by name", async () => {
  const production = await startPlayback({ env: { MARQUEE_MODE: "production", MARQUEE_HOST: "tv.example" } });
  try {
    await production.addFilm("film");
    const viewer = await production.newViewer();
    const device = { id: "tv", type: "web", name: "TV" };
    const { licenseClearkey, session, cdns } = await production.sessions.start(
      { contentId: "film", device },
      production.context({ viewer }),
    );
    assert.equal(licenseClearkey, "");
    const url = `http://x/license/clearkey/${session?.id}?CAT=${cdns[0]?.token}`;
    const answered = await production.http(url, { method: "POST", body: '{"kids":["AAECAwQFBgcICQoLDA0ODw"]}' });
    assert.equal(answered.status, 403);
    assert.match(((await answered.json()) as Problem & { detail: string }).detail, /MARQUEE_CLEARKEY=1/);
  } finally {
    await production.stop();
  }
});
