import { problem } from "#kernel/errors";
import {
  addColumns,
  type Field,
  type NewColumn,
  type Partition,
  type PartitionSpec,
  partitionOf,
  type Schema,
  schemaOf,
  type TableMetadata,
} from "#media/iceberg";

/** The one table of the bronze layer: events as they were received (ARCH-001 section 4, "Data Lake Layers"). */
export const EVENTS = "bronze.events";

const DAY_MS = 86_400_000;
export const RETENTION_DAYS = 90;

/** How much of a table's past can be read. */
export const HISTORY_MS = 3_600_000;
export const SNAPSHOTS_MAX = 100;
export const METADATA_FILES_MAX = 20;
/** Who began to read when a file was still reachable has so long to finish. */
export const READERS_MS = 900_000;
/** What is written and not committed after so long is left behind. */
export const DRAFTS_MS = 3_600_000;
/** Requests of erasure are remembered for longer than any topic of the event log keeps its records. */
export const ERASURES_MS = 35 * DAY_MS;

const CREATED: Schema = {
  type: "struct",
  "schema-id": 0,
  fields: [
    { id: 1, name: "event_id", required: true, type: "string", doc: "The event's own id (CloudEvents id)" },
    { id: 2, name: "event_type", required: true, type: "string", doc: "Its dotted name" },
    { id: 3, name: "time", required: true, type: "timestamptz", doc: "When it happened, as its producer says" },
    { id: 4, name: "tenant", required: true, type: "string", doc: "Whose it is" },
    { id: 5, name: "source", required: true, type: "string", doc: "Who emitted it" },
    { id: 6, name: "topic", required: true, type: "string", doc: "Where it lay in the log" },
    { id: 7, name: "log_partition", required: true, type: "int" },
    { id: 8, name: "log_offset", required: true, type: "long" },
    { id: 9, name: "key", required: true, type: "string", doc: "What it is about; keeps order" },
    { id: 10, name: "logged_at", required: true, type: "timestamptz", doc: "When the log took it" },
    { id: 11, name: "schema_id", required: false, type: "int", doc: "Of the value, in the schema registry" },
    { id: 12, name: "value", required: true, type: "binary", doc: "As it was received, the schema's id included" },
    { id: 13, name: "data", required: false, type: "string", doc: "The value as JSON, as the collector read it" },
    {
      id: 14,
      name: "headers",
      required: true,
      doc: "The headers that have no column",
      type: { type: "map", "key-id": 15, key: "string", "value-id": 16, value: "string", "value-required": true },
    },
  ] satisfies Field[],
};
/** Columns that came later; tables of earlier releases get them with their next commit. Only ever add to this list. */
const ADDED: readonly NewColumn[] = [];

const TIME_ID = 3;
const SPEC: PartitionSpec = {
  "spec-id": 0,
  fields: [
    { "source-id": TIME_ID, "field-id": 1000, name: "time_day", transform: "day" },
    { "source-id": 2, "field-id": 1001, name: "event_type", transform: "identity" },
  ],
};

export const newTable = { schema: CREATED, spec: SPEC };

/** The table with the columns of this release; one of a later release has them and more. */
export function withColumns(table: TableMetadata, nowMs: number, added: readonly NewColumn[] = ADDED): TableMetadata {
  const names = new Set(schemaOf(table).fields.map(({ name }) => name));
  return addColumns(
    table,
    added.filter(({ name }) => !names.has(name)),
    nowMs,
  );
}

