import { Click, Opinion, OpinionBody, Personalisation, Why } from "#contracts/web/recommendations";
import type { Title } from "#contracts/catalog";
import type { Profile } from "#contracts/profile";
import type { Rail as RailMessage } from "#contracts/recommendation";
import type { Rail } from "#contracts/web";
import type { Context } from "#kernel";
import { within } from "#kernel/within";
import { suits } from "./gather.ts";
import type { WebParts } from "./parts.ts";
import { Id, type Route, route } from "./route.ts";
import { Query } from "./search.ts";
import { why } from "./why.ts";

/** A page waits no longer for what it can do without; the service itself answers within 200 ms. */
const WAIT_MS_MAX = 250;
const IDS_MAX = 200;
const ALIKE_MAX = 12;
const tag = "recommendations";

/** A rail of recommendations, with the titles that the profile may see. */
interface Recommended extends Pick<Rail, "about"> {
  readonly kind: "for_you" | "because" | "popular";
  readonly titles: readonly Title[];
}

export interface Recommendations {
  readonly rails: readonly Recommended[];
  readonly isPartial: boolean;
}

/** What is recommended to the profile that is watching: none where it cannot be had in time, and then the page is partial. */
export async function recommendedRails(parts: WebParts, profileId: string, context: Context) {
  const { call, logger } = parts;
  try {
    return await within(
      WAIT_MS_MAX,
      "recommendations",
      context.signal,
      call.recommendation.home({ profileId }, context),
    );
  } catch (error) {
    logger.warn("recommendations fell back to nothing", { error });
    return { rails: [] as RailMessage[], partial: true };
  }
}

/** The rails with their titles, of which most are at hand already. What a profile may not see, or cannot be watched now, is left out. */
export async function recommended(
  parts: WebParts,
  { rails, partial }: { readonly rails: readonly RailMessage[]; readonly partial: boolean },
  profile: Profile,
  atHand: readonly Title[],
  context: Context,
): Promise<Recommendations> {
  const known = new Map(atHand.map((title) => [title.id, title]));
  const wanted = rails.flatMap((rail) => [...rail.contentIds, rail.becauseOfId]);
  const missing = [...new Set(wanted)].filter((id) => id !== "" && !known.has(id)).slice(0, IDS_MAX);
  let isPartial = partial;
  if (missing.length > 0) {
    try {
      const { titles } = await parts.call.catalog.getMany({ ids: missing }, context);
      for (const title of titles) known.set(title.id, title);
    } catch (error) {
      parts.logger.warn("some recommended titles could not be had", { error });
      isPartial = true;
    }
  }
  const maySee = suits(profile);
  const found = rails.flatMap(({ kind, becauseOfId, contentIds }): Recommended[] => {
    const about = becauseOfId === "" ? undefined : known.get(becauseOfId);
    if (becauseOfId !== "" && !(about && maySee(about))) return [];
    const titles = contentIds
      .flatMap((id) => known.get(id) ?? [])
      .filter((title) => maySee(title) && title.state === "playable");
    if (titles.length === 0 || !isKind(kind)) return [];
    return [{ kind, about: about ? { id: about.id, title: about.title } : null, titles }];
  });
  return { rails: found, isPartial };
}

const isKind = (kind: string): kind is Recommended["kind"] =>
  kind === "for_you" || kind === "because" || kind === "popular";

/** What the profile says of a title; nothing where it cannot be had in time. */
export async function opinionOf(
  parts: WebParts,
  profileId: string,
  contentId: string,
  context: Context,
): Promise<Opinion> {
  const { call, logger } = parts;
  try {
    const asked = call.recommendation.getOpinion({ profileId, contentId }, context);
    const { opinion } = await within(WAIT_MS_MAX, "opinions", context.signal, asked);
    return Opinion.parse(opinion);
  } catch (error) {
    logger.warn("an opinion fell back to none", { error });
    return "none";
  }
}

/** More like a title, for a profile; none where it cannot be had in time. */
export async function alike(parts: WebParts, contentId: string, profile: Profile, context: Context): Promise<Title[]> {
  const { call, logger } = parts;
  try {
    const { ageRatingMax } = profile;
    const asked = call.recommendation.similar({ contentId, ageRatingMax, limit: ALIKE_MAX }, context);
    const { contentIds } = await within(WAIT_MS_MAX, "more like this", context.signal, asked);
    const { titles } = await call.catalog.getMany({ ids: contentIds }, context);
    return titles.filter((title) => suits(profile)(title) && title.state === "playable");
  } catch (error) {
    logger.warn("more like this fell back to genres", { error });
    return [];
  }
}

export const recommendationRoutes: readonly Route[] = [
  route({
    ...{ method: "PUT", path: "/titles/{id}/opinion", operationId: "setOpinion", tag },
    ...{ auth: "profile", status: 204 },
    summary: "Says what the profile thinks of a title, or takes it back.",
    params: Id,
    body: OpinionBody,
    handle: async (parts, { context, params, body, viewer }) => {
      const { opinion } = body;
      await parts.call.recommendation.setOpinion(
        { profileId: viewer?.profileId ?? "", contentId: params.id, opinion },
        context,
      );
    },
  }),
  route({
    ...{ method: "GET", path: "/titles/{id}/why", operationId: "getWhy", tag },
    ...{ auth: "profile", status: 200 },
    summary:
      "Why a title is shown to the profile, the weightiest reason first, and what put it where it stands on the home and in a search.",
    params: Id,
    query: Query,
    response: Why,
    handle: (parts, { context, params, query }) => why(parts, params.id, query, context),
  }),
  route({
    ...{ method: "POST", path: "/recommendations/clicks", operationId: "clickRecommendation", tag },
    ...{ auth: "profile", status: 204 },
    summary: "Says that somebody went where a rail of recommendations leads.",
    body: Click,
    handle: async (parts, { context, body, viewer }) => {
      await parts.call.recommendation.click({ profileId: viewer?.profileId ?? "", ...body }, context);
    },
  }),
  route({
    ...{ method: "GET", path: "/profiles/{id}/personalisation", operationId: "getPersonalisation" },
    ...{ tag, auth: "user", status: 200 },
    summary: "Whether a profile of the account gets recommendations of its own.",
    params: Id,
    response: Personalisation,
    handle: async (parts, { context, params }) => {
      const { enabled } = await parts.call.recommendation.getPersonalisation({ profileId: params.id }, context);
      return { enabled };
    },
  }),
  route({
    ...{ method: "PUT", path: "/profiles/{id}/personalisation", operationId: "setPersonalisation" },
    ...{ tag, auth: "user", status: 204 },
    summary: "Gives a profile of the account recommendations of its own, or no longer.",
    params: Id,
    body: Personalisation,
    handle: async (parts, { context, params, body }) => {
      await parts.call.recommendation.setPersonalisation({ profileId: params.id, enabled: body.enabled }, context);
    },
  }),
];
