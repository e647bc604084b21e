import type { PredictRoutesRequest } from "#contracts/models";
import { type Context, problem } from "#kernel";
import { ACTIVE_DAYS, churn, churnByRule, featuresAt, isActive } from "./domain-churn.ts";
import { featuresOf, HISTORY_MINUTES, routing } from "./domain-routing.ts";
import type { Parts } from "./parts.ts";
import { today } from "./recipes.ts";
import { scoreAll } from "./serve.ts";
import * as activity from "./store-activity.ts";

const IDS_MAX = 500;
const NETWORKS_MAX = 50;

/** How likely each account is to leave; by rule for those whom no model answers in time. */
export async function predictChurn(parts: Parts, userIds: readonly string[], context: Context) {
  if (context.viewer) throw problem.denied("what is expected of people is not for viewers");
  if (userIds.length === 0 || userIds.length > IDS_MAX)
    throw problem.invalid(`${userIds.length} accounts are not 1 to ${IDS_MAX}: ask in parts`);
  const startedMs = performance.now();
  const { tenant } = context;
  const day = today(parts);
  const found = await parts.db.read(context, (tx) =>
    activity.accounts(tx, { from: day - ACTIVE_DAYS, to: day, userIds: [...new Set(userIds)] }),
  );
  const known = new Map(found.map((account) => [account.userId, featuresAt(account, day)]));
  const asked = userIds.flatMap((userId) => {
    const features = known.get(userId);
    return features ? [{ who: userId, entity: userId, isTypical: isActive(features), features }] : [];
  });
  const scores = await scoreAll(parts, tenant, churn, asked, parts.config.MARQUEE_MODEL_DEADLINE_MS);
  const predictions = asked.map(({ who: userId, features }, index) => ({
    userId,
    ...(scores[index] ?? { score: churnByRule(features), version: 0 }),
  }));
  const latencyMs = performance.now() - startedMs;
  const facts = predictions.map(({ userId, score, version }) => ({
    ...{ userId, modelName: churn.name, version, score, latencyMs, partial: version === 0 },
  }));
  if (facts.length > 0) parts.tell("predictionServed", facts, context);
  return { predictions, partial: predictions.some(({ version }) => version === 0) };
}

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
