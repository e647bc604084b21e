import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Auth } from "#contracts/auth";
import { type Config, type Contract, isLoopback, type Logger, problem, systemClock } from "#kernel";
import { watchLoop } from "#kernel/admission";
import { type AuditLog, openAuditLog } from "#kernel/audit";
import { type Adapters, type Host, startHost } from "#kernel/host";
import { listenHttp, type HttpListener, type ProblemPage, sendProblem } from "#kernel/http";
import { openPseudonyms, type Pseudonyms } from "#kernel/pseudonyms";
import { yieldEngineThreads } from "#kernel/priority";
import { type Metrics, openMetrics, watchProcess } from "#kernel/metrics";
import { openLogger } from "#kernel/telemetry";
import { startTracing, type Tracing } from "#kernel/tracing";
import { createWebBff } from "../bffs/web/app.ts";
import { type WebParts, webUses } from "../bffs/web/parts.ts";
import { openTokenVerifier } from "../bffs/web/tokens.ts";
import { topics } from "#contracts/topics";
import { openAdapters, openGeo } from "./adapters.ts";
import { openHealth } from "./admin/health.ts";
import { type Places, placesOf } from "./addresses.ts";
import type { Cell } from "./cell.ts";
import { superviseEdges } from "./edges.ts";
import { openGates } from "./gates.ts";
import { openMesh } from "./mesh.ts";
import { services } from "./services.ts";
import { openRenderer } from "./ssr.ts";

const MB = 1024 * 1024;
const EDGE_CACHE_BYTES_MAX = 512 * MB;
const EDGE_MEMORY_BYTES_MAX = 32 * MB;

export const DEMO_ACCOUNTS = [
  { email: "alex@demo.test", password: "marquee-demo" },
  { email: "sam@demo.test", password: "marquee-demo" },
] as const;

export interface Product {
  readonly host: Host;
  /** Of services, adapters and the connections to other processes, for /readyz. */
  readonly states: Host["states"];
  readonly adapters: Adapters;
  readonly places: Places;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly logger: (service: string) => Logger;
  readonly audit: AuditLog;
  readonly pseudonyms: Pseudonyms;
  /** Stops everything that `composeProduct` started, the last first. */
  stop(): Promise<void>;
}

export interface ComposeOptions {
  /** Hears of every long step. */
  readonly say: (line: string) => void;
  /** The pages; a cell without the web has none. */
  readonly build?: { readonly client: string; readonly server: string } | undefined;
  /** What of the product runs in this process, and where the rest is; without it all of it runs here. */
  readonly cell?: Cell | undefined;
}

