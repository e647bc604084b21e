import { LRUCache } from "lru-cache";
import type { Context, Tx } from "#kernel";
import { toTitle } from "./message.ts";
import type { CatalogPlatform } from "./service.ts";
import * as store from "./store.ts";

type Title = ReturnType<typeof toTitle>;

/**
 * Titles that were just asked for: a start of playback asks three times, and thousands watch the same film or see the same home. What this
 * process changes is forgotten with the commit; what another one changes, or a window that opens, is seen a second later.
 */
export interface Recent {
  /** Those that exist, by id; fresh ones are read from their rows whatever is remembered. */
  find(
    ids: readonly string[],
    context: Context,
    options?: { readonly isFresh: boolean },
  ): Promise<ReadonlyMap<string, Title>>;
  /** A list of titles; it is the same for many, because most profiles may see the same. */
  list(wanted: Omit<store.Wanted, "nowMs">, context: Context): Promise<readonly Title[]>;
  /** Says that the transaction changes a title. */
  forget(tx: Tx, id: string): void;
}

const TITLES_MAX = 5_000;
const LISTS_MAX = 100;
const REMEMBERED_MS = 1_000;

const keyOf = (tenant: string, id: string): string => `${tenant}/${id}`;

export function openRecent({ db, clock }: Pick<CatalogPlatform, "db" | "clock">): Recent {
  const titles = new LRUCache<string, Title>({ max: TITLES_MAX, ttl: REMEMBERED_MS });
  const lists = new LRUCache<string, readonly Title[]>({ max: LISTS_MAX, ttl: REMEMBERED_MS });
  /** What is read while something changes may be as it was before, and is not kept. */
  let changes = 0;
  return {
    async find(ids, context, { isFresh } = { isFresh: false }) {
      const found = new Map<string, Title>();
      const missing: string[] = [];
      for (const id of ids) {
        const title = isFresh ? undefined : titles.get(keyOf(context.tenant, id));
        if (title) found.set(id, title);
        else missing.push(id);
      }
      if (missing.length === 0) return found;
      const before = changes;
      for (const row of await db.read(context, (tx) => store.findMany(tx, missing))) {
        const title = toTitle(row);
        found.set(row.id, title);
        if (changes === before) titles.set(keyOf(context.tenant, row.id), title);
      }
      return found;
    },
    async list(wanted, context) {
      // Windows open and close: a list is that of its second.
      const key = keyOf(context.tenant, JSON.stringify([Math.floor(clock.nowMs() / REMEMBERED_MS), wanted]));
      const known = lists.get(key);
      if (known) return known;
      const before = changes;
      const made = (await db.read(context, (tx) => store.list(tx, { ...wanted, nowMs: clock.nowMs() }))).map(toTitle);
      if (changes === before) lists.set(key, made);
      return made;
    },
    forget: (tx, id) =>
      tx.afterCommit(async () => {
        changes += 1;
        titles.delete(keyOf(tx.tenant, id));
        lists.clear();
      }),
  };
}
