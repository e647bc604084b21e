import type { ClientMetadata } from "oidc-provider";
import { CLIENTS } from "./domain.ts";

/** Where mobile apps get their code: a scheme that is theirs (RFC 8252 section 7.1). */
export const MOBILE_REDIRECT_URI = "app.marquee:/oauth/callback";
export const WEB_REDIRECT_PATH = "/auth/callback";

/**
 * Our clients. None can keep a secret, so all are public and prove with PKCE that whoever redeems a code asked for it. `origins` are
 * where a tenant's web client is served from.
 */
export function clientOf(id: string, origins: readonly string[]): ClientMetadata | undefined {
  const common = {
    client_id: id,
    token_endpoint_auth_method: "none",
    id_token_signed_response_alg: "RS256",
  } as const;
  const code = { grant_types: ["authorization_code", "refresh_token"], response_types: ["code"] } as const;
  switch (id) {
    case CLIENTS.web:
      return {
        ...common,
        grant_types: [...code.grant_types],
        response_types: [...code.response_types],
        client_name: "Marquee on the web",
        application_type: "web",
        redirect_uris: origins.map((origin) => origin + WEB_REDIRECT_PATH),
      };
    case CLIENTS.mobile:
      return {
        ...common,
        grant_types: [...code.grant_types],
        response_types: [...code.response_types],
        client_name: "Marquee on a phone",
        application_type: "native",
        redirect_uris: [MOBILE_REDIRECT_URI],
      };
    case CLIENTS.tv:
      return {
        ...common,
        client_name: "Marquee on a TV",
        application_type: "native",
        grant_types: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        response_types: [],
        redirect_uris: [],
      };
    default:
      return undefined;
  }
}
