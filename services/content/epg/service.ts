// Epg: the guide: takes in what sources say is on, merges it by a written rule, and says what is on which channel and when.
import { LRUCache } from "lru-cache";
import { Catalog } from "#contracts/catalog";
import { Epg } from "#contracts/epg";
import { Live } from "#contracts/live";
import { Profile, type ProfileUpdated } from "#contracts/profile";
import { Tenant } from "#contracts/tenant";
import { User, type UserDeleted } from "#contracts/user";
import {
  assertOwnProfile,
  type Context,
  defineService,
  follow,
  on,
  type Platform,
  problem,
  type Received,
  requireUser,
  systemContext,
  type Tx,
} from "#kernel";
import type { Worker } from "#kernel/ports/jobs";
import { followChannels, wordsOf } from "./channels.ts";
import { DAY_MS, KEPT_BEFORE_MS } from "./domain.ts";
import { type Grid, openGrid, recompose, recomposeAll } from "./grid.ts";
import { QUEUE, take } from "./importer.ts";
import { takeSchedules } from "./live-guide.ts";
import { mergeChannels } from "./merge.ts";
import { toChannel, toImport, toProgramme } from "./message.ts";
import {
  beginImport,
  endUnfinishedPushes,
  listMatches,
  listSources,
  match,
  push,
  putSource,
  refreshDue,
  removeSource,
} from "./sources.ts";
import * as store from "./store.ts";
import * as guide from "./store-guide.ts";

const CHANNELS_MAX = 500;
const DAYS_MAX = 16;
/** A busy day of a channel is some ten thousand bytes, and a message between processes at most sixteen million. */
const CELLS_MAX = 1_000;
const PROGRAMMES_MAX = 5_000;
const LIST_MAX = 200;
const GRID_MS_MAX = 15 * DAY_MS;
const ORDER_MAX = 1_000;
const REMEMBERED_MS = 1_000;
const IMPORTS_KEPT_MS = 30 * DAY_MS;
const SWEPT_AT_ONCE = 5_000;

const uses = { catalog: Catalog, live: Live, tenant: Tenant };
export type EpgPlatform = Platform<typeof Epg, typeof uses>;
export type EpgTx = Tx<typeof Epg>;
export interface Parts extends Pick<EpgPlatform, "db" | "call" | "jobs" | "objects" | "clock" | "logger"> {
  readonly grid: Grid;
  /** The channels of a tenant by number, as they were within the last second: every look at a guide begins with them. */
  readonly channels: LRUCache<string, readonly store.Channel[]>;
  /** What channels of films said last, of each tenant. */
  readonly schedules: Map<string, string>;
  /** Counts an import that was accepted, or refused for a reason. */
  readonly taken: (outcome: "accepted" | "refused", reason: string) => void;
  worker: Worker | null;
}

