// Live: takes the inputs of channels in, encodes and encrypts them in real time, and keeps the last hours for who joins late.
import { Ads } from "#contracts/ads";
import { Catalog } from "#contracts/catalog";
import { Epg, type EpgProgramChanged } from "#contracts/epg";
import { Keys } from "#contracts/keys";
import { License } from "#contracts/license";
import { type AddRequest, Live } from "#contracts/live";
import {
  type Context,
  defineService,
  newId,
  on,
  type Platform,
  problem,
  type Received,
  toProblem,
  type Tx,
} from "#kernel";
import { type Breaks, openBreaks } from "./breaks.ts";
import {
  assertChannelId,
  assertHolder,
  type Channel,
  channelFolder,
  channelOf,
  licensedDays,
  maySplice,
  NUMBER_MAX,
  SEGMENT_MS,
} from "./domain.ts";
import { windowFromMs } from "./domain-restrictions.ts";
import { answerLive } from "./media.ts";
import { listSegments } from "./segments.ts";
import { openStations, type Stations } from "./stations.ts";
import * as store from "./store.ts";
import { putRestrictions } from "./store-restrictions.ts";
import { splicesBetween } from "./store-splices.ts";

const LIMIT_MAX = 500;
const AIRINGS_MAX = 5_000;
const PLAN_MS = 30_000;
const TICK_MS = 2_000;
const NUMBER_TRIES_MAX = 5;
const TRIM_MS = 20_000;
/** Nobody records longer than this ahead, and what is forgotten must not keep a disk full for ever. */
const AHEAD_MS_MAX = 40 * 86_400_000;

const uses = { ads: Ads, catalog: Catalog, keys: Keys, license: License };
export type LivePlatform = Platform<typeof Live, typeof uses>;
interface Parts extends Pick<LivePlatform, "db" | "objects" | "call" | "clock" | "secrets"> {
  readonly stations: Stations;
  readonly breaks: Breaks;
  readonly keyPeriodMs: number;
}

