import { isChannelId, type LiveHealthChanged } from "#contracts/live";
import type { ProfileUpdated } from "#contracts/profile";
import type { QoeMetric } from "#contracts/qoe";
import type {
  RecommendationClicked,
  RecommendationOpinionChanged,
  RecommendationServed,
} from "#contracts/recommendation";
import type { PlaybackError, PlaybackHeartbeat, PlaybackStarted, PlaybackStopped } from "#contracts/session";
import type { UserDeleted } from "#contracts/user";
import type { Received } from "#kernel";
import { knownOf, toText } from "./domain.ts";
import { beaten, channel, diagnosed, tuned } from "./domain-channel.ts";
import { type Metadata, metadata } from "./domain-content.ts";
import { device, startedOn } from "./domain-device.ts";
import { tastes, watchedOf } from "./domain-genres.ts";
import { failed, history, isCompleted, started, stopped, watchedSOf } from "./domain-history.ts";
import { measured, network, networkKey } from "./domain-network.ts";
import { happened, popularity } from "./domain-popularity.ts";
import { session, sessionValues } from "./domain-session.ts";
import { groups } from "./groups.ts";
import type { FeaturesTx, Parts } from "./parts.ts";
import { apply, cacheKey, drop, type Update, update } from "./publish.ts";
import * as store from "./store.ts";

export async function takeStarts(
  parts: Parts,
  tx: FeaturesTx,
  events: readonly Received<PlaybackStarted>[],
): Promise<void> {
  const known = await titlesOf(tx, events);
  await apply(
    parts,
    tx,
    events.flatMap(({ data }) => {
      const timeMs = data.startedAtMs;
      const whose = { key: data.profileId, userId: data.userId, timeMs };
      return [
        update(history, whose, started(data)),
        update(device, whose, startedOn(data)),
        ...(isChannelId(data.contentId)
          ? [update(channel, { key: data.contentId, userId: "", timeMs }, tuned("started", timeMs))]
          : popular(known, data.contentId, { starts: 1 }, timeMs)),
      ];
    }),
  );
}

export async function takeStops(
  parts: Parts,
  tx: FeaturesTx,
  events: readonly Received<PlaybackStopped>[],
): Promise<void> {
  const known = await titlesOf(tx, events);
  await apply(
    parts,
    tx,
    events.flatMap(({ data }) => {
      const timeMs = data.endedAtMs;
      const whose = { key: data.profileId, userId: data.userId, timeMs };
      const ended = { ...data, isLive: isChannelId(data.contentId) };
      const watchedS = watchedSOf(data);
      const genres = genresOf(known, data.contentId);
      const counted = { ended: 1, watchedS, completed: Number(isCompleted(ended)) };
      return [
        update(history, whose, stopped(ended)),
        ...(genres.length > 0 ? [update(tastes, whose, watchedOf(genres, watchedS, timeMs))] : []),
        ...(ended.isLive ? [] : popular(known, data.contentId, counted, timeMs)),
      ];
    }),
  );
}

export const takeErrors = (parts: Parts, tx: FeaturesTx, events: readonly Received<PlaybackError>[]): Promise<void> =>
  apply(
    parts,
    tx,
    events.flatMap(({ data: { profileId, userId, contentId }, timeMs }) => [
      update(history, { key: profileId, userId, timeMs }, failed(timeMs)),
      ...(isChannelId(contentId)
        ? [update(channel, { key: contentId, userId: "", timeMs }, tuned("failed", timeMs))]
        : []),
    ]),
  );

/** The busiest event: a session is its last beat and is in the cache alone; of channels a batch is one update each. */
export async function takeBeats(
  parts: Parts,
  tx: FeaturesTx,
  events: readonly Received<PlaybackHeartbeat>[],
): Promise<void> {
  const beats = events.map(({ data }) => data);
  const last = new Map<string, PlaybackHeartbeat>();
  for (const beat of beats)
    if (beat.sequence >= (last.get(beat.sessionId)?.sequence ?? -1)) last.set(beat.sessionId, beat);
  const createdAtMs = parts.clock.nowMs();
  await Promise.all(
    [...last.values()].map((beat) => {
      const value = { ...knownOf(session, sessionValues(beat)), eventTimeMs: beat.timeMs, createdAtMs, dueAtMs: 0 };
      return parts.cache.set(cacheKey(tx.tenant, session.name, beat.sessionId), toText(value), session.ttlMs);
    }),
  );
  const onChannels = Map.groupBy(
    beats.filter((beat) => beat.contentType === "live" && isChannelId(beat.contentId)),
    ({ contentId }) => contentId,
  );
  await apply(
    parts,
    tx,
    [...onChannels].map(([key, own]) => {
      const timeMs = Math.max(...own.map((beat) => beat.timeMs));
      return update(channel, { key, userId: "", timeMs }, beaten(own));
    }),
  );
}

