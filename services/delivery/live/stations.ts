import { problem, toProblem, type Tx } from "#kernel";
import { isLinear, objectKey, SEGMENT_MS } from "./domain.ts";
import { planSchedule } from "./schedule.ts";
import type { LivePlatform } from "./service.ts";
import { openStation, type Station } from "./station.ts";
import * as store from "./store.ts";
import { forgetRestrictions, restrictionsAfter } from "./store-restrictions.ts";
import { forgetSplices, splicesBetween } from "./store-splices.ts";

const TENANTS_MAX = 1_000;
const CHANNELS_MAX = 500;
/** Segments of one statement. */
const TRIM_AT_ONCE = 200;
/** What one time of making room lets go of. */
const ROOM_SEGMENTS = 60;
const RESTRICTIONS_MAX = 10_000;
/** The longest window there is; a programme that ended before it is out of reach. */
const RESTRICTED_MS = 86_400_000;
const SPLICES_MAX = 512;
const SYSTEM = { tenant: "system" };

/** The channels that this process runs. */
export interface Stations {
  /** The channel of an id, begun where it was not; `not_found` where there is none. */
  of(channelId: string): Promise<Station>;
  /** Ends a channel here; the next one who asks for it finds it as it is by then. */
  close(channelId: string): Promise<void>;
  /** Puts channels on the air that do not wait to be asked for. */
  begin(): Promise<void>;
  tick(): Promise<void>;
  /** Reads who holds which channel, and what may not be shown of them. */
  holds(tenant: string): Promise<void>;
  /** Takes away what is older than its window, and what is more than may be kept; never what is pinned. */
  trim(signal: AbortSignal): Promise<void>;
  /** The disk is full: lets go of what is oldest, never of what is pinned; answers whether there was something. */
  makeRoom(tenant: string): Promise<boolean>;
  /** Plans what channels of films show. */
  plan(): Promise<void>;
  stop(): Promise<void>;
}

