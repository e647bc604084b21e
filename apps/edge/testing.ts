/** What the edge's tests share: an origin that counts, an issuer of tokens, and a client that takes paths as they are. */
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { freePort } from "#kernel/testing/ports";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CatClaims, signToken } from "#media/cat";
import { COSE_ALGORITHMS } from "#media/cose";
import { nodeSigner } from "#media/cose/node";
import type { EdgeOptions } from "./config.ts";

export interface TestKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly jwk: Record<string, unknown>;
}

export function newKey(kid = randomBytes(6).toString("base64url")): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { kid, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" } };
}

export interface TokenOptions {
  readonly key: TestKey;
  readonly baseUrl: string;
  readonly nowS: number;
  readonly pathPrefix?: string;
  readonly expS?: number;
  readonly more?: Partial<CatClaims>;
}

/** A token as the token service issues it. */
export function newToken({
  key,
  baseUrl,
  nowS,
  pathPrefix = "/vod/film/r1/",
  expS = nowS + 300,
  more,
}: TokenOptions): Promise<string> {
  const { hostname, port } = new URL(baseUrl);
  const claims: CatClaims = {
    iss: "marquee",
    sub: "demo:abc",
    exp: expS,
    iat: nowS,
    cti: randomBytes(16),
    catv: 1,
    catu: new Map([
      ["host", { exact: hostname }],
      ["port", { exact: port }],
      ["path", { prefix: pathPrefix }],
    ]),
    catm: ["GET", "HEAD", "OPTIONS"],
    catr: { type: "cookie", expaddS: 300, deadlineS: 60, cookieName: "CAT" },
    sid: "ses_1",
    cid: "film",
    ...more,
  };
  const kid = Buffer.from(key.kid);
  return signToken(claims, { kid, sign: nodeSigner({ kid, algorithm: COSE_ALGORITHMS.ES256, key: key.privateKey }) });
}

export interface TestOrigin {
  readonly url: string;
  /** Bodies by path and query. */
  readonly objects: Map<string, Buffer>;
  readonly counts: Map<string, number>;
  /** Answers for what is no plain object, by path and query. */
  readonly answers: Map<string, (response: ServerResponse) => void>;
  keys: readonly TestKey[];
  renew: (body: { token: string; network: string }) => Promise<string | undefined>;
  purge(contentId: string, deleted: boolean): void;
  /** Objects' second halves wait for it. */
  hold: Promise<void> | undefined;
  /** Breaks objects off in the middle. */
  isBroken: boolean;
  close(): Promise<void>;
}

export async function openTestOrigin(): Promise<TestOrigin> {
  const purges: { contentId: string; deleted: boolean }[] = [];
  const waiting = new Set<() => void>();
  const counts = new Map<string, number>();
  const json = (response: ServerResponse, status: number, body: unknown): void => {
    const text = JSON.stringify(body);
    response
      .writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
      .end(text);
  };
  const origin = {
    url: "",
    objects: new Map<string, Buffer>(),
    answers: new Map<string, (response: ServerResponse) => void>(),
    counts,
    keys: [] as readonly TestKey[],
    renew: async (): Promise<string | undefined> => undefined,
    hold: undefined as Promise<void> | undefined,
    isBroken: false,
    purge(contentId: string, deleted: boolean) {
      purges.push({ contentId, deleted });
      for (const wake of waiting) wake();
      waiting.clear();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer(async (request, response) => {
    const url = request.url ?? "";
    counts.set(url, (counts.get(url) ?? 0) + 1);
    if (url === "/.well-known/cat-keys")
      return json(response, 200, { issuer: "marquee", keys: origin.keys.map(({ jwk }) => jwk) });
    if (url.startsWith("/edge/purges?after=")) {
      const after = Number(url.slice("/edge/purges?after=".length));
      if (after === purges.length) await new Promise<void>((resolve) => waiting.add(resolve));
      const entries = after < 0 ? [] : purges.slice(after);
      return json(response, 200, { serial: purges.length, isReset: after > purges.length, purges: entries });
    }
    if (url === "/edge/renew") {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const token = await (origin as TestOrigin).renew(
        JSON.parse(Buffer.concat(chunks).toString()) as { token: string; network: string },
      );
      return token === undefined
        ? json(response, 403, { reason: "token_invalid" })
        : json(response, 200, { token, expiresAtMs: 1 });
    }
    const answer = origin.answers.get(url);
    if (answer !== undefined) return answer(response);
    const body = origin.objects.get(url);
    if (body === undefined) return json(response, 404, { reason: "not_found" });
    const etag = `"${body.length.toString(36)}-${url.length}"`;
    response.writeHead(200, { "content-length": body.length, "content-type": "application/octet-stream", etag });
    const half = body.length >> 1;
    response.write(body.subarray(0, half));
    if (origin.isBroken) {
      setTimeout(() => response.destroy(), 20);
      return;
    }
    await origin.hold;
    response.end(body.subarray(half));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return origin;
}

export async function edgeOptions(origin: { readonly url: string }, more: Partial<EdgeOptions> = {}) {
  const port = await freePort();
  const cacheFolder = await mkdtemp(join(tmpdir(), "marquee-edge-"));
  const options = {
    id: "edge-a",
    host: "127.0.0.1",
    port,
    originUrl: origin.url,
    baseUrl: `http://127.0.0.1:${port}`,
    cacheFolder,
    cacheBytesMax: 64_000_000,
    memoryBytesMax: 16_000_000,
    ...more,
  } satisfies EdgeOptions;
  return { options, remove: () => rm(cacheFolder, { recursive: true, force: true }) };
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request with the path as it stands; `fetch` would tidy it up. */
export function get(
  baseUrl: string,
  path: string,
  options: { readonly headers?: Record<string, string>; readonly method?: string } = {},
): Promise<Got> {
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { hostname, port, path, method: options.method ?? "GET", headers: options.headers ?? {}, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
        response.once("error", reject);
      },
    );
    request.once("error", reject);
    request.end();
  });
}
