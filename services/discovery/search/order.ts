import type { Context } from "#kernel";
import { movable, type Placed, reordered } from "./domain-order.ts";
import type { Parts } from "./service.ts";

export const MODEL = "search-order";

/** What put results in order: a model, one that was not there in time, or none that answers. */
export type OrderedBy = "model" | "fallback" | "default";

/** What was found as the model of orders puts it; without an answer in time as it is. */
export async function order<F extends Placed>(
  { call, clock, config, logger }: Pick<Parts, "call" | "clock" | "config" | "logger">,
  found: F,
  context: Context,
): Promise<{ readonly found: F; readonly by: OrderedBy }> {
  const list = listOf(found, context);
  if (list.titles.length < 2) return { found, by: "default" };
  const deadlineMs = Math.min(context.deadlineMs, clock.nowMs() + config.MARQUEE_ORDER_DEADLINE_MS);
  try {
    const { scores, partial } = await call.models.order(list, { ...context, deadlineMs });
    if (partial) return { found, by: "fallback" };
    return { found: reordered(found, scores), by: scores.length > 0 ? "model" : "default" };
  } catch (error) {
    if (context.signal.aborted) throw error;
    logger.debug("what was found stays in its own order", { error });
    return { found, by: "fallback" };
  }
}

/** What a model is asked to put in order. */
export const listOf = (found: Placed, context: Context) => ({
  ...{ model: MODEL, profileId: context.viewer?.profileId ?? "" },
  titles: movable(found).map((place) => ({
    contentId: found.ids[place] ?? "",
    score: found.marks[place]?.score ?? Number.NaN,
    nearness: found.marks[place]?.nearness ?? Number.NaN,
  })),
});
