import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import { type Arm, NO_SAMPLES } from "#learning/sequential";
import type { Metric, Sums } from "./domain.ts";

export interface Experiment {
  readonly name: string;
  readonly surface: string;
  readonly state: "running" | "stopped";
  readonly treatmentPercent: number;
  readonly metric: Metric;
  readonly scale: number;
  readonly windowMs: number;
  readonly startedAtMs: number;
  readonly stoppedAtMs: number | null;
  readonly reason: string;
}
export type ArmName = "control" | "treatment";

type ExperimentRow = {
  tenant: string;
  name: string;
  surface: string;
  state: Experiment["state"];
  treatment_percent: number;
  metric: Metric;
  scale: number;
  window_ms: number;
  started_at_ms: number;
  stopped_at_ms: number | null;
  reason: string;
};
type Tables = {
  experiments: ExperimentRow;
  exposures: { tenant: string; experiment: string; user_id: string; arm: ArmName; is_counted: boolean };
  sums: {
    tenant: string;
    experiment: string;
    metric: Metric;
    arm: ArmName;
    count: number;
    sum: number;
    sum_of_squares: number;
  };
  p_values: { tenant: string; experiment: string; metric: Metric; p_value: number };
};
const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

const toExperiment = (row: ExperimentRow): Experiment => ({
  ...{ name: row.name, surface: row.surface, state: row.state, treatmentPercent: row.treatment_percent },
  ...{ metric: row.metric, scale: row.scale, windowMs: row.window_ms, startedAtMs: row.started_at_ms },
  ...{ stoppedAtMs: row.stopped_at_ms, reason: row.reason },
});

export async function list(tx: Tx, limit: number): Promise<Experiment[]> {
  const query = tables(tx).selectFrom("experiments").selectAll().orderBy("started_at_ms", "desc").orderBy("name");
  return (await query.limit(limit).execute()).map(toExperiment);
}

export async function running(tx: Tx): Promise<Experiment[]> {
  const query = tables(tx).selectFrom("experiments").selectAll().where("state", "=", "running").orderBy("name");
  return (await query.execute()).map(toExperiment);
}

/** An experiment; with `isLocked` nobody else changes it until the transaction ends. */
export async function find(tx: Tx, name: string, isLocked = false): Promise<Experiment | undefined> {
  const query = tables(tx).selectFrom("experiments").selectAll().where("name", "=", name);
  const row = await (isLocked ? query.forUpdate() : query).executeTakeFirst();
  return row && toExperiment(row);
}

/** Keeps all who start experiments of a surface in one line until the transaction ends, and counts those that run. */
export async function lockSurface(tx: Tx, surface: string): Promise<number> {
  await sql`SELECT pg_advisory_xact_lock(hashtext(${`experiments/${tx.tenant}/${surface}`}))`.execute(tx.q);
  return (await running(tx)).filter((one) => one.surface === surface).length;
}

export async function insert(tx: Tx, one: Experiment): Promise<void> {
  await tables(tx)
    .insertInto("experiments")
    .values({
      ...{ tenant: tx.tenant, name: one.name, surface: one.surface, state: one.state, metric: one.metric },
      ...{ treatment_percent: one.treatmentPercent, scale: one.scale, window_ms: one.windowMs },
      ...{ started_at_ms: one.startedAtMs, stopped_at_ms: null, reason: one.reason },
    })
    .execute();
}

export async function stop(tx: Tx, name: string, reason: string, atMs: number): Promise<void> {
  await tables(tx)
    .updateTable("experiments")
    .set({ state: "stopped", stopped_at_ms: atMs, reason })
    .where("name", "=", name)
    .execute();
}

export interface Exposure {
  readonly experiment: string;
  readonly arm: ArmName;
  readonly windowMs: number;
}

/** Remembers first exposures; returns those that were. */
export async function expose(tx: Tx, userId: string, all: readonly Exposure[], atMs: number): Promise<string[]> {
  if (all.length === 0) return [];
  const { rows } = await sql<{ experiment: string }>`
    INSERT INTO exposures (tenant, experiment, user_id, arm, exposed_at_ms, ends_at_ms)
    SELECT ${tx.tenant}, experiment, ${userId}, arm, ${atMs}, ${atMs} + window_ms
      FROM unnest(${all.map(({ experiment }) => experiment)}::text[], ${all.map(({ arm }) => arm)}::text[],
        ${all.map(({ windowMs }) => windowMs)}::bigint[]) AS news (experiment, arm, window_ms)
    ON CONFLICT DO NOTHING RETURNING experiment`.execute(tx.q);
  return rows.map(({ experiment }) => experiment);
}

/** What somebody did at a time. */
export interface Deed {
  readonly userId: string;
  readonly atMs: number;
  readonly sessions: number;
  readonly watchedS: number;
  readonly errors: number;
}

