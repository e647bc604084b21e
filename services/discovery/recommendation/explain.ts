import { type Context, ownerOf, problem } from "#kernel";
import { arrange, fatigueOf, freshnessOf, likedOf } from "./domain.ts";
import { look } from "./home.ts";
import { orderOf } from "./order-explain.ts";
import type { Parts } from "./parts.ts";
import { timely } from "./timely.ts";

const SIMILAR_MAX = 50;
const SIMILAR_CANDIDATES = 100;
/** Below this much left of a score it is worth saying that a title was shown often. */
const TIRED = 0.7;
const NEW = 0.5;

/** What is recommended to somebody of whom nothing is known but that they like this title. */
export async function similar(
  parts: Parts,
  { contentId, ageRatingMax, limit: asked }: { contentId: string; ageRatingMax: number; limit: number },
  context: Context,
) {
  const limit = Math.min(asked || SIMILAR_MAX, SIMILAR_MAX);
  const missing: string[] = [];
  const { tenant } = context;
  const key = `${tenant}/${contentId}/${ageRatingMax}/${limit}`;
  const known = parts.alike.get(key);
  if (known) return { contentIds: [...known], partial: false };
  const [shelf, candidates] = await Promise.all([
    timely(parts, "titles", missing, parts.shelves.of(tenant), { titles: [], byId: new Map() }),
    timely(
      parts,
      "model",
      missing,
      parts.models
        .load(tenant)
        .then((model) =>
          model.recommend({ liked: [contentId], excluded: [], ageRatingMax, count: SIMILAR_CANDIDATES }),
        ),
      [],
    ),
  ]);
  const own = new Set(shelf.byId.get(contentId)?.genres);
  // Without a model: the most liked of those that share most genres.
  const likeIt = shelf.titles
    .filter(({ id, ageRating }) => id !== contentId && ageRating <= ageRatingMax)
    .map(({ id, genres }) => ({ id, score: genres.filter((genre) => own.has(genre)).length }))
    .toSorted((a, b) => b.score - a.score);
  const ranked = missing.length > 0 ? likeIt : arrange(candidates, shelf.byId, new Map(), parts.clock.nowMs(), limit);
  const contentIds = ranked.slice(0, limit).map(({ id }) => id);
  if (missing.length === 0) parts.alike.set(key, contentIds);
  return { contentIds, partial: missing.length > 0 };
}

/** Why a title is shown to a profile. What a profile may not see does not exist for it. */
export async function explain(
  parts: Parts,
  { profileId, contentId }: { profileId: string; contentId: string },
  context: Context,
) {
  await ownerOf(parts, context, profileId);
  const { shelf, past, ageRatingMax, missing } = await look(parts, context, profileId);
  const title = shelf.byId.get(contentId);
  if (!title || title.ageRating > ageRatingMax)
    throw problem.notFound(`title '${contentId.slice(0, 64)}' does not exist`, { reason: "title_unknown" });
  const liked = past.isPersonalised ? likedOf(past) : [];
  const [found, order] = await Promise.all([
    liked.length === 0
      ? []
      : timely(
          parts,
          "model",
          missing,
          parts.models.load(context.tenant).then((model) => model.explain(liked, contentId)),
          [],
        ),
    orderOf(parts, { profileId, contentId, isPersonalised: past.isPersonalised, missing }, context),
  ]);
  const nowMs = parts.clock.nowMs();
  const moved = [
    ...(freshnessOf(title.addedAtMs, nowMs) >= NEW ? [reason("added")] : []),
    ...(fatigueOf(past.exposures.get(contentId), nowMs) < TIRED ? [reason("seen_often")] : []),
  ];
  const reasons = found.map(({ kind, id, name, share }) => ({ kind, contentId: id, name, share }));
  return {
    reasons: [...(reasons.length > 0 ? reasons : [{ ...reason("popular"), share: 1 }]), ...moved],
    ...{ personalised: past.isPersonalised, order, partial: missing.length > 0 },
  };
}

const reason = (kind: string) => ({ kind, contentId: "", name: "", share: 0 });
