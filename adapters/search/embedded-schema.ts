import pg from "pg";

/**
 * `indexes` says which generation answers and which is being filled. `words` has each word of an index once, for slips of the pen; a word that no
 * document has any more does no harm.
 */
const SCHEMA = `
  DO $$ BEGIN
    -- The schema had the name of a service before there was that service.
    IF to_regclass('search.indexes') IS NOT NULL AND to_regnamespace('fulltext') IS NULL THEN
      ALTER SCHEMA search RENAME TO fulltext;
    END IF;
  END $$;
  CREATE SCHEMA IF NOT EXISTS fulltext;
  CREATE EXTENSION IF NOT EXISTS fuzzystrmatch SCHEMA fulltext;
  CREATE TABLE IF NOT EXISTS fulltext.indexes (
    name text PRIMARY KEY, live int NOT NULL DEFAULT 1, building int, built_version int NOT NULL DEFAULT 0);
  CREATE TABLE IF NOT EXISTS fulltext.documents (
    index_name text NOT NULL, generation int NOT NULL, tenant text NOT NULL, id text COLLATE "C" NOT NULL,
    words tsvector NOT NULL, stems tsvector NOT NULL, keywords jsonb NOT NULL, numbers jsonb NOT NULL,
    PRIMARY KEY (index_name, generation, tenant, id));
  CREATE INDEX IF NOT EXISTS documents_words ON fulltext.documents USING gin (words);
  CREATE INDEX IF NOT EXISTS documents_stems ON fulltext.documents USING gin (stems);
  CREATE TABLE IF NOT EXISTS fulltext.words (
    index_name text NOT NULL, tenant text NOT NULL, word text COLLATE "C" NOT NULL, PRIMARY KEY (index_name, tenant, word));`;

/** Makes the tables as their owner, and lets the runtime login work with the rows in them. */
export async function install({
  adminUrl,
  runtimeUrl,
}: {
  readonly adminUrl: string;
  readonly runtimeUrl: string;
}): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000, query_timeout: 30_000 });
  client.on("error", () => undefined);
  await client.connect();
  try {
    const role = client.escapeIdentifier(decodeURIComponent(new URL(runtimeUrl).username));
    await client.query("BEGIN");
    // Several processes start together, and rows of catalogues cannot be changed by two of them at a time.
    await client.query("SELECT pg_advisory_xact_lock(hashtext('marquee search'))");
    await client.query(`${SCHEMA}
      GRANT USAGE ON SCHEMA fulltext TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA fulltext TO ${role};`);
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}
