// Search: finds titles and people by what somebody typed or asked, however it is spelt.
import { Catalog } from "#contracts/catalog";
import { Models } from "#contracts/models";
import { type ExplainRequest, type QueryRequest, Search } from "#contracts/search";
import {
  type Context,
  defineService,
  follow,
  type ModelTx,
  newId,
  type Platform,
  problem,
  type Received,
  requireProfile,
  systemContext,
} from "#kernel";
import { type Known, openKnown } from "#kernel/known";
import { type Interpreter, openInterpreter } from "./ask-model.ts";
import type { Answer } from "./domain-answer.ts";
import { ORDERED_MAX, pageOf, type Placed, placed } from "./domain-order.ts";
import { idOf } from "./domain-question.ts";
import type { Filters, Sight } from "./domain-title.ts";
import { type Engine, openEngine } from "./engine.ts";
import { fill, takeChanges } from "./follow.ts";
import { MODEL, order } from "./order.ts";
import { explainOrder } from "./order-explain.ts";

const uses = { catalog: Catalog, models: Models };
type SearchPlatform = Platform<typeof Search, typeof uses>;
export interface Parts extends Pick<SearchPlatform, "db" | "call" | "tell" | "clock" | "config" | "logger"> {
  readonly engine: Engine;
  readonly interpreter: Interpreter | undefined;
  /** Whether a tenant has a model that puts what was found in order. */
  readonly isOrdered: Known<boolean>;
  readonly searched: (type: "text" | "conversational") => void;
}

const QUERY_MAX = 200;
const WITHOUT_MAX = 20;
const LIMIT_MAX = 50;
const REACH_MAX = 1_000;
const SUGGESTIONS_MAX = 10;
/** So many of what was found are told of: what stands further down is hardly looked at. */
const TOLD_MAX = 20;
const ORDERED_FRESH_MS = 15_000;
const TENANTS_MAX = 1_000;

export default defineService({
  contract: Search,
  uses,
  slo: { p99Ms: 200, availability: 0.999 },
  ai: {
    feeds: "recommendation and ranking: what people looked for, and where they went",
    uses: "a language model that takes questions apart, where one is configured; a model of what people choose, for the order",
    fallback:
      "rules that take questions apart; the order by words and meaning; without this service, words found by the catalogue's own index",
  },
  migrations: new URL("./migrations/", import.meta.url),

  start(platform: SearchPlatform): Parts {
    const { db, call, tell, clock, config, logger, metrics, cache, llm } = platform;
    const searches = metrics.counter("search_queries_total", "Searches, by how they were put", ["type"]);
    const parts: Parts = {
      ...{ db, call, tell, clock, config, logger },
      isOrdered: openKnown(
        { clock, freshMs: ORDERED_FRESH_MS, keysMax: TENANTS_MAX, unknown: false },
        async (tenant) => {
          const { served } = await call.models.serving({ name: MODEL }, systemContext(tenant, "search", { clock }));
          return served;
        },
      ),
      engine: openEngine({
        ...{ db, clock, logger },
        fill: (tenant) => db.tx({ tenant }, (tx) => fill(parts, tx)),
      }),
      interpreter: llm && openInterpreter({ llm, cache, clock, logger }),
      searched: (type) => searches.inc({ type }),
    };
    return parts;
  },

  readModels: [
    {
      name: "entries",
      tables: ["entries"],
      on: [
        follow(Catalog.events.titleAdded)(take),
        follow(Catalog.events.titleUpdated)(take),
        follow(Catalog.events.availabilityChanged)(take),
      ],
      seed: fill,
    },
  ],

  rpc: (parts) => ({
    query: (request, context) => query(parts, request, context),
    explain: (request, context) => explain(parts, request, context),
    async suggest({ query: text, ageRatingMax, limit }, context) {
      assertText(text);
      const sight: Sight = { ageRatingMax, nowMs: parts.clock.nowMs() };
      const task = { do: "suggest", text, sight, limit: Math.min(limit || SUGGESTIONS_MAX, SUGGESTIONS_MAX) } as const;
      const suggestions = await parts.engine.ask(context, task);
      return { suggestions: suggestions.map(({ id: contentId, ...suggestion }) => ({ ...suggestion, contentId })) };
    },
    async click({ searchId, contentId, rank }, context) {
      const { userId, profileId } = requireProfile(context);
      if (![searchId, contentId].every((id) => /^[A-Za-z0-9_-]{1,64}$/.test(id)))
        throw problem.invalid("a click names a search and a title by their ids");
      if (rank < 1 || rank > REACH_MAX) throw problem.invalid(`rank is ${rank}: 1 to ${REACH_MAX}`);
      const clickedAtMs = parts.clock.nowMs();
      parts.tell("resultClicked", [{ userId, profileId, searchId, contentId, rank, clickedAtMs }], context);
      return {};
    },
  }),

  ready: ({ db }) => db.ping(),
  stop: ({ engine }) => engine.close(),
});

