import { assertTenant } from "./context.ts";
import type { EventType } from "./contract.ts";
import type { Tx } from "./db.ts";
import { problem } from "./errors.ts";
import type { Received, Topics } from "./events.ts";
import type { Listener } from "./listener.ts";
import { loadMarks } from "./inbox.ts";
import { roleOf } from "./migrate.ts";
import type { EventLog } from "./ports/log.ts";
import { identifier, inTransaction, type Pool, queryBuilder } from "./sql.ts";
import type { Positions } from "./tail.ts";

/**
 * Read models: tables of a service that say the same as its source of truth or its events, laid out for one kind of reading. A model follows
 * events as a consumer of its own, with its own group and marks, so that it can be made anew while the rest of the service goes on.
 *
 * What it does with an event has no effect outside of its tables: its transaction cannot emit. An event may come again, after later ones too, so
 * a handler looks at what is true now, or compares versions.
 */
export interface ReadModel<P> {
  /** A plain lower-case word; it names the consumer group. */
  readonly name: string;
  /** They are emptied by a rebuild. Whatever cannot be had again is in another table. */
  readonly tables: readonly string[];
  readonly on: readonly ModelHandler<P>[];
  /** Fills the tables of one tenant from the service's source of truth, for all that happened before the log begins. */
  seed?(parts: P, tx: ModelTx): Promise<void>;
  /**
   * For a model outside of the service's tables, such as a search index: makes it anew from the source of truth of these tenants, while it goes on
   * following events. Its handlers look at what is true now, so that none of them has to come again.
   */
  remake?(parts: P, tenants: readonly string[]): Promise<void>;
}

/** A transaction that announces nothing. */
export type ModelTx = Pick<Tx, "tenant" | "q" | "executeSql">;

export interface ModelHandler<P> {
  readonly event: EventType;
  handle(parts: P, tx: ModelTx, events: readonly Received<never>[]): Promise<void>;
}

/** `follow(Catalog.events.titleUpdated)(refresh)`: as `on`, for a read model. */
export const follow =
  <E>(event: EventType<E>) =>
  <P>(handle: (parts: P, tx: ModelTx, events: readonly Received<E>[]) => Promise<void>): ModelHandler<P> => ({
    event,
    handle,
  });

/** The group of a model. Services have no hyphen in their names, so a group tells whose it is. */
export const modelGroup = (service: string, model: string): string => `${service}-${model}`;
export const serviceOfGroup = (group: string): string => group.split("-", 1)[0] ?? "";

/** No topic has a colon in its name, so these are nobody else's marks. */
export const modelMarks = (model: string, topic: string): string => `model:${model}:${topic}`;

/** The topics of some events, each once. */
export const topicsOf = (events: readonly EventType[], topics: Topics): string[] => [
  ...new Set(events.map(({ name }) => topics.routes[name]?.topic ?? "")),
];

/** A read model in this process. */
export interface OpenModel {
  readonly service: string;
  readonly name: string;
  readonly tables: readonly string[];
  readonly listeners: readonly Listener[];
  readonly seed?: (tx: ModelTx) => Promise<void>;
  readonly remake?: (tenants: readonly string[]) => Promise<void>;
}

/** How many records lie between the marks of a group and the end, of those that the log still has. */
export async function lagBehind(
  pool: Pool,
  service: string,
  marksName: string,
  { firsts, ends }: { readonly firsts: ReadonlyMap<number, number>; readonly ends: ReadonlyMap<number, number> },
): Promise<number> {
  const marks = await loadMarks(pool, service, marksName, [...ends.keys()]);
  return [...ends].reduce(
    (sum, [partition, end]) => sum + Math.max(0, end - Math.max(firsts.get(partition) ?? 0, marks.get(partition) ?? 0)),
    0,
  );
}

