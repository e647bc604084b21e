import { problem } from "#kernel/errors";

export type Kind = "film" | "series" | "episode" | "trailer" | "ad";
export type Publication = "draft" | "published" | "unpublished";
export type State = "processing" | "playable" | "failed";

export interface Credit {
  readonly name: string;
  readonly role: string;
}
export interface Artwork {
  readonly key: string;
  readonly width: number;
  readonly height: number;
  readonly color: string;
  readonly blurDataUrl: string;
}

export interface Chapter {
  readonly startS: number;
  readonly title: string;
}

/** What operators say about a title. */
export interface Facts {
  readonly kind: Kind;
  readonly title: string;
  readonly synopsis: string;
  readonly tagline: string;
  readonly year: number;
  readonly ageRating: number;
  readonly genres: readonly string[];
  readonly credits: readonly Credit[];
  readonly parentId: string;
  readonly seasonNumber: number;
  readonly episodeNumber: number;
  readonly tierMin: string;
  readonly markets: readonly string[];
  readonly availableFromMs: number;
  readonly availableUntilMs: number;
}

export const AGE_RATINGS: readonly number[] = [0, 6, 12, 16, 18];
export const TIERS: readonly string[] = ["basic", "premium"];
const KINDS: readonly string[] = ["film", "series", "episode", "trailer", "ad"];
const LIMITS = { title: 200, synopsis: 2_000, tagline: 300, genres: 10, credits: 30, markets: 250, name: 100 };
const YEAR_MAX = 2_200;
const NUMBER_MAX = 100_000;
/** The last moment that a Date knows. */
const TIME_MS_MAX = 8_640_000_000_000_000;
/** Ids of titles become parts of object keys and addresses. */
export const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Whether people can watch it now: published, playable, within its window. Markets and ages are judged for each viewer. */
export function isAvailable(
  of: {
    readonly publication: string;
    readonly state: string;
    readonly availableFromMs: number;
    readonly availableUntilMs: number;
  },
  nowMs: number,
): boolean {
  return of.publication === "published" && of.state === "playable" && isInWindow(of, nowMs);
}

export function isInWindow(
  of: { readonly availableFromMs: number; readonly availableUntilMs: number },
  nowMs: number,
): boolean {
  return nowMs >= of.availableFromMs && (of.availableUntilMs === 0 || nowMs < of.availableUntilMs);
}

/** Checks what an operator wrote; the error names the member and what it may be. */
export function assertFacts(facts: Facts): void {
  const fault = (member: string, what: string): never => {
    throw problem.invalid(`${member} ${what}`, { details: { pointer: `/${member}` } });
  };
  for (const [member, value] of Object.entries(facts)) {
    // PostgreSQL has no place for it in text.
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === "string" && part.includes("\0") ? fault(member, "holds a null character") : part,
    );
  }
  if (!KINDS.includes(facts.kind)) fault("kind", `'${facts.kind}' is not one of ${KINDS.join(", ")}`);
  if (facts.title.trim() === "" || facts.title.length > LIMITS.title)
    fault("title", `must have 1 to ${LIMITS.title} characters`);
  if (facts.synopsis.length > LIMITS.synopsis) fault("synopsis", `is longer than ${LIMITS.synopsis} characters`);
  if (facts.tagline.length > LIMITS.tagline) fault("tagline", `is longer than ${LIMITS.tagline} characters`);
  if (facts.year !== 0 && (facts.year < 1_870 || facts.year > YEAR_MAX))
    fault("year", `${facts.year} is not between 1870 and ${YEAR_MAX}`);
  for (const member of ["seasonNumber", "episodeNumber"] as const) {
    if (!(facts[member] >= 0 && facts[member] <= NUMBER_MAX))
      fault(member, `${facts[member]} is not between 0 and ${NUMBER_MAX}`);
  }
  for (const member of ["availableFromMs", "availableUntilMs"] as const) {
    if (!(facts[member] >= 0 && facts[member] <= TIME_MS_MAX))
      fault(member, `${facts[member]} is not a time in milliseconds since 1970`);
  }
  if (facts.parentId !== "" && !ID.test(facts.parentId))
    fault("parentId", `'${facts.parentId.slice(0, 80)}' is not of the form ${ID.source}`);
  if (!AGE_RATINGS.includes(facts.ageRating))
    fault("ageRating", `${facts.ageRating} is not one of ${AGE_RATINGS.join(", ")}`);
  if (facts.genres.length > LIMITS.genres || facts.genres.some((genre) => genre.trim() === "" || genre.length > 60))
    fault("genres", `must be at most ${LIMITS.genres} words`);
  if (
    facts.credits.length > LIMITS.credits ||
    facts.credits.some(({ name, role }) => name.length > LIMITS.name || role.length > LIMITS.name)
  )
    fault("credits", `must be at most ${LIMITS.credits}`);
  if (!TIERS.includes(facts.tierMin)) fault("tierMin", `'${facts.tierMin}' is not one of ${TIERS.join(", ")}`);
  if (facts.markets.length > LIMITS.markets || facts.markets.some((market) => !/^[A-Z]{2}$/.test(market)))
    fault("markets", "must be ISO 3166-1 codes such as DE");
  if (facts.availableUntilMs !== 0 && facts.availableUntilMs <= facts.availableFromMs)
    fault("availableUntilMs", "must be after availableFromMs");
  if ((facts.kind === "episode" || facts.kind === "trailer") && facts.parentId === "")
    fault("parentId", `is missing: whose ${facts.kind} is it?`);
}

