import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openEmbeddedAnalytics } from "#adapters/analytics/embedded";
import { openEmbeddedCache } from "#adapters/cache/embedded";
import { openJobs } from "#adapters/jobs/pgboss";
import { openEmbeddedFlags } from "#adapters/flags/embedded";
import { openEmbeddedLog } from "#adapters/log/embedded";
import { openEmbeddedRegistry } from "#adapters/log/registry";
import { openMailbox } from "#adapters/mail/mailbox";
import { openEmbeddedModels } from "#adapters/models/embedded";
import { openFileObjects } from "#adapters/objects/files";
import { openEmbeddedSearch } from "#adapters/search/embedded";
import { openFileSecrets } from "#adapters/secrets/file";
import { openTranscoder } from "#adapters/transcoder/ffmpeg";
import { type Config, readConfig } from "#kernel/config";
import { type Context, systemContext, type Viewer } from "#kernel/context";
import { startGuardian } from "#kernel/guardian";
import { type AuditLog, openAuditLog } from "#kernel/audit";
import { type Adapters, type Host, type HostOptions, startHost } from "#kernel/host";
import { type Clock, systemClock } from "#kernel/clock";
import type { Cache } from "#kernel/ports/cache";
import type { Llm } from "#kernel/ports/llm";
import type { Models } from "#kernel/ports/models";
import type { Tracking } from "#kernel/ports/tracking";
import type { Addresses, Service } from "#kernel/service";
import { type Metrics, openMetrics } from "#kernel/metrics";
import { openPseudonyms, type Pseudonyms } from "#kernel/pseudonyms";
import { openLogger, silentLogger } from "#kernel/telemetry";
import { topics } from "#contracts/topics";
import { openAsr, openModeration } from "../apps/adapters.ts";
import { makeTestFolder } from "../kernel/testing/folder.ts";
import { openTestPostgres } from "../kernel/testing/postgres.ts";

export interface TestHost {
  readonly host: Host;
  readonly adapters: Adapters;
  readonly metrics: Metrics;
  readonly audit: AuditLog;
  readonly pseudonyms: Pseudonyms;
  readonly config: Config;
  readonly folder: string;
  readonly client: Host["client"];
  /** A context of the tenant `demo`, with a viewer where one is given. */
  context(options?: { readonly tenant?: string; readonly viewer?: Partial<Viewer> }): Context;
  /** Resolves when everything that was emitted is in the log and handled, and so is what came of it. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestHostOptions {
  readonly services: readonly Service[];
  readonly env?: Readonly<Record<string, string>>;
  readonly addresses?: Partial<Addresses>;
  readonly clock?: Clock;
  readonly llm?: Llm;
  readonly tracking?: Tracking;
  /** In place of the embedded one, such as one that lives by the clock of the test. */
  readonly cache?: Cache;
  /** In place of the embedded runtime, such as one that can be taken away. */
  readonly models?: Models;
  /** A folder of an earlier host, to start again with what it left. */
  readonly folder?: string;
  /** False where speed is measured: tests pay for bytes there and back otherwise. */
  readonly roundTrip?: boolean;
  readonly onMounted?: HostOptions["onMounted"];
  readonly logger?: HostOptions["logger"];
  /** How long an event that failed waits before it comes again. */
  readonly redelivery?: { readonly firstMs: number; readonly maxMs: number };
}

