// Catalog: what there is to watch: films, series, episodes and trailers, with their windows, markets and ages.
import { Catalog } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Ingest } from "#contracts/ingest";
import { Metadata } from "#contracts/metadata";
import { Tenant } from "#contracts/tenant";
import { defineService, follow, on, type Platform, problem } from "#kernel";
import type { SearchIndex } from "#kernel/ports/search";
import { AGE_RATINGS } from "./domain.ts";
import { add, publish, remove, unpublish, update } from "./edit.ts";
import { encodingCompleted, encodingFailed, enriched, ingestFailed, ingestStarted, sweepWindows } from "./follow.ts";
import { toTitle } from "./message.ts";
import { openRecent, type Recent } from "./recent.ts";
import { fillIndex, fillNewIndex, reindex, searchTitles, TITLES } from "./search.ts";
import { addSimulated, deleteSimulated } from "./simulated.ts";
import * as store from "./store.ts";

const LIMIT_MAX = 200;
const AGE_MAX = Math.max(...AGE_RATINGS);

const uses = { tenant: Tenant };
export type CatalogPlatform = Platform<typeof Catalog, typeof uses>;
export interface Parts extends Pick<CatalogPlatform, "db" | "call" | "clock" | "logger" | "cache"> {
  readonly recent: Recent;
  readonly titles: SearchIndex;
}

export default defineService({
  contract: Catalog,
  uses,
  slo: { p99Ms: 100, availability: 0.9995 },
  ai: {
    feeds: "recommendation and search: what there is",
    uses: "chapters that enrichment found, for files that have none",
    fallback: "the editor's picture, or the sharpest frame",
  },
  migrations: new URL("./migrations/", import.meta.url),

  async start({ db, call, clock, logger, cache, search }: CatalogPlatform): Promise<Parts> {
    return {
      db,
      call,
      clock,
      logger,
      cache,
      recent: openRecent({ db, clock }),
      titles: await search.open(TITLES),
    };
  },

  on: [
    on(Ingest.events.started)(ingestStarted),
    on(Ingest.events.failed)(ingestFailed),
    on(Encoding.events.completed)(encodingCompleted),
    on(Encoding.events.failed)(encodingFailed),
    on(Metadata.events.enriched)(enriched),
  ],

  readModels: [
    {
      name: "search",
      // It is in the search engine.
      tables: [],
      on: [
        follow(Catalog.events.titleAdded)(reindex),
        follow(Catalog.events.titleUpdated)(reindex),
        follow(Catalog.events.availabilityChanged)(reindex),
      ],
      remake: fillIndex,
    },
  ],

  rpc: (parts) => ({
    add: (request, context) => add(parts, request, context),
    update: (request, context) => update(parts, request, context),
    publish: ({ id }, context) => publish(parts, id, context),
    unpublish: ({ id }, context) => unpublish(parts, id, context),
    delete: ({ id }, context) => remove(parts, id, context),
    addSimulated: (request, context) => addSimulated(parts, request, context),
    deleteSimulated: (_, context) => deleteSimulated(parts, context),
    async get({ id }, context) {
      const title = (await parts.recent.find([id], context)).get(id);
      if (!title) throw problem.notFound(`title '${id}' does not exist`, { reason: "title_unknown" });
      return { title };
    },
    async getMany({ ids, fresh }, context) {
      if (ids.length > LIMIT_MAX) throw problem.invalid(`${ids.length} ids are more than ${LIMIT_MAX}: ask in parts`);
      const found = await parts.recent.find(ids, context, { isFresh: fresh });
      return { titles: ids.flatMap((id) => found.get(id) ?? []) };
    },
    async list(request, context) {
      const { kinds, genre, parentId, afterId, includeHidden, states } = request;
      const wanted = {
        ...{ kinds, genre, parentId, afterId, includeHidden, states },
        ageRatingMax: request.ageRatingMax || (includeHidden ? AGE_MAX : request.ageRatingMax),
        limit: Math.min(request.limit || LIMIT_MAX, LIMIT_MAX),
      };
      return { titles: [...(await parts.recent.list(wanted, context))] };
    },
    async genres({ ageRatingMax }, context) {
      return { genres: await parts.db.tx(context, (tx) => store.genres(tx, ageRatingMax, parts.clock.nowMs())) };
    },
    async search(request, context) {
      return { titles: (await searchTitles(parts, request, context)).map(toTitle) };
    },
  }),

  periodic: (parts) => [
    { name: "open and close rights windows", everyMs: 10_000, run: () => sweepWindows(parts) },
    { name: "fill the index of titles", everyMs: 60_000, run: () => fillNewIndex(parts) },
  ],

  ready: ({ db }) => db.ping(),
});
