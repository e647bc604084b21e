import type { Stateful } from "./state.ts";

/**
 * The event log port. It does what Kafka does: topics with partitions, order per key, consumer groups, positions,
 * redelivery and replay. Positions are the consumer's: it stores them with the effects of what it read, so that an
 * effect happens once though delivery is at least once.
 */
export interface EventLog extends Stateful {
  /** Whether the engine itself drops records whose `dedupeId` it has seen; else they come with it, and who has effects drops them. */
  readonly dedupes: boolean;
  /** Creates what is missing and changes nothing that is there, except that retention follows the declaration. */
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  /**
   * Resolves when every record is durable (after fsync, or on every replica that is in sync). Records of one key keep their order. A
   * `dedupeId` seen before is skipped where the log `dedupes`. After a rejection some of the records may be there all the same, unless
   * it says that a record or its topic is wrong: then none is.
   */
  append(records: readonly NewRecord[]): Promise<void>;
  /** Joins a consumer group: partitions are shared among its members. */
  consume(options: ConsumeOptions): Promise<Consumer>;
  /** The offset that the next record of each partition will have; with `atMs`, the first offset at or after that time. */
  offsets(topic: string, atMs?: number): Promise<ReadonlyMap<number, number>>;
  /** Whether `erase` removes records at once. */
  readonly erases: boolean;
  /**
   * Removes every record of a topic that names one of these in its key, headers or value and lies before `until`, by partition; the others
   * keep their offsets. When it resolves, the bytes are gone from the disk too. An engine that cannot (`erases` is false) does nothing:
   * there records go with the retention of their topic.
   */
  erase(topic: string, names: readonly string[], until: ReadonlyMap<number, number>): Promise<void>;
  /**
   * Writes a copy of the log into a folder, with the records before `until`, by topic and partition, and offsets that go on there. A log
   * that was opened on such a folder is that log. Absent where the engine has its own means.
   */
  readonly copyTo?: (folder: string, until: ReadonlyMap<string, ReadonlyMap<number, number>>) => Promise<void>;
  /** Reads without a group, for `marquee events tail`, replays and tests. Empty when nothing is there yet. */
  read(topic: string, positions: ReadonlyMap<number, number>, recordsMax: number): Promise<readonly LogRecord[]>;
  close(): Promise<void>;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly retentionMs: number;
  /** For topics of many small events whose effects nobody waits for: how long consumers let them gather, so that one transaction serves many. */
  readonly lingerMs?: number;
  /** Belongs on the cluster for analytics, where there is one: it is kept for long and nothing that a viewer waits for reads it. */
  readonly analytics?: boolean;
}

export interface NewRecord {
  readonly topic: string;
  /** Chooses the partition (murmur2 as Kafka's default partitioner); records of one key keep their order. */
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Uint8Array;
  readonly dedupeId?: string;
}

export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Uint8Array;
  readonly timestampMs: number;
  /** What the record was appended with, from logs that do not drop repetitions themselves. */
  readonly dedupeId?: string;
}

export interface ConsumeOptions {
  readonly group: string;
  readonly topic: string;
  readonly recordsMax: number;
  /** Having handled some records, the consumer lets others gather for so long before it takes them, unless it had `recordsMax` of them; 0 where it is not given. */
  readonly lingerMs?: number | undefined;
  /** Asked whenever partitions are assigned, and again after `handle` rejects: where to read from, by partition. A missing partition starts at its oldest record. */
  positions(partitions: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** Called with at least one record, in order per partition, never concurrently for one partition. A rejection means redelivery after a pause. */
  handle(records: readonly LogRecord[]): Promise<void>;
}

export interface Consumer {
  /** Lets the batch under way finish, then leaves the group. */
  stop(): Promise<void>;
}

/** A Confluent-compatible schema registry: ids for Avro schemas, BACKWARD compatibility checked on registration. */
export interface SchemaRegistry extends Stateful {
  /** The id of a schema under a subject (`{topic}-{record name}`); registers it when it is new. Rejects when it cannot read what older writers wrote. */
  register(subject: string, schema: string): Promise<number>;
  /** The schema text of an id. */
  byId(id: number): Promise<string>;
  /** Writes a copy into a folder, which a registry can be opened on. Absent where the engine has its own means. */
  readonly copyTo?: (folder: string) => Promise<void>;
  close(): Promise<void>;
}
