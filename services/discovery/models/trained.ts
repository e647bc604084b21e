import { DAY_MS } from "./domain-churn.ts";
import type { ToTrainer } from "./domain-examples.ts";
import type { Recipe } from "./domain-recipe.ts";
import { MINUTE_MS } from "./domain-routing.ts";
import type { ModelsTx, Parts } from "./parts.ts";

/** A model that is trained here, with where its rows come from. */
export interface Trained {
  readonly recipe: Recipe;
  /** Why there is too little to learn from; undefined where there is enough. */
  lack(parts: Parts, tx: ModelsTx): Promise<string | undefined>;
  load(
    parts: Parts,
    tenant: string,
  ): Promise<{ readonly of: ToTrainer; readonly fromMs: number; readonly toMs: number }>;
}

export const today = ({ clock }: Pick<Parts, "clock">): number => Math.floor(clock.nowMs() / DAY_MS);
export const minuteNow = ({ clock }: Pick<Parts, "clock">): number => Math.floor(clock.nowMs() / MINUTE_MS);
