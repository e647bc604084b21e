/**
 * What is unusual in how people fare, minute by minute: of all, of each delivery network and of each channel. A detector says what is unusual for a
 * segment at this time; where it does not answer, or knows a segment for too short a time, a fixed threshold says what is bad anywhere.
 */
import { ANOMALY_THRESHOLD } from "#learning/anomaly";

export const MINUTE_MS = 60_000;
/** A detector begins with so many minutes of the past. */
export const HISTORY_MINUTES = 480;
/** One that has seen fewer minutes of a segment says nothing of it. */
export const ROWS_MIN = 120;
/** A share of fewer sessions than this is one or two people. */
const SESSIONS_MIN = 10;

export const MEASURES = ["sessions", "errors", "rebuffering"] as const;
export type Measure = (typeof MEASURES)[number];

/** Shares that are bad anywhere; how many people watch is neither good nor bad in itself. */
const THRESHOLDS: Readonly<Record<Measure, number>> = { sessions: Infinity, errors: 0.05, rebuffering: 0.02 };
/** What is unusual must matter, too: so much more of all beats, or so much less of those who watched. */
const RISE_MIN = 0.005;
const FALL_MIN = 0.3;

export interface Point {
  readonly dimension: "all" | "network" | "channel";
  /** Which one of it; empty for all. */
  readonly value: string;
  readonly measure: Measure;
  readonly minute: number;
  readonly sessions: number;
  readonly figure: number;
}

export const seriesOf = ({ dimension, value, measure }: Pick<Point, "dimension" | "value" | "measure">): string =>
  `${dimension}:${value}:${measure}`;

/** What the detector says of the last minutes of a series. */
export interface Verdict {
  /** 0 to 1, the highest of the minutes that were new. */
  readonly score: number;
  /** The median of the hour before. */
  readonly usual: number;
  /** Minutes that it knows. */
  readonly rows: number;
}

export interface Anomaly extends Point {
  readonly usual: number;
  /** It is over when the figure is back at this. */
  readonly endsAt: number;
  readonly score: number;
  /** A fixed threshold said so in the detector's place. */
  readonly isPartial: boolean;
}

export interface Look {
  readonly opened: readonly Anomaly[];
  /** Series whose anomaly is over. */
  readonly closed: readonly string[];
  /** Some or all was watched by fixed thresholds because the detector did not answer. */
  readonly isPartial: boolean;
}

/** What begins and what ends with the newest minute. */
export function look(
  newest: readonly Point[],
  verdicts: ReadonlyMap<string, Verdict> | undefined,
  open: ReadonlyMap<string, Pick<Anomaly, "measure" | "endsAt">>,
): Look {
  const opened = newest.flatMap((point): Anomaly[] => {
    if (open.has(seriesOf(point))) return [];
    const verdict = verdicts?.get(seriesOf(point));
    const found = verdict && verdict.rows >= ROWS_MIN ? byDetector(point, verdict) : byThreshold(point);
    return found ? [found] : [];
  });
  const now = new Map(newest.map((point) => [seriesOf(point), point]));
  const closed = [...open].flatMap(([series, { measure, endsAt }]) => {
    const figure = now.get(series)?.figure;
    // A segment that nobody watches any more has no figure to be bad.
    const isOver = figure === undefined || (measure === "sessions" ? figure >= endsAt : figure <= endsAt);
    return isOver ? [series] : [];
  });
  return { opened, closed, isPartial: verdicts === undefined };
}

function byDetector(point: Point, { score, usual }: Verdict): Anomaly | undefined {
  const { measure, figure, sessions } = point;
  const isWorse =
    measure === "sessions"
      ? usual >= SESSIONS_MIN && figure <= usual * (1 - FALL_MIN)
      : sessions >= SESSIONS_MIN && figure >= usual + RISE_MIN;
  if (score < ANOMALY_THRESHOLD || !isWorse) return undefined;
  return { ...point, usual, score, endsAt: (usual + figure) / 2, isPartial: false };
}

function byThreshold(point: Point): Anomaly | undefined {
  const threshold = THRESHOLDS[point.measure];
  if (point.figure < threshold || point.sessions < SESSIONS_MIN) return undefined;
  return { ...point, usual: threshold, score: 0, endsAt: 0.8 * threshold, isPartial: true };
}
