/**
 * A producer and a consumer of events on a PostgreSQL of their own and on any log: rows with events through the outbox, and a service that
 * writes down what it handled. For tests that kill engines, and for the bench of events.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openEmbeddedRegistry } from "#adapters/log/registry";
import { openEmbeddedPostgres } from "#adapters/postgres/embedded";
import { Ingest } from "#contracts/ingest";
import { topics } from "#contracts/topics";
import { systemClock } from "#kernel/clock";
import { consumeTopic } from "#kernel/consumer";
import { deadLetterTopic } from "#kernel/dead-letters";
import { openDb } from "#kernel/db";
import { type EventReader, type EventWriter, openEvents, type Received } from "#kernel/events";
import { startGuardian } from "#kernel/guardian";
import { migrate, PROGRAM } from "#kernel/migrate";
import type { Consumer, EventLog, SchemaRegistry } from "#kernel/ports/log";
import { startRelay } from "#kernel/relay";
import { openPool, type Pool } from "#kernel/sql";
import { openMetrics } from "#kernel/metrics";
import { type Logger, silentLogger } from "#kernel/telemetry";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

export const TOPIC = "content.ingest.events";
const TENANT = "a";

/** What a member needs to be started in another process too. */
export interface Member {
  readonly pool: Pool;
  readonly events: EventReader & EventWriter;
}

export interface EventsStage extends Member {
  readonly folder: string;
  readonly runtimeUrl: string;
  /** Commits one transaction with these events, each a key and a text. */
  emit(told: readonly { readonly key: string; readonly text: string }[]): Promise<void>;
  /** Resolves when nothing is left in the outbox. */
  drained(): Promise<void>;
  /** What the consumer wrote down, in its order. */
  notes(): Promise<readonly { readonly key: string; readonly text: string }[]>;
  count(): Promise<number>;
  close(): Promise<void>;
}

const database = ({ pool, events }: Member, service: string, onEmitted: (count: number) => void = () => undefined) =>
  openDb<typeof Ingest>({ pool, service, writer: events, onEmitted });

export async function createEventTopics(log: EventLog, partitions: number): Promise<void> {
  const spec = { name: TOPIC, partitions, retentionMs: 86_400_000 };
  await log.createTopics([spec, { ...spec, name: deadLetterTopic(TOPIC), partitions: 1 }]);
}

export const openRegistryAndEvents = async (folder: string): Promise<[SchemaRegistry, Member["events"]]> => {
  const registry = await openEmbeddedRegistry({ folder: join(folder, "registry") });
  return [registry, await openEvents([Ingest], topics, registry, systemClock)];
};

/** The consumer: writes each event down, in one statement a batch. */
export function listen(member: Member, log: EventLog, logger: Logger = silentLogger): Promise<Consumer> {
  return consumeTopic({
    service: "listener",
    topic: TOPIC,
    subscriptions: [
      {
        event: Ingest.events.failed,
        async handle(tx, received) {
          const data = received.map((event) => (event as Received<{ contentId: string; message: string }>).data);
          await tx.executeSql(
            "INSERT INTO notes (tenant, key, text) SELECT $1, * FROM unnest($2::text[], $3::text[])",
            [tx.tenant, data.map(({ contentId }) => contentId), data.map(({ message }) => message)],
          );
        },
      },
    ],
    db: database(member, "listener"),
    pool: member.pool,
    log,
    reader: member.events,
    logger,
    metrics: openMetrics(),
  });
}

export async function openEventsStage(log: EventLog): Promise<EventsStage> {
  const folder = await makeTestFolder("events");
  const guardian = startGuardian();
  const postgres = await openEmbeddedPostgres({
    folder: join(folder, "postgres"),
    log: () => undefined,
    spawnGuard: guardian,
  });
  await mkdir(join(folder, "sql"));
  await writeFile(
    join(folder, "sql/0001.sql"),
    "CREATE TABLE notes (tenant text NOT NULL, key text NOT NULL, text text NOT NULL, at bigint GENERATED ALWAYS AS IDENTITY);",
  );
  const migrations = pathToFileURL(join(folder, "sql/"));
  const services = ["ingest", "listener"].map((name) => ({ name, migrations }));
  await migrate({ adminUrl: postgres.adminUrl, program: PROGRAM, log: () => undefined, services });
  const pool = openPool({ url: postgres.runtimeUrl, connectionsMax: 16, onError: () => undefined });
  const [registry, events] = await openRegistryAndEvents(folder);
  const member: Member = { pool, events };
  const relay = startRelay({ service: "ingest", pool, log, logger: silentLogger });
  const producer = database(member, "ingest", (count) => relay.wake(count));
  const consumer = database(member, "listener");
  const ask = (sql: string) => consumer.tx({ tenant: TENANT }, async (tx) => (await tx.executeSql(sql, [])).rows);
  return {
    ...member,
    folder,
    runtimeUrl: postgres.runtimeUrl,
    emit: (told) =>
      producer.tx({ tenant: TENANT }, async (tx) => {
        for (const { key, text } of told) tx.emit("failed", { contentId: key, reason: "test", message: text });
      }),
    drained: () => relay.drained(),
    notes: async () =>
      (await ask("SELECT key, text FROM notes ORDER BY at")).map((row) => ({
        key: String(row["key"]),
        text: String(row["text"]),
      })),
    count: async () => Number((await ask("SELECT count(*) AS count FROM notes"))[0]?.["count"]),
    async close() {
      await relay.stop();
      await pool.end();
      await registry.close();
      await postgres.stop();
      guardian.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
