import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";

import {
  claimsOf,
  later,
  CLIENTS,
  makeAccount,
  openBrowser,
  PASSWORD,
  post,
  redeem,
  refresh,
  RESOURCE,
  signIn,
  startAuth,
  tokensOf,
  until,
  type AuthHost,
} from "./setup.ts";

let host: AuthHost;
before(async () => {
  host = await startAuth();
});
after(() => host.stop());

async function verify(token: string) {
  const { jwksJson, issuer } = await host.auth.jwks({}, host.context());
  return jwtVerify(token, createLocalJWKSet(JSON.parse(jwksJson) as JSONWebKeySet), {
    issuer,
    audience: RESOURCE,
    algorithms: ["RS256"],
    typ: "at+jwt",
  });
}

test("discovery is where the issuer says, and every address of it is ours", async () => {
  const response = await fetch(`${host.publicUrl}/oauth/.well-known/openid-configuration`);
  const metadata = (await response.json()) as Record<string, unknown>;
  assert.equal(metadata["issuer"], `${host.publicUrl}/oauth`);
  assert.equal(metadata["authorization_endpoint"], `${host.publicUrl}/oauth/auth`);
  assert.equal(metadata["token_endpoint"], `${host.publicUrl}/oauth/token`);
  assert.deepEqual(metadata["code_challenge_methods_supported"], ["S256"]);
  const published = (await (await fetch(String(metadata["jwks_uri"]))).json()) as JSONWebKeySet;
  assert.deepEqual(
    published.keys.map(({ kid }) => kid),
    (JSON.parse((await host.auth.jwks({}, host.context())).jwksJson) as JSONWebKeySet).keys.map(({ kid }) => kid),
  );
  assert.ok(published.keys.every((key) => !("d" in key)));
});

test("a password becomes tokens: code, PKCE, claims", async () => {
  const account = await makeAccount(host, "first@demo.test");
  const browser = openBrowser(host.publicUrl);
  const started = await browser.authorize({ deviceId: "dev-1" });
  assert.equal(started.response.status, 303);
  assert.equal(started.to.pathname, "/sign-in");
  const wrong = { interaction: started.interaction, email: account.email, password: "wrong password", ip: "192.0.2.1" };
  await assert.rejects(host.auth.signIn(wrong, host.context()), { code: "unauthenticated", reason: "credentials" });
  const { continueUrl } = await host.auth.signIn(
    { ...wrong, email: "First@Demo.Test", password: PASSWORD },
    host.context(),
  );
  const stranger = openBrowser(host.publicUrl);
  const stolen = await stranger.get(continueUrl);
  assert.equal(stolen.headers.get("location"), "/sign-in", "another browser cannot go on with this sign-in");
  const code = await browser.resume(continueUrl, started.state);
  assert.equal((await redeem(host.publicUrl, code, "x".repeat(43))).body["error"], "invalid_grant");

  const tokens = await signIn(host, account, { deviceId: "dev-1", browser });
  assert.equal(tokens.token_type, "Bearer");
  assert.equal(tokens.expires_in, 900);
  const { payload } = await verify(tokens.access_token);
  assert.equal(payload.sub, account.userId);
  assert.equal(payload["tenant"], "demo");
  assert.equal(payload["profile"], "");
  assert.equal(payload["tier"], "basic");
  assert.equal(payload["device"], "dev-1");
  assert.deepEqual(payload["ent"], ["tier:basic"]);
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 900);
  assert.doesNotMatch(tokens.refresh_token, /\./, "refresh tokens are opaque");
});

test("without PKCE there is no code, and redirects go nowhere else", async () => {
  const browser = openBrowser(host.publicUrl);
  const { to } = await browser.authorize({ challenge: false });
  assert.equal(to.searchParams.get("error"), "invalid_request");
  const elsewhere = new URLSearchParams({
    client_id: CLIENTS.web,
    response_type: "code",
    redirect_uri: "https://evil.test/",
    scope: "openid",
  });
  const response = await browser.get(`${host.publicUrl}/oauth/auth?${elsewhere.toString()}`);
  assert.equal(response.status, 400);
  assert.match(await response.text(), /redirect_uri/);
});

test("refresh tokens rotate, and a second use ends the whole family", async () => {
  const account = await makeAccount(host, "rotate@demo.test");
  const first = await signIn(host, account, { deviceId: "dev-r" });
  const second = tokensOf(await refresh(host.publicUrl, first.refresh_token));
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal(claimsOf(second)["device"], "dev-r");
  assert.equal((await host.auth.listDevices({ userId: account.userId }, host.context())).devices.length, 1);
  assert.equal((await refresh(host.publicUrl, first.refresh_token)).body["error"], "invalid_grant");
  assert.equal(
    (await refresh(host.publicUrl, second.refresh_token)).body["error"],
    "invalid_grant",
    "the thief's copy is dead too",
  );
  assert.deepEqual((await host.auth.listDevices({ userId: account.userId }, host.context())).devices, []);
});