const text = (value: unknown, fallback: string): string =>
  typeof value === "string" ? value.replaceAll("\0", "") : fallback;
const integer = (value: unknown): number =>
  typeof value === "number" && Number.isFinite(value) ? Math.trunc(value) : 0;
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

/** Facts from an importer's JSON. Members of the wrong kind are left out: a film that came in must not be lost over its metadata. */
export function factsFrom(metadata: Readonly<Record<string, unknown>>, fallbackTitle: string): Facts {
  const credits = Array.isArray(metadata["credits"]) ? (metadata["credits"] as Record<string, unknown>[]) : [];
  const facts: Facts = {
    kind: (text(metadata["kind"], "film") as Kind) || "film",
    title: text(metadata["title"], fallbackTitle).slice(0, LIMITS.title).trim() || "Untitled",
    synopsis: text(metadata["synopsis"], "").slice(0, LIMITS.synopsis),
    tagline: text(metadata["tagline"], "").slice(0, LIMITS.tagline),
    year: integer(metadata["year"]),
    ageRating: integer(metadata["ageRating"]),
    genres: texts(metadata["genres"]).slice(0, LIMITS.genres),
    credits: credits.slice(0, LIMITS.credits).map((credit) => ({
      name: text(credit?.["name"], "").slice(0, LIMITS.name),
      role: text(credit?.["role"], "").slice(0, LIMITS.name),
    })),
    parentId: text(metadata["parentId"], ""),
    seasonNumber: integer(metadata["seasonNumber"]),
    episodeNumber: integer(metadata["episodeNumber"]),
    tierMin: text(metadata["tierMin"], "basic"),
    markets: texts(metadata["markets"]),
    availableFromMs: integer(metadata["availableFromMs"]),
    availableUntilMs: integer(metadata["availableUntilMs"]),
  };
  try {
    assertFacts(facts);
    return facts;
  } catch {
    return { ...BLANK, title: facts.title, synopsis: facts.synopsis };
  }
}

const BLANK: Facts = {
  kind: "film",
  title: "Untitled",
  synopsis: "",
  tagline: "",
  year: 0,
  ageRating: 0,
  genres: [],
  credits: [],
  parentId: "",
  seasonNumber: 0,
  episodeNumber: 0,
  tierMin: "basic",
  markets: [],
  availableFromMs: 0,
  availableUntilMs: 0,
};
