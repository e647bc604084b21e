import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { Gap, Padding, Span } from "./domain.ts";
import type { KnownTrack, SegmentTracks } from "./presentation.ts";

export type CopyState = "scheduled" | "recording" | "completed" | "failed" | "deleting";
export type RecordingState = "scheduled" | "recording" | "completed" | "failed";

type Tables = {
  copies: {
    tenant: string;
    id: string;
    channel_id: string;
    programme_id: string;
    shared: boolean;
    tier: string;
    age_rating: number;
    from_ms: number;
    to_ms: number;
    state: CopyState;
    pinned_to_ms: number;
    last_number: number;
    segments: number;
    index_version: number;
    indexed_segments: number;
    tracks: readonly KnownTrack[] | null;
    gaps: readonly Gap[];
    due_at_ms: number;
  };
  segments: { tenant: string; copy_id: string; number: number; tracks: SegmentTracks };
  recordings: {
    tenant: string;
    id: string;
    user_id: string;
    profile_id: string;
    rule_id: string | null;
    copy_id: string;
    channel_id: string;
    channel_name: string;
    programme_id: string;
    titles: Readonly<Record<string, string>>;
    series_id: string;
    episode_key: string;
    age_rating: number;
    start_ms: number;
    stop_ms: number;
    pad_before_s: number;
    pad_after_s: number;
    state: RecordingState;
    failure: string;
  };
  rules: {
    tenant: string;
    id: string;
    user_id: string;
    profile_id: string;
    series_id: string;
    title: string;
    channel_id: string;
    new_only: boolean;
    keep: number;
    pad_before_s: number;
    pad_after_s: number;
    due_at_ms: number;
  };
  episodes: { tenant: string; rule_id: string; episode_key: string; recording_id: string };
};

export type Copy = Omit<Tables["copies"], "tenant">;
export type Recording = Omit<Tables["recordings"], "tenant">;
export type Rule = Omit<Tables["rules"], "tenant">;

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

export const paddingOf = ({ pad_before_s, pad_after_s }: Pick<Recording, "pad_before_s" | "pad_after_s">): Padding => ({
  beforeS: pad_before_s,
  afterS: pad_after_s,
});

/** One after the other for an account, so that nobody counts what another is about to add. */
export const lockAccount = (tx: Tx, userId: string): Promise<unknown> => lock(tx, `account/${userId}`);
/** The same for those who may share a copy. */
export const lockProgramme = (tx: Tx, programmeId: string): Promise<unknown> => lock(tx, `programme/${programmeId}`);

