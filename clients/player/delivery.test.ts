import assert from "node:assert/strict";
import { test } from "node:test";
import {
  candidates,
  cdnOf,
  createDelivery,
  forLicense,
  markFailed,
  presentCdn,
  refreshDelayMs,
  signed,
  steeredOrder,
  withToken,
} from "./delivery.ts";

const A = { id: "edge-a", baseUrl: "http://localhost:9001", token: "TA" };
const B = { id: "edge-b", baseUrl: "http://127.0.0.1:9002/", token: "T/B" };
const delivery = () => createDelivery([A, B]);

test("a token takes the place of the one before and leaves every other byte alone", () => {
  assert.equal(withToken("http://x/a.m4s", "T"), "http://x/a.m4s?CAT=T");
  assert.equal(
    withToken("http://x/a.m4s?CAT=old&CMCD=br%3D1%2Csid%3D%22s%22", "T/2"),
    "http://x/a.m4s?CMCD=br%3D1%2Csid%3D%22s%22&CAT=T%2F2",
  );
  assert.equal(withToken("http://x/a.m4s?#t=1", "T"), "http://x/a.m4s?CAT=T");
});

test("an address belongs to a network by its base, not by a prefix of its name", () => {
  assert.equal(cdnOf(delivery(), "http://localhost:9001/v1/s.m4s")?.id, "edge-a");
  assert.equal(cdnOf(delivery(), "http://localhost:90011/v1/s.m4s"), null);
  const nested = createDelivery([A, { ...B, baseUrl: "http://localhost:9001/b" }]);
  assert.equal(cdnOf(nested, "http://localhost:9001/b/s.m4s")?.id, "edge-b");
  assert.equal(signed(delivery(), "http://localhost:8080/license"), "http://localhost:8080/license");
});

test("every request may go to every network, each with its own token", () => {
  assert.deepEqual(candidates(delivery(), ["http://localhost:9001/s.m4s?CAT=old"], 0), [
    "http://localhost:9001/s.m4s?CAT=TA",
    "http://127.0.0.1:9002/s.m4s?CAT=T%2FB",
  ]);
});

test("the session's first network leads even where the manifest lists another one first", () => {
  const [first] = candidates(delivery(), ["http://127.0.0.1:9002/s.m4s", "http://localhost:9001/s.m4s"], 0);
  assert.equal(first, "http://localhost:9001/s.m4s?CAT=TA");
});

test("the platform's last word decides the order", () => {
  const moved = delivery();
  moved.preference = ["edge-b", "edge-a"];
  assert.match(candidates(moved, ["http://localhost:9001/s.m4s"], 0)[0] ?? "", /^http:\/\/127\.0\.0\.1:9002\/s\.m4s/);
});

test("a network that failed goes last for half a minute, and comes back", () => {
  const failed = delivery();
  assert.equal(markFailed(failed, "http://localhost:9001/s.m4s", 1_000), "edge-a");
  assert.equal(presentCdn(failed, 2_000), "edge-b");
  assert.match(candidates(failed, ["http://localhost:9001/s.m4s"], 2_000)[0] ?? "", /9002/);
  assert.equal(candidates(failed, ["http://localhost:9001/s.m4s"], 2_000).length, 2);
  assert.match(candidates(failed, ["http://localhost:9001/s.m4s"], 31_001)[0] ?? "", /9001/);
});

test("when all have failed all are still tried", () => {
  const dark = delivery();
  markFailed(dark, "http://localhost:9001/s", 0);
  markFailed(dark, "http://127.0.0.1:9002/s", 0);
  assert.equal(candidates(dark, ["http://localhost:9001/s"], 1).length, 2);
  assert.equal(presentCdn(dark, 1), "edge-a");
});

test("steering manifests name networks; strangers and nonsense change nothing", () => {
  assert.deepEqual(steeredOrder(delivery(), { "PATHWAY-PRIORITY": ["edge-b", "else", "edge-a"] }), [
    "edge-b",
    "edge-a",
  ]);
  assert.equal(steeredOrder(delivery(), { "PATHWAY-PRIORITY": ["else"] }), null);
  assert.equal(steeredOrder(delivery(), "edge-b"), null);
  assert.equal(steeredOrder(delivery(), null), null);
});

test("a license is asked for with the present token and without CMCD; a data address stays what it is", () => {
  assert.equal(forLicense("/license?s=1&CMCD=cid%3D%22a%22&CAT=old", "T"), "/license?s=1&CAT=T");
  assert.equal(forLicense("/license", "T"), "/license?CAT=T");
  const data = "data:application/json;base64,e30=";
  assert.equal(forLicense(data, "T"), data);
  assert.equal(forLicense(`${data}?CMCD=ot%3Dk`, "T"), data);
});

test("tokens of five minutes are renewed at four, whatever the browser's clock says", () => {
  const now = Date.parse("2026-11-23T10:00:00Z");
  assert.equal(refreshDelayMs("2026-11-23T10:05:00Z", now), 240_000);
  assert.equal(refreshDelayMs("2026-11-23T10:02:00Z", now), 60_000);
  assert.equal(refreshDelayMs("2026-11-23T09:00:00Z", now), 20_000);
  assert.equal(refreshDelayMs("2026-11-23T12:00:00Z", now), 240_000);
  assert.equal(refreshDelayMs("soon", now), 20_000);
});
