/** A look into the product's own database and objects, past every service: what is really there. */
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";

/** Runs `use` on a connection as the database's owner, whom no row-level security holds back. */
export async function withDatabase<T>(folder: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const { ownerPassword } = JSON.parse(await readFile(path.join(folder, "postgres/credentials.json"), "utf8")) as {
    ownerPassword: string;
  };
  const moved = (await readFile(path.join(folder, "postgres/moved-to.txt"), "utf8").catch(() => "")).trim();
  const lock = await readFile(path.join(moved || path.join(folder, "postgres"), "data/postmaster.pid"), "utf8");
  const client = new pg.Client({
    ...{ host: "127.0.0.1", port: Number(lock.split("\n")[3]), user: "marquee_owner", database: "marquee" },
    ...{ password: ownerPassword, connectionTimeoutMillis: 10_000, query_timeout: 30_000 },
  });
  client.on("error", () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}

export interface TaskFact {
  readonly contentId: string;
  readonly name: string;
  readonly runs: number;
  readonly doneAtMs: number | null;
}

export async function encodingTasks(folder: string): Promise<TaskFact[]> {
  return withDatabase(folder, async (client) => {
    const { rows } = await client.query<{ content_id: string; name: string; runs: number; done_at_ms: string | null }>(
      "SELECT content_id, name, runs, done_at_ms FROM encoding.tasks ORDER BY content_id, name",
    );
    return rows.map((row) => ({
      contentId: row.content_id,
      name: row.name,
      runs: row.runs,
      doneAtMs: row.done_at_ms === null ? null : Number(row.done_at_ms),
    }));
  });
}

/** Every finished chunk by its path, with what changes when it is made again: the file itself and its age. */
export async function finishedChunks(folder: string, tenant: string): Promise<Map<string, string>> {
  const root = path.join(folder, "objects/objects", `intermediate~/${tenant}~`);
  const names = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  const found = new Map<string, string>();
  for (const entry of names) {
    if (!entry.isFile() || !entry.name.endsWith(".mp4")) continue;
    const file = path.join(entry.parentPath, entry.name);
    // A title's folder may go while we look.
    const info = await stat(file, { bigint: true }).catch(() => undefined);
    if (info) found.set(path.relative(root, file), `${info.ino}/${info.mtimeNs}/${info.size}`);
  }
  return found;
}

/** Events of one type in the log of a product that does not run, as text: names and ids in them are readable as they are. */
export function eventsOf(folder: string, type: string): { readonly text: string }[] {
  const database = new DatabaseSync(path.join(folder, "log/log.sqlite"), { readOnly: true });
  try {
    const rows = database.prepare("SELECT key, headers, value FROM records").all() as {
      key: string;
      headers: string;
      value: Uint8Array;
    }[];
    return rows
      .filter(({ headers }) => headers.includes(`"${type}"`))
      .map(({ key, value }) => ({ text: `${key} ${Buffer.from(value).toString("latin1")}` }));
  } finally {
    database.close();
  }
}
