import { type Context, type ModelTx, problem, type Received, systemContext } from "#kernel";
import type { IndexSpec, SearchDocument, SearchQuery } from "#kernel/ports/search";
import { isInWindow } from "./domain.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

// The read model that titles are searched in. It follows the catalogue's own events, and is filled from its rows where it is new.

export const TITLES: IndexSpec = {
  name: "titles",
  version: 1,
  texts: { title: "A", people: "B", genreNames: "C", tagline: "D", synopsis: "D" },
  keywords: ["kind", "publication", "state", "genres"],
  numbers: ["ageRating", "fromMs", "untilMs", "addedAtMs"],
};

const QUERY_MAX = 200;
const LIMIT_MAX = 50;
const PAGE_MAX = 500;
const FILL_MS_MAX = 10 * 60_000;
const ALWAYS_MS = Number.MAX_SAFE_INTEGER;

/** A title as it is searched. Its texts are taken to be in the language of its sound, as far as anybody said. */
export function documentOf(row: store.TitleRow): SearchDocument {
  const facts = store.factsOf(row);
  return {
    id: row.id,
    language: row.audio_languages[0] ?? "",
    texts: {
      title: facts.title,
      people: facts.credits.map(({ name, role }) => `${name} ${role}`).join(" "),
      genreNames: facts.genres.join(" "),
      tagline: facts.tagline,
      synopsis: facts.synopsis,
    },
    keywords: { kind: [row.kind], publication: [row.publication], state: [row.state], genres: facts.genres },
    numbers: {
      ageRating: facts.ageRating,
      fromMs: facts.availableFromMs,
      untilMs: facts.availableUntilMs || ALWAYS_MS,
      addedAtMs: row.added_at_ms,
    },
  };
}

type Changed = Received<{ readonly contentId: string }>;

/** Puts titles into the index as they are now, which may be newer than the event that told of them. */
export async function reindex({ titles }: Parts, tx: ModelTx, events: readonly Changed[]): Promise<void> {
  const ids = [...new Set(events.map(({ data }) => data.contentId))];
  const rows = await store.findMany(tx, ids);
  const there = new Set(rows.map(({ id }) => id));
  await titles.write(tx.tenant, { put: rows.map(documentOf), delete: ids.filter((id) => !there.has(id)) });
}

/** Films and series that fit, the best first. What the index finds is looked up, so that nothing is shown that may not be seen any more. */
export async function searchTitles(
  { titles, db, clock }: Parts,
  asked: {
    readonly query: string;
    readonly ageRatingMax: number;
    readonly limit: number;
    readonly languages: readonly string[];
  },
  context: Context,
): Promise<store.TitleRow[]> {
  if (asked.query.length > QUERY_MAX) throw problem.invalid(`a search has at most ${QUERY_MAX} characters`);
  if (asked.query.trim() === "") return [];
  const nowMs = clock.nowMs();
  const query: SearchQuery = {
    text: asked.query,
    languages: asked.languages,
    filters: [
      { field: "kind", anyOf: ["film", "series"] },
      { field: "publication", anyOf: ["published"] },
      { field: "state", anyOf: ["playable", "processing"] },
      { field: "ageRating", max: asked.ageRatingMax },
      { field: "fromMs", max: nowMs },
      { field: "untilMs", min: nowMs + 1 },
    ],
    ...{ facets: [], sortBy: "relevance", offset: 0, limit: Math.min(asked.limit || LIMIT_MAX, LIMIT_MAX) },
  };
  const { ids } = await titles.query(context.tenant, query);
  const rows = await db.tx(context, (tx) => store.findMany(tx, ids));
  return rows.filter(
    (row) =>
      row.publication === "published" &&
      row.state !== "failed" &&
      row.age_rating <= asked.ageRatingMax &&
      isInWindow({ availableFromMs: row.available_from_ms, availableUntilMs: row.available_until_ms }, nowMs),
  );
}

/** Fills the index anew from the rows of some tenants, under the eyes of those who search. One process does it at a time. */
export async function fillIndex({ titles, db, cache, logger }: Parts, tenants: readonly string[]): Promise<void> {
  const lock = await cache.lock("fill-titles", FILL_MS_MAX);
  if (!lock) throw problem.aborted("the index of titles is being filled already: wait for it");
  try {
    let count = 0;
    await titles.rebuild(async (write) => {
      for (const tenant of tenants) {
        for (let afterId = ""; ; ) {
          const rows = await db.tx({ tenant }, (tx) => store.page(tx, afterId, PAGE_MAX));
          if (rows.length > 0) await write(tenant, rows.map(documentOf));
          count += rows.length;
          const last = rows.at(-1);
          if (rows.length < PAGE_MAX || !last) break;
          afterId = last.id;
        }
      }
    });
    logger.info("the index of titles was filled", { titles: count });
  } finally {
    await lock.release();
  }
}

/** Fills an index that is new, or was made for another shape of titles. */
export async function fillNewIndex(parts: Parts): Promise<void> {
  if (await parts.titles.isBuilt()) return;
  const { tenants } = await parts.call.tenant.list({}, systemContext("system", "catalog", { clock: parts.clock }));
  await fillIndex(
    parts,
    tenants.map(({ id }) => id),
  );
}
