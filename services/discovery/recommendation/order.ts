import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { Context, Db } from "#kernel";
import type { Recommendation } from "#contracts/recommendation";
import type { Title } from "./domain.ts";
import type { Candidate } from "./domain-model.ts";
import {
  type Facts,
  learnOrder,
  type Lesson,
  type Order,
  PROFILE_FEATURES,
  reordered,
  rowOf,
  type Shown,
  shownOf,
  TITLE_FEATURES,
  worthOf,
} from "./domain-order.ts";
import type { Parts } from "./parts.ts";
import { unpersonalisedAmong } from "./store.ts";
import * as store from "./store-order.ts";

/** The order of each tenant, as it was read a moment ago; false where there is none. */
export type Orders = LRUCache<string, Order | false>;

const FRESH_MS = 30_000;
const TENANTS_MAX = 100;
const LOOK_BACK_MS = 14 * 86_400_000;
const EVENTS_MAX = 100_000;
/** What is learned from: more lists teach little, and each needs its titles' past. */
const LISTS_MAX = 400;
const ROWS_AT_ONCE = 2_000;
const KEYS_AT_ONCE = 200;

export const openOrders = (db: Db<typeof Recommendation>): Orders =>
  new LRUCache({
    ...{ max: TENANTS_MAX, ttl: FRESH_MS, allowStaleOnFetchRejection: true },
    fetchMethod: async (tenant: string) => (await db.read({ tenant }, store.findOrder)) ?? false,
  });

/** Candidates in the order that was learned, where one was: with what is known now of them and of the profile. */
export async function reorder(
  parts: Pick<Parts, "call" | "clock">,
  context: Context,
  of: {
    readonly profileId: string;
    readonly candidates: readonly Candidate[];
    readonly titles: ReadonlyMap<string, Title>;
    readonly order: Order;
  },
): Promise<Candidate[]> {
  const { profileId, candidates, titles, order } = of;
  const { features } = parts.call;
  const [known, own] = await Promise.all([
    features.getOnlineFeatures({ features: [...TITLE_FEATURES], keys: candidates.map(({ id }) => id) }, context),
    features.getOnlineFeatures({ features: [...PROFILE_FEATURES], keys: [profileId] }, context),
  ]);
  const profile = factsOf(own, 0);
  const nowMs = parts.clock.nowMs();
  const rows = candidates.map(({ id }, rank) =>
    rowOf(rank, { genres: titles.get(id)?.genres ?? [], facts: factsOf(known, rank) }, profile, nowMs),
  );
  return reordered(candidates, worthOf(order, rows));
}

interface Flat {
  readonly numberFeatures: readonly string[];
  readonly numbers: readonly number[];
}

function factsOf({ numberFeatures, numbers }: Flat, row: number): Facts {
  const pairs = numberFeatures.map(
    (name, at) => [name, numbers[row * numberFeatures.length + at] ?? Number.NaN] as const,
  );
  return new Map(pairs.filter(([, value]) => !Number.isNaN(value)));
}

/** Learns from the lists of the last two weeks, with features as they were when each was shown. Says why, where it comes to nothing. */
export async function learn(parts: Parts, context: Context): Promise<Order | string> {
  const nowMs = parts.clock.nowMs();
  const [served, clicked] = [await read(parts, context, Served), await read(parts, context, Clicked)];
  const ids = clicked.map(({ profileId }) => profileId);
  const refusing = await parts.db.read(context, (tx) => unpersonalisedAmong(tx, ids));
  const lists = shownOf(
    served.filter(({ profileId }) => !refusing.has(profileId)),
    clicked,
    LISTS_MAX,
  );
  const titles = await pastOf(
    parts,
    context,
    [...TITLE_FEATURES],
    lists.flatMap(({ contentIds, atMs }) => contentIds.map((key) => ({ key, atMs }))),
  );
  const profiles = await pastOf(
    parts,
    context,
    [...PROFILE_FEATURES],
    lists.map(({ profileId: key, atMs }) => ({ key, atMs })),
  );
  const { byId } = await parts.shelves.of(context.tenant);
  const learned = learnOrder(lists.map((list) => lessonOf(list, byId, titles, profiles)));
  const order = typeof learned === "string" ? undefined : learned;
  await parts.db.tx(context, (tx) => store.putOrder(tx, order, nowMs));
  parts.orders.delete(context.tenant);
  return learned;
}

type Past = ReadonlyMap<string, Facts>;
const NOTHING: Facts = new Map();
const pastKey = (key: string, atMs: number): string => `${key}/${atMs}`;

function lessonOf(
  { profileId, contentIds, atMs, chosen }: Shown,
  byId: ReadonlyMap<string, Title>,
  titles: Past,
  profiles: Past,
): Lesson {
  const profile = profiles.get(pastKey(profileId, atMs)) ?? NOTHING;
  return {
    profileId,
    rows: contentIds.map((id, rank) => {
      const facts = titles.get(pastKey(id, atMs)) ?? NOTHING;
      return rowOf(rank, { genres: byId.get(id)?.genres ?? [], facts }, profile, atMs);
    }),
    labels: contentIds.map((id) => Number(chosen.has(id))),
  };
}

async function pastOf(
  { call }: Parts,
  context: Context,
  features: string[],
  all: readonly { readonly key: string; readonly atMs: number }[],
): Promise<Past> {
  const past = new Map<string, Facts>();
  const byKey = [...Map.groupBy(all, ({ key }) => key).values()];
  for (let at = 0; at < byKey.length; at += KEYS_AT_ONCE) {
    const rows = byKey.slice(at, at + KEYS_AT_ONCE).flat();
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
      const part = rows.slice(from, from + ROWS_AT_ONCE);
      const wanted = part.map(({ key, atMs }) => ({ key, timeMs: BigInt(atMs) }));
      const answer = await call.features.getHistoricalFeatures({ features, rows: wanted }, context);
      for (const [row, { key, atMs }] of part.entries()) past.set(pastKey(key, atMs), factsOf(answer, row));
    }
  }
  return past;
}

interface EventType<T> {
  readonly name: string;
  readonly schema: z.ZodType<T>;
}
const Served = {
  name: "recommendation.served",
  schema: z.object({ profileId: z.string(), contentIds: z.array(z.string()), servedAtMs: z.number() }),
};
const Clicked = {
  name: "recommendation.clicked",
  schema: z.object({ profileId: z.string(), contentId: z.string(), clickedAtMs: z.number() }),
};

/** Events of ours as the lake has them; what no release of ours wrote is left out. */
async function read<T>({ call, clock }: Parts, context: Context, { name, schema }: EventType<T>): Promise<T[]> {
  const nowMs = clock.nowMs();
  const span = { eventType: name, fromMs: BigInt(nowMs - LOOK_BACK_MS), toMs: BigInt(nowMs + 1), keys: [] };
  const found: T[] = [];
  let cursor = "";
  do {
    const page = await call.analytics.readEvents({ ...span, cursor }, context);
    for (const { dataJson } of page.events) {
      const { success, data } = schema.safeParse(JSON.parse(dataJson));
      if (success) found.push(data);
    }
    cursor = page.cursor;
  } while (cursor !== "" && found.length < EVENTS_MAX);
  return found;
}