export default defineService({
  contract: Live,
  uses,
  slo: { p99Ms: 200, availability: 0.9999 },
  ai: { feeds: "channel health for incidents", uses: "none", fallback: "none needed" },
  migrations: new URL("./migrations/", import.meta.url),
  tenantless: ["owners"],

  start(platform: LivePlatform): Parts {
    const { db, objects, call, clock, secrets, config } = platform;
    return {
      ...{ db, objects, call, clock, secrets, keyPeriodMs: config.MARQUEE_LIVE_KEY_PERIOD_MS },
      ...{ stations: openStations(platform), breaks: openBreaks(platform) },
    };
  },

  on: [on(Epg.events.programChanged)(followGuide)],

  rpc: (parts) => ({
    async add(request, context) {
      const added = await add(parts, request, context);
      if (!added.channel.onDemand) await parts.stations.of(added.channel.id);
      return added;
    },
    async get({ channelId }, context) {
      const { channel } = await find(parts, channelId, context);
      const fromMs = parts.clock.nowMs() - channel.dvrWindowS * 1_000;
      const span = { fromMs, toMs: Number.MAX_SAFE_INTEGER, limit: 1 };
      const hasBreaks =
        maySplice(channel) || (await parts.db.read(context, (tx) => splicesBetween(tx, channelId, span))).length > 0;
      return { channel: toMessage(channel), inputUrls: channel.inputs.map(({ url }) => url), hasBreaks };
    },
    async list({ limit, afterNumber }, context) {
      const found = await parts.db.read(context, (tx) =>
        store.list(tx, afterNumber, Math.min(limit || LIMIT_MAX, LIMIT_MAX)),
      );
      return { channels: found.map(({ channel }) => toMessage(channel)) };
    },
    async setOnAir({ channelId, onAir }, context) {
      const { channel } = await parts.db.tx(context, async (tx) => {
        const before = await store.find(tx, assertChannelId(channelId));
        const changed = await store.setOnAir(tx, channelId, onAir);
        if (!before || !changed) throw unknown(channelId);
        if (before.channel.onAir !== onAir) announce(tx, changed.channel, false);
        return changed;
      });
      await parts.stations.close(channelId);
      if (onAir && !channel.onDemand) await parts.stations.of(channelId);
      return { channel: toMessage(channel) };
    },
    async remove({ channelId }, context) {
      const { secretName } = await find(parts, channelId, context);
      await parts.stations.close(channelId);
      await parts.db.tx(context, async (tx) => {
        const gone = await store.remove(tx, channelId);
        if (gone) announce(tx, gone.channel, true);
      });
      if (secretName !== "") await parts.secrets.delete(secretName);
      await parts.stations.close(channelId);
      await parts.objects.deletePrefix(channelFolder(channelId));
      await parts.call.keys.deleteContent({ contentId: channelId }, context);
      return {};
    },
    async locate({ channelId }, context) {
      const { channel } = await find(parts, channelId, context);
      if (!channel.onAir) throw problem.notFound(`channel '${channelId}' is off the air`, { reason: "off_air" });
      windowFromMs((await parts.stations.of(channelId)).restrictions, parts.clock.nowMs());
      const pathPrefix = `/live/${channelId}/`;
      return {
        ...{ hlsPath: `${pathPrefix}main.m3u8`, dashPath: `${pathPrefix}main.mpd`, pathPrefix },
        ...{ latency: channel.latency, dvrWindowS: channel.dvrWindowS, keyPeriodMs: BigInt(parts.keyPeriodMs) },
        dayIndices: licensedDays(parts.clock.nowMs(), channel.dvrWindowS, parts.keyPeriodMs),
      };
    },
    async hold({ channelId, holder, untilMs }, context) {
      const until = timeOf(parts, untilMs, "until_ms");
      await find(parts, channelId, context);
      await parts.db.tx(context, (tx) => store.hold(tx, channelId, assertHolder(holder), until));
      await parts.stations.holds(context.tenant);
      return {};
    },
    async listSegments(request, context) {
      await find(parts, request.channelId, context);
      return listSegments(parts, request, context);
    },
    async pin({ channelId, holder, fromMs, toMs }, context) {
      const [from, to] = [timeOf(parts, fromMs, "from_ms"), timeOf(parts, toMs, "to_ms")];
      if (to <= from) throw problem.invalid(`a span from ${from} to ${to} is none: to_ms is later than from_ms`);
      await find(parts, channelId, context);
      const span = { firstNumber: Math.floor(from / SEGMENT_MS), lastNumber: Math.ceil(to / SEGMENT_MS) - 1 };
      await parts.db.tx(context, (tx) => store.pin(tx, { channelId, holder: assertHolder(holder), ...span }));
      return {};
    },
    async unpin({ channelId, holder }, context) {
      await parts.db.tx(context, (tx) => store.unpin(tx, assertChannelId(channelId), assertHolder(holder)));
      return {};
    },
    async health({ channelId }, context) {
      await find(parts, channelId, context);
      const { rungs, state, message, input, lagMs } = (await parts.stations.of(channelId)).health();
      const kept = await parts.db.read(context, (tx) => store.bytesOf(tx, channelId));
      return {
        ...{ state, message, input, lagMs, segments: kept.segments, dvrBytes: BigInt(kept.bytes) },
        rungs: rungs.map(({ track, report, isLeftOut }) => ({
          track,
          state: isLeftOut ? "left_out" : report ? "running" : "waiting",
          ...{ speed: report?.speed ?? 0, message: "" },
          frames: BigInt(report?.frames ?? 0),
          framesDropped: BigInt(report?.framesDropped ?? 0),
        })),
      };
    },
    async schedule({ channelId, fromMs, toMs }, context) {
      await find(parts, channelId, context);
      const [from, to] = [timeOf(parts, fromMs, "from_ms"), timeOf(parts, toMs, "to_ms")];
      const span = { fromNumber: Math.floor(from / SEGMENT_MS), toNumber: Math.ceil(to / SEGMENT_MS) - 1 };
      const found = await parts.db.read(context, (tx) =>
        store.airingsBetween(tx, channelId, { ...span, limit: AIRINGS_MAX }),
      );
      return {
        airings: found.map(({ contentId, title, firstNumber, lastNumber }) => ({
          ...{ contentId, title, startMs: BigInt(firstNumber * SEGMENT_MS) },
          stopMs: BigInt((lastNumber + 1) * SEGMENT_MS),
        })),
      };
    },
  }),

  http: (parts) => [
    {
      listener: "origin",
      prefix: "/live/",
      handle: (request, response) =>
        answerLive(
          {
            ...parts,
            stationOf: (channelId) => parts.stations.of(channelId),
            segmentsOf: ({ tenant, channel }, { firstNumber, lastNumber }) =>
              parts.db.read({ tenant }, (tx) =>
                store.segmentsOf(tx, channel.id, {
                  ...{ fromNumber: firstNumber, toNumber: lastNumber, limit: lastNumber - firstNumber + 1 },
                }),
              ),
          },
          request,
          response,
        ),
    },
  ],

  periodic: ({ stations }) => [
    { name: "let channels sleep that nobody asks for", everyMs: TICK_MS, run: () => stations.tick() },
    { name: "plan what channels of films show", everyMs: PLAN_MS, run: () => stations.plan() },
    { name: "trim the windows of channels", everyMs: TRIM_MS, run: (signal) => stations.trim(signal) },
  ],

  run: ({ stations }) => stations.begin(),

  ready: ({ db }) => db.ping(),

  stop: ({ stations }) => stations.stop(),
});