export const takeHealth = (
  parts: Parts,
  tx: FeaturesTx,
  events: readonly Received<LiveHealthChanged>[],
): Promise<void> =>
  apply(
    parts,
    tx,
    events.map(({ data: { contentId, state, timeMs } }) =>
      update(channel, { key: contentId, userId: "", timeMs }, diagnosed(state, timeMs)),
    ),
  );

export const takeMetrics = (parts: Parts, tx: FeaturesTx, events: readonly Received<QoeMetric>[]): Promise<void> =>
  apply(
    parts,
    tx,
    events.map(({ data }) => update(network, { key: networkKey(data), userId: "", timeMs: data.toMs }, measured(data))),
  );

export const takeServed = (
  parts: Parts,
  tx: FeaturesTx,
  events: readonly Received<RecommendationServed>[],
): Promise<void> =>
  apply(
    parts,
    tx,
    events.flatMap(({ data: { contentIds, servedAtMs: timeMs } }) =>
      [...new Set(contentIds)].map((key) =>
        update(popularity, { key, userId: "", timeMs }, happened({ shown: 1 }, timeMs)),
      ),
    ),
  );

export const takeClicks = (
  parts: Parts,
  tx: FeaturesTx,
  events: readonly Received<RecommendationClicked>[],
): Promise<void> =>
  apply(
    parts,
    tx,
    events.map(({ data: { contentId, clickedAtMs: timeMs } }) =>
      update(popularity, { key: contentId, userId: "", timeMs }, happened({ chosen: 1 }, timeMs)),
    ),
  );

export const takeOpinions = (
  parts: Parts,
  tx: FeaturesTx,
  events: readonly Received<RecommendationOpinionChanged>[],
): Promise<void> =>
  apply(
    parts,
    tx,
    events.flatMap(({ data: { contentId: key, opinion }, timeMs }) => {
      const thumbs = { up: Number(opinion === "up"), down: Number(opinion === "down") };
      return thumbs.up + thumbs.down === 0
        ? []
        : [update(popularity, { key, userId: "", timeMs }, happened(thumbs, timeMs))];
    }),
  );

/** That somebody is gone is said again an hour later, which takes what came late. */
export async function forgetUsers(
  parts: Parts,
  tx: FeaturesTx,
  events: readonly Received<UserDeleted>[],
): Promise<void> {
  for (const { data } of events) await drop(parts, tx, await store.forget(tx, { userId: data.userId }));
}

export async function forgetProfiles(
  parts: Parts,
  tx: FeaturesTx,
  events: readonly Received<ProfileUpdated>[],
): Promise<void> {
  const own = groups.filter(({ entity }) => entity === "user").map(({ name }) => name);
  for (const { data } of events)
    if (data.deleted) await drop(parts, tx, await store.forget(tx, { key: data.profileId, groups: own }));
}

type Titles = ReadonlyMap<string, Metadata>;

/** What is known of the titles that events name, and of the series of their episodes. */
async function titlesOf(tx: FeaturesTx, events: readonly Received<{ readonly contentId: string }>[]): Promise<Titles> {
  const found = new Map<string, Metadata>();
  const read = async (ids: readonly string[]): Promise<void> => {
    for (const [id, state] of await store.statesOf(tx, metadata.group.name, ids)) found.set(id, state as Metadata);
  };
  await read(events.map(({ data }) => data.contentId).filter((id) => !isChannelId(id)));
  await read([...found.values()].map(({ parentId }) => parentId).filter(Boolean));
  return found;
}

/** An episode has its series' genres, where it has none of its own. */
function genresOf(known: Titles, contentId: string): readonly string[] {
  const title = known.get(contentId);
  if (!title) return [];
  return title.genres.length > 0 ? title.genres : (known.get(title.parentId)?.genres ?? []);
}

function popular(known: Titles, contentId: string, what: Parameters<typeof happened>[0], timeMs: number): Update[] {
  const parentId = known.get(contentId)?.parentId ?? "";
  return [contentId, ...(parentId ? [parentId] : [])].map((key) =>
    update(popularity, { key, userId: "", timeMs }, happened(what, timeMs)),
  );
}
