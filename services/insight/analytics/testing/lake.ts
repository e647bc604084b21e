import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openEmbeddedCache } from "#adapters/cache/embedded";
import { openEmbeddedLog } from "#adapters/log/embedded";
import { openEmbeddedRegistry } from "#adapters/log/registry";
import { openFileObjects } from "#adapters/objects/files";
import { Analytics } from "#contracts/analytics";
import { Auth } from "#contracts/auth";
import { Ingest } from "#contracts/ingest";
import { topics } from "#contracts/topics";
import { testClock } from "#kernel/clock";
import { type Db, openDb } from "#kernel/db";
import { deadLetterTopic } from "#kernel/dead-letters";
import { openEvents, toRecord } from "#kernel/events";
import { startGuardian } from "#kernel/guardian";
import { migrate, PROGRAM } from "#kernel/migrate";
import type { LogRecord } from "#kernel/ports/log";
import type { Objects } from "#kernel/ports/objects";
import { openSink } from "#kernel/sink";
import { openPool } from "#kernel/sql";
import { openMetrics } from "#kernel/metrics";
import { silentLogger } from "#kernel/telemetry";
import { type DataFile, currentSnapshot, readManifest, readManifestList } from "#media/iceberg";
import { dataKey, type EventRow, metadataKey, nameOf } from "../domain.ts";
import { readDataFile } from "../files.ts";
import { filesOf, type LakePlatform, load } from "../lake.ts";
import { keepEvents } from "../keep.ts";
import { makeTestFolder } from "../../../../kernel/testing/folder.ts";
import { openTestPostgres } from "../../../../kernel/testing/postgres.ts";

/** Breaks what a program does at one of its steps, and everything after it: what is left is what another program finds. */
export interface Fuse {
  /** How many steps go well; each call of a port and each transaction is one. */
  steps: number;
  /** Whether the step that breaks has had its effect. */
  readonly isAfter: boolean;
}

export class Crash extends Error {
  override readonly name = "Crash";
}

