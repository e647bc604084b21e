import { createReadStream } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, type Contract, problem, toProblem } from "#kernel";
import { deadLetterTopic } from "#kernel/dead-letters";
import type { Topics } from "#kernel/events";
import type { Adapters } from "#kernel/host";
import { PROGRAM } from "#kernel/migrate";
import type { Objects } from "#kernel/ports/objects";
import type { Secrets } from "#kernel/ports/secrets";
import { type Entry, pack } from "./archive.ts";
import { openSnapshot, type Snapshot } from "./tables.ts";

export interface BackupParts {
  readonly adapters: Pick<Adapters, "postgres" | "log" | "registry" | "objects" | "secrets">;
  readonly services: readonly { readonly contract: Pick<Contract, "name"> }[];
  readonly topics: Topics;
  /** Where a copy of the log lies meanwhile. */
  readonly scratchFolder: string;
  readonly clock: Clock;
}

/** What films are made of and what they are played from; all else is small. */
const MEDIA = ["sources/", "intermediate/", "vod/"];
const LAKE = "lake/";
const KEYS_MAX = 1_000;
const SECRETS_MAX = 10_000;

/**
 * Everything that cannot be made again, as one stream of plain bytes, while the product runs: rows of all services as of one moment, the log up
 * to that moment, schemas, secrets, objects. What was acknowledged before the first byte is asked for is in it.
 */
export async function* backup(
  parts: BackupParts,
  { withMedia }: { readonly withMedia: boolean },
): AsyncGenerator<Uint8Array> {
  const { postgres, log } = parts.adapters;
  const createdAtMs = parts.clock.nowMs();
  const names = parts.services.map(({ contract }) => contract.name);
  const { snapshot, moment } = await openSnapshot(postgres.adminUrl, names, () => offsetsOf(parts));
  const folder = await mkdtemp(join(parts.scratchFolder, "backup-"));
  let sequences: Record<string, number> = {};
  try {
    async function* entries(): AsyncGenerator<Entry> {
      yield* snapshot.entries();
      sequences = await snapshot.sequences();
      await snapshot.close();
      yield* files(parts, folder, moment);
      yield* secretsOf(parts.adapters.secrets);
      // The lake first: what its rows name may be replaced, and the old files then stay for a quarter of an hour.
      yield* objectsOf(parts.adapters.objects, LAKE, () => true);
      yield* objectsOf(
        parts.adapters.objects,
        "",
        (key) => !key.startsWith(LAKE) && (withMedia || !MEDIA.some((prefix) => key.startsWith(prefix))),
      );
    }
    const about = { program: PROGRAM, createdAtMs, hasMedia: withMedia, hasLog: log.copyTo !== undefined };
    yield* pack(entries(), () => ({ ...about, migrations: { ...snapshot.migrations }, sequences }));
  } finally {
    await closeQuietly(snapshot);
    await rm(folder, { recursive: true, force: true });
  }
}

const closeQuietly = (snapshot: Snapshot): Promise<void> => snapshot.close().catch(() => undefined);

/** How far every topic is. */
async function offsetsOf({ adapters, topics }: BackupParts): Promise<Map<string, ReadonlyMap<number, number>>> {
  const names = topics.specs.flatMap(({ name }) => [name, deadLetterTopic(name)]);
  return new Map(await Promise.all(names.map(async (name) => [name, await adapters.log.offsets(name)] as const)));
}

/** The log and its schemas, where they are files. */
async function* files(
  { adapters: { log, registry } }: BackupParts,
  folder: string,
  until: ReadonlyMap<string, ReadonlyMap<number, number>>,
): AsyncGenerator<Entry> {
  await log.copyTo?.(folder, until);
  await registry.copyTo?.(folder);
  for (const name of await readdir(folder))
    yield { name: `log/${name}`, content: createReadStream(join(folder, name), { highWaterMark: 1024 * 1024 }) };
}

async function* secretsOf(secrets: Secrets): AsyncGenerator<Entry> {
  const names = await secrets.list("", SECRETS_MAX);
  if (names.length >= SECRETS_MAX)
    throw problem.exhausted(`there are ${names.length} secrets or more: a backup holds at most ${SECRETS_MAX}`);
  for (const name of names) {
    const found = await secrets.get(name);
    // One that was deleted meanwhile is no secret any more.
    if (found) yield { name: `secrets/${name}`, content: only(Buffer.from(JSON.stringify(found.value))) };
  }
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* objectsOf(objects: Objects, prefix: string, isWanted: (key: string) => boolean): AsyncGenerator<Entry> {
  for (let after = ""; ; ) {
    const found = await objects.list(prefix, { keysMax: KEYS_MAX, ...(after === "" ? {} : { after }) });
    for (const { key } of found) {
      if (!isWanted(key)) continue;
      try {
        yield { name: `objects/${key}`, content: await objects.stream(key) };
      } catch (error) {
        // What was deleted since it was listed is not missed.
        if (toProblem(error).code !== "not_found") throw error;
      }
    }
    const last = found.at(-1);
    if (!last || found.length < KEYS_MAX) return;
    after = last.key;
  }
}
