import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { testClock } from "./clock.ts";
import { problem } from "./errors.ts";
import { openMeshIdentity, servicesOf, signerOf } from "./mesh.ts";
import type { Secret } from "./ports/secrets.ts";
import { silentLogger } from "./telemetry.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What the secrets port promises of one name, with a switch for bad days. */
function oneSecret() {
  let secret: Secret | undefined;
  const store = {
    isDown: false,
    writes: 0,
    get: async (): Promise<Secret | undefined> => {
      if (store.isDown) throw problem.unavailable("the secrets are away");
      return secret;
    },
    put: async (_: string, value: Secret["value"], options?: { readonly expectedVersion?: number }) => {
      if (options?.expectedVersion !== (secret?.version ?? 0)) throw problem.aborted("somebody was faster");
      store.writes++;
      secret = { version: (secret?.version ?? 0) + 1, value };
      return secret.version;
    },
  };
  return store;
}

async function open(secrets = oneSecret(), clock = testClock(), services: readonly string[] = ["session", "token"]) {
  const identity = await openMeshIdentity({ services, secrets, clock, logger: silentLogger });
  return { identity, clock, secrets };
}

const leafOf = (identity: { tls(): { cert: string } }): X509Certificate => new X509Certificate(identity.tls().cert);

test("a certificate names what the process runs, is signed by the authority and lives for a day", async (t) => {
  const { identity, clock } = await open();
  t.after(() => identity.stop());
  const leaf = leafOf(identity);
  const [ca = ""] = identity.tls().ca;
  const authority = new X509Certificate(ca);
  assert.deepEqual(servicesOf(leaf.subjectAltName), ["session", "token"]);
  assert.ok(leaf.checkIssued(authority) && leaf.verify(authority.publicKey));
  assert.equal(authority.ca, true);
  assert.equal(leaf.ca, false);
  assert.equal(Date.parse(leaf.validTo), clock.nowMs() + DAY_MS);
  // serverAuth and clientAuth.
  assert.deepEqual(leaf.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
});

test("of many processes that begin at once one makes the authority, and all trust it", async (t) => {
  const secrets = oneSecret();
  const clock = testClock();
  const all = await Promise.all(["a", "b", "c", "d"].map((name) => open(secrets, clock, [name])));
  t.after(() => Promise.all(all.map(({ identity }) => identity.stop())));
  assert.equal(secrets.writes, 1);
  assert.equal(new Set(all.map(({ identity }) => identity.tls().ca.join(""))).size, 1);
});

test("a certificate is replaced long before it ends, and again after bad days", async (t) => {
  const { identity, clock, secrets } = await open();
  t.after(() => identity.stop());
  let replaced = 0;
  identity.onReplaced(() => replaced++);
  const before = leafOf(identity).serialNumber;
  await clock.advance(16 * HOUR_MS - 1);
  assert.equal(leafOf(identity).serialNumber, before);
  await clock.advance(1);
  assert.notEqual(leafOf(identity).serialNumber, before);
  assert.equal(replaced, 1);
  secrets.isDown = true;
  await clock.advance(16 * HOUR_MS);
  assert.equal(identity.state().ok, true);
  await clock.advance(8 * HOUR_MS);
  assert.equal(identity.state().ok, false);
  secrets.isDown = false;
  await clock.advance(60_000);
  assert.equal(identity.state().ok, true);
  assert.equal(replaced, 2);
});

test("a new authority is announced before the old one ends, and signs only when all have met it", async (t) => {
  const { identity, clock, secrets } = await open();
  t.after(() => identity.stop());
  const first = identity.tls().ca[0] ?? "";
  // 730 days less the 60 in which a successor is made.
  for (let day = 0; day < 671; day++) await clock.advance(DAY_MS);
  assert.equal(secrets.writes, 2);
  assert.equal(identity.tls().ca.length, 2);
  assert.ok(leafOf(identity).verify(new X509Certificate(first).publicKey), "signed by the one that all know");
  for (let day = 0; day < 3; day++) await clock.advance(DAY_MS);
  const second = identity.tls().ca[1] ?? "";
  assert.ok(leafOf(identity).verify(new X509Certificate(second).publicKey));
  for (let day = 0; day < 60; day++) await clock.advance(DAY_MS);
  assert.deepEqual(identity.tls().ca, [second]);
});

test("who signs", () => {
  const at = (createdAtMs: number) => ({ createdAtMs });
  assert.equal(signerOf([], 0), undefined);
  assert.deepEqual(signerOf([at(100)], 100), at(100));
  assert.deepEqual(signerOf([at(2 * DAY_MS), at(0)], 3 * DAY_MS), at(0));
  assert.deepEqual(signerOf([at(2 * DAY_MS), at(0)], 4 * DAY_MS), at(2 * DAY_MS));
});

test("names that are not of our form are nobody", async () => {
  assert.deepEqual(servicesOf(undefined), []);
  assert.deepEqual(servicesOf("DNS:session, URI:spiffe://other/svc/session, URI:spiffe://marquee/svc/"), []);
  assert.deepEqual(servicesOf('URI:"spiffe://marquee/svc/a, URI:spiffe://marquee/svc/b"'), []);
  assert.deepEqual(servicesOf("URI:spiffe://marquee/svc/a/b, URI:spiffe://marquee/svc/c"), ["c"]);
  for (const services of [[], ["Session"], ["a b"], ["../a"]])
    await assert.rejects(open(oneSecret(), testClock(), services), { code: "invalid_argument" });
});
