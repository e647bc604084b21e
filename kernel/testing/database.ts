import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openEmbeddedRegistry } from "#adapters/log/registry";
import { Ingest } from "#contracts/ingest";
import { topics } from "#contracts/topics";
import { systemClock } from "../clock.ts";
import { type Db, openDb } from "../db.ts";
import { type EventReader, type EventWriter, openEvents } from "../events.ts";
import { startGuardian } from "../guardian.ts";
import { migrate, PROGRAM } from "../migrate.ts";
import type { SchemaRegistry } from "../ports/log.ts";
import { openPool, type Pool } from "../sql.ts";
import { makeTestFolder } from "./folder.ts";
import { openTestPostgres } from "./postgres.ts";

export interface TestDatabase {
  /** Of the test alone; it goes with the database. */
  readonly folder: string;
  /** Of the one who owns everything. */
  readonly adminUrl: string;
  readonly pool: Pool;
  readonly registry: SchemaRegistry;
  /** Of the events of ingest, which tests borrow. */
  readonly events: EventReader & EventWriter;
  db(service: string, onEmitted?: (count: number) => void): Db<typeof Ingest>;
  close(): Promise<void>;
}

/** A real PostgreSQL of a test's own, in which each of these services has its schema, made by one script. */
export async function openTestDatabase(
  services: readonly string[],
  script: string,
  tenantless: readonly string[] = [],
): Promise<TestDatabase> {
  const guardian = startGuardian();
  const folder = await makeTestFolder("database");
  const postgres = await openTestPostgres(folder, guardian);
  await mkdir(join(folder, "sql"));
  await writeFile(join(folder, "sql/0001.sql"), script);
  const migrations = pathToFileURL(join(folder, "sql/"));
  await migrate({
    ...{ adminUrl: postgres.adminUrl, program: PROGRAM, log: () => {} },
    services: services.map((name) => ({ name, migrations, tenantless })),
  });
  const pool = openPool({ url: postgres.runtimeUrl, connectionsMax: 16, onError: () => {} });
  const registry = await openEmbeddedRegistry({ folder: join(folder, "registry") });
  const events = await openEvents([Ingest], topics, registry, systemClock);
  return {
    ...{ folder, adminUrl: postgres.adminUrl, pool, registry, events },
    db: (service, onEmitted = () => {}) => openDb({ pool, service, writer: events, onEmitted }),
    async close() {
      await registry.close();
      await pool.end();
      await postgres.stop();
      guardian.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
