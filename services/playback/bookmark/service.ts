// Bookmark: remembers where each profile stopped watching, and what it put on its list.
import { Bookmark, type BookmarkUpdated } from "#contracts/bookmark";
import { Catalog, type CatalogAvailabilityChanged } from "#contracts/catalog";
import { isChannelId } from "#contracts/live";
import { Profile, type ProfileUpdated } from "#contracts/profile";
import { type PlaybackHeartbeat, type PlaybackStarted, type PlaybackStopped, Session } from "#contracts/session";
import { User, type UserDeleted } from "#contracts/user";
import {
  type Clock,
  type Db,
  defineService,
  follow,
  type ModelTx,
  on,
  problem,
  type Received,
  requireUser,
  type Tx,
} from "#kernel";
import { advance, keyOf, type Beat, type Progress } from "./domain.ts";
import * as store from "./store.ts";

const LIMIT_MAX = 50; // A TV row shows 20; unbounded reads are forbidden.
const IDS_MAX = 200;
const LIST_MAX = 200;

interface Parts {
  readonly db: Db<typeof Bookmark>;
  readonly clock: Clock;
  readonly ignored: () => void;
}
type BookmarkTx = Tx<typeof Bookmark>;

export default defineService({
  contract: Bookmark,
  uses: {},
  slo: { p99Ms: 50, availability: 0.9995 },
  ai: { feeds: "recommendation: what was watched, how far", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),

  start: ({ db, clock, metrics }): Parts => {
    const ignored = metrics.counter("bookmark_late_beats_total", "Reports of a position that came after a newer one");
    return { db, clock, ignored: () => ignored.inc() };
  },

  on: [
    on(Session.events.started)(noticeResumed),
    on(Session.events.heartbeat)(rememberBeats),
    on(Session.events.stopped)(rememberStops),
    on(Profile.events.updated)(forgetProfiles),
    on(User.events.deleted)(forgetUsers),
    on(Catalog.events.availabilityChanged)(forgetTitles),
  ],

  // Positions are the source of truth: heartbeats are kept for a day and no log could say them again.
  readModels: [
    {
      name: "continue",
      tables: ["continue_watching"],
      on: [follow(Bookmark.events.updated)(keepInOrder)],
      seed: (_, tx) => store.refreshUnfinished(tx),
    },
  ],

  rpc: ({ db, clock }) => ({
    async get({ profileId, contentId }, context) {
      const [found] = await db.read(context, (tx) => store.findMany(tx, profileId, [contentId]));
      if (!found) throw problem.notFound(`profile '${profileId}' has not started '${contentId}'`);
      return { bookmark: { ...toMessage(found), sessionStartedAtMs: BigInt(found.sessionStartedAtMs) } };
    },
    async getMany({ profileId, contentIds }, context) {
      if (contentIds.length > IDS_MAX)
        throw problem.invalid(`${contentIds.length} ids are more than ${IDS_MAX}: ask in parts`);
      const found = await db.read(context, (tx) => store.findMany(tx, profileId, contentIds));
      return { bookmarks: found.map(toMessage) };
    },
    async continueWatching({ profileId, limit }, context) {
      const found = await db.read(context, (tx) =>
        store.unfinished(tx, profileId, Math.min(limit || LIMIT_MAX, LIMIT_MAX)),
      );
      return { bookmarks: found.map((one) => toMessage({ ...one, isFinished: false })) };
    },
    async remove({ profileId, contentId }, context) {
      await db.tx(context, async (tx) => {
        const gone = await store.remove(tx, profileId, contentId);
        if (gone) tx.emit("updated", updatedOf(gone, true));
      });
      return {};
    },
    async save({ profileId, contentId }, context) {
      const { userId } = requireUser(context);
      await db.tx(context, (tx) => store.addToList(tx, { userId, profileId, contentId }, clock.nowMs()));
      return {};
    },
    async unsave({ profileId, contentId }, context) {
      await db.tx(context, (tx) => store.removeFromList(tx, profileId, contentId));
      return {};
    },
    async saved({ profileId, limit }, context) {
      return {
        contentIds: await db.read(context, (tx) => store.list(tx, profileId, Math.min(limit || LIST_MAX, LIST_MAX))),
      };
    },
  }),

  ready: ({ db }) => db.ping(),
});

