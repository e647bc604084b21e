import pg from "pg";
import { problem } from "#kernel/errors";
import type { IndexSpec, Search, SearchDocument, SearchIndex, SearchQuery } from "#kernel/ports/search";
import { assertChanges, assertQuery, assertSpec, FACET_VALUES_MAX } from "./checks.ts";
import { install } from "./embedded-schema.ts";
import { analyzerOf, analyzersOf } from "./languages.ts";
import { slipsBetween, slipsMax, wordsAsked, wordsOf } from "./words.ts";

export interface EmbeddedSearchOptions {
  /** Makes the schema `search`. */
  readonly adminUrl: string;
  readonly runtimeUrl: string;
}

const CONNECTIONS_MAX = 4;
/** A word's places in a text; PostgreSQL counts no further. */
const POSITION_MAX = 16_383;
const POSITIONS_PER_WORD_MAX = 255;
/** Words that a mistyped one may have been. */
const GUESSES_MAX = 20;
/** For ts_rank, from D to A. */
const WEIGHTS = "{0.1, 0.25, 0.5, 1.0}";
const ORDER = ["A", "B", "C", "D"] as const;

/** Full-text search in PostgreSQL: its text search for words, beginnings and forms, and a list of all words for slips of the pen. */
export async function openEmbeddedSearch(options: EmbeddedSearchOptions): Promise<Search> {
  await install(options);
  const pool = new pg.Pool({
    connectionString: options.runtimeUrl,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 15_000,
    application_name: "marquee-search",
  });
  pool.on("error", () => undefined);
  let isClosed = false;
  return {
    async open(spec) {
      assertSpec(spec);
      await pool.query("INSERT INTO fulltext.indexes (name) VALUES ($1) ON CONFLICT DO NOTHING", [spec.name]);
      return indexOf(pool, spec);
    },
    async state() {
      if (isClosed) return { ok: false, detail: "search is closed" };
      try {
        const { rows } = await pool.query<{ count: number }>("SELECT count(*)::int AS count FROM fulltext.indexes");
        return { ok: true, detail: `search in PostgreSQL, ${rows[0]?.count ?? 0} indexes` };
      } catch (error) {
        return { ok: false, detail: `search in PostgreSQL: ${error instanceof Error ? error.message : String(error)}` };
      }
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await pool.end();
    },
  };
}

interface Standing {
  readonly live: number;
  readonly building: number | null;
  readonly built_version: number;
}

