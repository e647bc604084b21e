import type { Context } from "#kernel";
import type { Candidate } from "./domain-model.ts";
import { ORDERED_MAX, reordered } from "./domain-order.ts";
import type { Parts } from "./parts.ts";
import { timely } from "./timely.ts";

export const MODEL = "home-order";
/** With less time than this it is not asked: that it was late would be no fault of its own, and would count against it. */
const WAIT_MS_MIN = 20;

/** Candidates as the model of orders puts them, where one is served; without an answer in time as they are. */
export async function order(
  parts: Parts,
  candidates: readonly Candidate[],
  of: { readonly profileId: string; readonly waitMs: number; readonly missing: string[] },
  context: Context,
): Promise<readonly Candidate[]> {
  const { profileId, waitMs, missing } = of;
  if (candidates.length < 2 || !parts.isOrdered(context.tenant)) return candidates;
  if (waitMs < Math.min(WAIT_MS_MIN, parts.config.MARQUEE_ORDER_DEADLINE_MS)) {
    missing.push("order");
    return candidates;
  }
  const titles = candidates
    .slice(0, ORDERED_MAX)
    .map(({ id, score }) => ({ contentId: id, score, nearness: Number.NaN }));
  const deadlineMs = Math.min(context.deadlineMs, parts.clock.nowMs() + waitMs);
  const asked = parts.call.models.order({ model: MODEL, profileId, titles }, { ...context, deadlineMs });
  const answer = await timely(parts, "order", missing, asked, undefined, waitMs);
  if (answer?.partial) missing.push("order");
  return answer ? reordered(candidates, answer.scores) : candidates;
}
