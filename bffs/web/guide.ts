import { z } from "zod";
import {
  type Airing,
  ChannelOrder,
  Guide,
  type GridProgramme,
  GuideNow,
  GuideOrderedBy,
  GuideProgramme,
  GuideSearch,
} from "#contracts/web";
import type { GuideProgramme as ProgrammeMessage } from "#contracts/epg";
import { type Context, problem } from "#kernel";
import { within } from "#kernel/within";
import { watching } from "./gather.ts";
import { channelOf, type GuideRows, masked, openGuideRows } from "./guide-rows.ts";
import type { WebParts } from "./parts.ts";
import { Id, type Route, route } from "./route.ts";

const CHANNELS_MAX = 200;
const DAYS_MAX = 4;
const SEARCH_MAX = 50;
const AIRINGS_MAX = 20;

const Page = z.object({
  offset: z.int().min(0).max(10_000).default(0),
  limit: z.int().min(1).max(CHANNELS_MAX).default(50),
  /** `mine`: the profile's own order, else one that is learned from what it watches; `number`: as channels are numbered. */
  order: z.enum(["mine", "number"]).default("mine"),
});
/** The learned order may take so long; after that numbers stand in its place. */
export const ORDER_MS_MAX = 150;
const DAY = String.raw`\d{4}-\d{2}-\d{2}`;

function cellOf(one: ProgrammeMessage): GridProgramme {
  const others = one.titles.filter(({ language, text }) => language !== "" && text !== one.title);
  return {
    ...{ id: one.id, startMs: Number(one.startMs), stopMs: Number(one.stopMs), title: one.title },
    ...(one.subtitle !== "" && one.subtitle !== one.title ? { subtitle: one.subtitle } : {}),
    ...(one.seasonNumber > 0 ? { season: one.seasonNumber } : {}),
    ...(one.episodeNumber > 0 ? { episode: one.episodeNumber } : {}),
    ...(one.categories[0] === undefined ? {} : { category: one.categories[0] }),
    ...(one.ageRating > 0 ? { age: one.ageRating } : {}),
    ...(one.new ? { flag: "new" } : one.premiere ? { flag: "premiere" } : one.repeat ? { flag: "repeat" } : {}),
    ...(others.length > 0 ? { titles: Object.fromEntries(others.map(({ language, text }) => [language, text])) } : {}),
  };
}

/** The rows that this BFF has put together lately. */
const opened = new WeakMap<WebParts, GuideRows>();

function rowsOf(parts: WebParts): GuideRows {
  const rows = opened.get(parts) ?? openGuideRows(parts);
  opened.set(parts, rows);
  return rows;
}

/** A page of channels in the order that was asked for; `partial` where it had to be by number. */
export async function channelsInOrder(
  { call, logger }: Pick<WebParts, "call" | "logger">,
  profileId: string,
  { order, offset, limit }: z.output<typeof Page>,
  context: Context,
) {
  if (order === "number") {
    const { channels, total } = await call.epg.channels({ profileId: "", offset, limit }, context);
    return { channels, total, orderedBy: "number" as const, partial: false };
  }
  const asked = call.recommendation.orderChannels({ profileId }, context);
  const { channelIds, partial } = await within(ORDER_MS_MAX, "the order of channels", context.signal, asked).catch(
    (error: unknown) => {
      logger.warn("a guide is in the order of numbers", { error });
      return { channelIds: [], partial: true };
    },
  );
  const found = await call.epg.channels({ profileId, offset, limit, preferredIds: channelIds }, context);
  const orderedBy = GuideOrderedBy.catch("number").parse(found.orderedBy);
  return { channels: found.channels, total: found.total, orderedBy, partial: partial && orderedBy !== "own" };
}

