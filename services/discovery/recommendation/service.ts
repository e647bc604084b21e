// Recommendation: what each profile may like, and why; learned from what is watched, and never without an answer.
import { LRUCache } from "lru-cache";
import { Bookmark } from "#contracts/bookmark";
import { Catalog } from "#contracts/catalog";
import { Profile } from "#contracts/profile";
import { Recommendation } from "#contracts/recommendation";
import { Session } from "#contracts/session";
import { User } from "#contracts/user";
import { type Context, defineService, on, ownerOf, problem, systemContext } from "#kernel";
import { openKnown } from "#kernel/known";
import { chooseArtwork } from "./artwork.ts";
import { orderChannels } from "./channels.ts";
import { opinionOf } from "./domain.ts";
import type { Report } from "./domain-model.ts";
import { explain, similar } from "./explain.ts";
import {
  forgetProfiles,
  forgetUsers,
  takeBookmarks,
  takeClicks,
  takeServed,
  takeStarts,
  takeStops,
  takeTitles,
} from "./follow.ts";
import { home, keyOf } from "./home.ts";
import { openModels } from "./models.ts";
import { MODEL } from "./order.ts";
import { type Parts, type RecommendationPlatform, uses } from "./parts.ts";
import { openShelves } from "./shelf.ts";
import * as store from "./store.ts";
import { fit, QUEUE, sweep, takeJob, train, trainDue } from "./train.ts";

const HOMES_MAX = 20_000;
const HOME_FRESH_MS = 30_000;
const ALIKE_MAX = 5_000;
const ALIKE_FRESH_MS = 300_000;
const ORDERED_FRESH_MS = 15_000;
const TENANTS_MAX = 1_000;
const ARMS_TENANTS_MAX = 100;
const ARMS_FRESH_MS = 60_000;
const ORDERS_MAX = 20_000;
const ORDER_FRESH_MS = 300_000;
const TOLD_MAX = 100_000;
/** Whoever looks again within a visit was not shown the titles again. */
const VISIT_MS = 30 * 60_000;
const STAGES_MAX = 100_000;
const DUE_EVERY_MS = 60_000;
const SWEEP_EVERY_MS = 3_600_000;
const RAILS: readonly string[] = ["for_you", "because", "popular"];
const POSITION_MAX = 1_000;
const ID = /^[A-Za-z0-9_-]{1,64}$/;

