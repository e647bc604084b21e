import { z } from "zod";
import type { Title } from "#contracts/catalog";
import type { Channel } from "#contracts/live";
import type { Profile } from "#contracts/profile";
import type { QueryResponse } from "#contracts/search";
import { NewClick, SearchResults, Suggestions } from "#contracts/web/search";
import { type Context, toProblem } from "#kernel";
import { around, suits, watching } from "./gather.ts";
import type { WebParts } from "./parts.ts";
import { languagesOf } from "./request.ts";
import { type Route, route } from "./route.ts";
import { programmesFor } from "./search-guide.ts";
import { cardOf } from "./views.ts";

const LIMIT = 50;
const CHANNELS_MAX = 500;
const CHANNELS_SHOWN = 6;
const SUGGESTIONS = 8;
/** Search has so long before its fallback is asked; a finished question may be worth a little more. */
const WITHIN_MS = { typing: 200, finished: 500 };

const list = (partLengthMax: number) =>
  z
    .string()
    .max(20 * partLengthMax)
    .default("");
const partsOf = (text: string): string[] => text.split("|").filter(Boolean).slice(0, 20);

export const Query = z.object({
  q: z.string().max(200).default(""),
  /** Any of these genres, as facets name them, separated by bars. */
  genres: list(60),
  kind: z.enum(["", "film", "series"]).default(""),
  /** The first year of one. */
  decade: z.int().min(0).max(2_200).default(0),
  /** ISO 639-1. */
  language: z.string().max(10).default(""),
  /** Ids of what was understood and is not wanted, separated by bars. */
  without: list(300),
  /** Whoever asks has finished typing. */
  finished: z.boolean().default(false),
});
export type Query = z.output<typeof Query>;

/** What search is asked for. */
export function requestOf(asked: Query, { ageRatingMax }: Pick<Profile, "ageRatingMax">) {
  const filters = {
    genres: partsOf(asked.genres),
    kinds: asked.kind === "" ? [] : [asked.kind],
    ...{ language: asked.language },
    ...(asked.decade === 0 ? {} : { yearMin: asked.decade, yearMax: asked.decade + 9 }),
  };
  const query = { query: asked.q, filters, without: partsOf(asked.without) };
  return { ...query, ageRatingMax, limit: LIMIT, thorough: asked.finished };
}

type Found = Omit<QueryResponse, "$typeName" | "$unknown" | "contentIds"> & { readonly titles: readonly Title[] };

/** What search finds; where it cannot be had in time, what the catalogue's own index finds by words. */
async function found(
  parts: WebParts,
  asked: Query,
  profile: Profile,
  languages: string[],
  context: Context,
): Promise<Found> {
  const { call, clock, logger } = parts;
  const { ageRatingMax } = profile;
  const withinMs = asked.finished ? WITHIN_MS.finished : WITHIN_MS.typing;
  const soon: Context = { ...context, deadlineMs: Math.min(context.deadlineMs, clock.nowMs() + withinMs) };
  try {
    const { contentIds, ...answer } = await call.search.query(requestOf(asked, profile), soon);
    const { titles } = await call.catalog.getMany({ ids: contentIds }, context);
    return { ...answer, titles: titles.filter(suits(profile)) };
  } catch (error) {
    if (toProblem(error).code === "invalid_argument" || context.signal.aborted) throw error;
    logger.warn("search fell back to the catalogue's index", { error });
    const { titles } = await call.catalog.search({ query: asked.q, ageRatingMax, limit: LIMIT, languages }, context);
    const nothing = { searchId: "", facets: [], people: [], corrected: "", understood: [], understoodBy: "" };
    return { ...nothing, titles, total: titles.length, orderedBy: "default", partial: true };
  }
}

/** Channels whose name has a word that begins with each word that was typed. */
async function channelsLike(parts: WebParts, text: string, context: Context): Promise<SearchResults["channels"]> {
  const plain = (name: string): string[] =>
    name
      .normalize("NFKD")
      .replaceAll(/\p{M}/gu, "")
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .filter(Boolean);
  const asked = plain(text);
  if (asked.length === 0) return [];
  const { channels } = await parts.call.live.list({ limit: CHANNELS_MAX }, context);
  const isLike = ({ name }: Channel): boolean =>
    asked.every((word) => plain(name).some((each) => each.startsWith(word)));
  return channels
    .filter(isLike)
    .slice(0, CHANNELS_SHOWN)
    .map(({ id, number, name }) => ({ id, number, name }));
}

const FACETS = ["genres", "kinds", "decades", "languages"] as const;

async function search(parts: WebParts, asked: Query, languages: string[], context: Context): Promise<SearchResults> {
  const profile = await watching(parts, context);
  const [answer, channels] = await Promise.all([
    found(parts, asked, profile, languages, context),
    channelsLike(parts, asked.q, context).catch((error: unknown) => {
      parts.logger.warn("a search went without channels", { error });
      return [];
    }),
  ]);
  const understood = answer.understood as SearchResults["understood"];
  const [near, programmes] = await Promise.all([
    around(parts, answer.titles, context),
    programmesFor(parts, understood, profile, context).catch((error: unknown) => {
      parts.logger.warn("a search went without the guide", { error });
      return undefined;
    }),
  ]);
  const facet = (name: string) => answer.facets.find((each) => each.name === name)?.counts ?? [];
  const [genres, kinds, decades, facetLanguages] = FACETS.map(facet);
  return {
    searchId: answer.searchId,
    cards: answer.titles.map((title) => cardOf(title, near)),
    total: answer.total,
    facets: {
      ...{ genres: genres ?? [], kinds: kinds ?? [], decades: decades ?? [], languages: facetLanguages ?? [] },
    },
    people: answer.people,
    channels,
    programmes: programmes ?? [],
    ...{ understood, corrected: answer.corrected },
    orderedBy: SearchResults.shape.orderedBy.catch("default").parse(answer.orderedBy),
    partial: answer.partial || near.isPartial || programmes === undefined,
  };
}

export const searchRoutes: readonly Route[] = [
  route({
    ...{ method: "GET", path: "/search", operationId: "search", tag: "browse", auth: "profile", status: 200 },
    summary:
      "Titles, people and channels by words or by a question: beginnings and other forms, in spite of slips of the pen; with how a question was understood.",
    query: Query,
    response: SearchResults,
    handle: (parts, { context, query, request }) => search(parts, query, languagesOf(request), context),
  }),
  route({
    ...{
      method: "GET",
      path: "/search/suggestions",
      operationId: "suggestSearches",
      tag: "browse",
      auth: "profile",
      status: 200,
    },
    summary: "What somebody who types may mean.",
    query: z.object({ q: z.string().max(200).default("") }),
    response: Suggestions,
    async handle(parts, { context, query }) {
      const { ageRatingMax } = await watching(parts, context);
      const request = { query: query.q, ageRatingMax, limit: SUGGESTIONS };
      const { suggestions } = await parts.call.search.suggest(request, context);
      return {
        suggestions: suggestions.map(({ kind, text, contentId }) => ({
          kind: kind === "person" ? ("person" as const) : ("title" as const),
          text,
          ...(contentId === "" ? {} : { contentId }),
        })),
      };
    },
  }),
  route({
    ...{
      method: "POST",
      path: "/search/{id}/clicks",
      operationId: "clickSearchResult",
      tag: "browse",
      auth: "profile",
      status: 204,
    },
    summary: "Says that somebody went to a title that a search had found.",
    params: z.object({ id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) }),
    body: NewClick,
    async handle(parts, { context, params, body }) {
      await parts.call.search.click({ searchId: params.id, ...body }, context);
    },
  }),
];
