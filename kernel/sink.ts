import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "./clock.ts";
import { isTenant } from "./context.ts";
import type { Contract } from "./contract.ts";
import type { Db, Tx } from "./db.ts";
import { appendDeadLetter, isMeantFor } from "./dead-letters.ts";
import { problem, toProblem } from "./errors.ts";
import type { EventAttributes, EventReader } from "./events.ts";
import { forgetSeen, loadMarks, marksAfter, moveMarks, takenProblem, takeUnseen, withoutSeen } from "./inbox.ts";
import type { Cache } from "./ports/cache.ts";
import type { EventLog, LogRecord } from "./ports/log.ts";
import type { Pool } from "./sql.ts";
import type { Metrics } from "./metrics.ts";
import type { Logger } from "./telemetry.ts";

/**
 * A sink takes every event of every topic, of any kind, in batches as large as it can bear, and keeps them somewhere else than in our database.
 * It joins no group: it reads on from its own marks, does the slow part of its work, and then has its marks moved in the
 * transaction that makes the work count. Until then nothing of a batch has happened, and it is read again; after it, never.
 *
 * A batch is of one tenant, whose marks are its own (`sink:TENANT:TOPIC`), because a transaction is of one tenant. When all
 * tenants of a stretch of the log are done, the marks of the whole (`sink:TOPIC`) follow: reading begins there.
 */
export interface Sink<P, C extends Contract> {
  /** How long events wait for others to share their batch. A full batch is followed by the next at once. */
  readonly everyMs: number;
  /** What may be in memory at once: records, and bytes of their values. */
  readonly recordsMax: number;
  readonly bytesMax: number;
  /** Rejects to get the batch again, which may have grown by then. */
  take(parts: P, batch: SinkBatch<C>): Promise<void>;
}

export interface SinkBatch<C extends Contract = Contract> {
  readonly tenant: string;
  /** At least one, in order by topic and partition. */
  readonly events: readonly SunkEvent[];
  /** To be called once, in a transaction of the tenant. Rejects `aborted` where somebody else took these events meanwhile. */
  commit(tx: Tx<C>): Promise<void>;
}

/** An event as it lies in the log. */
export interface SunkEvent
  extends EventAttributes,
    Pick<LogRecord, "topic" | "partition" | "offset" | "key" | "value"> {
  /** When the log took it, in milliseconds since the epoch. */
  readonly loggedMs: number;
  /** The payload as this release reads it; undefined for events that it does not know and for bytes that are none. */
  readonly data: unknown;
}

