/** Where things are in the guide's grid. Pure: times in, places out. */
import type { GridProgramme, GuideChannel } from "../../../contracts/web/index.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const SLOT_MS = 30 * MINUTE_MS;
/** The guide goes so far ahead. */
export const DAYS = 14;

export interface Scale {
  readonly msPerPx: number;
  readonly rowPx: number;
  readonly channelPx: number;
  readonly headPx: number;
}

/** A thumb needs higher rows, and a phone has no room for names of channels beside their numbers; elsewhere they stand where the page begins. */
export const scaleOf = (widthPx: number): Scale =>
  widthPx < 640
    ? { msPerPx: MINUTE_MS / 4.4, rowPx: 76, channelPx: 84, headPx: 40 }
    : { msPerPx: MINUTE_MS / 5, rowPx: 72, channelPx: Math.round(Math.min(72, widthPx * 0.04)) + 168, headPx: 40 };

export interface Timeline {
  readonly startMs: number;
  readonly stopMs: number;
}

/** From midnight today, where the reader is, to the end of what the guide holds. */
export function timelineOf(nowMs: number): Timeline {
  const startMs = new Date(nowMs).setHours(0, 0, 0, 0);
  return { startMs, stopMs: addDays(startMs, DAYS) };
}

/** Midnight some days later: a day on which clocks change has 23 or 25 hours. */
export function addDays(startMs: number, days: number): number {
  const at = new Date(startMs);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + days).getTime();
}

export interface Segment {
  readonly startMs: number;
  readonly stopMs: number;
  /** Null where nothing is known. */
  readonly programme: GridProgramme | null;
  /** How many more it stands for, which are too short to be seen by themselves. */
  readonly others?: number;
}

/** A channel's stretch of time as a chain without holes: what nothing is known of is a segment as well. */
export function segmentsOf(programmes: readonly GridProgramme[], fromMs: number, toMs: number): Segment[] {
  const segments: Segment[] = [];
  let atMs = fromMs;
  for (const programme of programmes) {
    if (programme.stopMs <= fromMs) continue;
    if (programme.startMs >= toMs) break;
    if (programme.startMs > atMs) segments.push({ startMs: atMs, stopMs: programme.startMs, programme: null });
    segments.push({ startMs: programme.startMs, stopMs: programme.stopMs, programme });
    atMs = programme.stopMs;
  }
  if (atMs < toMs) segments.push({ startMs: atMs, stopMs: toMs, programme: null });
  return segments;
}

/**
 * Programmes in a row that are too short for words are one segment, up to the next half hour: the one that is on now stands for all, else the first
 * that is not locked.
 */
export function gather(segments: readonly Segment[], shortMs: number, nowMs: number): Segment[] {
  const gathered: Segment[] = [];
  let run: Segment[] = [];
  const close = (): void => {
    const [first] = run;
    const last = run.at(-1);
    if (first === undefined || last === undefined) return;
    const isOn = ({ startMs, stopMs }: Segment): boolean => startMs <= nowMs && nowMs < stopMs;
    const { programme } = run.find(isOn) ?? run.find((one) => one.programme?.locked !== true) ?? first;
    gathered.push({ startMs: first.startMs, stopMs: last.stopMs, programme, others: run.length - 1 });
    run = [];
  };
  for (const segment of segments) {
    const slot = Math.floor(segment.startMs / SLOT_MS);
    const isShort = segment.programme !== null && segment.stopMs - segment.startMs < shortMs;
    if (!isShort || (run[0] && Math.floor(run[0].startMs / SLOT_MS) !== slot)) close();
    if (isShort) run.push(segment);
    else gathered.push(segment);
  }
  close();
  return gathered;
}

/** Days in UTC whose programmes may be seen in a stretch of time: those of the day before may reach into it. */
export function daysFor(fromMs: number, toMs: number): string[] {
  const days: string[] = [];
  for (let at = Math.floor(fromMs / DAY_MS) - 1; at * DAY_MS < toMs; at++)
    days.push(new Date(at * DAY_MS).toISOString().slice(0, 10));
  return days;
}

/** `Thu 26 Nov, 20:15–21:45`, where the reader is. */
export function timesOf({ startMs, stopMs }: Pick<GridProgramme, "startMs" | "stopMs">, locale: string): string {
  const day = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short" }).format(startMs);
  const clock = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" });
  return `${day}, ${clock.format(startMs)}–${clock.format(stopMs)}`;
}

/** What is loaded of the guide: channels by their place, and their programmes by day. */
export interface Loaded {
  readonly channels: ReadonlyMap<number, GuideChannel>;
  /** By `channel/day`. */
  readonly days: ReadonlyMap<string, readonly GridProgramme[]>;
  readonly total: number;
}

/** Programmes of a channel on some days, in order; null while one of the days is not there. */
export function programmesOf(loaded: Loaded, channelId: string, days: readonly string[]): GridProgramme[] | null {
  const all: GridProgramme[] = [];
  for (const day of days) {
    const own = loaded.days.get(`${channelId}/${day}`);
    if (own === undefined) return null;
    all.push(...own);
  }
  return all;
}

/** The programme that a person moves to who stands at a time in a row; `step` goes to the one before or after it. */
export function neighbour(segments: readonly Segment[], atMs: number, step: -1 | 0 | 1): Segment | undefined {
  const here = segments.findIndex(({ startMs, stopMs }) => startMs <= atMs && atMs < stopMs);
  return segments[here + step];
}

/** The viewer's own order, or that of the numbers. */
export type GuideOrder = "mine" | "number";
export const orderIn = (search: URLSearchParams): GuideOrder => (search.get("order") === "number" ? "number" : "mine");