export default defineService({
  contract: Recommendation,
  uses,
  slo: { p99Ms: 100, availability: 0.999 },
  ai: {
    feeds: "features and experiments: what was served, and what of it was chosen",
    uses: "a blend of EASE or iALS, content and popularity, trained here every six hours, put in order by what people choose",
    fallback: "what is popular in the genres that a profile likes, within 200 ms and marked as partial",
  },
  migrations: new URL("./migrations/", import.meta.url),

  start({ db, call, cache, jobs, clock, config, logger, tell, metrics }: RecommendationPlatform): Parts {
    const homes = metrics.counter("recommendation_homes_total", "Homes composed, by what they were made of", ["way"]);
    const shown = metrics.counter(
      "recommendation_impressions_total",
      "Visits in which a profile was shown recommendations",
    );
    const clicked = metrics.counter("recommendation_clicks_total", "Recommendations that somebody went to");
    const byClock = { perf: { now: () => clock.nowMs() }, ttlResolution: 0 };
    return {
      ...{ db, call, cache, jobs, clock, config, logger, tell },
      models: openModels((tenant) => fit({ db, clock }, tenant)),
      shelves: openShelves(db),
      homes: new LRUCache({ max: HOMES_MAX, ttl: HOME_FRESH_MS }),
      alike: new LRUCache({ max: ALIKE_MAX, ttl: ALIKE_FRESH_MS }),
      arms: new LRUCache({ max: ARMS_TENANTS_MAX, ttl: ARMS_FRESH_MS, ...byClock }),
      orders: new LRUCache({ max: ORDERS_MAX, ttl: ORDER_FRESH_MS, ...byClock }),
      told: new LRUCache({ max: TOLD_MAX, ttl: VISIT_MS }),
      stages: new LRUCache({ max: STAGES_MAX }),
      isOrdered: openKnown(
        { clock, freshMs: ORDERED_FRESH_MS, keysMax: TENANTS_MAX, unknown: false },
        async (tenant) => {
          const { served } = await call.models.serving(
            { name: MODEL },
            systemContext(tenant, "recommendation", { clock }),
          );
          return served;
        },
      ),
      composed: (way) => homes.inc({ way }),
      shown: () => shown.inc(),
      clicked: () => clicked.inc(),
      worker: null,
    };
  },

  on: [
    on(Session.events.started)(takeStarts),
    on(Session.events.stopped)(takeStops),
    on(Bookmark.events.updated)(takeBookmarks),
    on(Catalog.events.titleAdded)(takeTitles),
    on(Catalog.events.titleUpdated)(takeTitles),
    on(Catalog.events.availabilityChanged)(takeTitles),
    on(Recommendation.events.served)(takeServed),
    on(Recommendation.events.clicked)(takeClicks),
    on(Profile.events.updated)(forgetProfiles),
    on(User.events.deleted)(forgetUsers),
  ],

  rpc: (parts) => ({
    home: (request, context) => home(parts, request, context),
    similar: (request, context) => similar(parts, request, context),
    chooseArtwork: (request, context) => chooseArtwork(parts, request, context),
    orderChannels: (request, context) => orderChannels(parts, request, context),
    explain: (request, context) => explain(parts, request, context),
    async getOpinion({ profileId, contentId }, context) {
      await ownerOf(parts, context, profileId);
      return { opinion: (await parts.db.read(context, (tx) => store.opinionOf(tx, profileId, contentId))) ?? "none" };
    },
    setOpinion: (request, context) => setOpinion(parts, request, context),
    async getPersonalisation({ profileId }, context) {
      await accountOf(parts, context, profileId);
      return { enabled: await parts.db.read(context, (tx) => store.isPersonalised(tx, profileId)) };
    },
    async setPersonalisation({ profileId, enabled }, context) {
      const userId = await accountOf(parts, context, profileId);
      await parts.db.tx(context, async (tx) => {
        if ((await store.isPersonalised(tx, profileId)) === enabled) return;
        await store.setPersonalised(tx, { userId, profileId }, enabled);
        tx.emit("personalisationChanged", { userId, profileId, enabled });
        tx.afterCommit(async () => parts.homes.delete(keyOf(tx.tenant, profileId)));
      });
      return {};
    },
    async click({ profileId, contentId, rail, position }, context) {
      const userId = await ownerOf(parts, context, profileId);
      if (!ID.test(contentId)) throw problem.invalid(`'${contentId.slice(0, 80)}' is no title's id`);
      if (!RAILS.includes(rail)) throw problem.invalid(`'${rail.slice(0, 40)}' is no rail: say ${RAILS.join(", ")}`);
      if (position > POSITION_MAX) throw problem.invalid(`${position} is beyond the end of a rail`);
      const clicked = { userId, profileId, contentId, rail, position, clickedAtMs: parts.clock.nowMs() };
      parts.tell("clicked", [clicked], context);
      parts.clicked();
      return {};
    },
    async train(_, context) {
      const { report, trainedAtMs } = await train(parts, context);
      return { model: toModel(report, trainedAtMs) };
    },
    async status(_, context) {
      const last = await parts.db.read(context, store.findReport);
      return last ? { model: toModel(last.report, last.trainedAtMs) } : {};
    },
  }),

  periodic: (parts) => [
    { name: "train what is due", everyMs: DUE_EVERY_MS, run: () => trainDue(parts) },
    { name: "forget old impressions", everyMs: SWEEP_EVERY_MS, run: () => sweep(parts) },
  ],

  async run(parts) {
    await parts.jobs.createQueue(QUEUE, { retriesMax: 2, retryDelayS: 30, heartbeatS: 30, expireS: 1_800 });
    parts.worker = await parts.jobs.work(QUEUE, { concurrency: 1 }, (job) => takeJob(parts, job));
  },

  ready: ({ db }) => db.ping(),

  async stop(parts) {
    await parts.worker?.stop();
    parts.models.close();
  },
});

/** Whose profile it is. Profiles are managed by their account, whichever of them is watching. */
async function accountOf({ call }: Parts, context: Context, profileId: string): Promise<string> {
  const { profile } = await call.profile.get({ profileId }, context);
  if (!profile || (context.viewer && context.viewer.userId !== profile.userId))
    throw problem.denied("this is another account's profile", { reason: "not_yours" });
  return profile.userId;
}

async function setOpinion(
  parts: Parts,
  { profileId, contentId, opinion }: { profileId: string; contentId: string; opinion: string },
  context: Context,
) {
  const userId = await ownerOf(parts, context, profileId);
  const said = opinionOf(opinion);
  await parts.db.tx(context, async (tx) => {
    // Each opinion is a row: there are no more of them than titles.
    if (!(await store.isKnown(tx, contentId)))
      throw problem.notFound(`title '${contentId.slice(0, 64)}' does not exist`, { reason: "title_unknown" });
    const before = await store.opinionOf(tx, profileId, contentId);
    if (before === said) return;
    await store.putOpinion(tx, { userId, profileId, contentId, atMs: parts.clock.nowMs() }, said);
    tx.emit("opinionChanged", { userId, profileId, contentId, opinion });
    tx.afterCommit(async () => parts.homes.delete(keyOf(tx.tenant, profileId)));
  });
  return {};
}

const toModel = (report: Report, trainedAtMs: number) => ({ ...report, trainedAtMs: BigInt(trainedAtMs) });