export interface SinkOptions {
  readonly service: string;
  readonly topics: readonly string[];
  readonly sink: Sink<undefined, Contract>;
  readonly log: EventLog;
  readonly reader: EventReader;
  readonly db: Db;
  readonly pool: Pool;
  readonly cache: Pick<Cache, "lock">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface OpenSink {
  /** Takes what is in the log by now, without waiting for more. */
  flush(): Promise<void>;
  /** Lets the batch under way finish. */
  stop(): Promise<void>;
}

const READ_RECORDS_MAX = 2_000;
const RETRY_MS_MIN = 1_000;
/** Whoever dies with the lock is followed after so long; who is slower than it only loses a race for the marks. */
const LOCK_TTL_MS = 60_000;
const FORGET_EVERY_MS = 60_000;
/** So many events are decoded before others get their turn in this thread. */
const DECODED_AT_ONCE = 500;

/** What was read of the log: records in their order, and by topic how far. */
interface Stretch {
  readonly records: readonly LogRecord[];
  readonly known: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly next: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly isFull: boolean;
}

export function openSink(options: SinkOptions): OpenSink {
  const { service, sink, clock, logger } = options;
  const stopping = new AbortController();
  let last: Promise<unknown> = Promise.resolve();
  let forgotMs = performance.now();
  const names = new Set<string>();

  /** Takes one batch of each tenant; whether there is more. */
  async function round(): Promise<boolean> {
    const stretch = await readStretch(options);
    if (stretch.next.size === 0) return false;
    const byTenant = Map.groupBy(stretch.records, (record) => options.reader.tenantOf(record));
    for (const [tenant, records] of byTenant) {
      if (isTenant(tenant)) await deliver(options, tenant, records, names);
      else for (const record of records) await bury(record);
    }
    await options.db.tx({ tenant: "system" }, async (tx) => {
      for (const [topic, next] of stretch.next)
        await moveMarks(tx, marksOf(topic), stretch.known.get(topic) ?? new Map(), next);
    });
    return stretch.isFull;
  }

  /** Without a tenant nobody may keep it. A crash repeats this; the log, or who reads dead letters, knows the repetition by its id. */
  async function bury(record: LogRecord): Promise<void> {
    const wrong = problem.invalid(`the event's tenant '${options.reader.tenantOf(record).slice(0, 80)}' is none`);
    await appendDeadLetter(options, groupOf(service), record, wrong);
    options.metrics.events.inc({ service, event: options.reader.nameOf(record) ?? "unknown", outcome: "dead" });
  }

  /** One round at a time, in this process and, while the cache is there to say so, in all. */
  function inTurn(): Promise<boolean> {
    const mine = last.then(async () => {
      const lock = await options.cache.lock("sink", LOCK_TTL_MS).catch(() => NO_LOCK);
      if (!lock) return false;
      try {
        return await round();
      } finally {
        await lock.release().catch(() => undefined);
      }
    });
    last = mine.catch(() => undefined);
    return mine;
  }

  async function forget(): Promise<void> {
    if (options.log.dedupes || performance.now() - forgotMs < FORGET_EVERY_MS) return;
    forgotMs = performance.now();
    for (const name of names) await forgetSeen(options.pool, service, name);
  }

  async function run(): Promise<void> {
    const { signal } = stopping;
    for (let failures = 0; !signal.aborted; ) {
      try {
        let hasMore = true;
        while (hasMore && !signal.aborted) hasMore = await inTurn();
        failures = 0;
        await forget();
      } catch (error) {
        failures += 1;
        logger.warn("events could not be kept and will be read again", { code: toProblem(error).code, error });
      }
      const pauseMs = failures > 0 ? Math.min(sink.everyMs, RETRY_MS_MIN * 2 ** failures) : sink.everyMs;
      await clock.sleep(pauseMs, signal).catch(() => undefined);
    }
  }
  const running = run();

  return {
    async flush() {
      while (await inTurn());
    },
    async stop() {
      stopping.abort();
      await running;
      await last;
    },
  };
}

const NO_LOCK = { release: async (): Promise<void> => undefined };

const groupOf = (service: string): string => `${service}-sink`;
/** No topic has a colon in its name, so these are nobody else's marks. */
const marksOf = (topic: string): string => `sink:${topic}`;
const tenantMarksOf = (tenant: string, topic: string): string => `sink:${tenant}:${topic}`;

/** Reads on from the marks, topic by topic in turn, until all is read or the batch is full. */
async function readStretch({ service, topics, sink, log, pool, metrics }: SinkOptions): Promise<Stretch> {
  const known = new Map<string, ReadonlyMap<number, number>>();
  const next = new Map<string, Map<number, number>>();
  const ends = new Map<string, ReadonlyMap<number, number>>();
  const lag = metrics.gauge("sink_lag_records", "Events in the log that a sink has not kept yet", ["service", "topic"]);
  for (const topic of topics) {
    const until = await log.offsets(topic);
    const marks = await loadMarks(pool, service, marksOf(topic), [...until.keys()]);
    const behind = new Map<number, number>();
    let count = 0;
    for (const [partition, end] of until) {
      const mark = marks.get(partition) ?? 0;
      // A mark beyond the end is of a topic that was made anew.
      const from = mark > end ? 0 : mark;
      if (from < end || mark > end) behind.set(partition, from);
      count += end - from;
    }
    lag.set({ service, topic }, count);
    if (behind.size === 0) continue;
    ends.set(topic, until);
    known.set(topic, marks);
    next.set(topic, behind);
  }

  const records: LogRecord[] = [];
  const open = new Set(next.keys());
  let bytes = 0;
  const isFull = (): boolean => records.length >= sink.recordsMax || bytes >= sink.bytesMax;
  while (open.size > 0 && !isFull()) {
    for (const topic of open) {
      if (isFull()) break;
      const positions = next.get(topic) ?? new Map<number, number>();
      const limit = Math.min(READ_RECORDS_MAX, sink.recordsMax - records.length);
      const found = await log.read(topic, pending(positions, ends.get(topic)), limit);
      for (const record of found) {
        records.push(record);
        bytes += record.value.byteLength;
        positions.set(record.partition, record.offset + 1);
      }
      // Nothing where something was: its retention is over.
      if (found.length === 0) for (const [partition] of positions) skipTo(positions, partition, ends.get(topic));
      if (pending(positions, ends.get(topic)).size === 0) open.delete(topic);
    }
  }
  return { records, known, next, isFull: isFull() };
}

function skipTo(positions: Map<number, number>, partition: number, ends?: ReadonlyMap<number, number>): void {
  positions.set(partition, Math.max(positions.get(partition) ?? 0, ends?.get(partition) ?? 0));
}

/** The positions that have something behind them. */
const pending = (positions: ReadonlyMap<number, number>, ends?: ReadonlyMap<number, number>): Map<number, number> =>
  new Map([...positions].filter(([partition, offset]) => offset < (ends?.get(partition) ?? 0)));

/** Hands a tenant's records over, without those that it had before. */
async function deliver(
  options: SinkOptions,
  tenant: string,
  records: readonly LogRecord[],
  names: Set<string>,
): Promise<void> {
  const { service, sink, pool, log, reader, db, metrics } = options;
  const parts: { name: string; fresh: readonly LogRecord[]; known: Map<number, number>; next: Map<number, number> }[] =
    [];
  for (const [topic, all] of Map.groupBy(records, (record) => record.topic)) {
    const name = tenantMarksOf(tenant, topic);
    const partitions = [...new Set(all.map(({ partition }) => partition))];
    const [known, ends] = await Promise.all([loadMarks(pool, service, name, partitions), log.offsets(topic)]);
    const isNew = ({ partition, offset }: LogRecord): boolean => {
      const mark = known.get(partition) ?? 0;
      return offset >= mark || mark > (ends.get(partition) ?? 0);
    };
    const left = all.filter(isNew);
    if (left.length === 0) continue;
    names.add(name);
    // What was put back for somebody else was here before.
    const own = left.filter((record) => isMeantFor(record, groupOf(service)));
    const fresh = log.dedupes ? own : await withoutSeen(pool, service, name, own);
    parts.push({ name, fresh, known, next: marksAfter(left) });
  }
  if (parts.length === 0) return;

  let isCommitted = false;
  async function commit(tx: Tx): Promise<void> {
    if (tx.tenant !== tenant) throw problem.internal(`a batch of '${tenant}' was committed for '${tx.tenant}'`);
    for (const { name, fresh, known, next } of parts) {
      if (!log.dedupes && (await takeUnseen(tx, name, fresh)).length < fresh.length) throw takenProblem(name);
      await moveMarks(tx, name, known, next);
    }
    isCommitted = true;
  }
  const events = await describe(
    reader,
    parts.flatMap(({ fresh }) => fresh),
  );
  if (events.length > 0) await sink.take(undefined, { tenant, events, commit });
  else await db.tx({ tenant }, commit);
  if (!isCommitted) throw problem.internal(`the sink of ${service} kept a batch without committing it`);
  for (const event of events)
    metrics.events.inc({ service, event: event.data === undefined ? "unknown" : event.name, outcome: "kept" });
}

async function describe(reader: EventReader, records: readonly LogRecord[]): Promise<SunkEvent[]> {
  const events: SunkEvent[] = [];
  for (const record of records) {
    if (events.length % DECODED_AT_ONCE === DECODED_AT_ONCE - 1) await turn();
    const { topic, partition, offset, key, value, timestampMs: loggedMs } = record;
    const data = await dataOf(reader, record);
    events.push({ ...reader.attributesOf(record), topic, partition, offset, key, value, loggedMs, data });
  }
  return events;
}

/** What cannot be decoded is kept as it is; a registry that is away is no reason to call it that. */
async function dataOf(reader: EventReader, record: LogRecord): Promise<unknown> {
  try {
    return (await reader.decode(record))?.data;
  } catch (error) {
    if (toProblem(error).code === "unavailable") throw error;
    return undefined;
  }
}
