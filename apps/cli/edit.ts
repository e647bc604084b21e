import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Catalog } from "#contracts/catalog";
import { problem } from "#kernel";

/** The flags of `marquee title edit`, as words. A member that is not named stays as it is; an empty one is emptied. */
export interface EditOptions {
  readonly title?: string;
  readonly synopsis?: string;
  readonly tagline?: string;
  readonly year?: string;
  readonly age?: string;
  readonly genres?: string;
  /** `Name: role`, one each; together they replace the credits. */
  readonly credit?: readonly string[];
  readonly tier?: string;
  readonly markets?: string;
  readonly from?: string;
  readonly until?: string;
  readonly backdrop?: string;
}

export interface EditSurroundings {
  readonly nowMs: number;
  /** Keys of the pictures that `--backdrop NUMBER` chooses from. */
  readonly candidates: readonly string[];
}

type Update = MessageInitShape<(typeof Catalog.rpc.method.update)["input"]>;

const AGES = ["0", "6", "12", "16", "18"];
const TIERS = ["basic", "premium"];

/** The flags as the catalogue's request; `invalid_argument` names the flag that is wrong and what it takes. */
export function toUpdate(id: string, options: EditOptions, { nowMs, candidates }: EditSurroundings): Update {
  if (Object.entries(options).every(([name, value]) => name === "json" || value === undefined)) {
    throw problem.invalid(
      "nothing to change: name a member, as in --title 'New name'; see ./marquee title edit --help",
    );
  }
  const replace: string[] = [];
  const listOf = (name: string, text: string | undefined, clear: readonly string[]): string[] => {
    if (text === undefined) return [];
    replace.push(name);
    return clear.includes(text.trim().toLowerCase())
      ? []
      : text
          .split(",")
          .map((part) => part.trim())
          .filter((part) => part !== "");
  };
  const genres = listOf("genres", options.genres, ["", "none"]);
  const markets = listOf("markets", options.markets, ["", "all", "everywhere"]).map(toMarket);
  const credits = (options.credit ?? []).filter((text) => text.trim() !== "").map(toCredit);
  if (options.credit) replace.push("credits");
  const fromMs = toTime("--from", options.from, nowMs);
  const untilMs = toTime("--until", options.until, nowMs);
  if (fromMs !== undefined && untilMs !== undefined && fromMs !== 0 && untilMs !== 0 && fromMs >= untilMs) {
    throw problem.invalid(`--from ${options.from ?? ""} is not before --until ${options.until ?? ""}`);
  }
  return {
    id,
    ...given("title", options.title),
    ...given("synopsis", options.synopsis),
    ...given("tagline", options.tagline),
    ...given("year", options.year === undefined ? undefined : toYear(options.year)),
    ...given("ageRating", options.age === undefined ? undefined : Number(oneOf("--age", options.age, AGES))),
    ...given("tierMin", options.tier === undefined ? undefined : oneOf("--tier", options.tier, TIERS)),
    ...given("availableFromMs", fromMs === undefined ? undefined : BigInt(fromMs)),
    ...given("availableUntilMs", untilMs === undefined ? undefined : BigInt(untilMs)),
    ...given("backdropKey", options.backdrop === undefined ? undefined : toPicture(options.backdrop, candidates)),
    genres,
    markets,
    credits,
    replace,
  };
}

const given = <K extends string, V>(name: K, value: V | undefined): { [key in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { [key in K]?: V };

function oneOf(flag: string, value: string, allowed: readonly string[]): string {
  if (!allowed.includes(value)) throw problem.invalid(`${flag} ${value} is not one of ${allowed.join(", ")}`);
  return value;
}

/** `none` and 0 empty the year. */
function toYear(text: string): number {
  const year = text === "none" ? 0 : Number(text);
  if (!Number.isInteger(year) || year < 0 || (year > 0 && year < 1870) || year > 2200) {
    throw problem.invalid(`--year ${text} is not a year between 1870 and 2200, or none`);
  }
  return year;
}

/** ISO 3166-1 alpha-2. */
function toMarket(text: string): string {
  if (!/^[A-Za-z]{2}$/.test(text))
    throw problem.invalid(`--markets: '${text}' is not a country of two letters, such as DE`);
  return text.toUpperCase();
}

function toCredit(text: string): { name: string; role: string } {
  const [name = "", ...role] = text.split(":");
  if (name.trim() === "") throw problem.invalid(`--credit '${text}' has no name: write 'Name: role'`);
  return { name: name.trim(), role: role.join(":").trim() };
}

/** A picture by its number in `title show`, or by its key. */
function toPicture(text: string, candidates: readonly string[]): string {
  if (!/^\d+$/.test(text)) return text;
  const key = candidates[Number(text) - 1];
  if (key === undefined) {
    throw problem.invalid(
      `--backdrop ${text}: there ${candidates.length === 1 ? "is 1 picture" : `are ${candidates.length} pictures`} to choose from`,
    );
  }
  return key;
}

const TIME = /^\d{4}-\d{2}-\d{2}(?:[T ](\d{2}:\d{2}(?::\d{2})?)(Z|[+-]\d{2}:?\d{2})?)?$/;

/** `2026-12-24`, `2026-12-24T20:15`, `…+01:00` or `now`, as milliseconds; UTC where no zone is named; `none` is 0. */
export function toTime(flag: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (text === "" || text === "none") return 0;
  if (text === "now") return nowMs;
  const [, clock, zone] = TIME.exec(text) ?? [];
  const ms = TIME.test(text) ? Date.parse(`${text.slice(0, 10)}T${clock ?? "00:00"}${zone ?? "Z"}`) : Number.NaN;
  // The 30th of February would otherwise be taken for the 2nd of March.
  const isRealDay =
    Number.isFinite(ms) && new Date(`${text.slice(0, 10)}T00:00Z`).toISOString().startsWith(text.slice(0, 10));
  if (!isRealDay)
    throw problem.invalid(
      `${flag} ${text} is not a time: write 2026-12-24, 2026-12-24T20:15, 2026-12-24T20:15+01:00, now or none`,
    );
  return ms;
}
