import { problem, toProblem } from "#kernel/errors";
import type { PostgresServer } from "#kernel/ports/postgres";
import { ensureRuntimeRole, isCode, withClient } from "./roles.ts";

export interface UrlPostgresOptions {
  /** The role that owns schemas and runs migrations. */
  readonly adminUrl: string;
  /** The runtime login; it is created when it is missing and the administrator may create roles. */
  readonly runtimeUrl: string;
}

/** The oldest release whose SQL we use. */
const MAJOR_MIN = 16;

/** A PostgreSQL that somebody else runs. Rejects with a text that names host and remedy, never a password. */
export async function openPostgresByUrl(options: UrlPostgresOptions): Promise<PostgresServer> {
  const admin = parse("the administrator's URL", options.adminUrl);
  const runtime = parse("the runtime URL", options.runtimeUrl);
  if (admin.username === runtime.username) {
    throw problem.precondition(
      `the runtime URL names the administrator's role '${runtime.username}': services must run as a weaker one`,
    );
  }
  await reach(admin, async () => {
    await withClient(options.adminUrl, async (client) => {
      const shown = await client.query<{ number: number }>(
        "SELECT current_setting('server_version_num')::int AS number",
      );
      const major = Math.floor((shown.rows[0]?.number ?? 0) / 10_000);
      if (major < MAJOR_MIN)
        throw problem.precondition(`PostgreSQL ${major} at ${admin.host} is too old: ${MAJOR_MIN} or later is needed`);
      await ensureRuntimeRole(client, decodeURIComponent(runtime.username), decodeURIComponent(runtime.password));
    });
  });
  await reach(runtime, () => withClient(options.runtimeUrl, (client) => client.query("SELECT 1")));
  let stopped = false;

  return {
    adminUrl: options.adminUrl,
    runtimeUrl: options.runtimeUrl,
    async state() {
      if (stopped) return { ok: false, detail: `PostgreSQL at ${admin.host} was let go` };
      try {
        const shown = await withClient(options.runtimeUrl, (client) =>
          client.query<{ server_version: string }>("SHOW server_version"),
        );
        return { ok: true, detail: `PostgreSQL ${shown.rows[0]?.server_version ?? ""} at ${runtime.host}` };
      } catch (error) {
        return { ok: false, detail: describe(runtime, error) };
      }
    },
    async stop() {
      stopped = true;
    },
  };
}

function parse(what: string, text: string): URL {
  if (!URL.canParse(text))
    throw problem.invalid(`${what} of PostgreSQL is not a URL: write postgresql://user:password@host:5432/database`);
  const url = new URL(text);
  if (url.protocol !== "postgresql:" && url.protocol !== "postgres:") {
    throw problem.invalid(
      `${what} of PostgreSQL begins with '${url.protocol}': write postgresql://user:password@host:5432/database`,
    );
  }
  if (url.username === "")
    throw problem.invalid(`${what} of PostgreSQL names no user: write postgresql://user:password@host:5432/database`);
  return url;
}

async function reach(url: URL, use: () => Promise<unknown>): Promise<void> {
  try {
    await use();
  } catch (error) {
    const made = toProblem(error);
    if (made.code !== "internal") throw made;
    throw problem.unavailable(describe(url, error));
  }
}

function describe(url: URL, error: unknown): string {
  const role = decodeURIComponent(url.username);
  if (isCode(error, "28P01") || isCode(error, "28000"))
    return `PostgreSQL at ${url.host} does not let '${role}' in: check the password and pg_hba.conf`;
  if (isCode(error, "3D000"))
    return `PostgreSQL at ${url.host} has no database '${url.pathname.slice(1)}': CREATE DATABASE it, or name another one`;
  return `PostgreSQL at ${url.host} does not answer (${error instanceof Error ? error.message : String(error)}): is it running and reachable from here?`;
}
