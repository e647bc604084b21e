import type { Kysely } from "kysely";
import { openBatch } from "./batch.ts";
import { assertTenant } from "./context.ts";
import type { Contract, EventName, EventPayload } from "./contract.ts";
import { Problem, toProblem } from "./errors.ts";
import type { EventWriter, OutboxRow } from "./events.ts";
import { roleOf } from "./migrate.ts";
import type { SqlExecutor } from "./ports/jobs.ts";
import { NONE_KEPT, openStatements } from "./prepared.ts";
import { execute, identifier, inTransaction, type Pool, type PoolClient, queryBuilder } from "./sql.ts";

/** A transaction of one service for one tenant. Rows of other tenants do not exist in it. */
export interface Tx<C extends Contract = Contract> extends SqlExecutor {
  readonly tenant: string;
  /** Kysely without tables: a store adds its own with `withTables`. */
  readonly q: Kysely<unknown>;
  /** Announces a state change. The event is committed with the transaction's rows, or not at all. */
  emit<K extends EventName<C>>(event: K, payload: EventPayload<C, K>): void;
  /**
   * Runs `work` when the rows are committed and before `Db.tx` resolves: for dropping copies of what the rows said, which done any sooner would let
   * a reader copy the old rows again. Its rejection changes nothing any more and goes unheard.
   */
  afterCommit(work: () => Promise<unknown>): void;
}

export interface TxOptions {
  /**
   * Answers before the commit is on the disk: a crash of the database may lose the last half second, whole transactions at a time. For rows that
   * say the same again soon, such as signs of life, whose durable truth is elsewhere.
   */
  readonly isRelaxed?: boolean;
}

export interface Db<C extends Contract = Contract> {
  /**
   * Runs `work` in a transaction and commits it together with what it emitted. Serialisation failures and deadlocks are tried
   * again, so `work` must have no effect besides the transaction.
   */
  tx<T>(of: { readonly tenant: string }, work: (tx: Tx<C>) => Promise<T>, options?: TxOptions): Promise<T>;
  /**
   * Runs a short read. Reads of a tenant that come while others are under way share one transaction, so that in a crowd each costs its own
   * statements and little else; a slow one would hold up its neighbours. PostgreSQL refuses what it writes, and nothing is announced. What fails
   * for a reason that goes away is read again.
   */
  read<T>(of: { readonly tenant: string }, work: (tx: Tx<C>) => Promise<T>): Promise<T>;
  ping(): Promise<void>;
}

const TRIES_MAX = 3;
const RELAXED = "; SET LOCAL synchronous_commit TO off";
const READ_ONLY = "; SET TRANSACTION READ ONLY";
const READS_AT_ONCE_MAX = 100;
const READS_WAITING_MAX = 10_000;
/** What statements are told after the one that failed. */
const IN_FAILED_TRANSACTION = "25P02";
const RETRYABLE = new Set(["40001", "40P01"]);

export interface DbOptions {
  readonly pool: Pool;
  readonly service: string;
  readonly writer: EventWriter;
  /** Told after a commit that left events in the outbox. */
  readonly onEmitted: (count: number) => void;
}

export function openDb<C extends Contract>({ pool, service, writer, onEmitted }: DbOptions): Db<C> {
  const setup = `SET LOCAL ROLE ${identifier(roleOf(service))}; SET LOCAL search_path TO ${identifier(service)}, public; SET LOCAL marquee.tenant TO `;

  const statements = openStatements(service);
  const isRetryable = (error: unknown): boolean => statements.isStale(error) || RETRYABLE.has(codeOf(error));

  async function retried<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!isRetryable(error) || attempt >= TRIES_MAX) throw error;
      }
    }
  }

  async function once<T>(tenant: string, work: (tx: Tx<C>) => Promise<T>, isRelaxed: boolean): Promise<T> {
    const outbox: OutboxRow[] = [];
    const followUps: (() => Promise<unknown>)[] = [];
    // The tenant was asserted to be a plain word, so it needs no escaping.
    const result = await inTransaction(
      pool,
      `${setup}'${tenant}'${isRelaxed ? RELAXED : ""}`,
      (client) =>
        work({
          tenant,
          q: queryBuilder(client, statements),
          emit: (event, payload) => outbox.push(writer.encode(service, event, payload, tenant)),
          afterCommit: (followUp) => void followUps.push(followUp),
          executeSql: async (text, values) => ({ rows: (await execute(client, statements, text, values)).rows }),
        }),
      (client) => (outbox.length > 0 ? insertOutbox(client, outbox, statements) : undefined),
    );
    if (outbox.length > 0) onEmitted(outbox.length);
    await Promise.allSettled(followUps.map((followUp) => followUp()));
    return result;
  }

  type Read = (tx: Tx<C>) => Promise<unknown>;
  const reads = openBatch<Read, () => unknown>({
    itemsMax: READS_AT_ONCE_MAX,
    waitingMax: READS_WAITING_MAX,
    run: (tenant, works) => retried(() => together(tenant, works)),
  });

  const together = (tenant: string, works: readonly Read[]): Promise<(() => unknown)[]> =>
    inTransaction(pool, `${setup}'${tenant}'${READ_ONLY}`, async (client) => {
      const tx: Tx<C> = {
        tenant,
        q: queryBuilder(client, statements),
        emit: () => fail("a read announces nothing"),
        afterCommit: () => fail("a read commits nothing"),
        executeSql: async (text, values) => ({ rows: (await execute(client, statements, text, values)).rows }),
      };
      const settled = await Promise.allSettled(works.map((work) => work(tx)));
      const faults = settled.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
      // A statement that failed has spoilt the transaction for all who share it; a service's own refusal has not.
      const spoilt = faults.filter((fault) => !(fault instanceof Problem));
      if (spoilt.length > 0) throw spoilt.find((fault) => codeOf(fault) !== IN_FAILED_TRANSACTION) ?? spoilt[0];
      return settled.map((one) => () => (one.status === "fulfilled" ? one.value : fail(one.reason)));
    });

  return {
    read: async <T>(of: { readonly tenant: string }, work: (tx: Tx<C>) => Promise<T>) =>
      (await reads(assertTenant(of.tenant), work))() as T,
    tx: async (of, work, { isRelaxed = false } = {}) => {
      const tenant = assertTenant(of.tenant);
      return retried(() => once(tenant, work, isRelaxed));
    },
    async ping() {
      await pool.query("SELECT 1").catch((error: unknown) => {
        throw toProblem(error);
      });
    },
  };
}

/** PostgreSQL's code of what went wrong; empty where it was not PostgreSQL. */
const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? "");

function fail(why: unknown): never {
  throw why instanceof Error ? why : new Error(String(why));
}

/** Announces what is committed with the transaction; its search path is the service's. */
export async function insertOutbox(
  client: PoolClient,
  rows: readonly OutboxRow[],
  statements = NONE_KEPT,
): Promise<void> {
  await execute(
    client,
    statements,
    `INSERT INTO outbox (event_id, topic, key, headers, value)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::bytea[])`,
    [
      rows.map((row) => row.eventId),
      rows.map((row) => row.topic),
      rows.map((row) => row.key),
      rows.map((row) => JSON.stringify(row.headers)),
      rows.map((row) => row.value),
    ],
  );
}

/** Whether a rejection is PostgreSQL's unique violation, for stores that turn it into `already_exists`. */
export const isUniqueViolation = (error: unknown): boolean => codeOf(error) === "23505";
