import { setTimeout as pause } from "node:timers/promises";
import type { DescService } from "@bufbuild/protobuf";
import type { AuditLog } from "./audit.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { type Backbone, openBackbone } from "./backbone.ts";
import type { ConsumeService } from "./consumer.ts";
import { deadLetterTopic } from "./dead-letters.ts";
import type { Client, Contract, Handlers } from "./contract.ts";
import { type Db, openDb, type Tx } from "./db.ts";
import { openEraser } from "./erasure.ts";
import { toProblem } from "./errors.ts";
import { appendFacts, openEvents, type Received, type Topics } from "./events.ts";
import { isShut, serviceSwitch, shutFault } from "./flags.ts";
import { sendProblem } from "./http.ts";
import { openGauges } from "./gauges.ts";
import { loadMarks } from "./inbox.ts";
import { tracedJobs } from "./jobs.ts";
import { type Listener, openListener } from "./listener.ts";
import { migrate, PROGRAM } from "./migrate.ts";
import type { Asr } from "./ports/asr.ts";
import type { Analytics } from "./ports/analytics.ts";
import type { Cache } from "./ports/cache.ts";
import type { Flags } from "./ports/flags.ts";
import type { Jobs } from "./ports/jobs.ts";
import type { EventLog, SchemaRegistry } from "./ports/log.ts";
import type { Mail } from "./ports/mail.ts";
import type { Moderation } from "./ports/moderation.ts";
import type { Models } from "./ports/models.ts";
import type { Objects } from "./ports/objects.ts";
import type { PostgresServer } from "./ports/postgres.ts";
import type { Search } from "./ports/search.ts";
import type { Secrets } from "./ports/secrets.ts";
import type { AdapterState } from "./ports/state.ts";
import type { Llm } from "./ports/llm.ts";
import type { Tracking } from "./ports/tracking.ts";
import type { Transcoder } from "./ports/transcoder.ts";
import type { Pseudonyms } from "./pseudonyms.ts";
import { modelGroup, modelMarks, type ModelTx, type OpenModel, topicsOf } from "./read-models.ts";
import { type Relay, startRelay } from "./relay.ts";
import { SWEEP_EVERY_MS, sweepOutlived } from "./retention.ts";
import { localTransport, type Offered, type Remote, type TransportOptions } from "./rpc.ts";
import type { Addresses, HttpMount, Platform, Running, Service } from "./service.ts";
import { openSink, type OpenSink } from "./sink.ts";
import { sparing } from "./spare-cache.ts";
import { openPool } from "./sql.ts";
import type { Metrics } from "./metrics.ts";
import type { Logger } from "./telemetry.ts";
import { openTeller, type Teller } from "./teller.ts";

/** The adapters that a composition chose, one a port. */
export interface Adapters {
  readonly postgres: PostgresServer;
  readonly log: EventLog;
  readonly registry: SchemaRegistry;
  readonly cache: Cache;
  readonly analytics: Analytics;
  readonly objects: Objects;
  readonly secrets: Secrets;
  readonly mail: Mail;
  readonly models: Models;
  readonly flags: Flags;
  readonly search: Search;
  readonly jobs: Jobs;
  readonly transcoder: Transcoder;
  readonly asr: Asr;
  /** Nothing waits for it, so its state is nobody's. */
  readonly llm?: Llm | undefined;
  readonly moderation?: Moderation | undefined;
  readonly tracking?: Tracking | undefined;
}

export interface HostOptions {
  readonly services: readonly Service[];
  readonly topics: Topics;
  readonly adapters: Adapters;
  readonly config: Config;
  readonly addresses: Addresses;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: (service: string) => Logger;
  readonly audit: AuditLog;
  /** What viewers are called in traces; without it they are not named there. */
  readonly pseudonyms?: Pseudonyms | undefined;
  readonly transport?: Partial<Pick<TransportOptions, "roundTrip">>;
  /** Carries calls of services that run elsewhere. */
  readonly remote?: Remote | undefined;
  /** Called when every service is mounted and none has begun its work: now others may call. */
  readonly onMounted?: ((offered: Offered) => Promise<void>) | undefined;
  /** Every service of the product, where this process runs some of them: events of the others are read here too. */
  readonly declared?: readonly Service[] | undefined;
  /** Tests start a few services of many: what they wait for may have no producer here. */
  readonly isPartial?: boolean;
}

