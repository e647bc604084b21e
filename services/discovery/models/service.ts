// Models: versions on their way from training to everybody, what they answer, and what answers in their place.
import { Models } from "#contracts/models";
import { Profile } from "#contracts/profile";
import { Qoe, type QoeScoreCalculated } from "#contracts/qoe";
import { Recommendation } from "#contracts/recommendation";
import { type CdnNetworkMeasured, Routing } from "#contracts/routing";
import { Search } from "#contracts/search";
import { type PlaybackError, type PlaybackStopped, Session } from "#contracts/session";
import { Subscription, type SubscriptionChanged } from "#contracts/subscription";
import { User, type UserCreated, type UserDeleted } from "#contracts/user";
import { defineService, on, type Received, systemContext } from "#kernel";
import { DAY_MS, trainingSpan } from "./domain-churn.ts";
import { MINUTE_MS, TRAINING_MINUTES } from "./domain-routing.ts";
import { predictChurn } from "./churn.ts";
import { toMessage } from "./message.ts";
import { answerOip } from "./oip.ts";
import { order, serving, TRAINING_MS } from "./order.ts";
import { explainOrder } from "./order-explain.ts";
import {
  forgetProfiles,
  noteClicks,
  noteHomes,
  noteResultClicks,
  noteSearches,
  noteStarts,
  noteSwitches,
} from "./order-follow.ts";
import { overview } from "./overview.ts";
import { type ModelsPlatform, type ModelsTx, type Parts, uses } from "./parts.ts";
import { QUEUE } from "./queue.ts";
import { trained } from "./recipes.ts";
import { backendOf } from "./registry-server.ts";
import { predictRoutes } from "./routing.ts";
import { flush, openServing } from "./serve.ts";
import { promote, refresh, rollback, watch } from "./stages.ts";
import * as store from "./store.ts";
import * as activity from "./store-activity.ts";
import * as lists from "./store-lists.ts";
import * as minutes from "./store-minutes.ts";
import { askByOperator, train } from "./train.ts";
import { openTracker, TRACK_OPTIONS, TRACK_QUEUE } from "./track.ts";
import { minuteNow, today } from "./trained.ts";

const LIMIT_MAX = 200;
const VERSIONS_KEPT = 100;
const FLUSH_EVERY_MS = 1_000;
const WATCH_EVERY_MS = 10_000;
const REFRESH_EVERY_MS = 3_600_000;

export default defineService({
  contract: Models,
  uses,
  slo: { p99Ms: 50, availability: 0.999 },
  ai: {
    feeds:
      "whoever wants to keep people: how likely each account is to leave; routing: how likely a network's next minute is a bad one; homes and searches: how likely each title is chosen",
    uses: "the models of churn, routing and orders, trained here on what people watched and chose and how networks did",
    fallback:
      "a threshold of engagement for churn, routing's own rule for networks, the order that is there for lists; marked as partial",
  },
  migrations: new URL("./migrations/", import.meta.url),

  start({ db, call, tell, clock, logger, objects, models, jobs, config, metrics, tracking }: ModelsPlatform): Parts {
    const counter = metrics.counter("model_predictions_total", "Predictions, by what made them", ["outcome"]);
    return {
      ...{ db, call, tell, clock, logger, objects, models, jobs, config, tracking, serving: openServing() },
      answered: (outcome, count) => counter.inc({ outcome }, count),
    };
  },

  on: [
    on(User.events.created)(noteUsers),
    on(User.events.deleted)(forgetUsers),
    on(Subscription.events.changed)(notePlans),
    on(Session.events.stopped)(noteSessions),
    on(Session.events.error)(noteErrors),
    on(Qoe.events.scoreCalculated)(noteScores),
    on(Routing.events.networkMeasured)(noteNetworks),
    on(Recommendation.events.served)(noteHomes),
    on(Recommendation.events.clicked)(noteClicks),
    on(Recommendation.events.personalisationChanged)(noteSwitches),
    on(Session.events.started)(noteStarts),
    on(Search.events.query)(noteSearches),
    on(Search.events.resultClicked)(noteResultClicks),
    on(Profile.events.updated)(forgetProfiles),
  ],

  rpc: (parts) => ({
    async list({ name, limit }, context) {
      return parts.db.read(context, async (tx) => {
        const of = { name: name === "" ? undefined : name, limit: Math.min(limit || LIMIT_MAX, LIMIT_MAX) };
        const versions = await store.list(tx, of);
        const live = new Map<string, Map<number, store.Live>>();
        for (const each of new Set(versions.map((version) => version.name))) live.set(each, await store.live(tx, each));
        return {
          versions: versions.map((version) => toMessage(version, live.get(version.name)?.get(version.version))),
        };
      });
    },
    overview: (_, context) => overview(parts, context),
    async train({ name }, context) {
      await askByOperator(parts, name, context);
      return {};
    },
    promote: async ({ name, version }, context) => ({
      version: toMessage(await promote(parts, name, version, context)),
    }),
    async rollback({ name }, context) {
      const version = await rollback(parts, name, context);
      return version ? { version: toMessage(version) } : {};
    },
    predictChurn: ({ userIds }, context) => predictChurn(parts, userIds, context),
    predictRoutes: (request, context) => predictRoutes(parts, request, context),
    serving: ({ name }, context) => serving(parts, name, context),
    order: (request, context) => order(parts, request, context),
    explainOrder: (request, context) => explainOrder(parts, request, context),
  }),

  // On the listener of loopback, for programs beside the product: the protocol has no sign-in.
  http: (parts) => [
    {
      listener: "origin",
      prefix: "/v2/",
      handle: (request, response) => answerOip(backendOf(parts, request), request, response),
    },
  ],

  periodic: (parts) => [
    { name: "write down what models answered", everyMs: FLUSH_EVERY_MS, run: () => flush(parts) },
    { name: "watch canaries and drift", everyMs: WATCH_EVERY_MS, run: (signal) => forTenants(parts, signal, watch) },
    { name: "refresh models", everyMs: REFRESH_EVERY_MS, run: (signal) => forTenants(parts, signal, tidy) },
  ],

  async run(parts) {
    await parts.jobs.createQueue(QUEUE, { retriesMax: 2, retryDelayS: 30, heartbeatS: 20, expireS: 900 });
    await parts.jobs.createQueue(TRACK_QUEUE, TRACK_OPTIONS);
    parts.workers = [
      await parts.jobs.work(QUEUE, { concurrency: 1 }, (job) => train(parts, job)),
      await parts.jobs.work(TRACK_QUEUE, { concurrency: 1 }, openTracker(parts)),
    ];
  },

  ready: ({ db }) => db.ping(),

  async stop(parts) {
    await Promise.all((parts.workers ?? []).map((worker) => worker.stop()));
    await flush(parts);
  },
});

