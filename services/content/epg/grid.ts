import type { EpgScheduleUpdated } from "#contracts/epg";
import type { Context, ModelTx, Received } from "#kernel";
import { dayOf, DAY_MS, startOfDay } from "./domain.ts";
import type { EpgPlatform, Parts } from "./service.ts";
import * as store from "./store.ts";
import * as guide from "./store-guide.ts";

/**
 * The grid, composed: one JSON text for each channel and day, in the cache. It is what everybody who opens a guide reads, so that it is made
 * when a schedule changes and not when somebody looks. What the cache has lost, or cannot be asked for, is composed from rows.
 */
export interface Grid {
  /** By channel, then by day. */
  days(channelIds: readonly string[], days: readonly string[], context: Context): Promise<ComposedDay[]>;
  /** Composes days of channels as their rows are, and keeps them. */
  compose(tx: ModelTx, of: readonly { readonly channelId: string; readonly day: string }[]): Promise<void>;
  forget(tenant: string, channelId: string, days: readonly string[]): Promise<void>;
}

export interface ComposedDay {
  readonly channelId: string;
  readonly day: string;
  readonly json: string;
}

const KEPT_MS = DAY_MS;
/** Days that are asked for most are composed before anybody does; the others when somebody does. */
const AHEAD_MS = 2 * DAY_MS;

const keyOf = (tenant: string, channelId: string, day: string): string => `grid/${tenant}/${channelId}/${day}`;

export function openGrid({ db, cache, logger }: Pick<EpgPlatform, "db" | "cache" | "logger">): Grid {
  async function put(tenant: string, composed: readonly ComposedDay[]): Promise<void> {
    await Promise.all(
      composed.map(({ channelId, day, json }) => cache.set(keyOf(tenant, channelId, day), json, KEPT_MS)),
    );
  }
  return {
    async days(channelIds, days, context) {
      const wanted = channelIds.flatMap((channelId) => days.map((day) => ({ channelId, day })));
      const keys = wanted.map(({ channelId, day }) => keyOf(context.tenant, channelId, day));
      const found = await cache.getMany(keys).catch((error: unknown) => {
        logger.warn("the composed guide could not be asked for and is read from rows", { error });
        return keys.map(() => undefined);
      });
      const missing = wanted.filter((_, i) => found[i] === undefined);
      const composed = missing.length === 0 ? [] : await db.read(context, (tx) => composeDays(tx, missing));
      // Whoever asked does not wait for it, and can do without.
      if (composed.length > 0) put(context.tenant, composed).catch(() => {});
      const fresh = new Map(composed.map((one) => [`${one.channelId}/${one.day}`, one.json]));
      return wanted.map(({ channelId, day }, i) => ({
        ...{ channelId, day, json: found[i] ?? fresh.get(`${channelId}/${day}`) ?? "[]" },
      }));
    },
    async compose(tx, of) {
      await put(tx.tenant, await composeDays(tx, of));
    },
    async forget(tenant, channelId, days) {
      await cache.delete(days.map((day) => keyOf(tenant, channelId, day)));
    },
  };
}

async function composeDays(
  tx: ModelTx,
  of: readonly { readonly channelId: string; readonly day: string }[],
): Promise<ComposedDay[]> {
  const days = [...new Set(of.map(({ day }) => day))].toSorted();
  const [first = "", last = first] = [days[0], days.at(-1)];
  if (first === "") return [];
  const channelIds = [...new Set(of.map(({ channelId }) => channelId))];
  const rows = await guide.cardsIn(tx, { channelIds, fromMs: startOfDay(first), toMs: startOfDay(last) + DAY_MS });
  const cells = Map.groupBy(rows, (row) => `${row.channel_id}/${dayOf(row.start_ms)}`);
  return of.map(({ channelId, day }) => {
    const own = cells.get(`${channelId}/${day}`) ?? [];
    // A card is a JSON object with at least a title, so that these members can stand before its own.
    const cards = own.map(
      (row) => `{"id":"${row.id}","startMs":${row.start_ms},"stopMs":${row.stop_ms},${row.card.slice(1)}`,
    );
    return { channelId, day, json: `[${cards.join(",")}]` };
  });
}

/** Follows the guide's own word that days have changed. What is true of them now is in their rows. */
export async function recompose(
  { grid, clock }: Parts,
  tx: ModelTx,
  events: readonly Received<EpgScheduleUpdated>[],
): Promise<void> {
  const untilDay = dayOf(clock.nowMs() + AHEAD_MS);
  const fromDay = dayOf(clock.nowMs());
  const of = events.map(({ data: { channelId, day } }) => ({ channelId, day }));
  const near = of.filter(({ day }) => day >= fromDay && day < untilDay);
  const later = of.filter(({ day }) => day < fromDay || day >= untilDay);
  await grid.compose(tx, [...new Map(near.map((one) => [`${one.channelId}/${one.day}`, one])).values()]);
  for (const { channelId, day } of later) await grid.forget(tx.tenant, channelId, [day]);
}

/** Composes everything anew, for `marquee rebuild`. */
export async function recomposeAll({ grid, db, clock }: Parts, tenants: readonly string[]): Promise<void> {
  const days = Array.from({ length: 15 }, (_, i) => dayOf(clock.nowMs() + i * DAY_MS));
  for (const tenant of tenants) {
    const channels = await db.tx({ tenant }, (tx) => store.allChannels(tx));
    for (const { id } of channels)
      await db.tx({ tenant }, (tx) =>
        grid.compose(
          tx,
          days.map((day) => ({ channelId: id, day })),
        ),
      );
  }
}
