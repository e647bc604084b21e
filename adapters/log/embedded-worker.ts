/**
 * The log's worker: the only thread that touches the log's file. It writes every batch that it is sent in one
 * transaction and answers when that is on the disk; the sender collects what arrives meanwhile, which is the group
 * commit.
 *
 * The write-ahead log is synced here and not by SQLite (synchronous=FULL), which uses fsync on a file that grows: each
 * commit would then wait for the file system's own journal, and with it for everything that encoders write at that moment. We
 * write into blocks that are there already and sync their data alone.
 *
 * One table holds all records. Its key is `partition's number * 2^38 + offset`, which stays a whole number that
 * JavaScript holds exactly (2^15 partitions of 2^38 records), needs no second index, and makes "read on from an
 * offset" a range of the tree.
 */
import { closeSync, fdatasyncSync, fstatSync, fsyncSync, openSync, writeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { copyLog, OFFSETS_PER_PARTITION } from "./embedded-copy.ts";
import { PAGES_MAX, scrubSlice } from "./embedded-scrub.ts";
import type { PackedNew, PackedRecords, Reply, Request, TopicHeads } from "./messages.ts";

const SLOTS_MAX = 2 ** 15;
const READ_BYTES_MAX = 8 * 1024 * 1024;
const PRUNE_RECORDS_MAX = 5_000;
const ERASE_RECORDS_MAX = 2_000;
const SQLITE_FULL = 13;
/** Values of user_version. */
const CLEAN = 0;
const DIRTY = 1;
const PAGE_BYTES = 4_096;
const CHECKPOINT_PAGES = 4_000;
/** A frame of the write-ahead log is a page and 24 bytes; SQLite begins it anew after each checkpoint, so that it need not grow beyond. */
const WAL_BYTES = (CHECKPOINT_PAGES + 200) * (PAGE_BYTES + 24);

interface Partition {
  /** The partition's number across all topics: the upper part of its records' keys. */
  readonly slot: number;
  oldest: number;
  next: number;
  /** The clock may step back; a partition's timestamps may not, because `seek` searches them by halving. */
  lastMs: number;
}

interface Topic {
  readonly name: string;
  readonly id: number;
  readonly partitions: readonly Partition[];
  retentionMs: number;
}

const { path, pruneIntervalMs } = workerData as { path: string; pruneIntervalMs: number };
const port = parentPort;
if (port === null) throw new Error("this module runs as a worker");

const database = open();
let wal = openWal();
const sql = prepareAll(database);
const topics = loadTopics();
/** Whether the files may still hold what was erased from the table. It is kept in the file, because an erasure may be cut off. */
let isDirty = database.prepare("PRAGMA user_version").get()?.["user_version"] !== CLEAN;

function open(): DatabaseSync {
  const opened = new DatabaseSync(path);
  // An exclusive lock: one product at a time, and no shared-memory file beside the log.
  opened.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  opened.exec(
    `PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = 33554432`,
  );
  // What retention or an erasure deletes is overwritten with zeros; an erasure also scrubs what this does not reach.
  opened.exec(`PRAGMA secure_delete = ON; PRAGMA max_page_count = ${PAGES_MAX}`);
  opened.exec(`
    CREATE TABLE IF NOT EXISTS topics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, retention_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS partitions (
      slot INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL, last_ms INTEGER NOT NULL,
      UNIQUE (topic_id, number)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS firsts (slot INTEGER PRIMARY KEY, first INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS records (
      id INTEGER PRIMARY KEY, timestamp_ms INTEGER NOT NULL, key TEXT NOT NULL, headers TEXT NOT NULL, value BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS seen (topic_id INTEGER NOT NULL, dedupe_id TEXT NOT NULL, record_id INTEGER NOT NULL,
      PRIMARY KEY (topic_id, dedupe_id)) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS seen_records ON seen (record_id);
  `);
  return opened;
}

/** Gives the write-ahead log its blocks beforehand. What lies beyond its last frame is no frame to SQLite. */
function openWal(): number {
  const file = openSync(`${path}-wal`, "r+");
  const zeros = new Uint8Array(1024 * 1024);
  for (let at = fstatSync(file).size; at < WAL_BYTES; at += zeros.length) writeSync(file, zeros, 0, zeros.length, at);
  fsyncSync(file);
  return file;
}

function prepareAll(on: DatabaseSync) {
  const prepare = (text: string): StatementSync => on.prepare(text);
  return {
    insert: prepare("INSERT INTO records (id, timestamp_ms, key, headers, value) VALUES (?, ?, ?, ?, ?)"),
    see: prepare("INSERT INTO seen (topic_id, dedupe_id, record_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"),
    advance: prepare("UPDATE partitions SET next = ?, last_ms = ? WHERE slot = ?"),
    read: prepare(
      "SELECT id, timestamp_ms, key, headers, value FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
    ),
    oldest: prepare("SELECT id, timestamp_ms FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT 1"),
    prune: prepare("DELETE FROM records WHERE id >= ? AND id < ?"),
    erase: prepare("DELETE FROM records WHERE id = ?"),
    first: prepare("SELECT first FROM firsts WHERE slot = ?"),
    setFirst: prepare(
      "INSERT INTO firsts (slot, first) VALUES (?, ?) ON CONFLICT DO UPDATE SET first = excluded.first",
    ),
    forget: prepare("DELETE FROM seen WHERE record_id >= ? AND record_id < ?"),
    addTopic: prepare("INSERT INTO topics (name, retention_ms) VALUES (?, ?)"),
    setRetention: prepare("UPDATE topics SET retention_ms = ? WHERE id = ?"),
    addPartition: prepare("INSERT INTO partitions (slot, topic_id, number, next, last_ms) VALUES (?, ?, ?, 0, 0)"),
    slots: prepare("SELECT coalesce(max(slot) + 1, 0) AS slot FROM partitions"),
  };
}

function loadTopics(): Map<string, Topic> {
  const found = new Map<string, Topic>();
  for (const row of database.prepare("SELECT id, name, retention_ms FROM topics").all()) {
    const parts = database
      .prepare("SELECT slot, next, last_ms FROM partitions WHERE topic_id = ? ORDER BY number")
      .all(Number(row.id));
    const partitions = parts.map((part) => {
      const slot = Number(part.slot);
      const next = Number(part.next);
      const first = sql.oldest.get(slot * OFFSETS_PER_PARTITION, (slot + 1) * OFFSETS_PER_PARTITION);
      // Where something was erased, the log may begin before its oldest record: nothing else is missing.
      const noted = sql.first.get(slot)?.first;
      return {
        slot,
        next,
        lastMs: Number(part.last_ms),
        oldest: Number(noted ?? (first === undefined ? next : Number(first.id) - slot * OFFSETS_PER_PARTITION)),
      };
    });
    found.set(String(row.name), {
      name: String(row.name),
      id: Number(row.id),
      retentionMs: Number(row.retention_ms),
      partitions,
    });
  }
  return found;
}

/** Runs `work` as one transaction that is on the disk when this returns. In-memory state is changed only by what `work` returns, after the commit. */
function transact<T>(work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    fdatasyncSync(wal);
    return result;
  } catch (error) {
    // A failed COMMIT may have ended the transaction by itself.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function createTopics(request: Extract<Request, { kind: "topics" }>): readonly TopicHeads[] {
  const changed = transact(() => {
    const made: Topic[] = [];
    for (const spec of request.topics) {
      const topic = topics.get(spec.name);
      if (topic !== undefined) {
        if (topic.retentionMs !== spec.retentionMs) sql.setRetention.run(spec.retentionMs, topic.id);
        made.push({ ...topic, retentionMs: spec.retentionMs });
        continue;
      }
      const id = Number(sql.addTopic.run(spec.name, spec.retentionMs).lastInsertRowid);
      const first = Number(sql.slots.get()?.slot ?? 0);
      if (first + spec.partitions > SLOTS_MAX)
        throw new Error(`the embedded log holds at most ${SLOTS_MAX} partitions`);
      const partitions = Array.from({ length: spec.partitions }, (_, number) => {
        sql.addPartition.run(first + number, id, number);
        return { slot: first + number, oldest: 0, next: 0, lastMs: 0 };
      });
      made.push({ name: spec.name, id, partitions, retentionMs: spec.retentionMs });
    }
    return made;
  });
  for (const topic of changed) topics.set(topic.name, topic);
  return changed.map(headsOf);
}

function headsOf(topic: Topic): TopicHeads {
  return { name: topic.name, heads: topic.partitions.map((partition) => partition.next) };
}

function append(batch: PackedNew): (readonly [string, number, number])[] {
  const known = batch.topics.map((name) => {
    const topic = topics.get(name);
    if (topic === undefined) throw new Error(`the log's worker does not know the topic '${name}'`);
    return topic;
  });
  const touched = new Map<Partition, { topic: Topic; number: number; next: number; lastMs: number }>();
  const nowMs = Date.now();
  transact(() => {
    let at = 0;
    for (const [index, key] of batch.key.entries()) {
      const bytes = batch.valueBytes[index] ?? 0;
      const value = batch.values.subarray(at, at + bytes);
      at += bytes;
      const topic = known[batch.topic[index] ?? 0];
      const number = batch.partition[index] ?? 0;
      const partition = topic?.partitions[number];
      if (topic === undefined || partition === undefined)
        throw new Error(`the log's worker got a record for a partition that does not exist (${number})`);
      let end = touched.get(partition);
      if (end === undefined) {
        end = { topic, number, next: partition.next, lastMs: Math.max(partition.lastMs, nowMs) };
        touched.set(partition, end);
      }
      const id = partition.slot * OFFSETS_PER_PARTITION + end.next;
      const dedupeId = batch.dedupeId[index] ?? null;
      if (dedupeId !== null && Number(sql.see.run(topic.id, dedupeId, id).changes) === 0) continue;
      sql.insert.run(id, end.lastMs, key, batch.headers[index] ?? "{}", value);
      end.next += 1;
    }
    for (const [partition, end] of touched)
      if (end.next > partition.next) sql.advance.run(end.next, end.lastMs, partition.slot);
  });
  const heads: (readonly [string, number, number])[] = [];
  for (const [partition, end] of touched) {
    if (end.next === partition.next) continue;
    partition.next = end.next;
    partition.lastMs = end.lastMs;
    heads.push([end.topic.name, end.number, end.next]);
  }
  return heads;
}

function read(request: Extract<Request, { kind: "read" }>): PackedRecords {
  const topic = topics.get(request.topic);
  const rows: {
    partition: number;
    offset: number;
    timestampMs: number;
    key: string;
    headers: string;
    value: Uint8Array;
  }[] = [];
  let bytes = 0;
  for (const [number, offset] of request.from) {
    const partition = topic?.partitions[number];
    if (partition === undefined) continue;
    const base = partition.slot * OFFSETS_PER_PARTITION;
    for (const row of sql.read.iterate(base + offset, base + OFFSETS_PER_PARTITION, request.recordsMax - rows.length)) {
      const value = row.value instanceof Uint8Array ? row.value : new Uint8Array();
      rows.push({
        partition: number,
        offset: Number(row.id) - base,
        timestampMs: Number(row.timestamp_ms),
        key: String(row.key),
        headers: String(row.headers),
        value,
      });
      bytes += value.byteLength;
      if (bytes >= READ_BYTES_MAX) break;
    }
    if (rows.length >= request.recordsMax || bytes >= READ_BYTES_MAX) break;
  }
  const values = new Uint8Array(bytes);
  let at = 0;
  for (const row of rows) {
    values.set(row.value, at);
    at += row.value.byteLength;
  }
  return {
    partition: Uint16Array.from(rows, (row) => row.partition),
    offset: Float64Array.from(rows, (row) => row.offset),
    timestampMs: Float64Array.from(rows, (row) => row.timestampMs),
    key: rows.map((row) => row.key),
    headers: rows.map((row) => row.headers),
    valueBytes: Uint32Array.from(rows, (row) => row.value.byteLength),
    values,
  };
}

/** The first offset at or after a time, by halving: timestamps never fall within a partition. */
function seek(partition: Partition, atMs: number): number {
  let low = partition.oldest;
  let high = partition.next;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    // Where records were erased, the next one after the gap speaks for it.
    const base = partition.slot * OFFSETS_PER_PARTITION;
    const row = sql.oldest.get(base + middle, base + high);
    if (row === undefined || Number(row.timestamp_ms) >= atMs) high = middle;
    else low = Number(row.id) - base + 1;
  }
  return low;
}

