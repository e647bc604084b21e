import { problem } from "#kernel";
import { churn, DAY_MS, trainingSpan } from "./domain-churn.ts";
import { ACCOUNTS_MAX, type ToTrainer } from "./domain-examples.ts";
import type { Recipe } from "./domain-recipe.ts";
import { MINUTE_MS, routing, TRAINING_MINUTES } from "./domain-routing.ts";
import type { ModelsTx, Parts } from "./parts.ts";
import * as activity from "./store-activity.ts";
import * as minutes from "./store-minutes.ts";

/** Fewer accounts teach nothing that the rule does not know. */
const ACCOUNTS_MIN = 200;
/** So many minutes of networks are some hours of an evening. */
const MINUTES_MIN = 400;

/** A model that is trained here, with where its rows come from. */
export interface Trained {
  readonly recipe: Recipe;
  /** Why there is too little to learn from; undefined where there is enough. */
  lack(parts: Parts, tx: ModelsTx): Promise<string | undefined>;
  load(parts: Parts, tx: ModelsTx): Promise<{ readonly of: ToTrainer; readonly fromMs: number; readonly toMs: number }>;
}

export const today = ({ clock }: Pick<Parts, "clock">): number => Math.floor(clock.nowMs() / DAY_MS);
export const minuteNow = ({ clock }: Pick<Parts, "clock">): number => Math.floor(clock.nowMs() / MINUTE_MS);

export const trained: readonly Trained[] = [
  {
    recipe: churn,
    async lack(parts, tx) {
      const found = await activity.countActive(tx, trainingSpan(today(parts)).from);
      return found >= ACCOUNTS_MIN
        ? undefined
        : `${found} accounts have watched something; churn is learned from ${ACCOUNTS_MIN} or more: the rule answers until then`;
    },
    async load(parts, tx) {
      const day = today(parts);
      const span = trainingSpan(day);
      const accounts = await activity.accounts(tx, { ...span, accountsMax: ACCOUNTS_MAX });
      return { of: { name: "churn", accounts, today: day }, fromMs: span.from * DAY_MS, toMs: span.to * DAY_MS };
    },
  },
  {
    recipe: routing,
    async lack(parts, tx) {
      const found = await minutes.count(tx, minuteNow(parts) - TRAINING_MINUTES);
      return found >= MINUTES_MIN
        ? undefined
        : `${found} minutes of delivery networks are known; routing is learned from ${MINUTES_MIN} or more: round-robin answers until then`;
    },
    async load(parts, tx) {
      const to = minuteNow(parts);
      const from = to - TRAINING_MINUTES;
      // The minute that is still going on has no end to be judged by.
      const lines = await minutes.lines(tx, from, to);
      return { of: { name: "routing", lines }, fromMs: from * MINUTE_MS, toMs: to * MINUTE_MS };
    },
  },
];

export function trainedBy(name: string): Trained {
  const found = trained.find(({ recipe }) => recipe.name === name);
  if (found) return found;
  const names = trained.map(({ recipe }) => `'${recipe.name}'`).join(" and ");
  throw problem.notFound(`model '${name.slice(0, 80)}' is not trained here: there are ${names}`);
}
