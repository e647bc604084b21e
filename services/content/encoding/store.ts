import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { SourceInfo } from "#kernel/ports/transcoder";
import type { Plan, Stage, Task } from "./domain.ts";

type Tables = {
  titles: {
    tenant: string;
    content_id: string;
    state: "encoding" | "playable" | "complete" | "failed";
    source_key: string;
    source: string;
    plan: string;
    package_revision: number;
    index_version: number;
    failure: string;
    failure_reason: string;
    attempt: number;
    started_at_ms: number;
    finished_at_ms: number | null;
  };
  tasks: {
    tenant: string;
    content_id: string;
    name: string;
    kind: Task["kind"];
    profile: string;
    chunk: number;
    stage: Stage;
    weight: number;
    done_at_ms: number | null;
    runs: number;
    result: string;
  };
  packages: { tenant: string; content_id: string; revision: number; stage: string; replaced_at_ms: number | null };
  retired: { tenant: string; content_id: string; revision: number; retired_at_ms: number };
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

export interface TitleRow {
  readonly contentId: string;
  readonly state: Tables["titles"]["state"];
  readonly sourceKey: string;
  readonly source: SourceInfo;
  readonly plan: Plan;
  readonly packageRevision: number;
  readonly indexVersion: number;
  readonly failure: string;
  readonly attempt: number;
  readonly startedAtMs: number;
}
export interface TaskRow extends Task {
  readonly done: boolean;
  readonly result: string;
}

const toTitle = (row: Tables["titles"]): TitleRow => ({
  contentId: row.content_id,
  state: row.state,
  sourceKey: row.source_key,
  source: JSON.parse(row.source) as SourceInfo,
  plan: JSON.parse(row.plan) as Plan,
  packageRevision: row.package_revision,
  indexVersion: row.index_version,
  failure: row.failure,
  attempt: row.attempt,
  startedAtMs: row.started_at_ms,
});

const toTask = (row: Tables["tasks"]): TaskRow => ({
  name: row.name,
  kind: row.kind,
  profile: row.profile,
  chunk: row.chunk,
  stage: row.stage,
  weight: row.weight,
  done: row.done_at_ms !== null,
  result: row.result,
});

/** False when the title is known already: the same event came twice. */
export async function insertTitle(
  tx: Tx,
  row: { contentId: string; sourceKey: string; source: SourceInfo; plan: Plan; nowMs: number },
  tasks: readonly Task[],
): Promise<boolean> {
  const inserted = await tables(tx)
    .insertInto("titles")
    .values({
      tenant: tx.tenant,
      content_id: row.contentId,
      state: "encoding",
      source_key: row.sourceKey,
      source: JSON.stringify(row.source),
      plan: JSON.stringify(row.plan),
      package_revision: 0,
      index_version: 0,
      failure: "",
      failure_reason: "",
      attempt: 1,
      started_at_ms: row.nowMs,
      finished_at_ms: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("content_id")
    .executeTakeFirst();
  if (!inserted) return false;
  await insertTasks(tx, row.contentId, tasks);
  return true;
}

export async function insertTasks(tx: Tx, contentId: string, tasks: readonly Task[]): Promise<void> {
  const values = tasks.map((task) => ({
    tenant: tx.tenant,
    content_id: contentId,
    ...task,
    done_at_ms: null,
    runs: 0,
    result: "",
  }));
  for (let at = 0; at < values.length; at += 500) {
    await tables(tx)
      .insertInto("tasks")
      .values(values.slice(at, at + 500))
      .execute();
  }
}

export async function setPlan(tx: Tx, contentId: string, plan: Plan): Promise<void> {
  await tables(tx)
    .updateTable("titles")
    .set({ plan: JSON.stringify(plan) })
    .where("content_id", "=", contentId)
    .execute();
}

export async function setWeight(tx: Tx, contentId: string, name: string, weight: number): Promise<void> {
  await tables(tx)
    .updateTable("tasks")
    .set({ weight })
    .where("content_id", "=", contentId)
    .where("name", "=", name)
    .execute();
}

export async function title(
  tx: Tx,
  contentId: string,
  options: { readonly lock: boolean } = { lock: false },
): Promise<TitleRow | undefined> {
  const query = tables(tx).selectFrom("titles").selectAll().where("content_id", "=", contentId);
  const row = await (options.lock ? query.forUpdate() : query).executeTakeFirst();
  return row && toTitle(row);
}

export async function titles(tx: Tx, contentIds: readonly string[]): Promise<TitleRow[]> {
  if (contentIds.length === 0) return [];
  return (await tables(tx).selectFrom("titles").selectAll().where("content_id", "in", contentIds).execute()).map(
    toTitle,
  );
}

export async function recent(tx: Tx, limit: number, activeOnly: boolean): Promise<TitleRow[]> {
  const query = tables(tx).selectFrom("titles").selectAll().orderBy("started_at_ms", "desc").limit(limit);
  return (await (activeOnly ? query.where("state", "in", ["encoding", "playable"]) : query).execute()).map(toTitle);
}

export async function tasks(tx: Tx, contentId: string): Promise<TaskRow[]> {
  return (
    await tables(tx).selectFrom("tasks").selectAll().where("content_id", "=", contentId).orderBy("name").execute()
  ).map(toTask);
}

export async function task(tx: Tx, contentId: string, name: string): Promise<TaskRow | undefined> {
  const row = await tables(tx)
    .selectFrom("tasks")
    .selectAll()
    .where("content_id", "=", contentId)
    .where("name", "=", name)
    .executeTakeFirst();
  return row && toTask(row);
}

/** Marks a task as done; false when it was. */
export async function finishTask(
  tx: Tx,
  contentId: string,
  name: string,
  result: string,
  nowMs: number,
): Promise<boolean> {
  const row = await tables(tx)
    .updateTable("tasks")
    .set({ done_at_ms: nowMs, result, runs: sql<number>`runs + 1` })
    .where("content_id", "=", contentId)
    .where("name", "=", name)
    .where("done_at_ms", "is", null)
    .returning("name")
    .executeTakeFirst();
  return row !== undefined;
}

export async function isStageDone(tx: Tx, contentId: string, stage: Stage): Promise<boolean> {
  const row = await tables(tx)
    .selectFrom("tasks")
    .select(sql<number>`count(*)`.as("left"))
    .where("content_id", "=", contentId)
    .where("stage", "=", stage)
    .where("done_at_ms", "is", null)
    .executeTakeFirstOrThrow();
  return row.left === 0;
}

export async function updateTitle(
  tx: Tx,
  contentId: string,
  change: Partial<
    Pick<
      Tables["titles"],
      "state" | "package_revision" | "index_version" | "failure" | "failure_reason" | "attempt" | "finished_at_ms"
    >
  >,
): Promise<void> {
  await tables(tx).updateTable("titles").set(change).where("content_id", "=", contentId).execute();
}

/** The revision of the next package; older ones are replaced from now on. Revisions are never reused, also not after a deletion. */
export async function newRevision(tx: Tx, contentId: string): Promise<number> {
  const revision = (await lastRevision(tx, contentId)) + 1;
  await tables(tx)
    .insertInto("packages")
    .values({ tenant: tx.tenant, content_id: contentId, revision, stage: "", replaced_at_ms: null })
    .execute();
  return revision;
}

/** The highest revision that the title, or a deleted one of its id, ever had; 0 for none. */
async function lastRevision(tx: Tx, contentId: string): Promise<number> {
  const last = await tables(tx)
    .selectFrom("packages")
    .select("revision")
    .where("content_id", "=", contentId)
    .orderBy("revision", "desc")
    .executeTakeFirst();
  const retired = await tables(tx)
    .selectFrom("retired")
    .select("revision")
    .where("content_id", "=", contentId)
    .executeTakeFirst();
  return Math.max(last?.revision ?? 0, retired?.revision ?? 0);
}

export async function unfinishedRevision(tx: Tx, contentId: string): Promise<number | undefined> {
  const row = await tables(tx)
    .selectFrom("packages")
    .select("revision")
    .where("content_id", "=", contentId)
    .where("stage", "=", "")
    .orderBy("revision", "desc")
    .executeTakeFirst();
  return row?.revision;
}

export async function finishRevision(tx: Tx, contentId: string, revision: number, nowMs: number): Promise<void> {
  await tables(tx)
    .updateTable("packages")
    .set({ stage: "packaged" })
    .where("content_id", "=", contentId)
    .where("revision", "=", revision)
    .execute();
  await tables(tx)
    .updateTable("packages")
    .set({ replaced_at_ms: nowMs })
    .where("content_id", "=", contentId)
    .where("revision", "<", revision)
    .where("replaced_at_ms", "is", null)
    .execute();
}

export async function replacedBefore(
  tx: Tx,
  beforeMs: number,
  limit: number,
): Promise<{ contentId: string; revision: number }[]> {
  const rows = await tables(tx)
    .selectFrom("packages")
    .select(["content_id", "revision"])
    .where("replaced_at_ms", "<", beforeMs)
    .limit(limit)
    .execute();
  return rows.map((row) => ({ contentId: row.content_id, revision: row.revision }));
}

export async function forgetRevision(tx: Tx, contentId: string, revision: number): Promise<void> {
  await tables(tx)
    .deleteFrom("packages")
    .where("content_id", "=", contentId)
    .where("revision", "=", revision)
    .execute();
}

export async function forgetTitle(tx: Tx, contentId: string, nowMs: number): Promise<void> {
  const revision = await lastRevision(tx, contentId);
  if (revision > 0) {
    const retired = { revision, retired_at_ms: nowMs };
    await tables(tx)
      .insertInto("retired")
      .values({ tenant: tx.tenant, content_id: contentId, ...retired })
      .onConflict((conflict) => conflict.columns(["tenant", "content_id"]).doUpdateSet(retired))
      .execute();
  }
  await tables(tx).deleteFrom("tasks").where("content_id", "=", contentId).execute();
  await tables(tx).deleteFrom("packages").where("content_id", "=", contentId).execute();
  await tables(tx).deleteFrom("titles").where("content_id", "=", contentId).execute();
}

/** When no cache can hold them any more, revisions may be used again. */
export async function forgetRetired(tx: Tx, beforeMs: number): Promise<void> {
  await tables(tx).deleteFrom("retired").where("retired_at_ms", "<", beforeMs).execute();
}
