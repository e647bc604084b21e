// Catalog: what there is to watch: films, series, episodes and trailers, with their windows, markets and ages.
import { Catalog } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Ingest } from "#contracts/ingest";
import { Tenant } from "#contracts/tenant";
import { defineService, follow, on, type Platform, problem } from "#kernel";
import { AGE_RATINGS } from "./domain.ts";
import { add, publish, remove, unpublish, update } from "./edit.ts";
import {
  encodingCompleted,
  encodingFailed,
  ingestFailed,
  ingestStarted,
  keepSearchable,
  sweepWindows,
} from "./follow.ts";
import { toTitle } from "./message.ts";
import * as store from "./store.ts";

const LIMIT_MAX = 200;
const AGE_MAX = Math.max(...AGE_RATINGS);

const uses = { tenant: Tenant };
export type CatalogPlatform = Platform<typeof Catalog, typeof uses>;
export interface Parts extends Pick<CatalogPlatform, "db" | "call" | "clock" | "logger"> {
  readonly searched: () => void;
}

export default defineService({
  contract: Catalog,
  uses,
  slo: { p99Ms: 100, availability: 0.9995 },
  ai: {
    feeds: "recommendation and search: what there is",
    uses: "none yet; artwork scores come with enrichment",
    fallback: "the editor's picture, or the sharpest frame",
  },
  migrations: new URL("./migrations/", import.meta.url),

  start({ db, call, clock, logger, metrics }: CatalogPlatform): Parts {
    // Conversational and voice come with search of their own.
    const searches = metrics.counter("search_queries_total", "Searches, by how they were put", ["type"]);
    return { db, call, clock, logger, searched: () => searches.inc({ type: "text" }) };
  },

  on: [
    on(Ingest.events.started)(ingestStarted),
    on(Ingest.events.failed)(ingestFailed),
    on(Encoding.events.completed)(encodingCompleted),
    on(Encoding.events.failed)(encodingFailed),
  ],

  readModels: [
    {
      name: "search",
      tables: ["search_documents"],
      on: [follow(Catalog.events.titleAdded)(keepSearchable), follow(Catalog.events.titleUpdated)(keepSearchable)],
      seed: (_, tx) => store.refreshDocuments(tx),
    },
  ],

  rpc: (parts) => ({
    add: (request, context) => add(parts, request, context),
    update: (request, context) => update(parts, request, context),
    publish: ({ id }, context) => publish(parts, id, context),
    unpublish: ({ id }, context) => unpublish(parts, id, context),
    delete: ({ id }, context) => remove(parts, id, context),
    async get({ id }, context) {
      const row = await parts.db.read(context, (tx) => store.find(tx, id));
      if (!row) throw problem.notFound(`title '${id}' does not exist`, { reason: "title_unknown" });
      return { title: toTitle(row) };
    },
    async getMany({ ids }, context) {
      if (ids.length > LIMIT_MAX) throw problem.invalid(`${ids.length} ids are more than ${LIMIT_MAX}: ask in parts`);
      return { titles: (await parts.db.read(context, (tx) => store.findMany(tx, ids))).map(toTitle) };
    },
    async list(request, context) {
      const wanted = {
        ...request,
        ageRatingMax: request.ageRatingMax || (request.includeHidden ? AGE_MAX : request.ageRatingMax),
        limit: Math.min(request.limit || LIMIT_MAX, LIMIT_MAX),
        nowMs: parts.clock.nowMs(),
      };
      return { titles: (await parts.db.read(context, (tx) => store.list(tx, wanted))).map(toTitle) };
    },
    async genres({ ageRatingMax }, context) {
      return { genres: await parts.db.tx(context, (tx) => store.genres(tx, ageRatingMax, parts.clock.nowMs())) };
    },
    async search({ query, ageRatingMax, limit }, context) {
      if (query.length > 200) throw problem.invalid("a search has at most 200 characters");
      parts.searched();
      const rows = await parts.db.tx(context, (tx) =>
        store.search(tx, query, ageRatingMax, Math.min(limit || 50, 50), parts.clock.nowMs()),
      );
      return { titles: rows.map(toTitle) };
    },
  }),

  periodic: (parts) => [{ name: "open and close rights windows", everyMs: 10_000, run: () => sweepWindows(parts) }],

  ready: ({ db }) => db.ping(),
});
