import assert from "node:assert/strict";
import { test } from "node:test";
import { allowedClasses, clearKeyLicense, type DrmSystem, requestedKids, securityLevelOf } from "./domain.ts";

test("the best keys go to devices that keep them in hardware, and never through ClearKey", () => {
  for (const [device, system, classes] of [
    ["tizen", "playready", "AUDIO SD HD UHD"],
    ["android_tv", "widevine", "AUDIO SD HD UHD"],
    ["ios", "fairplay", "AUDIO SD HD UHD"],
    ["tizen", "clearkey", "AUDIO SD HD"],
    ["web", "widevine", "AUDIO SD HD"],
    ["web", "clearkey", "AUDIO SD HD"],
    ["android", "widevine", "AUDIO SD"],
    ["android", "clearkey", "AUDIO SD"],
    ["toaster", "widevine", "AUDIO SD HD"],
    ["", "clearkey", "AUDIO SD HD"],
    ["__proto__", "widevine", "AUDIO SD HD"],
  ] as const satisfies readonly (readonly [string, DrmSystem, string])[]) {
    assert.equal(
      [...allowedClasses(device, securityLevelOf(device, system))].join(" "),
      classes,
      `${device} ${system}`,
    );
  }
});

test("a device of an odd name is one that protects nothing", () => {
  for (const name of ["__proto__", "constructor", "toString"])
    assert.equal(securityLevelOf(name, "widevine"), "software");
});

test("a licence request is a W3C document with key ids, and nothing else is", () => {
  const kid = "AAECAwQFBgcICQoLDA0ODw";
  assert.deepEqual(requestedKids(JSON.stringify({ kids: [kid], type: "temporary" })), [
    "000102030405060708090a0b0c0d0e0f",
  ]);
  for (const body of [
    "{}",
    "[]",
    "null",
    "{",
    '{"kids":"x"}',
    '{"kids":[7]}',
    '{"kids":["short"]}',
    `{"kids":["${kid}="]}`,
  ]) {
    assert.equal(requestedKids(body), null, body);
  }
  assert.equal(requestedKids(JSON.stringify({ kids: Array.from({ length: 33 }, () => kid) })), null);
});

test("a licence names each key by the id that was asked for", () => {
  const license: unknown = JSON.parse(
    clearKeyLicense([{ kid: "000102030405060708090a0b0c0d0e0f", key: new Uint8Array(16) }]),
  );
  assert.deepEqual(license, {
    keys: [{ kty: "oct", kid: "AAECAwQFBgcICQoLDA0ODw", k: "AAAAAAAAAAAAAAAAAAAAAA" }],
    type: "temporary",
  });
});
