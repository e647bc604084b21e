import type { CatalogAvailabilityChanged, CatalogTitleAdded, CatalogTitleUpdated, Title } from "#contracts/catalog";
import { isChannelId } from "#contracts/live";
import { type Received, systemContext } from "#kernel";
import { embedding, metadata, metadataOf } from "./domain-content.ts";
import { groups } from "./groups.ts";
import type { FeaturesTx, Parts } from "./parts.ts";
import { apply, drop, type Update, update } from "./publish.ts";
import * as store from "./store.ts";

const GET_MANY_MAX = 200;
const TITLES_MAX = 100_000;
const LOOK_MS_MAX = 60_000;
const KINDS = ["film", "series", "episode"];
const STATES = ["processing", "playable", "failed"];

type CatalogEvent = CatalogTitleAdded | CatalogTitleUpdated | CatalogAvailabilityChanged;

/** The event says which titles to look at again; what is true of them now, catalog says. */
export async function takeTitles(
  parts: Parts,
  tx: FeaturesTx,
  events: readonly Received<CatalogEvent>[],
): Promise<void> {
  const gone = events.flatMap(({ data }) => ("reason" in data && data.reason === "deleted" ? [data.contentId] : []));
  const own = groups.filter(({ entity }) => entity === "content").map(({ name }) => name);
  for (const key of new Set(gone)) await drop(parts, tx, await store.forget(tx, { key, groups: own }));
  const times = new Map(events.map(({ data, timeMs }) => [data.contentId, timeMs]));
  const ids = [...times.keys()].filter((id) => !gone.includes(id) && !isChannelId(id));
  const context = systemContext(tx.tenant, "features", { clock: parts.clock });
  for (let at = 0; at < ids.length; at += GET_MANY_MAX) {
    const { titles } = await parts.call.catalog.getMany({ ids: ids.slice(at, at + GET_MANY_MAX) }, context);
    await apply(
      parts,
      tx,
      titles.flatMap((title) => updatesOf(title, times.get(title.id) ?? 0)),
    );
  }
}

function updatesOf(title: Title, timeMs: number): Update[] {
  const made = metadataOf(title);
  const of = { key: title.id, userId: "", timeMs };
  return [update(metadata, of, () => made), update(embedding, of, () => made)];
}

/** Titles that were there before this service was, or whose events the log no longer has. */
export async function findTitles(parts: Parts, tenant: string, signal: AbortSignal): Promise<number> {
  const { call, clock, db } = parts;
  const context = systemContext(tenant, "features", { clock, signal, deadlineMs: LOOK_MS_MAX });
  const wanted = { kinds: KINDS, states: STATES, includeHidden: true, limit: GET_MANY_MAX };
  let found = 0;
  for (let afterId = "", seen = 0; seen < TITLES_MAX && !signal.aborted; seen += GET_MANY_MAX) {
    const { titles } = await call.catalog.list({ ...wanted, afterId }, context);
    found += await db.tx({ tenant }, async (tx) => {
      const known = await store.statesOf(
        tx,
        metadata.group.name,
        titles.map(({ id }) => id),
      );
      const fresh = titles.filter(({ id }) => !known.has(id));
      await apply(
        parts,
        tx,
        fresh.flatMap((title) => updatesOf(title, clock.nowMs())),
      );
      return fresh.length;
    });
    if (titles.length < GET_MANY_MAX) break;
    afterId = titles.at(-1)?.id ?? "";
  }
  return found;
}
