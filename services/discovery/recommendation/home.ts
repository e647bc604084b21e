import { createHash } from "node:crypto";
import { type Context, ownerOf } from "#kernel";
import { within } from "#kernel/within";
import { arrange, excludedOf, likedOf, ownRails, type Past, popularFor, type Rail, type Title } from "./domain.ts";
import type { Candidate } from "./domain-model.ts";
import { type Place, placesOf } from "./domain-order.ts";
import { order, type OrderedBy } from "./order.ts";
import type { Parts } from "./parts.ts";
import type { Shelf } from "./shelf.ts";
import * as store from "./store.ts";
import { NEVER, PART_MS_MAX, timely } from "./timely.ts";

export interface Home {
  readonly rails: readonly Rail[];
  readonly isPartial: boolean;
  /** Of the model that had a part in it; 0 where none had. */
  readonly trainedAtMs: number;
  /** Where the blend had the titles that it ranked highest. */
  readonly places: ReadonlyMap<string, Place>;
  readonly orderedBy: OrderedBy;
}

/** What is put in order is so within what these leave of it. */
export const HOME_MS_MAX = 190;
const CANDIDATES = 200;
const ARRANGED = 60;
/** As long as a model: a set of an older one is not worth keeping. */
const SET_KEPT_MS = 6 * 3_600_000;
/** What stands in for something else is asked again soon. */
const PARTIAL_KEPT_MS = 2_000;
/** As many of a rail are seen without moving it. */
const SEEN_OF_RAIL = 6;

const EMPTY_SHELF: Shelf = { titles: [], byId: new Map() };
const UNKNOWN_PAST: Past = { isPersonalised: false, watched: [], opinions: new Map(), exposures: new Map() };

export const keyOf = (tenant: string, profileId: string): string => `${tenant}/${profileId}`;
const setKeyOf = (tenant: string, profileId: string): string => `${tenant}/set/${profileId}`;

/** The rails of a profile's home, as they were composed within the last half minute. */
export async function home(parts: Parts, { profileId }: { readonly profileId: string }, context: Context) {
  const userId = await ownerOf(parts, context, profileId);
  const key = keyOf(context.tenant, profileId);
  const { rails, isPartial, trainedAtMs, places } = await homeOf(parts, context, profileId);
  if (context.viewer && rails.length > 0 && !parts.told.has(key)) {
    parts.told.set(key, true);
    const contentIds = [...new Set(rails.flatMap((rail) => rail.contentIds.slice(0, SEEN_OF_RAIL)))];
    const ranks = contentIds.map((id) => places.get(id)?.rank ?? -1);
    const scores = contentIds.map((id) => places.get(id)?.score ?? Number.NaN);
    const shown = { userId, profileId, surface: "home", contentIds, ranks, scores, partial: isPartial };
    parts.tell("served", [{ ...shown, modelTrainedAtMs: trainedAtMs, servedAtMs: parts.clock.nowMs() }], context);
    parts.shown();
  }
  return { rails: rails.map((rail) => ({ ...rail, contentIds: [...rail.contentIds] })), partial: isPartial };
}

/** The home that a profile was shown a moment ago, or would be now. */
export const homeOf = (parts: Parts, context: Context, profileId: string): Promise<Home> =>
  parts.homes.get(keyOf(context.tenant, profileId)) ?? begin(parts, context, profileId);

/** Composes a home once for all who ask at the same time, and keeps it for a moment. */
function begin(parts: Parts, context: Context, profileId: string): Promise<Home> {
  const { homes } = parts;
  const key = keyOf(context.tenant, profileId);
  const composed = compose(parts, context, profileId);
  homes.set(key, composed);
  // What somebody's own doing has dropped meanwhile does not come back.
  const isCurrent = (): boolean => homes.peek(key) === composed;
  composed.then(
    ({ isPartial }) => isPartial && isCurrent() && homes.set(key, composed, { ttl: PARTIAL_KEPT_MS }),
    () => isCurrent() && homes.delete(key),
  );
  return composed;
}

/** What a ranking looks at, and what of it could not be had in time. */
export async function look(parts: Parts, context: Context, profileId: string) {
  const { tenant } = context;
  const missing: string[] = [];
  const [shelf, past, ageRatingMax] = await Promise.all([
    timely(parts, "titles", missing, parts.shelves.of(tenant), EMPTY_SHELF),
    timely(
      parts,
      "past",
      missing,
      parts.db.read({ tenant }, (tx) => store.pastOf(tx, profileId)),
      UNKNOWN_PAST,
    ),
    // Whoever's age is not known sees what everybody may see.
    timely(
      parts,
      "profile",
      missing,
      parts.call.profile.get({ profileId }, context).then(({ profile }) => profile?.ageRatingMax ?? 0),
      0,
    ),
  ]);
  return { shelf, past, ageRatingMax, missing };
}

