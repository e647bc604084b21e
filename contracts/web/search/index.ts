/** What the web API says of searches. */
import { z } from "zod";
import { Airing } from "../guide.ts";
import { Card } from "../index.ts";

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const text = (lengthMax: number) => z.string().max(lengthMax);

/** A part of a question that was understood; its id takes it back. */
export const Understood = z.object({
  id: text(300),
  kind: z.enum([
    "genre",
    "not-genre",
    "mood",
    "not-mood",
    "topic",
    "not-topic",
    "duration",
    "years",
    "person",
    "not-person",
    "age",
    "language",
    "not-language",
    "kind",
    "like",
    "airing",
  ]),
  /**
   * A canonical name, several with `|` between them, `MIN-MAX` with either end open (seconds or years), a name, an age, an ISO 639-1 code, a title,
   * now, tonight, today or tomorrow, or words.
   */
  value: text(300),
});

const counts = z.array(z.object({ value: text(100), count: z.int() })).max(30);

export const SearchResults = z.object({
  /** What clicks name. */
  searchId: z.string().max(64),
  cards: z.array(Card).max(50),
  total: z.int(),
  /** How many titles there are of each, the most frequent first; all of them together with what is chosen already. */
  facets: z.object({ genres: counts, kinds: counts, decades: counts, languages: counts }),
  people: z.array(z.object({ name: text(100), titles: z.int() })).max(10),
  channels: z.array(z.object({ id, number: z.int(), name: text(200) })).max(10),
  /** What channels show now or later, the earliest first. */
  programmes: z.array(Airing).max(10),
  /** What was looked for where nothing is spelt as it was asked for; empty otherwise. */
  corrected: text(300),
  understood: z.array(Understood).max(30),
  /** model: the first are in the order in which people choose; fallback: they should be, and the model was not there in time. */
  orderedBy: z.enum(["model", "fallback", "default"]),
  /** True when a part fell back to something simpler; not announced to people. */
  partial: z.boolean(),
});

export const Suggestions = z.object({
  suggestions: z
    .array(
      z.object({ kind: z.enum(["title", "person"]), text: text(200), /** Of a title. */ contentId: id.optional() }),
    )
    .max(10),
});

export const NewClick = z.object({
  contentId: id,
  /** Its place among the results, the first one is 1. */
  rank: z.int().min(1).max(1_000),
});

export type Understood = z.infer<typeof Understood>;
export type SearchResults = z.infer<typeof SearchResults>;
export type Suggestions = z.infer<typeof Suggestions>;
export type NewClick = z.infer<typeof NewClick>;