function indexOf(pool: pg.Pool, spec: IndexSpec): SearchIndex {
  const { name } = spec;

  async function inTransaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      const result = await work(client);
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client.query("ROLLBACK").catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
  }

  async function standing(client: pg.Pool | pg.PoolClient, lock = ""): Promise<Standing> {
    const { rows } = await client.query<Standing>(
      `SELECT live, building, built_version FROM fulltext.indexes WHERE name = $1 ${lock}`,
      [name],
    );
    if (!rows[0]) throw problem.internal(`the index '${name}' is gone: start again, which makes it`);
    return rows[0];
  }

  async function put(
    client: pg.PoolClient,
    tenant: string,
    generation: number,
    documents: readonly SearchDocument[],
    onConflict: string,
  ): Promise<void> {
    const rows = documents.map((document) => rowOf(spec, document));
    await client.query(
      `INSERT INTO fulltext.documents (index_name, generation, tenant, id, words, stems, keywords, numbers)
       SELECT $1, $2, $3, d.id, d.words::tsvector, to_tsvector(d.analyzer::regconfig, d.text), d.keywords, d.numbers
         FROM jsonb_to_recordset($4) AS d (id text, words text, analyzer text, text text, keywords jsonb, numbers jsonb)
       ON CONFLICT (index_name, generation, tenant, id) ${onConflict}`,
      [name, generation, tenant, JSON.stringify(rows)],
    );
    await client.query(
      "INSERT INTO fulltext.words SELECT $1, $2, unnest($3::text[]) ORDER BY 3 ON CONFLICT DO NOTHING",
      [name, tenant, [...new Set(rows.flatMap(({ known }) => known))]],
    );
  }

  return {
    isBuilt: async () => (await standing(pool)).built_version === spec.version,
    async write(tenant, changes) {
      assertChanges(changes);
      const documents = lastOfEach(changes.put ?? []);
      await inTransaction(async (client) => {
        // Held until the commit, so that no rebuild ends between our look and our rows.
        const { live, building } = await standing(client, "FOR SHARE");
        for (const generation of building === null ? [live] : [live, building]) {
          if (changes.delete?.length)
            await client.query(
              "DELETE FROM fulltext.documents WHERE index_name = $1 AND generation = $2 AND tenant = $3 AND id = ANY($4)",
              [name, generation, tenant, changes.delete],
            );
          if (documents.length > 0)
            await put(
              client,
              tenant,
              generation,
              documents,
              "DO UPDATE SET words = excluded.words, stems = excluded.stems, keywords = excluded.keywords, numbers = excluded.numbers",
            );
        }
      });
    },
    async query(tenant, query) {
      assertQuery(spec, query);
      return inTransaction(async (client) => {
        const { live } = await standing(client);
        const guesses = await guess(client, name, tenant, wordsAsked(query.text));
        return search(client, [name, live, tenant], query, guesses);
      });
    },
    async rebuild(fill) {
      const generation = await inTransaction(async (client) => {
        const { live, building } = await standing(client, "FOR UPDATE");
        const next = Math.max(live, building ?? 0) + 1;
        await client.query("DELETE FROM fulltext.documents WHERE index_name = $1 AND generation <> $2", [name, live]);
        await client.query("UPDATE fulltext.indexes SET building = $2 WHERE name = $1", [name, next]);
        return next;
      });
      try {
        await fill(async (tenant, documents) => {
          assertChanges({ put: documents });
          // What was written meanwhile is newer.
          await inTransaction((client) => put(client, tenant, generation, lastOfEach(documents), "DO NOTHING"));
        });
        await inTransaction(async (client) => {
          const { rowCount } = await client.query(
            "UPDATE fulltext.indexes SET live = building, building = NULL, built_version = $3 WHERE name = $1 AND building = $2",
            [name, generation, spec.version],
          );
          if (rowCount === 0) throw problem.aborted(`another rebuild of '${name}' has begun: leave it to that one`);
          await client.query("DELETE FROM fulltext.documents WHERE index_name = $1 AND generation < $2", [
            name,
            generation,
          ]);
        });
      } catch (error) {
        await pool.query("UPDATE fulltext.indexes SET building = NULL WHERE name = $1 AND building = $2", [
          name,
          generation,
        ]);
        await pool.query("DELETE FROM fulltext.documents WHERE index_name = $1 AND generation = $2", [
          name,
          generation,
        ]);
        throw error;
      }
    },
  };
}

/** One statement cannot change a row twice. */
const lastOfEach = (documents: readonly SearchDocument[]): SearchDocument[] => [
  ...new Map(documents.map((document) => [document.id, document])).values(),
];

/** JSON in PostgreSQL refuses what no text has: halves of characters, and the sign for none. */
const cleaned = (text: string): string => text.toWellFormed().replaceAll("\0", "");

function rowOf(spec: IndexSpec, { id, language, texts, keywords, numbers }: SearchDocument) {
  const places = new Map<string, string[]>();
  let position = 0;
  for (const weight of ORDER) {
    for (const field of Object.keys(spec.texts).filter((each) => spec.texts[each] === weight)) {
      for (const word of wordsOf(texts[field] ?? "")) {
        position = Math.min(position + 1, POSITION_MAX);
        const known = places.get(word) ?? [];
        if (known.length < POSITIONS_PER_WORD_MAX) known.push(`${position}${weight}`);
        places.set(word, known);
      }
    }
  }
  return {
    id,
    keywords: Object.fromEntries(Object.entries(keywords).map(([field, values]) => [field, values.map(cleaned)])),
    numbers,
    words: [...places].map(([word, at]) => `'${word}':${at.join(",")}`).join(" "),
    analyzer: analyzerOf(language) ?? "simple",
    text: Object.keys(spec.texts)
      .map((field) => cleaned(texts[field] ?? ""))
      .join(" "),
    known: [...places.keys()],
  };
}

interface Asked {
  readonly word: string;
  /** Known words that it may have been meant to be. */
  readonly guesses: readonly string[];
}