async function compose(parts: Parts, context: Context, profileId: string): Promise<Home> {
  const startedMs = parts.clock.nowMs();
  const { shelf, past, ageRatingMax, missing } = await look(parts, context, profileId);
  const nowMs = parts.clock.nowMs();
  const suits = ({ ageRating }: Title): boolean => ageRating <= ageRatingMax;
  const liked = past.isPersonalised ? likedOf(past) : [];
  const excluded = excludedOf(past);
  const set =
    liked.length === 0
      ? NO_SET
      : await timely(
          parts,
          "model",
          missing,
          setOf(parts, context.tenant, profileId, { liked, excluded, ageRatingMax }),
          NO_SET,
        );
  const fitting = set.candidates.filter(({ id }) => {
    const title = shelf.byId.get(id);
    return title !== undefined && suits(title);
  });
  const leftMs = HOME_MS_MAX - (parts.clock.nowMs() - startedMs);
  const waitMs = Math.min(parts.config.MARQUEE_ORDER_DEADLINE_MS, leftMs);
  const ordered = await order(parts, fitting, { profileId, waitMs, missing }, context);
  const own = ownRails(arrange(ordered.candidates, shelf.byId, past.exposures, nowMs, ARRANGED), liked);
  const popular = popularFor(shelf.titles.filter(suits), liked, new Set(excluded));
  const rails: Rail[] = [...own, { kind: "popular" as const, becauseOfId: "", contentIds: popular }];
  const isPartial = missing.length > 0;
  parts.composed(isPartial ? "fallback" : own.length > 0 ? "model" : "popular");
  return {
    rails: rails.filter(({ contentIds }) => contentIds.length > 0),
    ...{
      isPartial,
      trainedAtMs: own.length > 0 ? set.trainedAtMs : 0,
      places: placesOf(fitting),
      orderedBy: ordered.by,
    },
  };
}

interface CandidateSet {
  /** What of the profile it was made of; with another past it is no longer good. */
  readonly basis: string;
  readonly trainedAtMs: number;
  readonly candidates: readonly Candidate[];
}
const NO_SET: CandidateSet = { basis: "", trainedAtMs: 0, candidates: [] };

interface Basis {
  readonly liked: readonly string[];
  readonly excluded: readonly string[];
  readonly ageRatingMax: number;
}

/** The profile's candidates as they were made before, else from the model, for others to have. A cache that is away is an empty one. */
async function setOf(parts: Parts, tenant: string, profileId: string, of: Basis): Promise<CandidateSet> {
  const basis = createHash("sha256").update(JSON.stringify(of)).digest("base64url");
  const known = await within(PART_MS_MAX / 3, "the cache", NEVER, parts.cache.get(setKeyOf(tenant, profileId))).catch(
    () => undefined,
  );
  if (known !== undefined) {
    const set = JSON.parse(known) as CandidateSet;
    if (set.basis === basis) return set;
  }
  const model = await parts.models.load(tenant);
  const candidates = await model.recommend({ ...of, count: CANDIDATES });
  const set: CandidateSet = { basis, trainedAtMs: model.trainedAtMs, candidates };
  void parts.cache.set(setKeyOf(tenant, profileId), JSON.stringify(set), SET_KEPT_MS).catch(() => undefined);
  return set;
}

/** Makes the set of a profile with a model that was trained just now. */
export async function precompute(parts: Parts, context: Context, profileId: string): Promise<void> {
  const { tenant } = context;
  const [past, { profile }] = await Promise.all([
    parts.db.read(context, (tx) => store.pastOf(tx, profileId)),
    parts.call.profile.get({ profileId }, context).catch(() => ({ profile: undefined })),
  ]);
  const liked = likedOf(past);
  if (!profile || !past.isPersonalised || liked.length === 0) return;
  await parts.cache.delete([setKeyOf(tenant, profileId)]);
  await setOf(parts, tenant, profileId, { liked, excluded: excludedOf(past), ageRatingMax: profile.ageRatingMax });
}

/** Leaves nothing of profiles that are gone. */
export async function forgetHomes(
  { homes, orders, told, cache }: Parts,
  tenant: string,
  profileIds: readonly string[],
): Promise<void> {
  for (const profileId of profileIds) {
    homes.delete(keyOf(tenant, profileId));
    orders.delete(keyOf(tenant, profileId));
    told.delete(keyOf(tenant, profileId));
  }
  if (profileIds.length > 0) await cache.delete(profileIds.map((profileId) => setKeyOf(tenant, profileId)));
}
