/** Where a profile stands in a title. Ordered by (session's start, sequence): a later session wins over an earlier one. */
export interface Progress {
  readonly userId: string;
  readonly profileId: string;
  readonly contentId: string;
  readonly positionS: number;
  readonly durationS: number;
  readonly isFinished: boolean;
  readonly sessionStartedAtMs: number;
  readonly sequence: number;
  readonly updatedAtMs: number;
}

/** What a player says about its position. */
export type Beat = Omit<Progress, "isFinished">;

/** Credits are not worth coming back for: what is left must be less than 5 % and less than five minutes. */
export const FINISHED_RATIO = 0.95;
export const FINISHED_LEFT_S_MAX = 300;

export const keyOf = (at: { readonly profileId: string; readonly contentId: string }): string =>
  `${at.profileId}/${at.contentId}`;

export function isFinished(positionS: number, durationS: number): boolean {
  return durationS > 0 && positionS >= durationS * FINISHED_RATIO && durationS - positionS <= FINISHED_LEFT_S_MAX;
}

/** Whether one report is newer than another; equal ones are not, so that a redelivery changes nothing. */
export function isNewer(beat: Order, than: Order): boolean {
  if (beat.sessionStartedAtMs !== than.sessionStartedAtMs) return beat.sessionStartedAtMs > than.sessionStartedAtMs;
  return beat.sequence > than.sequence;
}
type Order = { readonly sessionStartedAtMs: number; readonly sequence: number };

/** The newest progress of each title in a batch; replays and reorderings change nothing. `ignored` counts what came too late. */
export function advance(known: ReadonlyMap<string, Order>, beats: readonly Beat[], ignored: () => void): Progress[] {
  const newest = new Map<string, Progress>();
  for (const beat of beats) {
    const previous = newest.get(keyOf(beat)) ?? known.get(keyOf(beat));
    if (previous && !isNewer(beat, previous)) {
      ignored();
      continue;
    }
    newest.set(keyOf(beat), { ...beat, isFinished: isFinished(beat.positionS, beat.durationS) });
  }
  return [...newest.values()];
}
