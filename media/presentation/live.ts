/**
 * The timeline of live presentations. Segments are spans of two seconds that are counted since the epoch, so that their numbers
 * survive restarts and every track, encoder and edge agrees on them without asking. Parts divide a segment the same way.
 *
 *   place of a sample = (⌊time / segment⌋, ⌊(time mod segment) / part⌋)
 *
 * A cut is where the place changes. The same function says where the next part will be, so that what a playlist hints at is what
 * is made (RFC 8216bis, 4.4.5.3).
 */

export const LIVE_SEGMENT_S = 2;

/** How the time of one track is divided. */
export interface LiveGrid {
  readonly timescale: number;
  readonly segmentTicks: number;
  readonly partTicks: number;
}

export interface LivePlace {
  readonly number: number;
  readonly part: number;
}

/** Frames of a part: at most half a second, and as many as divide a segment, so that each part opens with a frame of its own. */
export function partFrames(frameRate: number): number {
  const segmentFrames = frameRate * LIVE_SEGMENT_S;
  let frames = Math.max(1, Math.floor(frameRate / 2));
  while (segmentFrames % frames !== 0) frames--;
  return frames;
}

export const liveGrid = (timescale: number, partS: number): LiveGrid => ({
  timescale,
  segmentTicks: timescale * LIVE_SEGMENT_S,
  partTicks: Math.round(timescale * partS),
});

export function placeOf(timeTicks: number, grid: LiveGrid): LivePlace {
  const number = Math.floor(timeTicks / grid.segmentTicks);
  return { number, part: Math.floor((timeTicks - number * grid.segmentTicks) / grid.partTicks) };
}

export const isSamePlace = (a: LivePlace, b: LivePlace): boolean => a.number === b.number && a.part === b.part;

/** `seg-896000000.m4s`, or with a part `seg-896000000.3.m4s`. */
export const liveSegmentName = (number: number, part?: number): string =>
  part === undefined ? `seg-${number}.m4s` : `seg-${number}.${part}.m4s`;
