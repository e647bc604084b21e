import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PAIR_MAX, STORM_MIN } from "../../services/identity/auth/domain.ts";
import { type AuthHost, later, makeAccount, openBrowser, signIn, startAuth } from "./setup.ts";

let host: AuthHost;
before(async () => {
  host = await startAuth();
});
after(() => host.stop());

/** One wrong password from an address, from a device of its own. */
async function fail(email: string, ip: string, deviceId = "dev-attacker"): Promise<string> {
  const { interaction } = await openBrowser(host.publicUrl).authorize({ deviceId });
  return host.auth.signIn({ interaction, email, password: "guess guess", ip }, host.context()).then(
    () => "let in",
    (error: unknown) => (error as { reason: string }).reason,
  );
}

test("five wrong passwords from one network lock that network out of that account, and nobody else", async () => {
  const account = await makeAccount(host, "owner@demo.test");
  const bystander = await makeAccount(host, "bystander@demo.test");
  for (let tries = 0; tries < PAIR_MAX; tries++) assert.equal(await fail(account.email, "198.51.100.1"), "credentials");
  assert.equal(await fail(account.email, "198.51.100.1"), "locked");
  await assert.rejects(signIn(host, account, { ip: "198.51.100.1", deviceId: "dev-new" }), {
    reason: "locked",
    retryAfterS: 900,
  });
  await signIn(host, account, { ip: "203.0.113.5", deviceId: "dev-own" });
  await signIn(host, bystander, { ip: "198.51.100.1", deviceId: "dev-by" });
  await later(15 * 60_000, () => signIn(host, account, { ip: "198.51.100.1", deviceId: "dev-new" }));
});

test("a storm from many networks locks out neither the owner's device nor a first try from a new place", async () => {
  const account = await makeAccount(host, "storm@demo.test");
  await signIn(host, account, { ip: "203.0.113.9", deviceId: "dev-owner" });
  for (let n = 0; n <= STORM_MIN; n++) await fail(account.email, `198.51.100.${n}`);
  assert.equal(await fail(account.email, "198.51.100.7"), "locked", "in a storm a network has one try");
  await signIn(host, account, { ip: "203.0.113.9", deviceId: "dev-owner" });
  await signIn(host, account, { ip: "198.51.100.7", deviceId: "dev-owner" });
  await signIn(host, account, { ip: "203.0.113.9", deviceId: "dev-other" });
  await signIn(host, account, { ip: "192.0.2.200", deviceId: "dev-travel" });
});

test("many wrong passwords at the same moment do not slip through", async () => {
  const account = await makeAccount(host, "burst@demo.test");
  const answers = await Promise.all(Array.from({ length: 12 }, () => fail(account.email, "198.51.100.77")));
  assert.equal(answers.filter((answer) => answer === "credentials").length, PAIR_MAX);
  assert.equal(answers.filter((answer) => answer === "locked").length, 12 - PAIR_MAX);
});

test("an address that nobody has is counted and answered like any other", async () => {
  for (let tries = 0; tries < PAIR_MAX; tries++)
    assert.equal(await fail("ghost@demo.test", "198.51.100.88"), "credentials");
  assert.equal(await fail("ghost@demo.test", "198.51.100.88"), "locked");
});
