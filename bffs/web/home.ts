import { z } from "zod";
import { Card, Home, type Rail } from "#contracts/web";
import type { Title } from "#contracts/catalog";
import type { Profile } from "#contracts/profile";
import { HomeLayout, PreviewsOff } from "#contracts/flags";
import { type Context, requireProfile } from "#kernel";
import type { FlagContext } from "#kernel/ports/flags";
import { audienceOf } from "./audience.ts";
import { chosenPictures, inPicture } from "./artwork.ts";
import { around, suits, watching } from "./gather.ts";
import type { WebParts } from "./parts.ts";
import { recommended, recommendedRails } from "./recommendations.ts";
import { type Route, route } from "./route.ts";
import {
  type Around,
  cardOf,
  episodeBadge,
  imageOf,
  nextEpisode,
  previewUrlOf,
  progressOf,
  shortened,
} from "./views.ts";

const RAIL_MAX = 20;
const GENRES_MAX = 8;
const Cards = z.object({ cards: z.array(Card).max(100) });

/** What the whole home is made of: one look at the catalogue, one at the profile's progress. */
interface Shelf {
  readonly profile: Profile;
  readonly titles: readonly Title[];
  readonly episodesOf: (seriesId: string) => readonly Title[];
  readonly around: Around & { readonly isPartial: boolean };
}

async function shelf(parts: WebParts, context: Context, who = watching(parts, context)): Promise<Shelf> {
  const profile = await who;
  const { titles: all } = await parts.call.catalog.list(
    { kinds: ["film", "series", "episode"], ageRatingMax: profile.ageRatingMax, limit: 200 },
    context,
  );
  const [pictures, own] = await Promise.all([
    chosenPictures(parts, profile.id, all, context),
    around(parts, all, context),
  ]);
  const episodes = all
    .filter((title) => title.kind === "episode")
    .toSorted((a, b) => a.seasonNumber - b.seasonNumber || a.episodeNumber - b.episodeNumber);
  return {
    profile,
    titles: all.filter((title) => title.kind !== "episode").map((title) => inPicture(title, pictures.keys)),
    episodesOf: (seriesId) => episodes.filter((episode) => episode.parentId === seriesId),
    around: { ...own, isPartial: own.isPartial || pictures.isPartial },
  };
}

function cardIn(of: Shelf, title: Title): Card {
  if (title.kind !== "series") return cardOf(title, of.around);
  const episodes = of.episodesOf(title.id);
  const next = nextEpisode(episodes, of.around.bookmarks);
  return {
    ...cardOf(title, of.around, { playId: next?.id ?? null, episodes: episodes.length }),
    progress: next ? progressOf(of.around.bookmarks.get(next.id)) : null,
  };
}

/** Unfinished titles, the most recent first; of a series one tile, with the episode that is under way. */
async function continueCards(parts: WebParts, context: Context, who = watching(parts, context)): Promise<Card[]> {
  const { profileId } = requireProfile(context);
  const [profile, { bookmarks }] = await Promise.all([
    who,
    parts.call.bookmark.continueWatching({ profileId, limit: 40 }, context),
  ]);
  const titlesOf = async (ids: readonly string[]): Promise<readonly Title[]> =>
    ids.length === 0 ? [] : (await parts.call.catalog.getMany({ ids: [...new Set(ids)] }, context)).titles;
  const titles = await titlesOf(bookmarks.map((bookmark) => bookmark.contentId));
  const series = await titlesOf(titles.flatMap((title) => (title.parentId === "" ? [] : [title.parentId])));
  const byId = new Map(bookmarks.map((bookmark) => [bookmark.contentId, bookmark]));
  const seen = new Set<string>();
  return titles
    .filter(suits(profile))
    .filter((title) => title.state === "playable")
    .filter((title) => {
      const whose = title.parentId || title.id;
      return seen.has(whose) ? false : seen.add(whose);
    })
    .slice(0, RAIL_MAX)
    .map((title) => {
      const parent = series.find((candidate) => candidate.id === title.parentId);
      const extra = title.kind === "episode" ? { badge: episodeBadge(title), name: parent?.title ?? title.title } : {};
      return cardOf(title, { bookmarks: byId, encodings: new Map() }, extra);
    });
}

