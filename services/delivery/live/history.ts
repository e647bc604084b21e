import type { LivePlace } from "#media/presentation";
import type { MadePart } from "./packager-worker.ts";
import type { StoredSegment } from "./store.ts";

/** Bytes of this many whole segments of each track stay in memory; older ones are read from their objects. */
const IN_MEMORY_SEGMENTS = 8;
/** Readers that wait for what is still to come, of one channel. Edges ask once for all of theirs. */
const WAITING_MAX = 1_000;

export interface HeldPart {
  readonly durationTicks: number;
  readonly isIndependent: boolean;
  readonly bytes: Uint8Array;
}

export interface HeldSegment {
  readonly number: number;
  readonly run: number;
  /** The first segment that this track has of the run. */
  readonly runFirst: number;
  readonly dayIndex: number;
  readonly init: string;
  durationTicks: number;
  sizeBytes: number;
  isWhole: boolean;
  /** In memory only; empty once the segment is read from its object. */
  parts: HeldPart[];
}

export interface TrackHistory {
  readonly name: string;
  /** Oldest first. */
  readonly segments: HeldSegment[];
  /** What comes next, as far as that is known. */
  next: LivePlace | null;
}

/** What a channel has made of late: every segment of the window by its measure, the newest ones with their bytes. */
export interface History {
  track(name: string): TrackHistory | undefined;
  readonly tracks: ReadonlyMap<string, TrackHistory>;
  /** Takes a part and answers the segment that is whole with it. */
  take(part: MadePart, run: { readonly serial: number; readonly init: string }): HeldSegment | null;
  /** What was made before this process began. */
  restore(segments: readonly StoredSegment[]): void;
  /** A run is over: what grows will not be finished. Answers what is whole by that. */
  close(): { readonly track: string; readonly segment: HeldSegment }[];
  forgetBefore(number: number): void;
  forget(numbers: ReadonlySet<number>): void;
  /** Whether `isThere` came true before the time was up. */
  waitFor(isThere: () => boolean, timeoutMs: number, signal?: AbortSignal): Promise<boolean>;
  /** Those who wait are told to look again, because something else changed. */
  wake(): void;
}

export function openHistory(): History {
  const tracks = new Map<string, TrackHistory>();
  const waiting = new Set<() => void>();

  const trackOf = (name: string): TrackHistory => {
    const known = tracks.get(name) ?? { name, segments: [], next: null };
    tracks.set(name, known);
    return known;
  };
  const wake = (): void => {
    for (const look of [...waiting]) look();
  };

  return {
    tracks,
    track: (name) => tracks.get(name),
    wake,
    take(part, run) {
      const track = trackOf(part.track);
      let segment = track.segments.at(-1);
      if (!segment || segment.number !== part.number) {
        const before = segment;
        segment = {
          ...{
            number: part.number,
            run: run.serial,
            runFirst: before?.run === run.serial ? before.runFirst : part.number,
            dayIndex: part.dayIndex,
            init: run.init,
          },
          ...{ durationTicks: 0, sizeBytes: 0, isWhole: false, parts: [] },
        };
        track.segments.push(segment);
        const old = track.segments.at(-1 - IN_MEMORY_SEGMENTS);
        if (old) old.parts = [];
      }
      segment.parts.push(part);
      segment.durationTicks += part.durationTicks;
      segment.sizeBytes += part.bytes.length;
      segment.isWhole = part.isLast;
      track.next = part.isLast ? { number: part.number + 1, part: 0 } : { number: part.number, part: part.part + 1 };
      wake();
      return part.isLast ? segment : null;
    },
    restore(stored) {
      for (const { number, run, runFirst, dayIndex, tracks: of } of stored)
        for (const [name, { durationTicks, sizeBytes, init }] of Object.entries(of))
          trackOf(name).segments.push({
            ...{ number, run, runFirst, dayIndex, init, durationTicks, sizeBytes },
            ...{ isWhole: true, parts: [] },
          });
    },
    close() {
      const ended: { track: string; segment: HeldSegment }[] = [];
      for (const track of tracks.values()) {
        track.next = null;
        const last = track.segments.at(-1);
        if (!last || last.isWhole) continue;
        last.isWhole = true;
        ended.push({ track: track.name, segment: last });
      }
      wake();
      return ended;
    },
    forgetBefore(number) {
      for (const { segments } of tracks.values()) {
        const kept = segments.findIndex((segment) => segment.number >= number);
        segments.splice(0, kept < 0 ? segments.length : kept);
      }
    },
    forget(numbers) {
      for (const track of tracks.values())
        for (let at = track.segments.length - 1; at >= 0; at--)
          if (numbers.has(track.segments[at]?.number ?? -1)) track.segments.splice(at, 1);
    },
    async waitFor(isThere, timeoutMs, signal) {
      if (isThere()) return true;
      if (waiting.size >= WAITING_MAX || signal?.aborted) return false;
      return new Promise((resolve) => {
        const settle = (came: boolean): void => {
          clearTimeout(timer);
          waiting.delete(look);
          signal?.removeEventListener("abort", leave);
          resolve(came);
        };
        const look = (): void => {
          if (isThere()) settle(true);
        };
        const leave = (): void => settle(false);
        const timer = setTimeout(leave, timeoutMs);
        waiting.add(look);
        signal?.addEventListener("abort", leave, { once: true });
      });
    },
  };
}
