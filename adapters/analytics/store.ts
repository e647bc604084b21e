import type { ClickHouseClient } from "@clickhouse/client";
import { problem } from "#kernel/errors";
import type { Analytics, AnalyticsRow, AnalyticsTable } from "#kernel/ports/analytics";
import type { AdapterState } from "#kernel/ports/state";
import { checkBatch, checkQuery, checkTable, checkTenant } from "./checks.ts";
import { describe } from "./faults.ts";
import { alterTable, createTable, eraseFrom, insertInto, selectFor } from "./statements.ts";

/** An engine that speaks ClickHouse's HTTP protocol, wherever it runs. */
export interface Engine {
  /** For messages. */
  readonly at: string;
  /** Lends a client for the time of the work; rejects `unavailable` when the engine cannot be had. */
  use<T>(work: (client: ClickHouseClient) => Promise<T>): Promise<T>;
  state(): Promise<AdapterState>;
  close(): Promise<void>;
}

const DEADLINE_MS = 10_000;
/** Creating tables and erasing rewrite files. */
const LONG_MS = 60_000;

/** The port on an engine: checks, statements and errors, the same for every engine. */
export function createAnalytics(engine: Engine): Analytics {
  const declared = new Map<string, AnalyticsTable>();
  /** Tables that are as declared, or are being made so. */
  const made = new Map<AnalyticsTable, Promise<void>>();
  let isClosed = false;

  /** Every call goes through here: it ends in time, and its errors are Problems. */
  async function run<T>(
    deadlineMs: number,
    work: (client: ClickHouseClient, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (isClosed) throw problem.unavailable("the analytics store is closed");
    const signal = AbortSignal.timeout(deadlineMs);
    try {
      return await engine.use((client) => work(client, signal));
    } catch (error) {
      throw describe(engine.at, error, signal.aborted, deadlineMs);
    }
  }

  function tableOf(name: string): AnalyticsTable {
    const table = declared.get(name);
    if (!table) throw problem.invalid(`table '${name.slice(0, 80)}' is not declared`);
    return table;
  }

  /** Makes what is not made yet; a failure is tried again with the next call. */
  async function ensure(tables: Iterable<AnalyticsTable>): Promise<void> {
    for (const table of tables) {
      const making = made.get(table) ?? make(table);
      made.set(table, making);
      await making.catch((error: unknown) => {
        made.delete(table);
        throw error;
      });
    }
  }

  async function make(table: AnalyticsTable): Promise<void> {
    const known = await run(LONG_MS, async (client, abort_signal) => {
      await client.command({ query: createTable(table), abort_signal });
      const found = await client.query({
        query: "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}",
        query_params: { table: table.name },
        format: "JSONEachRow",
        abort_signal,
      });
      return found.json<{ name: string; type: string }>();
    });
    for (const query of alterTable(table, new Map(known.map(({ name, type }) => [name, type]))))
      await run(LONG_MS, (client, abort_signal) => client.command({ query, abort_signal }));
  }

  return {
    declare(tables) {
      for (const table of tables) {
        checkTable(table);
        declared.set(table.name, table);
      }
    },
    async insert(batch) {
      const table = tableOf(batch.table);
      checkBatch(table, batch);
      if (batch.rows.length === 0) return;
      await ensure([table]);
      const { tenant } = batch;
      const lines = batch.rows.map((row) => JSON.stringify({ tenant, ...row })).join("\n");
      const query = insertInto(table, `${tenant}/${batch.batch}`);
      await run(LONG_MS, async (client, abort_signal) => {
        // `exec`, because `insert` writes the statement itself and leaves no place for its settings.
        const { stream } = await client.exec({ query: `${query}\n${lines}`, abort_signal });
        stream.destroy();
      });
    },
    async query(query) {
      checkQuery(declared, query);
      await ensure(declared.values());
      const { tenant, rowsMax, deadlineMs = DEADLINE_MS, params = {} } = query;
      const text = selectFor(query.text, { tenant, tables: declared.keys(), rowsMax, deadlineMs });
      return run(deadlineMs, async (client, abort_signal) => {
        const { stream } = await client.exec({
          query: text,
          query_params: params,
          // Without it an error in the middle of a result would come with the status 200.
          clickhouse_settings: { wait_end_of_query: 1 },
          abort_signal,
        });
        let body = "";
        stream.setEncoding("utf8");
        for await (const chunk of stream) body += String(chunk);
        return rowsOf(body);
      });
    },
    async erase({ tenant, table: name, person }) {
      checkTenant(tenant);
      const table = tableOf(name);
      if (table.person === undefined) throw problem.invalid(`table '${name}' does not say whose its rows are`);
      await ensure([table]);
      await run(LONG_MS, (client, abort_signal) =>
        client.command({ query: eraseFrom(table), query_params: { tenant, person }, abort_signal }),
      );
    },
    async state() {
      return isClosed ? { ok: false, detail: `${engine.at} is closed` } : engine.state();
    },
    async close() {
      isClosed = true;
      await engine.close();
    },
  };
}

const rowsOf = (lines: string): AnalyticsRow[] =>
  lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as AnalyticsRow);
