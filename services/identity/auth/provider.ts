import Provider, {
  type AccessToken,
  type ClientCredentials,
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
} from "oidc-provider";
import { newId, toProblem } from "#kernel";
import { openAdapter } from "./adapter.ts";
import * as rules from "./domain.ts";
import { bindDevice, newGrant } from "./grants.ts";
import type { Ring } from "./keys.ts";
import type { Parts } from "./parts.ts";
import { scope } from "./scope.ts";
import { proveSignIn } from "./sign-in.ts";
import * as store from "./store.ts";

export const PREFIX = "/oauth/";
/** The issuer (RFC 8414); its metadata is at `{issuer}/.well-known/openid-configuration`. */
export const issuerOf = (publicUrl: string): string => publicUrl + PREFIX.slice(0, -1);

type ProviderParts = Omit<Parts, "provider" | "keys" | "passwords" | "background">;

const DAY_S = 86_400;
const TTL_S = {
  AccessToken: rules.ACCESS_TOKEN_S,
  AuthorizationCode: 60,
  DeviceCode: 600,
  // A grant outlives its refresh tokens, which are renewed with each use; a year without a sign-in is enough.
  Grant: 400 * DAY_S,
  IdToken: 3_600,
  Interaction: 3_600,
  RefreshToken: rules.REFRESH_TOKEN_S,
  Session: rules.REFRESH_TOKEN_S,
} as const;

/** The OpenID provider with the keys of `ring`. It keeps nothing itself, so that another one can take its place at any time. */
export function makeProvider(parts: ProviderParts, ring: Ring): Provider {
  const provider = new Provider(issuerOf(parts.addresses.publicUrl), {
    adapter: openAdapter(parts),
    jwks: { keys: ring.keys.map(({ jwk }) => ({ ...jwk })) },
    cookies: {
      keys: [...ring.cookieKeys],
      long: { httpOnly: true, sameSite: "lax", signed: true, path: PREFIX },
      // The sign-in pages must see which interaction is theirs: see SignIn in the contract.
      short: { httpOnly: true, sameSite: "lax", signed: true, path: "/" },
    },
    ttl: TTL_S,
    routes: {
      authorization: "/auth",
      token: "/token",
      jwks: "/jwks",
      revocation: "/token/revocation",
      device_authorization: "/device/auth",
      code_verification: "/device",
    },
    responseTypes: ["code"],
    scopes: rules.OIDC_SCOPE.split(" "),
    claims: { openid: ["sub"], profile: ["name", "locale"], email: ["email"] },
    pkce: { required: () => true },
    clientBasedCORS: () => false,
    features: features(),
    extraParams,
    interactions: { policy: [loginPrompt()], url: (_, { uid, params }) => pageOf(uid, params) },
    findAccount: (_, sub) => findAccount(parts, sub),
    loadExistingGrant: (ctx) => loadGrant(parts, ctx),
    extraTokenClaims: (_, token) => claimsOf(parts, token),
    issueRefreshToken: async (_, client) => client.grantTypeAllowed("refresh_token"),
    expiresWithSession: async () => false,
    rotateRefreshToken: true,
    renderError,
  });
  // The scheme and host come from headers that the HTTP handler itself has set.
  provider.proxy = true;
  provider.on("server_error", (_, error) => parts.logger.error("the OpenID provider failed", { error }));
  provider.use(pointToActivation(parts.addresses.publicUrl));
  provider.use((ctx: KoaContextWithOIDC, next: () => Promise<void>) => proveSignIn(ctx, next, provider));
  return provider;
}

const features = (): NonNullable<Configuration["features"]> => ({
  devInteractions: { enabled: false },
  userinfo: { enabled: false },
  rpInitiatedLogout: { enabled: false },
  pushedAuthorizationRequests: { enabled: false },
  dPoP: { enabled: false },
  revocation: { enabled: true, allowedPolicy: async (_, client, token) => token.clientId === client.clientId },
  deviceFlow: { enabled: true, charset: "base-20", mask: rules.USER_CODE_MASK },
  resourceIndicators: {
    enabled: true,
    defaultResource: async () => rules.RESOURCE,
    useGrantedResource: async () => true,
    getResourceServerInfo: async (_, resource) => {
      if (resource !== rules.RESOURCE) throw new errors.InvalidTarget();
      return resourceServer;
    },
  },
});

export const resourceServer = {
  scope: rules.RESOURCE_SCOPE,
  audience: rules.RESOURCE,
  accessTokenTTL: rules.ACCESS_TOKEN_S,
  accessTokenFormat: "jwt",
  jwt: { sign: { alg: "RS256" } },
} as const;

/** Signing in is the only thing that we ask people: the clients are ours, so there is nothing to consent to. */
function loginPrompt(): interactionPolicy.Prompt {
  const login = interactionPolicy.base().get("login");
  if (!login) throw new Error("the OpenID provider has no login prompt");
  return login;
}

