import type { EventLog, LogRecord, NewRecord } from "../ports/log.ts";

const CARRIER = "test_dedupe_id";

/** A log as Kafka is: it keeps what is repeated, and delivers it with the id that it was appended with. */
export function repeatingLog(log: EventLog): EventLog {
  const carry = ({ dedupeId, ...record }: NewRecord): NewRecord =>
    dedupeId === undefined ? record : { ...record, headers: { ...record.headers, [CARRIER]: dedupeId } };
  const deliver = (record: LogRecord): LogRecord => {
    const { [CARRIER]: dedupeId, ...headers } = record.headers;
    return { ...record, headers, ...(dedupeId === undefined ? {} : { dedupeId }) };
  };
  return {
    ...log,
    dedupes: false,
    append: (records) => log.append(records.map(carry)),
    read: async (...args) => (await log.read(...args)).map(deliver),
    consume: (options) => log.consume({ ...options, handle: (records) => options.handle(records.map(deliver)) }),
  };
}
