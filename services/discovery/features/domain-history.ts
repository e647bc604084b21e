import { amount, count, type Kind, word } from "./domain.ts";
import {
  add,
  type Buckets,
  countOf,
  DAY_MS,
  later,
  meet,
  metSince,
  movesAt,
  ratio,
  type Recent,
  type Said,
  sumOf,
} from "./domain-windows.ts";

/** What a profile watched, by day. */
export interface History {
  /** sessions, watched seconds, completed, abandoned, of channels, errors */
  readonly days: Buckets;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly sessions: number;
  readonly watchedS: number;
  readonly titles: Recent;
  readonly last: Said;
}

const [SESSIONS, WATCHED, COMPLETED, ABANDONED, LIVE, ERRORS] = [0, 1, 2, 3, 4, 5];
const KEPT_DAYS = 90;
const TITLES_MAX = 100;
const COMPLETED_SHARE = 0.95;
/** Who leaves so soon did not like it. */
const ABANDONED_S = 5 * 60;

export const history: Kind<History> = {
  group: {
    name: "user_viewing_history",
    entity: "user",
    description: "What a profile watched, in days of UTC",
    ttlMs: 90 * DAY_MS,
    cadenceMs: 0,
    sourceEvents: ["playback.started", "playback.stopped", "playback.error"],
    features: [
      count("sessions_1d", "Sessions that ended today"),
      count("sessions_7d", "Sessions of the last 7 days"),
      count("sessions_28d", "Sessions of the last 28 days"),
      count("sessions_90d", "Sessions of the last 90 days"),
      amount("watched_1d", "h", "Watched today"),
      amount("watched_7d", "h", "Watched in the last 7 days"),
      amount("watched_28d", "h", "Watched in the last 28 days"),
      amount("watched_90d", "h", "Watched in the last 90 days"),
      count("active_days_7d", "Days with a session, of the last 7", "d"),
      count("active_days_28d", "Days with a session, of the last 28", "d"),
      count("active_days_90d", "Days with a session, of the last 90", "d"),
      amount("since_last_view", "d", "Since something was started or stopped last", null),
      amount("since_first_view", "d", "Since something was started first", null),
      count("sessions_total", "Sessions ever"),
      amount("watched_total", "h", "Watched ever"),
      count("completions_28d", "Sessions that came to the last twentieth of a title, of 28 days"),
      amount("completion_ratio_28d", "", "Their share of the sessions", null),
      count("abandoned_28d", "Sessions of titles that ended within five minutes, not at the end, of 28 days"),
      amount("session_length_28d", "min", "Mean length of sessions of 28 days", null),
      amount("live_share_28d", "", "Share of sessions that were of channels, of 28 days", null),
      count("errors_28d", "Errors of playback in 28 days"),
      count("titles_28d", "Different titles and channels of 28 days, at most 100"),
      amount(
        "titles_per_session_28d",
        "",
        "Different titles for each session: low for who comes back to the same",
        null,
      ),
      amount("trend", "", "The last week beside a week of the last four: below 1 it wanes", null),
      word("last_content_id", "What was started last"),
    ],
  },
  empty: { days: [], firstMs: 0, lastMs: 0, sessions: 0, watchedS: 0, titles: [], last: ["", 0] },
  changesAt: ({ days }, atMs) => movesAt(days, atMs, DAY_MS, KEPT_DAYS),
  valuesOf({ days, firstMs, lastMs, sessions, watchedS, titles, last }, atMs) {
    const today = Math.floor(atMs / DAY_MS);
    const sum = (within: number, column = SESSIONS): number => sumOf(days, today, within, column ?? SESSIONS);
    const hours = (within: number): number => sum(within, WATCHED) / 3_600;
    const active = (within: number): number => countOf(days, today, within, SESSIONS ?? 0);
    const sessions28 = sum(28);
    const titles28 = metSince(titles, (today - 27) * DAY_MS);
    const since = (ms: number): number => (ms > 0 ? (atMs - ms) / DAY_MS : Number.NaN);
    return {
      ...{ sessions_1d: sum(1), sessions_7d: sum(7), sessions_28d: sessions28, sessions_90d: sum(90) },
      ...{ watched_1d: hours(1), watched_7d: hours(7), watched_28d: hours(28), watched_90d: hours(90) },
      ...{ active_days_7d: active(7), active_days_28d: active(28), active_days_90d: active(90) },
      ...{ since_last_view: since(lastMs), since_first_view: since(firstMs) },
      ...{ sessions_total: sessions, watched_total: watchedS / 3_600 },
      completions_28d: sum(28, COMPLETED),
      completion_ratio_28d: ratio(sum(28, COMPLETED), sessions28),
      abandoned_28d: sum(28, ABANDONED),
      session_length_28d: ratio(sum(28, WATCHED), sessions28) / 60,
      live_share_28d: ratio(sum(28, LIVE), sessions28),
      errors_28d: sum(28, ERRORS),
      titles_28d: titles28,
      titles_per_session_28d: ratio(titles28, sessions28),
      trend: ratio(4 * sum(7), sessions28),
      last_content_id: last[0],
    };
  },
};

const seen = (state: History, atMs: number): History => ({
  ...state,
  firstMs: state.firstMs === 0 ? atMs : Math.min(state.firstMs, atMs),
  lastMs: Math.max(state.lastMs, atMs),
});

export const started =
  ({ contentId, startedAtMs }: { readonly contentId: string; readonly startedAtMs: number }) =>
  (state: History): History => ({
    ...seen(state, startedAtMs),
    titles: meet(state.titles, contentId, startedAtMs, TITLES_MAX),
    last: later(state.last, [contentId, startedAtMs]),
  });

export interface Ended {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly positionS: number;
  readonly durationS: number;
  readonly isLive: boolean;
}

/** Sessions are no longer than a day: a clock that was wrong must not make somebody watch for years. */
export const watchedSOf = ({ startedAtMs, endedAtMs }: Pick<Ended, "startedAtMs" | "endedAtMs">): number =>
  Math.min(86_400, Math.max(0, (endedAtMs - startedAtMs) / 1_000));
export const isCompleted = ({ isLive, positionS, durationS }: Ended): boolean =>
  !isLive && durationS > 0 && positionS >= COMPLETED_SHARE * durationS;

export const stopped =
  (session: Ended) =>
  (state: History): History => {
    const watchedS = watchedSOf(session);
    const completed = isCompleted(session);
    const abandoned = !session.isLive && !completed && watchedS < ABANDONED_S;
    const sums = [1, watchedS, Number(completed), Number(abandoned), Number(session.isLive), 0];
    return {
      ...seen(state, session.endedAtMs),
      days: add(state.days, Math.floor(session.endedAtMs / DAY_MS), sums, KEPT_DAYS),
      sessions: state.sessions + 1,
      watchedS: state.watchedS + watchedS,
    };
  };

export const failed =
  (atMs: number) =>
  (state: History): History => ({
    ...state,
    days: add(state.days, Math.floor(atMs / DAY_MS), [0, 0, 0, 0, 0, 1], KEPT_DAYS),
  });
