import type { Stateful } from "./state.ts";

/**
 * The analytics port: a columnar store for many small rows that are read as figures of many. ClickHouse's SQL is the port's language, as
 * PostgreSQL's is that of the relational port. Every table has a column `tenant`, which the adapter writes and filters by: a query sees rows of
 * its tenant alone, whether it says so or not. When the engine is away, calls reject `unavailable`.
 */
export interface Analytics extends Stateful {
  /**
   * Says which tables there are; they exist before the first call that names them. A new column is added to a table that is there; a
   * column of another type rejects that call. No engine is started by this.
   */
  declare(tables: readonly AnalyticsTable[]): void;
  /**
   * Writes all rows, or none. A batch that was written before is skipped, so whoever does not know whether a call arrived repeats it with
   * the same rows. The engine remembers the last 10,000 batches of a table.
   */
  insert(batch: AnalyticsBatch): Promise<void>;
  /** The rows of one SELECT. Rejects `resource_exhausted` where there are more than `rowsMax`, `deadline_exceeded` where it takes too long. */
  query(query: AnalyticsQuery): Promise<readonly AnalyticsRow[]>;
  /** Deletes a person's rows for good; they are off the disk, and not only hidden, within minutes after it resolves. */
  erase(of: { readonly tenant: string; readonly table: string; readonly person: string }): Promise<void>;
  close(): Promise<void>;
}

/** `word` is text with few different values; `timeMs` is written in milliseconds since the epoch and read by `toUnixTimestamp64Milli`. */
export type AnalyticsColumn = "string" | "word" | "float" | "int" | "flag" | "timeMs";

export interface AnalyticsTable {
  /** One lower-case word, parts of it joined by `_`, beginning with the service's name. */
  readonly name: string;
  /** Without `tenant`. */
  readonly columns: Readonly<Record<string, AnalyticsColumn>>;
  /** A column of the type `timeMs`: rows are kept by day, and dropped so long after it. */
  readonly time: string;
  readonly retentionDays: number;
  /** What rows are sorted by, after the tenant. Queries that name the first of them are fast. */
  readonly orderBy: readonly string[];
  /** The column that says whose row it is; `erase` goes by it. */
  readonly person?: string;
}

export type AnalyticsRow = Readonly<Record<string, unknown>>;
export type AnalyticsValue = string | number | boolean;

export interface AnalyticsBatch {
  readonly tenant: string;
  readonly table: string;
  /** Names this batch, in this table and tenant, for ever. The same name means the same rows. */
  readonly batch: string;
  /** At most 50,000, each with every column. */
  readonly rows: readonly Readonly<Record<string, AnalyticsValue>>[];
}

export interface AnalyticsQuery {
  readonly tenant: string;
  /** One SELECT of declared tables, its parameters written as `{name:Type}`. */
  readonly text: string;
  readonly params?: Readonly<Record<string, string | number>>;
  readonly rowsMax: number;
  /** 10 s unless said otherwise. */
  readonly deadlineMs?: number;
}
