import { randomBytes } from "node:crypto";
import type Provider from "oidc-provider";
import type { Interaction, KoaContextWithOIDC } from "oidc-provider";
import { type Context, problem, toProblem } from "#kernel";
import { checkPassword, isDeviceId, networkOf } from "./domain.ts";
import { admit, allow, digest } from "./guard.ts";
import * as oidc from "./oidc-store.ts";
import { asTenant, type Parts } from "./parts.ts";
import * as store from "./store.ts";

const SIGN_UPS_MAX = 100;
const SIGN_UPS_WINDOW_S = 3_600;

/** The interaction that a page is about; `failed_precondition` with reason `expired` when it is over. */
async function interactionOf(provider: Provider, uid: string): Promise<Interaction> {
  const interaction = uid.length > 0 && uid.length <= 64 ? await provider.Interaction.find(uid) : undefined;
  if (!interaction) throw problem.precondition("this sign-in page is too old: begin again", { reason: "expired" });
  return interaction;
}

/**
 * Says who signed in; the answer is where the browser goes on. It carries a proof that only the browser with the password
 * gets, while the cookie of the interaction is only in the browser that began: going on takes both. Otherwise somebody could
 * begin a sign-in, send the page to a victim, and go on as the victim.
 */
export async function complete(
  parts: Parts,
  context: Context,
  done: { readonly interaction: string; readonly userId: string; readonly method: string },
): Promise<string> {
  return asTenant(parts, context, async (provider) => {
    const interaction = await interactionOf(provider, done.interaction);
    const before = interaction.session;
    if (before && before.accountId !== done.userId) {
      // Somebody else is signed in in this browser: they are signed out of it, without a page that asks.
      await parts.db.tx(context, (tx) => oidc.removeSession(tx, before.uid));
      interaction.session = undefined;
    }
    const proof = randomBytes(24).toString("base64url");
    const login = { accountId: done.userId, amr: [done.method], remember: true, proof: digest(proof) };
    interaction.result = { login };
    await interaction.persist();
    return `${interaction.returnTo}?proof=${proof}`;
  });
}

/** Lets a browser go on after a sign-in only with its proof; another one begins again. Runs before the provider's own routes. */
export async function proveSignIn(
  ctx: KoaContextWithOIDC,
  next: () => Promise<void>,
  provider: Provider,
): Promise<void> {
  const uid = /^\/auth\/([\w-]{1,64})$/.exec(ctx.path)?.[1];
  const login = uid === undefined ? undefined : (await provider.Interaction.find(uid))?.result?.login;
  const { proof } = ctx.query;
  if (login && (typeof proof !== "string" || digest(proof) !== login["proof"])) {
    ctx.status = 303;
    ctx.redirect("/sign-in");
    return;
  }
  await next();
}

export async function signIn(
  parts: Parts,
  context: Context,
  request: { readonly interaction: string; readonly email: string; readonly password: string; readonly ip: string },
): Promise<string> {
  const { call, cache, clock, db, passwords } = parts;
  const { interaction, password, ip } = request;
  const started = await asTenant(parts, context, (provider) => interactionOf(provider, interaction));
  const deviceId = deviceIdOf(started.params);
  const email = request.email.trim().normalize("NFC").toLowerCase().slice(0, 254);
  const user = await findUser(parts, context, request.email);
  const userId = user?.id ?? "";
  const networkHash = digest(userId, networkOf(ip));
  const [credential, device, isKnownNetwork] = await db.tx(context, async (tx) => [
    await store.credential(tx, userId),
    await store.device(tx, userId, deviceId),
    await store.isKnownNetwork(tx, userId, networkHash),
  ]);
  const settle = await admit(cache, context, { email, ip, knownDeviceId: device?.id ?? "", isKnownNetwork });
  // The same work is done for an address that nobody has, so that time does not tell.
  if (!(await passwords.verify(credential?.passwordHash, password)))
    throw problem.unauthenticated("the e-mail address or the password is wrong", { reason: "credentials" });
  await settle();
  await db.tx(context, (tx) => store.rememberNetwork(tx, userId, networkHash, clock.nowMs()));
  return complete(parts, { ...context, viewer: null }, { interaction, userId, method: "password" });

  function deviceIdOf(params: Readonly<Record<string, unknown>>): string {
    const id = params["device_id"];
    return typeof id === "string" && isDeviceId(id) ? id : "";
  }

  async function findUser(_: Parts, of: Context, address: string) {
    return call.user
      .findByEmail({ email: address }, of)
      .then((response) => response.user)
      .catch((error: unknown) => {
        const { code } = toProblem(error);
        if (code === "not_found" || code === "invalid_argument") return undefined;
        throw error;
      });
  }
}

export async function signUp(
  parts: Parts,
  context: Context,
  request: {
    readonly interaction: string;
    readonly email: string;
    readonly name: string;
    readonly password: string;
    readonly ip: string;
    readonly language: string;
  },
): Promise<string> {
  const { call, cache, clock, db, passwords } = parts;
  const { interaction, email, name, ip, language } = request;
  const password = checkPassword(request.password);
  await asTenant(parts, context, (provider) => interactionOf(provider, interaction));
  const network = networkOf(ip);
  await allow(cache, context, { what: "sign-up", who: network, max: SIGN_UPS_MAX, windowS: SIGN_UPS_WINDOW_S });
  // The hash comes first: when too many are waiting for one, no account without a password is left behind.
  const passwordHash = await passwords.hash(password);
  const { user } = await call.user.create({ email, name, language }, context);
  if (!user) throw problem.internal("the user service made no account");
  const nowMs = clock.nowMs();
  await db.tx(context, async (tx) => {
    await store.saveCredential(tx, { userId: user.id, passwordHash, isEmailProven: false, changedAtMs: nowMs });
    await store.rememberNetwork(tx, user.id, digest(user.id, network), nowMs);
  });
  return complete(parts, context, { interaction, userId: user.id, method: "password" });
}
