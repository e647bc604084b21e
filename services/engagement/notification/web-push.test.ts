import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isPushService, outcomeOf } from "./push.ts";
import { assertReceiver, encrypt, MESSAGE_BYTES_MAX, newVapidKey, vapidHeader, vapidKeyOf } from "./web-push.ts";

/** RFC 8291, section 5 and appendix A. */
const RFC = {
  text: "When I grow up, I want to be a watermelon",
  p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
  auth: "BTBZMqHH6r4Tts7J_aSIgg",
  privateKey: "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
  salt: "DGv6ra1nlYgDCS1FRnbzlw",
  body:
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_" +
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
};

test("the example of RFC 8291 comes out byte by byte", () => {
  const given = { privateKey: Buffer.from(RFC.privateKey, "base64url"), salt: Buffer.from(RFC.salt, "base64url") };
  assert.equal(encrypt(Buffer.from(RFC.text), RFC, given).toString("base64url"), RFC.body);
});

test("what no browser says is refused, and so is a message that no service carries", () => {
  assertReceiver(RFC);
  const point = Buffer.from(RFC.p256dh, "base64url");
  point[64] = (point[64] ?? 0) ^ 1;
  assert.throws(() => assertReceiver({ ...RFC, p256dh: point.toString("base64url") }), /no point of P-256/);
  assert.throws(() => assertReceiver({ ...RFC, p256dh: "AAAA" }), /p256dh is not 65 bytes/);
  assert.throws(() => assertReceiver({ ...RFC, auth: "!" }), /auth is not 16 bytes/);
  assert.throws(() => encrypt(Buffer.alloc(MESSAGE_BYTES_MAX + 1), RFC), /3994 bytes/);
  assert.equal(encrypt(Buffer.alloc(MESSAGE_BYTES_MAX), RFC).length, 4_096);
});

test("the proof of who we are is signed by the key that browsers subscribe with", () => {
  const key = vapidKeyOf(newVapidKey());
  const header = vapidHeader(key, "https://push.example.test/abc", "mailto:a@b.test", 1_700_000_000_000);
  const [, input = "", signature = "", k = ""] = /^vapid t=([\w-]+\.[\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(header) ?? [];
  assert.equal(k, key.publicKey);
  const point = Buffer.from(k, "base64url");
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString("base64url"));
  const publicKey = createPublicKey({ key: { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" }, format: "jwk" });
  const isGood = verify(
    "sha256",
    Buffer.from(input),
    { key: publicKey, dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  assert.ok(isGood);
  const claims: unknown = JSON.parse(Buffer.from(input.split(".")[1] ?? "", "base64url").toString());
  assert.deepEqual(claims, { aud: "https://push.example.test", exp: 1_700_043_200, sub: "mailto:a@b.test" });
});

test("nothing is fetched but known push services", () => {
  for (const good of [
    "https://fcm.googleapis.com/fcm/send/abc:def",
    "https://updates.push.services.mozilla.com/wpush/v2/x",
    "https://web.push.apple.com/x",
    "https://wns2-par02p.notify.windows.com/w/?token=x",
  ])
    assert.ok(isPushService(good, []), good);
  for (const bad of [
    "http://fcm.googleapis.com/x",
    "https://fcm.googleapis.com:8443/x",
    "https://fcm.googleapis.com.evil.test/x",
    "https://user@fcm.googleapis.com/x",
    "https://notify.windows.com.evil.test/x",
    "https://evilpush.apple.com.test/x",
    "https://127.0.0.1/x",
    "https://169.254.169.254/latest",
    "http://localhost:9000/x",
    "file:///etc/passwd",
    "",
  ])
    assert.ok(!isPushService(bad, []), bad);
  assert.ok(isPushService("http://127.0.0.1:9000/x", ["127.0.0.1:9000"]), "the operator may name more");
  assert.ok(!isPushService("http://10.0.0.1/x", ["10.0.0.1"]), "plain HTTP stays on this machine");
  const host = fc.stringMatching(/^[a-z]{1,8}(\.[a-z]{1,12}){1,4}$/);
  fc.assert(fc.property(host, (name) => !isPushService(`https://${name}/x`, [])));
});

test("what a push service answers says whether to forget, to wait or to give up", () => {
  assert.deepEqual(outcomeOf(201, null), { kind: "taken" });
  for (const status of [404, 410]) assert.deepEqual(outcomeOf(status, null), { kind: "gone" });
  assert.deepEqual(outcomeOf(429, "120"), { kind: "again", afterMs: 120_000 });
  assert.deepEqual(outcomeOf(503, "Wed, 21 Oct 2026 07:28:00 GMT"), { kind: "again", afterMs: 0 });
  for (const status of [301, 400, 403, 413]) assert.deepEqual(outcomeOf(status, null), { kind: "refused" });
});