async function guide(
  parts: WebParts,
  query: z.output<typeof Page> & { readonly days: string },
  context: Context,
): Promise<Buffer> {
  const days = query.days.split(",");
  const profile = await watching(parts, context);
  const { channels, ...order } = await channelsInOrder(parts, profile.id, query, context);
  const rows = await rowsOf(parts)({ channels, days, ageMax: profile.ageRatingMax }, context.tenant);
  const rest = JSON.stringify({ ...order, days, nowMs: parts.clock.nowMs() });
  return Buffer.concat([rows, Buffer.from(rest.slice(1))]);
}

async function now(parts: WebParts, page: z.output<typeof Page>, context: Context): Promise<GuideNow> {
  const { call, clock } = parts;
  const profile = await watching(parts, context);
  const { channels, ...order } = await channelsInOrder(parts, profile.id, page, context);
  const { channels: on } = await call.epg.nowNext({ channelIds: channels.map(({ id }) => id) }, context);
  const cell = (one: ProgrammeMessage | undefined): GridProgramme | null =>
    one ? masked(cellOf(one), profile.ageRatingMax) : null;
  return {
    channels: channels.map((channel, i) => ({ ...channelOf(channel), now: cell(on[i]?.now), next: cell(on[i]?.next) })),
    ...{ ...order, nowMs: clock.nowMs() },
  };
}

/** Programmes with their channels; those of channels that are gone are left out. */
export async function withChannels(
  { call }: Pick<WebParts, "call">,
  programmes: readonly ProgrammeMessage[],
  context: Context,
): Promise<Airing[]> {
  const ids = [...new Set(programmes.map(({ channelId }) => channelId))];
  const found = await Promise.all(
    ids.map((id) => call.epg.getChannel({ id }, context).catch(() => ({ channel: undefined }))),
  );
  const channels = new Map(
    found.flatMap(({ channel }) => (channel ? [[channel.id, channelOf(channel)] as const] : [])),
  );
  return programmes.flatMap((one) => {
    const channel = channels.get(one.channelId);
    return channel ? [{ ...cellOf(one), channel }] : [];
  });
}

async function programme(parts: WebParts, id: string, context: Context): Promise<GuideProgramme> {
  const { call, clock, logger } = parts;
  const profile = await watching(parts, context);
  const { programme: one } = await call.epg.programme({ id }, context);
  if (!one || one.ageRating > profile.ageRatingMax)
    throw problem.notFound("this programme is not in the guide, or not any more", { reason: "programme_unknown" });
  const [airing] = await withChannels(parts, [one], context);
  if (!airing) throw problem.notFound("this programme's channel is not here any more", { reason: "programme_unknown" });
  const nowMs = clock.nowMs();
  const isOn = airing.startMs <= nowMs && nowMs < airing.stopMs;
  const canWatch = airing.channel.playable && isOn && !one.blackout;
  const airings = await otherAirings(parts, one, nowMs, profile.ageRatingMax, context).catch((error: unknown) => {
    logger.warn("a programme is shown without its other airings", { error });
    return [];
  });
  const canRemind = airing.startMs > nowMs;
  return {
    ...airing,
    description: one.description,
    facts: factsOf(one),
    credits: one.credits.map(({ name, role, character }) => ({ name, role: character || role })),
    imageUrl: one.imageUrl || null,
    ...{ seriesId: one.seriesId || null, identity: one.identity, airings },
    ...{ canWatch, canStartOver: canWatch && !one.noRestart, canRecord: !one.noRecord && !one.blackout, nowMs },
    ...{ canRemind, isReminded: canRemind && (await isReminded(parts, profile.id, id, context)) },
  };
}

/** Without an answer nobody is reminded, as far as the page knows; to set it once more changes nothing. */
async function isReminded(
  { call, logger }: WebParts,
  profileId: string,
  programmeId: string,
  context: Context,
): Promise<boolean> {
  const { reminders } = await call.schedule.listReminders({ profileId }, context).catch((error: unknown) => {
    logger.warn("a programme is shown without its reminder", { error });
    return { reminders: [] };
  });
  return reminders.some((reminder) => reminder.programmeId === programmeId);
}

