import type { Context } from "#kernel";
import type { Ranked } from "./domain.ts";
import type { Candidate } from "./domain-model.ts";
import { ORDERED_MAX, reordered } from "./domain-order.ts";
import type { Parts } from "./parts.ts";
import { timely } from "./timely.ts";

export const MODEL = "home-order";
/** With less time than this it is not asked: that it was late would be no fault of its own, and would count against it. */
const WAIT_MS_MIN = 20;

/** What put candidates in order: a model, one that was not there in time, or none that answers for the profile. */
export type OrderedBy = "model" | "fallback" | "default";
interface Ordered {
  readonly candidates: readonly Candidate[];
  readonly by: OrderedBy;
}

/** Candidates as the model of orders puts them, where one is served; without an answer in time as they are. */
export async function order(
  parts: Parts,
  candidates: readonly Candidate[],
  of: { readonly profileId: string; readonly waitMs: number; readonly missing: string[] },
  context: Context,
): Promise<Ordered> {
  const { profileId, waitMs, missing } = of;
  if (candidates.length < 2 || !parts.isOrdered(context.tenant)) return { candidates, by: "default" };
  if (waitMs < Math.min(WAIT_MS_MIN, parts.config.MARQUEE_ORDER_DEADLINE_MS)) {
    missing.push("order");
    return { candidates, by: "fallback" };
  }
  const deadlineMs = Math.min(context.deadlineMs, parts.clock.nowMs() + waitMs);
  const asked = parts.call.models.order(listOf(candidates, profileId), { ...context, deadlineMs });
  const answer = await timely(parts, "order", missing, asked, undefined, waitMs);
  if (answer?.partial) missing.push("order");
  if (!answer || answer.partial) return { candidates, by: "fallback" };
  if (answer.scores.length === 0) return { candidates, by: "default" };
  return { candidates: reordered(candidates, answer.scores), by: "model" };
}

/** What a model is asked to put in order. */
export const listOf = (candidates: readonly Ranked[], profileId: string) => ({
  ...{ model: MODEL, profileId },
  titles: candidates.slice(0, ORDERED_MAX).map(({ id, score }) => ({ contentId: id, score, nearness: Number.NaN })),
});
