import { Catalog, type Title } from "#contracts/catalog";
import type { Entitlement } from "#contracts/entitlement";
import { type Channel, isChannelId, Live } from "#contracts/live";
import { Profile } from "#contracts/profile";
import { type Description, isRecordingId, Recording } from "#contracts/recording";
import { Subscription } from "#contracts/subscription";
import { type Clients, type Clock, type Context, type Db, problem } from "#kernel";
import type { Cache } from "#kernel/ports/cache";
import { type Decision, entitlementsOf, type Plan, type Rules, tierOf } from "./domain.ts";
import * as store from "./store.ts";

/** What decisions are made of: the plan, the profile, the titles. Each is remembered shortly and forgotten when an event says so. */
export const uses = {
  subscription: Subscription,
  profile: Profile,
  catalog: Catalog,
  live: Live,
  recording: Recording,
};

export interface Parts {
  readonly db: Db<typeof Entitlement>;
  readonly call: Clients<typeof uses>;
  readonly cache: Cache;
  readonly clock: Clock;
  /** Counts a decision about what somebody wants to watch now. */
  readonly decided: (decision: Decision) => void;
}

/** An event may be seconds late, or be handled while somebody still holds the old row: no fact is believed for longer than this. */
const BELIEVED_MS = 5_000;

type Subject = "tier" | "profile" | "title";
const keyOf = (tenant: string, subject: Subject, id: string): string => `${tenant}/${subject}/${id}`;

export const disbelieve = (cache: Cache, tenant: string, subject: Subject, ids: readonly string[]): Promise<void> =>
  cache.delete(ids.map((id) => keyOf(tenant, subject, id)));

/** Plans change only with a release, so they are asked once a process. */
const plansKnown = new WeakMap<Parts, readonly Plan[]>();
export async function plansOf(parts: Parts, context: Context): Promise<readonly Plan[]> {
  const known = plansKnown.get(parts);
  if (known) return known;
  const { plans } = await parts.call.subscription.plans({}, context);
  plansKnown.set(parts, plans);
  return plans;
}

/** The tier of an account: from the grants, or from the subscription while the events of a sign-up are still on their way. */
export async function tierFor(parts: Parts, context: Context, userId: string): Promise<string> {
  const key = keyOf(context.tenant, "tier", userId);
  const known = await parts.cache.get(key);
  if (known !== undefined) return known;
  const grants = await parts.db.read(context, (tx) => store.find(tx, userId));
  if (grants.length === 0) {
    const { subscription } = await parts.call.subscription.get({ userId }, context);
    return subscription?.tier ?? "";
  }
  const tier = tierOf(grants, await plansOf(parts, context));
  await parts.cache.set(key, tier, BELIEVED_MS);
  return tier;
}

export async function claimsFor(parts: Parts, context: Context, userId: string) {
  const tier = await tierFor(parts, context, userId);
  return { tier, entitlements: entitlementsOf(tier, await plansOf(parts, context)) };
}

/** The age limit of a profile of this account. */
export async function ageLimitFor(parts: Parts, context: Context, userId: string, profileId: string): Promise<number> {
  if (profileId === "") throw problem.denied("choose a profile first", { reason: "profile_required" });
  const key = keyOf(context.tenant, "profile", profileId);
  const known = await parts.cache.get(key);
  if (known !== undefined) return limitOf(JSON.parse(known) as ProfileFact, userId, profileId);
  const { profile } = await parts.call.profile.get({ profileId }, context);
  if (!profile) throw problem.notFound(`profile '${profileId.slice(0, 64)}' does not exist`);
  const fact: ProfileFact = { userId: profile.userId, ageRatingMax: profile.ageRatingMax };
  await parts.cache.set(key, JSON.stringify(fact), BELIEVED_MS);
  return limitOf(fact, userId, profileId);
}

interface ProfileFact {
  readonly userId: string;
  readonly ageRatingMax: number;
}

