/**
 * `node tests/split/cell.ts NAME…`: a cell as `marquee serve` runs it, on engines that a test can have: PostgreSQL and secrets are shared with
 * the other cells, log and cache are the cell's own, because what is tested here sends no event from one cell to another.
 */
import { join } from "node:path";
import { openEmbeddedAnalytics } from "#adapters/analytics/embedded";
import { openEmbeddedCache } from "#adapters/cache/embedded";
import { openEmbeddedFlags } from "#adapters/flags/embedded";
import { openJobs } from "#adapters/jobs/pgboss";
import { openEmbeddedLog } from "#adapters/log/embedded";
import { openEmbeddedRegistry } from "#adapters/log/registry";
import { openMailbox } from "#adapters/mail/mailbox";
import { openEmbeddedModels } from "#adapters/models/embedded";
import { openFileObjects } from "#adapters/objects/files";
import { openPostgresByUrl } from "#adapters/postgres/url";
import { openEmbeddedSearch } from "#adapters/search/embedded";
import { openFileSecrets } from "#adapters/secrets/file";
import { openTranscoder } from "#adapters/transcoder/ffmpeg";
import { topics } from "#contracts/topics";
import { readConfig } from "#kernel/config";
import { systemClock } from "#kernel/clock";
import { openAuditLog } from "#kernel/audit";
import { type Adapters, startHost } from "#kernel/host";
import { openMetrics } from "#kernel/metrics";
import { silentLogger } from "#kernel/telemetry";
import { placesOf } from "../../apps/addresses.ts";
import { cellOf } from "../../apps/cell.ts";
import { openMesh } from "../../apps/mesh.ts";
import { openAsr } from "../../apps/adapters.ts";
import { services } from "../../apps/services.ts";

const config = readConfig(process.env);
const cell = cellOf(process.argv.slice(2));
const at = (name: string): string => join(config.MARQUEE_DATA, name);
const places = await placesOf(config);
const metrics = openMetrics();
const logger = () => silentLogger;
const audit = await openAuditLog({ file: at("logs/audit.log") });
const postgres = await openPostgresByUrl({
  adminUrl: config.MARQUEE_POSTGRES_URL ?? "",
  runtimeUrl: config.MARQUEE_POSTGRES_RUNTIME_URL ?? "",
});
const objects = await openFileObjects({ folder: at("objects") });
const adapters: Adapters = {
  postgres,
  log: await openEmbeddedLog({ folder: at("log") }),
  registry: await openEmbeddedRegistry({ folder: at("log") }),
  cache: openEmbeddedCache(),
  analytics: await openEmbeddedAnalytics({ folder: at("analytics") }),
  objects,
  secrets: await openFileSecrets({ folder: process.env["SPLIT_SECRETS"] ?? at("secrets") }),
  models: openEmbeddedModels(),
  mail: await openMailbox({ folder: at("mail"), from: "Marquee <no-reply@marquee.test>" }),
  jobs: await openJobs({ adminUrl: postgres.adminUrl, runtimeUrl: postgres.runtimeUrl, log: () => {} }),
  flags: await openEmbeddedFlags({ ...postgres, log: () => {} }),
  search: await openEmbeddedSearch(postgres),
  transcoder: openTranscoder(),
  asr: await openAsr(config, objects),
};
const mesh = await openMesh({ ...{ cell, config, places, logger, audit, metrics }, secrets: adapters.secrets });
const host = await startHost({
  services: cell.services,
  declared: services,
  remote: mesh.remote,
  onMounted: mesh.listen,
  ...{ topics, adapters, config, metrics, logger, audit },
  addresses: places.addresses,
  clock: systemClock,
});
process.on("SIGTERM", async () => {
  await mesh.stopListening();
  await host.stop();
  await mesh.stop();
  for (const name of ["log", "registry", "cache", "analytics", "secrets", "jobs"] as const)
    await adapters[name].close();
  process.exit(0);
});
console.log("ready");
