import { type Context, problem } from "#kernel";
import { ACTIVE_DAYS, churn, churnByRule, DAY_MS, featuresAt, isActive, trainingSpan } from "./domain-churn.ts";
import { ACCOUNTS_MAX } from "./domain-examples.ts";
import type { Parts } from "./parts.ts";
import { scoreAll } from "./serve.ts";
import * as activity from "./store-activity.ts";
import { today, type Trained } from "./trained.ts";

/** Fewer accounts teach nothing that the rule does not know. */
const ACCOUNTS_MIN = 200;
const IDS_MAX = 500;

export const trainedChurn: Trained = {
  recipe: churn,
  async lack(parts, tx) {
    const found = await activity.countActive(tx, trainingSpan(today(parts)).from);
    return found >= ACCOUNTS_MIN
      ? undefined
      : `${found} accounts have watched something; churn is learned from ${ACCOUNTS_MIN} or more: the rule answers until then`;
  },
  async load(parts, tenant) {
    const day = today(parts);
    const span = trainingSpan(day);
    const accounts = await parts.db.read({ tenant }, (tx) =>
      activity.accounts(tx, { ...span, accountsMax: ACCOUNTS_MAX }),
    );
    return { of: { name: "churn", accounts, today: day }, fromMs: span.from * DAY_MS, toMs: span.to * DAY_MS };
  },
};

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
