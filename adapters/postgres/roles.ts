import pg from "pg";
import { problem } from "#kernel/errors";

export const OWNER_ROLE = "marquee_owner";
export const RUNTIME_ROLE = "marquee_runtime";
export const DATABASE = "marquee";

/** One short connection. `use` decides when it ends; a server that does not answer within 10 s is not there. */
export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    query_timeout: 30_000,
    application_name: "marquee-adapter",
  });
  // A server that dies while we are connected emits here besides rejecting the query.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Makes sure that the runtime login exists and is weak: it inherits nothing, so that a query outside of a service's SET
 * ROLE sees no service's tables, and it is no superuser and does not bypass row-level security.
 */
export async function ensureRuntimeRole(client: pg.Client, role: string, password: string): Promise<void> {
  const found = await client.query<{ strong: boolean }>(
    "SELECT rolsuper OR rolbypassrls AS strong FROM pg_roles WHERE rolname = $1",
    [role],
  );
  const [row] = found.rows;
  if (row?.strong === true) {
    throw problem.precondition(
      `the runtime role '${role}' is a superuser or bypasses row-level security: name an ordinary role in the runtime URL`,
    );
  }
  if (row !== undefined) return;
  try {
    await client.query(
      `CREATE ROLE ${client.escapeIdentifier(role)} LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD ${client.escapeLiteral(password)}`,
    );
  } catch (error) {
    // Two programs that start together may both create it (duplicate_object, or the catalogue's unique violation).
    if (isCode(error, "42710") || isCode(error, "23505")) return;
    if (isCode(error, "42501")) {
      // No cause: the failed statement carries the password.
      throw problem.precondition(
        `the role '${role}' does not exist and the administrator's login may not create it: CREATE ROLE ${role} LOGIN NOINHERIT PASSWORD '…'`,
      );
    }
    throw error;
  }
}

/** Whether an error is PostgreSQL's with this SQLSTATE. */
export function isCode(error: unknown, sqlState: string): boolean {
  return error instanceof Error && "code" in error && error.code === sqlState;
}
