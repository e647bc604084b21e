import { openOpenSearch } from "#adapters/search/opensearch";
import type { SearchDocument, SearchIndex } from "#kernel/ports/search";
import type { Entry } from "../../services/discovery/search/domain-title.ts";

const WRITTEN_AT_ONCE = 500;
const TENANT = "bench";

const documentOf = ({ id, title, cast, directors, genres, synopsis, year }: Entry): SearchDocument => ({
  id,
  language: "en",
  texts: { title, cast: cast.join(", "), directors: directors.join(", "), genreWords: genres.join(", "), synopsis },
  keywords: { genres },
  numbers: { year },
});

/** The search port's engine at an address, filled with entries: what it finds for words, with the facets that ours counts. */
export async function openSearchOf(url: string, name: string, entries: readonly Entry[]) {
  const engine = await openOpenSearch({ url });
  const index: SearchIndex = await engine.open({
    ...{ name, version: 1, keywords: ["genres"], numbers: ["year"] },
    texts: { title: "A", cast: "B", directors: "B", genreWords: "C", synopsis: "D" },
  });
  await index.rebuild(async (write) => {
    for (let from = 0; from < entries.length; from += WRITTEN_AT_ONCE)
      await write(TENANT, entries.slice(from, from + WRITTEN_AT_ONCE).map(documentOf));
  });
  return {
    async find(text: string, limit: number): Promise<readonly string[]> {
      const asked = { text, languages: ["en"], filters: [], facets: ["genres"], offset: 0, limit };
      return (await index.query(TENANT, { ...asked, sortBy: "relevance" })).ids;
    },
    close: () => engine.close(),
  };
}