type Validator = (ctx: KoaContextWithOIDC, value: string | undefined) => void;
const valid =
  (name: string, isValid: (value: string) => boolean): Validator =>
  (_, value) => {
    if (value !== undefined && !isValid(value)) throw new errors.InvalidRequest(`invalid ${name} parameter value`);
  };
/** What a client says about its device and its wish when it asks for authorization. */
const extraParams = {
  device_id: valid("device_id", rules.isDeviceId),
  device_name: valid("device_name", rules.isDeviceName),
  device_type: valid("device_type", rules.isDeviceType),
  screen_hint: valid("screen_hint", (value) => value === "signup" || value === "login"),
};

/** The page that an interaction is shown on: whoever came to sign up is asked to. */
const pageOf = (uid: string, params: Readonly<Record<string, unknown>>): string =>
  `${params["screen_hint"] === "signup" ? "/sign-up" : "/sign-in"}?interaction=${uid}`;

async function findAccount({ call }: ProviderParts, sub: string) {
  const found = await call.user.get({ userId: sub }, scope().context).catch((error: unknown) => {
    if (toProblem(error).code === "not_found") return undefined;
    throw error;
  });
  const user = found?.user;
  if (!user) return undefined;
  return {
    accountId: sub,
    claims: () => ({ sub, email: user.email, name: user.name, locale: user.language || undefined }),
  };
}

/** The grant of this browser's device: the one it holds, or a new one that replaces it. */
async function loadGrant(parts: ProviderParts, ctx: KoaContextWithOIDC) {
  const { db, clock } = parts;
  const { client, session, params, provider, result } = ctx.oidc;
  const userId = session?.accountId;
  if (!client || !session || !userId) return undefined;
  // Before a person who was asked to sign in again has done so, nothing is given to anybody.
  if (ctx.oidc.promptPending("login")) return undefined;
  const { context } = scope();
  const device = rules.deviceOf(params ?? {}, client.clientId, () => newId("dev", clock.nowMs()));
  const held = session.grantIdFor(client.clientId);
  const known = await db.tx(context, (tx) => store.device(tx, userId, device.id));
  const grant = held && known?.grantId === held ? await provider.Grant.find(held) : undefined;
  const next = grant ?? (await newGrant(provider, userId, client.clientId));
  const method = grant && !result?.login ? undefined : (session.amr?.[0] ?? "password");
  const asksAgain = method !== undefined && known?.profileId && (await mustChooseProfile(parts, userId));
  const profile = asksAgain ? { profileId: "" } : {};
  await db.tx(context, (tx) =>
    bindDevice(tx, { device, userId, grantId: next.jti, ...profile, method, nowMs: clock.nowMs() }),
  );
  return next;
}

/** Where the household cannot be asked for, the person is: signing in does not wait for profiles, and opens none by mistake. */
async function mustChooseProfile({ call, logger }: ProviderParts, userId: string): Promise<boolean> {
  const household = await call.profile.list({ userId }, scope().context).catch((error: unknown) => {
    logger.warn("the profiles of an account could not be read: its device asks who is watching", { error });
    return undefined;
  });
  return household === undefined || rules.asksWhoIsWatching(household.profiles);
}

/** The claims of an access token (ARCH-001 section 7): whose it is, on which device, for which profile, and what it opens. */
async function claimsOf({ db, call }: ProviderParts, token: AccessToken | ClientCredentials) {
  const { context } = scope();
  if (!("grantId" in token)) throw new errors.InvalidGrant("no client acts for itself");
  const { grantId, accountId: userId } = token;
  const [device, opened] = await Promise.all([
    db.tx(context, (tx) => store.deviceByGrant(tx, grantId)),
    call.entitlement.claims({ userId }, context),
  ]);
  if (!device) throw new errors.InvalidGrant("the device was signed out");
  return {
    tenant: context.tenant,
    profile: device.profileId,
    tier: opened.tier,
    device: device.id,
    ent: opened.entitlements,
  };
}

/** What goes wrong before a client can be told is shown to a person: an expired sign-in begins again, the rest is plain text. */
function renderError(
  ctx: KoaContextWithOIDC,
  out: { readonly error: string; readonly error_description?: string | undefined },
) {
  if (ctx.oidc?.route === "resume") {
    ctx.status = 303;
    ctx.redirect("/sign-in");
    return;
  }
  ctx.type = "text/plain";
  ctx.body = `${out.error}: ${out.error_description ?? "the request cannot be completed"}\n`;
}

/** TVs show where to type their code: our own page instead of the provider's. */
function pointToActivation(publicUrl: string) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    if (ctx.path === "/device" || (ctx.path.startsWith("/device/") && ctx.path !== "/device/auth")) {
      ctx.status = 303;
      ctx.redirect("/activate");
      return;
    }
    await next();
    const body: unknown = ctx.body;
    if (ctx.path !== "/device/auth" || ctx.status !== 200 || typeof body !== "object" || body === null) return;
    const code = (body as { user_code?: unknown }).user_code;
    const page = `${publicUrl}/activate`;
    ctx.body = { ...body, verification_uri: page, verification_uri_complete: `${page}?code=${String(code)}` };
  };
}
