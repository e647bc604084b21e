import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { Reference } from "#learning/drift";
import type { Stage } from "./domain.ts";
import type { Judgement } from "./domain-recipe.ts";

/** What a version was made of. */
export interface Lineage {
  readonly fromMs: number;
  readonly toMs: number;
  readonly trainingRows: number;
  readonly testRows: number;
  readonly features: readonly string[];
  readonly cause: string;
  readonly startedAtMs?: number;
  /** What it was trained with; versions from before there was a search do not say. */
  readonly options?: Options;
  /** What was tried before, that of the recipe first; none where there was too little to choose by. */
  readonly trials?: readonly Trial[];
}
export type Options = Readonly<Record<string, number>>;
export interface Trial {
  readonly options: Options;
  /** Of the rows to learn from. */
  readonly share: number;
  readonly loss: number;
  readonly isChosen: boolean;
}

export interface Version {
  readonly name: string;
  readonly version: number;
  readonly stage: Stage;
  readonly share: number;
  readonly reason: string;
  readonly trainedAtMs: number;
  readonly stageSinceMs: number;
  readonly artefactKey: string;
  readonly sha256: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly segments: Judgement["segments"];
  readonly lineage: Lineage;
  readonly reference: Reference;
}

export interface Live {
  readonly sinceMs: number;
  readonly predictions: number;
  readonly failures: number;
  /** For each bin of the reference. */
  readonly bins: readonly number[];
}

type VersionRow = {
  tenant: string;
  name: string;
  version: number;
  stage: Stage;
  share: number;
  reason: string;
  trained_at_ms: number;
  stage_since_ms: number;
  artefact_key: string;
  sha256: string;
  metrics: Record<string, number>;
  segments: Judgement["segments"];
  lineage: Lineage;
  reference: Reference;
};
type LiveRow = {
  tenant: string;
  name: string;
  version: number;
  since_ms: number;
  predictions: number;
  failures: number;
  bins: number[];
};
type Tables = { versions: VersionRow; live: LiveRow };
const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

const toVersion = (row: VersionRow): Version => ({
  ...{ name: row.name, version: row.version, stage: row.stage, share: row.share, reason: row.reason },
  ...{ trainedAtMs: row.trained_at_ms, stageSinceMs: row.stage_since_ms, artefactKey: row.artefact_key },
  ...{ sha256: row.sha256, metrics: row.metrics, segments: row.segments },
  ...{ lineage: row.lineage, reference: row.reference },
});

/** Versions, the newest first; of one model or of all. */
export async function list(
  tx: Tx,
  of: { readonly name?: string | undefined; readonly limit: number },
): Promise<Version[]> {
  let query = tables(tx).selectFrom("versions").selectAll();
  if (of.name !== undefined) query = query.where("name", "=", of.name);
  return (await query.orderBy("name").orderBy("version", "desc").limit(of.limit).execute()).map(toVersion);
}

export async function one(tx: Tx, name: string, version: number): Promise<Version | undefined> {
  const query = tables(tx).selectFrom("versions").selectAll().where("name", "=", name).where("version", "=", version);
  const row = await query.executeTakeFirst();
  return row && toVersion(row);
}

/** Those that answer now. */
export async function serving(tx: Tx, name: string): Promise<Version[]> {
  const rows = await tables(tx)
    .selectFrom("versions")
    .selectAll()
    .where("name", "=", name)
    .where("stage", "in", ["canary", "production"])
    .execute();
  return rows.map(toVersion);
}