export interface ModelState {
  readonly service: string;
  readonly name: string;
  readonly tables: readonly string[];
  readonly topics: readonly string[];
  /** What the log holds of its topics, and what of that it has not followed yet. */
  readonly records: number;
  readonly lag: number;
  /** Where its topics end. */
  readonly ends: Positions;
}

/** How far a model is; with `until`, of what the log held at some earlier time. */
export async function modelState(model: OpenModel, pool: Pool, log: EventLog, until?: Positions): Promise<ModelState> {
  let records = 0;
  let lag = 0;
  const allEnds = new Map<string, ReadonlyMap<number, number>>();
  for (const { topic, marksName } of model.listeners) {
    const [firsts, now] = await Promise.all([log.offsets(topic, 0), log.offsets(topic)]);
    const ends = until?.get(topic) ?? now;
    allEnds.set(topic, ends);
    for (const [partition, end] of ends) records += end - (firsts.get(partition) ?? 0);
    lag += await lagBehind(pool, model.service, marksName, { firsts, ends });
  }
  const { service, name, tables, listeners } = model;
  return { service, name, tables, topics: listeners.map(({ topic }) => topic), records, lag, ends: allEnds };
}

/** Seeding copies whole tables; everything else has the pool's limit. */
const SEED_TIMEOUT = "10min";

/**
 * Empties a model, fills it from its source of truth where it has one, and moves its marks to the beginning of the log, in one transaction: readers
 * see the old rows until the new ones are there, and whoever dies half-way has done nothing. Its consumers then follow the log again.
 */
export async function rebuildModel(
  model: OpenModel,
  { pool, log, tenants }: { readonly pool: Pool; readonly log: EventLog; readonly tenants: readonly string[] },
): Promise<void> {
  const { service, name, listeners, seed } = model;
  if (model.remake) return model.remake(tenants);
  for (const { topic } of seed ? [] : listeners) {
    if ([...(await log.offsets(topic, 0)).values()].some((offset) => offset > 0))
      throw problem.precondition(
        `'${topic}' no longer holds its first events, and the read model '${name}' of ${service} is made of nothing else: restore its tables from a backup`,
        { reason: "log_truncated" },
      );
  }
  const [first, ...others] = listeners;
  if (!first) throw problem.internal(`the read model '${name}' of ${service} follows no event`);
  const inPause = others.reduce<() => Promise<void>>((work, listener) => () => listener.paused(work), empty);
  await first.paused(inPause);

  async function empty(): Promise<void> {
    const schema = identifier(service);
    const tables = model.tables.map((table) => `${schema}.${identifier(table)}`);
    const setup = `SET LOCAL ROLE ${identifier(roleOf(service))}; SET LOCAL search_path TO ${schema}, public; SET LOCAL statement_timeout TO '${SEED_TIMEOUT}'`;
    await inTransaction(pool, setup, async (client) => {
      // Consumers elsewhere finish their batch first and begin no other; readers are not held up.
      await client.query(`LOCK TABLE ${tables.join(", ")} IN SHARE ROW EXCLUSIVE MODE`);
      for (const tenant of tenants) {
        // The tenant is asserted to be a plain word, so it needs no escaping.
        await client.query(`SET LOCAL marquee.tenant TO '${assertTenant(tenant)}'`);
        for (const table of tables) await client.query(`DELETE FROM ${table}`);
        await seed?.({
          tenant,
          q: queryBuilder(client),
          executeSql: async (text, values) => ({ rows: (await client.query(text, [...values])).rows }),
        });
      }
      for (const { marksName } of listeners) {
        // Below the first offset, and where no mark ever was: a consumer elsewhere that is in the middle of a batch must find its marks moved,
        // those at the beginning too, or it would take for handled what it skipped by an id that is forgotten here.
        await client.query("UPDATE marks SET next_offset = -2 - pg_current_xact_id()::text::bigint WHERE topic = $1", [
          marksName,
        ]);
        await client.query("DELETE FROM seen WHERE topic = $1", [marksName]);
      }
    });
  }
}
