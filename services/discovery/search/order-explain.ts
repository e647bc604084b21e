import type { Context } from "#kernel";
import type { Placed } from "./domain-order.ts";
import { listOf } from "./order.ts";
import type { Parts } from "./service.ts";

/** A page that somebody opens to know may wait longer for the model than a search does. */
const EXPLAIN_MS_MAX = 500;

/** By what the model of orders puts a title where it stands in what was found. */
export async function explainOrder(
  { call, clock, logger }: Pick<Parts, "call" | "clock" | "logger">,
  found: Placed,
  contentId: string,
  context: Context,
) {
  if (found.ids.slice(0, found.pinned).includes(contentId)) return { by: "named", partial: false };
  const list = listOf(found, context);
  const titles = list.titles.length;
  if (titles < 2) return { by: "default", partial: false };
  if (!list.titles.some((title) => title.contentId === contentId)) return { by: "outside", titles, partial: false };
  const deadlineMs = Math.min(context.deadlineMs, clock.nowMs() + EXPLAIN_MS_MAX);
  try {
    const answer = await call.models.explainOrder({ list, contentId }, { ...context, deadlineMs });
    const { version, sinceMs, share, place, partial } = answer;
    if (version === 0) return { by: "default", partial };
    const influences = answer.influences.map(({ what, effect, places }) => ({ what, effect, places }));
    // Who asks now is not put in order by a model that does not answer.
    const by = partial ? "fallback" : "model";
    return { by, version, sinceMs, share, place, titles, influences, partial };
  } catch (error) {
    if (context.signal.aborted) throw error;
    logger.debug("a title's place was not explained in time", { error });
    return { by: "fallback", titles, partial: true };
  }
}
