import { assertOwnProfile, type Context, problem } from "#kernel";
import { flatten, freshnessOf, fromText, type Published, type Selection, select } from "./domain.ts";
import { groups, kindOf } from "./groups.ts";
import type { Parts } from "./parts.ts";
import { cacheKey } from "./publish.ts";
import * as store from "./store.ts";

const KEYS_MAX = 200;
const KEY = /^[A-Za-z0-9_.:/-]{1,128}$/;
const COPY_MS = 15 * 60_000;

/** @throws Problem for a key that none of ours looks like, and for too many */
export function assertKeys(keys: readonly string[]): void {
  if (keys.length > KEYS_MAX) throw problem.invalid(`${keys.length} keys are more than ${KEYS_MAX}: ask in parts`);
  const wrong = keys.find((key) => !KEY.test(key));
  if (wrong !== undefined) throw problem.invalid(`'${wrong.slice(0, 80)}' is no entity's key: it is ${KEY.source}`);
}

export async function online(
  parts: Parts,
  { features, keys }: { readonly features: readonly string[]; readonly keys: readonly string[] },
  context: Context,
) {
  const selection = select(groups, features);
  assertKeys(keys);
  // A viewer's own features serve the viewer, those of others nobody but services; titles and networks are no secret.
  if (selection.entity === "user") for (const key of keys) assertOwnProfile(context, key);
  if (selection.entity === "session" && context.viewer)
    throw problem.denied("sessions are not shown to viewers", { reason: "not_yours" });
  const nowMs = parts.clock.nowMs();
  const freshness: string[] = [];
  const rows = (await lookUp(parts, context.tenant, selection, keys)).map((row) =>
    row.map((published, index) => {
      const group = selection.chosen[index]?.group;
      const state = group ? freshnessOf(group, published, nowMs) : "missing";
      freshness.push(state);
      return state === "missing" ? undefined : published;
    }),
  );
  const { eventTimesMs, ...flat } = flatten(selection, rows);
  return { ...flat, eventTimesMs, freshness };
}

/** For each key what was published of each chosen group: from the cache, and from the database what is not there. */
export async function lookUp(
  parts: Parts,
  tenant: string,
  { chosen }: Pick<Selection, "chosen">,
  keys: readonly string[],
): Promise<(Published | undefined)[][]> {
  const names = keys.flatMap((key) => chosen.map(({ group }) => ({ group: group.name, key })));
  const copies = await parts.cache.getMany(names.map(({ group, key }) => cacheKey(tenant, group, key)));
  const found = copies.map((text) => (text === undefined ? undefined : fromText(text)));
  const missed = names.filter(({ group }, index) => found[index] === undefined && kindOf(group) !== undefined);
  const copied = missed.length > 0 ? await copy(parts, tenant, missed) : new Map<string, string>();
  const hits = found.filter((one) => one !== undefined).length;
  parts.looked("cache", hits);
  parts.looked("database", copied.size);
  parts.looked("nowhere", names.length - hits - copied.size);
  return keys.map((_, row) =>
    chosen.map((__, column) => {
      const place = row * chosen.length + column;
      const name = names[place];
      const text = name && copied.get(cacheKey(tenant, name.group, name.key));
      return found[place] ?? (text === undefined ? undefined : fromText(text));
    }),
  );
}

/** Copies rows into the cache while they are held: nobody can publish something newer in between, and have it written over. */
async function copy(
  { db, cache }: Parts,
  tenant: string,
  names: readonly store.Name[],
): Promise<ReadonlyMap<string, string>> {
  const unique = new Map(names.map((name) => [cacheKey(tenant, name.group, name.key), name]));
  return db.tx({ tenant }, async (tx) => {
    const rows = await store.published(tx, [...unique.values()]);
    const copies = rows.map(({ group, key, published }) => [cacheKey(tenant, group, key), published] as const);
    await Promise.all(copies.map(([key, text]) => cache.set(key, text, COPY_MS)));
    return new Map(copies);
  });
}

const PAGE = 500;

/** Makes the online store of some tenants anew: copies of all that was published, group by group. Sessions come back with their next beat. */
export async function remake({ db, cache }: Parts, tenants: readonly string[]): Promise<void> {
  for (const tenant of tenants) {
    let after: store.Name = { group: "", key: "" };
    for (let isMore = true; isMore; ) {
      const from = after;
      const page = await db.tx({ tenant }, async (tx) => {
        const rows = await store.publishedAfter(tx, from, PAGE);
        await Promise.all(
          rows.map(({ group, key, published }) => cache.set(cacheKey(tenant, group, key), published, COPY_MS)),
        );
        return rows;
      });
      after = page.at(-1) ?? after;
      isMore = page.length === PAGE;
    }
  }
}
