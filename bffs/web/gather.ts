import type { Bookmark } from "#contracts/bookmark";
import type { Title } from "#contracts/catalog";
import type { Encoding } from "#contracts/encoding";
import type { Profile } from "#contracts/profile";
import { type Context, problem, requireProfile, toProblem } from "#kernel";
import type { WebParts } from "./parts.ts";
import type { Around } from "./views.ts";

/** What a page needs from several services at once. A part that fails leaves a page that is still useful. */

/** The profile that is watching; its age limit applies to everything shown. */
export async function watching({ call }: WebParts, context: Context): Promise<Profile> {
  const { profileId, userId } = requireProfile(context);
  const { profile } = await call.profile.get({ profileId }, context).catch((error: unknown) => {
    if (toProblem(error).code === "not_found")
      throw problem.denied("this profile is gone: choose another one", { reason: "profile_required" });
    throw error;
  });
  if (!profile || profile.userId !== userId)
    throw problem.denied("choose a profile first", { reason: "profile_required" });
  return profile;
}

/** Progress and encoding state of titles; `isPartial` where one of the two could not be had. */
export async function around(
  { call, logger }: WebParts,
  titles: readonly Title[],
  context: Context,
): Promise<Around & { readonly isPartial: boolean }> {
  const { profileId } = requireProfile(context);
  let isPartial = false;
  const or = async <T>(work: Promise<T>, fallback: T): Promise<T> =>
    work.catch((error: unknown) => {
      isPartial = true;
      logger.warn("a part of a page fell back", { error });
      return fallback;
    });
  const ids = [...new Set(titles.map((title) => title.id))].slice(0, 200);
  const processing = titles.filter((title) => title.state === "processing").map((title) => title.id);
  const [bookmarks, encodings] = await Promise.all([
    or(
      call.bookmark.getMany({ profileId, contentIds: ids }, context).then((answer) => answer.bookmarks),
      [] as Bookmark[],
    ),
    processing.length === 0
      ? ([] as Encoding[])
      : or(
          call.encoding.getMany({ contentIds: processing }, context).then((answer) => answer.encodings),
          [] as Encoding[],
        ),
  ]);
  return {
    bookmarks: new Map(bookmarks.map((bookmark) => [bookmark.contentId, bookmark])),
    encodings: new Map(encodings.map((encoding) => [encoding.contentId, encoding])),
    isPartial,
  };
}

/** Titles that a profile may see, whatever their list says. */
export const suits =
  (profile: Profile) =>
  (title: Title): boolean =>
    title.ageRating <= profile.ageRatingMax && title.publication === "published";
