import { type Kysely, sql } from "kysely";
import type { Tx } from "#kernel";
import type { Opinion, Past, Stage, Title } from "./domain.ts";
import type { Report, TrainingSet } from "./domain-model.ts";

// Types and not interfaces, because Kysely wants something that has an index signature.
type Of = { tenant: string; profile_id: string; content_id: string; user_id: string };
type Tables = {
  titles: {
    tenant: string;
    content_id: string;
    parent_id: string;
    kind: string;
    genres: readonly string[];
    features: readonly string[];
    age_rating: number;
    is_available: boolean;
    added_at_ms: number;
  };
  interactions: Of & { stage: Stage; last_at_ms: number };
  opinions: Of & { opinion: Opinion; at_ms: number };
  unpersonalised: { tenant: string; profile_id: string; user_id: string };
  artwork_shows: { tenant: string; profile_id: string; content_id: string; user_id: string };
  channel_views: { tenant: string; profile_id: string; user_id: string };
  exposures: Of & { shown: number; last_shown_at_ms: number };
  models: { tenant: string; trained_at_ms: number; report: Report };
};

const tables = (tx: Tx): Kysely<Tables> => tx.q.withTables<Tables>();

/** Bounds of what one model is made of, and of what one ranking looks at. */
const TITLES_MAX = 20_000;
const PROFILES_MAX = 50_000;
const INTERACTIONS_MAX = 2_000_000;
const PAST_MAX = 500;

export type TitleRow = Omit<Tables["titles"], "tenant">;
export type ProfileId = { readonly userId: string; readonly profileId: string };

