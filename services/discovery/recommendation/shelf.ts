import { LRUCache } from "lru-cache";
import type { Db } from "#kernel";
import type { Recommendation } from "#contracts/recommendation";
import type { Title } from "./domain.ts";
import * as store from "./store.ts";

/** What there is to recommend, the most liked first: in memory, since every fallback stands on it. */
export interface Shelf {
  readonly titles: readonly Title[];
  readonly byId: ReadonlyMap<string, Title>;
}

export interface Shelves {
  /** As it was a moment ago; where the database is away, as it was last. Rejects only where it never was read. */
  of(tenant: string): Promise<Shelf>;
  /** Something of it changed. */
  forget(tenant: string): void;
}

const FRESH_MS = 30_000;
const TENANTS_MAX = 100;

export function openShelves(db: Db<typeof Recommendation>): Shelves {
  const shelves = new LRUCache<string, Shelf>({
    max: TENANTS_MAX,
    ttl: FRESH_MS,
    allowStale: true,
    // Who asks gets the old one at once, while the new one is read.
    allowStaleOnFetchRejection: true,
    allowStaleOnFetchAbort: true,
    noDeleteOnStaleGet: true,
    noDeleteOnFetchRejection: true,
    fetchMethod: async (tenant) => {
      const titles = await db.read({ tenant }, store.listTitles);
      return { titles, byId: new Map(titles.map((title) => [title.id, title])) };
    },
  });
  return {
    of: (tenant) => shelves.forceFetch(tenant),
    forget: (tenant) => void shelves.fetch(tenant, { forceRefresh: true }).catch(() => undefined),
  };
}
