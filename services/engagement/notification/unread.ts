import type { Context } from "#kernel";
import type { Parts } from "./parts.ts";
import * as store from "./store.ts";

/** Every open page asks how many there are, every few seconds, and the answer seldom changes. */
const FRESH_MS = 30_000;
/** A badge says "99+". */
const UNREAD_MAX = 100;

interface Unread {
  readonly unread: number;
  readonly newestId: string;
}

const keyOf = (tenant: string, profileId: string): string => `${tenant}/unread/${profileId}`;

export async function unreadOf({ cache, db }: Parts, context: Context, profileId: string): Promise<Unread> {
  const key = keyOf(context.tenant, profileId);
  const known = await cache.get(key);
  if (known !== undefined) return JSON.parse(known) as Unread;
  const found = await db.read(context, (tx) => store.unread(tx, profileId, UNREAD_MAX));
  await cache.set(key, JSON.stringify(found), FRESH_MS);
  return found;
}

/** Where the cache is away, the old number stands for as long as it is fresh. */
export const forgetUnread = ({ cache }: Parts, tenant: string, profileIds: readonly string[]): Promise<void> =>
  profileIds.length === 0 ? Promise.resolve() : cache.delete(profileIds.map((id) => keyOf(tenant, id)));
