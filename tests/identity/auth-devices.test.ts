import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  type AuthHost,
  claimsOf,
  later,
  CLIENTS,
  makeAccount,
  openBrowser,
  PASSWORD,
  post,
  redeem,
  refresh,
  SCOPE,
  signIn,
  startAuth,
  tokensOf,
  until,
} from "./setup.ts";

let host: AuthHost;
before(async () => {
  host = await startAuth();
});
after(() => host.stop());

const askForCode = (device: Readonly<Record<string, string>> = {}) =>
  post(host.publicUrl, "/device/auth", { client_id: CLIENTS.tv, scope: SCOPE, ...device });
const poll = (deviceCode: unknown) =>
  post(host.publicUrl, "/token", {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    client_id: CLIENTS.tv,
    device_code: String(deviceCode),
  });

test("a TV shows six characters, a person types them, the TV is signed in", async () => {
  const account = await makeAccount(host, "tv@demo.test");
  const { body: shown } = await askForCode({
    device_id: "tv-1",
    device_name: "TV in the kitchen",
    device_type: "tizen",
  });
  assert.match(String(shown["user_code"]), /^[BCDFGHJKLMNPQRSTVWXZ]{3}-[BCDFGHJKLMNPQRSTVWXZ]{3}$/);
  assert.equal(shown["verification_uri"], `${host.publicUrl}/activate`);
  assert.equal((await poll(shown["device_code"])).body["error"], "authorization_pending");
  const viewer = { viewer: { userId: account.userId, profileId: account.profileId } };
  const userCode = String(shown["user_code"]).toLowerCase().replace("-", " ");
  const { deviceName } = await host.auth.checkUserCode({ userCode, ip: "192.0.2.1" }, host.context(viewer));
  assert.equal(deviceName, "TV in the kitchen");
  const wish = { userCode, userId: account.userId, profileId: account.profileId };
  await host.auth.confirmUserCode(wish, host.context(viewer));
  await assert.rejects(host.auth.confirmUserCode(wish, host.context(viewer)), { reason: "code_unknown" });
  const tokens = tokensOf(await poll(shown["device_code"]));
  const claims = claimsOf(tokens);
  assert.equal(claims.sub, account.userId);
  assert.equal(claims["profile"], account.profileId);
  assert.equal(claims["device"], "tv-1");
  assert.equal((await poll(shown["device_code"])).body["error"], "invalid_grant");
});

test("a TV is refreshed by its own token, and a code used twice takes everything back", async () => {
  const account = await makeAccount(host, "tv2@demo.test");
  const { body: shown } = await askForCode({ device_id: "tv-2" });
  await host.auth.confirmUserCode(
    { userCode: String(shown["user_code"]), userId: account.userId, profileId: "" },
    host.context(),
  );
  const first = tokensOf(await poll(shown["device_code"]));
  const second = tokensOf(await refresh(host.publicUrl, first.refresh_token, CLIENTS.tv));
  assert.equal(claimsOf(second)["device"], "tv-2");
  assert.equal(
    (await refresh(host.publicUrl, second.refresh_token)).body["error"],
    "invalid_grant",
    "a token of another client",
  );
  await poll(shown["device_code"]);
  assert.equal((await refresh(host.publicUrl, second.refresh_token, CLIENTS.tv)).status, 400);
});

test("codes cannot be guessed at leisure, nor confirmed for somebody else", async () => {
  const account = await makeAccount(host, "guess@demo.test");
  const context = host.context({ viewer: { userId: account.userId } });
  for (let tries = 0; tries < 20; tries++)
    await assert.rejects(host.auth.checkUserCode({ userCode: "BBB-BBB", ip: "192.0.2.66" }, context), {
      reason: "code_unknown",
    });
  await assert.rejects(host.auth.checkUserCode({ userCode: "BBB-BBB", ip: "192.0.2.66" }, context), {
    code: "resource_exhausted",
  });
  const other = { userCode: "BBB-BBB", userId: "usr_other", profileId: "" };
  await assert.rejects(host.auth.confirmUserCode(other, context), { code: "permission_denied", reason: "not_yours" });
});

