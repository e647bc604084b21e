import { type Consumer, findErrorBy, type MessageToProduce } from "@platformatic/kafka";
import { type Problem, problem, toProblem } from "#kernel/errors";
import type { LogRecord, NewRecord } from "#kernel/ports/log";
import { noSuchTopic } from "./records.ts";

/** Carries `dedupeId`; everybody else who reads the topic sees one more header. */
const DEDUPE_HEADER = "marquee_dedupe_id";
/** Bits of a batch's attributes (Kafka protocol, "Record Batch"). */
const IS_LOG_APPEND_TIME = 0b1000;
const IS_CONTROL = 0b10_0000;

const EMPTY = new Uint8Array(0);

export function toMessage(record: NewRecord, partition: number): MessageToProduce {
  const headers = new Map<Buffer, Buffer>();
  for (const [name, value] of Object.entries(record.headers)) headers.set(Buffer.from(name), Buffer.from(value));
  if (record.dedupeId !== undefined) headers.set(Buffer.from(DEDUPE_HEADER), Buffer.from(record.dedupeId));
  const { buffer, byteOffset, byteLength } = record.value;
  return {
    topic: record.topic,
    partition,
    key: Buffer.from(record.key),
    value: Buffer.from(buffer, byteOffset, byteLength),
    headers,
  };
}

type FetchResponse = Awaited<ReturnType<Consumer["fetch"]>>;

/** What a fetch brought for one partition: its records from `from` on, and where the next fetch begins. */
export interface Fetched {
  readonly partition: number;
  readonly records: readonly LogRecord[];
  readonly next: number;
}

/** Records of one topic. A broker sends whole batches, so what is before `from` is dropped; markers of transactions are passed over. */
export function decode(topic: string, response: FetchResponse, from: ReadonlyMap<number, number>): readonly Fetched[] {
  const found: Fetched[] = [];
  for (const { partitions } of response.responses) {
    for (const { partitionIndex: partition, records: batches } of partitions) {
      const first = from.get(partition);
      if (first === undefined) continue;
      let next = first;
      const records: LogRecord[] = [];
      for (const batch of batches ?? []) {
        const base = Number(batch.firstOffset);
        if ((batch.attributes & IS_CONTROL) === 0) {
          const stampMs = (batch.attributes & IS_LOG_APPEND_TIME) === 0 ? undefined : Number(batch.maxTimestamp);
          for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
            if (base + offsetDelta < first) continue;
            records.push({
              topic,
              partition,
              offset: base + offsetDelta,
              key: key?.toString() ?? "",
              value: value ?? EMPTY,
              timestampMs: stampMs ?? Number(batch.firstTimestamp + timestampDelta),
              ...headersOf(headers),
            });
          }
        }
        next = Math.max(next, base + batch.lastOffsetDelta + 1);
      }
      found.push({ partition, records, next });
    }
  }
  return found;
}

function headersOf(
  entries: readonly (readonly [Buffer | null, Buffer | null])[],
): Pick<LogRecord, "headers" | "dedupeId"> {
  const headers: Record<string, string> = {};
  let dedupeId: string | undefined;
  for (const [name, value] of entries) {
    const key = name?.toString() ?? "";
    if (key === DEDUPE_HEADER) dedupeId = value?.toString() ?? "";
    // A foreign producer may call a header what an object already has.
    else Object.defineProperty(headers, key, { value: value?.toString() ?? "", enumerable: true, configurable: true });
  }
  return { headers, ...(dedupeId === undefined ? {} : { dedupeId }) };
}

/** The protocol's name of an error, somewhere in what the client threw. */
export const isKafkaError = (error: unknown, apiId: string): boolean =>
  error instanceof Error && findErrorBy(error, "apiId", apiId) !== null;

export const isUnknownTopic = (error: unknown): boolean =>
  isKafkaError(error, "UNKNOWN_TOPIC_OR_PARTITION") ||
  (error instanceof Error && error.message.startsWith("Unknown topic"));

/** What the client threw as a Problem; `topic` where the request was about one. */
export function kafkaProblem(cause: unknown, brokers: readonly string[], topic?: string): Problem {
  if (!(cause instanceof Error) || !("code" in cause) || !String(cause.code).startsWith("PLT_KFK"))
    return toProblem(cause);
  if (isUnknownTopic(cause)) return noSuchTopic(topic ?? "");
  if (isKafkaError(cause, "MESSAGE_TOO_LARGE") || isKafkaError(cause, "RECORD_LIST_TOO_LARGE"))
    return problem.invalid(
      `the records for '${topic ?? ""}' are larger than its max.message.bytes: raise it to 2 MiB, as new topics have it`,
      { cause },
    );
  if (isKafkaError(cause, "INVALID_REPLICATION_FACTOR"))
    return problem.precondition(
      "the Kafka cluster has fewer brokers than MARQUEE_KAFKA_REPLICATION asks for: lower it or add brokers",
      { cause },
    );
  const isDenied = ["TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED"].some(
    (apiId) => isKafkaError(cause, apiId),
  );
  if (isDenied || cause.code === "PLT_KFK_AUTHENTICATION")
    return problem.denied(`Kafka at ${brokers.join(",")} does not let us in: check what this client may do`, { cause });
  return problem.unavailable(`Kafka at ${brokers.join(",")} does not answer as it should: ${reasonOf(cause)}`, {
    cause,
    retryAfterS: 1,
  });
}

/** The innermost message says most: the outer ones only count attempts. */
function reasonOf(error: Error): string {
  let inner = error;
  for (let depth = 0; depth < 8; depth += 1) {
    const next: unknown = inner instanceof AggregateError ? inner.errors.at(-1) : inner.cause;
    if (!(next instanceof Error)) break;
    inner = next;
  }
  return inner.message.slice(0, 300);
}