async function take(
  parts: Parts,
  tx: ModelTx,
  events: readonly Received<{ readonly contentId: string }>[],
): Promise<void> {
  await takeChanges(parts, tx, events);
  parts.engine.expire(tx.tenant);
}

function assertText(text: string): void {
  if (text.length > QUERY_MAX)
    throw problem.invalid(`a search has at most ${QUERY_MAX} characters, and this one ${text.length}`);
}

/** What is found, in its own order, and whether a model is to put it in another. */
async function find(parts: Parts, request: QueryRequest, context: Context) {
  const { query: text, without, offset } = request;
  assertText(text);
  if (without.length > WITHOUT_MAX)
    throw problem.invalid(`${without.length} parts taken back are more than ${WITHOUT_MAX}`);
  const limit = Math.min(request.limit || LIMIT_MAX, LIMIT_MAX);
  if (offset + limit > REACH_MAX)
    throw problem.invalid(`offset ${offset} with limit ${limit} reaches beyond ${REACH_MAX}: ask more precisely`);
  const sight: Sight = { ageRatingMax: request.ageRatingMax, nowMs: parts.clock.nowMs() };
  // What a model puts in order is looked at as a whole, whichever page of it is wanted.
  const isOrdered = text.trim() !== "" && offset < ORDERED_MAX && parts.isOrdered(context.tenant);
  const span = isOrdered ? { offset: 0, limit: Math.max(ORDERED_MAX, offset + limit) } : { offset, limit };
  const question = { text, without, ...span, isFinished: request.thorough, filters: filtersOf(request.filters) };
  const byRules = await parts.engine.ask(context, { do: "answer", question, sight });
  // A title's name is no question, and what is still being typed is not worth the asking.
  const interpreter = request.thorough && byRules.isQuestion ? parts.interpreter : undefined;
  const constraints = await interpreter?.ask(text, context);
  const byModel = constraints && { ...question, constraints };
  const answer = byModel ? await parts.engine.ask(context, { do: "answer", question: byModel, sight }) : byRules;
  const isLate = interpreter !== undefined && !byModel;
  return { answer: placed(answer), isOrdered, isLate, offset, limit, understoodBy: byModel ? "model" : "parser" };
}

async function query(parts: Parts, request: QueryRequest, context: Context) {
  const { answer, isOrdered, isLate, offset, limit, understoodBy } = await find(parts, request, context);
  const { found: all, by } = isOrdered ? await order(parts, answer, context) : { found: answer, by: "default" };
  const found = isOrdered ? pageOf(all, offset, limit) : answer;
  const searchId = newId("sch", parts.clock.nowMs());
  if (request.query.trim() !== "" && offset === 0) told(parts, context, request.query, searchId, found);
  return {
    searchId,
    contentIds: [...found.ids],
    total: found.total,
    facets: Object.entries(found.facets).map(([name, counts]) => ({ name, counts: [...counts] })),
    people: [...found.people],
    corrected: found.corrected,
    understood: found.understood.map((each) => ({ ...each, id: idOf(each) })),
    ...{ understoodBy, orderedBy: by },
    partial: by === "fallback" || isLate,
  };
}

/** What put a title where it stands in what a search finds. */
async function explain(parts: Parts, { query: request, contentId }: ExplainRequest, context: Context) {
  if (!request) throw problem.invalid("the search is missing");
  const first = { ...request, offset: 0, limit: ORDERED_MAX };
  const { answer, isOrdered, isLate } = await find(parts, first, context);
  if (!isOrdered) return { by: "default", partial: isLate };
  const why = await explainOrder(parts, answer, contentId, context);
  return { ...why, partial: why.partial || isLate };
}

function told(parts: Parts, context: Context, text: string, searchId: string, found: Answer & Placed): void {
  const type = found.isQuestion ? "conversational" : "text";
  parts.searched(type);
  const { viewer } = context;
  if (!viewer) return;
  const { userId, profileId } = viewer;
  const understood = found.understood.map(idOf);
  const { ids, ranks, marks } = pageOf(found, found.pinned, TOLD_MAX);
  const fact = {
    ...{ userId, profileId, searchId, type, query: text, understood, results: found.total },
    ...{ contentIds: [...ids], ranks: [...ranks] },
    ...{ scores: marks.map(({ score }) => score), nearness: marks.map(({ nearness }) => nearness) },
  };
  parts.tell("query", [{ ...fact, searchedAtMs: parts.clock.nowMs() }], context);
}

function filtersOf(filters: QueryRequest["filters"]): Filters {
  if (!filters) return {};
  const { kinds, genres, language, yearMin, yearMax, durationMinS, durationMaxS, ageRatingMax } = filters;
  return {
    ...{ kinds, yearMin, yearMax, durationMinS, durationMaxS, ageRatingMax },
    genres: genres.length > 0 ? [genres] : [],
    ...(language === "" ? {} : { language }),
  };
}
