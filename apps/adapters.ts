import { join, resolve } from "node:path";
import { modelFile, WEIGHTS } from "#contracts/metadata";
import { type Config, type Logger, problem } from "#kernel";
import { startGuardian } from "#kernel/guardian";
import type { Adapters } from "#kernel/host";
import type { AsrFiles } from "#adapters/asr/messages";
import type { Asr } from "#kernel/ports/asr";
import type { Analytics } from "#kernel/ports/analytics";
import type { Cache } from "#kernel/ports/cache";
import type { Flags } from "#kernel/ports/flags";
import type { Geo } from "#kernel/ports/geo";
import type { Llm } from "#kernel/ports/llm";
import type { EventLog, SchemaRegistry } from "#kernel/ports/log";
import type { Mail } from "#kernel/ports/mail";
import type { Moderation } from "#kernel/ports/moderation";
import type { Models } from "#kernel/ports/models";
import type { Objects } from "#kernel/ports/objects";
import type { PostgresServer } from "#kernel/ports/postgres";
import type { Search } from "#kernel/ports/search";
import type { Secrets } from "#kernel/ports/secrets";
import type { Tracking } from "#kernel/ports/tracking";
import type { Transcoder } from "#kernel/ports/transcoder";

// Which engine stands behind a port is decided here by the configuration, a function for each port. Adapters are loaded when
// they are chosen, because their clients take their time to load.

export interface Opening {
  /** Hears of every long step. */
  readonly say: (line: string) => void;
  readonly log: Logger;
  /** How to stop what was opened; the last goes first. */
  readonly stops: (() => Promise<unknown> | void)[];
}

export async function openAdapters(config: Config, folder: string, opening: Opening): Promise<Adapters> {
  const { stops, log } = opening;
  const closing = <T extends { close(): Promise<unknown> | void }>(adapter: T): T => {
    stops.push(() => adapter.close());
    return adapter;
  };
  const postgres = await openPostgres(config, folder, opening);
  stops.push(() => postgres.stop());
  const { openJobs } = await import("#adapters/jobs/pgboss");
  const objects = await openObjects(config, folder);
  return {
    postgres,
    log: closing(await openEventLog(config, folder)),
    registry: closing(await openRegistry(config, folder, log)),
    cache: closing(await openCache(config)),
    analytics: closing(await openAnalytics(config, folder)),
    secrets: closing(await openSecrets(config, folder)),
    jobs: closing(
      await openJobs({
        adminUrl: postgres.adminUrl,
        runtimeUrl: postgres.runtimeUrl,
        log: (line) => log.info(line),
      }),
    ),
    objects,
    mail: await openMail(config, folder),
    models: closing(await openModels(config)),
    search: closing(await openSearch(config, postgres)),
    flags: closing(await openFlags(config, folder, postgres, log)),
    transcoder: await openFfmpeg(config),
    asr: closing(await openAsr(config, objects)),
    llm: await openLlm(config),
    moderation: await openModeration(config),
    tracking: await openTracking(config),
  };
}

/** By URL where one is given, else our own child process. */
async function openPostgres(config: Config, folder: string, { say, log, stops }: Opening): Promise<PostgresServer> {
  const { MARQUEE_POSTGRES_URL: adminUrl, MARQUEE_POSTGRES_RUNTIME_URL: runtimeUrl } = config;
  if (adminUrl) {
    // Row-level security binds a login only that owns nothing.
    if (!runtimeUrl)
      throw problem.precondition(
        "MARQUEE_POSTGRES_URL is the owner's login; services use another one that owns nothing: set MARQUEE_POSTGRES_RUNTIME_URL as well, with the user marquee_runtime",
      );
    return (await import("#adapters/postgres/url")).openPostgresByUrl({ adminUrl, runtimeUrl });
  }
  const guardian = startGuardian();
  stops.push(() => guardian.stop());
  say("starting PostgreSQL");
  return (await import("#adapters/postgres/embedded")).openEmbeddedPostgres({
    folder: join(folder, "postgres"),
    log: (line) => log.info(line),
    spawnGuard: { add: (pid, signal) => guardian.add(pid, signal), remove: (pid) => guardian.remove(pid) },
  });
}

