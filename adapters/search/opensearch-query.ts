import type { IndexSpec, SearchDocument, SearchQuery, Weight } from "#kernel/ports/search";
import { FACET_VALUES_MAX } from "./checks.ts";
import { ANALYZERS, analyzerOf, analyzersOf } from "./languages.ts";
import { slipsMax, wordsAsked, wordsOf } from "./words.ts";

// What an index of ours looks like to OpenSearch: words as we cut them, in one field a weight; the whole text once, by its language.

const BOOSTS: Readonly<Record<Weight, number>> = { A: 10, B: 5, C: 2.5, D: 1 };
const WEIGHTS = Object.keys(BOOSTS) as Weight[];
/** Beginnings of words up to this length are kept ready. */
const PREFIX_LENGTH_MAX = 10;
const GUESSES_MAX = 20;
/** Lucene refuses longer keywords, and counts bytes. */
const KEYWORD_LENGTH_MAX = 8_000;

/** Settings and mapping. `_meta` says in which shape it was filled. */
export const shapeOf = (spec: IndexSpec, builtVersion: number) => ({
  settings: {
    index: { number_of_shards: 1, auto_expand_replicas: "0-1", refresh_interval: "1s" },
    analysis: { analyzer: { cut: { type: "custom", tokenizer: "whitespace" } } },
  },
  mappings: {
    _meta: { builtVersion },
    dynamic: false,
    _source: { enabled: true },
    properties: {
      tenant: { type: "keyword" },
      id: { type: "keyword" },
      words: {
        properties: Object.fromEntries(
          WEIGHTS.map((weight) => [
            weight,
            { type: "text", analyzer: "cut", index_prefixes: { min_chars: 1, max_chars: PREFIX_LENGTH_MAX } },
          ]),
        ),
      },
      forms: { properties: Object.fromEntries(ANALYZERS.map((analyzer) => [analyzer, { type: "text", analyzer }])) },
      keywords: {
        properties: Object.fromEntries(
          spec.keywords.map((field) => [field, { type: "keyword", ignore_above: KEYWORD_LENGTH_MAX }]),
        ),
      },
      numbers: { properties: Object.fromEntries(spec.numbers.map((field) => [field, { type: "double" }])) },
    },
  },
});

export function sourceOf(spec: IndexSpec, tenant: string, document: SearchDocument) {
  const { id, language, texts, keywords, numbers } = document;
  const of = (weight: Weight): string =>
    Object.keys(spec.texts)
      .filter((field) => spec.texts[field] === weight)
      .flatMap((field) => wordsOf(texts[field] ?? ""))
      .join(" ");
  const analyzer = analyzerOf(language);
  const whole = Object.keys(spec.texts)
    .map((field) => texts[field] ?? "")
    .join(" ");
  return {
    ...{ tenant, id, keywords, numbers },
    words: Object.fromEntries(WEIGHTS.map((weight) => [weight, of(weight)])),
    forms: analyzer === undefined ? {} : { [analyzer]: whole },
  };
}

/** One word of the question: the best of its ways to match counts, in the field where it counts most. */
function matchOf(word: string, analyzers: readonly string[]) {
  const slips = slipsMax(word);
  const queries = WEIGHTS.flatMap((weight) => {
    const field = `words.${weight}`;
    const boost = BOOSTS[weight];
    const near = { value: word, fuzziness: slips, prefix_length: 1, max_expansions: GUESSES_MAX, transpositions: true };
    return [
      { constant_score: { filter: { term: { [field]: word } }, boost: boost * 10 } },
      { constant_score: { filter: { prefix: { [field]: word } }, boost: boost * 5 } },
      ...(slips === 0 ? [] : [{ constant_score: { filter: { fuzzy: { [field]: near } }, boost: boost * 2 } }]),
    ];
  });
  const forms = analyzers.map((analyzer) => ({
    constant_score: { filter: { match: { [`forms.${analyzer}`]: { query: word, operator: "and" } } }, boost: 3 },
  }));
  return { dis_max: { queries: [...queries, ...forms], tie_breaker: 0.05 } };
}

export function requestOf(tenant: string, query: SearchQuery) {
  const { text, languages, filters, facets, sortBy, offset, limit } = query;
  const words = wordsAsked(text);
  const analyzers = analyzersOf(languages);
  // Text of signs alone asks for something that is not there.
  const isHopeless = words.length === 0 && text.trim() !== "";
  const must = isHopeless ? [{ match_none: {} }] : words.map((word) => matchOf(word, analyzers));
  const conditions = filters.map((filter) =>
    "anyOf" in filter
      ? { terms: { [`keywords.${filter.field}`]: filter.anyOf } }
      : {
          range: {
            [`numbers.${filter.field}`]: {
              ...(filter.min === undefined ? {} : { gte: filter.min }),
              ...(filter.max === undefined ? {} : { lte: filter.max }),
            },
          },
        },
  );
  return {
    from: offset,
    size: limit,
    track_total_hits: true,
    _source: ["id"],
    query: { bool: { must, filter: [{ term: { tenant } }, ...conditions] } },
    sort: [sortBy === "relevance" ? { _score: "desc" } : { [`numbers.${sortBy.field}`]: "desc" }, { id: "asc" }],
    aggs: Object.fromEntries(
      facets.map((field) => [
        field,
        { terms: { field: `keywords.${field}`, size: FACET_VALUES_MAX, order: [{ _count: "desc" }, { _key: "asc" }] } },
      ]),
    ),
  };
}
