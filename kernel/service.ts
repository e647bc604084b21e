import type { IncomingMessage, ServerResponse } from "node:http";
import type { Audit } from "./audit.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Context } from "./context.ts";
import type { Clients, Contract, EventName, EventPayload, EventType, Handlers } from "./contract.ts";
import type { Db, Tx } from "./db.ts";
import type { Erase } from "./erasure.ts";
import type { Received } from "./events.ts";
import type { Asr } from "./ports/asr.ts";
import type { Analytics } from "./ports/analytics.ts";
import type { Cache } from "./ports/cache.ts";
import type { Flags } from "./ports/flags.ts";
import type { Jobs } from "./ports/jobs.ts";
import type { Llm } from "./ports/llm.ts";
import type { Mail } from "./ports/mail.ts";
import type { Moderation } from "./ports/moderation.ts";
import type { Models } from "./ports/models.ts";
import type { Objects } from "./ports/objects.ts";
import type { Search } from "./ports/search.ts";
import type { Secrets } from "./ports/secrets.ts";
import type { Tracking } from "./ports/tracking.ts";
import type { Transcoder } from "./ports/transcoder.ts";
import type { ModelTx, ReadModel } from "./read-models.ts";
import type { Sink, SinkBatch } from "./sink.ts";
import type { Metrics } from "./metrics.ts";
import type { Logger } from "./telemetry.ts";

/** What the kernel hands a service when it starts. */
export interface Platform<C extends Contract = Contract, U extends Uses = Uses> {
  readonly db: Db<C>;
  /** The calls of the declared services, and of no others. */
  readonly call: Clients<U>;
  /** Appends facts of the own contract to the log; durable when it resolves. */
  readonly facts: <K extends EventName<C>>(
    event: K,
    payloads: readonly EventPayload<C, K>[],
    of: { readonly tenant: string },
  ) => Promise<void>;
  /** Says facts of the own contract that nobody waits for: they come to the log soon, and may be lost with this process (kernel/teller.ts). */
  readonly tell: <K extends EventName<C>>(
    event: K,
    payloads: readonly EventPayload<C, K>[],
    of: { readonly tenant: string },
  ) => void;
  /** Takes people who are gone out of the log and of remembered answers; for the service that says that they are. */
  readonly erase: Erase;
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
  /** Undefined where none is configured. */
  readonly llm?: Llm | undefined;
  readonly moderation?: Moderation | undefined;
  readonly tracking?: Tracking | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Records what concerns security; it is no log, and holds whole addresses and ids. */
  readonly audit: Audit;
  readonly metrics: Metrics;
  readonly config: Config;
  /** Where this product can be reached, known before any service starts. */
  readonly addresses: Addresses;
}

export interface Addresses {
  /** Origin of pages and API, such as `http://localhost:8080`. */
  readonly publicUrl: string;
  /** Where edges fetch from; loopback only. */
  readonly originUrl: string;
  /** The delivery networks by id. */
  readonly edges: readonly { readonly id: string; readonly baseUrl: string }[];
}

export type Uses = Readonly<Record<string, Contract>>;

