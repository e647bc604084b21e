import type { Constraint } from "./domain-question.ts";
import { type Match, match, phraseAt, range, type Reading, SETS } from "./domain-question-reading.ts";
import * as known from "./domain-question-words.ts";

/** How long, and from when: the rules for lengths and years. */

const MINUTE_S = 60;
/** What `short` and `long` mean, and `not too long`. */
const SHORT_MAX_S = 40 * MINUTE_S;
export const LONG_MIN_S = 150 * MINUTE_S;
export const NOT_LONG_MAX_S = 110 * MINUTE_S;
/** How far from `about two hours` is still about two hours. */
const ROUGHLY_SHARE = 1 / 8;
const RECENT_YEARS = 3;
export const OLD_YEARS = 30;
const YEAR_MIN = 1_900;

interface Counted {
  readonly words: number;
  readonly value: number;
}

/** `90`, `two`, `forty five`, `a hundred`. */
function numberAt({ words }: Pick<Reading, "words">, at: number): Counted | undefined {
  const word = words[at] ?? "";
  if (/^\d{1,3}$/.test(word)) return { words: 1, value: Number(word) };
  const value = known.NUMBERS[word];
  const next = known.NUMBERS[words[at + 1] ?? ""] ?? 0;
  if (value === undefined) return undefined;
  if (value === 1 && next === 100) return { words: 2, value: next };
  const isTens = value >= 20 && value < 100 && next >= 1 && next < 10;
  return isTens ? { words: 2, value: value + next } : { words: 1, value };
}

const HALF = /^(?:and a half|y media|et demie|und eine halbe|einhalb)(?= |$)/;
const halfAt = ({ words }: Reading, at: number): number =>
  HALF.exec(words.slice(at, at + 3).join(" "))?.[0].split(" ").length ?? 0;

/**
 * `90 minutes`, `two hours`, `an hour and a half`, `two and a half hours`, `an hour and twenty minutes`, `1h30`, `90min`: the length in seconds and how many
 * words say it.
 */
function lengthAt(reading: Reading, at: number): { readonly words: number; readonly seconds: number } | undefined {
  const { words } = reading;
  const compact = /^(\d{1,2})h(\d{2})?m?$|^(\d{1,3})(?:min|mins|m)$/.exec(words[at] ?? "");
  if (compact) {
    const [, hours = "0", minutes = "0", alone] = compact;
    const more = alone === undefined ? /^(\d{1,2})(?:min|mins|m)$/.exec(words[at + 1] ?? "")?.[1] : undefined;
    const total = alone === undefined ? Number(hours) * 60 + Number(minutes) + Number(more ?? 0) : Number(alone);
    return { words: more === undefined ? 1 : 2, seconds: total * MINUTE_S };
  }
  const half = /^half an? hour|^(?:eine )?halbe stunde|^media hora|^une demi heure/.exec(
    words.slice(at, at + 3).join(" "),
  );
  if (half) return { words: half[0].split(" ").length, seconds: 30 * MINUTE_S };
  const isBare = halfAt(reading, at + 1) > 0 && known.UNITS[words[at] ?? ""] !== undefined;
  const number = isBare ? { words: 0, value: 1 } : numberAt(reading, at);
  if (!number) return undefined;
  const halfBefore = halfAt(reading, at + number.words);
  const unitAt = at + number.words + halfBefore;
  const unit = known.UNITS[words[unitAt] ?? ""];
  if (unit === undefined) return undefined;
  const halfAfter = halfAt(reading, unitAt + 1);
  const rest = unit > 1 && halfAfter === 0 ? minutesAt(reading, unitAt + 1) : undefined;
  const minutes = (number.value + (halfBefore + halfAfter > 0 ? 0.5 : 0)) * unit + (rest?.value ?? 0);
  return { words: unitAt + 1 - at + halfAfter + (rest?.words ?? 0), seconds: minutes * MINUTE_S };
}

/** What comes after hours: `and twenty minutes`, `45 min`, or a bare `45` where the question ends. */
function minutesAt(reading: Reading, at: number): Counted | undefined {
  const { words } = reading;
  const joint = known.AND.has(words[at] ?? "") ? 1 : 0;
  const number = numberAt(reading, at + joint);
  if (!number) return undefined;
  const end = at + joint + number.words;
  if (known.UNITS[words[end] ?? ""] === 1) return { words: end + 1 - at, value: number.value };
  return end === words.length && /^\d\d$/.test(words[end - 1] ?? "")
    ? { words: end - at, value: number.value }
    : undefined;
}

