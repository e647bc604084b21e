/** Times as people say them. Pure: the words come from the catalogue, the present moment is an argument. */
import type { Messages } from "./messages/en.ts";

const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** `1 h 12 min`, `42 min`, `35 s`: rounded the way one would say it, never `0 min`. */
export function durationInWords(seconds: number, m: Messages): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.round(seconds)) : 0;
  if (whole < MINUTE_S) return m.time.seconds(whole);
  const minutes = Math.round(whole / MINUTE_S);
  if (minutes < 60) return m.time.minutes(minutes);
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return rest === 0 ? m.time.hours(hours) : `${m.time.hours(hours)} ${m.time.minutes(rest)}`;
}

/** `42 min left`; a film's last minute is `less than a minute left`. Minutes round up: the film is not over sooner than said. */
export function timeLeft(positionS: number, durationS: number, m: Messages): string {
  const leftS = Math.max(0, durationS - positionS);
  return m.time.left(
    leftS < MINUTE_S ? m.time.lessThanAMinute : durationInWords(Math.ceil(leftS / MINUTE_S) * MINUTE_S, m),
  );
}

/** Media end some milliseconds before or after the second that they are said to end at. */
const CLOCK_TOLERANCE_S = 0.05;

/** `7:05`, `1:02:33`: the clock of a player. The hours show when the whole film has some, so that nothing jumps. */
export function clock(seconds: number, durationS: number = seconds): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds + CLOCK_TOLERANCE_S)) : 0;
  const hours = Math.floor(whole / HOUR_S);
  const minutes = Math.floor((whole % HOUR_S) / MINUTE_S);
  const twoDigits = (value: number) => String(value).padStart(2, "0");
  const tail = `${minutes}:${twoDigits(whole % MINUTE_S)}`;
  return hours > 0 || durationS >= HOUR_S ? `${hours}:${tail.padStart(5, "0")}` : tail;
}

/** `3 hours ago`, `yesterday`, in the words of the reader's language. */
export function ago(iso: string, nowMs: number, locale: string, m: Messages): string {
  const passedS = Math.round((nowMs - Date.parse(iso)) / 1_000);
  if (!Number.isFinite(passedS) || passedS < MINUTE_S) return m.time.justNow;
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  if (passedS < HOUR_S) return format.format(-Math.round(passedS / MINUTE_S), "minute");
  if (passedS < DAY_S) return format.format(-Math.round(passedS / HOUR_S), "hour");
  return format.format(-Math.round(passedS / DAY_S), "day");
}

export function dateInWords(iso: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(
    new Date(iso),
  );
}

/** `es-419` as `Spanish (Latin America)` in the reader's language; an unknown tag as it is. */
export function languageInWords(tag: string, locale: string): string {
  try {
    const name = new Intl.DisplayNames([locale], { type: "language" }).of(tag) ?? tag;
    return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
  } catch {
    return tag;
  }
}
