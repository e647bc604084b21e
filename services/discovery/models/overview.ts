import type { Context } from "#kernel";
import { inventory } from "./inventory.ts";
import type { ModelsTx, Parts } from "./parts.ts";
import { trained } from "./recipes.ts";
import * as trainings from "./store-trainings.ts";

/** Every model of the inventory; of those that are trained here, also what stands in the way and how the last training stands. */
export async function overview(parts: Parts, context: Context) {
  // What is there to learn from is counted in a transaction of its own kind, as a training does.
  const { known, lacks } = await parts.db.tx(context, async (tx) => ({
    known: new Map((await trainings.all(tx)).map((training) => [training.name, training])),
    lacks: await lacksOf(parts, tx),
  }));
  return {
    models: inventory.map(({ model: title, name = "", ...about }) => {
      const training = known.get(name);
      const psiMax = trained.find(({ recipe }) => recipe.name === name)?.recipe.psiMax ?? 0;
      return {
        ...{ ...about, title, name, psiMax, lack: lacks.get(name) ?? "" },
        ...(training && {
          training: {
            ...{ state: training.state, cause: training.cause, message: training.message },
            ...{ askedAtMs: BigInt(training.askedAtMs), atMs: BigInt(training.atMs) },
          },
        }),
      };
    }),
  };
}

async function lacksOf(parts: Parts, tx: ModelsTx): Promise<Map<string, string | undefined>> {
  const lacks = new Map<string, string | undefined>();
  for (const model of trained) lacks.set(model.recipe.name, await model.lack(parts, tx));
  return lacks;
}