/** A mount of a service, and whose it is. */
export interface ServiceMount extends HttpMount {
  readonly service: string;
}

export interface Host {
  /** A client for a BFF, a command or a test. */
  client<S extends DescService>(contract: Contract<S>, caller: string): Client<S>;
  readonly http: readonly ServiceMount[];
  /** The state of every service and adapter, for /readyz. */
  states(): Promise<Readonly<Record<string, AdapterState>>>;
  /** The event log and those who follow it, as an operator sees them. */
  readonly backbone: Backbone;
  /** Resolves when every event committed so far is in the log. */
  drained(): Promise<void>;
  /** Resolves when every consumer has handled what was in the log at the call. */
  idle(): Promise<void>;
  /** Takes no new work, lets what runs finish, stops services in reverse order. Adapters belong to the caller. */
  stop(): Promise<void>;
}

const CONNECTIONS_MAX = 24;

/** Starts a set of services in this process. All are mounted before the first one runs, so order is no matter. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { services, topics, adapters, config, clock, metrics } = options;
  const rootLogger = options.logger("kernel");
  const declared = options.declared ?? services;
  const contracts = declared.map((service) => service.contract);
  if (!options.isPartial) assertClosed(declared);

  await migrate({
    adminUrl: adapters.postgres.adminUrl,
    program: PROGRAM,
    log: (line) => rootLogger.info(line),
    services: services.map((service) => ({
      name: service.contract.name,
      tenantless: service.tenantless,
      ...(service.migrations ? { migrations: service.migrations } : {}),
    })),
  });
  await adapters.log.createTopics([
    ...topics.specs,
    ...topics.specs.map((spec) => ({
      ...spec,
      name: deadLetterTopic(spec.name),
      partitions: 1,
      retentionMs: 30 * 86_400_000,
    })),
  ]);
  const events = await openEvents(contracts, topics, adapters.registry, clock);
  const pool = openPool({
    url: adapters.postgres.runtimeUrl,
    connectionsMax: CONNECTIONS_MAX,
    onError: (error) => rootLogger.warn("a database connection broke", { error }),
  });
  const transport = localTransport({
    clock,
    metrics,
    pseudonyms: options.pseudonyms,
    remote: options.remote,
    isShut: (service, context) => isShut(adapters.flags, service, context),
    ...options.transport,
  });

  const spared = sparing(adapters.cache, clock);
  const erase = openEraser({ log: adapters.log, pool, topics, declared });
  const relays = new Map<string, Relay>();
  const tellers: Teller[] = [];
  const running: { readonly service: Service; readonly parts: Running; readonly logger: Logger }[] = [];
  const dbs = new Map<string, Db>();
  const listeners: Listener[] = [];
  const models: OpenModel[] = [];
  const sinks: OpenSink[] = [];
  const stopping = new AbortController();
  for (const service of services) {
    const name = service.contract.name;
    const logger = options.logger(name);
    const relay = startRelay({
      service: name,
      pool,
      log: adapters.log,
      logger,
    });
    relays.set(name, relay);
    const db = openDb({ pool, service: name, writer: events, onEmitted: (count) => relay.wake(count) });
    const teller = openTeller({ log: adapters.log, logger });
    tellers.push(teller);
    const encodeAll = (event: string, payloads: readonly unknown[], of: { readonly tenant: string }) =>
      payloads.map((payload) => events.encode(name, event, payload, of.tenant));
    const platform: Platform = {
      db,
      call: Object.fromEntries(
        Object.entries(service.uses).map(([alias, contract]) => [alias, transport.client(contract, name)]),
      ),
      facts: (event, payloads, of) => appendFacts(adapters.log, encodeAll(event, payloads, of)),
      tell: (event, payloads, of) => teller.tell(encodeAll(event, payloads, of)),
      ...adapters,
      cache: prefixed(spared, name),
      jobs: tracedJobs(adapters.jobs, name),
      erase,
      clock,
      logger,
      audit: options.audit.of(name),
      metrics,
      config,
      addresses: options.addresses,
    };
    const parts = await service.start(platform);
    transport.mount(service.contract, parts.handlers as unknown as Handlers<DescService>);
    running.push({ service, parts, logger });
    dbs.set(name, db);
  }

  await options.onMounted?.(transport);

  /** A consumer for each topic of some subscriptions. */
  const listen = async (
    subscriptions: ConsumeService["subscriptions"],
    who: Pick<ConsumeService, "service" | "db" | "logger">,
    asModel?: (topic: string) => Pick<ConsumeService, "group" | "marksName">,
  ): Promise<Listener[]> => {
    const opened: Listener[] = [];
    for (const topic of topicsOf(
      subscriptions.map(({ event }) => event),
      topics,
    )) {
      const lingerMs = topics.specs.find((spec) => spec.name === topic)?.lingerMs;
      const own = subscriptions.filter(({ event }) => topics.routes[event.name]?.topic === topic);
      const common = { pool, log: adapters.log, reader: events, metrics };
      opened.push(await openListener({ ...common, ...who, ...asModel?.(topic), topic, lingerMs, subscriptions: own }));
    }
    return opened;
  };

  // What an event brings about may call any service, so nobody listens before everybody is mounted.
  for (const { service, parts, logger } of running) {
    const name = service.contract.name;
    const db = dbs.get(name);
    if (!db) continue;
    listeners.push(...(await listen(parts.subscriptions, { service: name, db, logger })));
    for (const { name: model, tables, on, seed, remake } of parts.readModels) {
      const subscriptions = on.map(({ event, handle }) => ({
        event,
        // A read model cannot emit: it gets no more of the transaction than it may have.
        handle: (tx: Tx, received: readonly Received<unknown>[]) =>
          handle(undefined, modelTx(tx), received as readonly Received<never>[]),
      }));
      const asModel = (topic: string) => ({ group: modelGroup(name, model), marksName: modelMarks(model, topic) });
      models.push({
        ...{ service: name, name: model, tables },
        listeners: await listen(subscriptions, { service: name, db, logger }, asModel),
        ...(seed ? { seed: (tx) => seed(undefined, tx) } : {}),
        ...(remake ? { remake: (tenants) => remake(undefined, tenants) } : {}),
      });
    }
  }
  const everyListener = [...listeners, ...models.flatMap((model) => model.listeners)];

  for (const { service, parts, logger } of running) {
    const db = dbs.get(service.contract.name);
    if (!db || !parts.sink) continue;
    const topicNames = topics.specs.map((topic) => topic.name);
    const cache = prefixed(adapters.cache, service.contract.name);
    const common = { log: adapters.log, reader: events, clock, metrics, logger, pool, db, cache };
    sinks.push(openSink({ ...common, service: service.contract.name, topics: topicNames, sink: parts.sink }));
  }

  const timers = running.flatMap(({ parts, logger }) =>
    parts.periodic.map(({ name, everyMs, run }) => repeat(name, everyMs, run, clock, stopping.signal, logger)),
  );
  for (const { service, logger } of running) {
    const { name } = service.contract;
    const sweep = (): Promise<void> => sweepOutlived(pool, name);
    timers.push(repeat("sweeping the kernel's tables", SWEEP_EVERY_MS, sweep, clock, stopping.signal, logger));
  }
  for (const { parts } of running) await parts.run();

  const host: Host = {
    client: (contract, caller) => transport.client(contract, caller),
    backbone: openBackbone({
      ...{ log: adapters.log, reader: events, pool, topics, declared, listeners, models },
      onEmitted: (service, count) => relays.get(service)?.wake(count),
    }),
    http: running.flatMap(({ service, parts }) =>
      parts.http.map((mount) => ({
        ...switched(mount, service.contract.name, adapters.flags),
        service: service.contract.name,
      })),
    ),
    async states() {
      const stateOf = (work: Promise<unknown>): Promise<AdapterState> =>
        work.then(
          () => ({ ok: true, detail: "ready" }),
          (error: unknown) => ({ ok: false, detail: toProblem(error).message }),
        );
      // Shut on purpose is no fault: what else runs here must not be taken from its traffic.
      const shutOr =
        (name: string) =>
        (state: AdapterState): AdapterState => {
          const { name: flag } = serviceSwitch(name);
          return adapters.flags.evaluate(serviceSwitch(name), { service: name }).value
            ? { ok: true, detail: `shut by the flag ${flag}` }
            : state;
        };
      const { transcoder: _, llm: __, moderation: ___, tracking: ____, ...stateful } = adapters;
      const ports = Object.entries(stateful).map(
        async ([name, adapter]) => [`adapter/${name}`, await adapter.state()] as const,
      );
      const rooms = running.map(
        async ({ service, parts }) =>
          [
            `service/${service.contract.name}`,
            await stateOf(parts.ready()).then(shutOr(service.contract.name)),
          ] as const,
      );
      const kept = options.audit.state().then((state) => ["adapter/audit", state] as const);
      return Object.fromEntries(await Promise.all([...rooms, ...ports, kept]));
    },
    async drained() {
      await Promise.all([...relays.values(), ...tellers].map((each) => each.drained()));
    },
    async idle() {
      for (const { service, topic, marksName } of everyListener) {
        const ends = await adapters.log.offsets(topic);
        for (;;) {
          const marks = await loadMarks(pool, service, marksName, [...ends.keys()]);
          if ([...ends].every(([partition, end]) => end === 0 || (marks.get(partition) ?? 0) >= end)) break;
          // Consumers run in real time, whatever clock the services have.
          await pause(5);
        }
      }
      for (const sink of sinks) await sink.flush();
    },
    async stop() {
      stopping.abort();
      stopGauges();
      await Promise.all([...everyListener, ...sinks].map((follower) => follower.stop()));
      await Promise.allSettled(timers);
      for (const { parts, logger } of running.toReversed()) {
        await parts.stop().catch((error: unknown) => logger.warn("stopping failed", { error }));
      }
      await Promise.all([...relays.values(), ...tellers].map((each) => each.stop()));
      await pool.end();
    },
  };
  const stopGauges = openGauges({
    ...{
      metrics,
      pool,
      connectionsMax: CONNECTIONS_MAX,
      relays,
      listeners: everyListener,
      states: () => host.states(),
    },
    ...{ log: adapters.log, jobs: adapters.jobs },
  });
  return host;
}

