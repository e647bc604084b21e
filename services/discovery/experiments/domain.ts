/** What an experiment's figures allow to say (ARCH-001 section 6, "A/B Testing Framework for ML"). */
import { sampleRatioPValue } from "#learning/sample-ratio";
import { type Arm, compare, type Verdict as Compared } from "#learning/sequential";

export const METRICS = ["viewed", "watch_s", "sessions", "errors"] as const;
export type Metric = (typeof METRICS)[number];
export const isMetric = (text: string): text is Metric => METRICS.some((metric) => metric === text);

export const RUNNING_MAX = 3;
export const PERCENT_MIN = 5;
export const PERCENT_MAX = 50;
export const DAY_MS = 86_400_000;
/** A week has every kind of day. */
export const RUNTIME_MIN_MS = 7 * DAY_MS;
export const ALPHA = 0.05;
/** Looked at often, so it has to be rare: below it people are kept out of an arm. */
const RATIO_ALPHA = 0.001;

/** What may not get worse: which way is worse, and the effect that is worth finding. */
const GUARDRAILS: Readonly<Partial<Record<Metric, { readonly worse: "more" | "less"; readonly scale: number }>>> = {
  sessions: { worse: "less", scale: 0.2 },
  errors: { worse: "more", scale: 0.05 },
};

export interface Sums {
  readonly control: Arm;
  readonly treatment: Arm;
}

export interface Tested extends Compared {
  readonly metric: Metric;
  readonly role: "primary" | "guardrail";
}

interface Plan {
  readonly metric: Metric;
  readonly scale: number;
  readonly startedAtMs: number;
}

/** Every metric that an experiment is judged by; `before` has the p-values that were reached. */
export function testAll(
  { metric: primary, scale }: Plan,
  sums: ReadonlyMap<Metric, Sums>,
  before: ReadonlyMap<string, number>,
): Tested[] {
  const tested = (metric: Metric, role: Tested["role"], mixture: number): Tested[] => {
    const own = sums.get(metric);
    return own
      ? [{ metric, role, ...compare(own.control, own.treatment, { alpha: ALPHA, scale: mixture }, before.get(metric)) }]
      : [];
  };
  return METRICS.flatMap((metric) => {
    const guardrail = GUARDRAILS[metric];
    if (metric === primary) return tested(metric, "primary", scale);
    return guardrail ? tested(metric, "guardrail", guardrail.scale) : [];
  });
}

/** Why an experiment has to stop now; undefined where it may go on. */
export function harmOf(tested: readonly Tested[]): string | undefined {
  for (const { metric, low, high, effect, pValue } of tested) {
    const worse = GUARDRAILS[metric]?.worse;
    const isWorse = worse === "more" ? low > 0 : worse === "less" && high < 0;
    if (isWorse)
      return `guardrail ${metric}: treatment differs by ${effect.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)}, p ${pValue.toExponential(1)})`;
  }
  return undefined;
}

export const ratioOf = (exposed: readonly [control: number, treatment: number]): number =>
  sampleRatioPValue(exposed, [1, 1]);

export type Verdict = "too_early" | "no_difference_yet" | "better" | "worse" | "sample_ratio_mismatch";

/** What can be said of the primary metric. More is better, of errors less is. */
export function verdictOf(plan: Plan, tested: readonly Tested[], ratioPValue: number, nowMs: number): Verdict {
  if (ratioPValue < RATIO_ALPHA) return "sample_ratio_mismatch";
  if (nowMs - plan.startedAtMs < RUNTIME_MIN_MS) return "too_early";
  const primary = tested.find(({ role }) => role === "primary");
  if (!primary || primary.pValue >= ALPHA) return "no_difference_yet";
  return primary.effect > 0 === (plan.metric !== "errors") ? "better" : "worse";
}
