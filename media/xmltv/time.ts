/**
 * Times of XMLTV (xmltv.dtd, "All dates and times in this DTD follow the same format"):
 *
 *   time    = digits [ SP zone ]
 *   digits  = YYYY [MM [DD [hh [mm [ss]]]]]
 *   zone    = ("+"|"-") hh [":"] mm | "Z" | abbreviation | IANA name
 *
 * What has no zone is in UTC, says the DTD; real documents mean the local time of where they come from, so that a reader may say which.
 */

/** Instants that a time may stand for, the earliest first: two where clocks are set back, one otherwise. */
export interface ReadTime {
  readonly instantsMs: readonly number[];
  /** Set where the zone's name is not known: the default zone was taken. */
  readonly unknownZone: string | null;
}

const TIME =
  /^\s*(\d{4})(?:-?(\d{2})(?:-?(\d{2})(?:[T ]?(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.\d+)?)?)?)?)?)?\s*([+-]\d{1,2}:?\d{2}|[A-Za-z][A-Za-z0-9_+\-/]*)?\s*$/;
const OFFSET = /^([+-])(\d{1,2}):?(\d{2})$/;
const MINUTE_MS = 60_000;
const OFFSET_MIN_MAX = 15 * 60;
const YEAR_MIN = 1900;

/**
 * Abbreviations that real documents have, in minutes east of UTC. An abbreviation says summer or winter by itself, so daylight saving
 * is in it. The ambiguous ones mean what the DTD or most of the documents mean by them (BST is British Summer Time, IST is Ireland's no more than India's: left out).
 */
const ABBREVIATIONS: Readonly<Record<string, number>> = {
  ...{ UTC: 0, GMT: 0, UT: 0, Z: 0, WET: 0, WEST: 60, BST: 60, CET: 60, MET: 60, MEZ: 60 },
  ...{ CEST: 120, MEST: 120, MESZ: 120, EET: 120, EEST: 180, MSK: 180, TRT: 180 },
  ...{ NST: -210, NDT: -150, AST: -240, ADT: -180, EST: -300, EDT: -240, CST: -360, CDT: -300 },
  ...{ MST: -420, MDT: -360, PST: -480, PDT: -420, AKST: -540, AKDT: -480, HST: -600 },
  ...{ JST: 540, KST: 540, AEST: 600, AEDT: 660, ACST: 570, ACDT: 630, AWST: 480, NZST: 720, NZDT: 780 },
};

const formats = new Map<string, Intl.DateTimeFormat | null>();
const offsets = new Map<string, number>();
const OFFSETS_MAX = 50_000;
const ZONES_MAX = 1_000;
const OFFSET_PERIOD_MS = 15 * MINUTE_MS;

/** The formatter that tells a zone's offset, or null where there is no such zone. */
function formatOf(zone: string): Intl.DateTimeFormat | null {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  let made: Intl.DateTimeFormat | null;
  try {
    made = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset", hour: "numeric" });
  } catch {
    made = null;
  }
  // Names come from documents: what they may make us remember has an end.
  if (formats.size >= ZONES_MAX) formats.clear();
  formats.set(zone, made);
  return made;
}

/** Whether Intl knows a zone by this name. */
export const isZone = (zone: string): boolean => zone !== "" && zone.length <= 64 && formatOf(zone) !== null;

/** How far a zone is east of UTC at an instant. Zones change at quarters of an hour, so that one answer serves for all of it. */
function offsetMs(zone: string, atMs: number): number {
  const period = Math.floor(atMs / OFFSET_PERIOD_MS);
  const key = `${zone}/${period}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const parts = formatOf(zone)?.formatToParts(period * OFFSET_PERIOD_MS) ?? [];
  const text = parts.find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
  const [, sign, hours, minutes, seconds] = /^GMT([+-])(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text) ?? [];
  const size = Number(hours ?? 0) * 3_600_000 + Number(minutes ?? 0) * MINUTE_MS + Number(seconds ?? 0) * 1_000;
  const offset = sign === "-" ? -size : size;
  if (offsets.size >= OFFSETS_MAX) offsets.clear();
  offsets.set(key, offset);
  return offset;
}

/**
 * The instants at which clocks of a zone show a time. Where clocks are put back there are two; where they are put forward there is none, and
 * the time is taken as if they had not been yet, which is the same moment a person meant who did not think of it.
 */
function instantsIn(zone: string, wallMs: number): number[] {
  const before = offsetMs(zone, wallMs - 86_400_000);
  const after = offsetMs(zone, wallMs + 86_400_000);
  const found = [...new Set([wallMs - before, wallMs - after])].filter((at) => at + offsetMs(zone, at) === wallMs);
  return found.length > 0 ? found.toSorted((a, b) => a - b) : [wallMs - before];
}

/** Reads a time, or says null where it is none. `zone` is the IANA name for times that have no zone of their own. */
export function readTime(text: string, zone: string): ReadTime | null {
  const [whole, year = "", month = "01", day = "01", hour = "00", minute = "00", second = "00", named = ""] =
    TIME.exec(text) ?? [];
  if (whole === undefined) return null;
  const wallMs = Date.UTC(+year, +month - 1, +day, +hour, +minute, Math.min(59, +second));
  const at = new Date(wallMs);
  const isDate = at.getUTCMonth() === +month - 1 && at.getUTCDate() === +day && at.getUTCHours() === +hour % 24;
  // 24:00 is the end of a day, as ISO 8601 had it.
  const isTime = +hour < 24 ? +minute < 60 && +second <= 60 : +hour === 24 && +minute === 0 && +second === 0;
  if (+year < YEAR_MIN || !isTime || (!isDate && +hour < 24)) return null;
  return inZone(wallMs, named, zone);
}

function inZone(wallMs: number, named: string, zone: string): ReadTime | null {
  const offset = OFFSET.exec(named);
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    if (minutes > OFFSET_MIN_MAX || Number(offset[3]) > 59) return null;
    const instant = wallMs - (offset[1] === "-" ? -minutes : minutes) * MINUTE_MS;
    return { instantsMs: [instant], unknownZone: null };
  }
  if (named === "") return { instantsMs: instantsIn(zone, wallMs), unknownZone: null };
  const minutes = ABBREVIATIONS[named.toUpperCase()];
  if (minutes !== undefined) return { instantsMs: [wallMs - minutes * MINUTE_MS], unknownZone: null };
  if (named.includes("/") && isZone(named)) return { instantsMs: instantsIn(named, wallMs), unknownZone: null };
  return { instantsMs: instantsIn(zone, wallMs), unknownZone: named };
}