async function guess(client: pg.PoolClient, name: string, tenant: string, words: readonly string[]): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const word of words) {
    const slips = slipsMax(word);
    if (slips === 0) {
      asked.push({ word, guesses: [] });
      continue;
    }
    // The first letter is right: that keeps the look short. A swap counts as two here, and as one below.
    const { rows } = await client.query<{ word: string }>(
      `SELECT word FROM fulltext.words WHERE index_name = $1 AND tenant = $2 AND word ^@ left($3, 1)
          AND length(word) BETWEEN length($3) - $4 AND length($3) + $4 AND word <> $3
          AND fulltext.levenshtein_less_equal(word, $3, $4 + 1) <= $4 + 1
        ORDER BY fulltext.levenshtein_less_equal(word, $3, $4 + 1), word LIMIT 200`,
      [name, tenant, word, slips],
    );
    const near = rows.map((row) => row.word).filter((other) => slipsBetween(word, other) <= slips);
    asked.push({ word, guesses: near.slice(0, GUESSES_MAX) });
  }
  return asked;
}

async function search(
  client: pg.PoolClient,
  [name, generation, tenant]: readonly [string, number, string],
  query: SearchQuery,
  asked: readonly Asked[],
) {
  const values: unknown[] = [name, generation, tenant];
  const value = (of: unknown): string => `$${values.push(of)}`;
  const where = ["index_name = $1", "generation = $2", "tenant = $3"];
  const scores: string[] = [];
  const analyzers = analyzersOf(query.languages);
  for (const { word, guesses } of asked) {
    const beginning = value(`'${word}':*`);
    const near = guesses.length > 0 ? value(guesses.map((other) => `'${other}'`).join(" | ")) : undefined;
    const forms = analyzers
      .map((analyzer) => `plainto_tsquery(${value(analyzer)}::regconfig, ${value(word)})`)
      .join(" || ");
    const matches = [`words @@ ${beginning}::tsquery`];
    if (near) matches.push(`words @@ ${near}::tsquery`);
    if (forms) matches.push(`stems @@ (${forms})`);
    where.push(`(${matches.join(" OR ")})`);
    if (query.sortBy !== "relevance") continue;
    scores.push(`ts_rank('${WEIGHTS}', words, ${value(`'${word}'`)}::tsquery)`);
    scores.push(`0.5 * ts_rank('${WEIGHTS}', words, ${beginning}::tsquery)`);
    if (near) scores.push(`0.2 * ts_rank('${WEIGHTS}', words, ${near}::tsquery)`);
    if (forms) scores.push(`0.3 * ts_rank(stems, (${forms}))`);
  }
  // Text of signs alone asks for something that is not there.
  if (asked.length === 0 && query.text.trim() !== "") where.push("false");
  for (const filter of query.filters) {
    if ("anyOf" in filter) where.push(`keywords -> ${value(filter.field)}::text ?| ${value(filter.anyOf)}::text[]`);
    else {
      const number = `(numbers ->> ${value(filter.field)}::text)::float8`;
      if (filter.min !== undefined) where.push(`${number} >= ${value(filter.min)}`);
      if (filter.max !== undefined) where.push(`${number} <= ${value(filter.max)}`);
    }
  }
  const order =
    query.sortBy === "relevance"
      ? scores.join(" + ") || "0::float8"
      : `(numbers ->> ${value(query.sortBy.field)}::text)::float8`;
  const found = `WITH found AS MATERIALIZED (SELECT id, keywords, ${order} AS rank FROM fulltext.documents WHERE ${where.join(" AND ")})`;
  const facets = query.facets.map(
    (
      field,
    ) => `${value(field)}::text, (SELECT coalesce(jsonb_agg(jsonb_build_object('value', value, 'count', count) ORDER BY count DESC, value), '[]')
      FROM (SELECT value, count(DISTINCT id) AS count FROM found, jsonb_array_elements_text(keywords -> $${values.length}::text) AS value
             GROUP BY value ORDER BY count DESC, value LIMIT ${FACET_VALUES_MAX}) AS counted)`,
  );
  const { rows } = await client.query<{
    total: number;
    ids: string[];
    facets: Record<string, { value: string; count: number }[]>;
  }>(
    `${found} SELECT (SELECT count(*)::int FROM found) AS total,
       (SELECT coalesce(array_agg(id), '{}') FROM (SELECT id FROM found ORDER BY rank DESC NULLS LAST, id
          LIMIT ${value(query.limit)} OFFSET ${value(query.offset)}) AS page) AS ids,
       jsonb_build_object(${facets.join(", ")}) AS facets`,
    values,
  );
  const [row] = rows;
  return { total: row?.total ?? 0, ids: row?.ids ?? [], facets: row?.facets ?? {} };
}
