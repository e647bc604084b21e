import { problem, toProblem } from "#kernel";
import { isLinear, objectKey, SEGMENT_MS } from "./domain.ts";
import { planSchedule } from "./schedule.ts";
import type { LivePlatform } from "./service.ts";
import { openStation, type Station } from "./station.ts";
import * as store from "./store.ts";

const TENANTS_MAX = 1_000;
const CHANNELS_MAX = 500;
/** Segments of one statement. */
const TRIM_AT_ONCE = 200;
/** What one time of making room lets go of. */
const ROOM_SEGMENTS = 60;
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
  /** Reads who holds which channel. */
  holds(tenant: string): Promise<void>;
  /** Takes away what is older than its window, and what is more than may be kept; never what is pinned. */
  trim(signal: AbortSignal): Promise<void>;
  /** Plans what channels of films show. */
  plan(): Promise<void>;
  stop(): Promise<void>;
}

export function openStations(platform: LivePlatform): Stations {
  const { db, objects, clock, logger, config } = platform;
  const stations = new Map<string, Promise<Station>>();

  async function load(channelId: string): Promise<Station> {
    const tenant = await db.tx(SYSTEM, (tx) => store.ownerOf(tx, channelId));
    if (tenant === undefined) throw problem.notFound(`channel '${channelId}' does not exist`);
    const [stored, segments, splices] = await db.read({ tenant }, async (tx) => {
      const found = await store.find(tx, channelId);
      const fromMs = clock.nowMs() - (found?.channel.dvrWindowS ?? 0) * 1_000;
      const fromNumber = Math.floor(fromMs / SEGMENT_MS);
      const span = { fromNumber, toNumber: Number.MAX_SAFE_INTEGER, limit: 100_000 };
      const heard = { fromMs, toMs: Number.MAX_SAFE_INTEGER, limit: SPLICES_MAX };
      return [found, await store.segmentsOf(tx, channelId, span), await store.splicesBetween(tx, channelId, heard)];
    });
    if (!stored) throw problem.notFound(`channel '${channelId}' does not exist`);
    return openStation(platform, {
      ...{ tenant, stored, segments, splices, keyPeriodMs: config.MARQUEE_LIVE_KEY_PERIOD_MS },
      makeRoom: (id) => letGo(tenant, id, Number.MAX_SAFE_INTEGER, ROOM_SEGMENTS).then((count) => count > 0),
    });
  }

  function of(channelId: string): Promise<Station> {
    const known = stations.get(channelId);
    if (known) return known;
    const loading = load(channelId);
    stations.set(channelId, loading);
    loading.catch(() => stations.delete(channelId));
    return loading;
  }

  /** Deletes the oldest unpinned segments before a number. Objects go first: a row without one is found again. */
  async function letGo(tenant: string, channelId: string, beforeNumber: number, countMax: number): Promise<number> {
    const found = await db.read({ tenant }, (tx) => store.trimmable(tx, channelId, beforeNumber, countMax));
    if (found.length === 0) return 0;
    await objects.delete(
      found.flatMap(({ number, tracks }) => tracks.map((track) => objectKey(channelId, track, number))),
    );
    const numbers = found.map(({ number }) => number);
    await db.tx({ tenant }, (tx) => store.removeSegments(tx, channelId, numbers));
    (await stations.get(channelId))?.history.forget(new Set(numbers));
    return found.length;
  }

  async function trimChannel(tenant: string, { channel }: store.StoredChannel, signal: AbortSignal): Promise<void> {
    const beforeMs = clock.nowMs() - channel.dvrWindowS * 1_000;
    const before = Math.floor(beforeMs / SEGMENT_MS);
    await db.tx({ tenant }, (tx) => store.forgetSplices(tx, channel.id, beforeMs));
    for (let count = TRIM_AT_ONCE; count === TRIM_AT_ONCE && !signal.aborted; )
      count = await letGo(tenant, channel.id, before, TRIM_AT_ONCE);
    while (!signal.aborted) {
      const { bytes } = await db.read({ tenant }, (tx) => store.bytesOf(tx, channel.id));
      if (bytes <= config.MARQUEE_LIVE_DVR_BYTES) return;
      if ((await letGo(tenant, channel.id, Number.MAX_SAFE_INTEGER, ROOM_SEGMENTS)) === 0) return;
    }
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
    const held = await db.tx({ tenant }, (tx) => store.heldUntil(tx, clock.nowMs()));
    for (const [channelId, untilMs] of held) (await of(channelId).catch(() => undefined))?.holdUntil(untilMs);
    for (const loading of stations.values()) {
      const station = await loading.catch(() => undefined);
      if (station?.tenant === tenant && !held.has(station.channel.id)) station.holdUntil(0);
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