export default defineService({
  contract: Epg,
  uses,
  slo: { p99Ms: 100, availability: 0.9995 },
  ai: {
    feeds: "recommendation: what is on, and which series it is of",
    uses: "none yet; a model may order channels for a profile",
    fallback: "the order that the profile made, else channels by number",
  },
  migrations: new URL("./migrations/", import.meta.url),

  start({ db, call, cache, jobs, objects, clock, logger, metrics }: EpgPlatform): Parts {
    const imports = metrics.counter("epg_imports_total", "Documents that were accepted or refused", [
      "outcome",
      "reason",
    ]);
    return {
      ...{ db, call, jobs, objects, clock, logger, grid: openGrid({ db, cache, logger }) },
      channels: new LRUCache({ max: 100, ttl: REMEMBERED_MS }),
      schedules: new Map(),
      taken: (outcome, reason) => imports.inc({ outcome, reason }),
      worker: null,
    };
  },

  on: [
    on(Epg.events.ingestCompleted)(mergeChannels),
    on(Live.events.channelChanged)(followChannels),
    on(Profile.events.updated)(forgetProfiles),
    on(User.events.deleted)(forgetUsers),
  ],

  readModels: [
    {
      name: "grid",
      // It is in the cache.
      tables: [],
      on: [follow(Epg.events.scheduleUpdated)(recompose)],
      remake: recomposeAll,
    },
  ],

  rpc: (parts) => ({
    putSource: (request, context) => putSource(parts, request, context),
    listSources: (_, context) => listSources(parts, context),
    removeSource: ({ name }, context) => removeSource(parts, name, context),
    import: ({ sourceName }, context) => beginImport(parts, sourceName, context),
    push: (request, context) => push(parts, request, context),
    listMatches: (request, context) => listMatches(parts, request, context),
    match: (request, context) => match(parts, request, context),
    async getImport({ importId }, context) {
      return parts.db.read(context, async (tx) => {
        const found = await store.findImport(tx, importId);
        if (!found) throw problem.notFound(`there is no import '${importId.slice(0, 80)}'`);
        return { import: toImport(found, (await store.mergesOf(tx, [importId])).get(importId)) };
      });
    },
    async listImports({ sourceName, limit }, context) {
      return parts.db.read(context, async (tx) => {
        const found = await store.listImports(tx, sourceName, Math.min(limit || LIST_MAX, LIST_MAX));
        const merges = await store.mergesOf(
          tx,
          found.map(({ import_id: id }) => id),
        );
        return { imports: found.map((row) => toImport(row, merges.get(row.import_id))) };
      });
    },
    channels: (request, context) => listChannels(parts, request, context),
    async getChannel({ id }, context) {
      const [found] = await parts.db.read(context, (tx) => store.findChannels(tx, [id]));
      if (!found) throw problem.notFound(`there is no channel '${id.slice(0, 80)}'`, { reason: "channel_unknown" });
      return { channel: toChannel(found) };
    },
    async putChannelOrder({ profileId, channelIds }, context) {
      const { userId } = requireUser(context);
      assertOwnProfile(context, profileId);
      if (channelIds.length > ORDER_MAX)
        throw problem.invalid(`${channelIds.length} channels are more than ${ORDER_MAX}`);
      await parts.db.tx(context, (tx) =>
        store.putOrder(tx, { profileId, userId, channelIds: [...new Set(channelIds)] }),
      );
      return {};
    },
    async grid({ channelIds, fromMs, toMs }, context) {
      assertChannels(channelIds);
      const of = { channelIds, fromMs: Number(fromMs), toMs: Number(toMs), limit: PROGRAMMES_MAX };
      if (!(of.toMs > of.fromMs) || of.toMs - of.fromMs > GRID_MS_MAX)
        throw problem.invalid(`a grid is of more than nothing and at most ${GRID_MS_MAX / DAY_MS} days`);
      const rows = await parts.db.read(context, (tx) => guide.programmesIn(tx, of));
      if (rows.length >= PROGRAMMES_MAX)
        throw problem.invalid("more programmes than one answer holds: ask for less at once");
      const byChannel = Map.groupBy(rows, ({ channel_id: id }) => id);
      return { programmes: [...new Set(channelIds)].flatMap((id) => byChannel.get(id) ?? []).map(toProgramme) };
    },
    async composedDays({ channelIds, days }, context) {
      assertChannels(channelIds);
      if (days.length > DAYS_MAX || days.length * channelIds.length > CELLS_MAX)
        throw problem.invalid(`${days.length} days of ${channelIds.length} channels are more than one answer holds`);
      for (const day of days)
        if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(Date.parse(day)))
          throw problem.invalid(`'${day.slice(0, 40)}' is no day such as 2026-11-26`);
      return { days: await parts.grid.days([...new Set(channelIds)], [...new Set(days)], context) };
    },
    async nowNext({ channelIds, atMs }, context) {
      assertChannels(channelIds);
      const at = Number(atMs) || parts.clock.nowMs();
      const rows = await parts.db.read(context, (tx) => guide.nowNext(tx, channelIds, at));
      const byChannel = Map.groupBy(rows, ({ channel_id: id }) => id);
      return {
        channels: channelIds.map((channelId) => {
          const [first, second] = byChannel.get(channelId) ?? [];
          const isOn = first !== undefined && first.start_ms <= at;
          const [now, next] = isOn ? [first, second] : [undefined, first];
          return { channelId, ...(now ? { now: toProgramme(now) } : {}), ...(next ? { next: toProgramme(next) } : {}) };
        }),
      };
    },
    programme: async ({ id }, context) => ({ programme: await requireProgramme(parts, id, context) }),
    async episodes({ seriesId, channelId, limit }, context) {
      if (seriesId === "") throw problem.invalid("which series? Its id is missing");
      const of = { seriesId, channelId, limit: Math.min(limit || LIST_MAX, PROGRAMMES_MAX) };
      const rows = await parts.db.read(context, (tx) => guide.episodesOf(tx, of));
      return { seriesTitle: rows[0]?.title ?? "", programmes: rows.map(toProgramme) };
    },
    async search({ query, limit }, context) {
      const words = wordsOf(query);
      if (words.length === 0) return { programmes: [] };
      const of = { words, nowMs: parts.clock.nowMs(), limit: Math.min(limit || 50, LIST_MAX) };
      return { programmes: (await parts.db.read(context, (tx) => guide.search(tx, of))).map(toProgramme) };
    },
    async restrict({ programmeId, blackout, noRestart, noRecord }, context) {
      const before = await requireProgramme(parts, programmeId, context);
      await parts.db.tx(context, async (tx) => {
        await guide.restrict(tx, programmeId, { blackout, no_restart: noRestart, no_record: noRecord });
        const times = { startMs: Number(before.startMs), stopMs: Number(before.stopMs) };
        const { channelId, title, seriesId, episodeKey } = before;
        tx.emit("programChanged", {
          ...{ channelId, programmeId, change: "changed", title, ...times, seriesId, episodeKey },
          ...{ previousStartMs: times.startMs, previousStopMs: times.stopMs, blackout, noRestart },
        });
      });
      return { programme: await requireProgramme(parts, programmeId, context) };
    },
  }),

  periodic: (parts) => [
    {
      name: "take in what channels of films will show",
      everyMs: 60_000,
      run: async () => takeSchedules(parts, await tenantsOf(parts)),
    },
    { name: "take in guides whose time has come", everyMs: 60_000, run: () => refresh(parts) },
    { name: "forget what the guide keeps no longer", everyMs: 600_000, run: () => sweep(parts) },
  ],

  async run(parts) {
    await parts.jobs.createQueue(QUEUE, { retriesMax: 3, retryDelayS: 5, heartbeatS: 20, expireS: 3_600 });
    parts.worker = await parts.jobs.work(QUEUE, { concurrency: 1 }, (job) => take(parts, job));
  },

  ready: ({ db }) => db.ping(),

  async stop({ worker }) {
    await worker?.stop();
  },
});

