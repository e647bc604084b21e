// Session: who watches what where, how many at once, and everything a player needs in one answer.
import { Ads } from "#contracts/ads";
import { Bookmark } from "#contracts/bookmark";
import { Catalog } from "#contracts/catalog";
import { Entitlement } from "#contracts/entitlement";
import { License } from "#contracts/license";
import { Live } from "#contracts/live";
import { Origin } from "#contracts/origin";
import { Recording } from "#contracts/recording";
import { Routing } from "#contracts/routing";
import { Session } from "#contracts/session";
import { Tenant } from "#contracts/tenant";
import { Token } from "#contracts/token";
import { User, type UserDeleted } from "#contracts/user";
import { defineService, on, type Platform, problem, type Received, type Tx } from "#kernel";
import { type Beating, beat, openLiving } from "./beat.ts";
import { type Counters, openCounters } from "./counters.ts";
import { BEAT_INTERVAL_MS } from "./domain.ts";
import { countActive, stop, sweep } from "./end.ts";
import { alive, toMessage, tokensFor } from "./shared.ts";
import { openSlots } from "./slots.ts";
import { start } from "./start.ts";
import * as store from "./store.ts";

const uses = {
  ads: Ads,
  bookmark: Bookmark,
  catalog: Catalog,
  entitlement: Entitlement,
  license: License,
  live: Live,
  origin: Origin,
  recording: Recording,
  routing: Routing,
  tenant: Tenant,
  token: Token,
};
export type SessionPlatform = Platform<typeof Session, typeof uses>;
export interface Parts extends Pick<SessionPlatform, "db" | "call" | "facts" | "clock" | "logger" | "config"> {
  /** See beat.ts. */
  readonly living: ReturnType<typeof openLiving>;
  /** See slots.ts. */
  readonly slots: ReturnType<typeof openSlots>;
  readonly counters: Counters;
}

export default defineService({
  contract: Session,
  uses,
  slo: { p99Ms: 200, availability: 0.9999 },
  ai: {
    feeds: "every viewing feature: starts, stops and heartbeats",
    uses: "CDN routing, through routing",
    fallback: "routing's own",
  },
  migrations: new URL("./migrations/", import.meta.url),

  start: ({ db, call, facts, clock, logger, config, metrics }: SessionPlatform): Parts => {
    const counters = openCounters(metrics);
    return {
      ...{ db, call, facts, clock, logger, config, counters },
      ...{ living: openLiving(db), slots: openSlots(db, counters) },
    };
  },

  on: [on(User.events.deleted)(forgetUsers)],

  rpc: (parts) => ({
    start: (request, context) => start(parts, request, context),
    beat: (request, context) => beat(parts, request satisfies Beating, context),
    stop: (request, context) => stop(parts, request, context),
    async refreshToken({ sessionId }, context) {
      const session = await parts.db.read(context, (tx) => alive(parts, tx, sessionId, context));
      return tokensFor(parts, session, context);
    },
    async get({ sessionId }, context) {
      return { session: toMessage(await parts.db.read(context, (tx) => alive(parts, tx, sessionId, context))) };
    },
    async listActive({ userId }, context) {
      const viewer = context.viewer;
      if (viewer && viewer.userId !== userId) throw problem.denied("streams of somebody else are not shown");
      const rows = await parts.db.read(context, (tx) => store.activeOf(tx, userId));
      return { sessions: rows.map(toMessage) };
    },
  }),

  periodic: (parts) => [
    { name: "sweep silent sessions", everyMs: BEAT_INTERVAL_MS / 4, run: (signal) => sweep(parts, signal) },
    { name: "count active sessions", everyMs: BEAT_INTERVAL_MS, run: (signal) => countActive(parts, signal) },
  ],

  ready: ({ db }) => db.ping(),
});

async function forgetUsers(_: Parts, tx: Tx<typeof Session>, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) await store.deleteOf(tx, data.userId);
}