async function forTenants(
  parts: Parts,
  signal: AbortSignal,
  work: (parts: Parts, tenant: string) => Promise<void>,
): Promise<void> {
  const { tenants } = await parts.call.tenant.list(
    {},
    systemContext("system", "models", { signal, clock: parts.clock }),
  );
  for (const { id } of tenants) if (!signal.aborted) await work(parts, id);
}

async function tidy(parts: Parts, tenant: string): Promise<void> {
  const dropped = await parts.db.tx({ tenant }, async (tx) => {
    await activity.dropBefore(tx, trainingSpan(today(parts)).from);
    await minutes.dropBefore(tx, minuteNow(parts) - TRAINING_MINUTES);
    await lists.dropBefore(tx, parts.clock.nowMs() - TRAINING_MS - DAY_MS, parts.clock.nowMs() - DAY_MS);
    const all: string[] = [];
    for (const { recipe } of trained) all.push(...(await store.dropOld(tx, recipe.name, VERSIONS_KEPT)));
    return all;
  });
  await parts.objects.delete(dropped);
  await refresh(parts, tenant);
}

const dayOf = (timeMs: number): number => Math.floor(timeMs / DAY_MS);

async function noteUsers(_: Parts, tx: ModelsTx, events: readonly Received<UserCreated>[]): Promise<void> {
  await activity.note(
    tx,
    events.map(({ data }) => ({ userId: data.userId, sinceDay: dayOf(data.createdAtMs) })),
  );
}

async function notePlans(parts: Parts, tx: ModelsTx, events: readonly Received<SubscriptionChanged>[]): Promise<void> {
  // One after the other: the last plan counts.
  for (const { data } of events)
    await activity.note(tx, [{ userId: data.userId, sinceDay: today(parts), tier: data.tier }]);
}

async function noteSessions(_: Parts, tx: ModelsTx, events: readonly Received<PlaybackStopped>[]): Promise<void> {
  await activity.add(
    tx,
    events.map(({ data }) => ({
      ...{ userId: data.userId, day: dayOf(data.endedAtMs), sessions: 1 },
      watchedS: Math.max(0, (data.endedAtMs - data.startedAtMs) / 1_000),
    })),
  );
}

async function noteErrors(parts: Parts, tx: ModelsTx, events: readonly Received<PlaybackError>[]): Promise<void> {
  await activity.add(
    tx,
    events.map(({ data }) => ({ userId: data.userId, day: today(parts), errors: 1 })),
  );
}

/** The score at the end of a session stands for all of it. */
async function noteScores(_: Parts, tx: ModelsTx, events: readonly Received<QoeScoreCalculated>[]): Promise<void> {
  const final = events.filter(({ data }) => data.final);
  await activity.add(
    tx,
    final.map(({ data: { userId, timeMs, score, region } }) => ({
      ...{ userId, day: dayOf(timeMs), scores: 1, scoreSum: score, region },
    })),
  );
}

/** What one minute of a network was like; told twice a minute, and the later word counts. */
async function noteNetworks(_: Parts, tx: ModelsTx, events: readonly Received<CdnNetworkMeasured>[]): Promise<void> {
  await minutes.put(
    tx,
    events.map(({ data: { toMs, ...data } }) => ({ ...data, minute: Math.floor(toMs / MINUTE_MS) })),
  );
}

async function forgetUsers(_: Parts, tx: ModelsTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) {
    await activity.forget(tx, data.userId);
    await lists.forget(tx, "user_id", data.userId);
  }
}
