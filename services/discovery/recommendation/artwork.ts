import type { ChooseArtworkRequest } from "#contracts/recommendation";
import { type Context, ownerOf, problem } from "#kernel";
import { type Arm, chooseArtwork as choose } from "./domain-artwork.ts";
import { timely } from "./timely.ts";
import type { Parts } from "./parts.ts";
import * as store from "./store-artwork.ts";

const TITLES_MAX = 200;
const KEYS_MAX = 20;

/** The picture of each title by which this profile is most likely to choose it; the same for months, unless it is gone. */
export async function chooseArtwork(parts: Parts, { profileId, titles }: ChooseArtworkRequest, context: Context) {
  if (titles.length > TITLES_MAX)
    throw problem.invalid(`${titles.length} titles are more than ${TITLES_MAX}: ask in parts`);
  const many = titles.find(({ keys }) => keys.length > KEYS_MAX);
  if (many)
    throw problem.invalid(`title '${many.contentId.slice(0, 64)}' has more than ${KEYS_MAX} pictures: name the best`);
  const userId = await ownerOf(parts, context, profileId);
  const missing: string[] = [];
  const known = await timely(
    parts,
    "artwork",
    missing,
    Promise.all([parts.db.read(context, (tx) => store.shownTo(tx, profileId)), armsOf(parts, context.tenant)]),
    undefined,
  );
  if (!known) return { choices: [], partial: true };
  const [{ keys: shown, taste, isPersonalised }, arms] = known;
  if (!isPersonalised) return { choices: [], partial: false };
  const choices = titles.flatMap(({ contentId, keys }) => {
    if (keys.length < 2) return [];
    const before = shown.get(contentId);
    const key =
      before !== undefined && keys.includes(before)
        ? before
        : choose({ profileId, contentId, keys, taste }, arms.get(contentId) ?? []);
    return [{ contentId, key }];
  });
  const news = choices.filter(({ contentId, key }) => shown.get(contentId) !== key);
  const atMs = parts.clock.nowMs();
  // What could not be written down is chosen again, the same for the same beliefs.
  if (news.length > 0)
    await parts.db
      .tx(context, (tx) =>
        store.putShows(
          tx,
          news.map((one) => ({ ...one, userId, profileId, taste, atMs })),
        ),
      )
      .catch((error: unknown) => parts.logger.warn("which pictures are shown was not written down", { error }));
  return { choices, partial: false };
}

async function armsOf(parts: Parts, tenant: string): Promise<ReadonlyMap<string, readonly Arm[]>> {
  const known = parts.arms.get(tenant);
  if (known) return known;
  const read = Map.groupBy(await parts.db.read({ tenant }, store.arms), ({ contentId }) => contentId);
  parts.arms.set(tenant, read);
  return read;
}
