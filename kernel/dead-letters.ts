import type { EventReader } from "./events.ts";
import type { EventLog, LogRecord } from "./ports/log.ts";
import { type Logger, maskText } from "./telemetry.ts";

export const deadLetterTopic = (topic: string): string => `${topic}.dlq`;

/** Writes a record that a group cannot handle into the dead letters of its topic, with the reason in the headers. */
export async function appendDeadLetter(
  { log, reader, logger }: { readonly log: EventLog; readonly reader: EventReader; readonly logger: Logger },
  group: string,
  record: LogRecord,
  error: unknown,
): Promise<void> {
  const { topic, partition, offset } = record;
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  logger.error("an event was set aside in the dead letters", {
    topic,
    partition,
    offset,
    event: reader.nameOf(record),
    error,
  });
  await log.append([
    {
      topic: deadLetterTopic(topic),
      key: record.key,
      value: record.value,
      dedupeId: `dlq/${group}/${topic}/${partition}/${offset}`,
      headers: {
        ...record.headers,
        dlq_group: group,
        dlq_topic: topic,
        dlq_partition: String(partition),
        dlq_offset: String(offset),
        // It may repeat what somebody typed.
        dlq_reason: maskText(reason).slice(0, 1_000),
      },
    },
  ]);
}
