// Features: what is known of viewers, titles, channels, networks and sessions, served to models now and for training as it was known then.
import { Catalog } from "#contracts/catalog";
import { Features } from "#contracts/features";
import { Live } from "#contracts/live";
import { Profile } from "#contracts/profile";
import { Qoe } from "#contracts/qoe";
import { Recommendation } from "#contracts/recommendation";
import { Session } from "#contracts/session";
import { User } from "#contracts/user";
import { defineService, on, systemContext } from "#kernel";
import type { FeatureGroup } from "./domain.ts";
import { HOUR_MS } from "./domain-windows.ts";
import {
  forgetProfiles,
  forgetUsers,
  takeBeats,
  takeClicks,
  takeErrors,
  takeHealth,
  takeMetrics,
  takeOpinions,
  takeServed,
  takeStarts,
  takeStops,
} from "./follow.ts";
import { groups } from "./groups.ts";
import { historical } from "./offline.ts";
import { online, remake } from "./online.ts";
import { type FeaturesPlatform, type Parts, uses } from "./parts.ts";
import { cacheKey, publishDue } from "./publish.ts";
import { status } from "./status.ts";
import * as store from "./store.ts";
import { findTitles, takeTitles } from "./titles.ts";
import { openWatch } from "./watch.ts";

const PUBLISH_EVERY_MS = 5_000;
const OLD_AT_ONCE = 1_000;

export default defineService({
  contract: Features,
  uses,
  slo: { p99Ms: 10, availability: 0.9995 },
  ai: {
    feeds: "every model: features as they are, and as they were known at any time",
    uses: "none: sums and windows",
    fallback: "what is not known is missing, and each feature declares what a model takes instead",
  },
  migrations: new URL("./migrations/", import.meta.url),

  start({ db, call, cache, clock, logger, metrics }: FeaturesPlatform): Parts {
    const published = metrics.counter("features_published_total", "Values of groups that were published", ["type"]);
    const late = metrics.gauge(
      "features_lag_seconds",
      "How long after what it says the last value of a group was published",
      ["type"],
    );
    const looked = metrics.counter("features_lookups_total", "Groups of entities looked up, by where they were found", [
      "state",
    ]);
    return {
      ...{ db, call, cache, clock, logger, watch: openWatch(metrics) },
      published(group, values) {
        published.inc({ type: group }, values.length);
        const lagMs = values.at(-1)?.lagMs;
        if (lagMs !== undefined) late.set({ type: group }, Math.max(0, lagMs) / 1_000);
      },
      looked: (state, count) => looked.inc({ state }, count),
    };
  },

  on: [
    on(Session.events.started)(takeStarts),
    on(Session.events.stopped)(takeStops),
    on(Session.events.error)(takeErrors),
    on(Session.events.heartbeat)(takeBeats),
    on(Catalog.events.titleAdded)(takeTitles),
    on(Catalog.events.titleUpdated)(takeTitles),
    on(Catalog.events.availabilityChanged)(takeTitles),
    on(Live.events.healthChanged)(takeHealth),
    on(Qoe.events.metric)(takeMetrics),
    on(Recommendation.events.served)(takeServed),
    on(Recommendation.events.clicked)(takeClicks),
    on(Recommendation.events.opinionChanged)(takeOpinions),
    on(Profile.events.updated)(forgetProfiles),
    on(User.events.deleted)(forgetUsers),
  ],

  // Copies of what is in our own rows: whoever publishes writes them, and a rebuild writes all of them anew.
  readModels: [{ name: "online", tables: [], on: [], remake }],

  rpc: (parts) => ({
    list: async () => ({ groups: groups.map(toMessage) }),
    getOnlineFeatures: (request, context) => online(parts, request, context),
    getHistoricalFeatures: (request, context) => historical(parts, request, context),
    status: ({ sample }, context) => status(parts, sample, context),
  }),

  periodic: (parts) => [
    {
      name: "publish features that are due",
      everyMs: PUBLISH_EVERY_MS,
      run: (signal) => forTenants(parts, signal, (tenant) => publishDue(parts, tenant, signal)),
    },
    {
      name: "say how late features are",
      everyMs: PUBLISH_EVERY_MS * 3,
      run: (signal) => forTenants(parts, signal, (tenant) => parts.watch.lookForLate(parts, tenant)),
    },
    {
      name: "find titles without features",
      everyMs: HOUR_MS,
      run: (signal) => forTenants(parts, signal, (tenant) => findTitles(parts, tenant, signal)),
    },
    {
      name: "compare features with the lake",
      everyMs: HOUR_MS,
      run: (signal) => forTenants(parts, signal, (tenant) => parts.watch.lookForSkew(parts, tenant)),
    },
    {
      name: "drop features whose life is over",
      everyMs: HOUR_MS,
      run: (signal) => forTenants(parts, signal, (tenant) => tidy(parts, tenant)),
    },
  ],

  ready: ({ db }) => db.ping(),
});

async function forTenants(
  parts: Parts,
  signal: AbortSignal,
  work: (tenant: string) => Promise<unknown>,
): Promise<void> {
  const context = systemContext("system", "features", { signal, clock: parts.clock });
  const { tenants } = await parts.call.tenant.list({}, context);
  for (const { id } of tenants) if (!signal.aborted) await work(id);
}

async function tidy(parts: Parts, tenant: string): Promise<void> {
  const nowMs = parts.clock.nowMs();
  for (const { name, ttlMs } of groups) {
    // In a transaction each, so that a great many hold nobody up.
    const gone = await parts.db.tx({ tenant }, (tx) => store.dropOld(tx, name, nowMs - ttlMs, OLD_AT_ONCE));
    await parts.cache.delete(gone.map(({ group, key }) => cacheKey(tenant, group, key)));
  }
}

const toMessage = ({ features, ttlMs, cadenceMs, sourceEvents, ...group }: FeatureGroup) => ({
  ...group,
  features: features.map(({ name, dtype, unit, description, fallback, dimensions }) => ({
    ...{ name, dtype, unit, description, defaultJson: JSON.stringify(fallback), dimensions: dimensions ?? 0 },
  })),
  ...{ ttlMs: BigInt(ttlMs), cadenceMs: BigInt(cadenceMs), sourceEvents: [...sourceEvents] },
});
