/**
 * Runs Unleash in the foreground, with a PostgreSQL of its own beside it, for engines/unleash.ts. It is a program of its own because Unleash
 * wants a database before it starts, and an engine is one process.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { openEmbeddedPostgres } from "#adapters/postgres/embedded";
import { startGuardian } from "#kernel/guardian";

interface Unleash {
  start(options: Readonly<Record<string, unknown>>): Promise<{ stop(): Promise<void> }>;
}

const setting = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is missing: this program is started by engines/unleash.ts`);
  return value;
};

const data = setting("MARQUEE_UNLEASH_DATA");
const guardian = startGuardian();
const postgres = await openEmbeddedPostgres({ folder: join(data, "postgres"), log: console.log, spawnGuard: guardian });
const database = new URL(postgres.adminUrl);
const unleash = createRequire(join(setting("MARQUEE_UNLEASH_PROGRAMS"), "package.json"))("unleash-server") as Unleash;
const running = await unleash.start({
  db: {
    host: database.hostname,
    port: Number(database.port),
    user: decodeURIComponent(database.username),
    password: decodeURIComponent(database.password),
    database: database.pathname.slice(1),
    ssl: false,
    pool: { min: 0, max: 4 },
  },
  // Its own way of stopping ends this process before the database is stopped.
  server: { host: "127.0.0.1", port: Number(setting("MARQUEE_UNLEASH_PORT")), gracefulShutdownEnable: false },
  // Who changes a flag wants to see what comes of it.
  clientFeatureCaching: { enabled: false, maxAge: 0 },
});

let isStopping = false;
const stop = async (): Promise<void> => {
  if (isStopping) return;
  isStopping = true;
  await running.stop().catch((error: unknown) => console.error(error));
  await postgres.stop();
  guardian.stop();
  process.exit(0);
};
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stop());
