/** What alerts and summaries go by (ARCH-001 section 9, "QoE Alerting Dimensions"), but for the ISP, which nobody tells us yet. */
export const DIMENSIONS = ["network", "region", "platform", "channel", "content_type"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const THRESHOLD = 70;
/** An alert ends only here, so that a score that wavers about the threshold is one alert and not many. */
export const RECOVERED = 75;
/** A quarter of fewer sessions than this is one or two people. */
export const SESSIONS_MIN = 10;

export interface Segment {
  readonly dimension: Dimension;
  readonly value: string;
  readonly sessions: number;
  readonly p25: number;
  readonly mean: number;
}

export const keyOf = ({ dimension, value }: Pick<Segment, "dimension" | "value">): string => `${dimension}:${value}`;

/** Whether a segment has a name and enough sessions to say anything. */
export const isCounted = ({ value, sessions }: Segment): boolean => value !== "" && sessions >= SESSIONS_MIN;

/** Which alerts begin and which end. A segment that nobody watches any more has no score to be low. */
export function judge(
  open: ReadonlySet<string>,
  segments: readonly Segment[],
): { readonly opened: readonly Segment[]; readonly closed: readonly string[] } {
  const counted = segments.filter(isCounted);
  const low = new Set(counted.filter(({ p25 }) => p25 < RECOVERED).map(keyOf));
  return {
    opened: counted.filter((segment) => segment.p25 < THRESHOLD && !open.has(keyOf(segment))),
    closed: [...open].filter((key) => !low.has(key)),
  };
}
