import type Provider from "oidc-provider";
import type { Auth } from "#contracts/auth";
import { Entitlement } from "#contracts/entitlement";
import { Profile } from "#contracts/profile";
import { Tenant } from "#contracts/tenant";
import { User } from "#contracts/user";
import {
  type Addresses,
  type Audit,
  type Clients,
  type Clock,
  type Config,
  type Context,
  type Db,
  type Logger,
  problem,
  type Tx,
} from "#kernel";
import type { Cache } from "#kernel/ports/cache";
import type { Mail } from "#kernel/ports/mail";
import type { LogoutReason } from "./domain.ts";
import type { Keys } from "./keys.ts";
import type { Passwords } from "./passwords.ts";
import { inScope, type Scope } from "./scope.ts";

export const uses = { tenant: Tenant, user: User, profile: Profile, entitlement: Entitlement };

export type AuthTx = Tx<typeof Auth>;

/** What the rooms of this service share. */
export interface Parts {
  readonly db: Db<typeof Auth>;
  readonly call: Clients<typeof uses>;
  readonly cache: Cache;
  readonly mail: Mail;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly audit: Audit;
  readonly config: Config;
  readonly addresses: Addresses;
  readonly keys: Keys;
  readonly passwords: Passwords;
  /** The OpenID provider with the present keys. Use it only inside `asTenant` or the HTTP handler. */
  readonly provider: () => Promise<Provider>;
  /** Work that answers need not wait for; the service ends after it. */
  readonly background: Set<Promise<void>>;
}

/** Runs work of the OpenID provider for the tenant of a call. */
export async function asTenant<T>(
  parts: Parts,
  context: Context,
  work: (provider: Provider) => Promise<T>,
  reason: LogoutReason = "asked",
): Promise<T> {
  const provider = await parts.provider();
  const scope: Scope = { context, origins: [parts.addresses.publicUrl], reason };
  return inScope(scope, () => work(provider));
}

/** People act on their own account; services and operators act without a viewer. */
export function assertOwn(context: Context, userId: string): void {
  if (userId === "") throw problem.invalid("user_id is missing");
  if (context.viewer && context.viewer.userId !== userId)
    throw problem.denied("this belongs to another account", { reason: "not_yours" });
}

/** Calls that only services and operators make. */
export function assertInternal(context: Context): void {
  if (context.viewer) throw problem.denied("this call is for operators", { reason: "operators_only" });
}
