import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { openJobs } from "#adapters/jobs/pgboss";
import { openConfluentRegistry } from "#adapters/log/confluent-registry";
import { openEmbeddedLog } from "#adapters/log/embedded";
import { openKafkaLog } from "#adapters/log/kafka";
import { openEmbeddedRegistry } from "#adapters/log/registry";
import { routeLog } from "#adapters/log/routed";
import { openMailbox } from "#adapters/mail/mailbox";
import { openSmtpMail } from "#adapters/mail/smtp";
import { openEmbeddedPostgres } from "#adapters/postgres/embedded";
import { openPostgresByUrl } from "#adapters/postgres/url";
import { openTranscoder } from "#adapters/transcoder/ffmpeg";
import { Auth } from "#contracts/auth";
import { Bookmark } from "#contracts/bookmark";
import { Catalog } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Entitlement } from "#contracts/entitlement";
import { Profile } from "#contracts/profile";
import { Session } from "#contracts/session";
import { Subscription } from "#contracts/subscription";
import { Tenant } from "#contracts/tenant";
import { User } from "#contracts/user";
import { type Config, isLoopback, type Logger, problem, systemClock } from "#kernel";
import { type GateOptions, openGate, watchLoop } from "#kernel/admission";
import { startGuardian } from "#kernel/guardian";
import { type Adapters, type Host, startHost } from "#kernel/host";
import { listenHttp, type HttpListener } from "#kernel/http";
import type { EventLog } from "#kernel/ports/log";
import { openLogger, openMetrics, type Metrics } from "#kernel/telemetry";
import { startTracing, type Tracing } from "#kernel/tracing";
import { createWebBff } from "../bffs/web/app.ts";
import type { WebParts } from "../bffs/web/parts.ts";
import { openTokenVerifier } from "../bffs/web/tokens.ts";
import { topics } from "#contracts/topics";
import { openHealth } from "./admin/health.ts";
import { type Places, placesOf } from "./addresses.ts";
import { superviseEdges } from "./edges.ts";
import { services } from "./services.ts";
import { openRenderer } from "./ssr.ts";
import { openCache, openObjects, openSecrets } from "./stores.ts";

const MB = 1024 * 1024;
const EDGE_CACHE_BYTES_MAX = 512 * MB;
const EDGE_MEMORY_BYTES_MAX = 32 * MB;

/** Signing in can wait for those who watch; its line is as long as people have patience. */
const SIGN_IN = /^\/(sign-in|sign-up|auth|oauth|forgot-password|reset-password)(\/|\?|$)/;
const SIGN_IN_BEGINS = /^\/(sign-in|sign-up|forgot-password)(\?|$)/;
const placeOfSignIn: GateOptions["placeOf"] = ({ method, url = "" }) => {
  if (!SIGN_IN.test(url)) return null;
  return method === "GET" && SIGN_IN_BEGINS.test(url) && !url.includes("interaction=") ? "begins" : "goes on";
};
const SIGN_IN_LIMITS = { atOnceMax: 2, waitingMax: 200, waitMsMax: 8_000 } as const;

export const DEMO_ACCOUNTS = [
  { email: "alex@demo.test", password: "marquee-demo" },
  { email: "sam@demo.test", password: "marquee-demo" },
] as const;

export interface Product {
  readonly host: Host;
  readonly adapters: Adapters;
  readonly places: Places;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly logger: (service: string) => Logger;
  /** Stops everything that `composeProduct` started, the last first. */
  stop(): Promise<void>;
}

export interface ComposeOptions {
  /** Hears of every long step. */
  readonly say: (line: string) => void;
  readonly build: { readonly client: string; readonly server: string };
}