async function add(parts: Parts, { channel: wish, inputs }: AddRequest, context: Context) {
  if (!wish) throw problem.invalid("a channel is missing");
  // Under a name of its own, so that nobody's secret is written over by a channel that is refused.
  const secrets = inputs.map(({ secret }) => secret);
  const hasSecrets = secrets.some((secret) => secret !== "");
  const secretName = hasSecrets ? `live/${context.tenant}/${newId("key", parts.clock.nowMs())}` : "";
  const onDemand = isOnDemand(inputs);
  const insert = async (number: number): Promise<Channel> => {
    const channel = channelOf({ ...wish, number, onAir: true, onDemand }, inputs);
    await parts.db.tx(context, async (tx) => {
      await store.insert(tx, channel, secretName);
      announce(tx, channel, false);
    });
    return channel;
  };
  if (hasSecrets) await parts.secrets.put(secretName, { secrets });
  try {
    const channel = wish.number > 0 ? await insert(wish.number) : await atFreeNumber(parts, context, insert);
    return { channel: toMessage(channel) };
  } catch (error) {
    if (hasSecrets) await parts.secrets.delete(secretName);
    throw error;
  }
}

/** Somebody else may take the number meanwhile. */
async function atFreeNumber<T>(parts: Parts, context: Context, use: (number: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const all = await parts.db.read(context, (tx) => store.list(tx, 0, NUMBER_MAX));
    try {
      return await use((all.at(-1)?.channel.number ?? 0) + 1);
    } catch (error) {
      if (tries >= NUMBER_TRIES_MAX || toProblem(error).reason !== "number_taken") throw error;
    }
  }
}

/** What is pushed to us comes whether somebody watches or not; everything else can begin when it is asked for. */
const isOnDemand = (inputs: readonly { readonly kind: string }[]): boolean =>
  inputs.every(({ kind }) => kind !== "rtmp" && kind !== "srt");

async function find(parts: Parts, channelId: string, context: Context): Promise<store.StoredChannel> {
  assertChannelId(channelId);
  const found = await parts.db.read(context, (tx) => store.find(tx, channelId));
  if (!found) throw unknown(channelId);
  return found;
}

const unknown = (channelId: string) => problem.notFound(`channel '${channelId}' does not exist`);

function timeOf({ clock }: Parts, valueMs: bigint, name: string): number {
  const timeMs = Number(valueMs);
  if (!Number.isSafeInteger(timeMs) || timeMs < 0 || timeMs > clock.nowMs() + AHEAD_MS_MAX)
    throw problem.invalid(`${name} is ${valueMs}: write milliseconds since the epoch, at most 40 days ahead`);
  return timeMs;
}

/** What the guide forbids to do with programmes; stations read it within moments. */
async function followGuide(
  _: Parts,
  tx: Tx<typeof Live>,
  events: readonly Received<EpgProgramChanged>[],
): Promise<void> {
  // The last word on a programme counts.
  const last = new Map(events.map(({ data }) => [data.programmeId, data]));
  const restricted = [...last.values()].filter((one) => one.change !== "removed" && (one.blackout || one.noRestart));
  await putRestrictions(tx, [...last.keys()], restricted);
}

function announce(tx: Tx<typeof Live>, channel: Channel, removed: boolean): void {
  const { id, number, name, logo, language, latency, ageRating, tier, onAir, onDemand, dvrWindowS } = channel;
  tx.emit("channelChanged", {
    ...{ contentId: id, number, name, logo, language, latency, ageRating, tier, onAir, onDemand, dvrWindowS, removed },
    ladder: [...channel.ladder],
    inputs: channel.inputs.map(({ kind }) => kind),
  });
}

const toMessage = (channel: Channel) => ({
  ...channel,
  ladder: [...channel.ladder],
  inputs: channel.inputs.map(({ kind }) => kind),
});