/** The lake on real engines: PostgreSQL, the embedded log and files. */
export async function openTestLake() {
  const guardian = startGuardian();
  const folder = await makeTestFolder("lake");
  const postgres = await openTestPostgres(folder, guardian);
  const services = [{ name: "analytics", migrations: new URL("../migrations/", import.meta.url) }];
  await migrate({ adminUrl: postgres.adminUrl, program: PROGRAM, log: () => {}, services });
  const pool = openPool({ url: postgres.runtimeUrl, connectionsMax: 8, onError: () => {} });
  const registry = await openEmbeddedRegistry({ folder: join(folder, "registry") });
  const clock = testClock(Date.now());
  const events = await openEvents([Ingest, Auth, Analytics], topics, registry, clock);
  const log = await openEmbeddedLog({ folder: join(folder, "log") });
  const names = ["content.ingest.events", "user.events"];
  const specs = names.map((name) => ({ name, partitions: 3, retentionMs: 10 * 365 * 86_400_000 }));
  await log.createTopics([...specs, ...specs.map((spec) => ({ ...spec, name: deadLetterTopic(spec.name) }))]);
  const objects = await openFileObjects({ folder: join(folder, "objects") });
  const metrics = openMetrics();

  /** A program that does its work on these engines until its fuse blows. */
  function program(fuse?: Fuse): LakePlatform {
    const db: Db<typeof Analytics> = openDb({ pool, service: "analytics", writer: events, onEmitted: () => {} });
    const step = async <T>(work: () => Promise<T>): Promise<T> => {
      if (!fuse) return work();
      fuse.steps -= 1;
      if (fuse.steps < 0 && !(fuse.isAfter && fuse.steps === -1)) throw new Crash();
      const result = await work();
      if (fuse.steps < 0) throw new Crash();
      return result;
    };
    const broken: Objects = {
      ...objects,
      put: (...put) => step(() => objects.put(...put)),
      get: (...get) => step(() => objects.get(...get)),
      delete: (keys) => step(() => objects.delete(keys)),
    };
    return {
      ...{ objects: broken, clock, metrics, logger: silentLogger },
      db: { ...db, tx: (of, work, options) => step(() => db.tx(of, work, options)) },
    };
  }

  /** Reads the log into the lake, as the kernel does it, to the end or the crash. */
  async function collect(
    parts: LakePlatform = program(),
    limits: { readonly recordsMax?: number } = {},
  ): Promise<void> {
    let failure: unknown;
    const sink = openSink({
      ...{ service: "analytics", topics: names, log, reader: events, pool, clock, metrics, logger: silentLogger },
      db: parts.db,
      cache: openEmbeddedCache(),
      sink: {
        ...{ everyMs: 60_000, recordsMax: 10_000, bytesMax: 8 * 1024 * 1024, ...limits },
        take: (_, batch) =>
          keepEvents(parts, batch).catch((error: unknown) => {
            failure ??= error;
            throw error;
          }),
      },
    });
    await sink.flush().finally(() => sink.stop());
    // A sink begins by itself and tries again; what went wrong the first time is of interest here.
    if (failure !== undefined) throw failure instanceof Error ? failure : new Error(String(failure));
  }

  async function append(list: readonly (readonly [string, "failed" | "logout", object])[]): Promise<void> {
    const services = { failed: "ingest", logout: "auth" } as const;
    await log.append(
      list.map(([tenant, event, data]) => toRecord(events.encode(services[event], event, data, tenant))),
    );
  }

  /** What the log has of a tenant, in the order of topic, partition and offset. */
  async function logged(tenant: string): Promise<LogRecord[]> {
    const found: LogRecord[] = [];
    for (const name of names)
      for (const partition of [0, 1, 2]) {
        for (let at = 0; ; ) {
          const some = await log.read(name, new Map([[partition, at]]), 1_000);
          found.push(...some);
          if (some.length === 0) break;
          at = (some.at(-1)?.offset ?? at) + 1;
        }
      }
    return found.filter((record) => events.tenantOf(record) === tenant);
  }

  /** What the table has, in the same order. */
  async function kept(tenant: string): Promise<EventRow[]> {
    const parts = program();
    const loaded = await load(parts, tenant);
    const rows: EventRow[] = [];
    for (const file of await filesOf(parts, tenant, loaded)) {
      const found: EventRow[] = [];
      for await (const block of readDataFile(parts, tenant, loaded, file)) found.push(...block);
      assertFile(file, found);
      rows.push(...found);
    }
    return rows.toSorted(
      (a, b) => compare(a.topic, b.topic) || a.log_partition - b.log_partition || a.log_offset - b.log_offset,
    );
  }

  const query = (tenant: string, sql: string) =>
    program().db.tx({ tenant }, async (tx) => (await tx.executeSql(sql, [])).rows);

  /** Every snapshot that can be read is whole, and every object is reachable or on the list of what is to be deleted. */
  async function check(tenant: string): Promise<void> {
    const loaded = await load(program(), tenant);
    const there = new Set((await objects.list(`lake/${tenant}/`, { keysMax: 10_000 })).map(({ key }) => key));
    const garbage = new Set((await query(tenant, "SELECT key FROM garbage")).map((row) => String(row["key"])));
    const reachable = new Set<string>(loaded.key === undefined ? [] : [loaded.key]);
    for (const entry of loaded.table["metadata-log"])
      reachable.add(metadataKey(tenant, nameOf(entry["metadata-file"])));
    for (const snapshot of loaded.table.snapshots) {
      const list = metadataKey(tenant, nameOf(snapshot["manifest-list"]));
      reachable.add(list);
      for (const manifest of await readManifestList(await objects.get(list))) {
        const key = metadataKey(tenant, nameOf(manifest.path));
        reachable.add(key);
        for (const { status, file } of await readManifest(await objects.get(key), manifest, loaded.shape))
          if (status !== "deleted") reachable.add(dataKey(tenant, nameOf(file.path)));
      }
    }
    for (const key of reachable) assert.ok(there.has(key), `${key} is reachable and not there`);
    for (const key of there) assert.ok(reachable.has(key) || garbage.has(key), `${key} is left behind`);
    const summary = currentSnapshot(loaded.table)?.summary as Readonly<Record<string, string>> | undefined;
    assert.equal(Number(summary?.["total-records"] ?? 0), (await kept(tenant)).length);
  }

  return {
    ...{ folder, clock, log, objects, postgres, events, program, collect, append, logged, kept, check, query },
    async stop() {
      await log.close();
      await registry.close();
      await pool.end();
      await postgres.stop();
      guardian.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type TestLake = Awaited<ReturnType<typeof openTestLake>>;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What the manifest says of a file is so. */
function assertFile(file: DataFile, rows: readonly EventRow[]): void {
  assert.equal(file.rows, rows.length);
  for (const row of rows) {
    assert.equal(row.event_type, file.partition[1]);
    assert.equal(Math.floor(row.time / 86_400_000_000), file.partition[0]);
    const bounds = file.bounds[3];
    assert.ok(bounds && bounds.lower <= row.time && row.time <= bounds.upper);
  }
}

/** Where rows and records lie in the log: equal lists are the same events, each once. */
export const placesOf = (rows: readonly EventRow[]): string[] =>
  rows.map((row) => `${row.topic}/${row.log_partition}/${row.log_offset}`);
export const placesIn = (records: readonly LogRecord[]): string[] =>
  records.map((record) => `${record.topic}/${record.partition}/${record.offset}`);

/** The objects of a tenant that hold a text, unpacked or not. */
export async function objectsWith(lake: TestLake, text: string, tenant: string): Promise<string[]> {
  const found: string[] = [];
  for (const { key } of await lake.objects.list(`lake/${tenant}/`, { keysMax: 10_000 })) {
    const bytes = Buffer.from(await lake.objects.get(key));
    if (bytes.includes(text) || (await unpacked(bytes)).includes(text)) found.push(key);
  }
  return found;
}

async function unpacked(bytes: Buffer): Promise<string> {
  if (!bytes.subarray(0, 3).equals(Buffer.from("Obj"))) return "";
  const { readAvroRecords } = await import("#media/avro-file");
  const records = await readAvroRecords(bytes);
  return JSON.stringify(records, (_, value: unknown) => {
    const json = value as { type?: string; data?: number[] } | null;
    return json?.type === "Buffer" && json.data ? Buffer.from(json.data).toString("latin1") : value;
  });
}
