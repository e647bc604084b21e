import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";

type Tables = {
  states: {
    tenant: string;
    feature_group: string;
    entity_key: string;
    user_id: string;
    state: unknown;
    event_time_ms: number;
    published: string | null;
    published_event_time_ms: number;
    due_at_ms: number | null;
  };
};
const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

/** Names a row. */
export interface Name {
  readonly group: string;
  readonly key: string;
}

export interface State extends Name {
  readonly userId: string;
  readonly state: unknown;
  readonly eventTimeMs: number;
  readonly published: string | undefined;
  readonly publishedEventTimeMs: number;
  readonly dueAtMs: number | undefined;
}

interface Row {
  feature_group: string;
  entity_key: string;
  user_id: string;
  state: unknown;
  event_time_ms: number;
  published: string | null;
  published_event_time_ms: number;
  due_at_ms: number | null;
}

const toState = (row: Row): State => ({
  ...{ group: row.feature_group, key: row.entity_key, userId: row.user_id, state: row.state },
  ...{ eventTimeMs: row.event_time_ms, published: row.published ?? undefined, dueAtMs: row.due_at_ms ?? undefined },
  publishedEventTimeMs: row.published_event_time_ms,
});

const namesOf = (names: readonly Name[]) =>
  sql`unnest(${names.map(({ group }) => group)}::text[], ${names.map(({ key }) => key)}::text[]) AS wanted (feature_group, entity_key)`;

/**
 * Locks rows until the transaction ends, those that are not there yet, too. Everybody locks in the same order.
 * @param names each once
 */
export async function lock(tx: Tx, names: readonly (Name & { readonly userId: string })[]): Promise<State[]> {
  const found = await lockThose(tx, names);
  if (found.length === names.length) return found;
  const known = new Set(found.map(({ group, key }) => `${group}/${key}`));
  const fresh = names.filter(({ group, key }) => !known.has(`${group}/${key}`));
  await sql`
    INSERT INTO states (tenant, feature_group, entity_key, user_id, state, event_time_ms)
    SELECT ${tx.tenant}, feature_group, entity_key, user_id, 'null', 0
      FROM unnest(${fresh.map(({ group }) => group)}::text[], ${fresh.map(({ key }) => key)}::text[],
        ${fresh.map(({ userId }) => userId)}::text[]) AS news (feature_group, entity_key, user_id)
     ORDER BY feature_group, entity_key
    ON CONFLICT DO NOTHING`.execute(tx.q);
  return [...found, ...(await lockThose(tx, fresh))];
}

async function lockThose(tx: Tx, names: readonly Name[]): Promise<State[]> {
  const { rows } = await sql<Row>`
    SELECT s.* FROM states s JOIN ${namesOf(names)} USING (feature_group, entity_key)
     ORDER BY s.feature_group, s.entity_key FOR UPDATE OF s`.execute(tx.q);
  return rows.map(toState);
}

/** Writes rows that are locked. */
export async function write(tx: Tx, states: readonly State[]): Promise<void> {
  if (states.length === 0) return;
  const column = <T>(of: (state: State) => T): T[] => states.map(of);
  await sql`
    UPDATE states AS s SET state = news.state::jsonb, event_time_ms = news.event_time_ms, published = news.published,
      published_event_time_ms = news.published_event_time_ms, due_at_ms = news.due_at_ms
      FROM unnest(${column(({ group }) => group)}::text[], ${column(({ key }) => key)}::text[],
        ${column(({ state }) => JSON.stringify(state))}::text[], ${column(({ eventTimeMs }) => eventTimeMs)}::bigint[],
        ${column(({ published }) => published ?? null)}::text[],
        ${column(({ publishedEventTimeMs }) => publishedEventTimeMs)}::bigint[],
        ${column(({ dueAtMs }) => dueAtMs ?? null)}::bigint[])
        AS news (feature_group, entity_key, state, event_time_ms, published, published_event_time_ms, due_at_ms)
     WHERE s.tenant = ${tx.tenant} AND s.feature_group = news.feature_group AND s.entity_key = news.entity_key`.execute(
    tx.q,
  );
}

/** Locks rows that are to be published by now, those that wait longest first, without those that somebody else has. */
export async function lockDue(tx: Tx, nowMs: number, limit: number): Promise<State[]> {
  const { rows } = await sql<Row>`
    SELECT * FROM states WHERE due_at_ms <= ${nowMs} ORDER BY due_at_ms LIMIT ${limit} FOR UPDATE SKIP LOCKED`.execute(
    tx.q,
  );
  return rows.map(toState);
}

