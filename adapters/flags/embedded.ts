import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { problem } from "#kernel/errors";
import type { Flags } from "#kernel/ports/flags";
import { ATTRIBUTES } from "./attributes.ts";
import { type Document, EMPTY, type Feature, readDocument } from "./document.ts";
import { openEngine } from "./engine.ts";
import { assertRule, featureOf, ruleOf } from "./rules.ts";
import { valueOf } from "./values.ts";

export interface EmbeddedFlagsOptions {
  /** Makes the schema `flags`. */
  readonly adminUrl: string;
  /** Reads and changes what is in it. */
  readonly runtimeUrl: string;
  /** How soon a change of another process holds here. */
  readonly everyMs?: number;
  /** Hears when the database went away, and when it came back. */
  readonly log: (line: string) => void;
}

const EVERY_MS = 2_000;
const TRIES_MAX = 20;
const FLAGS_MAX = 1_000;
const SQL = {
  read: "SELECT revision, CASE WHEN revision = $1 THEN NULL ELSE document END AS document FROM flags.document",
  write: "UPDATE flags.document SET document = $1, revision = revision + 1 WHERE revision = $2",
};

/**
 * Flags in PostgreSQL: one row with all of them in Unleash's own format, so that the same engine evaluates them. Every process
 * looks every two seconds whether the row has changed. While the database is away the last known ones hold.
 */
export async function openEmbeddedFlags(options: EmbeddedFlagsOptions): Promise<Flags> {
  const { log, everyMs = EVERY_MS } = options;
  await install(options);
  const pool = new pg.Pool({
    connectionString: options.runtimeUrl,
    max: 1,
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
    application_name: "marquee-flags",
  });
  pool.on("error", () => undefined);
  const stopping = new AbortController();
  let revision = 0;
  let known: Document = EMPTY;
  let engine = openEngine(EMPTY);
  let failure: string | undefined;

  async function refresh(): Promise<void> {
    const { rows } = await pool.query<{ revision: string | number; document: unknown }>(SQL.read, [revision]);
    const [row] = rows;
    if (!row) throw problem.internal("the row of flags is gone: restore it from a backup");
    if (row.document === null) return;
    known = readDocument(row.document);
    engine = openEngine(known);
    revision = Number(row.revision);
  }

  /** Two operators may change flags at the same time: who was slower looks again and repeats. */
  async function change(edit: (features: readonly Feature[]) => readonly Feature[]): Promise<void> {
    if (stopping.signal.aborted) throw problem.unavailable("the flags are closed");
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      await refresh();
      const features = edit(known.features);
      const { rowCount } = await pool.query(SQL.write, [
        JSON.stringify({ version: 2, features, segments: [] }),
        revision,
      ]);
      if (rowCount === 1) return refresh();
    }
    throw problem.aborted("others are changing flags all the time: try again");
  }

  const polling = (async () => {
    for (;;) {
      await sleep(everyMs, undefined, { signal: stopping.signal });
      try {
        await refresh();
        if (failure !== undefined) log("flags: the database is back");
        failure = undefined;
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        if (failure === undefined) log(`flags: the last known ones hold, because they cannot be read: ${said}`);
        failure = said;
      }
    }
  })().catch(() => undefined);
  await refresh();

  return {
    evaluate(flag, context) {
      const evaluation = valueOf(engine, flag, context);
      return failure === undefined || evaluation.reason === "DEFAULT" ? evaluation : { ...evaluation, reason: "STALE" };
    },
    rules: () => known.features.map((feature) => ruleOf(feature, known.segments)),
    async put(rule) {
      assertRule(rule, ATTRIBUTES);
      await change((features) => {
        const others = features.filter(({ name }) => name !== rule.name);
        if (others.length >= FLAGS_MAX)
          throw problem.exhausted(`there are ${FLAGS_MAX} flags with rules: unset some of them`);
        return [...others, featureOf(rule)].toSorted((a, b) => (a.name < b.name ? -1 : 1));
      });
    },
    remove: (name) => change((features) => features.filter((feature) => feature.name !== name)),
    async state() {
      const rules = `${known.features.length} with a rule`;
      if (failure !== undefined)
        return { ok: false, detail: `flags in PostgreSQL: the last known hold, ${rules}: ${failure}` };
      return { ok: true, detail: `flags in PostgreSQL, ${rules}` };
    },
    async close() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      await polling;
      await pool.end();
    },
  };
}

/** Makes the one row, and lets the runtime login read and change it. */
async function install({ adminUrl, runtimeUrl }: EmbeddedFlagsOptions): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000, query_timeout: 30_000 });
  client.on("error", () => undefined);
  await client.connect();
  try {
    const role = client.escapeIdentifier(decodeURIComponent(new URL(runtimeUrl).username));
    await client.query("BEGIN");
    // Several processes start together, and rows of catalogues cannot be changed by two of them at a time.
    await client.query("SELECT pg_advisory_xact_lock(hashtext('marquee flags'))");
    await client.query(`
      CREATE SCHEMA IF NOT EXISTS flags;
      CREATE TABLE IF NOT EXISTS flags.document (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), revision bigint NOT NULL, document jsonb NOT NULL);
      INSERT INTO flags.document (revision, document) VALUES (1, '{"version": 2, "features": [], "segments": []}')
        ON CONFLICT DO NOTHING;
      GRANT USAGE ON SCHEMA flags TO ${role};
      GRANT SELECT, UPDATE ON flags.document TO ${role};`);
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}