test("two uses of a refresh token at the same moment end the family as well", async () => {
  const account = await makeAccount(host, "race@demo.test");
  const first = await signIn(host, account);
  const answers = await Promise.all([1, 2, 3].map(() => refresh(host.publicUrl, first.refresh_token)));
  assert.ok(answers.filter(({ status }) => status === 200).length <= 1);
  for (const { status, body } of answers) {
    if (status !== 200) continue;
    const next = String(body["refresh_token"]);
    assert.equal((await refresh(host.publicUrl, next)).status, 400);
  }
  assert.deepEqual((await host.auth.listDevices({ userId: account.userId }, host.context())).devices, []);
});

test("revoking the refresh token signs the device and its browser out", async () => {
  const account = await makeAccount(host, "leave@demo.test");
  const browser = openBrowser(host.publicUrl);
  const tokens = await signIn(host, account, { browser, deviceId: "dev-l" });
  const again = await browser.authorize({ deviceId: "dev-l" });
  assert.ok(again.to.searchParams.get("code"), "a living session needs no password");
  const out = await post(host.publicUrl, "/token/revocation", { client_id: CLIENTS.web, token: tokens.refresh_token });
  assert.equal(out.status, 200);
  assert.equal((await refresh(host.publicUrl, tokens.refresh_token)).status, 400);
  assert.ok(
    (await browser.authorize({ deviceId: "dev-l" })).interaction,
    "the browser is asked for the password again",
  );
});

test("another person may sign in in the same browser", async () => {
  const [ann, ben] = [await makeAccount(host, "ann@demo.test"), await makeAccount(host, "ben@demo.test")];
  const browser = openBrowser(host.publicUrl);
  assert.equal(claimsOf(await signIn(host, ann, { browser })).sub, ann.userId);
  assert.equal(claimsOf(await signIn(host, ben, { browser })).sub, ben.userId);
});

test("sign-up makes an account and signs it in", async () => {
  const browser = openBrowser(host.publicUrl);
  const started = await browser.authorize({ deviceId: "dev-new" });
  const form = {
    interaction: started.interaction,
    email: "New@demo.test",
    name: "Nia",
    password: "short",
    ip: "192.0.2.9",
  };
  await assert.rejects(host.auth.signUp(form, host.context()), { code: "invalid_argument", reason: "password_short" });
  await assert.rejects(host.auth.signUp({ ...form, interaction: "gone", password: PASSWORD }, host.context()), {
    reason: "expired",
  });
  const { continueUrl } = await host.auth.signUp({ ...form, password: PASSWORD }, host.context());
  const code = await browser.resume(continueUrl, started.state);
  const tokens = tokensOf(await redeem(host.publicUrl, code, started.verifier));
  assert.equal(claimsOf(tokens)["tier"], "basic");
  const next = await openBrowser(host.publicUrl).authorize();
  const twice = host.auth.signUp({ ...form, interaction: next.interaction, password: PASSWORD }, host.context());
  await assert.rejects(twice, { code: "already_exists", reason: "email_taken" });
});

test("keys rotate: the new one signs, the old one still verifies until its tokens are gone", async () => {
  const account = await makeAccount(host, "keys@demo.test");
  const before = await signIn(host, account, { deviceId: "dev-k" });
  const { kid } = await host.auth.rotateKeys({}, host.context());
  assert.equal((await verify(before.access_token)).payload.sub, account.userId);
  const after = tokensOf(await refresh(host.publicUrl, before.refresh_token));
  assert.equal((await verify(after.access_token)).protectedHeader.kid, kid);
  await later(21 * 60_000, async () => {
    await host.auth.rotateKeys({}, host.context());
    await assert.rejects(verify(before.access_token), /no applicable key/);
  });
});

