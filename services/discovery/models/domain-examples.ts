/** What the trainer's thread is handed, by model. */
import { type Account, churn, snapshotsOf } from "./domain-churn.ts";
import { type KnownList, listsToLearn, type Order, orders } from "./domain-order.ts";
import type { Examples, Recipe } from "./domain-recipe.ts";
import { type Line, minutesToLearn, routing } from "./domain-routing.ts";

export const ACCOUNTS_MAX = 10_000;

export type ToTrainer =
  | { readonly name: "churn"; readonly accounts: readonly Account[]; readonly today: number }
  | { readonly name: "routing"; readonly lines: readonly Line[] }
  | { readonly name: Order; readonly lists: readonly KnownList[] };

export function examplesOf(of: ToTrainer): { readonly recipe: Recipe; readonly examples: Examples } {
  if (of.name === "churn") return { recipe: churn, examples: snapshotsOf(of.accounts, of.today) };
  if (of.name === "routing") return { recipe: routing, examples: minutesToLearn(of.lines) };
  return { recipe: orders[of.name], examples: listsToLearn(of.name, of.lists) };
}
