/** Hours of a day in which nobody is disturbed. Those that end before they begin go over midnight. */
export interface QuietHours {
  readonly fromMinute: number;
  readonly untilMinute: number;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;

const formats = new Map<string, Intl.DateTimeFormat>();
const FORMATS_MAX = 600;

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  if (formats.size >= FORMATS_MAX) formats.clear();
  formats.set(zone, made);
  return made;
}

const ZONE_CHARS_MAX = 60;

/** Whether this names a time zone of the IANA database. */
export function isZone(zone: string): boolean {
  if (zone.length > ZONE_CHARS_MAX || !/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(zone)) return false;
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** The minute of the day that clocks in a zone show. */
export function minuteOfDay(atMs: number, zone: string): number {
  const [hour = "0", minute = "0"] = formatOf(zone).format(atMs).split(":");
  return Number(hour) * 60 + Number(minute);
}

export function isQuiet(quiet: QuietHours | undefined, atMs: number, zone: string): boolean {
  if (!quiet || quiet.fromMinute === quiet.untilMinute) return false;
  const minute = minuteOfDay(atMs, zone);
  return quiet.fromMinute < quiet.untilMinute
    ? minute >= quiet.fromMinute && minute < quiet.untilMinute
    : minute >= quiet.fromMinute || minute < quiet.untilMinute;
}

/**
 * The first moment from `atMs` on that is not quiet. Where clocks are set before the end they show some minutes twice or never; then each minute
 * is looked at, for it may be one in which quiet has ended, or has not begun yet.
 */
export function quietUntilMs(quiet: QuietHours | undefined, atMs: number, zone: string): number {
  let nextMs = atMs;
  while (quiet && isQuiet(quiet, nextMs, zone)) {
    const leftMinutes = (quiet.untilMinute - minuteOfDay(nextMs, zone) + DAY_MINUTES) % DAY_MINUTES;
    const startOfMinuteMs = Math.floor(nextMs / MINUTE_MS) * MINUTE_MS;
    const endMs = startOfMinuteMs + leftMinutes * MINUTE_MS;
    nextMs = minuteOfDay(endMs, zone) === quiet.untilMinute ? endMs : startOfMinuteMs + MINUTE_MS;
  }
  return nextMs;
}
