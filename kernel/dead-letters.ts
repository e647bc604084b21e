import { insertOutbox } from "./db.ts";
import { problem } from "./errors.ts";
import type { EventReader, OutboxRow } from "./events.ts";
import { roleOf } from "./migrate.ts";
import type { EventLog, LogRecord } from "./ports/log.ts";
import { serviceOfGroup } from "./read-models.ts";
import { identifier, inTransaction, type Pool } from "./sql.ts";
import type { Logger } from "./telemetry.ts";
import { maskText } from "./mask.ts";

export const deadLetterTopic = (topic: string): string => `${topic}.dlq`;

/** Names the one group that a record is for, where it was put back out of the dead letters; the others had it before. */
const GROUP_HEADER = "replay_group";

export const isMeantFor = ({ headers }: LogRecord, group: string): boolean =>
  (headers[GROUP_HEADER] ?? group) === group;

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

/** A record that a group could not handle. */
export interface DeadLetter {
  /** GROUP/TOPIC/PARTITION/OFFSET: where it was refused, and by whom. */
  readonly id: string;
  readonly group: string;
  readonly topic: string;
  readonly reason: string;
  /** As it lies in the dead letters. */
  readonly record: LogRecord;
}

function letterOf(record: LogRecord): DeadLetter | undefined {
  const { dlq_group: group, dlq_topic: topic, dlq_partition, dlq_offset, dlq_reason: reason = "" } = record.headers;
  if (group === undefined || topic === undefined) return undefined;
  return { id: `${group}/${topic}/${dlq_partition ?? ""}/${dlq_offset ?? ""}`, group, topic, reason, record };
}

const READ_AT_ONCE = 500;
/** Somebody who has more than this has another problem, and mends it first. */
const LETTERS_MAX = 10_000;

/** The dead letters of a topic that nobody has decided about, the oldest first. */
export async function waitingLetters(log: EventLog, pool: Pool, topic: string): Promise<readonly DeadLetter[]> {
  const name = deadLetterTopic(topic);
  const [positions, ends] = await Promise.all([log.offsets(name, 0), log.offsets(name)]);
  const next = new Map(positions);
  // A log that cannot drop repetitions may hold a letter twice.
  const letters = new Map<string, DeadLetter>();
  while (letters.size < LETTERS_MAX && [...next].some(([partition, offset]) => offset < (ends.get(partition) ?? 0))) {
    const records = await log.read(name, next, READ_AT_ONCE);
    if (records.length === 0) break;
    for (const record of records) {
      next.set(record.partition, record.offset + 1);
      const letter = letterOf(record);
      if (letter && !letters.has(letter.id)) letters.set(letter.id, letter);
    }
  }
  for (const [service, own] of Map.groupBy(letters.values(), ({ group }) => serviceOfGroup(group))) {
    for (const id of await settledAmong(pool, service, own)) letters.delete(id);
  }
  return [...letters.values()];
}

/** What was decided stands in the table `seen` of the service, under the name of the dead letters. */
async function settledAmong(pool: Pool, service: string, letters: readonly DeadLetter[]): Promise<string[]> {
  return inTransaction(pool, `SET LOCAL ROLE ${identifier(roleOf(service))}`, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM ${identifier(service)}.seen WHERE topic = ANY($1) AND id = ANY($2)`,
      [[...new Set(letters.map(({ topic }) => deadLetterTopic(topic)))], letters.map(({ id }) => id)],
    );
    return rows.map(({ id }) => id);
  });
}

/**
 * Decides about letters of one service: puts them back into their topic for the group that refused them, or drops them. The decision and the
 * record on its way are one transaction (the record takes the way of every event, through the outbox), so each letter is put back once at
 * most, whoever else decides at the same time and whoever dies. Returns the ids of those that nobody had decided about.
 */
export async function settleLetters(
  pool: Pool,
  service: string,
  letters: readonly DeadLetter[],
  decision: "replay" | "drop",
): Promise<readonly string[]> {
  const setup = `SET LOCAL ROLE ${identifier(roleOf(service))}; SET LOCAL search_path TO ${identifier(service)}, public`;
  return inTransaction(pool, setup, async (client) => {
    // In one order, so that two operators do not wait for each other.
    const { rows } = await client.query<{ id: string }>(
      `INSERT INTO seen (topic, id) SELECT * FROM unnest($1::text[], $2::text[]) AS l (topic, id) ORDER BY topic, id
       ON CONFLICT DO NOTHING RETURNING id`,
      [letters.map(({ topic }) => deadLetterTopic(topic)), letters.map(({ id }) => id)],
    );
    const ours = new Set(rows.map(({ id }) => id));
    const back = decision === "replay" ? letters.filter(({ id }) => ours.has(id)).map(rowOf) : [];
    if (back.length > 0) await insertOutbox(client, back);
    return [...ours];
  });
}

function rowOf({ id, group, topic, record }: DeadLetter): OutboxRow {
  const own = Object.entries(record.headers).filter(([name]) => !name.startsWith("dlq_"));
  return {
    eventId: `replay/${id}`,
    topic,
    key: record.key,
    headers: { ...Object.fromEntries(own), [GROUP_HEADER]: group },
    value: Buffer.from(record.value),
  };
}

/** The letters that were asked for; `not_found` names one that is not waiting. */
export function pickLetters(waiting: readonly DeadLetter[], ids: readonly string[]): readonly DeadLetter[] {
  const byId = new Map(waiting.map((letter) => [letter.id, letter]));
  return ids.map((id) => {
    const letter = byId.get(id);
    if (!letter)
      throw problem.notFound(
        `no dead letter '${id.slice(0, 200)}' is waiting: it was put back or dropped, or its time is over`,
        { reason: "letter_unknown" },
      );
    return letter;
  });
}