/** Puts the product together, or a cell of it: adapters, services, the web BFF, two edges. Nothing here decides anything about films. */
export async function composeProduct(config: Config, { say, build, cell }: ComposeOptions): Promise<Product> {
  const folder = resolve(config.MARQUEE_DATA);
  await mkdir(folder, { recursive: true });
  yieldEngineThreads();
  const isDemo = isDemoAllowed(config);
  const places = await placesOf(config);
  const pseudonyms = openPseudonyms();
  const logger = openLogger({
    pseudonyms,
    level: config.MARQUEE_LOG_LEVEL,
    file:
      config.MARQUEE_LOG_FILE ?? (config.MARQUEE_MODE === "production" ? undefined : join(folder, "logs/marquee.log")),
  });
  const log = logger("product");
  const metrics = openMetrics();
  watchProcess(metrics);
  const audit = await openAuditLog({ file: config.MARQUEE_AUDIT_FILE ?? join(folder, "logs/audit.log") });
  const tracing = startTracing({
    mode: config.MARQUEE_MODE,
    serviceName: config.OTEL_SERVICE_NAME,
    otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    ratio: config.MARQUEE_TRACE_RATIO,
    users: new Set(config.MARQUEE_TRACE_USERS?.split(",")),
    log: (line) => log.warn(line),
  });
  // What was started is stopped in the opposite order, also when a later step fails.
  const stops: (() => Promise<unknown> | void)[] = [() => tracing.stop(), () => audit.close()];
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).toReversed()) {
      await Promise.resolve(step()).catch((error: unknown) => log.warn("stopping failed", { error }));
    }
  };
  try {
    const adapters = await openAdapters(config, folder, { say, log, stops });
    await pseudonyms.load(adapters.secrets);
    const mesh = cell && (await openMesh({ cell, config, places, secrets: adapters.secrets, logger, audit, metrics }));
    if (mesh) stops.push(() => mesh.stop());
    const host = await startHost({
      services: cell?.services ?? services,
      declared: services,
      remote: mesh?.remote,
      onMounted: mesh?.listen,
      topics,
      adapters,
      config,
      addresses: places.addresses,
      clock: systemClock,
      metrics,
      logger,
      audit,
      pseudonyms,
    });
    stops.push(() => host.stop());
    if (mesh) stops.push(() => mesh.stopListening());
    const isHere = (name: string): boolean => cell === undefined || cell.names.includes(name);
    let web: Web | undefined;
    let page: ProblemPage | undefined;
    if (build) {
      const renderer = await openRenderer(build);
      page = renderer.refusal;
      stops.push(() => renderer.stop());
      const parts: WebParts = {
        call: callsOf(host),
        clock: systemClock,
        config,
        addresses: places.addresses,
        logger: logger("web"),
        metrics,
        flags: adapters.flags,
        geo: await openGeo(config),
        tokens: openTokenVerifier(host.client(Auth, "web"), config.MARQUEE_TENANT, systemClock),
        // Sign-in answers here where it runs here; elsewhere it is reached as browsers reach it.
        internalUrl: isHere("auth") ? ownUrl(places) : places.addresses.publicUrl,
        demoAccounts: isDemo && !cell ? DEMO_ACCOUNTS : [],
      };
      const opened = await createWebBff(parts, renderer);
      stops.push(() => opened.close());
      web = opened;
    }
    const loop = watchLoop();
    stops.push(() => loop.stop());
    const listeners = await openListeners(host, web, places, {
      ...{ metrics, logger, page },
      load: () => loop.load(),
    });
    stops.push(() => Promise.all(listeners.map((listener) => listener.stop())));
    if (isHere("edges")) {
      const edges = await startEdges(folder, places, logger);
      stops.push(() => edges.stop());
    }
    const states = async (): ReturnType<Host["states"]> => ({
      ...(await host.states()),
      ...(mesh ? { "adapter/mesh": mesh.remote.state() } : {}),
    });
    return { host, states, adapters, places, metrics, tracing, logger, audit, pseudonyms, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The calls of the BFF, which its declaration lists. */
function callsOf(host: Host): WebParts["call"] {
  const used: Readonly<Record<string, Contract>> = webUses;
  const calls = Object.entries(used).map(([alias, contract]) => [alias, host.client(contract, "web")] as const);
  return Object.fromEntries(calls) as unknown as WebParts["call"];
}

/** Where this process answers itself without TLS. */
const ownUrl = (places: Places): string => `http://127.0.0.1:${places.originPort}`;

/** The edges of this machine: programs that know the origin's address and public keys. */
export async function startEdges(
  folder: string,
  places: Places,
  logger: Product["logger"],
): Promise<{ stop(): Promise<void> }> {
  await dropStaleCaches(folder, places);
  return superviseEdges({
    logger: logger("edges"),
    edges: places.addresses.edges.slice(0, places.edgePorts.length).map(({ id, baseUrl }, i) => ({
      id,
      baseUrl,
      host: isLoopback(new URL(baseUrl).hostname) ? new URL(baseUrl).hostname : places.bind,
      port: places.edgePorts[i] ?? 0,
      originUrl: places.addresses.originUrl,
      cacheFolder: join(folder, "edges", id, cacheName(places)),
      cacheBytesMax: EDGE_CACHE_BYTES_MAX,
      memoryBytesMax: EDGE_MEMORY_BYTES_MAX,
      accessLog: join(folder, "logs", `${id}.log`),
      ...(places.tls ? { tls: { certFile: resolve(places.tls.certFile), keyFile: resolve(places.tls.keyFile) } } : {}),
    })),
  });
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
  web: Web | undefined,
  places: Places,
  {
    metrics,
    logger,
    load,
    page,
  }: Pick<Product, "metrics" | "logger"> & { readonly load: () => number; readonly page: ProblemPage | undefined },
): Promise<HttpListener[]> {
  const fallback: Parameters<typeof listenHttp>[0]["fallback"] = (request, response) =>
    web
      ? web.routing(request, response)
      : sendProblem(request, response, problem.notFound("pages and API are in another process of this product"));
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
    gates: openGates(metrics, load),
    page,
    logger: logger("web"),
    metrics,
  });
  const own = await listenHttp({
    name: "origin",
    continuesTraces: true,
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
