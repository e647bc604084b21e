import type { BookmarkUpdated } from "#contracts/bookmark";
import type {
  CatalogAvailabilityChanged,
  CatalogTitleAdded,
  CatalogTitleUpdated,
  Title as TitleMessage,
} from "#contracts/catalog";
import { isChannelId } from "#contracts/live";
import type { ProfileUpdated } from "#contracts/profile";
import type { RecommendationClicked, RecommendationServed } from "#contracts/recommendation";
import type { PlaybackStarted, PlaybackStopped } from "#contracts/session";
import type { UserDeleted } from "#contracts/user";
import { type Received, systemContext } from "#kernel";
import { takeChannelStops } from "./channels.ts";
import { featuresOf, STAGES, stageOf } from "./domain.ts";
import { forgetHomes, keyOf } from "./home.ts";
import type { Parts, RecommendationTx } from "./parts.ts";
import * as store from "./store.ts";
import * as artwork from "./store-artwork.ts";

const GET_MANY_MAX = 200;

export const takeStarts = (parts: Parts, tx: RecommendationTx, events: readonly Received<PlaybackStarted>[]) =>
  remember(
    parts,
    tx,
    events.map(({ data }) => ({ ...data, stage: STAGES.begun, atMs: data.startedAtMs })),
  );

/** A session that ended without a word says nothing of how far it came. Of a channel it says how long it was watched, and when. */
export async function takeStops(
  parts: Parts,
  tx: RecommendationTx,
  events: readonly Received<PlaybackStopped>[],
): Promise<void> {
  await remember(
    parts,
    tx,
    events.map(({ data }) => ({ ...data, stage: stageOf(data), atMs: data.endedAtMs })),
  );
  await takeChannelStops(tx, events);
}

export const takeBookmarks = (parts: Parts, tx: RecommendationTx, events: readonly Received<BookmarkUpdated>[]) =>
  remember(
    parts,
    tx,
    events
      .filter(({ data }) => !data.removed)
      .map(({ data, timeMs }) => ({ ...data, stage: stageOf(data), atMs: timeMs })),
  );

/** Keeps what is news: positions come every few seconds, and only three of them say something here. */
async function remember(parts: Parts, tx: RecommendationTx, all: readonly store.Progress[]): Promise<void> {
  const news = new Map<string, store.Progress>();
  for (const { userId, profileId, contentId, stage, atMs } of all) {
    const key = stageKey(tx.tenant, profileId, contentId);
    const known = news.get(key)?.stage ?? parts.stages.get(key) ?? -1;
    if (isChannelId(contentId) || stage <= known) continue;
    news.set(key, { userId, profileId, contentId, stage, atMs });
  }
  await store.remember(tx, [...news.values()]);
  tx.afterCommit(async () => {
    for (const [key, { stage, profileId }] of news) {
      parts.stages.set(key, stage);
      parts.homes.delete(keyOf(tx.tenant, profileId));
    }
  });
}
const stageKey = (tenant: string, profileId: string, contentId: string): string =>
  `${tenant}/${profileId}/${contentId}`;

type CatalogEvent = CatalogTitleAdded | CatalogTitleUpdated | CatalogAvailabilityChanged;

/** The event says which titles to look at again; what is true of them now, catalog says. */
export async function takeTitles(
  parts: Parts,
  tx: RecommendationTx,
  events: readonly Received<CatalogEvent>[],
): Promise<void> {
  const gone = events.flatMap(({ data }) => ("reason" in data && data.reason === "deleted" ? [data.contentId] : []));
  for (const contentId of new Set(gone)) await store.forgetTitle(tx, contentId);
  const ids = [...new Set(events.map(({ data }) => data.contentId))].filter(
    (id) => !gone.includes(id) && !isChannelId(id),
  );
  const context = systemContext(tx.tenant, "recommendation", { clock: parts.clock });
  for (let at = 0; at < ids.length; at += GET_MANY_MAX) {
    const { titles } = await parts.call.catalog.getMany({ ids: ids.slice(at, at + GET_MANY_MAX) }, context);
    await store.putTitles(tx, titles.map(rowOf));
  }
  tx.afterCommit(async () => parts.shelves.forget(tx.tenant));
}

export const rowOf = (title: TitleMessage): store.TitleRow => ({
  content_id: title.id,
  parent_id: title.kind === "episode" ? title.parentId : "",
  kind: title.kind,
  genres: title.genres,
  features: featuresOf(title),
  age_rating: title.ageRating,
  is_available: title.publication === "published" && title.state === "playable",
  added_at_ms: Number(title.addedAtMs),
});

/** What was shown tires, as long as it is not chosen. */
export async function takeServed(
  _: Parts,
  tx: RecommendationTx,
  events: readonly Received<RecommendationServed>[],
): Promise<void> {
  const shown = new Map<string, store.Shown>();
  for (const { data } of events) {
    const { userId, profileId, servedAtMs } = data;
    for (const contentId of data.contentIds) {
      const key = `${profileId}/${contentId}`;
      const times = (shown.get(key)?.times ?? 0) + 1;
      shown.set(key, { userId, profileId, contentId, times, atMs: servedAtMs });
    }
  }
  await store.countShown(tx, [...shown.values()]);
}

export async function takeClicks(
  _: Parts,
  tx: RecommendationTx,
  events: readonly Received<RecommendationClicked>[],
): Promise<void> {
  for (const { data } of events) {
    await store.forgetShown(tx, data.profileId, data.contentId);
    await artwork.choose(tx, data.profileId, data.contentId);
  }
}

export async function forgetProfiles(
  parts: Parts,
  tx: RecommendationTx,
  events: readonly Received<ProfileUpdated>[],
): Promise<void> {
  const ids = events.map(({ data }) => data.profileId);
  for (const { data } of events) if (data.deleted) await store.forget(tx, { column: "profile_id", id: data.profileId });
  // One that changed may have another age limit.
  tx.afterCommit(() => forgetHomes(parts, tx.tenant, ids));
}

export async function forgetUsers(
  parts: Parts,
  tx: RecommendationTx,
  events: readonly Received<UserDeleted>[],
): Promise<void> {
  const gone: string[] = [];
  for (const { data } of events) gone.push(...(await store.forget(tx, { column: "user_id", id: data.userId })));
  tx.afterCommit(() => forgetHomes(parts, tx.tenant, gone));
}
