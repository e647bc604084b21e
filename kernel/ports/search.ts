import type { Stateful } from "./state.ts";

/**
 * The search port: read models that are found by text. What is in an index can be made again from its source, and is never the only copy.
 * Texts are matched word by word: every word asked for must be there, whole, as the beginning of one, in another form of the document's
 * language, or with a slip of the pen. Accents and case do not matter.
 */
export interface Search extends Stateful {
  /** Makes an index ready to be written and asked. */
  open(spec: IndexSpec): Promise<SearchIndex>;
  close(): Promise<void>;
}

export interface IndexSpec {
  /** Lower-case letters. */
  readonly name: string;
  /** Counted up when the shape below changes, or what documents hold: the index is then filled anew. */
  readonly version: number;
  /** Fields that are searched, with their weight: A counts most. */
  readonly texts: Readonly<Record<string, Weight>>;
  /** Fields that are compared and counted as they are. */
  readonly keywords: readonly string[];
  /** Fields that are compared by size and sorted by. */
  readonly numbers: readonly string[];
}
export type Weight = "A" | "B" | "C" | "D";

/** Every field of the index's declaration; what a document does not have is empty. */
export interface SearchDocument {
  readonly id: string;
  /** ISO 639-1; words of a language that is not known are found as they are written. */
  readonly language: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly keywords: Readonly<Record<string, readonly string[]>>;
  readonly numbers: Readonly<Record<string, number>>;
}

export interface SearchIndex {
  /** Whether it was filled once in the shape that its declaration has. */
  isBuilt(): Promise<boolean>;
  /** Puts and deletes up to 1,000 documents of a tenant; who asks after it resolved finds them. */
  write(tenant: string, changes: SearchChanges): Promise<void>;
  query(tenant: string, query: SearchQuery): Promise<SearchResults>;
  /**
   * Fills a new generation while the old one answers, and takes its place at once when `fill` is done. What is written meanwhile goes to both,
   * and wins over what `fill` brings. A `fill` that rejects changes nothing. One rebuild of an index at a time: its owner sees to that.
   */
  rebuild(
    fill: (write: (tenant: string, documents: readonly SearchDocument[]) => Promise<void>) => Promise<void>,
  ): Promise<void>;
}

export interface SearchChanges {
  readonly put?: readonly SearchDocument[];
  readonly delete?: readonly string[];
}

export interface SearchQuery {
  /** What a person typed; empty finds everything. */
  readonly text: string;
  /** The person's languages, ISO 639-1, for other forms of their words; at most five count. */
  readonly languages: readonly string[];
  /** All of them hold. */
  readonly filters: readonly SearchFilter[];
  /** Keyword fields whose most frequent values are counted over all that was found. */
  readonly facets: readonly string[];
  /** A number field, the largest first, or how well it fits; equals are in the order of their ids. */
  readonly sortBy: "relevance" | { readonly field: string };
  readonly offset: number;
  readonly limit: number;
}

export type SearchFilter =
  | { readonly field: string; readonly anyOf: readonly string[] }
  | { readonly field: string; readonly min?: number; readonly max?: number };

export interface SearchResults {
  readonly total: number;
  readonly ids: readonly string[];
  readonly facets: Readonly<Record<string, readonly { readonly value: string; readonly count: number }[]>>;
}
