import { z } from "zod";
import { Card, Title } from "#contracts/web";
import type { Title as TitleMessage } from "#contracts/catalog";
import { ChaptersOff, PreviewsOff } from "#contracts/flags";
import { type Context, problem } from "#kernel";
import type { FlagContext } from "#kernel/ports/flags";
import { audienceOf } from "./audience.ts";
import { around, suits, watching } from "./gather.ts";
import type { WebParts } from "./parts.ts";
import { alike, opinionOf } from "./recommendations.ts";
import { Id, type Route, route } from "./route.ts";
import {
  ageText,
  cardOf,
  chaptersOf,
  factsOf,
  imageOf,
  lockOf,
  nextEpisode,
  previewUrlOf,
  progressOf,
  seasonsOf,
  stateOf,
} from "./views.ts";

const MORE_MAX = 12;
const LIST_MAX = 100;

async function titlePage(parts: WebParts, id: string, audience: FlagContext, context: Context): Promise<Title> {
  const { call, flags } = parts;
  const profile = await watching(parts, context);
  const { title } = await call.catalog.get({ id }, context);
  // What a profile may not see does not exist for it, so that children do not learn what they miss.
  if (!title || !suits(profile)(title))
    throw problem.notFound("this title does not exist, or is not here any more", { reason: "title_unknown" });
  const isSeries = title.kind === "series";
  const seriesId = isSeries ? title.id : title.parentId;
  const [{ titles: episodes }, { titles: others }, { contentIds: saved }, opinion, like] = await Promise.all([
    seriesId === ""
      ? { titles: [] as TitleMessage[] }
      : call.catalog.list({ kinds: ["episode"], parentId: seriesId, ageRatingMax: profile.ageRatingMax }, context),
    call.catalog.list(
      { kinds: ["film", "series"], ageRatingMax: profile.ageRatingMax, limit: 60, states: ["playable"] },
      context,
    ),
    call.bookmark.saved({ profileId: profile.id }, context),
    opinionOf(parts, profile.id, seriesId || title.id, context),
    alike(parts, seriesId || title.id, profile, context),
  ]);
  const more = like.length > 0 ? like : similar(title, others);
  const near = await around(parts, [title, ...episodes, ...more], context);
  const play = isSeries ? nextEpisode(episodes, near.bookmarks) : title.state === "playable" ? title : undefined;
  const bookmark = play ? near.bookmarks.get(play.id) : undefined;
  const series =
    title.kind === "episode" && seriesId !== "" ? (await call.catalog.get({ id: seriesId }, context)).title : undefined;
  const position = episodes.findIndex((episode) => episode.id === title.id);
  return {
    id: title.id,
    kind: title.kind === "series" ? "series" : title.kind === "episode" ? "episode" : "film",
    title: title.title,
    synopsis: title.synopsis,
    facts: factsOf(title, episodes.length),
    year: title.year || null,
    durationS: title.durationS,
    chapters: flags.evaluate(ChaptersOff, audience).value ? [] : chaptersOf(title),
    ageRating: ageText(title.ageRating),
    genres: title.genres,
    cast: title.credits.map(({ name, role }) => ({ name, role })),
    audioLanguages: title.audioLanguages,
    subtitleLanguages: title.subtitleLanguages,
    backdrop: imageOf(title.backdrop, title.title),
    poster: imageOf(title.poster, title.title),
    previewUrl: flags.evaluate(PreviewsOff, audience).value ? null : previewUrlOf(title),
    seasons: isSeries ? seasonsOf(episodes, near) : [],
    playId: play?.id ?? null,
    resumePositionS: bookmark && !bookmark.finished ? bookmark.positionS : 0,
    progress: progressOf(bookmark),
    inMyList: saved.includes(title.id),
    opinion,
    state: stateOf(title),
    processingProgress: title.state === "processing" ? (near.encodings.get(title.id)?.progressPlayable ?? 0) : null,
    locked: play
      ? await lockedOf(parts, { contentId: play.id, profileId: profile.id, market: audience.market ?? "" }, context)
      : null,
    more: more.map((other) => cardOf(other, near)),
    seriesId: title.kind === "episode" ? seriesId : null,
    seriesTitle: series?.title ?? null,
    nextEpisodeId: position >= 0 ? (episodes[position + 1]?.id ?? null) : null,
  };
}

async function lockedOf(
  parts: WebParts,
  where: { readonly contentId: string; readonly profileId: string; readonly market: string },
  context: Context,
): Promise<Title["locked"]> {
  const userId = context.viewer?.userId ?? "";
  const { decision } = await parts.call.entitlement.check({ userId, ...where }, context);
  return lockOf(decision);
}

/** Other titles that share genres, those that share most first: what there is to say without recommendations. */
function similar(title: TitleMessage, others: readonly TitleMessage[]): TitleMessage[] {
  const shared = (other: TitleMessage): number => other.genres.filter((genre) => title.genres.includes(genre)).length;
  return others
    .filter((other) => other.id !== title.id && other.id !== title.parentId)
    .toSorted((a, b) => shared(b) - shared(a))
    .slice(0, MORE_MAX);
}

export const titleRoutes: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/titles/{id}", operationId: "getTitle", tag: "browse", auth: "profile", status: 200 },
    summary: "A title with everything that its page shows.",
    params: Id,
    response: Title,
    handle: (parts, { context, params, request }) =>
      titlePage(parts, params.id, audienceOf(parts, request, context), context),
  }),
  route({
    ...{ method: "GET", path: "/my-list", operationId: "getMyList", tag: "my list", auth: "profile", status: 200 },
    summary: "What the profile put on its list, the newest first.",
    response: z.object({ cards: z.array(Card).max(LIST_MAX) }),
    handle: async (parts, { context }) => {
      const profile = await watching(parts, context);
      const { contentIds } = await parts.call.bookmark.saved({ profileId: profile.id, limit: LIST_MAX }, context);
      const { titles } = await parts.call.catalog.getMany({ ids: contentIds }, context);
      const near = await around(parts, titles, context);
      return { cards: titles.filter(suits(profile)).map((title) => cardOf(title, near)) };
    },
  }),
  route({
    ...{
      method: "PUT",
      path: "/my-list/{id}",
      operationId: "addToMyList",
      tag: "my list",
      auth: "profile",
      status: 204,
    },
    summary: "Puts a title on the profile's list.",
    params: Id,
    handle: async (parts, { context, params, viewer }) => {
      await parts.call.catalog.get({ id: params.id }, context);
      await parts.call.bookmark.save({ profileId: viewer?.profileId ?? "", contentId: params.id }, context);
    },
  }),
  route({
    ...{
      method: "DELETE",
      path: "/my-list/{id}",
      operationId: "removeFromMyList",
      tag: "my list",
      auth: "profile",
      status: 204,
    },
    summary: "Takes a title off the profile's list.",
    params: Id,
    handle: async (parts, { context, params, viewer }) => {
      await parts.call.bookmark.unsave({ profileId: viewer?.profileId ?? "", contentId: params.id }, context);
    },
  }),
];
