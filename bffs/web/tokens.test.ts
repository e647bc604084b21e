import assert from "node:assert/strict";
import { test } from "node:test";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import type { Auth } from "#contracts/auth";
import type { Client } from "#kernel";
import { testClock } from "#kernel/clock";
import { openTokenVerifier } from "./tokens.ts";

const ISSUER = "http://localhost:8080/oauth";
const NOW_MS = 1_800_000_000_000;

async function setUp() {
  const clock = testClock(NOW_MS);
  const jwks: JWK[] = [];
  let asked = 0;
  const newKey = async (kid: string) => {
    const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
    jwks.unshift({ ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" });
    return (claims: Record<string, unknown> = {}, issuer = ISSUER): Promise<string> =>
      new SignJWT({ tenant: "demo", profile: "p1", tier: "premium", device: "d1", ent: ["vod"], ...claims })
        .setProtectedHeader({ alg: "RS256", kid })
        .setIssuer(issuer)
        .setAudience("urn:marquee:api")
        .setSubject("u1")
        .setExpirationTime(NOW_MS / 1_000 + 900)
        .sign(privateKey);
  };
  const auth = {
    async jwks() {
      asked += 1;
      return { jwksJson: JSON.stringify({ keys: jwks }), issuer: ISSUER };
    },
  } as unknown as Client<(typeof Auth)["rpc"]>;
  return { clock, jwks, newKey, asked: () => asked, verifier: openTokenVerifier(auth, "demo", clock) };
}

test("a good token says who it is, the second time without its signature being looked at, and ends in time", async () => {
  const { clock, newKey, verifier, asked } = await setUp();
  const token = await (await newKey("k1"))();
  const first = await verifier.verify(token);
  assert.equal(first?.tenant, "demo");
  assert.deepEqual(first.viewer, {
    userId: "u1",
    profileId: "p1",
    tier: "premium",
    deviceId: "d1",
    entitlements: ["vod"],
  });
  assert.equal(await verifier.verify(token), first);
  assert.equal(asked(), 1);
  await clock.advance(900_000 + 6_000);
  assert.equal(await verifier.verify(token), undefined);
});

test("a token that is not ours, not whole or too long is no token", async () => {
  const { newKey, verifier } = await setUp();
  const sign = await newKey("k1");
  const token = await sign();
  assert.ok(await verifier.verify(token));
  const [head = "", body = "", signature = ""] = token.split(".");
  const other = `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
  assert.equal(await verifier.verify(`${head}.${body}.${other}`), undefined);
  assert.equal(await verifier.verify(await sign({}, "http://elsewhere")), undefined);
  assert.equal(await verifier.verify(token + "A".repeat(9_000)), undefined);
});

test("an unknown key is fetched, but not for everybody who asks; a withdrawn key ends what it signed", async () => {
  const { clock, jwks, newKey, verifier, asked } = await setUp();
  const old = await (await newKey("k1"))();
  assert.ok(await verifier.verify(old));
  jwks.length = 0;
  const next = await newKey("k2");
  assert.equal(await verifier.verify(await next()), undefined);
  assert.equal(asked(), 1);
  await clock.advance(5_000);
  assert.ok(await verifier.verify(await next()));
  assert.equal(asked(), 2);
  assert.equal(await verifier.verify(old), undefined);
});
