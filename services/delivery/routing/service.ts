// Routing: chooses the delivery network of each session and steers players away from a bad one.
import type { IncomingMessage, ServerResponse } from "node:http";
import { Models } from "#contracts/models";
import { Qoe, type QoeMetric } from "#contracts/qoe";
import { type CdnNetworkMeasured, Routing, type SteerRequest } from "#contracts/routing";
import { type PlaybackHeartbeat, Session } from "#contracts/session";
import {
  type Addresses,
  type Clock,
  type Context,
  defineService,
  type Metrics,
  on,
  type Platform,
  problem,
  type Received,
  type Tx,
} from "#kernel";
import type { Cache } from "#kernel/ports/cache";
import { writeSteering } from "#media/steering";
import {
  type Minute,
  moveOn,
  type Network,
  type NetworkHealth,
  type Report,
  type SessionRoute,
  select,
  SWITCH_PAUSE_MS,
  troubleOf,
  withExperience,
  withMinute,
} from "./domain.ts";
import { type HealthBook, openHealthBook } from "./health.ts";

const ROUTE_TTL_MS = 6 * 3_600_000;
const STEERING_TTL_S = 10;
const PROBE_MS = 2_000;
/** Figures come every half minute; older ones say nothing of now. */
const EXPERIENCE_TTL_MS = 90_000;
const HISTORY_TTL_MS = 15 * 60_000;
const MINUTE_MS = 60_000;

const uses = { models: Models };
type RoutingPlatform = Platform<typeof Routing, typeof uses>;
interface Parts {
  readonly networks: readonly Network[];
  readonly health: HealthBook;
  readonly cache: Cache;
  readonly clock: Clock;
  readonly facts: RoutingPlatform["facts"];
  readonly tell: RoutingPlatform["tell"];
  readonly call: RoutingPlatform["call"];
  readonly logger: RoutingPlatform["logger"];
  /** How long a selection waits for the model. */
  readonly modelMs: number;
  readonly addresses: Addresses;
  readonly counters: { readonly selected: (network: string) => void; readonly switched: (network: string) => void };
  turn: number;
}

export default defineService({
  contract: Routing,
  uses,
  slo: { p99Ms: 30, availability: 0.9999 },
  ai: {
    feeds: "network performance by region",
    uses: "the routing model: how likely each network's next minute is a bad one",
    fallback: "what players report, else round-robin with geo affinity; marked as such",
  },

  start: ({ cache, call, clock, config, facts, tell, addresses, logger, metrics }: RoutingPlatform): Parts => ({
    ...{ call, logger, modelMs: config.MARQUEE_ROUTING_DEADLINE_MS },
    counters: openCounters(metrics),
    networks: addresses.edges.map(({ id, baseUrl }) => ({ id, baseUrl, regions: [], costTier: 1 })),
    health: openHealthBook(logger),
    cache,
    clock,
    facts,
    tell,
    addresses,
    turn: Math.floor(clock.nowMs() / 1_000),
  }),

  on: [on(Session.events.heartbeat)(learn), on(Qoe.events.metric)(remember)],

  rpc: (parts) => ({
    async select({ sessionId, userId, contentId, region }, context) {
      const { health, histories } = await knownIn(parts, context.tenant, region);
      const risks = await risksOf(parts, { region, userId, histories }, context);
      const { order, isFallback } = select(parts.networks, { health, risks, region, turn: parts.turn++ });
      const ids = order.map(({ id }) => id);
      parts.counters.selected(ids[0] ?? "none");
      const route: SessionRoute = {
        tenant: context.tenant,
        userId,
        order: ids,
        switchedAtMs: 0,
        rebufferCount: 0,
        rebufferDurationMs: 0,
      };
      await parts.cache.set(sessionId, JSON.stringify(route), ROUTE_TTL_MS);
      parts.tell("routeSelected", [{ userId, sessionId, contentId, networks: ids, fallback: isFallback }], context);
      return {
        networks: order.map(({ id, baseUrl }) => ({ id, baseUrl })),
        steeringHlsUrl: steeringUrl(parts.addresses, "hls", sessionId),
        steeringDashUrl: steeringUrl(parts.addresses, "dash", sessionId),
        fallback: isFallback,
      };
    },
    steer: (request, context) => steer(parts, request, context),
  }),

  http: (parts) => [
    {
      listener: "public",
      prefix: "/steering/",
      handle: (request, response) => answerSteering(parts, request, response),
    },
  ],

  periodic: ({ networks, health }) => [
    { name: "probe delivery networks", everyMs: PROBE_MS, run: () => health.probe(networks) },
  ],

  ready: async () => {},
});

