import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import Provider, { interactionPolicy } from "oidc-provider";
import { callbackUrlOf } from "../../services/identity/auth/brokered.ts";
import {
  type AuthHost,
  claimsOf,
  makeAccount,
  openBrowser,
  redeem,
  refresh,
  signIn,
  startAuth,
  tokensOf,
} from "./setup.ts";

/** A provider such as Google, on this machine: whoever comes is `person`. */
let person: Readonly<Record<string, unknown>> & { readonly sub: string };
let server: Server;
let issuer: string;
let host: AuthHost;
const CREDENTIALS = { MARQUEE_GOOGLE_CLIENT_ID: "marquee", MARQUEE_GOOGLE_CLIENT_SECRET: "a secret for this test" };

function makeStandIn(redirectUri: string): Provider {
  const login = interactionPolicy.base().get("login");
  assert.ok(login);
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  return new Provider(issuer, {
    clients: [
      {
        client_id: CREDENTIALS.MARQUEE_GOOGLE_CLIENT_ID,
        client_secret: CREDENTIALS.MARQUEE_GOOGLE_CLIENT_SECRET,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig" }] },
    cookies: { keys: ["only for this test"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    // As Google does: what was asked for is in the ID token.
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { policy: [login], url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => person }),
    async loadExistingGrant({ oidc: { provider, session, client } }) {
      if (!session?.accountId || !client) return undefined;
      const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
}

before(async () => {
  const made: Provider[] = [];
  server = createServer((request, response) => {
    const [standIn] = made;
    if (!standIn) return response.destroy();
    if (request.url?.startsWith("/interaction/"))
      return standIn.interactionFinished(request, response, { login: { accountId: person.sub } });
    return standIn.callback()(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  host = await startAuth({ ...CREDENTIALS, MARQUEE_GOOGLE_ISSUER: issuer });
  made.push(makeStandIn(callbackUrlOf(host.publicUrl, "google")));
});
after(async () => {
  await host.stop();
  server.closeAllConnections();
  server.close();
});

/** Everything between our sign-in page and the provider's answer. */
async function visit() {
  const browser = openBrowser(host.publicUrl);
  const started = await browser.authorize({ deviceId: "dev-g" });
  const begun = await host.auth.beginBrokered({ interaction: started.interaction, provider: "google" }, host.context());
  const there = openBrowser(issuer);
  let at = begun.authorizationUrl;
  while (at.startsWith(issuer)) {
    const location: string = (await there.get(at)).headers.get("location") ?? "";
    assert.notEqual(location, "", at);
    at = new URL(location, issuer).href;
  }
  return { browser, started, begun, callbackUrl: at };
}

async function signInWithGoogle() {
  const { browser, started, begun, callbackUrl } = await visit();
  const finished = await host.auth.finishBrokered(
    { provider: "google", callbackUrl, state: begun.state },
    host.context(),
  );
  const code = await browser.resume(finished.continueUrl, started.state);
  return tokensOf(await redeem(host.publicUrl, code, started.verifier));
}

test("a stranger with a verified address gets an account, and comes back to it", async () => {
  person = { sub: "g-1", email: "Gwen@example.test", email_verified: true, name: "Gwen" };
  const userId = claimsOf(await signInWithGoogle()).sub ?? "";
  const { user } = await host.users.get({ userId }, host.context());
  assert.equal(user?.email, "gwen@example.test");
  assert.equal(user?.name, "Gwen");
  person = { ...person, email: "moved@example.test" };
  assert.equal(claimsOf(await signInWithGoogle()).sub, userId, "the subject counts, not the address");
});

test("an address that is not verified opens nothing", async () => {
  await makeAccount(host, "victim@example.test");
  person = { sub: "g-2", email: "victim@example.test", email_verified: false };
  await assert.rejects(signInWithGoogle(), { code: "permission_denied", reason: "email_unverified" });
});

test("an account whose address was proven is linked and keeps its password", async () => {
  const account = await makeAccount(host, "proven@example.test");
  person = { sub: "g-3", email: account.email, email_verified: true };
  assert.equal(claimsOf(await signInWithGoogle()).sub, account.userId);
  await signIn(host, account);
});

test("an account that somebody else made for the address is taken over by its owner", async () => {
  const browser = openBrowser(host.publicUrl);
  const started = await browser.authorize({ deviceId: "dev-squatter" });
  const form = { email: "owner@example.test", name: "Squatter", password: "squatters password", ip: "198.51.100.3" };
  const { continueUrl } = await host.auth.signUp({ ...form, interaction: started.interaction }, host.context());
  const code = await browser.resume(continueUrl, started.state);
  const squatter = tokensOf(await redeem(host.publicUrl, code, started.verifier));
  person = { sub: "g-4", email: form.email, email_verified: true };
  assert.equal(claimsOf(await signInWithGoogle()).sub, claimsOf(squatter).sub);
  assert.equal((await refresh(host.publicUrl, squatter.refresh_token)).status, 400);
  const next = await openBrowser(host.publicUrl).authorize();
  const again = { interaction: next.interaction, email: form.email, password: form.password, ip: form.ip };
  await assert.rejects(host.auth.signIn(again, host.context()), { reason: "credentials" });
});

test("an answer counts once, with the state of the browser that began", async () => {
  person = { sub: "g-5", email: "five@example.test", email_verified: true };
  const { begun, callbackUrl } = await visit();
  const finish = (state: string) =>
    host.auth.finishBrokered({ provider: "google", callbackUrl, state }, host.context());
  await assert.rejects(finish("another state"), { reason: "expired" });
  await finish(begun.state);
  await assert.rejects(finish(begun.state), { reason: "expired" });
});

test("a person who gave up there is told so; unknown providers are refused", async () => {
  const { interaction } = await openBrowser(host.publicUrl).authorize();
  const { state } = await host.auth.beginBrokered({ interaction, provider: "google" }, host.context());
  const denied = `${callbackUrlOf(host.publicUrl, "google")}?error=access_denied&state=${state}&iss=${encodeURIComponent(issuer)}`;
  const finished = host.auth.finishBrokered({ provider: "google", callbackUrl: denied, state }, host.context());
  await assert.rejects(finished, { code: "permission_denied", reason: "brokered_denied" });
  const unknown = host.auth.beginBrokered({ interaction, provider: "apple" }, host.context());
  await assert.rejects(unknown, { code: "not_found", reason: "provider_unknown" });
});