/** Saves progress and announces it: saved, announced and marked as read together, or none of the three. */
async function remember({ ignored }: Parts, tx: BookmarkTx, beats: readonly Beat[]): Promise<void> {
  if (beats.length === 0) return;
  const known = await store.lock(tx, beats);
  const news = advance(known, beats, ignored);
  await store.saveMany(tx, news);
  for (const next of news) tx.emit("updated", updatedOf(next, false));
}

async function rememberBeats(
  parts: Parts,
  tx: BookmarkTx,
  events: readonly Received<PlaybackHeartbeat>[],
): Promise<void> {
  const beats = events
    .filter(hasPlaces)
    .map(({ data }): Beat => ({ ...data, sessionStartedAtMs: data.startedAtMs, updatedAtMs: data.timeMs }));
  await remember(parts, tx, beats.map(positionOnly));
}

/** A session that starts where an earlier one stopped is a resumption, which recommendations learn from. */
async function noticeResumed(_: Parts, tx: BookmarkTx, events: readonly Received<PlaybackStarted>[]): Promise<void> {
  const pairs = events.map(({ data }) => data);
  const progress = new Map((await store.findPairs(tx, pairs)).map((known) => [keyOf(known), known]));
  for (const { data } of events) {
    const known = progress.get(keyOf(data));
    if (!known || known.isFinished || known.positionS <= 0) continue;
    tx.emit("resumed", {
      userId: data.userId,
      profileId: data.profileId,
      contentId: data.contentId,
      positionS: known.positionS,
    });
  }
}

/** A session that ended without a word says nothing new about the position. */
async function rememberStops(
  parts: Parts,
  tx: BookmarkTx,
  events: readonly Received<PlaybackStopped>[],
): Promise<void> {
  const said = events.filter(({ data }) => data.positionS >= 0 && data.durationS > 0).filter(hasPlaces);
  const beats = said.map(
    ({ data }): Beat => ({ ...data, sessionStartedAtMs: data.startedAtMs, updatedAtMs: data.endedAtMs }),
  );
  await remember(parts, tx, beats.map(positionOnly));
}

/** A channel is where the world is: there is no place in it to come back to. */
const hasPlaces = ({ data }: { readonly data: { readonly contentId: string } }): boolean =>
  !isChannelId(data.contentId);

const positionOnly = ({
  userId,
  profileId,
  contentId,
  positionS,
  durationS,
  sessionStartedAtMs,
  sequence,
  updatedAtMs,
}: Beat): Beat => ({
  userId,
  profileId,
  contentId,
  positionS,
  durationS,
  sessionStartedAtMs,
  sequence,
  updatedAtMs,
});

/** The event says which bookmarks to look at again; what is true of them now is in their rows. */
async function keepInOrder(_: Parts, tx: ModelTx, events: readonly Received<BookmarkUpdated>[]): Promise<void> {
  await store.refreshUnfinished(
    tx,
    events.map(({ data }) => data),
  );
}

async function forgetProfiles(_: Parts, tx: BookmarkTx, events: readonly Received<ProfileUpdated>[]): Promise<void> {
  for (const { data } of events) if (data.deleted) await store.forget(tx, { column: "profile_id", id: data.profileId });
}

async function forgetUsers(_: Parts, tx: BookmarkTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) await store.forget(tx, { column: "user_id", id: data.userId });
}

async function forgetTitles(
  _: Parts,
  tx: BookmarkTx,
  events: readonly Received<CatalogAvailabilityChanged>[],
): Promise<void> {
  for (const { data } of events)
    if (data.reason === "deleted") await store.forget(tx, { column: "content_id", id: data.contentId });
}

const updatedOf = (progress: Progress, removed: boolean) => ({
  userId: progress.userId,
  profileId: progress.profileId,
  contentId: progress.contentId,
  positionS: progress.positionS,
  durationS: progress.durationS,
  finished: progress.isFinished,
  removed,
});

const toMessage = (progress: store.Unfinished & Pick<Progress, "isFinished">) => ({
  profileId: progress.profileId,
  contentId: progress.contentId,
  positionS: progress.positionS,
  durationS: progress.durationS,
  finished: progress.isFinished,
  updatedAtMs: BigInt(progress.updatedAtMs),
});
