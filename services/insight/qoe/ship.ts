import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import { newId, problem, systemContext, type Tx } from "#kernel";
import type { AnalyticsTable, AnalyticsValue } from "#kernel/ports/analytics";
import { beatsTable, scoresTable } from "./figures.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

/**
 * The way of rows into the analytics store, in two steps. A handler stages them in the transaction that commits its marks, so that they are
 * there once for each event, however often it is delivered. The shipper sends fixed sets of batches under a name that the store remembers, and
 * deletes them when they are acknowledged: sent twice, they are there once.
 *
 * Offsets would be no names: after a failure the consumer delivers the same records in other batches.
 */

/** A batch has at most what a consumer hands over at once; a shipment stays below what the store takes. */
const BATCHES_MAX = 40;
/** A store that is away for so long makes consumers wait; the log keeps what they have not read. */
const STAGED_MAX = 4_000;
const ERASE_MAX = 100;
const DAY_MS = 86_400_000;

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);
type Rows = readonly Readonly<Record<string, AnalyticsValue>>[];

/** What a shipper knows of its tenants. It is rebuilt by looking, so losing it costs a look. */
export interface Docket {
  /** Tenants with rows on their way. */
  readonly waiting: Set<string>;
  /** Tenants whose store is so far behind that no more is staged. */
  readonly behind: Set<string>;
  /** Tenants with beats since somebody looked at their figures. */
  readonly active: Set<string>;
  /** Tenants with people to be forgotten. */
  readonly forgetting: Set<string>;
}

export const openDocket = (): Docket => ({
  waiting: new Set(),
  behind: new Set(),
  active: new Set(),
  forgetting: new Set(),
});

export function assertRoom(parts: Parts, tenant: string): void {
  if (parts.docket.behind.has(tenant))
    throw problem.unavailable(`${STAGED_MAX} batches wait for the analytics store: is it away?`, { reason: "behind" });
}

export async function stage(parts: Parts, tx: Tx, table: AnalyticsTable, rows: Rows): Promise<void> {
  if (rows.length === 0) return;
  const packed = await deflate(JSON.stringify(rows), { level: 1 });
  await store.stage(tx, { batch_id: newId("bat", parts.clock.nowMs()), target: table.name, rows: packed });
  parts.docket.waiting.add(tx.tenant);
}

/** Sends what waits, of every tenant that has something; `all` looks for what others or an earlier process left. */
export async function ship(parts: Parts, signal: AbortSignal, all: boolean): Promise<void> {
  const tenants = all ? await tenantsOf(parts, signal) : [...parts.docket.waiting];
  for (const tenant of tenants) {
    parts.docket.waiting.delete(tenant);
    try {
      while (!signal.aborted && (await shipOne(parts, tenant)));
      parts.docket.behind.delete(tenant);
    } catch (error) {
      parts.docket.waiting.add(tenant);
      const staged = await parts.db.tx({ tenant }, (tx) => store.countStaged(tx));
      if (staged >= STAGED_MAX) parts.docket.behind.add(tenant);
      throw error;
    }
  }
}

/** One shipment; false when there was none. */
async function shipOne(parts: Parts, tenant: string): Promise<boolean> {
  const name = newId("shp", parts.clock.nowMs());
  const batches = await parts.db.tx({ tenant }, (tx) => store.shipment(tx, name, BATCHES_MAX));
  const [first] = batches;
  if (!first?.shipment) return false;
  const rows = await Promise.all(
    batches.map(async ({ rows: packed }) => JSON.parse((await inflate(packed)).toString()) as Rows),
  );
  await parts.analytics.insert({ tenant, table: first.target, batch: first.shipment, rows: rows.flat() });
  const { shipment } = first;
  await parts.db.tx({ tenant }, (tx) => store.dropShipment(tx, shipment));
  parts.gauges.shipped(rows.flat().length);
  return true;
}

/** Erases the rows of people who are gone: after everything that was staged before, and again a day later. */
export async function erase(parts: Parts, signal: AbortSignal, all: boolean): Promise<void> {
  const tenants = all ? await tenantsOf(parts, signal) : [...parts.docket.forgetting];
  for (const tenant of tenants) {
    const lastBeforeMs = parts.clock.nowMs() - DAY_MS;
    const people = await parts.db.tx({ tenant }, (tx) => store.toErase(tx, lastBeforeMs, ERASE_MAX));
    if (people.length > 0) while (await shipOne(parts, tenant));
    for (const { userId, isLast } of people) {
      if (signal.aborted) return;
      for (const table of [beatsTable, scoresTable])
        await parts.analytics.erase({ tenant, table: table.name, person: userId });
      await parts.db.tx({ tenant }, (tx) => store.markErased(tx, userId, isLast));
    }
    if (people.length < ERASE_MAX) parts.docket.forgetting.delete(tenant);
  }
}

export async function tenantsOf(parts: Parts, signal: AbortSignal): Promise<readonly string[]> {
  const context = systemContext("system", "qoe", { signal, clock: parts.clock });
  const { tenants } = await parts.call.tenant.list({}, context);
  return tenants.map(({ id }) => id);
}