async function home(parts: WebParts, audience: FlagContext, context: Context): Promise<Home> {
  const who = watching(parts, context);
  const [of, named, unfinished] = await Promise.all([
    shelf(parts, context, who),
    recommendedRails(parts, requireProfile(context).profileId, context),
    continueCards(parts, context, who).catch((error: unknown) => {
      parts.logger.warn("'Continue watching' fell back to nothing", { error });
      return null;
    }),
  ]);
  const playable = of.titles.filter((title) => title.state === "playable");
  const counts = new Map<string, number>();
  for (const genre of playable.flatMap((title) => title.genres)) counts.set(genre, (counts.get(genre) ?? 0) + 1);
  const genres = [...counts].toSorted((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, GENRES_MAX);
  const own = await recommended(parts, named, of.profile, of.titles, context);
  const hero = heroOf(playable);
  // A title stands in several rails, and looks the same in each.
  const made = new Map<string, Card>();
  const cards = (titles: readonly Title[]): Card[] =>
    titles.slice(0, RAIL_MAX).map((title) => {
      const card = made.get(title.id) ?? cardIn(of, title);
      made.set(title.id, card);
      return card;
    });
  const coming = of.titles.filter((title) => title.state === "processing");
  const rails: Home["rails"] = [
    { ...railOf("continue", "Continue watching"), cards: unfinished ?? [] },
    ...own.rails.map(({ kind, about, titles }) => ({
      ...railOf(kind, NAMES[kind](about?.title ?? "")),
      about,
      cards: cards(titles),
    })),
    { ...railOf("new", "New"), cards: cards(playable) },
    { ...railOf("coming", "Being prepared"), cards: cards(coming) },
    ...genres.map(([genre]) => ({
      ...railOf("genre", genre, `genre-${genre}`),
      cards: cards(playable.filter((title) => title.genres.includes(genre))),
    })),
  ].filter((rail) => rail.cards.length > 0);
  return {
    hero: hero
      ? {
          card: cardIn(of, hero),
          backdrop: imageOf(hero.backdrop, hero.title),
          previewUrl: parts.flags.evaluate(PreviewsOff, audience).value ? null : previewUrlOf(hero),
          tagline: hero.tagline,
        }
      : null,
    rails: laidOut(rails, parts.flags.evaluate(HomeLayout, audience).value),
    partial: of.around.isPartial || unfinished === null || own.isPartial,
  };
}

const railOf = <K extends Rail["kind"]>(kind: K, title: string, id: string = kind) => ({
  id,
  title,
  kind,
  about: null,
});

const NAMES = {
  for_you: () => "For you",
  because: (title: string) => `Because you watched ${shortened(title, 70)}`,
  popular: () => "Popular",
};

const Layout = z.object({ rails: z.array(z.string()).max(20) });

/** The rails in the order that operators want; kinds that they left out are not shown. A layout that cannot be read is as none. */
function laidOut(rails: Home["rails"], wanted: unknown): Home["rails"] {
  const { rails: kinds } = Layout.safeParse(wanted).data ?? HomeLayout.fallback;
  return kinds.flatMap((kind) => rails.filter((rail) => rail.kind === kind));
}

/** A title with a picture, another one every day. */
function heroOf(playable: readonly Title[]): Title | undefined {
  const shown = playable.filter((title) => title.backdrop);
  return shown[Math.floor(Date.now() / 86_400_000) % Math.max(1, shown.length)];
}

export const homeRoutes: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/home", operationId: "getHome", tag: "browse", auth: "profile", status: 200 },
    summary: "The home page: a hero and rails, composed for the profile that is watching.",
    response: Home,
    handle: (parts, { context, request }) => home(parts, audienceOf(parts, request, context), context),
  }),
  route({
    ...{ method: "GET", path: "/genres", operationId: "listGenres", tag: "browse", auth: "profile", status: 200 },
    summary: "The genres that have something to watch.",
    response: z.object({ genres: z.array(z.object({ id: z.string(), title: z.string() })) }),
    handle: async (parts, { context }) => {
      const profile = await watching(parts, context);
      const { genres } = await parts.call.catalog.genres({ ageRatingMax: profile.ageRatingMax }, context);
      return { genres: genres.map(({ name }) => ({ id: name, title: name })) };
    },
  }),
  route({
    ...{ method: "GET", path: "/genres/{id}", operationId: "getGenre", tag: "browse", auth: "profile", status: 200 },
    summary: "All titles of a genre, the newest first.",
    params: z.object({ id: z.string().min(1).max(60) }),
    response: Cards.extend({ title: z.string() }),
    handle: async (parts, { context, params }) => {
      const of = await shelf(parts, context);
      return {
        title: params.id,
        cards: of.titles
          .filter((title) => title.genres.includes(params.id))
          .slice(0, 100)
          .map((title) => cardIn(of, title)),
      };
    },
  }),
  route({
    ...{
      method: "GET",
      path: "/continue-watching",
      operationId: "listContinueWatching",
      tag: "browse",
      auth: "profile",
      status: 200,
    },
    summary: "Unfinished titles, the most recent first.",
    response: Cards,
    handle: async (parts, { context }) => ({ cards: await continueCards(parts, context) }),
  }),
  route({
    ...{
      method: "DELETE",
      path: "/continue-watching/{id}",
      operationId: "removeFromContinueWatching",
      tag: "browse",
      auth: "profile",
      status: 204,
    },
    summary: "Takes a title off “Continue watching”; its position stays.",
    params: z.object({ id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) }),
    handle: async (parts, { context, params, viewer }) => {
      await parts.call.bookmark.remove({ profileId: viewer?.profileId ?? "", contentId: params.id }, context);
    },
  }),
];
