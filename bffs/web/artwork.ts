import type { Title } from "#contracts/catalog";
import type { Context } from "#kernel";
import { within } from "#kernel/within";
import type { WebParts } from "./parts.ts";

/** A page waits so long for pictures of the viewer's own; the editor's are there at once. */
export const PICTURES_MS_MAX = 150;
const KEYS_MAX = 20;

export interface Pictures {
  /** The chosen picture's key, by title; titles that keep the editor's are not in it. */
  readonly keys: ReadonlyMap<string, string>;
  readonly isPartial: boolean;
}

/** Which picture of each title this profile is shown. Where it cannot be had in time, the editor's stay, and the page is partial. */
export async function chosenPictures(
  { call, logger }: Pick<WebParts, "call" | "logger">,
  profileId: string,
  titles: readonly Title[],
  context: Context,
): Promise<Pictures> {
  const several = titles.flatMap(({ id, backdrop, artworkCandidates }) => {
    const keys = [...new Set([...(backdrop ? [backdrop.key] : []), ...artworkCandidates.map(({ key }) => key)])];
    return keys.length > 1 ? [{ contentId: id, keys: keys.slice(0, KEYS_MAX) }] : [];
  });
  if (several.length === 0) return { keys: new Map(), isPartial: false };
  try {
    const { choices, partial } = await within(
      PICTURES_MS_MAX,
      "the choice of pictures",
      context.signal,
      call.recommendation.chooseArtwork({ profileId, titles: several }, context),
    );
    return { keys: new Map(choices.map(({ contentId, key }) => [contentId, key])), isPartial: partial };
  } catch (error) {
    logger.warn("titles are shown in the editor's pictures", { error });
    return { keys: new Map(), isPartial: true };
  }
}

/** The title with its chosen picture in front. */
export function inPicture(title: Title, keys: Pictures["keys"]): Title {
  const chosen = title.artworkCandidates.find(({ key }) => key === keys.get(title.id));
  return chosen ? { ...title, backdrop: chosen } : title;
}
