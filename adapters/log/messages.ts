import type { LogRecord, NewRecord, TopicSpec } from "#kernel/ports/log";
import { partitionOf } from "./partitioner.ts";

/**
 * What the log and its worker say to each other. Records travel in columns, and their values in one buffer that changes
 * hands without a copy: cloning 20,000 objects a second would cost more than writing them.
 */
export type Request =
  | { readonly kind: "topics"; readonly id: number; readonly topics: readonly TopicSpec[] }
  | { readonly kind: "append"; readonly id: number; readonly batch: PackedNew }
  | {
      readonly kind: "read";
      readonly id: number;
      readonly topic: string;
      readonly from: readonly (readonly [partition: number, offset: number])[];
      readonly recordsMax: number;
    }
  | { readonly kind: "seek"; readonly id: number; readonly topic: string; readonly atMs: number }
  /** Looks through some records of a partition, from an offset on. */
  | {
      readonly kind: "erase";
      readonly id: number;
      readonly topic: string;
      readonly partition: number;
      readonly from: number;
      readonly until: number;
      readonly names: readonly string[];
    }
  /** Overwrites what erased records left in some of the file, from a byte on. */
  | { readonly kind: "scrub"; readonly id: number; readonly from: number }
  /** Copies the log to a file, without what lies at or behind these offsets: by topic, each partition's next. */
  | {
      readonly kind: "copy";
      readonly id: number;
      readonly path: string;
      readonly until: readonly (readonly [topic: string, nexts: readonly number[]])[];
    }
  | { readonly kind: "close"; readonly id: number };

export type Reply =
  | { readonly kind: "done"; readonly id: number }
  | { readonly kind: "topics"; readonly id: number; readonly topics: readonly TopicHeads[] }
  | {
      readonly kind: "appended";
      readonly id: number;
      readonly heads: readonly (readonly [topic: string, partition: number, next: number])[];
    }
  | { readonly kind: "records"; readonly id: number; readonly batch: PackedRecords }
  | { readonly kind: "offsets"; readonly id: number; readonly offsets: readonly number[] }
  /** Whether the files may hold what was erased, now or before, and where to go on; `next` is `until` at the end. */
  | { readonly kind: "erased"; readonly id: number; readonly isDirty: boolean; readonly next: number }
  /** Where to go on; undefined at the end. */
  | { readonly kind: "scrubbed"; readonly id: number; readonly next: number | undefined }
  /** The copy could not be written; the log is as well as before. */
  | { readonly kind: "uncopied"; readonly id: number; readonly message: string }
  /** The one request failed and nothing of it was written; the log goes on. */
  | { readonly kind: "full"; readonly id: number; readonly message: string }
  /** The log cannot go on. */
  | { readonly kind: "fatal"; readonly message: string };

export interface TopicHeads {
  readonly name: string;
  /** The next offset of each partition. */
  readonly heads: readonly number[];
}

export interface PackedNew {
  readonly topics: readonly string[];
  /** Per record: an index into `topics`. */
  readonly topic: Uint16Array;
  readonly partition: Uint16Array;
  readonly key: readonly string[];
  readonly headers: readonly string[];
  readonly dedupeId: readonly (string | null)[];
  readonly valueBytes: Uint32Array;
  readonly values: Uint8Array<ArrayBuffer>;
}

export interface PackedRecords {
  readonly partition: Uint16Array;
  readonly offset: Float64Array;
  readonly timestampMs: Float64Array;
  readonly key: readonly string[];
  readonly headers: readonly string[];
  readonly valueBytes: Uint32Array;
  readonly values: Uint8Array<ArrayBuffer>;
}

/** Packs records, choosing each one's partition by its key. `partitionsOf` knows every topic that occurs. */
export function packNew(records: readonly NewRecord[], partitionsOf: (topic: string) => number): PackedNew {
  const topics: string[] = [];
  const indexes = new Map<string, number>();
  const count = records.length;
  const topic = new Uint16Array(count);
  const partition = new Uint16Array(count);
  const valueBytes = new Uint32Array(count);
  const key: string[] = [];
  const headers: string[] = [];
  const dedupeId: (string | null)[] = [];
  const values = new Uint8Array(records.reduce((sum, record) => sum + record.value.byteLength, 0));
  let at = 0;
  for (const [index, record] of records.entries()) {
    let topicIndex = indexes.get(record.topic);
    if (topicIndex === undefined) {
      topicIndex = topics.push(record.topic) - 1;
      indexes.set(record.topic, topicIndex);
    }
    topic[index] = topicIndex;
    partition[index] = partitionOf(record.key, partitionsOf(record.topic));
    key.push(record.key);
    headers.push(JSON.stringify(record.headers));
    dedupeId.push(record.dedupeId ?? null);
    valueBytes[index] = record.value.byteLength;
    values.set(record.value, at);
    at += record.value.byteLength;
  }
  return { topics, topic, partition, key, headers, dedupeId, valueBytes, values };
}

/** Records whose values are views of one buffer. */
export function unpackRecords(topic: string, batch: PackedRecords): readonly LogRecord[] {
  const records: LogRecord[] = [];
  let at = 0;
  for (const [index, key] of batch.key.entries()) {
    const bytes = batch.valueBytes[index] ?? 0;
    records.push({
      topic,
      partition: batch.partition[index] ?? 0,
      offset: batch.offset[index] ?? 0,
      key,
      headers: JSON.parse(batch.headers[index] ?? "{}") as Record<string, string>,
      value: batch.values.subarray(at, at + bytes),
      timestampMs: batch.timestampMs[index] ?? 0,
    });
    at += bytes;
  }
  return records;
}
