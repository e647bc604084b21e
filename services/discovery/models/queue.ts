import { problem } from "#kernel";
import type { ModelsTx, Parts } from "./parts.ts";
import * as trainings from "./store-trainings.ts";
import type { Trained } from "./trained.ts";

export const QUEUE = "models-train";

export type Cause = "operator" | "schedule" | "drift";

/** Enqueues a training; one of the same model that waits or runs for this tenant is enough. */
export async function ask(parts: Parts, tx: ModelsTx, name: string, cause: Cause): Promise<void> {
  await trainings.asked(tx, name, cause, parts.clock.nowMs());
  await parts.jobs.send(tx, QUEUE, [{ key: `${tx.tenant}/${name}`, payload: { tenant: tx.tenant, name, cause } }]);
}

/** Refuses where there is too little to learn from, before anybody waits. */
export async function assertEnough(parts: Parts, tx: ModelsTx, model: Trained): Promise<void> {
  const lack = await model.lack(parts, tx);
  if (lack !== undefined) throw problem.precondition(lack, { reason: "too_little_data" });
}