/** Kafka where brokers are named, one cluster or two; else SQLite. */
async function openEventLog(config: Config, folder: string): Promise<EventLog> {
  const { MARQUEE_KAFKA_BROKERS: main, MARQUEE_KAFKA_ANALYTICS_BROKERS: analytics } = config;
  if (!main && analytics)
    throw problem.precondition(
      "MARQUEE_KAFKA_ANALYTICS_BROKERS is a second cluster: set MARQUEE_KAFKA_BROKERS as well",
    );
  if (!main) return (await import("#adapters/log/embedded")).openEmbeddedLog({ folder: join(folder, "log") });
  const { openKafkaLog } = await import("#adapters/log/kafka");
  const replication = config.MARQUEE_KAFKA_REPLICATION;
  const log = await openKafkaLog({ brokers: main.split(","), replication });
  if (!analytics) return log;
  try {
    const { routeLog } = await import("#adapters/log/routed");
    return routeLog(log, await openKafkaLog({ brokers: analytics.split(","), replication }));
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** A Confluent-compatible one where its address is given, else SQLite. */
async function openRegistry(config: Config, folder: string, log: Logger): Promise<SchemaRegistry> {
  const { MARQUEE_SCHEMA_REGISTRY_URL: url, MARQUEE_KAFKA_BROKERS: brokers } = config;
  if (url) return (await import("#adapters/log/confluent-registry")).openConfluentRegistry({ url });
  if (brokers)
    log.warn(
      "events on Kafka name schemas that only this data folder knows: set MARQUEE_SCHEMA_REGISTRY_URL to share them",
    );
  return (await import("#adapters/log/registry")).openEmbeddedRegistry({ folder: join(folder, "log") });
}

/** In Redis where it is named, else in this process. */
async function openCache({ MARQUEE_REDIS_URL: url }: Config): Promise<Cache> {
  if (url === undefined) return (await import("#adapters/cache/embedded")).openEmbeddedCache();
  return (await import("#adapters/cache/redis")).openRedisCache({ url });
}

/** ClickHouse by URL where one is given, else as a library in a child process, which starts when something is written. */
async function openAnalytics(config: Config, folder: string): Promise<Analytics> {
  const { MARQUEE_CLICKHOUSE_URL: url, MARQUEE_CLICKHOUSE_USER: user, MARQUEE_CLICKHOUSE_PASSWORD: password } = config;
  if (url === undefined)
    return (await import("#adapters/analytics/embedded")).openEmbeddedAnalytics({ folder: join(folder, "analytics") });
  return (await import("#adapters/analytics/clickhouse")).openClickHouse({ url, user, password });
}

/** In a bucket where one is named, else as files below the data folder. */
async function openObjects(config: Config, folder: string): Promise<Objects> {
  const { MARQUEE_S3_BUCKET: bucket, MARQUEE_S3_ENDPOINT: endpoint, MARQUEE_S3_REGION: region } = config;
  if (bucket === undefined)
    return (await import("#adapters/objects/files")).openFileObjects({ folder: join(folder, "objects") });
  return (await import("#adapters/objects/s3")).openS3Objects({
    bucket,
    region,
    scratchFolder: join(folder, "lent"),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
}

/** In Vault where its address is named, else as files below the data folder. */
async function openSecrets(config: Config, folder: string): Promise<Secrets> {
  const {
    MARQUEE_VAULT_ADDR: address,
    MARQUEE_VAULT_TOKEN: token,
    MARQUEE_VAULT_TOKEN_FILE: tokenFile,
    MARQUEE_VAULT_MOUNT: mount,
    MARQUEE_VAULT_NAMESPACE: namespace,
  } = config;
  if (address === undefined)
    return (await import("#adapters/secrets/file")).openFileSecrets({ folder: join(folder, "secrets") });
  return (await import("#adapters/secrets/vault")).openVaultSecrets({
    address,
    mount,
    folder: "marquee",
    ...(token === undefined ? {} : { token }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(namespace === undefined ? {} : { namespace }),
  });
}

/** OpenSearch or Elasticsearch where its address is given, else PostgreSQL. */
async function openSearch(config: Config, { adminUrl, runtimeUrl }: PostgresServer): Promise<Search> {
  const { MARQUEE_SEARCH_URL: url, MARQUEE_SEARCH_USER: user, MARQUEE_SEARCH_PASSWORD: password } = config;
  if (url === undefined)
    return (await import("#adapters/search/embedded")).openEmbeddedSearch({ adminUrl, runtimeUrl });
  return (await import("#adapters/search/opensearch")).openOpenSearch({
    url,
    ...(user === undefined ? {} : { user, password }),
  });
}

/** Of Unleash where its address is named, else rules in PostgreSQL, which every process of the product shares. */
async function openFlags(
  { MARQUEE_UNLEASH_URL: url, MARQUEE_UNLEASH_TOKEN: token }: Config,
  folder: string,
  { adminUrl, runtimeUrl }: PostgresServer,
  log: Logger,
): Promise<Flags> {
  const heard = { log: (line: string) => log.warn(line) };
  if (url === undefined)
    return (await import("#adapters/flags/embedded")).openEmbeddedFlags({ adminUrl, runtimeUrl, ...heard });
  const file = join(folder, "flags/unleash.json");
  return (await import("#adapters/flags/unleash")).openUnleashFlags({ url, token, file, ...heard });
}

/** By SMTP where a server is named, else files that a developer reads. */
async function openMail(config: Config, folder: string): Promise<Mail> {
  const { MARQUEE_SMTP_URL: url, MARQUEE_MAIL_FROM: from } = config;
  if (url) return (await import("#adapters/mail/smtp")).openSmtpMail({ url, from });
  return (await import("#adapters/mail/mailbox")).openMailbox({ folder: join(folder, "mail"), from });
}

/** On a server of its own where one is named, else in a worker that starts with the first model. */
async function openModels({ MARQUEE_MODELS_URL: url }: Config): Promise<Models> {
  if (url === undefined) return (await import("#adapters/models/embedded")).openEmbeddedModels();
  return (await import("#adapters/models/kserve")).openKserveModels({ url });
}

/** On a server where one is named, else here, with the weights that were taken in. */
export async function openAsr(config: Config, objects: Objects): Promise<Asr> {
  const { MARQUEE_ASR_URL: url, MARQUEE_ASR_MODEL: model, MARQUEE_ASR_TOKEN: key } = config;
  if (url !== undefined) return (await import("#adapters/asr/openai-compatible")).openOpenAiAsr({ url, model, key });
  const { model: name, version, made } = WEIGHTS.asr;
  return (await import("#adapters/asr/embedded")).openEmbeddedAsr({
    async about() {
      const found = await Promise.all(made.map((file) => objects.head(modelFile("asr", file))));
      return found.every(Boolean) ? { model: name, version, languages: ["en"] } : undefined;
    },
    async read() {
      const file = (called: string): Promise<Uint8Array> => objects.get(modelFile("asr", called));
      const words = JSON.parse(Buffer.from(await file("words.json")).toString("utf8")) as Words;
      return { encoder: await file("encoder.onnx"), decoder: await file("decoder.onnx"), ...words };
    },
  });
}
type Words = Pick<AsrFiles, "words" | "suppressed" | "suppressedFirst">;

async function openFfmpeg({ FFMPEG_PATH: ffmpegPath, FFPROBE_PATH: ffprobePath }: Config): Promise<Transcoder> {
  return (await import("#adapters/transcoder/ffmpeg")).openTranscoder({
    // Encoding takes only what playback, on the same machine, leaves over.
    niceness: 19,
    ...(ffmpegPath ? { ffmpegPath } : {}),
    ...(ffprobePath ? { ffprobePath } : {}),
  });
}

/** A language model where one is named, else none. */
async function openLlm(config: Config): Promise<Llm | undefined> {
  const { MARQUEE_LLM_URL: url, MARQUEE_LLM_MODEL: model, MARQUEE_LLM_TOKEN: key } = config;
  if (!url) return undefined;
  if (!model)
    throw problem.precondition("MARQUEE_LLM_URL needs to know which model to ask: set MARQUEE_LLM_MODEL as well");
  return (await import("#adapters/llm/openai-compatible")).openOpenAiLlm({ url, model, key });
}

/** A server that judges pictures and words where one is named, else none. */
export async function openModeration({
  MARQUEE_MODERATION_URL: url,
  MARQUEE_MODERATION_MODEL: model,
  MARQUEE_MODERATION_TOKEN: key,
}: Config): Promise<Moderation | undefined> {
  if (url === undefined) return undefined;
  return (await import("#adapters/moderation/openai-compatible")).openOpenAiModeration({ url, model, key });
}

/** In MLflow where it is named, else nowhere. */
async function openTracking({
  MARQUEE_MLFLOW_URL: url,
  MARQUEE_MLFLOW_TOKEN: token,
}: Config): Promise<Tracking | undefined> {
  return url === undefined ? undefined : (await import("#adapters/tracking/mlflow")).openMlflow({ url, token });
}

/** By a country database where one is named, else one country for everybody. */
export async function openGeo({ MARQUEE_GEOIP: path, MARQUEE_MARKET: country }: Config): Promise<Geo> {
  const { openMmdbGeo, fixedGeo } = await import("#adapters/geo/mmdb");
  return path ? openMmdbGeo({ path: resolve(path), otherwise: country }) : fixedGeo(country);
}