function assertChannels(channelIds: readonly string[]): void {
  if (channelIds.length > CHANNELS_MAX)
    throw problem.invalid(`${channelIds.length} channels are more than ${CHANNELS_MAX}: ask in parts`);
}

async function requireProgramme({ db }: Parts, id: string, context: Context) {
  const found = await db.read(context, (tx) => guide.findProgramme(tx, id));
  if (!found) throw problem.notFound(`there is no programme '${id.slice(0, 80)}'`, { reason: "programme_unknown" });
  return toProgramme(found);
}

/** A profile's own channels come first, in its order, or those that somebody thinks it prefers; the others follow by number. */
async function listChannels(
  { db, channels: remembered }: Parts,
  of: { profileId: string; offset: number; limit: number; preferredIds: readonly string[] },
  context: Context,
) {
  const { profileId, offset, limit, preferredIds } = of;
  if (preferredIds.length > CHANNELS_MAX)
    throw problem.invalid(`${preferredIds.length} preferred channels are more than ${CHANNELS_MAX}`);
  if (profileId !== "") assertOwnProfile(context, profileId);
  const [own, order] = await db.read(context, async (tx) => {
    const known = remembered.get(context.tenant);
    const all = known ?? (await store.channelsByNumber(tx));
    if (!known) remembered.set(context.tenant, all);
    return [all, profileId === "" ? [] : await store.findOrder(tx, profileId)] as const;
  });
  const places = new Map((order.length > 0 ? order : preferredIds).map((id, i) => [id, i]));
  const first = own.filter(({ id }) => places.has(id));
  const sorted = [
    ...first.toSorted((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0)),
    ...own.filter(({ id }) => !places.has(id)),
  ];
  const page = sorted.slice(offset, offset + Math.min(limit || CHANNELS_MAX, CHANNELS_MAX));
  const orderedBy = first.length === 0 ? "number" : order.length > 0 ? "own" : "learned";
  return { channels: page.map(toChannel), total: own.length, orderedBy };
}

const tenantsOf = async ({ call, clock }: Parts): Promise<readonly string[]> => {
  const { tenants } = await call.tenant.list({}, systemContext("system", "epg", { clock, deadlineMs: 10_000 }));
  return tenants.map(({ id }) => id);
};

async function refresh(parts: Parts): Promise<void> {
  const { clock } = parts;
  await refreshDue(parts, await tenantsOf(parts), (tenant) =>
    systemContext(tenant, "epg", { clock, deadlineMs: 10_000 }),
  );
}

async function sweep(parts: Parts): Promise<void> {
  const nowMs = parts.clock.nowMs();
  await endUnfinishedPushes(parts, await tenantsOf(parts));
  for (const tenant of await tenantsOf(parts))
    await parts.db.tx({ tenant }, (tx) =>
      guide.sweep(tx, nowMs - KEPT_BEFORE_MS, nowMs - IMPORTS_KEPT_MS, SWEPT_AT_ONCE),
    );
}

async function forgetProfiles(_: Parts, tx: EpgTx, events: readonly Received<ProfileUpdated>[]): Promise<void> {
  for (const { data } of events)
    if (data.deleted) await store.forgetOrders(tx, { column: "profile_id", id: data.profileId });
}

async function forgetUsers(_: Parts, tx: EpgTx, events: readonly Received<UserDeleted>[]): Promise<void> {
  for (const { data } of events) await store.forgetOrders(tx, { column: "user_id", id: data.userId });
}