function limitOf(fact: ProfileFact, userId: string, profileId: string): number {
  if (fact.userId !== userId)
    throw problem.denied(`profile '${profileId.slice(0, 64)}' is not of this account`, { reason: "not_yours" });
  return fact.ageRatingMax;
}

/** The rules of titles by id, with those of their series. Titles that do not exist are left out. */
export async function rulesFor(
  parts: Parts,
  context: Context,
  contentIds: readonly string[],
): Promise<ReadonlyMap<string, Rules>> {
  const titles = await load(parts, context, contentIds);
  const parents = [...titles.values()].map((rules) => rules.parentId).filter((id) => id !== "" && !titles.has(id));
  const series = parents.length === 0 ? new Map<string, Rules>() : await load(parts, context, [...new Set(parents)]);
  return new Map([...titles, ...series]);
}

async function load(parts: Parts, context: Context, ids: readonly string[]): Promise<Map<string, Rules>> {
  const keys = ids.map((id) => keyOf(context.tenant, "title", id));
  const known = await parts.cache.getMany(keys);
  const rules = new Map<string, Rules>();
  for (const text of known) {
    if (text === undefined) continue;
    const fact = JSON.parse(text) as Rules;
    rules.set(fact.contentId, fact);
  }
  const missing = ids.filter((id) => !rules.has(id));
  if (missing.length === 0) return rules;
  const [channels, kept] = [missing.filter(isChannelId), missing.filter(isRecordingId)];
  const titles = missing.filter((id) => !isChannelId(id) && !isRecordingId(id));
  const [found, heard, recorded] = await Promise.all([
    titles.length === 0 ? [] : parts.call.catalog.getMany({ ids: titles }, context).then((answer) => answer.titles),
    channels.length === 0 ? [] : channelsOf(parts, context),
    kept.length === 0
      ? []
      : parts.call.recording.describe({ contentIds: kept }, context).then((one) => one.descriptions),
  ]);
  for (const fact of [...found.map(rulesOf), ...heard.map(rulesOfChannel), ...recorded.map(rulesOfRecording)]) {
    rules.set(fact.contentId, fact);
    await parts.cache.set(keyOf(context.tenant, "title", fact.contentId), JSON.stringify(fact), BELIEVED_MS);
  }
  return rules;
}

const CHANNELS_PAGE = 500;
const CHANNELS_MAX = 5_000;

/** All of them: they are few, and who asks for one asks for the next one soon. */
async function channelsOf({ call }: Parts, context: Context): Promise<readonly Channel[]> {
  const all: Channel[] = [];
  while (all.length < CHANNELS_MAX) {
    const afterNumber = all.at(-1)?.number ?? 0;
    const { channels } = await call.live.list({ limit: CHANNELS_PAGE, afterNumber }, context);
    all.push(...channels);
    if (channels.length < CHANNELS_PAGE) break;
  }
  return all;
}

/** Whether it is on the air is not a matter of rights: who may watch it is told so when it is not. */
const rulesOfChannel = ({ id, ageRating, tier }: Channel): Rules => ({
  ...{ contentId: id, kind: "channel", parentId: "", isPublished: true, ageRating, tierMin: tier },
  ...{ markets: [], fromMs: 0, untilMs: 0 },
});

/** Whose it is, recording itself says when playback starts. */
const rulesOfRecording = ({ contentId, ageRating, tier }: Description): Rules => ({
  ...{ contentId, kind: "recording", parentId: "", isPublished: true, ageRating, tierMin: tier },
  ...{ markets: [], fromMs: 0, untilMs: 0 },
});

const rulesOf = (title: Title): Rules => ({
  contentId: title.id,
  kind: title.kind,
  parentId: title.parentId,
  isPublished: title.publication === "published",
  ageRating: title.ageRating,
  tierMin: title.tierMin,
  markets: title.markets,
  fromMs: Number(title.availableFromMs),
  untilMs: Number(title.availableUntilMs),
});
