import {
  allowInsecureRequests,
  authorizationCodeGrant,
  AuthorizationResponseError,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientError,
  type Configuration,
  discovery,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  ResponseBodyError,
} from "openid-client";
import { type Config, type Context, isLoopback, type Logger, problem, toProblem } from "#kernel";
import { verifiedEmail } from "./domain.ts";
import { endAll } from "./grants.ts";
import { digest } from "./guard.ts";
import type { Parts } from "./parts.ts";
import { complete } from "./sign-in.ts";
import * as store from "./store.ts";

/**
 * Brokered sign-in: Google and Apple by configuration (OpenID Connect Core 1.0, code flow with state, nonce and PKCE). The BFF keeps
 * `state` in a cookie between the two calls, so that only the browser that began can finish.
 */
const STATE_MS = 10 * 60_000;
const TIMEOUT_S = 8;

interface ProviderSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The providers that an operator configured, by the name that pages use. */
export function providersOf(config: Config): ReadonlyMap<string, ProviderSettings> {
  const found = new Map<string, ProviderSettings>();
  if (config.MARQUEE_GOOGLE_CLIENT_ID && config.MARQUEE_GOOGLE_CLIENT_SECRET)
    found.set("google", {
      issuer: config.MARQUEE_GOOGLE_ISSUER,
      clientId: config.MARQUEE_GOOGLE_CLIENT_ID,
      clientSecret: config.MARQUEE_GOOGLE_CLIENT_SECRET,
      parameters: { scope: "openid email profile" },
    });
  if (config.MARQUEE_APPLE_CLIENT_ID && config.MARQUEE_APPLE_CLIENT_SECRET)
    found.set("apple", {
      issuer: config.MARQUEE_APPLE_ISSUER,
      clientId: config.MARQUEE_APPLE_CLIENT_ID,
      clientSecret: config.MARQUEE_APPLE_CLIENT_SECRET,
      // Apple answers with a form when it is asked for personal data.
      parameters: { scope: "openid email name", response_mode: "form_post" },
    });
  return found;
}

export const callbackUrlOf = (publicUrl: string, provider: string): string =>
  `${publicUrl}/sign-in/callback/${provider}`;

export interface Brokers {
  begin(
    context: Context,
    request: { readonly interaction: string; readonly provider: string },
  ): Promise<{ readonly authorizationUrl: string; readonly state: string }>;
  finish(
    context: Context,
    request: { readonly provider: string; readonly callbackUrl: string; readonly state: string },
  ): Promise<string>;
}

export function openBrokers(parts: Parts): Brokers {
  const settings = providersOf(parts.config);
  const discovered = new Map<string, Promise<Configuration>>();

  /** The metadata of a provider, asked once; a failure is not remembered. */
  function configurationOf(name: string): Promise<Configuration> {
    const found = settings.get(name);
    if (!found)
      throw problem.notFound(`sign-in with '${name.slice(0, 20)}' is not configured`, { reason: "provider_unknown" });
    const known = discovered.get(name);
    if (known) return known;
    const asked = discover(found).catch((error: unknown) => {
      discovered.delete(name);
      throw unreachable(name, error, parts.logger);
    });
    discovered.set(name, asked);
    return asked;
  }

  return {
    async begin(context, { interaction, provider }) {
      const configuration = await configurationOf(provider);
      const codeVerifier = randomPKCECodeVerifier();
      const [state, nonce] = [randomState(), randomNonce()];
      const url = buildAuthorizationUrl(configuration, {
        ...settings.get(provider)?.parameters,
        redirect_uri: callbackUrlOf(parts.addresses.publicUrl, provider),
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: "S256",
        state,
        nonce,
      });
      const started = {
        stateHash: digest(state),
        provider,
        interaction: interaction.slice(0, 64),
        nonce,
        codeVerifier,
      };
      const expiresAtMs = parts.clock.nowMs() + STATE_MS;
      await parts.db.tx(context, (tx) => store.saveBrokered(tx, { ...started, expiresAtMs }));
      return { authorizationUrl: url.href, state };
    },

    async finish(context, { provider, callbackUrl, state }) {
      const configuration = await configurationOf(provider);
      const nowMs = parts.clock.nowMs();
      const started = await parts.db.tx(context, (tx) => store.takeBrokered(tx, digest(state), provider, nowMs));
      if (!started) throw problem.precondition("this sign-in is too old: begin again", { reason: "expired" });
      const claims = await redeem(parts, configuration, started, { callbackUrl, state });
      const userId = await accountOf(parts, { ...context, viewer: null }, provider, claims);
      return complete(parts, context, { interaction: started.interaction, userId, method: provider });
    },
  };
}

