import type { ProfileUpdated } from "#contracts/profile";
import type {
  RecommendationClicked,
  RecommendationPersonalisationChanged,
  RecommendationServed,
} from "#contracts/recommendation";
import type { SearchQuery, SearchResultClicked } from "#contracts/search";
import type { PlaybackStarted } from "#contracts/session";
import type { Received } from "#kernel";
import { CHOOSING_MS } from "./order.ts";
import type { ModelsTx, Parts } from "./parts.ts";
import * as lists from "./store-lists.ts";

// What people were shown, and what they chose of it.

const HOME = "home-order";
const SEARCH = "search-order";

/** What the blend ranked of a home; what is popular stands in nobody's order. */
export async function noteHomes(
  _: Parts,
  tx: ModelsTx,
  events: readonly Received<RecommendationServed>[],
): Promise<void> {
  const shown = events.map(({ data: { userId, profileId, servedAtMs: atMs, contentIds, ranks, scores } }) => ({
    ...{ listId: `${profileId}/${atMs}`, userId, profileId, atMs, segment: "" },
    titles: contentIds
      .map((contentId, at) => ({
        contentId,
        rank: ranks[at] ?? -1,
        score: scores[at] ?? Number.NaN,
        nearness: Number.NaN,
      }))
      .filter(({ rank }) => rank >= 0),
  }));
  await lists.put(tx, HOME, shown.filter(isOrder));
}

export async function noteSearches(_: Parts, tx: ModelsTx, events: readonly Received<SearchQuery>[]): Promise<void> {
  const shown = events.map(({ data }) => ({
    ...{ listId: data.searchId, userId: data.userId, profileId: data.profileId, atMs: data.searchedAtMs },
    segment: `type=${data.type}`,
    titles: data.contentIds.map((contentId, at) => ({
      ...{ contentId, rank: data.ranks[at] ?? at },
      ...{ score: data.scores[at] ?? Number.NaN, nearness: data.nearness[at] ?? Number.NaN },
    })),
  }));
  await lists.put(tx, SEARCH, shown.filter(isOrder));
}

/** One title alone is in any order. */
const isOrder = ({ titles }: { readonly titles: readonly unknown[] }): boolean => titles.length > 1;

export async function noteClicks(
  _: Parts,
  tx: ModelsTx,
  events: readonly Received<RecommendationClicked>[],
): Promise<void> {
  const choices = events.map(({ data }) => ({ ...data, atMs: data.clickedAtMs }));
  await lists.choose(tx, HOME, choices, CHOOSING_MS);
}

/** Who plays what a home showed has chosen it, whichever way they went. */
export async function noteStarts(_: Parts, tx: ModelsTx, events: readonly Received<PlaybackStarted>[]): Promise<void> {
  const choices = events.map(({ data }) => ({ ...data, atMs: data.startedAtMs }));
  await lists.choose(tx, HOME, choices, CHOOSING_MS);
}

export async function noteResultClicks(
  _: Parts,
  tx: ModelsTx,
  events: readonly Received<SearchResultClicked>[],
): Promise<void> {
  for (const { data } of events) await lists.chooseOf(tx, SEARCH, data.searchId, { ...data, atMs: data.clickedAtMs });
}

/** Nothing is learned any more from whoever wants that. */
export async function noteSwitches(
  _: Parts,
  tx: ModelsTx,
  events: readonly Received<RecommendationPersonalisationChanged>[],
): Promise<void> {
  for (const { data } of events) if (!data.enabled) await lists.forget(tx, "profile_id", data.profileId);
}

export async function forgetProfiles(
  _: Parts,
  tx: ModelsTx,
  events: readonly Received<ProfileUpdated>[],
): Promise<void> {
  for (const { data } of events) if (data.deleted) await lists.forget(tx, "profile_id", data.profileId);
}
