/** Who gets media and who does not, at both edges, with tokens as the product issues them. */
import assert from "node:assert/strict";
import { generateKeyPairSync, sign as signBytes } from "node:crypto";
import { request } from "node:http";
import { it } from "node:test";
import type { Session } from "#contracts/web";
import { decodeClaims, signToken } from "#media/cat";
import { fromBase64url } from "../../../media/cat/base64url.ts";
import { decodeMessage } from "#media/cose";
import { device, newAccount, signUp, startSession } from "../person.ts";
import type { Scenario, Stage } from "../stage.ts";

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** A request whose Host header is ours to choose, which `fetch` does not allow. */
function get(url: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, timeout: 20_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    asked.once("timeout", () => asked.destroy(new Error(`no answer from ${url}`)));
    asked.once("error", reject);
    asked.end();
  });
}

const withToken = (url: string, token: string): string => {
  const target = new URL(url);
  target.searchParams.set("CAT", token);
  return target.href;
};

/** The same claims for one hour longer, with the signature of the shorter ones. */
async function withTamperedExpiry(token: string): Promise<string> {
  const message = decodeMessage(fromBase64url(token));
  const claims = decodeClaims(message.payload ?? new Uint8Array());
  return signToken(
    { ...claims, exp: (claims.exp ?? 0) + 3_600 },
    { kid: message.kid ?? new Uint8Array(), sign: () => message.signature },
  );
}

/** The same claims signed by somebody else, under a name of their own or under the real key's. */
async function withForeignKey(token: string, kid: Uint8Array | "theirs"): Promise<string> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const message = decodeMessage(fromBase64url(token));
  return signToken(decodeClaims(message.payload ?? new Uint8Array()), {
    kid: kid === "theirs" ? (message.kid ?? new Uint8Array()) : kid,
    sign: (_kid, _algorithm, bytes) => signBytes("sha256", bytes, { key: privateKey, dsaEncoding: "ieee-p1363" }),
  });
}

interface Edge {
  readonly id: string;
  /** The same title's master playlist and one media segment of it, at this edge, without a token. */
  readonly manifest: string;
  readonly segment: string;
  readonly token: string;
}

/** Follows the manifests as a player does, to one real media segment. */
async function edgesOf(session: Session): Promise<Edge[]> {
  const path = new URL(session.manifests.hls).pathname;
  const found: Edge[] = [];
  for (const { id, baseUrl, token } of session.cdns) {
    const manifest = new URL(path, baseUrl).href;
    const master = (await get(withToken(manifest, token))).body.toString("utf8");
    const playlist = /^(?!#)\S*h264\S*$/m.exec(master)?.[0];
    assert.ok(playlist, `the master playlist at ${id} names no H.264 rung:\n${master.slice(0, 500)}`);
    const playlistUrl = new URL(playlist, manifest).href;
    const media = (await get(withToken(playlistUrl, token))).body.toString("utf8");
    const segment = /^(?!#)\S+$/m.exec(media)?.[0];
    assert.ok(segment, `the media playlist at ${id} names no segment`);
    const { origin, pathname } = new URL(segment, playlistUrl);
    found.push({ id, manifest, segment: origin + pathname, token });
  }
  return found;
}

async function assertGuarded(edge: Edge, other: Edge): Promise<void> {
  const message = decodeMessage(fromBase64url(edge.token));
  const elsewhere = edge.segment.replace(/\/vod\/[^/]+\//, "/vod/another-title/");
  const neighbour = edge.segment.replace(/\/vod\/([^/]+)\//, "/vod/$1x/");
  const cases: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
    ["no token", edge.segment, {}],
    ["an empty token", withToken(edge.segment, ""), {}],
    ["what is no token", withToken(edge.segment, "bm90IGEgdG9rZW4"), {}],
    ["another title's path", withToken(elsewhere, edge.token), {}],
    ["a path that begins the same", withToken(neighbour, edge.token), {}],
    ["a path that climbs out", withToken(edge.segment.replace("/vod/", "/vod/x/..%2f"), edge.token), {}],
    ["another host", withToken(edge.segment, edge.token), { host: "films.example" }],
    ["another port", withToken(edge.segment, edge.token), { host: `${new URL(edge.segment).hostname}:1` }],
    ["a tampered expiry", withToken(edge.segment, await withTamperedExpiry(edge.token)), {}],
    ["an unknown key", withToken(edge.segment, await withForeignKey(edge.token, Buffer.from("nobody's key"))), {}],
    ["a foreign key under our name", withToken(edge.segment, await withForeignKey(edge.token, "theirs")), {}],
    ["the other edge's token", withToken(edge.segment, other.token), {}],
    ["a flipped signature", withToken(edge.segment, flipped(edge.token)), {}],
  ];
  assert.ok(message.kid, "a token of ours names its key");
  for (const [what, url, headers] of cases) {
    const { status, body } = await get(url, headers);
    assert.equal(status, 403, `${what} at ${edge.id} was answered with ${status}`);
    assert.ok(body.length < 2_000, `${what} at ${edge.id} was refused with ${body.length} bytes`);
  }
  const manifest = await get(edge.manifest);
  assert.equal(manifest.status, 403, `a manifest without a token at ${edge.id}`);
}

/** The middle of the signature: its last character may hold no bit that counts. */
function flipped(token: string): string {
  const at = token.length - 20;
  return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
}

async function assertServes({ id, segment, token }: Edge, page: string): Promise<void> {
  const url = withToken(segment, token);
  const whole = await get(url, { origin: page });
  assert.equal(whole.status, 200, `the segment with its token at ${id}`);
  assert.ok(["*", page].includes(String(whole.headers["access-control-allow-origin"])), "pages may read the answer");
  assert.ok(whole.body.length > 1_000);
  const part = await get(url, { range: "bytes=100-299" });
  assert.equal(part.status, 206);
  assert.equal(part.headers["content-range"], `bytes 100-299/${whole.body.length}`);
  assert.deepEqual(part.body, whole.body.subarray(100, 300));
  const tail = await get(url, { range: "bytes=-50" });
  assert.deepEqual([tail.status, tail.body], [206, whole.body.subarray(-50)]);
  const beyond = await get(url, { range: `bytes=${whole.body.length}-` });
  assert.equal(beyond.status, 416);
  const preflight = await get(
    segment,
    { origin: page, "access-control-request-method": "GET", "access-control-request-headers": "range" },
    "OPTIONS",
  );
  assert.ok([200, 204].includes(preflight.status), `the preflight was answered with ${preflight.status}`);
  assert.ok(["*", page].includes(String(preflight.headers["access-control-allow-origin"])));
}

async function open(stage: Stage): Promise<[Edge, Edge]> {
  const person = await signUp(stage.product.url, newAccount("Edgar"));
  const session = await startSession(person, stage.film.id, device("A matrix of requests"));
  const [a, b] = await edgesOf(session);
  assert.ok(a && b, "there are two delivery networks");
  return [a, b];
}

export const edges: Scenario = (stage) => {
  it("media without the right token: 403, at both edges", async () => {
    const [a, b] = await open(stage());
    await assertGuarded(a, b);
    await assertGuarded(b, a);
  });

  it("media with the right token: whole, in ranges, for pages of ours", async () => {
    const { product } = stage();
    for (const edge of await open(stage())) await assertServes(edge, product.url);
  });
};