/** Plain HTTP that is no client API: the origin's objects, licences, OIDC. `prefix` ends with a slash. */
export interface HttpMount {
  readonly listener: "public" | "origin";
  readonly prefix: string;
  handle(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
}

/** Work that comes round, such as sweeping dead sessions. Every process of the service does it, so work on rows skips what another has locked. */
export interface Periodic {
  readonly name: string;
  readonly everyMs: number;
  run(signal: AbortSignal): Promise<void>;
}

export interface ServiceSpec<C extends Contract, U extends Uses, P> {
  /** What we publish: calls and events. */
  readonly contract: C;
  /** Whose calls we may make; nobody else may be called. */
  readonly uses: U;
  /** Feeds alerts and benches. */
  readonly slo: { readonly p99Ms: number; readonly availability: number };
  /** Principle P1 of ARCH-001: what this service gives to and takes from models, and what happens without them. */
  readonly ai: { readonly feeds: string; readonly uses: string; readonly fallback: string };
  readonly migrations?: URL;
  /** Tables without a tenant, each a decision that a reviewer sees. */
  readonly tenantless?: readonly string[];
  start(platform: Platform<C, U>): P | Promise<P>;
  rpc(parts: NoInfer<P>): Handlers<C["rpc"]>;
  readonly on?: readonly Handler<NoInfer<P>, C>[];
  /** Takes every event of every topic, for a service that keeps them all. */
  readonly sink?: Sink<NoInfer<P>, C>;
  /** Tables that hold nothing of their own and can be made anew at any time: `marquee rebuild`. */
  readonly readModels?: readonly ReadModel<NoInfer<P>>[];
  http?(parts: NoInfer<P>): readonly HttpMount[];
  periodic?(parts: NoInfer<P>): readonly Periodic[];
  /** Begins background work, after every service is mounted: workers, schedules. */
  run?(parts: NoInfer<P>): Promise<void>;
  /** Rejects while the service cannot do its work. */
  ready(parts: NoInfer<P>): Promise<void>;
  stop?(parts: NoInfer<P>): Promise<void>;
}

export interface Handler<P, C extends Contract> {
  readonly event: EventType;
  handle(parts: P, tx: Tx<C>, events: readonly Received<never>[]): Promise<void>;
}

/** `on(Playback.events.heartbeat)(remember)`: events arrive in batches, in order per key, in a transaction that the kernel commits with the consumer's mark. */
export const on =
  <E>(event: EventType<E>) =>
  <P, C extends Contract>(
    handle: (parts: P, tx: Tx<C>, events: readonly Received<E>[]) => Promise<void>,
  ): Handler<P, C> => ({
    event,
    handle: handle,
  });

/** A service as the host sees it: its parts are its own business. */
export interface Service {
  readonly contract: Contract;
  readonly uses: Uses;
  readonly slo: { readonly p99Ms: number; readonly availability: number };
  readonly ai: { readonly feeds: string; readonly uses: string; readonly fallback: string };
  readonly migrations?: URL;
  readonly tenantless: readonly string[];
  readonly consumes: readonly EventType[];
  readonly readModels: readonly DeclaredModel[];
  start(platform: Platform): Promise<Running>;
}

/** What a read model is, for those who have no parts of its service. */
export interface DeclaredModel extends Pick<ReadModel<never>, "name" | "tables"> {
  readonly events: readonly EventType[];
}

/** A started service, its parts closed over. */
export interface Running {
  readonly handlers: Readonly<Record<string, (request: never, context: Context) => Promise<unknown>>>;
  readonly subscriptions: readonly {
    readonly event: EventType;
    handle(tx: Tx, events: readonly Received<unknown>[]): Promise<void>;
  }[];
  readonly sink?: Sink<undefined, Contract>;
  readonly readModels: readonly ReadModel<undefined>[];
  readonly http: readonly HttpMount[];
  readonly periodic: readonly Periodic[];
  run(): Promise<void>;
  ready(): Promise<void>;
  stop(): Promise<void>;
}

export function defineService<C extends Contract, U extends Uses, P>(spec: ServiceSpec<C, U, P>): Service {
  return {
    contract: spec.contract,
    uses: spec.uses,
    slo: spec.slo,
    ai: spec.ai,
    ...(spec.migrations ? { migrations: spec.migrations } : {}),
    tenantless: spec.tenantless ?? [],
    consumes: (spec.on ?? []).map((handler) => handler.event),
    readModels: (spec.readModels ?? []).map(({ name, tables, on: followed }) => ({
      ...{ name, tables },
      events: followed.map(({ event }) => event),
    })),
    async start(platform) {
      const parts = await spec.start(platform as unknown as Platform<C, U>);
      const { sink } = spec;
      return {
        ...(sink ? { sink: { ...sink, take: (_: undefined, batch: SinkBatch) => sink.take(parts, batch) } } : {}),
        handlers: spec.rpc(parts) as unknown as Running["handlers"],
        subscriptions: (spec.on ?? []).map((handler) => ({
          event: handler.event,
          handle: (tx, events) => handler.handle(parts, tx, events as readonly Received<never>[]),
        })),
        readModels: (spec.readModels ?? []).map((model) => closeOver(model, parts)),
        http: spec.http?.(parts) ?? [],
        periodic: spec.periodic?.(parts) ?? [],
        run: async () => spec.run?.(parts),
        ready: () => spec.ready(parts),
        stop: async () => spec.stop?.(parts),
      };
    },
  };
}

const closeOver = <P>({ seed, remake, ...model }: ReadModel<P>, parts: P): ReadModel<undefined> => ({
  ...model,
  on: model.on.map(({ event, handle }) => ({ event, handle: (_, tx, events) => handle(parts, tx, events) })),
  ...(seed ? { seed: (_: undefined, tx: ModelTx) => seed(parts, tx) } : {}),
  ...(remake ? { remake: (_: undefined, tenants: readonly string[]) => remake(parts, tenants) } : {}),
});
