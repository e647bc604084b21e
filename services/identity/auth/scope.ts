import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "#kernel";
import type { LogoutReason } from "./domain.ts";

/**
 * For whom the OpenID provider works at this moment. It knows one issuer and no tenants; its adapter and its hooks
 * read the tenant here, so that rows of one tenant do not exist for another.
 */
export interface Scope {
  readonly context: Context;
  /** Origins that this tenant's web client is served from. */
  readonly origins: readonly string[];
  /** Why grants end in here, if one does. */
  readonly reason: LogoutReason;
}

const storage = new AsyncLocalStorage<Scope>();

export const inScope = <T>(scope: Scope, work: () => T): T => storage.run(scope, work);

export function scope(): Scope {
  const found = storage.getStore();
  if (!found) throw new Error("the OpenID provider was used outside of a scope");
  return found;
}