const lock = (tx: Tx, name: string): Promise<unknown> =>
  tx.executeSql("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`recording/${tx.tenant}/${name}`]);

export async function insertCopy(tx: Tx, copy: Copy): Promise<void> {
  await tables(tx)
    .insertInto("copies")
    .values({ ...copy, tenant: tx.tenant, tracks: null, gaps: "[]" as never })
    .execute();
}

export async function findCopy(tx: Tx, id: string): Promise<Copy | undefined> {
  return tables(tx).selectFrom("copies").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The copy of a programme that others may join. */
export async function sharedCopy(tx: Tx, programmeId: string): Promise<Copy | undefined> {
  return tables(tx)
    .selectFrom("copies")
    .selectAll()
    .where("programme_id", "=", programmeId)
    .where("shared", "=", true)
    .where("state", "in", ["scheduled", "recording", "completed"])
    .forUpdate()
    .executeTakeFirst();
}

export async function copiesOf(tx: Tx, ids: readonly string[]): Promise<Copy[]> {
  return ids.length === 0 ? [] : tables(tx).selectFrom("copies").selectAll().where("id", "in", ids).execute();
}

/** Copies that want to be looked at, for as long as the lease goes. */
export async function claimCopies(
  tx: Tx,
  { nowMs, leaseMs, max }: { readonly nowMs: number; readonly leaseMs: number; readonly max: number },
): Promise<Copy[]> {
  const { rows } = await sql<Copy>`
    WITH due AS (
      SELECT id FROM copies WHERE state IN ('scheduled', 'recording', 'deleting') AND due_at_ms <= ${nowMs}
       ORDER BY due_at_ms LIMIT ${max} FOR UPDATE SKIP LOCKED)
    UPDATE copies AS c SET due_at_ms = ${nowMs + leaseMs} FROM due WHERE c.id = due.id RETURNING c.*`.execute(tx.q);
  return rows;
}

/** A copy, held until the transaction ends. */
export async function lockCopy(tx: Tx, id: string): Promise<Copy | undefined> {
  return tables(tx).selectFrom("copies").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
}

/** What is changed of a copy; one that is being deleted is left alone. */
export type CopyChange = Partial<Omit<Copy, "id" | "tracks" | "gaps">> & Partial<Pick<Copy, "tracks" | "gaps">>;

export async function changeCopy(tx: Tx, id: string, { tracks, gaps, ...rest }: CopyChange): Promise<void> {
  const json = {
    ...(tracks === undefined ? {} : { tracks: JSON.stringify(tracks) as never }),
    ...(gaps === undefined ? {} : { gaps: JSON.stringify(gaps) as never }),
  };
  await tables(tx)
    .updateTable("copies")
    .set({ ...rest, ...json })
    .where("id", "=", id)
    .where("state", "!=", "deleting")
    .execute();
}

/** Nobody waits longer for a moment that only a clock that stood wrong could see. */
export async function pullForward(tx: Tx, nowMs: number): Promise<void> {
  await sql`
    UPDATE copies SET due_at_ms = ${nowMs} WHERE state IN ('scheduled', 'recording', 'deleting')
       AND due_at_ms > GREATEST(from_ms, ${nowMs}) + 600000`.execute(tx.q);
}

/** Adds segments, numbered on from those that are there. */
export async function addSegments(tx: Tx, copyId: string, from: number, all: readonly SegmentTracks[]): Promise<void> {
  if (all.length === 0) return;
  await tables(tx)
    .insertInto("segments")
    .values(
      all.map((tracks, index) => ({
        ...{ tenant: tx.tenant, copy_id: copyId, number: from + index },
        tracks: JSON.stringify(tracks) as never,
      })),
    )
    .execute();
}

export async function segmentsOf(tx: Tx, copyId: string): Promise<SegmentTracks[]> {
  const rows = await tables(tx)
    .selectFrom("segments")
    .select("tracks")
    .where("copy_id", "=", copyId)
    .orderBy("number")
    .execute();
  return rows.map(({ tracks }) => tracks);
}

export async function deleteCopy(tx: Tx, id: string): Promise<void> {
  await tables(tx).deleteFrom("copies").where("id", "=", id).execute();
}

export async function insertRecording(tx: Tx, recording: Recording): Promise<void> {
  await tables(tx)
    .insertInto("recordings")
    .values({ ...recording, tenant: tx.tenant, titles: JSON.stringify(recording.titles) as never })
    .execute();
}

/** An account's recordings, the latest first. */
export async function ofAccount(tx: Tx, userId: string, limit: number): Promise<Recording[]> {
  return tables(tx)
    .selectFrom("recordings")
    .selectAll()
    .where("user_id", "=", userId)
    .orderBy("start_ms", "desc")
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
}

/** By its id, or by that of what is played. */
export async function findRecording(tx: Tx, userId: string, id: string): Promise<Recording | undefined> {
  return tables(tx)
    .selectFrom("recordings")
    .selectAll()
    .where("user_id", "=", userId)
    .where((or) => or.or([or("id", "=", id), or("copy_id", "=", id)]))
    .executeTakeFirst();
}

export async function ofCopy(tx: Tx, copyId: string): Promise<Recording[]> {
  return tables(tx).selectFrom("recordings").selectAll().where("copy_id", "=", copyId).orderBy("id").execute();
}

export async function ofProgrammes(tx: Tx, programmeIds: readonly string[]): Promise<Recording[]> {
  if (programmeIds.length === 0) return [];
  return tables(tx)
    .selectFrom("recordings")
    .selectAll()
    .where(sql<boolean>`programme_id = ANY(${programmeIds}::text[])`)
    .where("state", "in", ["scheduled", "recording"])
    .orderBy("id")
    .execute();
}

export async function completedOf(tx: Tx, ruleId: string): Promise<Recording[]> {
  return tables(tx)
    .selectFrom("recordings")
    .selectAll()
    .where("rule_id", "=", ruleId)
    .where("state", "=", "completed")
    .execute();
}

export async function changeRecording(tx: Tx, id: string, change: Partial<Omit<Recording, "id" | "titles">>) {
  await tables(tx).updateTable("recordings").set(change).where("id", "=", id).execute();
}

export async function deleteRecording(tx: Tx, id: string): Promise<void> {
  await tables(tx).deleteFrom("recordings").where("id", "=", id).execute();
}

export async function saveRule(tx: Tx, rule: Rule): Promise<void> {
  await tables(tx)
    .insertInto("rules")
    .values({ ...rule, tenant: tx.tenant })
    .execute();
}

export async function rulesOf(tx: Tx, userId: string, limit: number): Promise<Rule[]> {
  return tables(tx).selectFrom("rules").selectAll().where("user_id", "=", userId).orderBy("id").limit(limit).execute();
}

export async function takeRule(tx: Tx, userId: string, id: string): Promise<Rule | undefined> {
  return tables(tx)
    .deleteFrom("rules")
    .where("user_id", "=", userId)
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirst();
}

export async function dueRules(tx: Tx, nowMs: number, nextMs: number, limit: number): Promise<Rule[]> {
  const { rows } = await sql<Rule>`
    WITH due AS (SELECT id FROM rules WHERE due_at_ms <= ${nowMs} ORDER BY due_at_ms LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    UPDATE rules AS r SET due_at_ms = ${nextMs} FROM due WHERE r.id = due.id RETURNING r.*`.execute(tx.q);
  return rows;
}

/** The guide of some channels has changed: whoever records a series there looks again. */
export async function wakeRules(tx: Tx, channelIds: readonly string[], nowMs: number): Promise<void> {
  await sql`
    UPDATE rules SET due_at_ms = ${nowMs}
     WHERE (channel_id = '' OR channel_id = ANY(${channelIds}::text[])) AND due_at_ms > ${nowMs}`.execute(tx.q);
}

export async function episodesOf(tx: Tx, ruleId: string): Promise<Set<string>> {
  const rows = await tables(tx).selectFrom("episodes").select("episode_key").where("rule_id", "=", ruleId).execute();
  return new Set(rows.map(({ episode_key }) => episode_key));
}

export async function addEpisode(tx: Tx, ruleId: string, episodeKey: string, recordingId: string): Promise<void> {
  await tables(tx)
    .insertInto("episodes")
    .values({ tenant: tx.tenant, rule_id: ruleId, episode_key: episodeKey, recording_id: recordingId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Nothing came of it: another airing of the episode may be recorded. */
export async function forgetEpisode(tx: Tx, recordingId: string): Promise<void> {
  await tables(tx).deleteFrom("episodes").where("recording_id", "=", recordingId).execute();
}

export async function moveCopy(tx: Tx, id: string, { fromMs, toMs }: Span, dueAtMs: number): Promise<void> {
  await tables(tx)
    .updateTable("copies")
    .set({ from_ms: fromMs, to_ms: toMs, due_at_ms: dueAtMs })
    .where("id", "=", id)
    .execute();
}

export async function ofPerson(tx: Tx, column: "user_id" | "profile_id", id: string): Promise<Recording[]> {
  return tables(tx).selectFrom("recordings").selectAll().where(column, "=", id).execute();
}

export async function deleteRules(tx: Tx, column: "user_id" | "profile_id", id: string): Promise<void> {
  await tables(tx).deleteFrom("rules").where(column, "=", id).execute();
}
