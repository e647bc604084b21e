import { problem } from "#kernel/errors";
import type { AnalyticsColumn, AnalyticsTable } from "#kernel/ports/analytics";

/** The last batches that a table remembers; one that comes again after so many others would be written twice. */
const BATCHES_REMEMBERED = 10_000;

const TYPES: Readonly<Record<AnalyticsColumn, string>> = {
  string: "String",
  word: "LowCardinality(String)",
  float: "Float64",
  int: "Int64",
  flag: "Bool",
  timeMs: "DateTime64(3, 'UTC')",
};

/** A text in ClickHouse's SQL. */
export const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

const definition = ([name, type]: readonly [string, AnalyticsColumn]): string => `${name} ${TYPES[type]}`;
const ttlOf = ({ time, retentionDays }: AnalyticsTable): string =>
  `toDateTime(${time}) + toIntervalDay(${retentionDays})`;

/**
 * Parts hold one day, so that what outlived its time is dropped as a whole and never rewritten. `fsync_*`: an insert that was
 * acknowledged is on the disk.
 */
export const createTable = (table: AnalyticsTable): string =>
  `CREATE TABLE IF NOT EXISTS ${table.name} (${["tenant LowCardinality(String)", ...Object.entries(table.columns).map(definition)].join(", ")})
ENGINE = MergeTree PARTITION BY toDate(${table.time}) ORDER BY (${["tenant", ...table.orderBy].join(", ")})
TTL ${ttlOf(table)}
SETTINGS ttl_only_drop_parts = 1, fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = ${BATCHES_REMEMBERED}`;

/** What brings a table that is there to its declaration, by its columns as `system.columns` has them. */
export function alterTable(table: AnalyticsTable, known: ReadonlyMap<string, string>): string[] {
  const statements: string[] = [];
  for (const [name, type] of Object.entries(table.columns)) {
    const is = known.get(name);
    if (is === undefined)
      statements.push(`ALTER TABLE ${table.name} ADD COLUMN IF NOT EXISTS ${definition([name, type])}`);
    else if (is !== TYPES[type])
      throw problem.precondition(
        `column '${name}' of the table '${table.name}' is ${is} and should be ${TYPES[type]}: give the new column another name`,
      );
  }
  return statements;
}

/** Settings stand in the statement itself: a session's settings would be shared by whoever asks at the same time. */
export const insertInto = (table: AnalyticsTable, token: string): string =>
  `INSERT INTO ${table.name} (${["tenant", ...Object.keys(table.columns)].join(", ")}) SETTINGS ${[
    `insert_deduplicate = 1`,
    `insert_deduplication_token = ${quoted(token)}`,
    `async_insert = 0`,
    `input_format_skip_unknown_fields = 0`,
  ].join(", ")} FORMAT JSONEachRow`;

/** The one place where tenants are kept apart: the engine adds the condition to every table that a query reads, at whatever depth. */
export function selectFor(
  text: string,
  of: {
    readonly tenant: string;
    readonly tables: Iterable<string>;
    readonly rowsMax: number;
    readonly deadlineMs: number;
  },
): string {
  const own = quoted(`tenant = ${quoted(of.tenant)}`);
  return `${text}
FORMAT JSONEachRow
SETTINGS ${[
    `additional_table_filters = {${[...of.tables].map((table) => `${quoted(table)}: ${own}`).join(", ")}}`,
    `max_result_rows = ${of.rowsMax}`,
    `result_overflow_mode = 'throw'`,
    // Whole seconds on older servers; the client itself stops waiting at the exact time.
    `max_execution_time = ${Math.max(1, Math.ceil(of.deadlineMs / 1_000))}`,
    `max_memory_usage = ${MEMORY_BYTES_MAX}`,
    `output_format_json_quote_64bit_integers = 0`,
  ].join(", ")}`;
}
const MEMORY_BYTES_MAX = 1_000_000_000;

/** Rewrites the parts that hold such rows, and waits for it. */
export const eraseFrom = (table: AnalyticsTable): string =>
  `ALTER TABLE ${table.name} DELETE WHERE tenant = {tenant:String} AND ${table.person} = {person:String} SETTINGS mutations_sync = 2`;