export interface EventRow {
  readonly event_id: string;
  readonly event_type: string;
  readonly time: number;
  readonly tenant: string;
  readonly source: string;
  readonly topic: string;
  readonly log_partition: number;
  readonly log_offset: number;
  readonly key: string;
  readonly logged_at: number;
  readonly schema_id: number | null;
  readonly value: Buffer;
  readonly data: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** An event of the log, as the kernel's sink has it. */
export interface LoggedEvent {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly source: string;
  readonly timeMs: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly loggedMs: number;
  readonly value: Uint8Array;
  readonly data: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

export function toRow(event: LoggedEvent): EventRow {
  const value = Buffer.from(event.value.buffer, event.value.byteOffset, event.value.byteLength);
  return {
    event_id: event.id,
    event_type: event.name || "unknown",
    time: Math.round(event.timeMs * 1_000),
    tenant: event.tenant,
    source: event.source,
    topic: event.topic,
    log_partition: event.partition,
    log_offset: event.offset,
    key: event.key,
    logged_at: Math.round(event.loggedMs * 1_000),
    schema_id: value.length >= 5 && value[0] === 0 ? value.readInt32BE(1) : null,
    value,
    data: event.data === undefined ? null : JSON.stringify(event.data),
    headers: event.headers,
  };
}

export interface Group {
  readonly partition: Partition;
  readonly rows: EventRow[];
}

/** Puts rows into the groups of their partitions, by name; those of one stay in their order. */
export function addRows(groups: Map<string, Group>, rows: readonly EventRow[]): void {
  for (const row of rows) {
    const partition = partitionOf({ time: row.time, event_type: row.event_type }, SPEC, CREATED);
    const name = partition.join("/");
    const known = groups.get(name);
    if (known) known.rows.push(row);
    else groups.set(name, { partition, rows: [row] });
  }
}

/** What a manifest says of a file's times. */
export const boundsOf = (lower: number, upper: number): Readonly<Record<number, { lower: number; upper: number }>> => ({
  [TIME_ID]: { lower, upper },
});

/** The first day, since the epoch, that is kept: whole partitions go, when even their last moment is too old. */
export const firstDayKept = (nowMs: number): number => Math.floor(nowMs / DAY_MS) - RETENTION_DAYS;

export interface Small {
  readonly path: string;
  readonly partition: Partition;
  readonly sizeBytes: number;
}

/** A partition has at most so many files that a reader opens for little. */
const SMALL_FILES_MAX = 32;
const SMALL_BYTES = 16 * 1024 * 1024;
/** What becomes one file at once. */
const MERGED_BYTES_MAX = 32 * 1024 * 1024;
const MERGED_FILES_MAX = 256;

/** Lists of files that had better be one, each of one partition. */
export function toCompact<F extends Small>(files: readonly F[], smallMax: number = SMALL_FILES_MAX): F[][] {
  const small = files.filter(({ sizeBytes }) => sizeBytes < SMALL_BYTES);
  const groups = Map.groupBy(small, ({ partition }) => partition.join("/"));
  return [...groups.values()]
    .filter((group) => group.length > smallMax)
    .map((group) => {
      let bytes = 0;
      return group.slice(0, MERGED_FILES_MAX).filter(({ sizeBytes }) => (bytes += sizeBytes) <= MERGED_BYTES_MAX);
    });
}

export type Mentions = (row: Pick<EventRow, "key" | "value" | "data" | "headers">) => boolean;

/** The shortest id that is looked for: a shorter text would be found in what has nothing to do with a person. */
const ID_CHARS_MIN = 8;

/**
 * Whether a row names one of these people, in its key or anywhere in its value, also where nobody can decode it. Ids are looked up by
 * their first letters, so that ten thousand cost as little as one.
 */
export function mentionsOf(userIds: readonly string[]): Mentions {
  const byBeginning = new Map<string, { beginning: string; length: number; ids: Set<string> }>();
  for (const userId of userIds) {
    if (userId.length < ID_CHARS_MIN)
      throw problem.invalid(`'${userId}' is too short for the id of a person: at least ${ID_CHARS_MIN} characters`);
    const id = bytesOf(userId);
    const beginning = id.slice(0, 4);
    const name = `${beginning}/${id.length}`;
    const known = byBeginning.get(name) ?? { beginning, length: id.length, ids: new Set() };
    byBeginning.set(name, known);
    known.ids.add(id);
  }
  const groups = [...byBeginning.values()];
  const isIn = (text: string): boolean =>
    groups.some(({ beginning, length, ids }) => {
      for (let at = text.indexOf(beginning); at >= 0; at = text.indexOf(beginning, at + 1))
        if (ids.has(text.slice(at, at + length))) return true;
      return false;
    });
  if (groups.length === 0) return () => false;
  return ({ key, value, data, headers }) =>
    isIn(value.toString("latin1")) ||
    isIn(bytesOf(key)) ||
    isIn(bytesOf(data ?? "")) ||
    Object.values(headers).some((header) => isIn(bytesOf(header)));
}

/** Text as its UTF-8 bytes, one a character, to compare it with values that are bytes. */
const bytesOf = (text: string): string => Buffer.from(text).toString("latin1");

/** Where a table's objects are. The layout is flat, because partitions are in the manifests. */
export const folderOf = (tenant: string): string => `lake/${tenant}/bronze/events`;
export const dataKey = (tenant: string, name: string): string => `${folderOf(tenant)}/data/${name}`;
export const metadataKey = (tenant: string, name: string): string => `${folderOf(tenant)}/metadata/${name}`;
/** The last part of a path that manifests and metadata name files by: what is before it changes when a bucket moves. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