const steeringUrl = ({ publicUrl }: Addresses, protocol: "hls" | "dash", sessionId: string): string =>
  `${publicUrl}/steering/${protocol}/${sessionId}`;

/** Judges what a player reports with a beat, and moves it when its network lets it down. */
async function steer(parts: Parts, request: SteerRequest, context: Context) {
  const { sessionId } = request;
  const route = await routeOf(parts, sessionId);
  // A session of another time or process: nothing to compare with, so nothing to change.
  if (!route || route.tenant !== context.tenant) return { networkIds: [], switched: false };
  const nowMs = parts.clock.nowMs();
  const report: Report = request;
  // Only networks of the session count: whatever else a player names must not get into its steering document.
  const current = route.order.includes(report.networkId) ? report.networkId : (route.order[0] ?? "");
  const trouble = troubleOf(report, route, parts.health.isUp(current));
  const seen = { ...route, rebufferCount: request.rebufferCount, rebufferDurationMs: request.rebufferDurationMs };
  const order =
    trouble && nowMs - route.switchedAtMs >= SWITCH_PAUSE_MS
      ? moveOn([current, ...route.order.filter((id) => id !== current)], parts.health.isUp)
      : null;
  if (!trouble || !order) {
    // A player that moved by itself, because its network failed, is followed rather than called back.
    const followed =
      current === route.order[0] ? route.order : [current, ...route.order.filter((id) => id !== current)];
    await parts.cache.set(sessionId, JSON.stringify({ ...seen, order: followed }), ROUTE_TTL_MS);
    return { networkIds: [...followed], switched: false };
  }
  await parts.cache.set(sessionId, JSON.stringify({ ...seen, order, switchedAtMs: nowMs }), ROUTE_TTL_MS);
  await parts.facts(
    "switchTriggered",
    [
      {
        userId: route.userId || request.userId || "unknown",
        sessionId,
        from: current,
        to: order[0] ?? "",
        reason: trouble,
      },
    ],
    context,
  );
  parts.counters.switched(current);
  return { networkIds: [...order], switched: true };
}

function openCounters(metrics: Metrics): Parts["counters"] {
  const selected = metrics.counter("route_selections_total", "Sessions that began on a network", ["network"]);
  const switched = metrics.counter("route_switches_total", "Players that were moved away from a network", ["network"]);
  return { selected: (network) => selected.inc({ network }), switched: (network) => switched.inc({ network }) };
}

async function routeOf({ cache }: Parts, sessionId: string): Promise<SessionRoute | undefined> {
  const text = await cache.get(sessionId);
  return text === undefined ? undefined : (JSON.parse(text) as SessionRoute);
}

/** Players ask here which network to use (HLS and DASH content steering). The session's id is the capability. */
async function answerSteering(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, , protocol, sessionId = ""] = new URL(request.url ?? "/", parts.addresses.publicUrl).pathname.split("/");
  const route = /^[A-Za-z0-9_-]{1,64}$/.test(sessionId) ? await routeOf(parts, sessionId) : undefined;
  if (!route || (protocol !== "hls" && protocol !== "dash"))
    throw problem.notFound("this steering address is not one of a living session");
  const usable = [...route.order].sort((a, b) => Number(parts.health.isUp(b)) - Number(parts.health.isUp(a)));
  response.writeHead(200, {
    "content-type": protocol === "hls" ? "application/vnd.apple.steering-list" : "application/json",
    "cache-control": "no-store",
    "access-control-allow-origin": "*",
  });
  response.end(
    writeSteering({
      ttlS: STEERING_TTL_S,
      priority: usable,
      reloadUri: steeringUrl(parts.addresses, protocol, sessionId),
    }),
  );
}