/** `between 90 and 120 minutes`, `one to two hours`, `90-120 min`: both ends in seconds. */
function spanAt(reading: Reading, at: number) {
  const { words } = reading;
  const start = at + (known.BETWEEN.has(words[at] ?? "") ? 1 : 0);
  const first = numberAt(reading, start);
  const joint = first && known.UNTIL.has(words[start + first.words] ?? "") ? 1 : 0;
  const middle = start + (first?.words ?? 0) + joint;
  const [number, second] = [numberAt(reading, middle), lengthAt(reading, middle)];
  if (!first || !number || !second) return undefined;
  // Two numbers side by side are a span only as digits: `two forty minute episodes` is none.
  if (joint === 0 && !/^\d+ \d+$/.test(words.slice(start, middle + 1).join(" "))) return undefined;
  const unitS = second.seconds / number.value;
  const ends = [first.value * unitS, second.seconds];
  return { words: middle + second.words - at, min: Math.min(...ends), max: Math.max(...ends) };
}

export function durationAt(reading: Reading, at: number): Match | undefined {
  const bound = (min: number | undefined, max: number | undefined): Constraint => ({
    kind: "duration",
    value: range(min, max),
  });
  /** `two hours long` */
  const tail = (from: number): number => phraseAt(reading, from, SETS.long);
  const under = phraseAt(reading, at, SETS.under);
  const below = under > 0 ? lengthAt(reading, at + under) : undefined;
  if (below) return match(under + below.words + tail(at + under + below.words), true, bound(undefined, below.seconds));
  const over = phraseAt(reading, at, SETS.over);
  const above = over > 0 ? lengthAt(reading, at + over) : undefined;
  if (above) return match(over + above.words + tail(at + over + above.words), true, bound(above.seconds, undefined));
  const between = spanAt(reading, at);
  if (between) return match(between.words + tail(at + between.words), true, bound(between.min, between.max));
  const near = (words: number, seconds: number): Match =>
    match(words, true, bound(seconds * (1 - ROUGHLY_SHARE), seconds * (1 + ROUGHLY_SHARE)));
  const roughly = phraseAt(reading, at, SETS.roughly);
  const rough = roughly > 0 ? lengthAt(reading, at + roughly) : undefined;
  if (rough) return near(roughly + rough.words + tail(at + roughly + rough.words), rough.seconds);
  const alone = lengthAt(reading, at);
  if (alone) {
    const end = at + alone.words;
    const [orSo, orMore] = [phraseAt(reading, end, SETS.orSo), phraseAt(reading, end, SETS.orMore)];
    if (orSo > 0) return near(alone.words + orSo, alone.seconds);
    if (orMore > 0) return match(alone.words + orMore, true, bound(alone.seconds, undefined));
    const more = phraseAt(reading, end, SETS.orLess) || tail(end);
    return match(alone.words + more, true, bound(undefined, alone.seconds));
  }
  const short = phraseAt(reading, at, SETS.short);
  if (short > 0) return match(short, false, bound(undefined, SHORT_MAX_S));
  const long = phraseAt(reading, at, SETS.long);
  return long > 0 ? match(long, false, bound(LONG_MIN_S, undefined)) : undefined;
}

/** `90s`, `1990s`, `nineties`, `80er`, `anos 80`: the first year of the decade. */
function decadeAt({ words }: Reading, at: number): { readonly words: number; readonly year: number } | undefined {
  const word = words[at] ?? "";
  const spanish = known.YEARS_OF.has(word) ? /^\d0$/.exec(words[at + 1] ?? "") : null;
  const digits = spanish?.[0] ?? /^(\d0|\d{3}0)(?:s|er|ern)$/.exec(word)?.[1];
  const count = spanish ? 2 : 1;
  if (digits?.length === 4) return { words: count, year: Number(digits) };
  if (digits !== undefined) return { words: count, year: Number(digits) + (Number(digits) < 30 ? 2_000 : 1_900) };
  for (const length of [2, 1]) {
    const year = known.DECADES[words.slice(at, at + length).join(" ")];
    if (year !== undefined) return { words: length, year };
  }
  return undefined;
}

interface Moment {
  readonly words: number;
  readonly from: number;
  readonly to: number;
}

/** `1994`, `the year 1994`, `the 80s`, `early nineties`: from when to when. */
function momentAt(reading: Reading, at: number): Moment | undefined {
  const { words, year: now } = reading;
  const articles = (from: number): number => (known.ARTICLES.has(words[from] ?? "") ? 1 : 0);
  let skipped = articles(at);
  const [early = 0, middle = 0, late = 0] = [SETS.early, SETS.middle, SETS.late].map((set) =>
    phraseAt(reading, at + skipped, set),
  );
  const part = early + middle + late;
  skipped += part;
  if (part > 0) skipped += articles(at + skipped);
  const decade = decadeAt(reading, at + skipped);
  if (decade) {
    const [first, last] = middle > 0 ? [3, 6] : [late > 0 ? 5 : 0, early > 0 ? 4 : 9];
    return { words: skipped + decade.words, from: decade.year + first, to: decade.year + last };
  }
  if (part > 0) return undefined;
  const century = phraseAt(reading, at + skipped, known.CENTURIES);
  const span = known.CENTURIES.get(words.slice(at + skipped, at + skipped + century).join(" "));
  if (span) return { words: skipped + century, from: span, to: span + 99 };
  if (words[at] === "this" && words[at + 1] === "decade") return { words: 2, from: now - (now % 10), to: now };
  if (known.YEAR.has(words[at + skipped] ?? "")) skipped += 1;
  const word = words[at + skipped] ?? "";
  if (!/^\d{4}$/.test(word) || Number(word) < YEAR_MIN || Number(word) > now + 1) return undefined;
  return { words: skipped + 1, from: Number(word), to: Number(word) };
}

