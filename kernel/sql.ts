import { Socket } from "node:net";
import type { CompiledQuery } from "kysely";
import {
  type DatabaseConnection,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import pg from "pg";
import { problem } from "./errors.ts";
import { NONE_KEPT, type Statements } from "./prepared.ts";

// Counters and byte sizes fit a double; PostgreSQL's int8 would otherwise arrive as text.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

export type Pool = pg.Pool;
export type PoolClient = pg.PoolClient;

export interface PoolOptions {
  readonly url: string;
  readonly connectionsMax: number;
  readonly onError: (error: Error) => void;
}

/** One pool a process. Statements and idle transactions are bounded, so that nobody holds the outbox's horizon back for long. */
export function openPool({ url, connectionsMax, onError }: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: 15_000,
    idle_in_transaction_session_timeout: 20_000,
    // Statements go out without waiting for the answers of earlier ones.
    pipeline: true,
    application_name: "marquee",
    stream: openGatheringSocket,
  });
  pool.on("error", onError);
  return pool;
}

/**
 * Sends what is written in one turn of the event loop by one system call, which is the dearest part of a short statement: BEGIN and the first
 * statements of a transaction go out together.
 */
function openGatheringSocket(): Socket {
  const socket = new Socket();
  const write = socket.write.bind(socket) as (...written: unknown[]) => boolean;
  let isGathering = false;
  socket.write = (...written: unknown[]): boolean => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      process.nextTick(() => {
        isGathering = false;
        socket.uncork();
      });
    }
    return write(...written);
  };
  return socket;
}

/** Sends a statement; what the service says often is sent by name. */
export const execute = <R extends pg.QueryResultRow>(
  client: PoolClient,
  statements: Statements,
  text: string,
  values: readonly unknown[],
): Promise<pg.QueryResult<R>> => {
  const name = statements.nameOf(text);
  return client.query<R>({ text, values: [...values], ...(name === undefined ? {} : { name }) });
};

const builders = new WeakMap<PoolClient, WeakMap<Statements, Kysely<unknown>>>();

/** Kysely for a service on one checked-out connection: transactions are the kernel's business, so the driver has none. */
export function queryBuilder(client: PoolClient, statements = NONE_KEPT): Kysely<unknown> {
  const own = builders.get(client) ?? new WeakMap<Statements, Kysely<unknown>>();
  builders.set(client, own);
  const known = own.get(statements);
  if (known) return known;
  const connection: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      const { rows, rowCount } = (await execute(client, statements, sql, parameters)) as pg.QueryResult & {
        rows: R[];
      };
      return { rows, numAffectedRows: BigInt(rowCount ?? 0) };
    },
    async *streamQuery() {
      throw new Error("results are bounded: use limits instead of streams");
    },
  };
  const none = async (): Promise<void> => {};
  const made = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => ({
        init: none,
        acquireConnection: async () => connection,
        beginTransaction: none,
        commitTransaction: none,
        rollbackTransaction: none,
        releaseConnection: none,
        destroy: none,
      }),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  own.set(statements, made);
  return made;
}

const IDENTIFIER = /^[a-z][a-z0-9_]{0,40}$/;

/** Quotes a name that our own code chose. Anything that is not a plain lower-case name is a bug. */
export function identifier(name: string): string {
  if (!IDENTIFIER.test(name)) throw new Error(`'${name}' is not a plain SQL name`);
  return `"${name}"`;
}

/**
 * Runs `work` in a transaction that `setup` prepares (role, tenant, path), all in one round trip; `last` is a statement that goes along with the
 * commit. Whatever goes wrong, the connection goes back without an open transaction, or not at all.
 */
export async function inTransaction<T>(
  pool: Pool,
  setup: string,
  work: (client: PoolClient) => Promise<T>,
  last: (client: PoolClient) => Promise<unknown> | undefined = () => undefined,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // The pool listens only to connections that nobody holds; one that breaks between two statements must not end the process.
  const onBroken = (error: Error): void => {
    broken = error;
  };
  client.on("error", onBroken);
  // The first statement goes along with BEGIN. Should a setting fail, the transaction is spoilt and PostgreSQL refuses what follows.
  const begun = client.query(`BEGIN; ${setup}`);
  begun.catch(() => undefined);
  try {
    const result = await work(client).catch(async (error: unknown) => {
      await begun;
      throw error;
    });
    await begun;
    const closing = last(client);
    closing?.catch(() => undefined);
    const committing = client.query("COMMIT");
    committing.catch(() => undefined);
    await closing;
    const { command } = await committing;
    // PostgreSQL answers a COMMIT after a failed statement with a quiet ROLLBACK.
    if (command !== "COMMIT")
      throw problem.internal("a transaction failed, but its work went on as if nothing had happened");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((rollback: Error) => {
      broken = rollback;
    });
    throw error;
  } finally {
    client.off("error", onBroken);
    client.release(broken);
  }
}
