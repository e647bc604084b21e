import { problem } from "#kernel";
import { trainedChurn } from "./churn.ts";
import { trainedOrders } from "./order.ts";
import { trainedRouting } from "./routing.ts";
import type { Trained } from "./trained.ts";

/** Every model that is trained here. */
export const trained: readonly Trained[] = [trainedChurn, trainedRouting, ...trainedOrders];

export function trainedBy(name: string): Trained {
  const found = trained.find(({ recipe }) => recipe.name === name);
  if (found) return found;
  const names = trained.map(({ recipe }) => `'${recipe.name}'`).join(", ");
  throw problem.notFound(`model '${name.slice(0, 80)}' is not trained here: there are ${names}`);
}
