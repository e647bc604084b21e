// Analytics: collects every event into the data lake, as it was received, in Iceberg tables that other engines read where they lie.
import { Analytics } from "#contracts/analytics";
import { Tenant } from "#contracts/tenant";
import { User, type UserDeleted } from "#contracts/user";
import { defineService, on, type Platform, problem, type Received, systemContext, type Tx } from "#kernel";
import { mentionsOf } from "./domain.ts";
import { compact, erase, expire, keepEvents, retain, sweep } from "./keep.ts";
import { load, type LakePlatform } from "./lake.ts";
import * as store from "./store.ts";
import { readEvents } from "./read.ts";
import { toColumn, toSnapshot, toTable, toTransform } from "./messages.ts";

const uses = { tenant: Tenant };
export type AnalyticsPlatform = Platform<typeof Analytics, typeof uses>;
export type Parts = LakePlatform & Pick<AnalyticsPlatform, "call" | "cache">;

const MINUTE_MS = 60_000;
/** Files of less than a minute are mostly overhead, and nobody reads the bronze layer for what happens now. */
const KEEP_EVERY_MS = MINUTE_MS;
const TABLES_MAX = 100;
const SNAPSHOTS_DEFAULT = 20;
const SNAPSHOTS_MAX = 100;

export default defineService({
  contract: Analytics,
  uses,
  slo: { p99Ms: 50, availability: 0.999 },
  ai: {
    feeds: "training data of every model: all events, as they were",
    uses: "none",
    fallback: "none needed",
  },
  migrations: new URL("./migrations/", import.meta.url),

  start: ({ db, objects, clock, logger, metrics, call, cache }: AnalyticsPlatform): Parts => ({
    ...{ db, objects, clock, logger, metrics, call, cache },
  }),

  sink: {
    everyMs: KEEP_EVERY_MS,
    recordsMax: 50_000,
    bytesMax: 32 * 1024 * 1024,
    take: keepEvents,
  },

  on: [on(User.events.deleted)(askErasures)],

  rpc: (parts) => ({
    async listTables(_, context) {
      if (context.viewer) throw problem.denied("the data lake is not shown to viewers");
      return parts.db.tx(context, async (tx) => ({
        tables: (await store.listTables(tx, TABLES_MAX)).map((row) => toTable(row, parts.objects.uri)),
        erasuresPending: BigInt(await store.countOpenErasures(tx)),
      }));
    },
    async getTable({ name, snapshotsLimit }, context) {
      if (context.viewer) throw problem.denied("the data lake is not shown to viewers");
      const row = await parts.db.tx(context, (tx) => store.findTable(tx, name));
      if (!row)
        throw problem.notFound(`table '${name.slice(0, 80)}' does not exist: tables begin with their first event`);
      const { table, shape } = await load(parts, context.tenant);
      const limit = Math.min(snapshotsLimit || SNAPSHOTS_DEFAULT, SNAPSHOTS_MAX);
      return {
        table: toTable(row, parts.objects.uri),
        columns: shape.schema.fields.map(toColumn),
        partitionBy: shape.spec.fields.map((field) => toTransform(field, shape.schema)),
        snapshots: table.snapshots.toReversed().slice(0, limit).map(toSnapshot),
      };
    },
    readEvents: (request, context) => readEvents(parts, request, context),
  }),

  periodic: (parts) => [
    { name: "tend the lake", everyMs: MINUTE_MS, run: (signal) => tend(parts, signal, [erase, expire, sweep]) },
    { name: "tidy the lake", everyMs: 60 * MINUTE_MS, run: (signal) => tend(parts, signal, [retain, compact]) },
  ],

  ready: ({ db }) => db.ping(),
});

/** What names a deleted person is removed from the lake, and kept out of it, by `erase`. */
async function askErasures(
  { clock }: Parts,
  tx: Tx<typeof Analytics>,
  events: readonly Received<UserDeleted>[],
): Promise<void> {
  for (const { data } of events) {
    // What cannot be looked for is refused here, in the open, and not with every later batch.
    mentionsOf([data.userId]);
    await store.askErasure(tx, data.userId, clock.nowMs());
  }
}

type Work = (parts: LakePlatform, tenant: string) => Promise<unknown>;

/** Whoever dies at it is followed after so long; two at once only get in each other's way. */
const TEND_TTL_MS = 10 * MINUTE_MS;

/** Does work for each tenant, one process at a time. What fails for one must not keep the others from it. */
async function tend(parts: Parts, signal: AbortSignal, works: readonly Work[]): Promise<void> {
  const lock = await parts.cache.lock("tend", TEND_TTL_MS);
  if (!lock) return;
  try {
    const context = systemContext("system", "analytics", { signal, clock: parts.clock });
    const { tenants } = await parts.call.tenant.list({}, context);
    for (const { id: tenant } of tenants) {
      for (const work of works) {
        if (signal.aborted) return;
        await work(parts, tenant).catch((error: unknown) =>
          parts.logger.warn(`to ${work.name} the lake failed and will be tried again`, { tenant, error }),
        );
      }
    }
  } finally {
    await lock.release();
  }
}