const historyKey = (tenant: string, networkId: string, region: string): string =>
  `minutes/${tenant}/${networkId}/${region}`;

/** Every player's report teaches how its network is. */
async function learn(
  { health }: Parts,
  _: Tx<typeof Routing>,
  events: readonly Received<PlaybackHeartbeat>[],
): Promise<void> {
  for (const { data } of events) health.report(data);
}

/** Figures of all players go to the cache, because each process hears only some of them, and to whoever learns from them. */
async function remember(
  { cache, clock, health, facts }: Parts,
  tx: Tx<typeof Routing>,
  events: readonly Received<QoeMetric>[],
): Promise<void> {
  const news: CdnNetworkMeasured[] = [];
  for (const { data } of events) {
    const own = health.snapshot().get(data.networkId);
    // What was never probed is no network of ours.
    if (!own || data.toMs + HISTORY_TTL_MS <= clock.nowMs()) continue;
    const { networkId, region, toMs, beats, throughputKbps, troubleRatio, scoreP25 } = data;
    const { latencyMs, isUp } = own;
    const figures = { toMs, beats, throughputKbps, troubleRatio, scoreP25, latencyMs, isUp };
    const key = historyKey(tx.tenant, networkId, region);
    const history = withMinute(historyOf(await cache.get(key)), { minute: Math.floor(toMs / MINUTE_MS), ...figures });
    await cache.set(key, JSON.stringify(history), HISTORY_TTL_MS);
    news.push({ networkId, region, ...figures });
  }
  if (news.length > 0) await facts("networkMeasured", news, tx);
}

const historyOf = (text: string | undefined): readonly Minute[] =>
  text === undefined ? [] : (JSON.parse(text) as readonly Minute[]);

type Histories = ReadonlyMap<string, readonly Minute[]>;

/** What is known of the networks for a viewer in this region. Without the cache our own reports do. */
async function knownIn(
  { networks, health, cache, clock }: Parts,
  tenant: string,
  region: string,
): Promise<{ readonly health: ReadonlyMap<string, NetworkHealth>; readonly histories: Histories }> {
  const texts = await cache.getMany(networks.map(({ id }) => historyKey(tenant, id, region))).catch(() => []);
  const histories = new Map(networks.map(({ id }, at) => [id, historyOf(texts[at])]));
  const freshMs = clock.nowMs() - EXPERIENCE_TTL_MS;
  return {
    histories,
    health: new Map(
      [...health.snapshot()].map(([id, own]) => {
        const last = histories.get(id)?.at(-1);
        return [id, withExperience(own, last && last.toMs > freshMs ? last : undefined)];
      }),
    ),
  };
}

/** How likely each network's next minute is a bad one, by the model; empty where it does not say so in time. */
async function risksOf(
  { call, clock, logger, modelMs }: Parts,
  of: { readonly region: string; readonly userId: string; readonly histories: Histories },
  context: Context,
): Promise<ReadonlyMap<string, number>> {
  const networks = [...of.histories].map(([networkId, minutes]) => ({
    networkId,
    minutes: minutes.map(({ toMs: _, ...minute }) => minute),
  }));
  // With one network there is nothing to choose, and of a region where nobody watches nothing to say.
  if (networks.length < 2 || networks.every(({ minutes }) => minutes.length === 0)) return NO_RISKS;
  const deadlineMs = Math.min(context.deadlineMs, clock.nowMs() + modelMs);
  const { region, userId } = of;
  try {
    const answer = await call.models.predictRoutes({ region, userId, networks }, { ...context, deadlineMs });
    return new Map(answer.predictions.map(({ networkId, score }) => [networkId, score]));
  } catch (error) {
    logger.debug("the routing model did not answer, and a rule chose", { error });
    return NO_RISKS;
  }
}
const NO_RISKS: ReadonlyMap<string, number> = new Map();
