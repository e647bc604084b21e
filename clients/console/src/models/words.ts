/** What is said of a model's versions. Pure. */
import type { Model, Version } from "../api.ts";
import type { Tone } from "../parts.tsx";

export const STAGES: Readonly<Record<string, { readonly name: string; readonly tone: Tone }>> = {
  refused: { name: "Refused", tone: "warn" },
  candidate: { name: "Candidate", tone: "plain" },
  canary: { name: "Canary", tone: "live" },
  production: { name: "Production", tone: "good" },
  retired: { name: "Retired", tone: "plain" },
  rolled_back: { name: "Taken back", tone: "warn" },
};

export const stageOf = ({ stage }: Pick<Version, "stage">) => STAGES[stage] ?? { name: stage, tone: "plain" as const };

export interface Serving {
  readonly production: Version | undefined;
  readonly canary: Version | undefined;
}

export const servingOf = (versions: readonly Version[]): Serving => ({
  production: versions.find(({ stage }) => stage === "production"),
  canary: versions.find(({ stage }) => stage === "canary"),
});

/** Who answers now, in one sentence. */
export function answersOf({ production, canary }: Serving): string {
  const rest = production ? `version ${production.version}` : "the rule";
  if (!canary) return production ? `Version ${production.version} answers everybody.` : "The rule answers everybody.";
  return `Version ${canary.version} answers ${canary.share} % as a canary, ${rest} answers the others.`;
}

/** What a promotion of this version does; undefined where it cannot be promoted. */
export function promotionOf(version: Version): string | undefined {
  if (version.stage === "candidate") return "It becomes the canary and answers 5 % of those who are asked about.";
  if (version.stage !== "canary") return undefined;
  if (version.share < 50) return "It answers 50 % from now on, without waiting for its time at 5 % to be over.";
  return "It answers everybody from now on, and what is in production now is retired.";
}

/** What going back does; undefined where there is nothing to go back from. */
export function rollbackOf(versions: readonly Version[]): string | undefined {
  const { production, canary } = servingOf(versions);
  if (canary)
    return `Version ${canary.version}, the canary, answers nobody any more; ${production ? `version ${production.version}` : "the rule"} answers everybody.`;
  if (!production) return undefined;
  const before = versions
    .filter(({ stage }) => stage === "retired")
    .toSorted((a, b) => Number(b.stageSinceMs) - Number(a.stageSinceMs) || b.version - a.version)[0];
  return `Version ${production.version} answers nobody any more; ${before ? `version ${before.version}, which was there before,` : "the rule"} answers everybody.`;
}

/** How the last training stands; undefined where none goes on and the last one has come to its end. */
export function trainingText({ training }: Model): string | undefined {
  if (training === undefined) return undefined;
  const why = { operator: "asked for by an operator", schedule: "on schedule", drift: "after a drift" }[training.cause];
  if (training.state === "waiting")
    return training.message === ""
      ? `A training waits, ${why ?? ""}`
      : `A training is tried again: ${training.message}`;
  if (training.state === "running") return `A training is under way, ${why ?? ""}`;
  if (training.state === "failed") return `The last training failed: ${training.message}`;
  return undefined;
}

export const isTraining = ({ training }: Model): boolean =>
  training?.state === "waiting" || training?.state === "running";

/** The share of each input in what a version learned, the largest first. */
export const importanceOf = (version: Version): readonly (readonly [name: string, share: number])[] =>
  Object.entries(version.metrics)
    .flatMap(([name, share]) => (name.startsWith("importance.") ? [[name.slice(11), share] as const] : []))
    .toSorted((a, b) => b[1] - a[1]);

/** What versions are judged by, what decides first: an order by its lists, everything else by its answers. */
export const METRICS = {
  ndcg: { name: "NDCG@10", beside: "incumbentNdcg", isMoreBetter: true },
  auc: { name: "AUC", beside: "incumbentAuc", isMoreBetter: true },
  logLoss: { name: "Log loss", beside: "incumbentLogLoss", isMoreBetter: false },
} as const;
export type MetricName = keyof typeof METRICS;

/** Those that any of the versions has. */
export const metricsOf = (versions: readonly Pick<Version, "metrics">[]): readonly MetricName[] =>
  (Object.keys(METRICS) as MetricName[]).filter((name) => versions.some(({ metrics }) => metrics[name] !== undefined));

/** A metric of a version, and of what it was compared with; NaN where there is none. */
export const metricOf = ({ metrics }: Pick<Version, "metrics">, name: MetricName) => ({
  value: metrics[name] ?? Number.NaN,
  beside: metrics[METRICS[name].beside] ?? Number.NaN,
});

export interface Tried {
  /** The options that differ from the model's own; empty: its own. */
  readonly options: string;
  readonly share: number;
  readonly loss: number;
  readonly isChosen: boolean;
}

/** What was tried before the training, the best first; the model's own options are there, too. */
export function triedOf({ lineage }: Pick<Version, "lineage">): readonly Tried[] {
  const [own, ...others] = lineage?.trials ?? [];
  if (!own) return [];
  return [own, ...others]
    .map(({ options, share, loss, chosen }) => ({
      options: Object.entries(options)
        .filter(([name, value]) => own.options[name] !== value)
        .map(([name, value]) => `${name} ${value}`)
        .join(", "),
      ...{ share, loss, isChosen: chosen },
    }))
    .toSorted((a, b) => b.share - a.share || a.loss - b.loss);
}
