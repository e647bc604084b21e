import assert from "node:assert/strict";
import { test } from "node:test";
import { openPeers, parsePeers } from "./peers.ts";

test("a named service, the others, and a template for what is not named", () => {
  const peers = openPeers(
    "session=https://10.0.0.3:7001|https://10.0.0.4:7001, catalog=https://catalog.test:7000/",
    undefined,
  );
  assert.deepEqual(peers("session"), ["https://10.0.0.3:7001", "https://10.0.0.4:7001"]);
  assert.deepEqual(peers("catalog"), ["https://catalog.test:7000"]);
  assert.deepEqual(peers("user"), []);
  assert.deepEqual(openPeers("*=https://[::1]:7001", "https://{service}:7000")("user"), ["https://[::1]:7001"]);
  assert.deepEqual(openPeers("", "https://{service}.cinema.svc:7000")("user"), ["https://user.cinema.svc:7000"]);
});

test("what is wrong is named, with an example", () => {
  for (const [text, named] of [
    ["session", "session"],
    ["session=", "session="],
    ["Session=https://a:1", "Session"],
    ["session=http://10.0.0.3:7001", "http://10.0.0.3:7001"],
    ["session=10.0.0.3:7001", "10.0.0.3:7001"],
    ["session=https://10.0.0.3", "with its port"],
    ["session=https://10.0.0.3:7001/path", "10.0.0.3"],
    ["session=https://somebody@10.0.0.3:7001", "10.0.0.3"],
    ["session=https://a:1,session=https://b:1", "twice"],
  ] as const) {
    assert.throws(
      () => parsePeers(text),
      (error: Error) => error.message.includes(named) && /session=https:\/\/|\|/.test(error.message),
      text,
    );
  }
  for (const template of ["https://session:7000", "http://{service}:7000", "{service}", "https://{service}"])
    assert.throws(() => openPeers("", template), /write for example https:\/\/\{service\}:7000/, template);
});