/** Puts the product together: adapters, every service, the web BFF, two edges. Nothing here decides anything about films. */
export async function composeProduct(config: Config, { say, build }: ComposeOptions): Promise<Product> {
  const folder = resolve(config.MARQUEE_DATA);
  await mkdir(folder, { recursive: true });
  const isDemo = isDemoAllowed(config);
  const places = await placesOf(config);
  const logger = openLogger({
    level: config.MARQUEE_LOG_LEVEL,
    file:
      config.MARQUEE_LOG_FILE ?? (config.MARQUEE_MODE === "production" ? undefined : join(folder, "logs/marquee.log")),
  });
  const log = logger("product");
  const metrics = openMetrics();
  const tracing = startTracing({
    mode: config.MARQUEE_MODE,
    otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    log: (line) => log.warn(line),
  });
  // What was started is stopped in the opposite order, also when a later step fails.
  const stops: (() => Promise<unknown> | void)[] = [() => tracing.stop()];
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).toReversed()) {
      await Promise.resolve(step()).catch((error: unknown) => log.warn("stopping failed", { error }));
    }
  };
  try {
    const adapters = await openAdapters(config, folder, { say, log, stops });
    const host = await startHost({
      services,
      topics,
      adapters,
      config,
      addresses: places.addresses,
      clock: systemClock,
      metrics,
      logger,
    });
    stops.push(() => host.stop());
    const renderer = openRenderer(build);
    stops.push(() => renderer.stop());
    const parts: WebParts = {
      call: {
        auth: host.client(Auth, "web"),
        bookmark: host.client(Bookmark, "web"),
        catalog: host.client(Catalog, "web"),
        encoding: host.client(Encoding, "web"),
        entitlement: host.client(Entitlement, "web"),
        profile: host.client(Profile, "web"),
        session: host.client(Session, "web"),
        subscription: host.client(Subscription, "web"),
        tenant: host.client(Tenant, "web"),
        user: host.client(User, "web"),
      },
      clock: systemClock,
      config,
      addresses: places.addresses,
      logger: logger("web"),
      metrics,
      tokens: openTokenVerifier(host.client(Auth, "web"), config.MARQUEE_TENANT, systemClock),
      internalUrl: places.addresses.originUrl,
      demoAccounts: isDemo ? DEMO_ACCOUNTS : [],
    };
    const web = await createWebBff(parts, renderer);
    stops.push(() => web.close());
    const loop = watchLoop();
    stops.push(() => loop.stop());
    const listeners = await openListeners(host, web, places, { metrics, logger, lagMs: () => loop.lagMs() });
    stops.push(() => Promise.all(listeners.map((listener) => listener.stop())));
    await dropStaleCaches(folder, places);
    const edges = await superviseEdges({
      logger: logger("edges"),
      edges: places.addresses.edges.map(({ id, baseUrl }, i) => ({
        id,
        baseUrl,
        host: isLoopback(config.MARQUEE_HOST) ? new URL(baseUrl).hostname : places.bind,
        port: places.edgePorts[i] ?? 0,
        originUrl: places.addresses.originUrl,
        cacheFolder: join(folder, "edges", id, cacheName(places)),
        cacheBytesMax: EDGE_CACHE_BYTES_MAX,
        memoryBytesMax: EDGE_MEMORY_BYTES_MAX,
        accessLog: join(folder, "logs", `${id}.log`),
        ...(places.tls
          ? { tls: { certFile: resolve(places.tls.certFile), keyFile: resolve(places.tls.keyFile) } }
          : {}),
      })),
    });
    stops.push(() => edges.stop());
    return { host, adapters, places, metrics, tracing, logger, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Opening {
  readonly say: (line: string) => void;
  readonly log: Logger;
  readonly stops: (() => Promise<unknown> | void)[];
}

async function openAdapters(config: Config, folder: string, { say, log, stops }: Opening): Promise<Adapters> {
  const at = (name: string): string => join(folder, name);
  const guardian = startGuardian();
  stops.push(() => guardian.stop());
  say("starting PostgreSQL");
  const postgres = config.MARQUEE_POSTGRES_URL
    ? await openPostgresByUrl({
        adminUrl: config.MARQUEE_POSTGRES_URL,
        runtimeUrl: requireRuntimeUrl(config),
      })
    : await openEmbeddedPostgres({
        folder: at("postgres"),
        log: (line) => log.info(line),
        spawnGuard: { add: (pid, signal) => guardian.add(pid, signal), remove: (pid) => guardian.remove(pid) },
      });
  stops.push(() => postgres.stop());
  const eventLog = await openEventLog(config, at("log"));
  stops.push(() => eventLog.close());
  const registry = config.MARQUEE_SCHEMA_REGISTRY_URL
    ? await openConfluentRegistry({ url: config.MARQUEE_SCHEMA_REGISTRY_URL })
    : await openEmbeddedRegistry({ folder: at("log") });
  if (config.MARQUEE_KAFKA_BROKERS && !config.MARQUEE_SCHEMA_REGISTRY_URL)
    log.warn(
      "events on Kafka name schemas that only this data folder knows: set MARQUEE_SCHEMA_REGISTRY_URL to share them",
    );
  stops.push(() => registry.close());
  const cache = await openCache(config);
  stops.push(() => cache.close());
  const secrets = await openSecrets(config, folder);
  stops.push(() => secrets.close());
  const jobs = await openJobs({
    adminUrl: postgres.adminUrl,
    runtimeUrl: postgres.runtimeUrl,
    log: (line) => log.info(line),
  });
  stops.push(() => jobs.close());
  return {
    postgres,
    log: eventLog,
    registry,
    cache,
    objects: await openObjects(config, folder),
    secrets,
    mail: config.MARQUEE_SMTP_URL
      ? openSmtpMail({ url: config.MARQUEE_SMTP_URL, from: config.MARQUEE_MAIL_FROM })
      : await openMailbox({ folder: at("mail"), from: config.MARQUEE_MAIL_FROM }),
    jobs,
    transcoder: openTranscoder({
      // Encoding takes only what playback, on the same machine, leaves over.
      niceness: 19,
      ...(config.FFMPEG_PATH ? { ffmpegPath: config.FFMPEG_PATH } : {}),
      ...(config.FFPROBE_PATH ? { ffprobePath: config.FFPROBE_PATH } : {}),
    }),
  };
}

/** Kafka where brokers are named, one cluster or two; else SQLite. */
async function openEventLog(config: Config, folder: string): Promise<EventLog> {
  const { MARQUEE_KAFKA_BROKERS: main, MARQUEE_KAFKA_ANALYTICS_BROKERS: analytics } = config;
  if (!main && analytics)
    throw problem.precondition(
      "MARQUEE_KAFKA_ANALYTICS_BROKERS is a second cluster: set MARQUEE_KAFKA_BROKERS as well",
    );
  if (!main) return openEmbeddedLog({ folder });
  const replication = config.MARQUEE_KAFKA_REPLICATION;
  const log = await openKafkaLog({ brokers: main.split(","), replication });
  if (!analytics) return log;
  try {
    return routeLog(log, await openKafkaLog({ brokers: analytics.split(","), replication }));
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** Row-level security binds a login only that owns nothing, so the services' login is another one than the owner's. */
function requireRuntimeUrl(config: Config): string {
  if (config.MARQUEE_POSTGRES_RUNTIME_URL) return config.MARQUEE_POSTGRES_RUNTIME_URL;
  throw problem.precondition(
    "MARQUEE_POSTGRES_URL is the owner's login; services use another one that owns nothing: set MARQUEE_POSTGRES_RUNTIME_URL as well, with the user marquee_runtime",
  );
}

/** Manifests name the addresses of this product, so an edge that moved starts with an empty cache. */
const cacheName = ({ addresses }: Places): string =>
  createHash("sha256").update(JSON.stringify(addresses)).digest("hex").slice(0, 12);

/** Drops what edges cached when the product had other addresses. */
async function dropStaleCaches(folder: string, places: Places): Promise<void> {
  for (const { id } of places.addresses.edges) {
    const names = await readdir(join(folder, "edges", id)).catch(() => []);
    for (const name of names.filter((each) => each !== cacheName(places)))
      await rm(join(folder, "edges", id, name), { recursive: true, force: true });
  }
}

type Web = Awaited<ReturnType<typeof createWebBff>>;

/** The public listener, and one on loopback for ourselves that adds the origin. */
async function openListeners(
  host: Host,
  web: Web,
  places: Places,
  { metrics, logger, lagMs }: Pick<Product, "metrics" | "logger"> & { readonly lagMs: () => number },
): Promise<HttpListener[]> {
  const fallback: Parameters<typeof listenHttp>[0]["fallback"] = (request, response) => web.routing(request, response);
  const publicMounts = [
    ...openHealth(() => host.states()).mounts,
    ...host.http.filter((mount) => mount.listener === "public"),
  ];
  const open = await listenHttp({
    name: "public",
    host: places.bind,
    port: places.publicPort,
    tls: places.tls,
    mounts: publicMounts,
    fallback,
    // Only here: what one of these asks of ourselves, by the listener below, must not stand behind it.
    gate: openGate({ placeOf: placeOfSignIn, ...SIGN_IN_LIMITS, lagMs }),
    logger: logger("web"),
    metrics,
  });
  const own = await listenHttp({
    name: "origin",
    host: "127.0.0.1",
    port: places.originPort,
    mounts: host.http,
    fallback,
    logger: logger("origin"),
    metrics,
  });
  return [open, own];
}

/** Demo accounts have a public password, so they exist on loopback in development only. */
export function isDemoAllowed(config: Config): boolean {
  return config.MARQUEE_DEMO && config.MARQUEE_MODE === "development" && isLoopback(config.MARQUEE_HOST);
}
