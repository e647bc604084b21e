import { Auth } from "#contracts/auth";
import { Bookmark } from "#contracts/bookmark";
import { Catalog } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Entitlement } from "#contracts/entitlement";
import { Epg } from "#contracts/epg";
import { Live } from "#contracts/live";
import { Notification } from "#contracts/notification";
import { Profile } from "#contracts/profile";
import { Recommendation } from "#contracts/recommendation";
import { Recording } from "#contracts/recording";
import { Schedule } from "#contracts/schedule";
import { Search } from "#contracts/search";
import { Session } from "#contracts/session";
import { Subscription } from "#contracts/subscription";
import { Tenant } from "#contracts/tenant";
import { User } from "#contracts/user";
import type { Addresses, Clients, Clock, Config, Context, Logger, Metrics, Viewer } from "#kernel";
import type { Flags } from "#kernel/ports/flags";
import type { Geo } from "#kernel/ports/geo";
import type { TokenVerifier } from "./tokens.ts";

/** Whom the web BFF calls, and may call. It owns no data: what it answers is composed of what these say. */
export const webUses = {
  auth: Auth,
  bookmark: Bookmark,
  catalog: Catalog,
  encoding: Encoding,
  entitlement: Entitlement,
  epg: Epg,
  live: Live,
  notification: Notification,
  profile: Profile,
  recommendation: Recommendation,
  recording: Recording,
  schedule: Schedule,
  search: Search,
  session: Session,
  subscription: Subscription,
  tenant: Tenant,
  user: User,
};
export type WebUses = typeof webUses;

export interface WebParts {
  readonly call: Clients<WebUses>;
  readonly clock: Clock;
  readonly config: Config;
  readonly addresses: Addresses;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly flags: Flags;
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
