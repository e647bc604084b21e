import { SpanKind, trace } from "@opentelemetry/api";
import { isTenant } from "./context.ts";
import type { Contract, EventType } from "./contract.ts";
import type { Db, Tx } from "./db.ts";
import { appendDeadLetter, isMeantFor } from "./dead-letters.ts";
import { toProblem } from "./errors.ts";
import type { EventReader, Received } from "./events.ts";
import type { Consumer, EventLog, LogRecord } from "./ports/log.ts";
import { forgetSeen, isTaken, loadMarks, marksAfter, moveMarks, takeUnseen } from "./inbox.ts";
import type { Pool } from "./sql.ts";
import type { Metrics } from "./metrics.ts";
import { inSpan, type Logger } from "./telemetry.ts";

/**
 * Consumers: the kernel opens the transaction, hands events over in batches and commits the high-water mark with their effect. Delivery is
 * at least once, the effect happens once. An event that keeps failing goes to the dead letters with its reason, the rest goes on.
 */
export interface Subscription {
  readonly event: EventType;
  handle(tx: Tx, events: readonly Received<unknown>[]): Promise<void>;
}

export interface ConsumeService {
  readonly service: string;
  readonly topic: string;
  /** Who shares the partitions, and under which name its marks stand; the service and the topic where it is not said. */
  readonly group?: string;
  readonly marksName?: string;
  readonly lingerMs?: number | undefined;
  readonly subscriptions: readonly Subscription[];
  readonly db: Db<Contract>;
  readonly pool: Pool;
  readonly log: EventLog;
  readonly reader: EventReader;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const RECORDS_MAX = 500;
const FORGET_EVERY_MS = 60_000;
const LINKS_MAX = 32;
/** A record is tried so often before it is declared poison. */
export const TRIES_MAX = 5;

export async function consumeTopic(options: ConsumeService): Promise<Consumer> {
  const { service, topic, subscriptions, db, pool, log, reader, logger, metrics } = options;
  const { group = service, marksName = topic } = options;
  const handlers = new Map(subscriptions.map((subscription) => [subscription.event.name, subscription]));
  /** Failures of the record at the head of a partition, by partition and offset. */
  const failures = new Map<string, number>();
  /** Where this member knows the marks of its partitions to be. */
  const marks = new Map<number, number>();
  let forgotMs = performance.now();

  const isOurs = (record: LogRecord): boolean => handlers.has(reader.nameOf(record) ?? "") && isMeantFor(record, group);

  const headOf = (records: readonly LogRecord[]): string => {
    const first = records[0];
    return first ? `${first.partition}/${first.offset}` : "";
  };

  /** One transaction: the effect of what is new among the records, and the marks behind all of them. */
  async function commit(
    tenant: string,
    records: readonly LogRecord[],
    effect: (tx: Tx, fresh: ReadonlySet<LogRecord>) => Promise<void>,
  ): Promise<void> {
    const next = marksAfter(records);
    await db.tx({ tenant }, async (tx) => {
      await effect(tx, new Set(await takeUnseen(tx, marksName, records)));
      await moveMarks(tx, marksName, marks, next);
    });
    for (const [partition, offset] of next) marks.set(partition, offset);
  }

  async function apply(tenant: string, records: readonly LogRecord[]): Promise<void> {
    const decoded = await Promise.all(
      records.map(async (record) => (isOurs(record) ? reader.decode(record) : undefined)),
    );
    let handled: readonly { readonly event: Received<unknown>; readonly key: string }[] = [];
    await commit(tenant, records, async (tx, fresh) => {
      handled = records.flatMap((record, index) => {
        const event = decoded[index];
        return event && fresh.has(record) ? [{ event, key: record.key }] : [];
      });
      for (const wave of wavesOf(handled, ({ event }) => event.name)) {
        const events = wave.map(({ event }) => event);
        await handlers.get(events[0]?.name ?? "")?.handle(tx, events);
      }
    });
    for (const { event } of handled) metrics.events.inc({ service, event: event.name, outcome: "handled" });
  }

  /** Sets a poison record aside: first into the dead letters, then past it. The order makes a crash repeat it, never lose it. */
  async function bury(record: LogRecord, tenant: string, error: unknown): Promise<void> {
    await appendDeadLetter({ log, reader, logger }, group, record, error);
    // Marks belong to no tenant: a record whose tenant is the very thing that is wrong must not stay at the head for ever.
    await commit(isTenant(tenant) ? tenant : "system", [record], async () => undefined);
    metrics.events.inc({ service, event: reader.nameOf(record) ?? "unknown", outcome: "dead" });
  }

  /**
   * A batch that came of one trace goes on with it, so that a trace runs through the log as it runs through a call. One that came of
   * several belongs to none of them alone: it is a trace of its own, linked to them.
   */
  function traced(records: readonly LogRecord[], work: () => Promise<void>): Promise<void> {
    const ours = records.filter(isOurs);
    if (ours.length === 0) return work();
    const origins = ours.slice(0, LINKS_MAX).map((record) => reader.traceOf(record));
    const links = origins.filter((origin) => origin !== undefined);
    const [first] = links;
    const isOne = first && ours.length <= LINKS_MAX && origins.every((origin) => origin?.traceId === first.traceId);
    const attributes = { "messaging.destination.name": topic, "messaging.batch.message_count": ours.length };
    const parent = isOne ? trace.wrapSpanContext(first) : null;
    return inSpan(`${group} consumes ${topic}`, attributes, parent, work, SpanKind.CONSUMER, isOne ? [] : links);
  }

  async function handleRun(tenant: string, records: readonly LogRecord[]): Promise<void> {
    const head = headOf(records);
    try {
      await traced(records, () => apply(tenant, records));
      failures.delete(head);
    } catch (error) {
      const first = records[0];
      if (!first) return;
      // Asked for its positions again, the log will say what is still ours.
      if (isTaken(error)) throw error;
      if (records.length > 1) {
        // One bad record must not hold its neighbours back: go through them one by one.
        for (const record of records) await handleRun(tenant, [record]);
        return;
      }
      // What is away comes back: a record is not poison because a service that it needs is being restarted, or a disk is full.
      const { code, reason } = toProblem(error);
      if (code === "unavailable" || reason === "disk_full") throw error;
      const tries = (failures.get(head) ?? 0) + 1;
      failures.set(head, tries);
      metrics.events.inc({ service, event: reader.nameOf(first) ?? "unknown", outcome: "failed" });
      if (tries < TRIES_MAX) {
        logger.warn("an event failed and will be tried again", {
          topic,
          partition: first.partition,
          offset: first.offset,
          tries,
          error,
        });
        throw error;
      }
      await bury(first, tenant, error);
      failures.delete(head);
    }
  }

  return log.consume({
    group,
    topic,
    recordsMax: RECORDS_MAX,
    lingerMs: options.lingerMs,
    async positions(partitions) {
      const found = await loadMarks(pool, service, marksName, partitions);
      for (const partition of partitions) {
        const mark = found.get(partition);
        if (mark === undefined) marks.delete(partition);
        else marks.set(partition, mark);
      }
      // A rebuild leaves marks below the first offset.
      return new Map([...found].map(([partition, mark]) => [partition, Math.max(0, mark)]));
    },
    async handle(records) {
      for (const run of runsOf(records, (record) => reader.tenantOf(record))) {
        await handleRun(reader.tenantOf(run[0] as LogRecord), run);
      }
      if (log.dedupes || performance.now() - forgotMs < FORGET_EVERY_MS) return;
      forgotMs = performance.now();
      await forgetSeen(pool, service, marksName).catch((error: unknown) =>
        logger.warn("old ids of events could not be forgotten", { topic, error }),
      );
    },
  });
}

/**
 * Splits a list into few lists of one name each, to be handled one after the other: items of one key stay in their order, those of
 * different keys have none. Sessions that start and stop in turn thus make two lists, however many they are.
 */
export function wavesOf<T extends { readonly key: string }>(items: readonly T[], nameOf: (item: T) => string): T[][] {
  const waves: T[][] = [];
  const queues = new Map([...Map.groupBy(items, ({ key }) => key)].map(([key, queue]) => [key, runsOf(queue, nameOf)]));
  while (queues.size > 0) {
    const wave = new Map<string, T[]>();
    for (const [key, runs] of queues) {
      const run = runs.shift();
      const name = run?.[0] && nameOf(run[0]);
      if (run && name !== undefined) {
        const list = wave.get(name);
        if (list) list.push(...run);
        else wave.set(name, run);
      }
      if (runs.length === 0) queues.delete(key);
    }
    waves.push(...wave.values());
  }
  return waves;
}

/** Splits a list into runs of neighbours with the same key; order stays. */
export function runsOf<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const runs: T[][] = [];
  let last: string | undefined;
  for (const item of items) {
    const key = keyOf(item);
    const run = runs.at(-1);
    if (run && key === last) run.push(item);
    else runs.push([item]);
    last = key;
  }
  return runs;
}
