import { hash } from "node:crypto";

/**
 * The rule by which listings become a guide (docs/guides/guide.md says it for operators). Of one channel of one source:
 *
 *  1. What has no duration is dropped, and what is said twice (same start, same title) is taken once; the one that knows its end is better.
 *  2. Programmes that share a slot by `clumpidx` divide it evenly.
 *  3. An end that is missing is the earliest one of those that start with it; else the next start, where that is within six hours; else
 *     after the length that was named; else after an hour.
 *  4. What is longer than two days is dropped.
 *  5. Of two that start together, the first one of the document stays.
 *  6. A programme that lies wholly inside another of at most six hours is dropped: it is a part of it, and nobody's recording is cut.
 *  7. In every other overlap the one that starts later is right, and the earlier one ends there; what is left of less than a minute goes.
 *  8. A gap of up to two minutes belongs to the programme before it. Longer gaps stay: nothing is invented.
 *
 * Of several sources the one of the highest priority is taken whole. The others fill its gaps in their order, with what shows at least half of
 * its own duration, and five minutes, in the gap; it is cut to the gap.
 */
export interface Slot {
  readonly source: string;
  readonly importId: string;
  readonly seq: number;
  readonly startMs: number;
  readonly stopMs: number | null;
  readonly lengthS: number | null;
  readonly clumpIndex: number;
  readonly clumpCount: number;
  readonly title: string;
  readonly titleKey: string;
  readonly seriesId: string;
  readonly episodeKey: string;
  readonly hash: string;
}

export interface Placed extends Slot {
  readonly stopMs: number;
  readonly stopAssumed: boolean;
}

/** Why a listing is not in the guide as it was written. */
export type Mended = "no_duration" | "duplicate" | "too_long" | "same_start" | "inside" | "overlap_cut" | "end_assumed";
export type Count = (what: Mended) => void;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
const PROGRAMME_MS_MAX = 2 * DAY_MS;
const NEXT_START_MS_MAX = 6 * HOUR_MS;
const ASSUMED_MS = HOUR_MS;
const CONTAINER_MS_MAX = 6 * HOUR_MS;
const LEFT_MS_MIN = MINUTE_MS;
const GAP_MS_MAX = 2 * MINUTE_MS;
const FILLER_MS_MIN = 5 * MINUTE_MS;
/** A programme that is announced again within that time of where it was is taken to have moved. */
const MOVED_MS_MAX = 6 * HOUR_MS;

/** What the guide holds: two weeks, and yesterday, for those who come from another zone or look for what they missed. */
export const KEPT_BEFORE_MS = DAY_MS;
export const KEPT_AFTER_MS = 14 * DAY_MS;

/** The day in UTC that an instant is on, such as 2026-11-26. */
export const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
export const startOfDay = (day: string): number => Date.parse(`${day}T00:00:00Z`);

/** The listings of one channel of one source, in order, without overlap. */
export function arrange(slots: readonly Slot[], count: Count): Placed[] {
  const lasting = slots.filter(({ startMs, stopMs }) => {
    if (stopMs !== startMs) return true;
    count("no_duration");
    return false;
  });
  const sorted = lasting.toSorted((a, b) => a.startMs - b.startMs || a.clumpIndex - b.clumpIndex || a.seq - b.seq);
  const ended = endAll(withoutDuplicates(sorted, count), count);
  const placed: Placed[] = [];
  for (const slot of ended) {
    if (slot.stopMs - slot.startMs > PROGRAMME_MS_MAX) count("too_long");
    else place(placed, slot, count);
  }
  return placed.map((slot, i) => {
    const next = placed[i + 1];
    const gapMs = next ? next.startMs - slot.stopMs : 0;
    return next && gapMs > 0 && gapMs <= GAP_MS_MAX ? { ...slot, stopMs: next.startMs } : slot;
  });
}

function withoutDuplicates(sorted: readonly Slot[], count: Count): Slot[] {
  const kept: Slot[] = [];
  for (const slot of sorted) {
    const twin = kept.findLastIndex((other) => other.startMs === slot.startMs && other.titleKey === slot.titleKey);
    const known = kept[twin];
    // Those of one start stand at the end; a twin further back would have another start.
    if (!known || slot.clumpCount > 1) {
      kept.push(slot);
      continue;
    }
    count("duplicate");
    if (known.stopMs === null && slot.stopMs !== null) kept[twin] = slot;
  }
  return kept;
}

