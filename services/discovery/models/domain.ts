/** The way of a version: what lets it pass, how far, and what takes it back (ARCH-001 section 6, "ML Pipeline"). */
import { createHash } from "node:crypto";
import type { Drift } from "#learning/drift";
import { refusalOfLists } from "./domain-lists.ts";
import type { Judgement } from "./domain-recipe.ts";

export type Stage = "refused" | "candidate" | "canary" | "production" | "retired" | "rolled_back";

/** What a canary gets first, what it gets next, and for how long it has each before it goes on. */
const STEPS = [
  { share: 5, holdMs: 3_600_000 },
  { share: 50, holdMs: 4 * 3_600_000 },
] as const;
export const FIRST_SHARE = STEPS[0].share;

/** A segment may not be served worse than all are by more than this, nor worse than before by so much. */
const SEGMENT_GAP_MAX = 0.15;
const SEGMENT_LOSS_MAX = 0.05;

/** Less is rounding, and no progress. */
const PROGRESS_MIN = 1e-4;

/** Why a new version may not go on, with the figures; undefined where it may. The incumbent was judged on the same rows. */
export function refusal(candidate: Judgement, incumbent: Judgement & { readonly name: string }): string | undefined {
  const { name } = incumbent;
  if (candidate.lists) return refusalOfLists({ ...candidate, lists: candidate.lists }, incumbent);
  if (!(candidate.auc > incumbent.auc + PROGRESS_MIN))
    return `AUC ${shown(candidate.auc)} is not above ${shown(incumbent.auc)} of ${name}`;
  if (!(candidate.logLoss < incumbent.logLoss - PROGRESS_MIN))
    return `log loss ${shown(candidate.logLoss)} is not below ${shown(incumbent.logLoss)} of ${name}`;
  for (const { segment, auc } of candidate.segments) {
    if (candidate.auc - auc > SEGMENT_GAP_MAX)
      return `segment ${segment} has AUC ${shown(auc)}, all have ${shown(candidate.auc)}: it would serve some much worse`;
    const before = incumbent.segments.find((one) => one.segment === segment);
    if (before && before.auc - auc > SEGMENT_LOSS_MAX)
      return `segment ${segment} has AUC ${shown(auc)}, with ${name} it has ${shown(before.auc)}`;
  }
  return undefined;
}

const shown = (value: number): string => value.toFixed(4);

/** What a new version has, beside what is there. */
export function compared(candidate: Judgement, incumbent: Judgement & { readonly name: string }): string {
  if (candidate.lists && incumbent.lists)
    return `NDCG@10 ${shown(candidate.lists.ndcg)}, ${incumbent.name} has ${shown(incumbent.lists.ndcg)}`;
  return `AUC ${shown(candidate.auc)}, ${incumbent.name} has ${shown(incumbent.auc)}`;
}

/** What was seen of a version since it has its share. */
export interface Seen {
  readonly predictions: number;
  /** Of them those that the rule had to answer, because the model failed or was late. */
  readonly failures: number;
  /** Different ones: who is asked about again and again would look like a drift to them. */
  readonly people: number;
  readonly drift: Drift;
}

const JUDGED_FROM = 200;
/** Over ten bins, chance alone gives so many people a PSI of about .05. */
export const PEOPLE_MIN = 200;
const FAILURES_JUDGED_FROM = 20;
const FAILURES_SHARE_MAX = 0.01;

export type Step =
  | { readonly kind: "hold" }
  | { readonly kind: "widen"; readonly share: number; readonly reason: string }
  | { readonly kind: "promote"; readonly reason: string }
  | { readonly kind: "rollback"; readonly reason: string };

/** What is asked of a canary and what it has now. */
export interface Canary {
  readonly share: number;
  readonly sinceMs: number;
  readonly psiMax: number;
}

/** What becomes of a canary now. */
export function nextStep({ share, sinceMs, psiMax }: Canary, seen: Seen, nowMs: number): Step {
  const { predictions, failures, people, drift } = seen;
  const failed = failures / Math.max(1, predictions);
  if (predictions >= FAILURES_JUDGED_FROM && failed > FAILURES_SHARE_MAX)
    return { kind: "rollback", reason: `${failures} of ${predictions} predictions failed or were late` };
  const isKnown = people >= PEOPLE_MIN;
  if (isKnown && drift.psi > psiMax)
    return {
      kind: "rollback",
      reason: `its scores drifted from training: PSI ${drift.psi.toFixed(3)} over ${people} different ones is above ${psiMax}`,
    };
  if (predictions < JUDGED_FROM) return { kind: "hold" };
  const holdMs = STEPS.find((step) => step.share === share)?.holdMs ?? 0;
  if (nowMs - sinceMs < holdMs) return { kind: "hold" };
  const reason = `${predictions} predictions at ${share} %, ${failures} failed, ${isKnown ? `PSI ${drift.psi.toFixed(3)}` : `${people} different ones, too few to see a drift`}`;
  return widened(share, reason);
}

/** The next share of a canary, or all. */
export function widened(share: number, reason: string): Step {
  const next = STEPS.find((step) => step.share > share);
  return next ? { kind: "widen", share: next.share, reason } : { kind: "promote", reason };
}

/** Whether the canary answers for somebody: the same people while its share grows, and others for another model. */
export function isInCanary(model: string, entityId: string, share: number): boolean {
  const hash = createHash("sha256").update(`${model}\n${entityId}`).digest().readUInt32BE(0);
  return hash < (share / 100) * 2 ** 32;
}