/** The given services on real embedded engines in a folder of their own; what they call and is not given answers `unavailable`. */
export async function startTestHost(options: TestHostOptions): Promise<TestHost> {
  const folder = options.folder ?? (await makeTestFolder("test"));
  const at = (name: string): string => join(folder, name);
  const clock = options.clock ?? systemClock;
  const config = readConfig({ MARQUEE_DATA: folder, ...options.env });
  // A test that crashes must leave no server behind.
  const guardian = startGuardian();
  const postgres = await openTestPostgres(folder, guardian);
  const closing: (() => Promise<unknown> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).toReversed()) await step();
    await postgres.stop();
    guardian.stop();
    if (!options.folder) await rm(folder, { recursive: true, force: true });
  };
  const objects = await openFileObjects({ folder: at("objects") });
  const adapters: Adapters = {
    postgres,
    log: await openEmbeddedLog({
      folder: at("log"),
      ...(options.redelivery ? { redelivery: options.redelivery } : {}),
    }),
    registry: await openEmbeddedRegistry({ folder: at("log") }),
    cache: options.cache ?? openEmbeddedCache(),
    analytics: await openEmbeddedAnalytics({ folder: at("analytics") }),
    objects,
    secrets: await openFileSecrets({ folder: at("secrets") }),
    mail: await openMailbox({ folder: at("mail"), from: "Marquee <no-reply@marquee.test>" }),
    models: options.models ?? openEmbeddedModels(),
    jobs: await openJobs({ adminUrl: postgres.adminUrl, runtimeUrl: postgres.runtimeUrl, log: () => {} }),
    flags: await openEmbeddedFlags({ ...postgres, log: () => {} }),
    search: await openEmbeddedSearch(postgres),
    transcoder: openTranscoder(),
    asr: await openAsr(config, objects),
    llm: options.llm,
    moderation: await openModeration(config),
    tracking: options.tracking,
  };
  for (const name of [
    "log",
    "registry",
    "cache",
    "analytics",
    "models",
    "asr",
    "secrets",
    "jobs",
    "flags",
    "search",
  ] as const)
    closing.push(() => adapters[name].close());
  const metrics = openMetrics();
  const pseudonyms = openPseudonyms();
  await pseudonyms.load(adapters.secrets);
  const audit = await openAuditLog({ file: at("logs/audit.log") });
  closing.push(() => audit.close());
  const addresses: Addresses = {
    publicUrl: "http://localhost:8080",
    originUrl: "http://127.0.0.1:8083",
    edges: [
      { id: "a", baseUrl: "http://localhost:8081" },
      { id: "b", baseUrl: "http://127.0.0.1:8082" },
    ],
    ...options.addresses,
  };
  const host = await startHost({
    services: options.services,
    topics,
    adapters,
    config,
    addresses,
    clock,
    metrics,
    audit,
    pseudonyms,
    logger: options.logger ?? (process.env["MARQUEE_TEST_LOG"] ? openLogger({ level: "info" }) : () => silentLogger),
    transport: { roundTrip: options.roundTrip ?? true },
    onMounted: options.onMounted,
    isPartial: true,
  }).catch(async (error: unknown) => {
    // A test whose set-up failed must not hang on what was opened before.
    await close();
    throw error;
  });
  /** How many records the log has taken. */
  const written = async (): Promise<number> => {
    const ends = await Promise.all(topics.specs.map(({ name }) => adapters.log.offsets(name)));
    return ends.flatMap((partitions) => [...partitions.values()]).reduce((sum, end) => sum + end, 0);
  };
  return {
    host,
    metrics,
    audit,
    pseudonyms,
    adapters,
    config,
    folder,
    client: (contract, caller) => host.client(contract, caller),
    context: ({ tenant = "demo", viewer } = {}) => ({
      ...systemContext(tenant, "test", { clock, deadlineMs: 60_000 }),
      viewer: viewer
        ? {
            userId: "usr_test",
            profileId: "prf_test",
            tier: "basic",
            deviceId: "device-1",
            entitlements: [],
            ...viewer,
          }
        : null,
    }),
    async settled() {
      // What a consumer does may be an event again, so this goes on until a round brings nothing new.
      for (let before = -1, now = await written(); before !== now; now = await written()) {
        before = now;
        await host.drained();
        await host.idle();
        // What the handlers emitted counts as written only when it has left its outbox.
        await host.drained();
      }
    },
    async stop() {
      await host.stop();
      await close();
    },
  };
}
