import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { SourceInfo } from "#kernel/ports/transcoder";
import type { Correctable, Maker, StepName, StepState } from "./domain.ts";

/** Whether viewers see subtitles that were found: a person accepted them, or nobody has read them; empty: they do not. */
export type SubtitlesShown = "" | "accepted" | "automatic";

type TitleRow = {
  tenant: string;
  content_id: string;
  source_key: string;
  source: string;
  sidecars: string;
  duration_s: number;
  begun_at_ms: number;
  subtitles_shown: SubtitlesShown;
};
type StepRow = {
  tenant: string;
  content_id: string;
  name: StepName;
  state: StepState;
  model: string;
  version: string;
  confidence: number;
  at_ms: number;
  reason: string;
  message: string;
  value: string;
  attempt: number;
};
type Tables = {
  titles: TitleRow;
  steps: StepRow;
  corrections: { tenant: string; content_id: string; what: Correctable; value: string; said_at_ms: number };
  findings: { tenant: string; content_id: string };
  fingerprints: { tenant: string; content_id: string; hashes: string };
  embeddings: { tenant: string; content_id: string };
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

export interface Sidecar {
  readonly key: string;
  readonly language: string;
}

export interface Title {
  readonly contentId: string;
  readonly sourceKey: string;
  readonly source: SourceInfo;
  readonly sidecars: readonly Sidecar[];
  readonly durationS: number;
  readonly begunAtMs: number;
  readonly subtitlesShown: SubtitlesShown;
}

export interface Step extends Maker {
  readonly contentId: string;
  readonly name: StepName;
  readonly state: StepState;
  readonly atMs: number;
  readonly reason: string;
  readonly message: string;
  /** Undefined while there is none. */
  readonly value: unknown;
  readonly attempt: number;
}

const toTitle = (row: TitleRow): Title => ({
  ...{ contentId: row.content_id, sourceKey: row.source_key, source: JSON.parse(row.source) as SourceInfo },
  ...{ sidecars: JSON.parse(row.sidecars) as Sidecar[], durationS: row.duration_s, begunAtMs: row.begun_at_ms },
  subtitlesShown: row.subtitles_shown,
});

const toStep = (row: StepRow): Step => ({
  ...{ contentId: row.content_id, name: row.name, state: row.state, attempt: row.attempt },
  ...{ model: row.model, version: row.version, confidence: row.confidence, atMs: row.at_ms },
  ...{ reason: row.reason, message: row.message },
  value: row.value === "" ? undefined : (JSON.parse(row.value) as unknown),
});

/** A file that is taken in again after a failure replaces the one before. */
export async function saveTitle(tx: Tx, title: Omit<Title, "subtitlesShown">): Promise<void> {
  const row = {
    ...{ source_key: title.sourceKey, source: JSON.stringify(title.source), begun_at_ms: title.begunAtMs },
    ...{ sidecars: JSON.stringify(title.sidecars), duration_s: title.durationS },
  };
  await tables(tx)
    .insertInto("titles")
    .values({ tenant: tx.tenant, content_id: title.contentId, subtitles_shown: "", ...row })
    .onConflict((conflict) => conflict.columns(["tenant", "content_id"]).doUpdateSet(row))
    .execute();
}

export async function insertSteps(tx: Tx, contentId: string, names: readonly StepName[]): Promise<void> {
  await tables(tx)
    .insertInto("steps")
    .values(
      names.map((name) => ({
        ...{ tenant: tx.tenant, content_id: contentId, name, state: "waiting" as const, attempt: 1 },
        ...{ model: "", version: "", confidence: 0, at_ms: 0, reason: "", message: "", value: "" },
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function title(tx: Tx, contentId: string, options: { lock?: boolean } = {}): Promise<Title | undefined> {
  const query = tables(tx).selectFrom("titles").selectAll().where("content_id", "=", contentId);
  const row = await (options.lock ? query.forUpdate() : query).executeTakeFirst();
  return row && toTitle(row);
}

export async function setSubtitlesShown(tx: Tx, contentId: string, shown: SubtitlesShown): Promise<void> {
  await tables(tx).updateTable("titles").set({ subtitles_shown: shown }).where("content_id", "=", contentId).execute();
}

export async function newest(tx: Tx, limit: number): Promise<Title[]> {
  return (await tables(tx).selectFrom("titles").selectAll().orderBy("begun_at_ms", "desc").limit(limit).execute()).map(
    toTitle,
  );
}

export async function steps(tx: Tx, contentIds: readonly string[]): Promise<Step[]> {
  if (contentIds.length === 0) return [];
  return (await tables(tx).selectFrom("steps").selectAll().where("content_id", "in", contentIds).execute()).map(toStep);
}

export async function step(tx: Tx, contentId: string, name: StepName): Promise<Step | undefined> {
  const row = await tables(tx)
    .selectFrom("steps")
    .selectAll()
    .where("content_id", "=", contentId)
    .where("name", "=", name)
    .executeTakeFirst();
  return row && toStep(row);
}

/** Steps of all titles that were skipped for a reason. */
export async function skippedFor(tx: Tx, reason: string, limit: number): Promise<Step[]> {
  const rows = await tables(tx)
    .selectFrom("steps")
    .selectAll()
    .where("state", "=", "skipped")
    .where("reason", "=", reason)
    .limit(limit)
    .execute();
  return rows.map(toStep);
}

export interface Unsure extends Maker {
  readonly contentId: string;
  readonly what: string;
  readonly step: string;
  readonly atMs: number;
}

/** Results below a confidence in whose place no person has said anything, the least sure first. */
export async function unsure(
  tx: Tx,
  of: {
    readonly below: number;
    readonly limit: number;
    readonly what: Readonly<Record<string, { readonly step: string }>>;
  },
): Promise<Unsure[]> {
  const whats = Object.entries(of.what);
  const { rows } = await sql<Unsure>`
    SELECT s.content_id AS "contentId", w.what, s.name AS step, s.confidence, s.model, s.version, s.at_ms AS "atMs"
      FROM steps AS s
      JOIN unnest(${whats.map(([what]) => what)}::text[], ${whats.map(([, { step }]) => step)}::text[]) AS w (what, step) ON w.step = s.name
     WHERE s.state = 'done' AND s.confidence < ${of.below}
       AND NOT EXISTS (SELECT 1 FROM corrections AS c WHERE c.content_id = s.content_id AND c.what = w.what)
     ORDER BY s.confidence, s.content_id, w.what LIMIT ${of.limit}`.execute(tx.q);
  return rows;
}

/** Makes a step wait for its next attempt, whose number it gives; its last result stays. */
export async function againStep(tx: Tx, contentId: string, name: StepName): Promise<number> {
  const row = await tables(tx)
    .updateTable("steps")
    .set({ state: "waiting", reason: "", message: "", attempt: sql<number>`attempt + 1` })
    .where("content_id", "=", contentId)
    .where("name", "=", name)
    .returning("attempt")
    .executeTakeFirst();
  return row?.attempt ?? 1;
}

/** True when the step stood at this attempt and was not done. */
export async function updateStep(
  tx: Tx,
  of: { readonly contentId: string; readonly name: StepName; readonly attempt: number },
  change: Partial<
    Pick<StepRow, "state" | "model" | "version" | "confidence" | "at_ms" | "reason" | "message" | "value">
  >,
): Promise<boolean> {
  const row = await tables(tx)
    .updateTable("steps")
    .set(change)
    .where("content_id", "=", of.contentId)
    .where("name", "=", of.name)
    .where("attempt", "=", of.attempt)
    .where("state", "in", ["waiting", "running"])
    .returning("name")
    .executeTakeFirst();
  return row !== undefined;
}

export async function corrections(tx: Tx, contentId: string): Promise<Map<Correctable, unknown>> {
  const rows = await tables(tx)
    .selectFrom("corrections")
    .select(["what", "value"])
    .where("content_id", "=", contentId)
    .execute();
  return new Map(rows.map(({ what, value }) => [what, JSON.parse(value) as unknown]));
}

export async function saveCorrection(
  tx: Tx,
  of: { readonly contentId: string; readonly what: Correctable; readonly value: unknown; readonly nowMs: number },
): Promise<void> {
  const row = { value: JSON.stringify(of.value), said_at_ms: of.nowMs };
  await tables(tx)
    .insertInto("corrections")
    .values({ tenant: tx.tenant, content_id: of.contentId, what: of.what, ...row })
    .onConflict((conflict) => conflict.columns(["tenant", "content_id", "what"]).doUpdateSet(row))
    .execute();
}

export async function removeCorrection(tx: Tx, contentId: string, what: Correctable): Promise<void> {
  await tables(tx).deleteFrom("corrections").where("content_id", "=", contentId).where("what", "=", what).execute();
}

export async function saveFingerprint(tx: Tx, contentId: string, hashes: string): Promise<void> {
  await tables(tx)
    .insertInto("fingerprints")
    .values({ tenant: tx.tenant, content_id: contentId, hashes })
    .onConflict((conflict) => conflict.columns(["tenant", "content_id"]).doUpdateSet({ hashes }))
    .execute();
}

/** Fingerprints of other titles, in the order of their ids. */
export async function fingerprintsAfter(
  tx: Tx,
  of: { readonly exceptContentId: string; readonly afterId: string; readonly limit: number },
): Promise<{ contentId: string; hashes: string }[]> {
  const rows = await tables(tx)
    .selectFrom("fingerprints")
    .select(["content_id", "hashes"])
    .where("content_id", ">", of.afterId)
    .where("content_id", "!=", of.exceptContentId)
    .orderBy("content_id")
    .limit(of.limit)
    .execute();
  return rows.map((row) => ({ contentId: row.content_id, hashes: row.hashes }));
}

export async function forget(tx: Tx, contentId: string): Promise<void> {
  for (const table of ["titles", "steps", "corrections", "findings", "fingerprints", "embeddings"] as const)
    await tables(tx).deleteFrom(table).where("content_id", "=", contentId).execute();
}