/** Erases a bounded number of records; others get their turn before the next ones. */
function erase(request: Extract<Request, { kind: "erase" }>): { isDirty: boolean; next: number } {
  const partition = topics.get(request.topic)?.partitions[request.partition];
  const until = Math.min(request.until, partition?.next ?? 0);
  if (partition === undefined || request.from >= until) return { isDirty, next: request.until };
  const base = partition.slot * OFFSETS_PER_PARTITION;
  const doomed: number[] = [];
  let rows = 0;
  let next = request.until;
  for (const row of sql.read.iterate(base + request.from, base + until, ERASE_RECORDS_MAX)) {
    rows += 1;
    if (rows === ERASE_RECORDS_MAX) next = Number(row.id) - base + 1;
    const { buffer, byteOffset, byteLength } = row.value instanceof Uint8Array ? row.value : new Uint8Array();
    const value = Buffer.from(buffer, byteOffset, byteLength);
    const text = `${String(row.key)}\n${String(row.headers)}`;
    if (request.names.some((name) => text.includes(name) || value.includes(name))) doomed.push(Number(row.id));
  }
  if (doomed.length > 0) {
    transact(() => {
      for (const id of doomed) sql.erase.run(id);
      sql.setFirst.run(partition.slot, partition.oldest);
      database.exec(`PRAGMA user_version = ${DIRTY}`);
    });
    isDirty = true;
  }
  return { isDirty, next };
}

