import { type AddRequest, isSimulatedId, type Title, type UpdateRequest } from "#contracts/catalog";
import { type Context, newId, problem } from "#kernel";
import { announceAvailability, refreshSeries } from "./availability.ts";
import { type Artwork, assertFacts, type Facts, ID, type Kind } from "./domain.ts";
import { toTitle } from "./message.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

/** What one transaction removes; no series is that long. */
const DESCENDANTS_MAX = 10_000;

/** The facts of a message, which hold to the rules. */
export function factsIn(title: Title): Facts {
  const { title: name, synopsis, tagline, year, ageRating, genres, credits, parentId } = title;
  const facts: Facts = {
    ...{ kind: title.kind as Kind, title: name, synopsis, tagline, year, ageRating, genres, credits, parentId },
    ...{ seasonNumber: title.seasonNumber, episodeNumber: title.episodeNumber },
    ...{ tierMin: title.tierMin || "basic", markets: title.markets },
    availableFromMs: Number(title.availableFromMs),
    availableUntilMs: Number(title.availableUntilMs),
  };
  assertFacts(facts);
  return facts;
}

export function assertId(id: string): void {
  if (!ID.test(id))
    throw problem.invalid(`id '${id.slice(0, 80)}' is not of the form ${ID.source}`, { details: { pointer: "/id" } });
}

/** Adds what has no file of its own, such as a series, or what will get one later under the same id. */
export async function add(parts: Parts, { title }: AddRequest, context: Context) {
  if (!title) throw problem.invalid("title is missing");
  const facts = factsIn(title);
  if (title.id !== "") assertId(title.id);
  if (isSimulatedId(title.id))
    throw problem.invalid(`id '${title.id}' is of those that simulated titles have: choose another one`, {
      details: { pointer: "/id" },
    });
  const id = title.id || newId("ttl", parts.clock.nowMs());
  const row = await parts.db.tx(context, async (tx) => {
    const isNew = await store.insert(parts.recent, tx, id, facts, {
      publication: title.publication === "published" ? "published" : "draft",
      nowMs: parts.clock.nowMs(),
    });
    if (!isNew) throw problem.alreadyExists(`title '${id}' exists already: change it instead`);
    tx.emit("titleAdded", { contentId: id, kind: facts.kind, title: facts.title, genres: [...facts.genres] });
    return requireRow(await store.find(tx, id), id);
  });
  return { title: toTitle(row) };
}

export async function update(parts: Parts, request: UpdateRequest, context: Context) {
  const row = await parts.db.tx(context, async (tx) => {
    const old = requireRow(await store.find(tx, request.id, { lock: true }), request.id);
    const before = store.factsOf(old);
    const replaces = new Set(request.replace);
    const list = <T>(name: string, next: readonly T[], known: readonly T[]): readonly T[] =>
      next.length > 0 || replaces.has(name) ? next : known;
    const facts: Facts = {
      ...before,
      title: request.title ?? before.title,
      synopsis: request.synopsis ?? before.synopsis,
      tagline: request.tagline ?? before.tagline,
      year: request.year ?? before.year,
      ageRating: request.ageRating ?? before.ageRating,
      genres: list("genres", request.genres, before.genres),
      credits: list("credits", request.credits, before.credits),
      tierMin: request.tierMin ?? before.tierMin,
      markets: list("markets", request.markets, before.markets),
      availableFromMs: Number(request.availableFromMs ?? before.availableFromMs),
      availableUntilMs: Number(request.availableUntilMs ?? before.availableUntilMs),
    };
    assertFacts(facts);
    const changed = (Object.keys(facts) as (keyof Facts)[]).filter(
      (name) => JSON.stringify(facts[name]) !== JSON.stringify(before[name]),
    );
    const backdrop =
      request.backdropKey === undefined ? {} : { backdrop: JSON.stringify(candidate(old, request.backdropKey)) };
    if (changed.length === 0 && request.backdropKey === undefined) return old;
    await store.update(parts.recent, tx, old.id, { ...store.columnsOf(facts), ...backdrop });
    tx.emit("titleUpdated", {
      contentId: old.id,
      changed: [...changed, ...(request.backdropKey === undefined ? [] : ["backdrop"])],
    });
    const next = requireRow(await store.find(tx, old.id), old.id);
    await announceAvailability(parts, tx, next, (isNow) => (isNow ? "window_opened" : "window_closed"));
    // The age of either and the window of an episode decide which pictures a series may have.
    await refreshSeries(parts, tx, old.kind === "series" ? old.id : old.parent_id);
    return requireRow(await store.find(tx, old.id), old.id);
  });
  return { title: toTitle(row) };
}

function candidate(row: store.TitleRow, key: string): Artwork {
  const found = store.picturesOf(row).find((artwork) => artwork.key === key);
  if (!found) throw problem.invalid(`'${key}' is not one of the title's pictures`);
  return found;
}

export async function publish(parts: Parts, id: string, context: Context) {
  return setPublication(parts, id, "published", context);
}

export async function unpublish(parts: Parts, id: string, context: Context) {
  return setPublication(parts, id, "unpublished", context);
}

async function setPublication(parts: Parts, id: string, publication: "published" | "unpublished", context: Context) {
  const row = await parts.db.tx(context, async (tx) => {
    const old = requireRow(await store.find(tx, id, { lock: true }), id);
    if (publication === "published" && old.kind === "ad")
      throw problem.precondition(`'${old.title}' is an ad: it is shown in breaks and not in the catalogue`);
    if (publication === "published" && old.state !== "playable") {
      throw problem.precondition(
        `'${old.title}' is ${old.state === "failed" ? `not playable (${old.failure})` : "still being prepared"}: publish it when it plays`,
      );
    }
    await store.update(parts.recent, tx, id, { publication });
    const next = { ...old, publication };
    const isAnnounced = await announceAvailability(parts, tx, next, () => publication);
    // What is still being prepared can be seen, though not watched: whoever shows it must hear of this, too.
    if (!isAnnounced && old.publication !== publication)
      tx.emit("titleUpdated", { contentId: id, changed: ["publication"] });
    await refreshSeries(parts, tx, old.parent_id);
    return next;
  });
  return { title: toTitle(row) };
}

/**
 * Removes a title and whatever hangs on it: a series' episodes, and the trailers of both. Whoever keeps something of it hears of it
 * and removes that.
 */
export async function remove(parts: Parts, id: string, context: Context) {
  await parts.db.tx(context, async (tx) => {
    const row = requireRow(await store.find(tx, id, { lock: true }), id);
    const below = await store.descendants(tx, row.id, DESCENDANTS_MAX + 1);
    if (below.length > DESCENDANTS_MAX)
      throw problem.precondition(
        `'${row.title}' has more than ${DESCENDANTS_MAX} titles below it: delete some of its episodes first`,
      );
    for (const gone of [...below, row.id]) {
      await store.remove(parts.recent, tx, gone);
      tx.emit("availabilityChanged", { contentId: gone, available: false, reason: "deleted" });
    }
    await refreshSeries(parts, tx, row.parent_id);
  });
  return {};
}

function requireRow(row: store.TitleRow | undefined, id: string): store.TitleRow {
  if (!row) throw problem.notFound(`title '${id}' does not exist`, { reason: "title_unknown" });
  return row;
}