/** Adds deeds to the exposures in whose windows they are. */
export async function add(tx: Tx, deeds: readonly Deed[]): Promise<void> {
  await sql`
    UPDATE exposures AS e SET sessions = e.sessions + more.sessions, watched_s = e.watched_s + more.watched_s,
           errors = e.errors + more.errors
      FROM (SELECT x.experiment, x.user_id, sum(d.sessions)::int AS sessions, sum(d.watched_s) AS watched_s, sum(d.errors)::int AS errors
              FROM unnest(${deeds.map(({ userId }) => userId)}::text[], ${deeds.map(({ atMs }) => atMs)}::bigint[],
                ${deeds.map(({ sessions }) => sessions)}::int[], ${deeds.map(({ watchedS }) => watchedS)}::float8[],
                ${deeds.map(({ errors }) => errors)}::int[]) AS d (user_id, at_ms, sessions, watched_s, errors)
              JOIN exposures AS x ON x.user_id = d.user_id AND NOT x.is_counted
               AND d.at_ms >= x.exposed_at_ms AND d.at_ms < x.ends_at_ms
             GROUP BY x.experiment, x.user_id) AS more
     WHERE e.experiment = more.experiment AND e.user_id = more.user_id`.execute(tx.q);
}

/** Takes the samples of windows that were over at a time; how many. What another process takes is left to it. */
export async function take(tx: Tx, experiment: string, overAtMs: number, limit: number): Promise<number> {
  const { rows } = await sql<{ taken: number }>`
    WITH taken AS (
      UPDATE exposures SET is_counted = true
       WHERE experiment = ${experiment} AND user_id IN (
         SELECT user_id FROM exposures WHERE experiment = ${experiment} AND NOT is_counted AND ends_at_ms <= ${overAtMs}
          ORDER BY ends_at_ms, user_id LIMIT ${limit} FOR UPDATE SKIP LOCKED)
      RETURNING arm, sessions, watched_s, errors
    ), samples AS (
      SELECT arm, metric, value FROM taken CROSS JOIN LATERAL (VALUES ('viewed', (sessions > 0)::int::float8),
        ('watch_s', watched_s), ('sessions', sessions::float8), ('errors', errors::float8)) AS of (metric, value)
    ), added AS (
      INSERT INTO sums (tenant, experiment, metric, arm, count, sum, sum_of_squares)
      SELECT ${tx.tenant}, ${experiment}, metric, arm, count(*), sum(value), sum(value * value) FROM samples GROUP BY metric, arm
      ON CONFLICT (tenant, experiment, metric, arm) DO UPDATE SET count = sums.count + EXCLUDED.count,
        sum = sums.sum + EXCLUDED.sum, sum_of_squares = sums.sum_of_squares + EXCLUDED.sum_of_squares
    )
    SELECT count(*)::int AS taken FROM taken`.execute(tx.q);
  return rows[0]?.taken ?? 0;
}

export async function sumsOf(tx: Tx, experiment: string): Promise<Map<Metric, Sums>> {
  const rows = await tables(tx).selectFrom("sums").selectAll().where("experiment", "=", experiment).execute();
  const armOf = (metric: Metric, arm: ArmName): Arm => {
    const row = rows.find((one) => one.metric === metric && one.arm === arm);
    return row ? { count: row.count, sum: row.sum, sumOfSquares: row.sum_of_squares } : NO_SAMPLES;
  };
  return new Map(
    rows.map(({ metric }) => [metric, { control: armOf(metric, "control"), treatment: armOf(metric, "treatment") }]),
  );
}

export async function pValues(tx: Tx, experiment: string): Promise<Map<string, number>> {
  const rows = await tables(tx).selectFrom("p_values").selectAll().where("experiment", "=", experiment).execute();
  return new Map(rows.map(({ metric, p_value }) => [metric, p_value]));
}

export async function keepPValue(tx: Tx, experiment: string, metric: Metric, pValue: number): Promise<void> {
  await sql`
    INSERT INTO p_values (tenant, experiment, metric, p_value) VALUES (${tx.tenant}, ${experiment}, ${metric}, ${pValue})
    ON CONFLICT (tenant, experiment, metric) DO UPDATE SET p_value = least(p_values.p_value, EXCLUDED.p_value)`.execute(
    tx.q,
  );
}

export interface ArmCount {
  readonly arm: ArmName;
  readonly exposed: number;
  readonly counted: number;
}

export async function countArms(tx: Tx, experiment: string): Promise<ArmCount[]> {
  const { rows } = await sql<ArmCount>`
    SELECT arm, count(*)::int AS exposed, (count(*) FILTER (WHERE is_counted))::int AS counted
      FROM exposures WHERE experiment = ${experiment} GROUP BY arm`.execute(tx.q);
  return rows;
}

/** What people did in experiments that are long over, or of somebody who is gone; sums stay. */
export async function forget(
  tx: Tx,
  of: { readonly userId: string } | { readonly stoppedBeforeMs: number },
): Promise<void> {
  if ("userId" in of) {
    await tables(tx).deleteFrom("exposures").where("user_id", "=", of.userId).execute();
    return;
  }
  await sql`
    DELETE FROM exposures WHERE experiment IN
      (SELECT name FROM experiments WHERE stopped_at_ms IS NOT NULL AND stopped_at_ms < ${of.stoppedBeforeMs})`.execute(
    tx.q,
  );
}
