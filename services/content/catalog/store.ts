import { type Kysely, sql } from "kysely";
import type { ModelTx, Tx } from "#kernel";
import type { Artwork, Credit, Facts, Kind, Publication, State } from "./domain.ts";
import type { Recent } from "./recent.ts";

type Row = {
  tenant: string;
  id: string;
  kind: Kind;
  title: string;
  synopsis: string;
  tagline: string;
  year: number;
  age_rating: number;
  genres: string[];
  credits: string;
  duration_s: number;
  audio_languages: string[];
  subtitle_languages: string[];
  backdrop: string | null;
  artwork: string;
  found_artwork: string;
  preview_key: string;
  chapters: string;
  parent_id: string;
  season_number: number;
  episode_number: number;
  tier_min: string;
  markets: string[];
  available_from_ms: number;
  available_until_ms: number;
  publication: Publication;
  state: State;
  failure: string;
  complete: boolean;
  package_revision: number;
  index_version: number;
  available: boolean;
  added_at_ms: number;
};
type Tables = { titles: Row };
export type TitleRow = Omit<Row, "tenant">;

const tables = (tx: Pick<Tx, "q">): Kysely<Tables> => tx.q.withTables<Tables>();

export async function insert(
  recent: Recent,
  tx: Tx,
  id: string,
  facts: Facts,
  of: { publication: Publication; nowMs: number },
): Promise<boolean> {
  recent.forget(tx, id);
  const row = await tables(tx)
    .insertInto("titles")
    .values({
      ...{ tenant: tx.tenant, id, ...columnsOf(facts) },
      ...{ duration_s: 0, audio_languages: [], subtitle_languages: [], backdrop: null, artwork: "[]", preview_key: "" },
      ...{ chapters: "[]", found_artwork: "[]" },
      ...{
        publication: of.publication,
        state: "processing",
        failure: "",
        complete: false,
        package_revision: 0,
        index_version: 0,
        available: false,
        added_at_ms: of.nowMs,
      },
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Inserts titles that are taken to play, and says which were not there before. */
export async function insertSimulated(
  recent: Recent,
  tx: Tx,
  titles: readonly { readonly id: string; readonly facts: Facts; readonly durationS: number }[],
  nowMs: number,
): Promise<ReadonlySet<string>> {
  for (const { id } of titles) recent.forget(tx, id);
  const rows = await tables(tx)
    .insertInto("titles")
    .values(
      titles.map(({ id, facts, durationS }) => ({
        ...{ tenant: tx.tenant, id, ...columnsOf(facts), duration_s: durationS, audio_languages: ["en"] },
        ...{ subtitle_languages: [], backdrop: null, artwork: "[]", preview_key: "", chapters: "[]", failure: "" },
        found_artwork: "[]",
        ...{ publication: "published" as const, state: "playable" as const, complete: true, available: true },
        // A revision of which no network has anything.
        ...{ package_revision: 1, index_version: 1, added_at_ms: nowMs },
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .execute();
  return new Set(rows.map(({ id }) => id));
}

/** Removes up to so many titles whose ids begin with a prefix, and says which. */
export async function removePrefixed(recent: Recent, tx: Tx, prefix: string, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    DELETE FROM titles WHERE id IN (SELECT id FROM titles WHERE starts_with(id, ${prefix}) ORDER BY id LIMIT ${limit})
    RETURNING id`.execute(tx.q);
  for (const { id } of rows) recent.forget(tx, id);
  return rows.map(({ id }) => id);
}

export const columnsOf = (facts: Facts) => ({
  kind: facts.kind,
  title: facts.title,
  synopsis: facts.synopsis,
  tagline: facts.tagline,
  year: facts.year,
  age_rating: facts.ageRating,
  genres: [...facts.genres],
  credits: JSON.stringify(facts.credits),
  parent_id: facts.parentId,
  season_number: facts.seasonNumber,
  episode_number: facts.episodeNumber,
  tier_min: facts.tierMin,
  markets: [...facts.markets],
  available_from_ms: facts.availableFromMs,
  available_until_ms: facts.availableUntilMs,
});

export const factsOf = (row: TitleRow): Facts => ({
  kind: row.kind,
  title: row.title,
  synopsis: row.synopsis,
  tagline: row.tagline,
  year: row.year,
  ageRating: row.age_rating,
  genres: row.genres,
  credits: JSON.parse(row.credits) as Credit[],
  parentId: row.parent_id,
  seasonNumber: row.season_number,
  episodeNumber: row.episode_number,
  tierMin: row.tier_min,
  markets: row.markets,
  availableFromMs: row.available_from_ms,
  availableUntilMs: row.available_until_ms,
});

export async function find(
  tx: Tx,
  id: string,
  options: { readonly lock: boolean } = { lock: false },
): Promise<TitleRow | undefined> {
  const query = tables(tx).selectFrom("titles").selectAll().where("id", "=", id);
  return (options.lock ? query.forUpdate() : query).executeTakeFirst();
}

/** The titles that exist, in the order of the ids. */
export async function findMany(tx: ModelTx, ids: readonly string[]): Promise<TitleRow[]> {
  if (ids.length === 0) return [];
  const rows = await tables(tx).selectFrom("titles").selectAll().where("id", "in", ids).execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

export async function update(recent: Recent, tx: Tx, id: string, change: Partial<TitleRow>): Promise<void> {
  recent.forget(tx, id);
  await tables(tx).updateTable("titles").set(change).where("id", "=", id).execute();
}

export async function remove(recent: Recent, tx: Tx, id: string): Promise<void> {
  recent.forget(tx, id);
  await tables(tx).deleteFrom("titles").where("id", "=", id).execute();
}

export async function children(tx: Tx, parentId: string): Promise<TitleRow[]> {
  return tables(tx)
    .selectFrom("titles")
    .selectAll()
    .where("parent_id", "=", parentId)
    .orderBy("season_number")
    .orderBy("episode_number")
    .limit(2_000)
    .execute();
}

/** Ids of the titles that hang on a title, whatever lies between. A title that was made its own ancestor counts once. */
export async function descendants(tx: Tx, id: string, limit: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    WITH RECURSIVE below AS (
      SELECT id FROM titles WHERE parent_id = ${id}
      UNION
      SELECT child.id FROM titles child JOIN below ON child.parent_id = below.id
    )
    SELECT id FROM below WHERE id <> ${id} LIMIT ${limit}`.execute(tx.q);
  return rows.map((row) => row.id);
}

export interface Wanted {
  readonly kinds: readonly string[];
  readonly genre: string;
  readonly parentId: string;
  readonly ageRatingMax: number;
  readonly limit: number;
  readonly afterId: string;
  readonly includeHidden: boolean;
  readonly states: readonly string[];
  readonly nowMs: number;
}

/** The newest first; with a parent, by season and episode. */
export async function list(tx: Tx, wanted: Wanted): Promise<TitleRow[]> {
  const states = (wanted.states.length > 0 ? wanted.states : ["playable", "processing"]) as State[];
  let query = tables(tx).selectFrom("titles").selectAll().where("age_rating", "<=", wanted.ageRatingMax);
  if (!wanted.includeHidden) {
    query = query
      .where("publication", "=", "published")
      .where("state", "in", states)
      .where("available_from_ms", "<=", wanted.nowMs)
      .where(sql<boolean>`(available_until_ms = 0 OR available_until_ms > ${wanted.nowMs})`);
  }
  if (wanted.kinds.length > 0) query = query.where("kind", "in", wanted.kinds as Kind[]);
  if (wanted.genre !== "") query = query.where(sql<boolean>`genres @> ARRAY[${wanted.genre}]`);
  if (wanted.parentId !== "") {
    query = query.where("parent_id", "=", wanted.parentId);
    if (wanted.afterId !== "")
      query = query.where(
        sql<boolean>`(season_number, episode_number, id) > (SELECT season_number, episode_number, id FROM titles WHERE id = ${wanted.afterId})`,
      );
    return query.orderBy("season_number").orderBy("episode_number").orderBy("id").limit(wanted.limit).execute();
  }
  if (wanted.afterId !== "")
    query = query.where(
      sql<boolean>`(added_at_ms, id) < (SELECT added_at_ms, id FROM titles WHERE id = ${wanted.afterId})`,
    );
  return query.orderBy("added_at_ms", "desc").orderBy("id", "desc").limit(wanted.limit).execute();
}

export async function genres(tx: Tx, ageRatingMax: number, nowMs: number): Promise<{ name: string; titles: number }[]> {
  const { rows } = await sql<{ name: string; titles: number }>`
    SELECT genre AS name, count(*) AS titles FROM titles, unnest(genres) AS genre
     WHERE publication = 'published' AND state = 'playable' AND kind IN ('film', 'series') AND age_rating <= ${ageRatingMax}
       AND available_from_ms <= ${nowMs} AND (available_until_ms = 0 OR available_until_ms > ${nowMs})
     GROUP BY genre ORDER BY count(*) DESC, genre LIMIT 50`.execute(tx.q);
  return rows;
}

/** Titles of every state in the order of their ids, for who goes through all of them. */
export async function page(tx: Tx, afterId: string, limit: number): Promise<TitleRow[]> {
  return tables(tx).selectFrom("titles").selectAll().where("id", ">", afterId).orderBy("id").limit(limit).execute();
}

/** Titles whose announced availability is not what their window says, held so that nobody else announces it too. */
export async function outOfStep(tx: Tx, nowMs: number): Promise<TitleRow[]> {
  const isInWindow = sql`(available_from_ms <= ${nowMs} AND (available_until_ms = 0 OR available_until_ms > ${nowMs}))`;
  return tables(tx)
    .selectFrom("titles")
    .selectAll()
    .where(sql<boolean>`(available_from_ms > 0 OR available_until_ms > 0) AND available <> ${isInWindow}`)
    .orderBy("id")
    .limit(10_000)
    .forUpdate()
    .execute();
}

/** All pictures that a title may be shown by: its encoder's, then the best frames that were found in the film. */
export const picturesOf = (row: Pick<TitleRow, "artwork" | "found_artwork">): Artwork[] =>
  [row.artwork, row.found_artwork].flatMap((text) => JSON.parse(text) as Artwork[]);

export const parseArtwork = (text: string | null): Artwork | undefined =>
  text === null ? undefined : (JSON.parse(text) as Artwork);
