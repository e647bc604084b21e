/** What a question was understood as, in the words of the one who asks. */
import type { Understood } from "../../../../contracts/web/search/index.ts";
import type { Locale } from "../../../ui/locale.ts";
import type { Messages } from "../../../ui/messages/en.ts";

const known = (words: Readonly<Record<string, string>>, value: string): string | undefined =>
  Object.hasOwn(words, value) ? words[value] : undefined;

/** A genre by its canonical name; one that has no word of ours is shown as the catalogue writes it, more or less. */
export function genreWord(m: Messages, value: string): string {
  const plain = value.replaceAll("-", " ");
  return known(m.find.genres, value) ?? plain.charAt(0).toUpperCase() + plain.slice(1);
}

export function languageWord(locale: Locale, code: string): string {
  try {
    return new Intl.DisplayNames([locale], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

export const kindWord = (m: Messages, kind: string): string => known(m.find.kinds, kind) ?? kind;

export const decadeWord = (m: Messages, year: string): string => m.find.decade(Number(year));

function lengthWord(m: Messages, seconds: number): string {
  const minutes = Math.round(seconds / 60);
  const rest = minutes % 60;
  if (minutes < 60) return m.time.minutes(minutes);
  const hours = m.time.hours(Math.floor(minutes / 60));
  return rest === 0 ? hours : `${hours} ${m.time.minutes(rest)}`;
}

function yearsWord(m: Messages, min: number | null, max: number | null): string {
  if (min === null) return m.find.until((max ?? 0) + 1);
  if (max === null) return m.find.since(min);
  if (min === max) return String(min);
  return min % 10 === 0 && max === min + 9 ? m.find.decade(min) : `${min}–${max}`;
}

export function understoodWord({ kind, value }: Understood, m: Messages, locale: Locale): string {
  const { find } = m;
  const [min = null, max = null] = value.split("-").map((bound) => (bound === "" ? null : Number(bound)));
  const mood = known(find.moods, value) ?? value;
  switch (kind) {
    case "genre":
      return value
        .split("|")
        .map((genre) => genreWord(m, genre))
        .join(" / ");
    case "not-genre":
      return find.not(genreWord(m, value));
    case "mood":
      return mood;
    case "not-mood":
      return find.not(mood);
    case "topic":
      return find.about(value);
    case "not-topic":
    case "not-person":
      return find.without(value);
    case "person":
      return find.with(value);
    case "duration":
      if (min !== null && max !== null) return `${lengthWord(m, min)}–${lengthWord(m, max)}`;
      return max === null ? find.atLeast(lengthWord(m, min ?? 0)) : find.atMost(lengthWord(m, max));
    case "years":
      return yearsWord(m, min, max);
    case "age":
      return find.age(Number(value));
    case "language":
      return find.inLanguage(languageWord(locale, value));
    case "not-language":
      return find.not(find.inLanguage(languageWord(locale, value)));
    case "kind":
      return kindWord(m, value);
    case "like":
      return find.like(value);
    case "airing":
      return known(find.airings, value) ?? value;
  }
}
