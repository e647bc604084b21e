import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { openEmbeddedPostgres } from "#adapters/postgres/embedded";
import type { Guardian } from "../guardian.ts";
import type { PostgresServer } from "../ports/postgres.ts";

/** The folder of a PostgreSQL that was made and stopped, for tests to begin with; `npm test` makes one for all of them. */
export const TEMPLATE_VARIABLE = "MARQUEE_TEST_POSTGRES_TEMPLATE";

/**
 * A real PostgreSQL of a test's own, in `folder`/postgres. To make its data takes longer than most tests do, so they are a copy of the template's where
 * there is one, and otherwise made as a user's are.
 */
export async function openTestPostgres(folder: string, spawnGuard: Guardian): Promise<PostgresServer> {
  const own = join(folder, "postgres");
  const template = process.env[TEMPLATE_VARIABLE];
  // Not by Node's `cp`, which would make root the owner of what PostgreSQL's user must own. A folder that is there is that of a restart.
  if (template && !existsSync(own)) await promisify(execFile)("cp", ["-a", template, own]);
  return openEmbeddedPostgres({ folder: own, log: () => {}, spawnGuard });
}
