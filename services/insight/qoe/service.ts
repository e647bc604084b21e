// QoE: how well people see what they watch, as a score for each session and figures of many.
import { Qoe } from "#contracts/qoe";
import { type PlaybackError, type PlaybackHeartbeat, type PlaybackStopped, Session } from "#contracts/session";
import { Tenant } from "#contracts/tenant";
import { User, type UserDeleted } from "#contracts/user";
import { type Context, defineService, on, type Platform, problem, type Received, type Tx } from "#kernel";
import { advance, type Factors, factorsOf, isDue, measuresOf, type Rolling, scoreOf } from "./domain.ts";
import { type Detector, openDetector } from "./detector.ts";
import { DIMENSIONS } from "./domain-alerts.ts";
import {
  type BeatRow,
  beatRow,
  beatsTable,
  lastScore,
  type ScoreRow,
  scoreRow,
  scoresTable,
  segments,
} from "./figures.ts";
import { type Gauges, openGauges, type Watched } from "./gauges.ts";
import { assertRoom, type Docket, erase, openDocket, ship, stage, tenantsOf } from "./ship.ts";
import * as store from "./store.ts";
import { anomalies } from "./store-anomalies.ts";
import { isPartial } from "./watch-anomalies.ts";
import { ALERT_WINDOW_MS, WATCH_EVERY_MS, watch } from "./watch.ts";

const uses = { tenant: Tenant };
type QoePlatform = Platform<typeof Qoe, typeof uses>;
type QoeTx = Tx<typeof Qoe>;
export interface Parts extends Pick<QoePlatform, "db" | "call" | "facts" | "clock" | "cache" | "logger" | "analytics"> {
  readonly docket: Docket;
  readonly detector: Detector;
  readonly gauges: Gauges;
}

const SHIP_EVERY_MS = 1_000;
const TIDY_EVERY_MS = 60_000;
/** A session that says nothing for so long is over, whoever forgot to say so. */
const SILENT_MS = 10 * 60_000;
const LIMIT_MAX = 200;
const DAY_S = 86_400;

/** @param open makes the detector of anomalies; a test hands in one that it can take away */
export const qoeWith = (open: () => Detector) =>
  defineService({
    contract: Qoe,
    uses,
    slo: { p99Ms: 100, availability: 0.9995 },
    ai: {
      feeds: "routing and incident correlation: scores by network, region, platform, channel and content type",
      uses: "a detector of anomalies that learns from the last hours of each segment; thresholds of ARCH-001 for scores",
      fallback: "fixed thresholds, marked as partial",
    },
    migrations: new URL("./migrations/", import.meta.url),

    start: ({ db, call, facts, clock, cache, logger, analytics, metrics }: QoePlatform): Parts => {
      analytics.declare([beatsTable, scoresTable]);
      const own = { docket: openDocket(), detector: open(), gauges: openGauges(metrics) };
      return { db, call, facts, clock, cache, logger, analytics, ...own };
    },

    on: [
      on(Session.events.heartbeat)(score),
      on(Session.events.error)(noticeErrors),
      on(Session.events.stopped)(finish),
      on(User.events.deleted)(forgetUsers),
    ],

    rpc: (parts) => ({
      async getSessionScore({ sessionId }, context) {
        const found = await scoreFor(parts, sessionId, context);
        // Sessions of others do not exist for a viewer.
        if (!found || (context.viewer && context.viewer.userId !== found.userId))
          throw problem.notFound(`nothing is known of how session '${sessionId}' went`);
        return { score: found };
      },
      async summary({ dimension: wanted, windowS, limit }, { tenant }) {
        const dimension = DIMENSIONS.find((each) => each === wanted);
        if (!dimension)
          throw problem.invalid(`dimension '${wanted.slice(0, 40)}' is not one of ${DIMENSIONS.join(", ")}`);
        if (windowS > DAY_S) throw problem.invalid(`windowS ${windowS} is more than a day, ${DAY_S}`);
        const toMs = parts.clock.nowMs();
        const fromMs = toMs - (windowS === 0 ? ALERT_WINDOW_MS : windowS * 1_000);
        const window = { tenant, fromMs, toMs };
        const found = await segments(parts.analytics, window, dimension, Math.min(limit || LIMIT_MAX, LIMIT_MAX));
        return { segments: [...found], fromMs: BigInt(fromMs), toMs: BigInt(toMs) };
      },
      async listAlerts({ limit }, context) {
        const most = Math.min(limit || LIMIT_MAX, LIMIT_MAX);
        const [rows, unusual] = await parts.db.read(context, async (tx) => [
          await store.alerts(tx, most),
          await anomalies(tx, most),
        ]);
        return {
          partial: await isPartial(parts, context.tenant),
          anomalies: unusual.map(
            ({ dimension, value, measure, opened_at_ms, figure, usual, sessions, is_partial }) => ({
              ...{ dimension, value, measure, figure, usual, sessions, partial: is_partial },
              openedAtMs: BigInt(opened_at_ms),
            }),
          ),
          alerts: rows.map(({ dimension, value, opened_at_ms, p25, sessions }) => ({
            ...{ dimension, value, p25, sessions },
            openedAtMs: BigInt(opened_at_ms),
          })),
        };
      },
    }),

    periodic: (parts) => [
      { name: "send rows to the analytics store", everyMs: SHIP_EVERY_MS, run: (signal) => ship(parts, signal, false) },
      {
        name: "erase rows of people who are gone",
        everyMs: SHIP_EVERY_MS,
        run: (signal) => erase(parts, signal, false),
      },
      { name: "watch quality of experience", everyMs: WATCH_EVERY_MS, run: () => watch(parts) },
      { name: "tidy quality of experience", everyMs: TIDY_EVERY_MS, run: (signal) => tidy(parts, signal) },
    ],

    // The store may be away for a while: rows wait, and what is asked meanwhile says so itself.
    ready: ({ db }) => db.ping(),
    stop: async ({ detector }) => detector.close(),
  });