/**
 * Scrubs a bounded part of the files of what erased records left; others get their turn before the next part. Where the next one begins, or
 * undefined at the end.
 */
function scrub(from: number): number | undefined {
  // Everything into the file, and nothing in the cache, which would bring old bytes back with the next change of their page.
  database.exec("PRAGMA wal_checkpoint(PASSIVE); PRAGMA shrink_memory");
  const file = openSync(path, "r+");
  let next: number | undefined;
  try {
    next = scrubSlice(file, from, PAGE_BYTES);
  } finally {
    closeSync(file);
  }
  if (next !== undefined) return next;
  // The write-ahead log still has pages from before: it begins anew, filled with zeros.
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  closeSync(wal);
  wal = openWal();
  transact(() => database.exec(`PRAGMA user_version = ${CLEAN}`));
  isDirty = false;
  return undefined;
}

/** Deletes a bounded number of records that outlived their retention; says whether there are more. */
function prune(): boolean {
  const nowMs = Date.now();
  let budget = PRUNE_RECORDS_MAX;
  for (const topic of topics.values()) {
    for (const partition of topic.partitions) {
      if (partition.oldest >= partition.next) continue;
      const keep = seek(partition, nowMs - topic.retentionMs);
      const until = Math.min(keep, partition.oldest + budget);
      if (until <= partition.oldest) continue;
      const base = partition.slot * OFFSETS_PER_PARTITION;
      transact(() => {
        sql.prune.run(base + partition.oldest, base + until);
        sql.forget.run(base + partition.oldest, base + until);
        if (sql.first.get(partition.slot) !== undefined) sql.setFirst.run(partition.slot, until);
      });
      budget -= until - partition.oldest;
      partition.oldest = until;
      if (budget <= 0) return true;
    }
  }
  return false;
}

