import type { Auth } from "#contracts/auth";
import type { Bookmark } from "#contracts/bookmark";
import type { Catalog } from "#contracts/catalog";
import type { Encoding } from "#contracts/encoding";
import type { Entitlement } from "#contracts/entitlement";
import type { Profile } from "#contracts/profile";
import type { Session } from "#contracts/session";
import type { Subscription } from "#contracts/subscription";
import type { Tenant } from "#contracts/tenant";
import type { User } from "#contracts/user";
import type { Addresses, Clients, Clock, Config, Context, Logger, Metrics, Viewer } from "#kernel";
import type { Geo } from "#kernel/ports/geo";
import type { TokenVerifier } from "./tokens.ts";

/** Whom the web BFF calls. It owns no data: what it answers is composed of what these say. */
export type WebUses = {
  readonly auth: typeof Auth;
  readonly bookmark: typeof Bookmark;
  readonly catalog: typeof Catalog;
  readonly encoding: typeof Encoding;
  readonly entitlement: typeof Entitlement;
  readonly profile: typeof Profile;
  readonly session: typeof Session;
  readonly subscription: typeof Subscription;
  readonly tenant: typeof Tenant;
  readonly user: typeof User;
};

export interface WebParts {
  readonly call: Clients<WebUses>;
  readonly clock: Clock;
  readonly config: Config;
  readonly addresses: Addresses;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tokens: TokenVerifier;
  /** Where viewers are. */
  readonly geo: Geo;
  /** Where this process answers itself without TLS, for the token endpoint and for server rendering. */
  readonly internalUrl: string;
  readonly demoAccounts: readonly { readonly email: string; readonly password: string }[];
}

/** What a request's cookie or header said, verified. */
export interface Signed {
  readonly context: Context;
  readonly viewer: Viewer | null;
}