test("the command line gets a real token in development, and a profile by name", async () => {
  const account = await makeAccount(host, "cli@demo.test");
  const { accessToken } = await host.auth.issueToken({ email: account.email, profileName: "Alex" }, host.context());
  const { payload } = await verify(accessToken);
  assert.equal(payload.sub, account.userId);
  assert.equal(payload["profile"], account.profileId);
  assert.equal(payload["device"], "cli");
  const viewer = { viewer: { userId: account.userId } };
  // Asked for at the same moment, each is signed in, though all are one device.
  const together = Array.from({ length: 5 }, () =>
    host.auth.issueToken({ email: account.email, profileName: "Alex" }, host.context()),
  );
  assert.equal(new Set((await Promise.all(together)).map((one) => one.accessToken)).size, 5);
  await assert.rejects(host.auth.issueToken({ email: account.email, profileName: "" }, host.context(viewer)), {
    code: "permission_denied",
  });
});

test("sign-ins, refreshes and sign-outs are announced, each once", async () => {
  const account = await makeAccount(host, "heard@demo.test");
  const of = (deviceId: string) =>
    host.heard.filter((heard) => heard.deviceId === deviceId).map(({ event, word }) => `${event} ${word}`.trim());
  const asked = tokensOf(
    await refresh(host.publicUrl, (await signIn(host, account, { deviceId: "hear-1" })).refresh_token),
  );
  await post(host.publicUrl, "/token/revocation", { client_id: CLIENTS.web, token: asked.refresh_token });
  const stolen = await signIn(host, account, { deviceId: "hear-2" });
  await refresh(host.publicUrl, stolen.refresh_token);
  await refresh(host.publicUrl, stolen.refresh_token);
  await signIn(host, account, { deviceId: "hear-3" });
  await host.auth.removeDevice({ userId: account.userId, deviceId: "hear-3" }, host.context());
  await signIn(host, account, { deviceId: "hear-4" });
  await host.auth.setPassword({ userId: account.userId, password: PASSWORD }, host.context());
  await until(async () => of("hear-4").length === 2);
  assert.deepEqual(of("hear-1"), ["login password", "refreshed", "logout asked"]);
  assert.deepEqual(of("hear-2"), ["login password", "refreshed", "logout reuse"]);
  assert.deepEqual(of("hear-3"), ["login password", "logout removed"]);
  assert.deepEqual(of("hear-4"), ["login password", "logout password_reset"]);
});

test("a higher plan is in the next token", async () => {
  const account = await makeAccount(host, "plan@demo.test");
  let tokens = await signIn(host, account, { deviceId: "dev-plan" });
  await host.subscriptions.change({ userId: account.userId, tier: "premium" }, host.context());
  await until(async () => {
    tokens = tokensOf(await refresh(host.publicUrl, tokens.refresh_token));
    return claimsOf(tokens)["tier"] === "premium";
  });
  assert.deepEqual(claimsOf(tokens)["ent"], ["tier:basic", "tier:premium"]);
});

test("a sign-in page that somebody else began gives that somebody nothing", async () => {
  const victim = await makeAccount(host, "lured@demo.test");
  const attacker = openBrowser(host.publicUrl);
  const { interaction } = await attacker.authorize({ deviceId: "dev-evil" });
  const typed = { interaction, email: victim.email, password: PASSWORD, ip: "192.0.2.1" };
  const { continueUrl } = await host.auth.signIn(typed, host.context());
  const withoutProof = await attacker.get(continueUrl.replace(/\?.*$/, ""));
  assert.equal(withoutProof.headers.get("location"), "/sign-in");
  const guessed = await attacker.get(continueUrl.replace(/proof=.*$/, "proof=guess"));
  assert.equal(guessed.headers.get("location"), "/sign-in");
  const lured = await openBrowser(host.publicUrl).get(continueUrl);
  assert.equal(lured.headers.get("location"), "/sign-in");
});

test("whoever comes to sign up is shown that page", async () => {
  const { to } = await openBrowser(host.publicUrl).authorize({ screenHint: "signup" });
  assert.equal(to.pathname, "/sign-up");
  assert.ok(to.searchParams.get("interaction"));
});

test("another tenant's host leads to another tenant, and forged hosts lead home", async () => {
  const tenant = { id: "north", name: "North", hosts: ["north.test"], accent: "#123456" };
  await host.tenants.put({ tenant }, host.context());
  const discover = async (name: string) => {
    const response = await fetch(`${host.publicUrl}/oauth/.well-known/openid-configuration`, {
      headers: { "x-forwarded-host": name },
    });
    return (await response.json()) as { issuer: string; token_endpoint: string };
  };
  const port = new URL(host.publicUrl).port;
  assert.equal((await discover("north.test")).token_endpoint, `http://north.test:${port}/oauth/token`);
  assert.equal((await discover("evil.test")).token_endpoint, `${host.publicUrl}/oauth/token`);
  assert.equal((await discover("north.test")).issuer, `${host.publicUrl}/oauth`);
});