export default qoeWith(openDetector);

/** What another process left, or this one before it was killed. */
async function tidy(parts: Parts, signal: AbortSignal): Promise<void> {
  for (const tenant of await tenantsOf(parts, signal))
    await parts.db.tx({ tenant }, (tx) => store.dropSilent(tx, parts.clock.nowMs() - SILENT_MS));
  await ship(parts, signal, true);
  await erase(parts, signal, true);
}

/** Makes the scores of a batch of beats; rows and sessions are committed with the marks of the beats. */
async function score(parts: Parts, tx: QoeTx, events: readonly Received<PlaybackHeartbeat>[]): Promise<void> {
  assertRoom(parts, tx.tenant);
  const forgotten = await store.forgottenAmong(
    tx,
    events.map(({ data }) => data.userId),
  );
  const beats = events.map(({ data }) => data).filter(({ userId }) => !forgotten.has(userId));
  if (beats.length === 0) return;
  const known = await store.lock(
    tx,
    beats.map(({ sessionId }) => sessionId),
  );
  const changed = new Map<string, Rolling>();
  const rows: BeatRow[] = [];
  const told: Told[] = [];
  const watched: Watched[] = [];
  for (const beat of beats) {
    const { next, growth } = advance(known.get(beat.sessionId), beat);
    const factors = factorsOf(measuresOf(next));
    watched.push({ before: known.get(beat.sessionId), after: next, bitrateKbps: beat.bitrateKbps, growth });
    rows.push(beatRow(next, beat, growth, scoreOf(factors)));
    const after = isDue(next) ? { ...next, toldAtMs: next.timeMs } : next;
    if (after !== next) told.push({ session: after, factors });
    known.set(beat.sessionId, after);
    changed.set(beat.sessionId, after);
  }
  await store.save(tx, changed.values());
  await stage(parts, tx, beatsTable, rows);
  await tell(parts, tx, told);
  parts.docket.active.add(tx.tenant);
  tx.afterCommit(async () => parts.gauges.watched(watched));
}

/** A beat that carries errors says so itself; this one may have been read before its beat, or after. */
async function noticeErrors(_: Parts, tx: QoeTx, events: readonly Received<PlaybackError>[]): Promise<void> {
  await store.markErrors(tx, [...new Set(events.map(({ data }) => data.sessionId))].sort());
}

/** The last score of sessions that ended. Beats that are read later, from another topic, tell it again. */
async function finish(parts: Parts, tx: QoeTx, events: readonly Received<PlaybackStopped>[]): Promise<void> {
  const known = await store.lock(
    tx,
    events.map(({ data }) => data.sessionId),
  );
  const over = [...known.values()].filter(({ isOver }) => !isOver).map((session) => ({ ...session, isOver: true }));
  await store.save(tx, over);
  await tell(
    parts,
    tx,
    over.map((session) => ({ session, factors: factorsOf(measuresOf(session)) })),
  );
}

async function forgetUsers(parts: Parts, tx: QoeTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) await store.forget(tx, data.userId, parts.clock.nowMs());
  parts.docket.forgetting.add(tx.tenant);
}

interface Told {
  readonly session: Rolling;
  readonly factors: Factors;
}

/** Stages scores and tells them. Whoever hears them may hear one again, after a crash between the log and the commit. */
async function tell(parts: Parts, tx: QoeTx, told: readonly Told[]): Promise<void> {
  if (told.length === 0) return;
  const rows: ScoreRow[] = told.map(({ session, factors }) => scoreRow(session, factors, scoreOf(factors)));
  await stage(parts, tx, scoresTable, rows);
  const final = rows.filter((row) => row.final).map(({ score }) => score);
  tx.afterCommit(async () => parts.gauges.scored(final));
  const events = told.map(({ session, factors }) => ({
    ...{ userId: session.userId, sessionId: session.sessionId, contentId: session.contentId },
    ...{ networkId: session.networkId, region: session.region, platform: session.platform },
    ...{ contentType: session.contentType, timeMs: session.timeMs, score: scoreOf(factors), final: session.isOver },
    ...factors,
  }));
  await parts.facts("scoreCalculated", events, tx);
}

async function scoreFor(parts: Parts, sessionId: string, context: Context) {
  const session = await parts.db.tx(context, (tx) => store.find(tx, sessionId));
  if (session) {
    const factors = factorsOf(measuresOf(session));
    const { userId, contentId, networkId, region, platform, timeMs, isOver } = session;
    return {
      ...{ sessionId, userId, contentId, networkId, region, platform, factors, score: scoreOf(factors), final: isOver },
      timeMs: BigInt(timeMs),
    };
  }
  const row = await lastScore(parts.analytics, context.tenant, sessionId);
  if (!row) return undefined;
  const { start, rebuffer, bitrate, stability, error_free: errorFree, score: value, final } = row;
  return {
    ...{ sessionId, userId: row.user_id, contentId: row.content_id, networkId: row.network_id },
    ...{ region: row.region, platform: row.platform, score: value, final, timeMs: BigInt(row.time_ms) },
    factors: { start, rebuffer, bitrate, stability, errorFree },
  };
}
