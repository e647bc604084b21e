// A database of the release before, in which the read models are not there yet.
import assert from "node:assert/strict";
import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import pg from "pg";
import { startGuardian } from "#kernel/guardian";
import { migrate, PROGRAM } from "#kernel/migrate";
import catalog from "../../services/content/catalog/service.ts";
import metadata from "../../services/content/metadata/service.ts";
import bookmark from "../../services/playback/bookmark/service.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";
import { openTestPostgres } from "../../kernel/testing/postgres.ts";
import type { PostgresServer } from "#kernel/ports/postgres";

const guardian = startGuardian();
let folder = "";
let postgres: PostgresServer;
let owner: pg.Client;
let ownerUrl = "";

before(async () => {
  folder = await makeTestFolder("upgrade");
  postgres = await openTestPostgres(folder, guardian);
  // Elsewhere than here the owner is no superuser: row-level security holds for them too.
  const superuser = new pg.Client({ connectionString: postgres.adminUrl });
  await superuser.connect();
  await superuser.query("CREATE ROLE plain_owner LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD 'plain'");
  await superuser.query(`GRANT CREATE ON DATABASE ${superuser.database} TO plain_owner`);
  await superuser.end();
  const url = new URL(postgres.adminUrl);
  [url.username, url.password] = ["plain_owner", "plain"];
  ownerUrl = url.href;
  owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
});
after(async () => {
  await owner?.end();
  await postgres?.stop();
  guardian.stop();
  await rm(folder, { recursive: true, force: true });
});

const migrateTo = (name: string, migrations: URL): Promise<void> =>
  migrate({ adminUrl: ownerUrl, program: PROGRAM, log: () => {}, services: [{ name, migrations }] });

/** The first so many migrations of a service. */
async function migrationsUpTo(name: string, all: URL, files: readonly string[]): Promise<URL> {
  const some = join(folder, `sql-${name}`);
  await mkdir(some);
  for (const file of files) await cp(fileURLToPath(new URL(file, all)), join(some, file));
  return pathToFileURL(`${some}/`);
}

async function ask(tenant: string, sql: string): Promise<unknown[][]> {
  await owner.query("SELECT set_config('marquee.tenant', $1, false)", [tenant]);
  const { rows } = await owner.query<unknown[]>({ text: sql, rowMode: "array" });
  return rows;
}

/** Whether the owner, too, sees the rows of one tenant alone. */
const isForced = async (table: string): Promise<boolean> =>
  (await ask("a", `SELECT relforcerowsecurity FROM pg_class WHERE oid = '${table}'::regclass`))[0]?.[0] === true;

test("what was unfinished is in the new table, of every tenant", async () => {
  const { migrations } = bookmark;
  assert.ok(migrations);
  await migrateTo("bookmark", await migrationsUpTo("bookmark", migrations, ["0001_bookmark.sql"]));
  for (const [tenant, content, finished, removed] of [
    ["a", "one", false, false],
    ["a", "two", true, false],
    ["a", "three", false, true],
    ["b", "one", false, false],
  ] as const)
    await ask(
      tenant,
      `INSERT INTO bookmark.bookmarks VALUES ('${tenant}', 'p', '${content}', 'u', 10, 100, ${finished}, ${removed}, 1, 1, 5)`,
    );
  await migrateTo("bookmark", migrations);
  for (const tenant of ["a", "b"])
    assert.deepEqual(await ask(tenant, "SELECT tenant, content_id, position_s FROM bookmark.continue_watching"), [
      [tenant, "one", 10],
    ]);
  for (const table of ["bookmarks", "continue_watching"]) assert.ok(await isForced(`bookmark.${table}`), table);
});

test("titles can be searched as those that are added later", async () => {
  const { migrations } = catalog;
  assert.ok(migrations);
  const earlier = ["0001_catalog.sql", "0002_preview.sql", "0003_chapters.sql"];
  await migrateTo("catalog", await migrationsUpTo("catalog", migrations, earlier));
  for (const [tenant, id, kind] of [
    ["a", "film", "film"],
    ["a", "part", "episode"],
    ["b", "show", "series"],
  ] as const)
    await ask(
      tenant,
      `INSERT INTO catalog.titles (tenant, id, kind, title, genres, credits, added_at_ms)
       VALUES ('${tenant}', '${id}', '${kind}', 'Amélie', '{Drama}', '[{"name": "Zoë Roe", "role": "Writer"}]', 1)`,
    );
  await migrateTo("catalog", migrations);
  for (const [tenant, id] of [
    ["a", "film"],
    ["b", "show"],
  ] as const)
    assert.deepEqual(await ask(tenant, "SELECT id, names::text, words::text FROM catalog.search_documents"), [
      [id, "'amelie':1", "'amelie':1 'drama':2 'roe':4 'writer':5 'zoe':3"],
    ]);
  for (const table of ["titles", "search_documents"]) assert.ok(await isForced(`catalog.${table}`), table);
});

test("titles from before wait for the weights of a step that is new", async () => {
  const { migrations } = metadata;
  assert.ok(migrations);
  const earlier = ["0001_metadata.sql", "0002_subtitles_shown.sql"];
  await migrateTo("metadata", await migrationsUpTo("metadata", migrations, earlier));
  for (const tenant of ["a", "b"])
    await ask(
      tenant,
      `INSERT INTO metadata.titles VALUES ('${tenant}', 'film', 'sources/film.mp4', '{}', '[]', 60, 5, '')`,
    );
  await migrateTo("metadata", migrations);
  for (const tenant of ["a", "b"])
    assert.deepEqual(await ask(tenant, "SELECT tenant, content_id, name, state, reason FROM metadata.steps"), [
      [tenant, "film", "embedding", "skipped", "no_model"],
    ]);
  for (const table of ["titles", "steps", "embeddings"]) assert.ok(await isForced(`metadata.${table}`), table);
});
