import { problem } from "#kernel";
import { DAY_MS, trainingSpan } from "./domain-churn.ts";
import { CHURN, type ModelsTx, type Parts } from "./parts.ts";
import * as activity from "./store-activity.ts";

export const QUEUE = "models-train";
/** Fewer accounts teach nothing that the rule does not know. */
export const ACCOUNTS_MIN = 200;

export type Cause = "operator" | "schedule" | "drift";

/** Enqueues a training; one that waits or runs for this tenant is enough. */
export async function ask(parts: Parts, tx: ModelsTx, cause: Cause): Promise<void> {
  await parts.jobs.send(tx, QUEUE, [{ key: `${tx.tenant}/${CHURN}`, payload: { tenant: tx.tenant, cause } }]);
}

/** Refuses where there is too little to learn from, before anybody waits. */
export async function assertEnough(parts: Parts, tx: ModelsTx): Promise<void> {
  const { from } = trainingSpan(today(parts));
  const found = await activity.countActive(tx, from);
  if (found < ACCOUNTS_MIN)
    throw problem.precondition(
      `${found} accounts have watched something; churn is learned from ${ACCOUNTS_MIN} or more: the rule answers until then`,
      { reason: "too_little_data" },
    );
}

export const today = ({ clock }: Pick<Parts, "clock">): number => Math.floor(clock.nowMs() / DAY_MS);