/** Gives every slot its end, and divides those that are shared. */
function endAll(slots: readonly Slot[], count: Count): Placed[] {
  const placed: Placed[] = [];
  const sharedStopMs = new Map<number, number>();
  for (const { startMs, stopMs } of slots)
    if (stopMs !== null) sharedStopMs.set(startMs, Math.min(stopMs, sharedStopMs.get(startMs) ?? stopMs));
  // From the back, so that the next start is known.
  let nextMs = Number.POSITIVE_INFINITY;
  let groupStartMs = Number.POSITIVE_INFINITY;
  for (const slot of slots.toReversed()) {
    if (slot.startMs < groupStartMs) {
      nextMs = groupStartMs;
      groupStartMs = slot.startMs;
    }
    const isNextNear = nextMs - slot.startMs <= NEXT_START_MS_MAX;
    const assumedMs = slot.startMs + (slot.lengthS === null ? ASSUMED_MS : slot.lengthS * 1_000);
    const knownMs = slot.stopMs ?? sharedStopMs.get(slot.startMs);
    const isAssumed = knownMs === undefined && !isNextNear;
    if (isAssumed) count("end_assumed");
    const stopMs = knownMs ?? (isNextNear ? nextMs : assumedMs);
    const shareMs = (stopMs - slot.startMs) / slot.clumpCount;
    const startMs = slot.startMs + Math.round(shareMs * slot.clumpIndex);
    placed.push({
      ...slot,
      startMs,
      stopMs: slot.clumpCount > 1 ? slot.startMs + Math.round(shareMs * (slot.clumpIndex + 1)) : stopMs,
      stopAssumed: isAssumed,
    });
  }
  return placed.toReversed();
}

/** Puts a slot behind those that are placed, which all start before it or with it. */
function place(placed: Placed[], slot: Placed, count: Count): void {
  const last = placed.at(-1);
  if (!last || slot.startMs >= last.stopMs) return void placed.push(slot);
  if (slot.startMs === last.startMs) return count("same_start");
  const isInside = slot.stopMs < last.stopMs && last.stopMs - last.startMs <= CONTAINER_MS_MAX;
  if (isInside) return count("inside");
  count("overlap_cut");
  placed.pop();
  if (slot.startMs - last.startMs >= LEFT_MS_MIN) placed.push({ ...last, stopMs: slot.startMs, stopAssumed: false });
  placed.push(slot);
}

/** What sources say of one channel, the highest priority first, as one guide. Each of them is arranged. */
export function merge(sources: readonly (readonly Placed[])[]): Placed[] {
  return sources.reduce<Placed[]>((all, lower) => fill(all, lower), []);
}

function fill(base: readonly Placed[], lower: readonly Placed[]): Placed[] {
  if (base.length === 0) return [...lower];
  const filled: Placed[] = [];
  let at = 0;
  for (const slot of lower) {
    while ((base[at]?.stopMs ?? Number.POSITIVE_INFINITY) <= slot.startMs) at++;
    const free = largestGap(base, at, slot);
    const freeMs = free.toMs - free.fromMs;
    if (freeMs < Math.min(FILLER_MS_MIN, slot.stopMs - slot.startMs) || freeMs * 2 < slot.stopMs - slot.startMs)
      continue;
    filled.push({ ...slot, startMs: free.fromMs, stopMs: free.toMs });
  }
  return [...base, ...filled].toSorted((a, b) => a.startMs - b.startMs);
}

/** The longest stretch of a slot that nothing of the base lies in; `at` is the first one of the base that ends after its start. */
function largestGap(base: readonly Placed[], at: number, slot: Placed): { fromMs: number; toMs: number } {
  let best = { fromMs: slot.startMs, toMs: slot.startMs };
  let fromMs = slot.startMs;
  for (let i = at; fromMs < slot.stopMs; i++) {
    const next = base[i];
    const toMs = Math.min(next?.startMs ?? slot.stopMs, slot.stopMs);
    if (toMs - fromMs > best.toMs - best.fromMs) best = { fromMs, toMs };
    if (!next || next.startMs >= slot.stopMs) break;
    fromMs = Math.max(fromMs, next.stopMs);
  }
  return best;
}