function schedulePrune(delayMs: number): NodeJS.Timeout {
  return setTimeout(() => {
    guard(() => {
      // Between two passes the log answers whatever waits.
      pruning = schedulePrune(prune() ? 20 : pruneIntervalMs);
    });
  }, delayMs);
}

const slotsOf = (topic: string): readonly number[] => (topics.get(topic)?.partitions ?? []).map(({ slot }) => slot);

function answer(request: Exclude<Request, { kind: "copy" }>): Reply {
  switch (request.kind) {
    case "topics":
      return { kind: "topics", id: request.id, topics: createTopics(request) };
    case "append":
      return { kind: "appended", id: request.id, heads: append(request.batch) };
    case "read":
      return { kind: "records", id: request.id, batch: read(request) };
    case "seek":
      return {
        kind: "offsets",
        id: request.id,
        offsets: topics.get(request.topic)?.partitions.map((partition) => seek(partition, request.atMs)) ?? [],
      };
    case "erase":
      return { kind: "erased", id: request.id, ...erase(request) };
    case "scrub":
      return { kind: "scrubbed", id: request.id, next: scrub(request.from) };
    case "close":
      clearTimeout(pruning);
      database.close();
      closeSync(wal);
      return { kind: "done", id: request.id };
  }
}

/** A full disk fails one request. Anything else means that we no longer know what is on the disk, so the log ends. */
function guard(work: () => void, id?: number): void {
  try {
    work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const isFull = error instanceof Error && "errcode" in error && error.errcode === SQLITE_FULL;
    if (isFull && id !== undefined) port?.postMessage({ kind: "full", id, message } satisfies Reply);
    else if (isFull) pruning = schedulePrune(pruneIntervalMs);
    else port?.postMessage({ kind: "fatal", message } satisfies Reply);
  }
}

let pruning = schedulePrune(pruneIntervalMs);

port.on("message", (request: Request) => {
  if (request.kind === "copy") {
    void copyLog(database, request, slotsOf).then((reply) => port.postMessage(reply));
    return;
  }
  guard(() => {
    const reply = answer(request);
    port.postMessage(reply, reply.kind === "records" ? [reply.batch.values.buffer] : []);
    if (request.kind === "close") port.close();
  }, request.id);
});
// The first message says what is there.
port.postMessage({ kind: "topics", id: 0, topics: [...topics.values()].map(headsOf) } satisfies Reply);
