import { createHash, randomBytes } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { problem, type Viewer } from "#kernel";
import type { Signed, WebParts } from "./parts.ts";
import { openRates } from "./rates.ts";
import { contextOf, hostOf, ipOf, openTenants, type TenantOf } from "./request.ts";
import type { VerifiedToken } from "./tokens.ts";

/**
 * The browser's session: access and refresh token in cookies that no script can read. An access token that is about to end is renewed here, while
 * the request waits, so pages never see a 401 for age alone.
 */
const ACCESS = "marquee_access";
const REFRESH = "marquee_refresh";
const DEVICE = "marquee_device";
const REFRESH_DAYS = 30;
const DEVICE_DAYS = 400;
const RENEW_BEFORE_MS = 60_000;
/** Tabs that renew at the same moment must share one renewal: a refresh token used twice ends the whole family. */
const SHARE_MS = 30_000;

interface Tokens {
  readonly access: string;
  readonly refresh: string;
}

export interface Cookies {
  /** Whoever the request comes from; renews tokens when it must. */
  signed(request: FastifyRequest, reply: FastifyReply): Promise<Signed>;
  /** Takes new tokens into use, after sign-in or after a profile was chosen. */
  renew(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  store(reply: FastifyReply, tokens: Tokens): void;
  clear(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  deviceId(request: FastifyRequest, reply: FastifyReply): string;
  /** The tenant whose site was asked for. */
  readonly tenantOf: TenantOf;
}

export function openCookies(parts: WebParts): Cookies {
  const tenantOf = openTenants(parts);
  const rates = openRates(parts);
  const isSecure = parts.addresses.publicUrl.startsWith("https:");
  const renewals = new Map<string, Promise<Tokens | null>>();
  const set = (reply: FastifyReply, name: string, value: string, days: number): void => {
    reply.setCookie(name, value, {
      path: "/",
      httpOnly: true,
      sameSite: "lax",
      secure: isSecure,
      maxAge: days * 86_400,
    });
  };

  function store(reply: FastifyReply, { access, refresh }: Tokens): void {
    set(reply, ACCESS, access, 1);
    set(reply, REFRESH, refresh, REFRESH_DAYS);
  }

  function exchange(refresh: string, host: string): Promise<Tokens | null> {
    const key = createHash("sha256").update(refresh).digest("base64url");
    const running = renewals.get(key);
    if (running) return running;
    const renewal = requestTokens(parts, host, { grant_type: "refresh_token", refresh_token: refresh }).catch(
      (error: unknown) => {
        renewals.delete(key);
        throw error;
      },
    );
    renewals.set(key, renewal);
    setTimeout(() => renewals.delete(key), SHARE_MS).unref();
    return renewal;
  }

  async function renewed(request: FastifyRequest, reply: FastifyReply): Promise<VerifiedToken | undefined> {
    const refresh = request.cookies[REFRESH];
    if (!refresh) return undefined;
    const tokens = await exchange(refresh, hostOf(request));
    if (!tokens) {
      reply.clearCookie(ACCESS, { path: "/" }).clearCookie(REFRESH, { path: "/" });
      return undefined;
    }
    store(reply, tokens);
    return parts.tokens.verify(tokens.access);
  }

  return {
    store,
    tenantOf,
    async signed(request, reply) {
      const bearer = /^Bearer ([\w.~+/=-]+)$/.exec(request.headers.authorization ?? "")?.[1];
      if (bearer) {
        const verified = await parts.tokens.verify(bearer);
        if (!verified)
          throw problem.unauthenticated("the access token is not valid or too old: get a new one", {
            reason: "token_invalid",
          });
        if (verified.tenant !== (await tenantOf(request)))
          throw problem.unauthenticated("the access token belongs to another service", { reason: "token_invalid" });
        rates({ tenant: verified.tenant, viewer: verified.viewer, ip: ipOf(request) });
        return signedOf(parts, request, reply, verified.tenant, verified);
      }
      const access = request.cookies[ACCESS];
      const verified = access ? await parts.tokens.verify(access) : undefined;
      const isFresh = verified && verified.expiresAtMs - parts.clock.nowMs() > RENEW_BEFORE_MS;
      const current = isFresh ? verified : ((await renewed(request, reply)) ?? verified);
      const tenant = await tenantOf(request);
      // A cookie of another tenant's site is as good as none.
      const known = current?.tenant === tenant ? current : undefined;
      rates({ tenant, viewer: known?.viewer ?? null, ip: ipOf(request) });
      return signedOf(parts, request, reply, tenant, known);
    },
    async renew(request, reply) {
      await renewed(request, reply);
    },
    async clear(request, reply) {
      const refresh = request.cookies[REFRESH];
      reply.clearCookie(ACCESS, { path: "/" }).clearCookie(REFRESH, { path: "/" });
      if (!refresh) return;
      const form = new URLSearchParams({ token: refresh, client_id: CLIENT_ID, token_type_hint: "refresh_token" });
      await fetch(`${parts.internalUrl}/oauth/token/revocation`, {
        method: "POST",
        headers: { "x-forwarded-host": hostOf(request) },
        body: form,
        signal: AbortSignal.timeout(5_000),
      });
    },
    deviceId(request, reply) {
      const known = request.cookies[DEVICE];
      if (known && /^[A-Za-z0-9_-]{10,64}$/.test(known)) return known;
      const fresh = `web-${randomBytes(12).toString("base64url")}`;
      set(reply, DEVICE, fresh, DEVICE_DAYS);
      return fresh;
    },
  };
}

export const CLIENT_ID = "marquee-web";

/** Asks the token endpoint; null when the grant is over. */
export async function requestTokens(
  parts: WebParts,
  host: string,
  grant: Readonly<Record<string, string>>,
): Promise<Tokens | null> {
  const answered = await fetch(`${parts.internalUrl}/oauth/token`, {
    method: "POST",
    headers: { "x-forwarded-host": host },
    body: new URLSearchParams({ ...grant, client_id: CLIENT_ID }),
    signal: AbortSignal.timeout(10_000),
  });
  const body = (await answered.json().catch(() => ({}))) as {
    access_token?: string;
    refresh_token?: string;
    error?: string;
  };
  if (answered.ok && body.access_token && body.refresh_token)
    return { access: body.access_token, refresh: body.refresh_token };
  if (answered.status >= 500)
    throw problem.unavailable("sign-in is not available right now: try again in a moment", { retryAfterS: 2 });
  parts.logger.info("the token endpoint refused a grant", { error: body.error ?? answered.status });
  return null;
}

function signedOf(
  parts: WebParts,
  request: FastifyRequest,
  reply: FastifyReply,
  tenant: string,
  verified: VerifiedToken | undefined,
): Signed {
  const viewer: Viewer | null = verified?.viewer ?? null;
  return {
    viewer,
    context: contextOf(parts, request, reply, { tenant, viewer }),
  };
}
