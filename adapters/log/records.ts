import { problem } from "#kernel/errors";
import type { NewRecord, TopicSpec } from "#kernel/ports/log";

/** One record's value, as Kafka's `message.max.bytes`. */
const VALUE_BYTES_MAX = 1024 * 1024;
const KEY_CHARS_MAX = 4096;
const PARTITIONS_MAX = 1024;
/** What a record takes besides its value: key, headers and the frame around them. */
const RECORD_OVERHEAD_BYTES = 256;

export function checkTopic(topic: TopicSpec): void {
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(topic.name))
    throw problem.invalid(`'${topic.name}' is no name for a topic: use letters, digits, '.', '_' and '-'`);
  if (!Number.isSafeInteger(topic.partitions) || topic.partitions < 1 || topic.partitions > PARTITIONS_MAX) {
    throw problem.invalid(
      `topic '${topic.name}' asks for ${topic.partitions} partitions: 1 to ${PARTITIONS_MAX} are possible`,
    );
  }
  if (!Number.isSafeInteger(topic.retentionMs) || topic.retentionMs < 1)
    throw problem.invalid(`topic '${topic.name}' has a retention of ${topic.retentionMs} ms`);
}

/** The record's size; throws for one that no log takes. */
export function checkRecord(record: NewRecord): number {
  if (record.value.byteLength > VALUE_BYTES_MAX) {
    throw problem.invalid(
      `a record for '${record.topic}' has ${record.value.byteLength} bytes: at most ${VALUE_BYTES_MAX} are possible`,
    );
  }
  if (record.key.length > KEY_CHARS_MAX)
    throw problem.invalid(
      `a record for '${record.topic}' has a key of ${record.key.length} characters: at most ${KEY_CHARS_MAX} are possible`,
    );
  return record.value.byteLength + RECORD_OVERHEAD_BYTES;
}

export function checkRecordsMax(recordsMax: number): void {
  if (!Number.isSafeInteger(recordsMax) || recordsMax < 1)
    throw problem.invalid(`recordsMax is ${recordsMax}: it must be at least 1`);
}

export const noSuchTopic = (topic: string) =>
  problem.notFound(`the topic '${topic}' does not exist: create it first (contracts/topics/index.ts names them all)`);
