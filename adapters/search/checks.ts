import { problem } from "#kernel/errors";
import type { IndexSpec, SearchChanges, SearchQuery } from "#kernel/ports/search";

const CHANGES_MAX = 1_000;
const LIMIT_MAX = 200;
/** Beyond that nobody turns pages; engines keep everything before a page in memory. */
const REACH_MAX = 10_000;
const TEXT_MAX = 300;
export const FACET_VALUES_MAX = 50;

export function assertSpec({ name, texts, keywords, numbers }: IndexSpec): void {
  const fields = [...Object.keys(texts), ...keywords, ...numbers];
  if (![name, ...fields].every((word) => /^[a-z][A-Za-z]{0,39}$/.test(word)) || name !== name.toLowerCase())
    throw problem.invalid(`index '${name}': its name and fields are letters and begin small`);
  if (new Set(fields).size !== fields.length) throw problem.invalid(`index '${name}' has a field twice`);
}

export function assertChanges({ put = [], delete: gone = [] }: SearchChanges): void {
  if (put.length + gone.length > CHANGES_MAX)
    throw problem.invalid(`${put.length + gone.length} changes are more than ${CHANGES_MAX}: write in parts`);
}

/** `invalid_argument` names what an index does not have, and what it does. */
export function assertQuery({ name, keywords, numbers }: IndexSpec, query: SearchQuery): void {
  const { text, filters, facets, sortBy, offset, limit } = query;
  if (text.length > TEXT_MAX) throw problem.invalid(`a question has at most ${TEXT_MAX} characters`);
  if (!Number.isInteger(limit) || limit < 0 || limit > LIMIT_MAX)
    throw problem.invalid(`limit is ${limit}: 0 to ${LIMIT_MAX}`);
  if (!Number.isInteger(offset) || offset < 0 || offset + limit > REACH_MAX)
    throw problem.invalid(`offset ${offset} with limit ${limit} reaches beyond ${REACH_MAX}: ask more precisely`);
  const has = (field: string, of: readonly string[], what: string): void => {
    if (!of.includes(field))
      throw problem.invalid(`index '${name}' has no ${what} '${field.slice(0, 40)}': there are ${of.join(", ")}`);
  };
  for (const filter of filters) has(filter.field, "anyOf" in filter ? keywords : numbers, "field to compare with");
  for (const facet of facets) has(facet, keywords, "field to count");
  if (sortBy !== "relevance") has(sortBy.field, numbers, "field to sort by");
}
