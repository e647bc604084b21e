import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import pg from "pg";
import { problem, type Service } from "#kernel";
import { startGuardian } from "#kernel/guardian";
import { migrate, PROGRAM } from "#kernel/migrate";
import type { Objects } from "#kernel/ports/objects";
import type { Secrets } from "#kernel/ports/secrets";
import { type Entry, type Manifest, unpack } from "./archive.ts";
import { beginLoading, loadRows, loadSequences } from "./tables.ts";

export interface RestoreOptions {
  /** The bytes of the archive from the beginning; asked for twice, first to verify and then to read. */
  readonly open: () => AsyncIterable<Uint8Array>;
  /** The data folder to be: it does not exist, or is empty. */
  readonly folder: string;
  readonly services: readonly Service[];
  /** Hears of every long step. */
  readonly say: (line: string) => void;
}

/**
 * Makes a data folder of a backup. All of the file is verified before anything is written, and everything is written to a folder beside
 * that gets its name when it is whole: whatever goes wrong, there is no half of a product.
 */
export async function restore({ open, folder: given, services, say }: RestoreOptions): Promise<Manifest> {
  const folder = resolve(given);
  await assertEmpty(folder);
  say("verifying the backup");
  const manifest = await unpack(open());
  await assertReadable(manifest, services);
  await mkdir(dirname(folder), { recursive: true });
  // Not by mkdtemp: PostgreSQL's own user must be able to enter a folder of root's.
  const draft = `${folder}.restoring-${randomUUID().slice(0, 8)}`;
  await mkdir(draft);
  try {
    await fill(draft, { open, services, say, manifest });
    await rmdir(folder).catch(() => undefined);
    await rename(draft, folder);
    return manifest;
  } catch (error) {
    await dropMovedRows(draft);
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

async function assertEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  if (names.length > 0)
    throw problem.precondition(
      `'${folder}' holds ${names.length} files already, such as '${names[0] ?? ""}': restore into an empty folder, with MARQUEE_DATA`,
      { reason: "not_empty" },
    );
}

/** Refuses what a newer program wrote: its rows would be misunderstood. */
async function assertReadable(manifest: Manifest, services: readonly Service[]): Promise<void> {
  const newer = (what: string): Error =>
    problem.precondition(`the backup has ${what}, which this Marquee does not know: restore it with a newer one`, {
      reason: "newer_backup",
    });
  if (manifest.program > PROGRAM) throw newer(`program release ${manifest.program}`);
  for (const [name, applied] of Object.entries(manifest.migrations)) {
    const service = services.find(({ contract }) => contract.name === name);
    if (!service) throw newer(`the service '${name}'`);
    const known = service.migrations ? await readdir(service.migrations) : [];
    const unknown = applied.find((file) => !known.includes(file));
    if (unknown) throw newer(`the migration '${unknown}' of '${name}'`);
  }
}

type Filling = Omit<RestoreOptions, "folder"> & { readonly manifest: Manifest };

async function fill(folder: string, { open, services, say, manifest }: Filling): Promise<void> {
  const { openEmbeddedPostgres } = await import("#adapters/postgres/embedded");
  const { openJobs } = await import("#adapters/jobs/pgboss");
  const { openEmbeddedFlags } = await import("#adapters/flags/embedded");
  const { openEmbeddedSearch } = await import("#adapters/search/embedded");
  const { openFileObjects } = await import("#adapters/objects/files");
  const { openFileSecrets } = await import("#adapters/secrets/file");
  const guardian = startGuardian();
  say("starting an empty PostgreSQL");
  const postgres = await openEmbeddedPostgres({
    folder: join(folder, "postgres"),
    log: () => undefined,
    spawnGuard: guardian,
  });
  try {
    const { adminUrl, runtimeUrl } = postgres;
    const silent = { adminUrl, runtimeUrl, log: () => undefined };
    // Opened for the tables that they make.
    for (const adapter of [await openJobs(silent), await openEmbeddedFlags(silent), await openEmbeddedSearch(silent)])
      await adapter.close();
    // The tables as they were at the backup; what has changed since is done to their rows when the product starts.
    const present = services.filter(({ contract }) => manifest.migrations[contract.name] !== undefined);
    await migrate({
      ...{ adminUrl, program: PROGRAM, log: () => undefined },
      services: present.map(({ contract: { name }, tenantless, migrations }) => ({
        ...{ name, tenantless, only: manifest.migrations[name] },
        ...(migrations ? { migrations } : {}),
      })),
    });
    const client = new pg.Client({ connectionString: adminUrl });
    await client.connect();
    try {
      await beginLoading(client);
      const objects = await openFileObjects({ folder: join(folder, "objects") });
      const secrets = await openFileSecrets({ folder: join(folder, "secrets") });
      say(`restoring ${manifest.entries.length} entries`);
      await unpack(open(), (entry) => put(entry, { folder, client, objects, secrets, manifest }));
      await secrets.close();
      await loadSequences(client, manifest.sequences);
    } finally {
      await client.end();
    }
  } finally {
    await postgres.stop();
    guardian.stop();
  }
}

interface Target {
  readonly folder: string;
  readonly client: pg.Client;
  readonly objects: Objects;
  readonly secrets: Secrets;
  readonly manifest: Manifest;
}

async function put({ name, content }: Entry, { folder, client, objects, secrets, manifest }: Target): Promise<void> {
  const [kind = ""] = name.split("/", 1);
  const rest = name.slice(kind.length + 1);
  const stream = Readable.from(content, { objectMode: false });
  switch (kind) {
    case "rows":
      // Without its log nobody has heard anything of the new one.
      if (!manifest.hasLog && /\/(marks|seen)$/.test(rest)) return;
      // The index of texts had its schema's name before a service had it, whose own tables are in a backup with its migrations.
      return loadRows(
        client,
        manifest.migrations["search"] ? name : name.replace(/^rows\/search\//, "rows/fulltext/"),
        await text(stream),
      );
    case "log":
      await mkdir(join(folder, "log"), { recursive: true });
      return pipeline(stream, createWriteStream(join(folder, "log", basename(rest)), { mode: 0o600, flush: true }));
    case "secrets":
      await secrets.put(rest, JSON.parse(await text(stream)) as Record<string, unknown>);
      return;
    case "objects":
      return objects.put(rest, stream);
    default:
      throw problem.precondition(`the backup has an entry '${name.slice(0, 100)}' that this Marquee does not know`, {
        reason: "newer_backup",
      });
  }
}

/** Where root had to put PostgreSQL's data elsewhere, they do not go with the folder. */
async function dropMovedRows(folder: string): Promise<void> {
  const moved = (await readFile(join(folder, "postgres/moved-to.txt"), "utf8").catch(() => "")).trim();
  if (moved !== "") await rm(moved, { recursive: true, force: true });
}