export function yearsAt(reading: Reading, at: number): Match | undefined {
  const { words, year: now } = reading;
  const years = (count: number, min: number | undefined, max: number | undefined, isStrong = true): Match =>
    match(count, isStrong, { kind: "years", value: range(min, max) });
  const between = known.BETWEEN.has(words[at] ?? "") ? 1 : 0;
  const first = momentAt(reading, at + between);
  const joint = first ? (words[at + between + first.words] ?? "") : "";
  const second = first && momentAt(reading, at + between + first.words + 1);
  if (first && second && ((between > 0 && known.UNTIL.has(joint)) || isNext(first, second, joint)))
    return years(
      between + first.words + 1 + second.words,
      Math.min(first.from, second.from),
      Math.max(first.to, second.to),
    );
  const before = phraseAt(reading, at, SETS.before);
  const until = before > 0 ? momentAt(reading, at + before) : undefined;
  if (until) return years(before + until.words, undefined, until.from - 1);
  const after = phraseAt(reading, at, SETS.after);
  const since = after > 0 ? momentAt(reading, at + after) : undefined;
  if (since) {
    const from = known.SINCE.has(words[at] ?? "") ? since.from : since.to + 1;
    return years(after + since.words, from, undefined);
  }
  const alone = momentAt(reading, at);
  if (alone) {
    const end = at + alone.words;
    const [later, earlier] = [phraseAt(reading, end, SETS.orLater), phraseAt(reading, end, SETS.orEarlier)];
    if (later > 0) return years(alone.words + later, alone.from, undefined);
    if (earlier > 0) return years(alone.words + earlier, undefined, alone.to);
    return years(alone.words, alone.from, alone.to, alone.from !== alone.to);
  }
  const relative = relativeAt(reading, at);
  if (relative) return years(relative.words, relative.from, relative.to);
  const thisYear = phraseAt(reading, at, SETS.thisYear);
  if (thisYear > 0) return years(thisYear, now, now);
  // `New York` is no year.
  const isName = at > 0 && [at, at + 1].every((place) => /^\p{Lu}/u.test(reading.written[place] ?? ""));
  if (isName) return undefined;
  const recent = phraseAt(reading, at, SETS.recent);
  if (recent > 0) return years(recent, now - RECENT_YEARS, undefined, false);
  const old = phraseAt(reading, at, SETS.old);
  return old > 0 ? years(old, undefined, now - OLD_YEARS, false) : undefined;
}

const LAST_YEARS =
  /^(?:(?:the|los|las|les|den|der|des|de) )*(?:(?:last|past|letzten|vergangenen|ultimos|ultimas) (?:(couple of|few|paar|\w+) )?(year|years|decade|decades|jahre|jahren|jahrzehnt|jahrzehnte|anos|decadas)|(\w+) dernieres (annees))(?= |$)/;
const LAST_YEAR = /^(?:last year|letztes jahr|el ano pasado|l annee derniere)(?= |$)/;
const BY_AGE = /^(older|newer|younger|alter|junger|neuer) (?:than|als) (\w+) (?:years?|jahre|jahren)(?= |$)/;

/** `the last five years`, `the past decade`, `last year`, `older than ten years`: reckoned from this year. */
function relativeAt({ words, year: now }: Reading, at: number) {
  const text = words.slice(at, at + 6).join(" ");
  const counted = (word: string): number | undefined =>
    numberAt({ words: word.split(" ") }, 0)?.value ?? known.SOME_YEARS[word];
  const found = (said: string, from: number | undefined, to: number | undefined) => ({
    words: said.split(" ").length,
    from,
    to,
  });
  const lastYear = LAST_YEAR.exec(text);
  if (lastYear) return found(lastYear[0], now - 1, now - 1);
  const last = LAST_YEARS.exec(text);
  const [, before, unit = "", after] = last ?? [];
  const isDecade = /^(?:dec|jahrz)/.test(unit);
  const count = counted(before ?? after ?? (isDecade ? "one" : ""));
  if (last && count) return found(last[0], now - count * (isDecade ? 10 : 1), undefined);
  const [said = "", way = "", age = ""] = BY_AGE.exec(text) ?? [];
  const years = counted(age);
  if (!years) return undefined;
  return /^(?:older|alter)$/.test(way) ? found(said, undefined, now - years - 1) : found(said, now - years, undefined);
}

/** `1985 or 1986`, `the 80s or 90s`: one after the other is one stretch. */
const isNext = (first: Moment, second: Moment, joint: string): boolean =>
  (known.OR.has(joint) || joint === "and") && (second.from === first.to + 1 || first.from === second.to + 1);
