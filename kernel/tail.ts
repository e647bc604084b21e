import type { EventAttributes, EventReader } from "./events.ts";
import type { EventLog, LogRecord } from "./ports/log.ts";

/** Where reading goes on, by topic and partition. */
export type Positions = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Where reading begins: at a time (0 is the oldest record), or so many records of each partition before the end. */
export type Start = { readonly fromMs: number } | { readonly lastRecords: number };

export async function positionsFrom(log: EventLog, topics: readonly string[], start: Start): Promise<Positions> {
  const found = new Map<string, ReadonlyMap<number, number>>();
  for (const topic of topics) {
    if ("fromMs" in start) found.set(topic, await log.offsets(topic, start.fromMs));
    else {
      const [firsts, ends] = await Promise.all([log.offsets(topic, 0), log.offsets(topic)]);
      const before = [...ends].map(
        ([partition, end]) => [partition, Math.max(firsts.get(partition) ?? 0, end - start.lastRecords)] as const,
      );
      found.set(topic, new Map(before));
    }
  }
  return found;
}

/** A record with what can be said about it. */
export interface ReadEvent extends EventAttributes {
  readonly record: LogRecord;
  /** The payload as this release reads it; undefined for events that it does not know and for bytes that are none. */
  readonly data: unknown;
}

export interface Stretch {
  /** In the order in which the log took them, as well as its clock tells. */
  readonly events: readonly ReadEvent[];
  readonly next: Positions;
  /** Whether nothing was left when this was read. */
  readonly isAtEnd: boolean;
}

/** Values of so many bytes are held at once at most, besides one record. */
const BYTES_MAX = 4 * 1024 * 1024;

/** Reads on from some positions, no more than so many records over all topics. */
export async function readOn(
  { log, reader }: { readonly log: EventLog; readonly reader: EventReader },
  positions: Positions,
  recordsMax: number,
): Promise<Stretch> {
  const records: LogRecord[] = [];
  const next = new Map([...positions].map(([topic, from]) => [topic, new Map(from)] as const));
  const behind = await behindOf(log, positions);
  let bytes = 0;
  let isAtEnd = true;
  // Each topic that has something has its share, or a busy one would keep the others from being seen.
  const share = Math.max(1, Math.floor(recordsMax / Math.max(1, behind.size)));
  for (const [topic, { from, ends }] of behind) {
    const own = next.get(topic);
    const limit = Math.min(share, recordsMax - records.length);
    const found = limit > 0 && bytes < BYTES_MAX ? await log.read(topic, from, limit) : undefined;
    if (found?.length === 0) {
      // Nothing where something was: its retention is over.
      for (const partition of from.keys()) own?.set(partition, ends.get(partition) ?? 0);
      continue;
    }
    isAtEnd = false;
    for (const record of found ?? []) {
      if (bytes >= BYTES_MAX) break;
      bytes += record.value.byteLength;
      records.push(record);
      own?.set(record.partition, record.offset + 1);
    }
  }
  const events: ReadEvent[] = [];
  for (const record of records.toSorted((a, b) => a.timestampMs - b.timestampMs))
    events.push(await describe(reader, record));
  return { events, next, isAtEnd };
}

interface Behind {
  /** Of the partitions that have something. */
  readonly from: ReadonlyMap<number, number>;
  /** Of all its partitions. */
  readonly ends: ReadonlyMap<number, number>;
}

/** The topics in which something lies behind these positions. */
async function behindOf(log: EventLog, positions: Positions): Promise<ReadonlyMap<string, Behind>> {
  const topics = await Promise.all(
    [...positions].map(async ([topic, own]) => {
      const ends = await log.offsets(topic);
      const from = new Map(
        [...own]
          .filter(([partition, offset]) => offset !== (ends.get(partition) ?? 0))
          .map((pair) => belowEnd(pair, ends)),
      );
      return [topic, { from, ends }] as const;
    }),
  );
  return new Map(topics.filter(([, { from }]) => from.size > 0));
}

/** A position beyond the end is of a topic that was made anew. */
const belowEnd = ([partition, offset]: readonly [number, number], ends: ReadonlyMap<number, number>) =>
  [partition, offset > (ends.get(partition) ?? 0) ? 0 : offset] as const;

/** An operator looks at what is broken too, so bytes that cannot be decoded are no failure here. */
export async function describe(reader: EventReader, record: LogRecord): Promise<ReadEvent> {
  const decoded = await reader.decode(record).catch(() => undefined);
  return { ...reader.attributesOf(record), record, data: decoded?.data };
}
