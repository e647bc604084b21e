import type { Tx } from "./db.ts";
import { problem, Problem } from "./errors.ts";
import { roleOf } from "./migrate.ts";
import type { LogRecord } from "./ports/log.ts";
import { identifier, inTransaction, type Pool } from "./sql.ts";

/**
 * What makes an effect happen once though delivery is at least once, in two tables of the consumer's schema that change in the
 * transaction of the effect. `marks` says how far a partition is handled. `seen` remembers the ids of records that came with one, from logs
 * that cannot drop what a relay sent twice.
 */

/** An id is remembered for longer than a product stays away between a crash and its next start, which is when relays send again. */
export const SEEN_FOR = "3 days";
const FORGET_ROWS_MAX = 5_000;
const FORGET_ROUNDS_MAX = 10;

const TAKEN = "partition_taken";

export const takenProblem = (topic: string): Problem =>
  problem.aborted(`another member of the group has partitions of '${topic}' that this one was handling`, {
    reason: TAKEN,
  });

/** Whether a transaction found that somebody else handles the partition by now. The records are not at fault. */
export const isTaken = (error: unknown): boolean => error instanceof Problem && error.reason === TAKEN;

/** How far a service has handled a topic, by partition. */
export async function loadMarks(
  pool: Pool,
  service: string,
  topic: string,
  partitions: readonly number[],
): Promise<Map<number, number>> {
  return inTransaction(pool, `SET LOCAL ROLE ${identifier(roleOf(service))}`, async (client) => {
    const { rows } = await client.query<{ partition: number; next_offset: number }>(
      `SELECT partition, next_offset FROM ${identifier(service)}.marks WHERE topic = $1 AND partition = ANY($2)`,
      [topic, partitions],
    );
    return new Map(rows.map((row) => [row.partition, row.next_offset]));
  });
}

/** The offsets behind these records, by partition. */
export function marksAfter(records: readonly LogRecord[]): Map<number, number> {
  const next = new Map<number, number>();
  for (const { partition, offset } of records) next.set(partition, Math.max(next.get(partition) ?? 0, offset + 1));
  return next;
}

/**
 * Moves marks from where this consumer knows them to `next`. A mark that is elsewhere was moved by another member, to which the partition was
 * given while this one was busy or thought dead; the transaction is then rejected, and with it the effect that would be the second.
 */
export async function moveMarks(
  tx: Tx,
  topic: string,
  known: ReadonlyMap<number, number>,
  next: ReadonlyMap<number, number>,
): Promise<void> {
  // In one order, so that two that meet do not wait for each other.
  const partitions = [...next.keys()].toSorted((a, b) => a - b);
  const { rows } = await tx.executeSql(
    `INSERT INTO marks AS m (topic, partition, next_offset) SELECT $1, * FROM unnest($2::int[], $3::bigint[])
     ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
       WHERE m.next_offset = ($4::bigint[])[array_position($2::int[], m.partition)]
     RETURNING m.partition`,
    [
      topic,
      partitions,
      partitions.map((partition) => next.get(partition) ?? 0),
      partitions.map((partition) => known.get(partition) ?? -1),
    ],
  );
  if (rows.length < partitions.length) throw takenProblem(topic);
}

/** The records whose id was not handled before, and those without one, in their order. Within the list an id counts once too. */
export async function takeUnseen(tx: Tx, topic: string, records: readonly LogRecord[]): Promise<readonly LogRecord[]> {
  const ids = records.flatMap(({ dedupeId }) => (dedupeId === undefined ? [] : [dedupeId]));
  if (ids.length === 0) return records;
  // Another member that inserts the same id holds us up until its transaction ends, and then decides.
  const { rows } = await tx.executeSql(
    "INSERT INTO seen (topic, id) SELECT $1, * FROM unnest($2::text[]) AS id ORDER BY id ON CONFLICT DO NOTHING RETURNING id",
    [topic, ids],
  );
  const fresh = new Set(rows.map((row) => String(row["id"])));
  return records.filter(({ dedupeId }) => dedupeId === undefined || fresh.delete(dedupeId));
}

/** The same for those who do their work before the transaction: what `takeUnseen` is going to say, unless somebody else comes first. */
export async function withoutSeen(
  pool: Pool,
  service: string,
  topic: string,
  records: readonly LogRecord[],
): Promise<readonly LogRecord[]> {
  const ids = new Set(records.flatMap(({ dedupeId }) => (dedupeId === undefined ? [] : [dedupeId])));
  if (ids.size === 0) return records;
  await inTransaction(pool, `SET LOCAL ROLE ${identifier(roleOf(service))}`, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM ${identifier(service)}.seen WHERE topic = $1 AND id = ANY($2)`,
      [topic, [...ids]],
    );
    for (const { id } of rows) ids.delete(id);
  });
  return records.filter(({ dedupeId }) => dedupeId === undefined || ids.delete(dedupeId));
}

/** Forgets ids that are old enough, a bounded number at a time. */
export async function forgetSeen(pool: Pool, service: string, topic: string): Promise<void> {
  const seen = `${identifier(service)}.seen`;
  for (let round = 0; round < FORGET_ROUNDS_MAX; round += 1) {
    const count = await inTransaction(pool, `SET LOCAL ROLE ${identifier(roleOf(service))}`, async (client) => {
      const { rowCount } = await client.query(
        `DELETE FROM ${seen} WHERE ctid = ANY(ARRAY(
           SELECT ctid FROM ${seen} WHERE topic = $1 AND seen_at < now() - $2::interval LIMIT ${FORGET_ROWS_MAX}))`,
        [topic, SEEN_FOR],
      );
      return rowCount ?? 0;
    });
    if (count < FORGET_ROWS_MAX) return;
  }
}