export function openStations(platform: LivePlatform): Stations {
  const { db, objects, clock, logger, config } = platform;
  const stations = new Map<string, Promise<Station>>();
  let room: Promise<boolean> | null = null;

  async function load(channelId: string): Promise<Station> {
    const tenant = await db.tx(SYSTEM, (tx) => store.ownerOf(tx, channelId));
    if (tenant === undefined) throw problem.notFound(`channel '${channelId}' does not exist`);
    const [stored, segments, restrictions, splices] = await db.read({ tenant }, async (tx) => {
      const found = await store.find(tx, channelId);
      const fromMs = clock.nowMs() - (found?.channel.dvrWindowS ?? 0) * 1_000;
      const fromNumber = Math.floor(fromMs / SEGMENT_MS);
      const span = { fromNumber, toNumber: Number.MAX_SAFE_INTEGER, limit: 100_000 };
      const heard = { fromMs, toMs: Number.MAX_SAFE_INTEGER, limit: SPLICES_MAX };
      return [
        found,
        await store.segmentsOf(tx, channelId, span),
        (await restrictionsOf(tx)).get(channelId) ?? [],
        await splicesBetween(tx, channelId, heard),
      ];
    });
    if (!stored) throw problem.notFound(`channel '${channelId}' does not exist`);
    return openStation(platform, {
      ...{ tenant, stored, segments, restrictions, splices, keyPeriodMs: config.MARQUEE_LIVE_KEY_PERIOD_MS },
      makeRoom: () => makeRoom(tenant),
    });
  }

  const restrictionsOf = async (tx: Tx) =>
    Map.groupBy(
      await restrictionsAfter(tx, clock.nowMs() - RESTRICTED_MS, RESTRICTIONS_MAX),
      ({ channelId }) => channelId,
    );

  function of(channelId: string): Promise<Station> {
    const known = stations.get(channelId);
    if (known) return known;
    const loading = load(channelId);
    stations.set(channelId, loading);
    loading.catch(() => stations.delete(channelId));
    return loading;
  }

  /** Deletes segments. Objects go first: a row without one is found again. */
  async function letGo(tenant: string, segments: readonly store.Trimmable[]): Promise<void> {
    await objects.delete(
      segments.flatMap(({ channelId, number, tracks }) => tracks.map((track) => objectKey(channelId, track, number))),
    );
    for (const [channelId, own] of Map.groupBy(segments, (segment) => segment.channelId)) {
      const numbers = own.map(({ number }) => number);
      await db.tx({ tenant }, (tx) => store.removeSegments(tx, channelId, numbers));
      (await stations.get(channelId))?.history.forget(new Set(numbers));
    }
  }

  async function trimChannel(tenant: string, { channel }: store.StoredChannel, signal: AbortSignal): Promise<void> {
    const { id: channelId, dvrWindowS } = channel;
    const beforeMs = clock.nowMs() - dvrWindowS * 1_000;
    const beforeNumber = Math.floor(beforeMs / SEGMENT_MS);
    await db.tx({ tenant }, async (tx) => {
      await forgetSplices(tx, channelId, beforeMs);
      await forgetRestrictions(tx, clock.nowMs() - RESTRICTED_MS);
    });
    for (let count = TRIM_AT_ONCE; count === TRIM_AT_ONCE && !signal.aborted; ) {
      const old = await db.read({ tenant }, (tx) =>
        store.trimmable(tx, { channelId, beforeNumber, limit: TRIM_AT_ONCE }),
      );
      count = old.length;
      await letGo(tenant, old);
    }
    while (!signal.aborted) {
      const [bytes, oldest] = await db.read({ tenant }, async (tx) => [
        await store.unpinnedBytes(tx, channelId),
        await store.trimmable(tx, { channelId, limit: TRIM_AT_ONCE }),
      ]);
      let excessBytes = bytes - config.MARQUEE_LIVE_DVR_BYTES;
      const excess = oldest.filter(({ sizeBytes }) => {
        const isOne = excessBytes > 0;
        excessBytes -= sizeBytes;
        return isOne;
      });
      if (excess.length === 0) return;
      await letGo(tenant, excess);
      const bound = `${config.MARQUEE_LIVE_DVR_BYTES} bytes (MARQUEE_LIVE_DVR_BYTES)`;
      (await stations.get(channelId))?.shorten("window_bound", `the window is cut: it is larger than ${bound}`);
    }
  }

  /** The tenant's own channels come first. Tracks fail at the same moment, and one making of room is for all of them. */
  function makeRoom(tenant: string): Promise<boolean> {
    room ??= (async () => {
      const others = await db.tx(SYSTEM, (tx) => store.owners(tx, TENANTS_MAX));
      for (const each of new Set([tenant, ...others])) {
        const oldest = await db.read({ tenant: each }, (tx) => store.trimmable(tx, { limit: ROOM_SEGMENTS }));
        if (oldest.length === 0) continue;
        logger.warn("the disk is full: the oldest of channels' windows goes", { segments: oldest.length });
        await letGo(each, oldest);
        return true;
      }
      return false;
    })().finally(() => {
      room = null;
    });
    return room;
  }

  /** Everything of every tenant, one after the other; what fails for one does not stop the others. */
  async function each(work: (tenant: string, stored: store.StoredChannel) => Promise<void>): Promise<void> {
    const tenants = await db.tx(SYSTEM, (tx) => store.owners(tx, TENANTS_MAX));
    for (const tenant of tenants) {
      const channels = await db.read({ tenant }, (tx) => store.list(tx, 0, CHANNELS_MAX));
      for (const stored of channels)
        await work(tenant, stored).catch((error: unknown) =>
          logger.error("work on a channel failed", { channel_id: stored.channel.id, error: toProblem(error) }),
        );
    }
  }

  async function holds(tenant: string): Promise<void> {
    const [held, restricted] = await db.tx({ tenant }, async (tx) => [
      await store.heldUntil(tx, clock.nowMs()),
      await restrictionsOf(tx),
    ]);
    for (const [channelId, untilMs] of held) (await of(channelId).catch(() => undefined))?.holdUntil(untilMs);
    for (const loading of stations.values()) {
      const station = await loading.catch(() => undefined);
      if (station?.tenant !== tenant) continue;
      station.restrict(restricted.get(station.channel.id) ?? []);
      if (!held.has(station.channel.id)) station.holdUntil(0);
    }
  }

  async function close(channelId: string): Promise<void> {
    const known = stations.get(channelId);
    stations.delete(channelId);
    const station = await known?.catch(() => undefined);
    await station?.stop();
  }

  return {
    of,
    holds,
    makeRoom,
    close,
    begin: () =>
      each(async (_, { channel }) => {
        if (channel.onAir && !channel.onDemand) await of(channel.id);
      }),
    async tick() {
      for (const tenant of await db.tx(SYSTEM, (tx) => store.owners(tx, TENANTS_MAX))) await holds(tenant);
      for (const loading of stations.values()) {
        const station = await loading.catch(() => undefined);
        await station
          ?.tick()
          .catch((error: unknown) =>
            logger.error("a channel could not be seen to", { channel_id: station.channel.id, error }),
          );
      }
    },
    plan: () =>
      each(async (tenant, { channel }) => {
        if (isLinear(channel) && channel.onAir) await planSchedule(platform, tenant, channel);
      }),
    trim: (signal) => each((tenant, stored) => trimChannel(tenant, stored, signal)),
    async stop() {
      await Promise.all([...stations.keys()].map(close));
    },
  };
}
