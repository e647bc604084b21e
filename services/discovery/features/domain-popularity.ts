import { amount, count, type Kind } from "./domain.ts";
import { add, type Buckets, DAY_MS, HOUR_MS, movesAt, ratio, sumOf } from "./domain-windows.ts";

/** What people did with a title; what they did with an episode counts for its series, too. */
export interface Popularity {
  /** starts */
  readonly hours: Buckets;
  /** starts, watched seconds, ended, completed, shown, chosen, thumbs up, thumbs down */
  readonly days: Buckets;
}

const COLUMNS = {
  ...{ starts: 0, watchedS: 1, ended: 2, completed: 3 },
  ...{ shown: 4, chosen: 5, up: 6, down: 7 },
} as const;
const KEPT_HOURS = 24;
const KEPT_DAYS = 28;

export const popularity: Kind<Popularity> = {
  group: {
    name: "content_popularity",
    entity: "content",
    description: "What people do with a title; what they do with an episode counts for its series, too",
    ttlMs: 28 * DAY_MS,
    cadenceMs: HOUR_MS,
    sourceEvents: [
      ...["playback.started", "playback.stopped"],
      ...["recommendation.served", "recommendation.clicked", "recommendation.opinion.changed"],
    ],
    features: [
      count("starts_24h", "Sessions that began in the last 24 hours"),
      count("starts_7d", "Sessions that began in the last 7 days"),
      count("starts_28d", "Sessions that began in the last 28 days"),
      amount("watched_7d", "h", "Watched by all in the last 7 days"),
      amount("completion_ratio_28d", "", "Share of sessions that came to the last twentieth, of 28 days", null),
      amount("click_through_7d", "", "How often it was chosen of the times it was recommended, in 7 days", null),
      amount("liked_ratio_28d", "", "Share of thumbs that are up, of 28 days", null),
      amount("trend", "", "The last 24 hours beside a day of the last seven: above 1 it rises", null),
    ],
  },
  empty: { hours: [], days: [] },
  changesAt: ({ hours, days }, atMs) =>
    movesAt(hours, atMs, HOUR_MS, KEPT_HOURS) ?? movesAt(days, atMs, DAY_MS, KEPT_DAYS),
  valuesOf({ hours, days }, atMs) {
    const today = Math.floor(atMs / DAY_MS);
    const sum = (within: number, column: keyof typeof COLUMNS): number => sumOf(days, today, within, COLUMNS[column]);
    const starts24 = sumOf(hours, Math.floor(atMs / HOUR_MS), KEPT_HOURS, 0);
    return {
      ...{ starts_24h: starts24, starts_7d: sum(7, "starts"), starts_28d: sum(28, "starts") },
      watched_7d: sum(7, "watchedS") / 3_600,
      completion_ratio_28d: ratio(sum(28, "completed"), sum(28, "ended")),
      click_through_7d: ratio(sum(7, "chosen"), sum(7, "shown")),
      liked_ratio_28d: ratio(sum(28, "up"), sum(28, "up") + sum(28, "down")),
      trend: ratio(7 * starts24, sum(7, "starts")),
    };
  },
};

export const happened =
  (what: Partial<Record<keyof typeof COLUMNS, number>>, atMs: number) =>
  ({ hours, days }: Popularity): Popularity => {
    const sums = Object.keys(COLUMNS).map((column) => what[column as keyof typeof COLUMNS] ?? 0);
    return {
      hours: what.starts ? add(hours, Math.floor(atMs / HOUR_MS), [what.starts], KEPT_HOURS) : hours,
      days: add(days, Math.floor(atMs / DAY_MS), sums, KEPT_DAYS),
    };
  };