/** What was published of these, held so that nobody publishes anything else until the transaction ends. */
export async function published(
  tx: Tx,
  names: readonly Name[],
): Promise<readonly (Name & { readonly published: string })[]> {
  const { rows } = await sql<{ feature_group: string; entity_key: string; published: string }>`
    SELECT s.feature_group, s.entity_key, s.published FROM states s JOIN ${namesOf(names)} USING (feature_group, entity_key)
     WHERE s.published IS NOT NULL ORDER BY s.feature_group, s.entity_key FOR SHARE OF s`.execute(tx.q);
  return rows.map((row) => ({ group: row.feature_group, key: row.entity_key, published: row.published }));
}

/** The same, page by page, of everybody. */
export async function publishedAfter(
  tx: Tx,
  after: Name,
  limit: number,
): Promise<readonly (Name & { readonly published: string })[]> {
  const { rows } = await sql<{ feature_group: string; entity_key: string; published: string }>`
    SELECT feature_group, entity_key, published FROM states
     WHERE (feature_group, entity_key) > (${after.group}, ${after.key}) AND published IS NOT NULL
     ORDER BY feature_group, entity_key LIMIT ${limit} FOR SHARE`.execute(tx.q);
  return rows.map((row) => ({ group: row.feature_group, key: row.entity_key, published: row.published }));
}

/** What is kept of these, without a lock. */
export async function statesOf(tx: Tx, group: string, keys: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
  if (keys.length === 0) return new Map();
  const rows = await tables(tx)
    .selectFrom("states")
    .select(["entity_key", "state"])
    .where("feature_group", "=", group)
    .where("entity_key", "in", [...new Set(keys)])
    .execute();
  return new Map(rows.map(({ entity_key: key, state }) => [key, state]));
}

export interface Summary {
  readonly group: string;
  readonly entities: number;
  readonly newestEventTimeMs: number;
  readonly oldestDueAtMs: number | undefined;
}

export async function summaries(tx: Tx): Promise<Summary[]> {
  const { rows } = await sql<{ feature_group: string; entities: number; newest: number; due: number | null }>`
    SELECT feature_group, count(published)::int AS entities, max(published_event_time_ms) AS newest, min(due_at_ms) AS due
      FROM states GROUP BY feature_group`.execute(tx.q);
  return rows.map(({ feature_group: group, entities, newest, due }) => ({
    ...{ group, entities, newestEventTimeMs: newest, oldestDueAtMs: due ?? undefined },
  }));
}

/** Since when the one of each group waits that waits longest; the index has it at hand. */
export async function oldestDue(tx: Tx, groups: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ feature_group: string; due: number }>`
    SELECT feature_group, min(due_at_ms) AS due FROM (
      SELECT feature_group, due_at_ms FROM states WHERE due_at_ms IS NOT NULL ORDER BY due_at_ms LIMIT 1000) AS first
     WHERE feature_group = ANY(${[...groups]}::text[]) GROUP BY feature_group`.execute(tx.q);
  return new Map(rows.map(({ feature_group: group, due }) => [group, due]));
}

/** Some entities of a group, other ones every day. */
export async function sample(tx: Tx, group: string, day: number, limit: number): Promise<string[]> {
  const { rows } = await sql<{ entity_key: string }>`
    SELECT entity_key FROM states WHERE feature_group = ${group} AND published IS NOT NULL
     ORDER BY md5(entity_key || ${String(day)}) LIMIT ${limit}`.execute(tx.q);
  return rows.map(({ entity_key: key }) => key);
}

/** Forgets what is of a person, of a profile or of a title, and says what that was. */
export async function forget(
  tx: Tx,
  of: { readonly userId: string } | { readonly key: string; readonly groups: readonly string[] },
): Promise<Name[]> {
  const deletion = tables(tx).deleteFrom("states");
  const chosen =
    "userId" in of
      ? deletion.where("user_id", "=", of.userId)
      : deletion.where("entity_key", "=", of.key).where("feature_group", "in", of.groups);
  const rows = await chosen.returning(["feature_group", "entity_key"]).execute();
  return rows.map(({ feature_group: group, entity_key: key }) => ({ group, key }));
}

/** Drops what nobody will be told any more: its life is over by the group's declaration. */
export async function dropOld(tx: Tx, group: string, beforeMs: number, limit: number): Promise<Name[]> {
  const { rows } = await sql<{ feature_group: string; entity_key: string }>`
    DELETE FROM states WHERE (tenant, feature_group, entity_key) IN (
      SELECT tenant, feature_group, entity_key FROM states
       WHERE feature_group = ${group} AND published_event_time_ms < ${beforeMs} AND event_time_ms < ${beforeMs} AND due_at_ms IS NULL
       LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING feature_group, entity_key`.execute(tx.q);
  return rows.map(({ feature_group: name, entity_key: key }) => ({ group: name, key }));
}