export async function putTitles(tx: Tx, rows: readonly TitleRow[]): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    INSERT INTO titles (tenant, content_id, parent_id, kind, genres, features, age_rating, is_available, added_at_ms)
    SELECT ${tx.tenant}, content_id, parent_id, kind, genres, features, age_rating, is_available, added_at_ms
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS news (content_id text, parent_id text, kind text, genres text[],
        features text[], age_rating integer, is_available boolean, added_at_ms bigint)
     ORDER BY content_id
    ON CONFLICT (tenant, content_id) DO UPDATE SET parent_id = EXCLUDED.parent_id, kind = EXCLUDED.kind, genres = EXCLUDED.genres,
      features = EXCLUDED.features, age_rating = EXCLUDED.age_rating, is_available = EXCLUDED.is_available,
      added_at_ms = EXCLUDED.added_at_ms`.execute(tx.q);
}

/** Forgets a title, and what everybody did with it. */
export async function forgetTitle(tx: Tx, contentId: string): Promise<void> {
  for (const table of ["titles", "interactions", "opinions", "exposures", "artwork_shows"] as const)
    await tables(tx).deleteFrom(table).where("content_id", "=", contentId).execute();
}

/** What may be recommended, the most liked first: films and series that are available. */
export async function listTitles(tx: Tx): Promise<Title[]> {
  const { rows } = await sql<
    Pick<Tables["titles"], "content_id" | "genres" | "age_rating" | "added_at_ms"> & { fans: number }
  >`
    SELECT t.content_id, t.genres, t.age_rating, t.added_at_ms, coalesce(f.fans, 0)::int AS fans
      FROM titles t LEFT JOIN (
        SELECT coalesce(nullif(e.parent_id, ''), i.content_id) AS content_id, count(DISTINCT i.profile_id) AS fans
          FROM interactions i LEFT JOIN titles e ON e.content_id = i.content_id
         WHERE i.stage >= 1 GROUP BY 1) f ON f.content_id = t.content_id
     WHERE t.kind IN ('film', 'series') AND t.is_available
     ORDER BY fans DESC, t.added_at_ms DESC, t.content_id LIMIT ${TITLES_MAX}`.execute(tx.q);
  return rows.map((row) => ({
    ...{ id: row.content_id, genres: row.genres, ageRating: row.age_rating },
    ...{ addedAtMs: row.added_at_ms, fans: row.fans },
  }));
}

/** What a model is made of: what there is, and what each profile that may be learned from likes. */
export async function trainingSet(tx: Tx): Promise<TrainingSet> {
  const titles = await tables(tx)
    .selectFrom("titles")
    .select(["content_id", "features", "age_rating"])
    .where("kind", "in", ["film", "series"])
    .orderBy("content_id")
    .limit(TITLES_MAX)
    .execute();
  const { rows } = await sql<{ profile_id: string; content_id: string }>`
    SELECT profile_id, content_id FROM (
      SELECT i.profile_id, coalesce(nullif(t.parent_id, ''), t.content_id) AS content_id, i.last_at_ms AS at_ms
        FROM interactions i JOIN titles t ON t.content_id = i.content_id
       WHERE i.stage >= 1 AND NOT EXISTS (SELECT FROM opinions o WHERE o.profile_id = i.profile_id
         AND o.content_id = coalesce(nullif(t.parent_id, ''), t.content_id))
      UNION ALL SELECT profile_id, content_id, at_ms FROM opinions WHERE opinion = 'up') AS liked
     WHERE profile_id NOT IN (SELECT profile_id FROM unpersonalised)
     GROUP BY profile_id, content_id ORDER BY profile_id, max(at_ms), content_id LIMIT ${INTERACTIONS_MAX}`.execute(
    tx.q,
  );
  const placeOf = new Map(titles.map(({ content_id: id }, at) => [id, at]));
  const histories = [...Map.groupBy(rows, (row) => row.profile_id).values()]
    .slice(0, PROFILES_MAX)
    .map((own) => own.slice(-PAST_MAX).flatMap(({ content_id: id }) => placeOf.get(id) ?? []));
  return {
    titles: titles.map(({ content_id: id, features, age_rating: ageRating }) => ({ id, features, ageRating })),
    histories: histories.filter((own) => own.length > 0),
  };
}

/** Everything that a ranking for one profile looks at, in one statement: when a crowd comes, each goes its way alone. */
export async function pastOf(tx: Tx, profileId: string): Promise<Past> {
  const { rows } = await sql<{
    watched: readonly { id: string; stage: Stage }[];
    opinions: readonly { id: string; opinion: Opinion }[];
    exposures: readonly { id: string; shown: number; at_ms: number }[];
    is_personalised: boolean;
  }>`
    SELECT (SELECT coalesce(json_agg(w), '[]') FROM (
              SELECT coalesce(nullif(t.parent_id, ''), i.content_id) AS id, max(i.stage) AS stage
                FROM interactions i LEFT JOIN titles t ON t.content_id = i.content_id
               WHERE i.profile_id = ${profileId} GROUP BY 1 ORDER BY max(i.last_at_ms) DESC LIMIT ${PAST_MAX}) AS w) AS watched,
           (SELECT coalesce(json_agg(o), '[]') FROM (
              SELECT content_id AS id, opinion FROM opinions
               WHERE profile_id = ${profileId} ORDER BY at_ms DESC LIMIT ${PAST_MAX}) AS o) AS opinions,
           (SELECT coalesce(json_agg(e), '[]') FROM (
              SELECT content_id AS id, shown, last_shown_at_ms AS at_ms FROM exposures
               WHERE profile_id = ${profileId} ORDER BY last_shown_at_ms DESC LIMIT ${PAST_MAX}) AS e) AS exposures,
           NOT EXISTS (SELECT FROM unpersonalised WHERE profile_id = ${profileId}) AS is_personalised`.execute(tx.q);
  const { watched = [], opinions = [], exposures = [], is_personalised: isPersonalised = true } = rows[0] ?? {};
  return {
    ...{ isPersonalised, watched },
    opinions: new Map(opinions.map(({ id, opinion }) => [id, opinion])),
    exposures: new Map(exposures.map(({ id, shown, at_ms: lastShownAtMs }) => [id, { shown, lastShownAtMs }])),
  };
}

export interface Progress extends ProfileId {
  readonly contentId: string;
  readonly stage: Stage;
  readonly atMs: number;
}

/** Remembers how far profiles got, each title of a profile once in `all`. */
export async function remember(tx: Tx, all: readonly Progress[]): Promise<void> {
  if (all.length === 0) return;
  await sql`
    INSERT INTO interactions (tenant, profile_id, content_id, user_id, stage, last_at_ms)
    SELECT ${tx.tenant}, profile_id, content_id, user_id, stage, last_at_ms
      FROM unnest(${all.map(({ profileId }) => profileId)}::text[], ${all.map(({ contentId }) => contentId)}::text[],
        ${all.map(({ userId }) => userId)}::text[], ${all.map(({ stage }) => stage)}::smallint[],
        ${all.map(({ atMs }) => atMs)}::bigint[]) AS news (profile_id, content_id, user_id, stage, last_at_ms)
     ORDER BY profile_id, content_id
    ON CONFLICT (tenant, profile_id, content_id) DO UPDATE SET user_id = EXCLUDED.user_id,
      stage = greatest(interactions.stage, EXCLUDED.stage),
      last_at_ms = greatest(interactions.last_at_ms, EXCLUDED.last_at_ms)`.execute(tx.q);
}

export async function isKnown(tx: Tx, contentId: string): Promise<boolean> {
  const row = await tables(tx)
    .selectFrom("titles")
    .select("content_id")
    .where("content_id", "=", contentId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function opinionOf(tx: Tx, profileId: string, contentId: string): Promise<Opinion | undefined> {
  const row = await tables(tx)
    .selectFrom("opinions")
    .select("opinion")
    .where("profile_id", "=", profileId)
    .where("content_id", "=", contentId)
    .executeTakeFirst();
  return row?.opinion;
}

export async function putOpinion(
  tx: Tx,
  of: ProfileId & { readonly contentId: string; readonly atMs: number },
  opinion: Opinion | undefined,
): Promise<void> {
  if (opinion === undefined) {
    await tables(tx)
      .deleteFrom("opinions")
      .where("profile_id", "=", of.profileId)
      .where("content_id", "=", of.contentId)
      .execute();
    return;
  }
  const said = { user_id: of.userId, opinion, at_ms: of.atMs };
  await tables(tx)
    .insertInto("opinions")
    .values({ tenant: tx.tenant, profile_id: of.profileId, content_id: of.contentId, ...said })
    .onConflict((conflict) => conflict.columns(["tenant", "profile_id", "content_id"]).doUpdateSet(said))
    .execute();
}

export async function isPersonalised(tx: Tx, profileId: string): Promise<boolean> {
  const row = await tables(tx)
    .selectFrom("unpersonalised")
    .select("profile_id")
    .where("profile_id", "=", profileId)
    .executeTakeFirst();
  return row === undefined;
}

export async function setPersonalised(tx: Tx, { userId, profileId }: ProfileId, wanted: boolean): Promise<void> {
  if (wanted) await tables(tx).deleteFrom("unpersonalised").where("profile_id", "=", profileId).execute();
  else
    await tables(tx)
      .insertInto("unpersonalised")
      .values({ tenant: tx.tenant, profile_id: profileId, user_id: userId })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
}

export interface Shown extends ProfileId {
  readonly contentId: string;
  readonly times: number;
  readonly atMs: number;
}

/** Counts what was shown, each title of a profile once in `all`. */
export async function countShown(tx: Tx, all: readonly Shown[]): Promise<void> {
  if (all.length === 0) return;
  await sql`
    INSERT INTO exposures (tenant, profile_id, content_id, user_id, shown, last_shown_at_ms)
    SELECT ${tx.tenant}, profile_id, content_id, user_id, times, at_ms
      FROM unnest(${all.map(({ profileId }) => profileId)}::text[], ${all.map(({ contentId }) => contentId)}::text[],
        ${all.map(({ userId }) => userId)}::text[], ${all.map(({ times }) => times)}::int[],
        ${all.map(({ atMs }) => atMs)}::bigint[]) AS news (profile_id, content_id, user_id, times, at_ms)
     ORDER BY profile_id, content_id
    ON CONFLICT (tenant, profile_id, content_id) DO UPDATE SET shown = exposures.shown + EXCLUDED.shown,
      last_shown_at_ms = greatest(exposures.last_shown_at_ms, EXCLUDED.last_shown_at_ms)`.execute(tx.q);
}

/** What was chosen is no longer what was shown and not chosen. */
export async function forgetShown(tx: Tx, profileId: string, contentId: string): Promise<void> {
  await tables(tx)
    .deleteFrom("exposures")
    .where("profile_id", "=", profileId)
    .where("content_id", "=", contentId)
    .execute();
}

export async function sweepShown(tx: Tx, beforeMs: number): Promise<void> {
  await tables(tx).deleteFrom("exposures").where("last_shown_at_ms", "<", beforeMs).execute();
}

/** The profiles that watched something last, the latest first. */
export async function latestProfiles(tx: Tx, limit: number): Promise<string[]> {
  const rows = await tables(tx)
    .selectFrom("interactions")
    .select("profile_id")
    .groupBy("profile_id")
    .orderBy((interaction) => interaction.fn.max("last_at_ms"), "desc")
    .limit(limit)
    .execute();
  return rows.map(({ profile_id: id }) => id);
}

export async function putReport(tx: Tx, report: Report, trainedAtMs: number): Promise<void> {
  const made = { trained_at_ms: trainedAtMs, report: JSON.stringify(report) as never };
  await tables(tx)
    .insertInto("models")
    .values({ tenant: tx.tenant, ...made })
    .onConflict((conflict) => conflict.column("tenant").doUpdateSet(made))
    .execute();
}

export async function findReport(
  tx: Tx,
): Promise<{ readonly report: Report; readonly trainedAtMs: number } | undefined> {
  const row = await tables(tx).selectFrom("models").select(["report", "trained_at_ms"]).executeTakeFirst();
  return row && { report: row.report, trainedAtMs: row.trained_at_ms };
}

/** Forgets a profile or a person, and says which profiles these were. */
export async function forget(
  tx: Tx,
  what: { readonly column: "user_id" | "profile_id"; readonly id: string },
): Promise<string[]> {
  const gone = new Set<string>();
  for (const table of [
    "interactions",
    "opinions",
    "exposures",
    "unpersonalised",
    "channel_views",
    "artwork_shows",
  ] as const) {
    const rows = await tables(tx).deleteFrom(table).where(what.column, "=", what.id).returning("profile_id").execute();
    for (const { profile_id: id } of rows) gone.add(id);
  }
  return [...gone];
}