async function discover({ issuer, clientId, clientSecret }: ProviderSettings): Promise<Configuration> {
  const server = new URL(issuer);
  // Plain HTTP is for a stand-in on this machine, never for a provider on the net.
  const execute = server.protocol === "http:" && isLoopback(server.hostname) ? [allowInsecureRequests] : [];
  return discovery(server, clientId, clientSecret, undefined, { execute, timeout: TIMEOUT_S });
}

type Claims = Readonly<Record<string, unknown>> & { readonly sub: string };

async function redeem(
  { addresses, logger }: Parts,
  configuration: Configuration,
  started: store.Brokered,
  { callbackUrl, state }: { readonly callbackUrl: string; readonly state: string },
): Promise<Claims> {
  // Only the parameters come from the browser; the address is ours.
  const url = new URL(callbackUrlOf(addresses.publicUrl, started.provider));
  url.search = URL.parse(callbackUrl, addresses.publicUrl)?.search ?? "";
  try {
    const tokens = await authorizationCodeGrant(configuration, url, {
      pkceCodeVerifier: started.codeVerifier,
      expectedState: state,
      expectedNonce: started.nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims) throw problem.denied("the provider said nothing about you", { reason: "brokered_failed" });
    return claims;
  } catch (error) {
    if (error instanceof AuthorizationResponseError)
      throw problem.denied("you did not finish signing in there", { reason: "brokered_denied", cause: error });
    throw unreachable(started.provider, error, logger);
  }
}

/** What the other side or the way to it did wrong, as a problem; its details are for the log. */
function unreachable(provider: string, error: unknown, logger: Logger): Error {
  const known = toProblem(error);
  if (known.code !== "internal") return known;
  logger.warn("a brokered sign-in failed", { provider, error });
  return error instanceof ResponseBodyError || error instanceof ClientError
    ? problem.denied(`${provider} did not confirm this sign-in: begin again`, {
        reason: "brokered_failed",
        cause: error,
      })
    : problem.unavailable(`${provider} cannot be reached: try again later`, {
        reason: "brokered_unreachable",
        cause: error,
      });
}

/**
 * The account of a person whom the provider vouches for: the linked one, or the one with the verified address, or a new one.
 * An existing account whose address was never proven may have been made by somebody who waits for its owner, so the owner's
 * arrival ends its password and everything signed in with it.
 */
async function accountOf(parts: Parts, context: Context, provider: string, claims: Claims): Promise<string> {
  const { call, clock, db } = parts;
  const subject = claims.sub;
  const linked = await db.tx(context, (tx) => store.identity(tx, provider, subject));
  if (linked !== undefined) return linked;
  const email = verifiedEmail(claims);
  if (email === undefined)
    throw problem.denied(`${provider} has not verified your e-mail address: sign up with a password instead`, {
      reason: "email_unverified",
    });
  const known = await call.user
    .findByEmail({ email }, context)
    .then((response) => response.user)
    .catch((error: unknown) => {
      if (toProblem(error).code === "not_found") return undefined;
      throw error;
    });
  const name = typeof claims["name"] === "string" ? claims["name"].slice(0, 100) : "";
  const user = known ?? (await call.user.create({ email, name, language: "" }, context)).user;
  if (!user) throw problem.internal("the user service made no account");
  const nowMs = clock.nowMs();
  await db.tx(context, async (tx) => {
    const credential = await store.credential(tx, user.id);
    if (credential && !credential.isEmailProven) {
      await endAll(tx, user.id, "password_reset");
      await store.removeCredential(tx, user.id);
    }
    await store.link(tx, { provider, subject, userId: user.id, nowMs });
  });
  return user.id;
}