test("the provider's own device pages lead to ours", async () => {
  const response = await fetch(`${host.publicUrl}/oauth/device?user_code=BBB-BBB`, { redirect: "manual" });
  assert.equal(response.status, 303);
  assert.equal(response.headers.get("location"), "/activate");
});

test("a chosen profile is in the next access token; a PIN guards it", async () => {
  const account = await makeAccount(host, "pin@demo.test");
  const { userId } = account;
  const tokens = await signIn(host, account, { deviceId: "dev-p" });
  const choose = (profileId: string, pin = "") =>
    host.auth.chooseProfile({ userId, deviceId: "dev-p", profileId, pin }, host.context({ viewer: { userId } }));
  await host.profiles.update({ userId, profileId: account.profileId, pin: "4711" }, host.context());
  const { profile: kids } = await host.profiles.create({ userId, name: "Kids", isKids: true }, host.context());
  assert.ok(kids);
  await choose(kids.id);
  await assert.rejects(choose(account.profileId), { code: "permission_denied", reason: "pin_required" });
  await assert.rejects(choose(account.profileId, "0000"), { code: "permission_denied", reason: "pin_wrong" });
  const asKid = tokensOf(await refresh(host.publicUrl, tokens.refresh_token));
  assert.equal(claimsOf(asKid)["profile"], kids.id);
  await choose(account.profileId, "4711");
  const asAlex = tokensOf(await refresh(host.publicUrl, asKid.refresh_token));
  assert.equal(claimsOf(asAlex)["profile"], account.profileId);
  await choose(kids.id);
  await host.profiles.delete({ userId, profileId: kids.id }, host.context());
  const gone = await until(async () => {
    const next = tokensOf(
      await refresh(host.publicUrl, (await signIn(host, account, { deviceId: "dev-p" })).refresh_token),
    );
    return claimsOf(next)["profile"] === "" && next;
  });
  assert.equal(claimsOf(gone)["device"], "dev-p");
});

test("a removed device is signed out, the others stay", async () => {
  const account = await makeAccount(host, "remove@demo.test");
  const { userId } = account;
  const [one, two] = [
    await signIn(host, account, { deviceId: "dev-1" }),
    await signIn(host, account, { deviceId: "dev-2" }),
  ];
  const viewer = { viewer: { userId } };
  const { devices } = await host.auth.listDevices({ userId }, host.context(viewer));
  assert.deepEqual(
    devices.map(({ id, name, type }) => [id, name, type]).toSorted(([a = ""], [b = ""]) => a.localeCompare(b)),
    [
      ["dev-1", "Firefox", "web"],
      ["dev-2", "Firefox", "web"],
    ],
  );
  await assert.rejects(
    host.auth.removeDevice({ userId, deviceId: "dev-1" }, host.context({ viewer: { userId: "usr_other" } })),
    { reason: "not_yours" },
  );
  await host.auth.removeDevice({ userId, deviceId: "dev-1" }, host.context(viewer));
  assert.equal((await refresh(host.publicUrl, one.refresh_token)).status, 400);
  assert.equal((await refresh(host.publicUrl, two.refresh_token)).status, 200);
  await assert.rejects(host.auth.removeDevice({ userId, deviceId: "dev-1" }, host.context(viewer)), {
    code: "not_found",
  });
});

test("signing in again on a device replaces what it held", async () => {
  const account = await makeAccount(host, "again@demo.test");
  const first = await signIn(host, account, { deviceId: "dev-x" });
  const second = await signIn(host, account, { deviceId: "dev-x" });
  assert.equal((await refresh(host.publicUrl, first.refresh_token)).status, 400);
  assert.equal((await refresh(host.publicUrl, second.refresh_token)).status, 200);
});

