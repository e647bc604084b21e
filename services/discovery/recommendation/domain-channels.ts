/**
 * Which channels a profile is likely to watch now: its share of each at this time of day, drawn towards its share over the whole day by as much as
 * little is known of this time (a Dirichlet prior: D. MacKay and L. Bauman Peto 1995, "A hierarchical Dirichlet language model").
 */
export const HALF_LIFE_MS = 14 * 86_400_000;
/** A view of less was a step on the way through the channels. */
export const VIEW_S_MIN = 60;
/** A set that nobody looks at any more. */
export const VIEW_S_MAX = 6 * 3_600;
/** As much is known of a time of day after so long of watching in it as by what is watched at other times. */
const PRIOR_S = 2 * 3_600;
const CHANNELS_MAX = 50;

export interface ChannelView {
  readonly channelId: string;
  /** Quarter of the day, UTC. */
  readonly quarter: number;
  /** As they were worth at `lastAtMs`. */
  readonly seconds: number;
  readonly lastAtMs: number;
}

export const quarterOf = (atMs: number): number => Math.floor((atMs % 86_400_000) / 21_600_000);

/** The most likely first; all that the profile watched lately, and no others. */
export function orderChannels(views: readonly ChannelView[], nowMs: number): string[] {
  const worth = ({ seconds, lastAtMs }: ChannelView): number =>
    seconds * 2 ** (-Math.max(0, nowMs - lastAtMs) / HALF_LIFE_MS);
  const now = quarterOf(nowMs);
  const all = new Map<string, { day: number; quarter: number }>();
  let [day, quarter] = [0, 0];
  for (const view of views) {
    const sums = all.get(view.channelId) ?? { day: 0, quarter: 0 };
    const value = worth(view);
    sums.day += value;
    day += value;
    if (view.quarter === now) {
      sums.quarter += value;
      quarter += value;
    }
    all.set(view.channelId, sums);
  }
  const likelihood = (of: { day: number; quarter: number }): number =>
    (of.quarter + PRIOR_S * (of.day / day)) / (quarter + PRIOR_S);
  return [...all]
    .filter(([, of]) => of.day >= VIEW_S_MIN)
    .map(([channelId, of]) => ({ channelId, likelihood: likelihood(of) }))
    .toSorted((a, b) => b.likelihood - a.likelihood || (a.channelId < b.channelId ? -1 : 1))
    .slice(0, CHANNELS_MAX)
    .map(({ channelId }) => channelId);
}