/** Every subscribed event has a producer; nothing is published under two names. */
export function assertClosed(services: readonly Service[]): void {
  const produced = new Set<string>();
  for (const { contract } of services) {
    for (const { name } of Object.values(contract.events)) {
      if (produced.has(name)) throw new Error(`event '${name}' is declared twice, the second time by ${contract.name}`);
      produced.add(name);
    }
  }
  for (const { contract, consumes, readModels } of services) {
    for (const { name } of [...consumes, ...readModels.flatMap(({ events }) => events)]) {
      if (!produced.has(name)) throw new Error(`${contract.name} waits for '${name}', which no service here produces`);
    }
  }
}

const modelTx = ({ tenant, q, executeSql }: Tx): ModelTx => ({ tenant, q, executeSql });

/** HTTP of a service that is shut answers as its calls do. */
const switched = (mount: HttpMount, service: string, flags: Flags): HttpMount => ({
  ...mount,
  handle(request, response) {
    if (!flags.evaluate(serviceSwitch(service), { service }).value) return mount.handle(request, response);
    sendProblem(request, response, shutFault(service));
  },
});

/** Every service has its own keys in the shared cache. */
function prefixed(cache: Cache, service: string): Cache {
  const of = (key: string): string => `${service}/${key}`;
  return {
    ...cache,
    get: (key) => cache.get(of(key)),
    getMany: (keys) => cache.getMany(keys.map(of)),
    set: (key, value, ttlMs) => cache.set(of(key), value, ttlMs),
    delete: (keys) => cache.delete(keys.map(of)),
    increment: (key, by, ttlMs) => cache.increment(of(key), by, ttlMs),
    lock: (key, ttlMs) => cache.lock(of(key), ttlMs),
  };
}

async function repeat(
  name: string,
  everyMs: number,
  run: (signal: AbortSignal) => Promise<void>,
  clock: Clock,
  signal: AbortSignal,
  logger: Logger,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await run(signal);
    } catch (error) {
      logger.warn(`${name} failed and will be tried again`, { error });
    }
    await clock.sleep(everyMs, signal).catch(() => {});
  }
}
