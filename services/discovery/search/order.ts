import type { Context } from "#kernel";
import { movable, type Placed, reordered } from "./domain-order.ts";
import type { Parts } from "./service.ts";

export const MODEL = "search-order";

/** What was found as the model of orders puts it; without an answer in time as it is, which `isLate` says. */
export async function order<F extends Placed>(
  { call, clock, config, logger }: Pick<Parts, "call" | "clock" | "config" | "logger">,
  found: F,
  context: Context,
): Promise<{ readonly found: F; readonly isLate: boolean }> {
  const titles = movable(found).map((place) => ({
    contentId: found.ids[place] ?? "",
    score: found.marks[place]?.score ?? Number.NaN,
    nearness: found.marks[place]?.nearness ?? Number.NaN,
  }));
  if (titles.length < 2) return { found, isLate: false };
  const deadlineMs = Math.min(context.deadlineMs, clock.nowMs() + config.MARQUEE_ORDER_DEADLINE_MS);
  const profileId = context.viewer?.profileId ?? "";
  try {
    const { scores, partial } = await call.models.order(
      { model: MODEL, profileId, titles },
      { ...context, deadlineMs },
    );
    return { found: reordered(found, scores), isLate: partial };
  } catch (error) {
    if (context.signal.aborted) throw error;
    logger.debug("what was found stays in its own order", { error });
    return { found, isLate: true };
  }
}
