import type { PredictRoutesRequest } from "#contracts/models";
import { type Context, problem } from "#kernel";
import { featuresOf, HISTORY_MINUTES, MINUTE_MS, routing, TRAINING_MINUTES } from "./domain-routing.ts";
import type { Parts } from "./parts.ts";
import { scoreAll } from "./serve.ts";
import * as minutes from "./store-minutes.ts";
import { minuteNow, type Trained } from "./trained.ts";

/** So many minutes of networks are some hours of an evening. */
const MINUTES_MIN = 400;
const NETWORKS_MAX = 50;

export const trainedRouting: Trained = {
  recipe: routing,
  async lack(parts, tx) {
    const found = await minutes.count(tx, minuteNow(parts) - TRAINING_MINUTES);
    return found >= MINUTES_MIN
      ? undefined
      : `${found} minutes of delivery networks are known; routing is learned from ${MINUTES_MIN} or more: round-robin answers until then`;
  },
  async load(parts, tenant) {
    const to = minuteNow(parts);
    const from = to - TRAINING_MINUTES;
    // The minute that is still going on has no end to be judged by.
    const lines = await parts.db.read({ tenant }, (tx) => minutes.lines(tx, from, to));
    return { of: { name: "routing", lines }, fromMs: from * MINUTE_MS, toMs: to * MINUTE_MS };
  },
};

/** How likely the next minute of each network is a bad one. Without a model nothing is said: who asks has a rule of their own. */
export async function predictRoutes(parts: Parts, request: PredictRoutesRequest, context: Context) {
  const { region, userId, networks } = request;
  if (networks.length === 0 || networks.length > NETWORKS_MAX)
    throw problem.invalid(`${networks.length} networks are not 1 to ${NETWORKS_MAX}`);
  const many = networks.find(({ minutes }) => minutes.length > HISTORY_MINUTES);
  if (many)
    throw problem.invalid(
      `network '${many.networkId.slice(0, 80)}' has ${many.minutes.length} minutes: the last ${HISTORY_MINUTES} are enough`,
    );
  const asked = networks.map(({ networkId, minutes }) => {
    const inOrder = minutes.toSorted((a, b) => a.minute - b.minute);
    return {
      who: userId,
      entity: `${networkId}/${region}/${inOrder.at(-1)?.minute ?? 0}`,
      isTypical: inOrder.length > 0,
      features: featuresOf(inOrder),
    };
  });
  // A late answer is none: whoever waits for a picture waits for this.
  const leftMs = Math.min(parts.config.MARQUEE_ROUTING_DEADLINE_MS, context.deadlineMs - parts.clock.nowMs());
  const scores = leftMs > 0 ? await scoreAll(parts, context.tenant, routing, asked, leftMs) : [];
  const predictions = networks.flatMap(({ networkId }, index) => {
    const said = scores[index];
    return said ? [{ networkId, ...said }] : [];
  });
  return { predictions, partial: predictions.length < networks.length };
}
