/** Part of live-crowd.ts: the channel that the crowd watches, and how its objects are named. */

export const CHANNEL = "ch-crowd";
export const PART_MS = 500;
export const PARTS = 4;
/** Together 1.5 Mbit/s. */
export const PART_BYTES = { "720p-h264-1400k": 87_750, "audio-en": 6_000 } as const;
export type Track = keyof typeof PART_BYTES;
export const TRACKS = Object.keys(PART_BYTES) as Track[];

/** A place in the channel: how many parts were published before. */
export const placeOf = (nowMs: number): number => Math.floor(nowMs / PART_MS);
export const numberOf = (place: number): number => Math.floor(place / PARTS);
export const partName = (place: number): string => `seg-${numberOf(place)}.${place % PARTS}.m4s`;