/** Keeps all who change the versions of a model in one line until the transaction ends. */
export async function lockModel(tx: Tx, name: string): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(hashtext(${`models/${tx.tenant}/${name}`}))`.execute(tx.q);
}

export async function nextVersion(tx: Tx, name: string): Promise<number> {
  const row = await tables(tx)
    .selectFrom("versions")
    .select(({ fn }) => fn.max("version").as("last"))
    .where("name", "=", name)
    .executeTakeFirst();
  return (row?.last ?? 0) + 1;
}

export async function insert(tx: Tx, one: Version): Promise<void> {
  await tables(tx)
    .insertInto("versions")
    .values({
      ...{ tenant: tx.tenant, name: one.name, version: one.version, stage: one.stage, share: one.share },
      ...{ reason: one.reason, trained_at_ms: one.trainedAtMs, stage_since_ms: one.stageSinceMs },
      ...{ artefact_key: one.artefactKey, sha256: one.sha256 },
      metrics: sql`${JSON.stringify(one.metrics)}::jsonb`,
      segments: sql`${JSON.stringify(one.segments)}::jsonb`,
      lineage: sql`${JSON.stringify(one.lineage)}::jsonb`,
      reference: sql`${JSON.stringify(one.reference)}::jsonb`,
    })
    .execute();
}

export interface Staged {
  readonly stage: Stage;
  readonly share: number;
  readonly reason: string;
  readonly atMs: number;
}

/** Gives a version its stage, and begins to count anew. */
export async function setStage(
  tx: Tx,
  { name, version }: Pick<Version, "name" | "version">,
  to: Staged,
): Promise<void> {
  await tables(tx)
    .updateTable("versions")
    .set({ stage: to.stage, share: to.share, reason: to.reason, stage_since_ms: to.atMs })
    .where("name", "=", name)
    .where("version", "=", version)
    .execute();
  await dropLive(tx, { name, version });
}

/** The newest that was in production before. */
export async function lastRetired(tx: Tx, name: string): Promise<Version | undefined> {
  const row = await tables(tx)
    .selectFrom("versions")
    .selectAll()
    .where("name", "=", name)
    .where("stage", "=", "retired")
    .orderBy("stage_since_ms", "desc")
    .orderBy("version", "desc")
    .limit(1)
    .executeTakeFirst();
  return row && toVersion(row);
}

export async function live(tx: Tx, name: string): Promise<Map<number, Live>> {
  const rows = await tables(tx).selectFrom("live").selectAll().where("name", "=", name).execute();
  return new Map(
    rows.map(({ version, since_ms, predictions, failures, bins }) => [
      version,
      { sinceMs: since_ms, predictions, failures, bins },
    ]),
  );
}

export async function dropLive(tx: Tx, { name, version }: Pick<Version, "name" | "version">): Promise<void> {
  await tables(tx).deleteFrom("live").where("name", "=", name).where("version", "=", version).execute();
}

/** Adds what was counted; several processes add to one row, bin by bin. */
export async function addLive(
  tx: Tx,
  { name, version, sinceMs, predictions, failures, bins }: Live & Pick<Version, "name" | "version">,
): Promise<void> {
  await sql`
    INSERT INTO live (tenant, name, version, since_ms, predictions, failures, bins)
    VALUES (${tx.tenant}, ${name}, ${version}, ${sinceMs}, ${predictions}, ${failures}, ${[...bins]}::int[])
    ON CONFLICT (tenant, name, version) DO UPDATE SET predictions = live.predictions + EXCLUDED.predictions,
      failures = live.failures + EXCLUDED.failures,
      bins = ARRAY(SELECT coalesce(a, 0) + coalesce(b, 0)
                     FROM unnest(live.bins, EXCLUDED.bins) WITH ORDINALITY AS both_of (a, b, place) ORDER BY place)`.execute(
    tx.q,
  );
}

/** Takes old versions away that nobody will go back to, all but the newest `keep`; returns the artefacts that nothing names any more. */
export async function dropOld(tx: Tx, name: string, keep: number): Promise<string[]> {
  const { rows } = await sql<{ artefact_key: string }>`
    DELETE FROM versions WHERE name = ${name} AND stage NOT IN ('canary', 'production')
       AND version <= (SELECT max(version) FROM versions WHERE name = ${name}) - ${keep}
    RETURNING artefact_key`.execute(tx.q);
  if (rows.length === 0) return [];
  const left = await tables(tx).selectFrom("versions").select("artefact_key").where("name", "=", name).execute();
  const named = new Set(left.map((row) => row.artefact_key));
  return rows.map((row) => row.artefact_key).filter((key) => !named.has(key));
}
