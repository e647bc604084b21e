/**
 * Routing: how likely the next minute of a delivery network in a region is a bad one, told by the minutes before it. A training row sees nothing
 * after its own minute, and what is asked about at a selection goes through the same function, so that neither is skewed against the other.
 */
import { GBDT_DEFAULTS } from "#learning/gbdt";
import type { Examples, Recipe } from "./domain-recipe.ts";

/** What players saw of a network in one minute, and how our probe fared; minutes are counted since the epoch, UTC. */
export interface Minute {
  readonly minute: number;
  readonly beats: number;
  /** Mean of what players measured; 0: nobody did. */
  readonly throughputKbps: number;
  /** Share of beats with errors or rebuffering. */
  readonly troubleRatio: number;
  readonly scoreP25: number;
  readonly latencyMs: number;
  readonly isUp: boolean;
}

/** A network in a region, its minutes in order, each once. */
export interface Line {
  readonly networkId: string;
  readonly region: string;
  readonly minutes: readonly Minute[];
}

export const MINUTE_MS = 60_000;
/** A prediction looks back so far. */
export const HISTORY_MINUTES = 15;
/** Training looks back so far: a week has every hour of every day. */
export const TRAINING_MINUTES = 7 * 24 * 60;
/** Beats come every ten seconds: fewer than these are half a minute of one viewer. */
const BEATS_MIN = 3;
/** Of the time that is looked at, the last part is judged by: a model is always asked about what comes after what it has seen. */
const TEST_SHARE = 0.25;
const ROWS_MAX = 60_000;

const TROUBLE_MAX = 0.05;
const THROUGHPUT_KBPS_MIN = 1_500;
/** Whether people suffered in a minute: one beat in twenty with an error or rebuffering, or too little for a picture of standard definition. */
export const isBad = ({ troubleRatio, throughputKbps }: Minute): boolean =>
  troubleRatio >= TROUBLE_MAX || (throughputKbps > 0 && throughputKbps < THROUGHPUT_KBPS_MIN);

export const ROUTING_FEATURES = [
  "hour",
  "throughput_1m",
  "throughput_5m",
  "throughput_15m",
  "throughput_least_15m",
  "throughput_trend",
  "trouble_1m",
  "trouble_5m",
  "trouble_15m",
  "minutes_since_bad",
  "score_p25",
  "latency_1m",
  "latency_5m",
  "beats_5m",
  "is_up",
] as const;

/** What was known when the last of these minutes was over; minutes are in order. NaN where nobody said. */
export function featuresOf(minutes: readonly Minute[]): number[] {
  const last = minutes.at(-1);
  if (!last) return ROUTING_FEATURES.map(() => Number.NaN);
  const since = (withinMinutes: number): Minute[] =>
    minutes.filter(({ minute }) => minute > last.minute - withinMinutes && minute <= last.minute);
  const [five, all] = [since(5), since(HISTORY_MINUTES)];
  const measured = (of: readonly Minute[]): Minute[] => of.filter(({ throughputKbps }) => throughputKbps > 0);
  const throughput = (of: readonly Minute[]): number => meanOf(measured(of), (one) => one.throughputKbps);
  const trouble = (of: readonly Minute[]): number => meanOf(of, (one) => one.troubleRatio);
  const bad = all.findLast(isBad);
  const least = measured(all).map(({ throughputKbps }) => throughputKbps);
  return [
    Math.floor(last.minute / 60) % 24,
    throughput([last]),
    throughput(five),
    throughput(all),
    least.length === 0 ? Number.NaN : Math.min(...least),
    throughput([last]) / throughput(all),
    last.troubleRatio,
    trouble(five),
    trouble(all),
    bad ? last.minute - bad.minute : HISTORY_MINUTES,
    last.scoreP25,
    last.latencyMs,
    meanOf(five, (one) => one.latencyMs),
    five.reduce((sum, { beats }) => sum + beats, 0),
    last.isUp ? 1 : 0,
  ];
}

/** Each minute counts by the beats behind it. */
function meanOf(minutes: readonly Minute[], of: (one: Minute) => number): number {
  const beats = minutes.reduce((sum, one) => sum + one.beats, 0);
  return beats === 0 ? Number.NaN : minutes.reduce((sum, one) => sum + one.beats * of(one), 0) / beats;
}

/** Every minute that has one after it, and whether that one was bad; the latest quarter of the time is judged by. */
export function minutesToLearn(lines: readonly Line[]): Examples {
  const all = lines.flatMap(({ networkId, region, minutes }) => {
    const at = new Map(minutes.map((one) => [one.minute, one]));
    return minutes.flatMap((one, index) => {
      const next = at.get(one.minute + 1);
      if (!next || next.beats < BEATS_MIN || one.beats === 0) return [];
      const from = Math.max(0, index - HISTORY_MINUTES + 1);
      const history = minutes.slice(from, index + 1);
      return [{ minute: one.minute, history, isBad: isBad(next), networkId, region }];
    });
  });
  const newest = all.toSorted((a, b) => a.minute - b.minute).slice(-ROWS_MAX);
  const judgedFrom = newest[Math.floor(newest.length * (1 - TEST_SHARE))]?.minute ?? 0;
  const rows = newest.map(({ history }) => featuresOf(history));
  return {
    table: { values: Float32Array.from(rows.flat()), columns: ROUTING_FEATURES.length },
    rule: Float32Array.from(rows, badByRule),
    labels: Float32Array.from(newest, (one) => (one.isBad ? 1 : 0)),
    isTest: newest.map(({ minute }) => minute >= judgedFrom),
    segments: newest.map(({ networkId, region }) => [`network=${networkId}`, `region=${region || "unknown"}`]),
  };
}

const TROUBLE_5M = ROUTING_FEATURES.indexOf("trouble_5m");
const THROUGHPUT_1M = ROUTING_FEATURES.indexOf("throughput_1m");

/** What a first model has to beat: that the next minute is as the last ones were. */
export function badByRule(features: readonly number[]): number {
  const [trouble = Number.NaN, throughput = Number.NaN] = [features[TROUBLE_5M], features[THROUGHPUT_1M]];
  const slow = throughput < THROUGHPUT_KBPS_MIN ? 0.5 : 0;
  return Math.min(0.95, Math.max(0.03, slow, Number.isNaN(trouble) ? 0 : 5 * trouble));
}

export const routing: Recipe = {
  name: "routing",
  features: ROUTING_FEATURES,
  // Minutes of a network follow each other: few and broad leaves, or a model learns single evenings by heart.
  options: {
    ...{ ...GBDT_DEFAULTS, loss: "logistic", trees: 80, leavesMax: 12, learningRate: 0.08 },
    ...{ leastRows: 40, penalty: 1 },
  },
  refreshMs: 3_600_000,
  // Networks have good and bad days, and what is asked about moves with them: only what is wholly different is a drift.
  psiMax: 1,
};
