import { useEffect, useState } from "react";
import { api, type CatalogTitle } from "./api.ts";

/** What titles are called. They are asked for once; until then, and where the catalogue does not answer, an id is a name. */
export function useTitles(ids: readonly string[]): ReadonlyMap<string, CatalogTitle> {
  const [known, setKnown] = useState<ReadonlyMap<string, CatalogTitle>>(new Map());
  const missing = [...new Set(ids)].filter((id) => !known.has(id)).join(",");
  useEffect(() => {
    if (missing === "") return;
    const leaving = new AbortController();
    api.names(missing.split(","), leaving.signal).then(
      ({ titles }) => setKnown((before) => new Map([...before, ...titles.map((title) => [title.id, title] as const)])),
      () => undefined,
    );
    return () => leaving.abort();
  }, [missing]);
  return known;
}

export const nameOf = (titles: ReadonlyMap<string, CatalogTitle>, id: string): string => titles.get(id)?.title || id;
