import type Provider from "oidc-provider";
import { type Context, isLoopback, problem } from "#kernel";
import { ACCESS_TOKEN_S, CLIENTS, RESOURCE, RESOURCE_SCOPE } from "./domain.ts";
import { bindDevice, newGrant } from "./grants.ts";
import { asTenant, type Parts } from "./parts.ts";
import { resourceServer } from "./provider.ts";

const TRIES_MAX = 10;
/** The device of tokens that a developer asks for on the command line. */
const DEVICE = { id: "cli", name: "Command line", type: "web" } as const;

/** An access token without a browser, signed and made as every other: in development on this machine only. */
export async function issueToken(
  parts: Parts,
  context: Context,
  { email, profileName }: { readonly email: string; readonly profileName: string },
): Promise<{ readonly accessToken: string; readonly expiresAtMs: bigint }> {
  const { call, clock, config, db } = parts;
  if (config.MARQUEE_MODE !== "development" || !isLoopback(config.MARQUEE_HOST))
    throw problem.denied("tokens are handed out only in development and on localhost: sign in instead", {
      reason: "development_only",
    });
  const { user } = await call.user.findByEmail({ email }, context);
  if (!user) throw problem.notFound("nobody has this e-mail address");
  const { profiles } = await call.profile.list({ userId: user.id }, context);
  const profile = profileName === "" ? profiles[0] : profiles.find(({ name }) => name === profileName);
  if (!profile && profileName !== "")
    throw problem.notFound(
      `there is no profile '${profileName.slice(0, 40)}': it has ${profiles.map(({ name }) => name).join(", ")}`,
    );
  const issue = async (provider: Provider) => {
    const client = await provider.Client.find(CLIENTS.web);
    if (!client) throw problem.internal("the web client is unknown");
    const grant = await newGrant(provider, user.id, client.clientId);
    await db.tx(context, (tx) =>
      bindDevice(tx, {
        device: DEVICE,
        userId: user.id,
        grantId: grant.jti,
        profileId: profile?.id ?? "",
        method: undefined,
        nowMs: clock.nowMs(),
      }),
    );
    const token = new provider.AccessToken({
      client,
      accountId: user.id,
      grantId: grant.jti,
      gty: "development",
      scope: RESOURCE_SCOPE,
      resourceServer: new provider.ResourceServer(RESOURCE, resourceServer),
    });
    const accessToken = await token.save();
    return { accessToken, expiresAtMs: BigInt((token.exp ?? Math.floor(Date.now() / 1_000) + ACCESS_TOKEN_S) * 1_000) };
  };
  for (let tries = 1; ; tries += 1) {
    try {
      return await asTenant(parts, context, issue);
    } catch (error) {
      // Whoever asks at the same moment signs in on the same device, which signs us out of it.
      if ((error as { error?: unknown }).error !== "invalid_grant" || tries >= TRIES_MAX) throw error;
    }
  }
}