test("a password reset arrives by mail, works once, and signs everything out", async () => {
  const account = await makeAccount(host, "reset@demo.test");
  const tokens = await signIn(host, account, { deviceId: "dev-f" });
  await host.auth.forgotPassword({ email: "nobody@demo.test", ip: "192.0.2.1" }, host.context());
  await host.auth.forgotPassword({ email: "RESET@demo.test", ip: "192.0.2.1" }, host.context());
  const mail = await until(async () => (await host.mailsTo(account.email))[0]);
  assert.deepEqual(await host.mailsTo("nobody@demo.test"), []);
  const token = /reset-password\?token=([\w-]+)/.exec(mail)?.[1] ?? "";
  assert.ok(token.length >= 43);
  const next = "a new password";
  await assert.rejects(host.auth.resetPassword({ token, password: "short" }, host.context()), {
    reason: "password_short",
  });
  await assert.rejects(host.auth.resetPassword({ token: `${token}x`, password: next }, host.context()), {
    reason: "expired",
  });
  await host.auth.resetPassword({ token, password: next }, host.context());
  await assert.rejects(host.auth.resetPassword({ token, password: next }, host.context()), { reason: "expired" });
  assert.equal((await refresh(host.publicUrl, tokens.refresh_token)).status, 400);
  await assert.rejects(signIn(host, account), { reason: "credentials" });
  const browser = openBrowser(host.publicUrl);
  const started = await browser.authorize();
  const { continueUrl } = await host.auth.signIn(
    { interaction: started.interaction, email: account.email, password: next, ip: "192.0.2.1" },
    host.context(),
  );
  const code = await browser.resume(continueUrl, started.state);
  assert.equal((await redeem(host.publicUrl, code, started.verifier)).status, 200);
});

test("a reset is good for half an hour", async () => {
  const account = await makeAccount(host, "late@demo.test");
  await host.auth.forgotPassword({ email: account.email, ip: "192.0.2.1" }, host.context());
  const mail = await until(async () => (await host.mailsTo(account.email))[0]);
  const token = /token=([\w-]+)/.exec(mail)?.[1] ?? "";
  await later(30 * 60_000, () =>
    assert.rejects(host.auth.resetPassword({ token, password: PASSWORD }, host.context()), { reason: "expired" }),
  );
});

test("a deleted account is signed out everywhere", async () => {
  const account = await makeAccount(host, "deleted@demo.test");
  const tokens = await signIn(host, account);
  await host.users.delete({ userId: account.userId }, host.context());
  assert.equal((await refresh(host.publicUrl, tokens.refresh_token)).status, 400);
  await until(
    async () => (await host.auth.listDevices({ userId: account.userId }, host.context())).devices.length === 0,
  );
});

test("a sign-in keeps the device's profile only where nobody needs to be kept apart", async () => {
  const account = await makeAccount(host, "household@demo.test");
  const { userId, profileId } = account;
  const adult = host.context({ viewer: { userId, profileId } });
  const profileAfter = async (tokens: Promise<Parameters<typeof claimsOf>[0]>) => claimsOf(await tokens)["profile"];
  const choose = (pin = "") => host.auth.chooseProfile({ userId, deviceId: "sofa", profileId, pin }, adult);
  const browser = openBrowser(host.publicUrl);
  const again = () => signIn(host, account, { deviceId: "sofa", browser });

  assert.equal(await profileAfter(again()), "", "a device that nobody knows asks");
  await choose();
  assert.equal(await profileAfter(again()), profileId, "one person alone is not asked each time");

  const { profile: child } = await host.profiles.create({ userId, name: "Kids", isKids: true }, adult);
  const tokens = await again();
  assert.equal(claimsOf(tokens)["profile"], "", "with a child in the house it asks");
  await choose();
  const renewed = tokensOf(await refresh(host.publicUrl, tokens.refresh_token));
  assert.equal(claimsOf(renewed)["profile"], profileId, "no sign-in, no question");

  assert.ok(child);
  await host.profiles.delete({ userId, profileId: child.id }, adult);
  await host.profiles.update({ userId, profileId, pin: "4711" }, adult);
  assert.equal(await profileAfter(again()), "", "behind a PIN it asks");
  await assert.rejects(choose(), { code: "permission_denied", reason: "pin_required" });
  await choose("4711");
});