/** A programme of the guide as it is now. */
export interface Known {
  readonly id: string;
  readonly startMs: number;
  readonly stopMs: number;
  readonly stopAssumed: boolean;
  readonly title: string;
  readonly titleKey: string;
  readonly seriesId: string;
  readonly episodeKey: string;
  readonly hash: string;
}

export interface Change {
  readonly added: readonly { readonly id: string; readonly slot: Placed }[];
  readonly changed: readonly { readonly known: Known; readonly slot: Placed }[];
  readonly removed: readonly Known[];
}

/**
 * What makes the guide of a channel the new one. A programme keeps its id when it moves or is described anew, so that reminders and
 * recordings follow it: it is the same when start and title are, else when it is the same episode, or has the same title, and is not more
 * than six hours from where it was.
 */
export function compare(channelId: string, before: readonly Known[], after: readonly Placed[]): Change {
  const pairs = new Map<Placed, Known>();
  const left = new Set(before);
  const pair = (slot: Placed, known: Known | undefined): void => {
    if (!known) return;
    pairs.set(slot, known);
    left.delete(known);
  };
  const byStart = new Map(before.map((known) => [`${known.startMs}/${known.titleKey}`, known]));
  for (const slot of after) pair(slot, byStart.get(`${slot.startMs}/${slot.titleKey}`));
  for (const signature of [episodeOf, titleOf]) {
    const bySignature = Map.groupBy(left, signature);
    for (const slot of after) {
      const key = signature(slot);
      if (pairs.has(slot) || key === "") continue;
      const near = (bySignature.get(key) ?? []).filter(
        (known) => left.has(known) && Math.abs(known.startMs - slot.startMs) <= MOVED_MS_MAX,
      );
      pair(slot, near.toSorted((a, b) => Math.abs(a.startMs - slot.startMs) - Math.abs(b.startMs - slot.startMs))[0]);
    }
  }
  const ids = new Set(before.map(({ id }) => id));
  const added = after
    .filter((slot) => !pairs.has(slot))
    .map((slot) => {
      const id = idOf(channelId, slot, ids);
      ids.add(id);
      return { id, slot };
    });
  const changed = [...pairs]
    .filter(([slot, known]) => isChanged(known, slot))
    .map(([slot, known]) => ({ known, slot }));
  return { added, changed, removed: [...left] };
}

type Signed = Pick<Known, "seriesId" | "episodeKey" | "titleKey">;
const episodeOf = ({ seriesId, episodeKey }: Signed): string => (episodeKey === "" ? "" : `${seriesId}/${episodeKey}`);
const titleOf = ({ titleKey }: Signed): string => titleKey;

export const isMoved = (known: Known, slot: Placed): boolean =>
  known.startMs !== slot.startMs || known.stopMs !== slot.stopMs;

const isChanged = (known: Known, slot: Placed): boolean =>
  isMoved(known, slot) ||
  known.seriesId !== slot.seriesId ||
  known.hash !== slot.hash ||
  known.stopAssumed !== slot.stopAssumed;

/** An id that follows from what it is of, so that the same guide has the same ids everywhere; a number is added where one is taken. */
function idOf(channelId: string, { startMs, titleKey }: Placed, taken: ReadonlySet<string>): string {
  for (let n = 0; ; n++) {
    const text = `${channelId}/${startMs}/${titleKey}${n === 0 ? "" : `/${n}`}`;
    const id = `pr-${hash("sha256", text, "base64url").slice(0, 20)}`;
    if (!taken.has(id)) return id;
  }
}

/** What an event says of each day that a change touches. */
export interface DayChange {
  readonly day: string;
  readonly added: string[];
  readonly changed: string[];
  readonly removed: string[];
}

export function daysOf({ added, changed, removed }: Change): DayChange[] {
  const days = new Map<number, DayChange>();
  const of = (atMs: number): DayChange => {
    const number = Math.floor(atMs / DAY_MS);
    const known = days.get(number) ?? { day: dayOf(atMs), added: [], changed: [], removed: [] };
    days.set(number, known);
    return known;
  };
  for (const { id, slot } of added) of(slot.startMs).added.push(id);
  for (const { known, slot } of changed)
    for (const day of new Set([of(known.startMs), of(slot.startMs)])) day.changed.push(known.id);
  for (const { id, startMs } of removed) of(startMs).removed.push(id);
  return [...days.values()].toSorted((a, b) => (a.day < b.day ? -1 : 1));
}