/** The same episode again, where there is one; else what else of its series is to come. */
async function otherAirings(
  parts: WebParts,
  one: ProgrammeMessage,
  nowMs: number,
  ageMax: number,
  context: Context,
): Promise<Airing[]> {
  if (one.seriesId === "") return [];
  const { programmes } = await parts.call.epg.episodes({ seriesId: one.seriesId, channelId: "" }, context);
  const others = programmes.filter(
    (other) => other.startMs !== one.startMs && Number(other.stopMs) > nowMs && other.ageRating <= ageMax,
  );
  const same = others.filter(({ episodeKey }) => one.episodeKey !== "" && episodeKey === one.episodeKey);
  return withChannels(parts, (same.length > 0 ? same : others).slice(0, AIRINGS_MAX), context);
}

function factsOf(one: ProgrammeMessage): string {
  const minutes = Math.round((Number(one.stopMs) - Number(one.startMs)) / 60_000);
  const episode = `${one.seasonNumber > 0 ? `S${one.seasonNumber} ` : ""}${one.episodeNumber > 0 ? `E${one.episodeNumber}` : ""}`;
  const facts = [episode.trim(), one.categories[0] ?? "", one.year > 0 ? String(one.year) : "", `${minutes} min`];
  return facts.filter((fact) => fact !== "").join(" · ");
}

export const guideRoutes: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/guide", operationId: "getGuide", tag: "guide", auth: "profile", status: 200 },
    summary: "The guide of some channels on some days, each day in UTC with the programmes that start on it.",
    query: Page.extend({
      /** Days in UTC, separated by commas. */
      days: z.string().regex(new RegExp(`^${DAY}(,${DAY}){0,${DAYS_MAX - 1}}$`)),
    }),
    response: Guide,
    async handle(parts, { context, query, reply }) {
      const body = await guide(parts, query, context);
      await reply.header("cache-control", "private, no-store").type("application/json; charset=utf-8").send(body);
    },
  }),
  route({
    ...{ method: "GET", path: "/guide/now", operationId: "getGuideNow", tag: "guide", auth: "profile", status: 200 },
    summary: "What is on now and what comes next, of some channels.",
    query: Page,
    response: GuideNow,
    handle: (parts, { context, query }) => now(parts, query, context),
  }),
  route({
    ...{ method: "GET", path: "/guide/search", operationId: "searchGuide", tag: "guide", auth: "profile", status: 200 },
    summary: "Programmes that have not ended, by words of their titles, the earliest first.",
    query: z.object({ q: z.string().max(200).default("") }),
    response: GuideSearch,
    async handle(parts, { context, query }) {
      const profile = await watching(parts, context);
      const { programmes } = await parts.call.epg.search({ query: query.q, limit: SEARCH_MAX }, context);
      const suited = programmes.filter(({ ageRating }) => ageRating <= profile.ageRatingMax);
      return { programmes: await withChannels(parts, suited, context) };
    },
  }),
  route({
    ...{
      method: "GET",
      path: "/guide/programmes/{id}",
      operationId: "getGuideProgramme",
      tag: "guide",
      auth: "profile",
      status: 200,
    },
    summary: "A programme with everything that is known of it, and what can be done with it now.",
    params: Id,
    response: GuideProgramme,
    handle: (parts, { context, params }) => programme(parts, params.id, context),
  }),
  route({
    ...{
      method: "PUT",
      path: "/guide/order",
      operationId: "putGuideOrder",
      tag: "guide",
      auth: "profile",
      status: 204,
    },
    summary:
      "Puts channels first in the guide of this profile, in this order; none gives it the order by number again.",
    body: ChannelOrder,
    async handle(parts, { context, body, viewer }) {
      await parts.call.epg.putChannelOrder(
        { profileId: viewer?.profileId ?? "", channelIds: body.channelIds },
        context,
      );
    },
  }),
];
