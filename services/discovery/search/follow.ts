import type { Title } from "#contracts/catalog";
import { type Context, type ModelTx, type Received, systemContext } from "#kernel";
import type { Entry } from "./domain-title.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

// The copy of the catalogue that the index is filled from.

const PAGE_MAX = 200;
const FILL_MS_MAX = 10 * 60_000;
const DIRECTOR = /^(director|directed by|regie|dirección|réalisat)/i;

/** What can be found of a title; null where it cannot be. Windows open and close by themselves, so they are judged when somebody looks. */
export function entryOf(title: Title): Entry | null {
  const isThere = title.publication === "published" && (title.state === "playable" || title.state === "processing");
  if (!isThere || (title.kind !== "film" && title.kind !== "series")) return null;
  const { id, kind, title: name, genres, year, durationS, ageRating, audioLanguages } = title;
  const isDirector = ({ role }: { readonly role: string }): boolean => DIRECTOR.test(role);
  return {
    ...{ id, kind, title: name, genres, year, durationS, ageRating },
    cast: title.credits.filter((credit) => !isDirector(credit)).map((credit) => credit.name),
    directors: title.credits.filter(isDirector).map((credit) => credit.name),
    synopsis: [title.tagline, title.synopsis].filter(Boolean).join(" "),
    languages: audioLanguages.map((language) => language.slice(0, 2).toLowerCase()),
    availableFromMs: Number(title.availableFromMs),
    availableUntilMs: Number(title.availableUntilMs),
  };
}

/** Copies titles as they are now, which may be newer than what told of them. Whoever calls holds the head, so that nothing older comes after. */
async function copy({ call }: Parts, tx: ModelTx, ids: readonly string[], context: Context): Promise<store.Change[]> {
  const { titles } = await call.catalog.getMany({ ids: [...ids], fresh: true }, context);
  const byId = new Map(titles.map((title) => [title.id, entryOf(title)]));
  return ids.map((contentId) => ({ contentId, entry: byId.get(contentId) ?? null }));
}

type Named = Received<{ readonly contentId: string }>;

export async function takeChanges(parts: Parts, tx: ModelTx, events: readonly Named[]): Promise<void> {
  const context = systemContext(tx.tenant, "search", { clock: parts.clock });
  const ids = [...new Set(events.map(({ data }) => data.contentId))];
  const { generation, revision: before } = await store.lockHead(tx);
  let revision = before;
  for (let from = 0; from < ids.length; from += PAGE_MAX)
    revision = await store.write(tx, await copy(parts, tx, ids.slice(from, from + PAGE_MAX), context), revision);
  await store.saveHead(tx, { generation, revision });
}

/** Copies all of a tenant's catalogue, and begins a generation. */
export async function fill(parts: Parts, tx: ModelTx): Promise<void> {
  const context = systemContext(tx.tenant, "search", { clock: parts.clock, deadlineMs: FILL_MS_MAX });
  const { generation, revision: before } = await store.lockHead(tx);
  let revision = before;
  for (let afterId = ""; ; ) {
    const { titles } = await parts.call.catalog.list(
      { kinds: ["film", "series"], includeHidden: true, limit: PAGE_MAX, afterId },
      context,
    );
    const found = await copy(
      parts,
      tx,
      titles.map(({ id }) => id),
      context,
    );
    revision = await store.write(tx, found, revision);
    const last = titles.at(-1);
    if (titles.length < PAGE_MAX || !last) break;
    afterId = last.id;
  }
  await store.saveHead(tx, { generation: generation + 1, revision });
}
