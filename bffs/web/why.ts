import type { z } from "zod";
import { HomePlace, Influence, SearchPlace, Why } from "#contracts/web/recommendations";
import type { HomeOrder } from "#contracts/recommendation";
import type { ExplainResponse } from "#contracts/search";
import type { Profile } from "#contracts/profile";
import { type Context, problem } from "#kernel";
import { within } from "#kernel/within";
import { suits, watching } from "./gather.ts";
import type { WebParts } from "./parts.ts";
import { type Query, requestOf } from "./search.ts";
import { isoOf } from "./views.ts";

/** As long as a finished search, and a look at the model. */
const SEARCH_MS_MAX = 1_500;

/** Why a title is shown: a title that speaks for it is named, unless the profile may not see it any more. */
export async function why(parts: WebParts, contentId: string, asked: Query, context: Context): Promise<Why> {
  const profile = await watching(parts, context);
  const [{ title }, explained, search] = await Promise.all([
    parts.call.catalog.get({ id: contentId }, context),
    parts.call.recommendation.explain({ profileId: profile.id, contentId }, context),
    asked.q.trim() === "" ? null : placeInSearch(parts, contentId, { asked, profile }, context),
  ]);
  if (!title || !suits(profile)(title))
    throw problem.notFound("this title does not exist, or is not here any more", { reason: "title_unknown" });
  const ids = explained.reasons.flatMap((reason) => (reason.contentId === "" ? [] : [reason.contentId]));
  const { titles } = ids.length === 0 ? { titles: [] } : await parts.call.catalog.getMany({ ids }, context);
  const seen = new Map(titles.filter(suits(profile)).map((one) => [one.id, one]));
  const reasons = explained.reasons.flatMap(({ kind, contentId: ofId, name, share }) => {
    const parsed = Why.shape.reasons.element.safeParse({
      ...{ kind, name, share },
      about: ofId === "" ? null : { id: ofId, title: seen.get(ofId)?.title ?? "" },
    });
    return parsed.success && (ofId === "" || seen.has(ofId)) ? [parsed.data] : [];
  });
  return {
    ...{ id: title.id, title: title.title, reasons, personalised: explained.personalised },
    home: explained.order ? placeOf(HomePlace, explained.order) : UNKNOWN,
    search,
    partial: explained.partial || (search === null && asked.q.trim() !== ""),
  };
}

/** Where a search has a title, and by what; nothing where search cannot be asked in time. */
async function placeInSearch(
  { call, logger }: WebParts,
  contentId: string,
  { asked, profile }: { readonly asked: Query; readonly profile: Profile },
  context: Context,
): Promise<SearchPlace | null> {
  try {
    const request = call.search.explain({ query: requestOf(asked, profile), contentId }, context);
    return placeOf(SearchPlace, await within(SEARCH_MS_MAX, "a place in a search", context.signal, request));
  } catch (error) {
    if (context.signal.aborted) throw error;
    logger.warn("a title's place in a search could not be had", { error });
    return null;
  }
}

const UNKNOWN = { by: "unknown", model: null, place: 0, titles: 0, influences: [] } as const satisfies HomePlace;

function placeOf<P extends HomePlace | SearchPlace>(
  schema: z.ZodType<P>,
  { by, version, sinceMs, share, place, titles, influences }: HomeOrder | ExplainResponse,
): P | typeof UNKNOWN {
  const parsed = schema.safeParse({
    ...{ by, place, titles },
    model: version > 0 ? { version, since: isoOf(sinceMs), share } : null,
    influences: influences.flatMap(({ what, effect, places }) => {
      const influence = Influence.safeParse({ what, helps: effect > 0, places });
      return influence.success ? [influence.data] : [];
    }),
  });
  return parsed.success ? parsed.data : UNKNOWN;
}
