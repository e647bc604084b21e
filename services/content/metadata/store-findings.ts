import type { Kysely } from "kysely";
import type { Tx } from "#kernel";
import type { Kind } from "./domain-moderation.ts";

export type Verdict = "accepted" | "rejected";

type FindingRow = {
  tenant: string;
  id: string;
  content_id: string;
  kind: Kind;
  start_s: number;
  end_s: number;
  score: number;
  label: string;
  state: "waiting" | Verdict;
  model: string;
  version: string;
  found_at_ms: number;
  decided_at_ms: number;
};

const tables = (tx: Tx): Kysely<{ findings: FindingRow }> => tx.q.withTables<{ findings: FindingRow }>();

export interface Finding {
  readonly id: string;
  readonly contentId: string;
  readonly kind: FindingRow["kind"];
  readonly startS: number;
  readonly endS: number;
  readonly score: number;
  readonly label: string;
  readonly state: FindingRow["state"];
  readonly model: string;
  readonly version: string;
  readonly foundAtMs: number;
  readonly decidedAtMs: number;
}

const toFinding = (row: FindingRow): Finding => ({
  ...{ id: row.id, contentId: row.content_id, kind: row.kind, startS: row.start_s, endS: row.end_s },
  ...{ score: row.score, label: row.label, state: row.state, model: row.model, version: row.version },
  ...{ foundAtMs: row.found_at_ms, decidedAtMs: row.decided_at_ms },
});

/** What nobody has decided is replaced, of some kinds, by what was found now; what somebody has stays. */
export async function replaceWaiting(
  tx: Tx,
  contentId: string,
  kinds: readonly Kind[],
  found: readonly Finding[],
): Promise<void> {
  if (kinds.length > 0)
    await tables(tx)
      .deleteFrom("findings")
      .where("content_id", "=", contentId)
      .where("state", "=", "waiting")
      .where("kind", "in", kinds)
      .execute();
  if (found.length === 0) return;
  await tables(tx)
    .insertInto("findings")
    .values(
      found.map((each) => ({
        ...{ tenant: tx.tenant, id: each.id, content_id: contentId, kind: each.kind },
        ...{ start_s: each.startS, end_s: each.endS, score: each.score, label: each.label, state: each.state },
        ...{ model: each.model, version: each.version, found_at_ms: each.foundAtMs, decided_at_ms: 0 },
      })),
    )
    .execute();
}

export async function ofTitle(tx: Tx, contentId: string): Promise<Finding[]> {
  const rows = await tables(tx).selectFrom("findings").selectAll().where("content_id", "=", contentId).execute();
  return rows.map(toFinding);
}

export async function list(
  tx: Tx,
  of: { readonly contentId: string; readonly state: Finding["state"]; readonly limit: number },
): Promise<Finding[]> {
  const query = tables(tx).selectFrom("findings").selectAll().where("state", "=", of.state);
  const rows = await (of.contentId === "" ? query : query.where("content_id", "=", of.contentId))
    .orderBy("found_at_ms")
    .orderBy("start_s")
    .limit(of.limit)
    .execute();
  return rows.map(toFinding);
}

/** `waiting` takes a verdict back: it is as if nobody had decided. */
export async function decide(
  tx: Tx,
  id: string,
  verdict: Verdict | "waiting",
  nowMs: number,
): Promise<Finding | undefined> {
  const row = await tables(tx)
    .updateTable("findings")
    .set({ state: verdict, decided_at_ms: verdict === "waiting" ? 0 : nowMs })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirst();
  return row && toFinding(row);
}

export async function countWaiting(tx: Tx, contentIds: readonly string[]): Promise<Map<string, number>> {
  if (contentIds.length === 0) return new Map();
  const rows = await tables(tx)
    .selectFrom("findings")
    .select(({ fn }) => ["content_id", fn.countAll<number>().as("count")])
    .where("state", "=", "waiting")
    .where("content_id", "in", contentIds)
    .groupBy("content_id")
    .execute();
  return new Map(rows.map((row) => [row.content_id, row.count]));
}
