import { type AddSimulatedRequest, isSimulatedId, simulatedId } from "#contracts/catalog";
import { type Context, problem } from "#kernel";
import { assertId, factsIn } from "./edit.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

// Titles of metadata alone, for trials with simulated viewers (docs/guides/recommendations.md).

const TITLES_MAX = 200;
const DURATION_S_MAX = 86_400;

/** Adds titles as if the encoder had said that they play. What is there already stays. */
export async function addSimulated(parts: Parts, { titles }: AddSimulatedRequest, context: Context) {
  assertOperator(context);
  if (titles.length === 0 || titles.length > TITLES_MAX)
    throw problem.invalid(`${titles.length} titles are not between 1 and ${TITLES_MAX}: add them in parts`);
  const wanted = titles.map((title) => {
    const { id, kind, durationS } = title;
    assertId(id);
    if (!isSimulatedId(id)) throw problem.invalid(`id '${id}' does not begin with '${simulatedId("")}'`);
    if (kind !== "film") throw problem.invalid(`kind '${kind.slice(0, 40)}' is not simulated: say film`);
    if (!(durationS > 0 && durationS <= DURATION_S_MAX))
      throw problem.invalid(`durationS ${durationS} is not above 0 and at most ${DURATION_S_MAX}`);
    return { id, durationS, facts: factsIn(title) };
  });
  const added = await parts.db.tx(context, async (tx) => {
    const isNew = await store.insertSimulated(parts.recent, tx, wanted, parts.clock.nowMs());
    for (const { id, facts } of wanted) {
      if (!isNew.has(id)) continue;
      tx.emit("titleAdded", { contentId: id, kind: facts.kind, title: facts.title, genres: [...facts.genres] });
      tx.emit("availabilityChanged", { contentId: id, available: true, reason: "playable" });
    }
    return isNew.size;
  });
  return { added };
}

/** Removes some, as titles are removed for good: whoever keeps something of them hears of it. */
export async function deleteSimulated(parts: Parts, context: Context) {
  assertOperator(context);
  return parts.db.tx(context, async (tx) => {
    const gone = await store.removePrefixed(parts.recent, tx, simulatedId(""), TITLES_MAX);
    for (const contentId of gone) tx.emit("availabilityChanged", { contentId, available: false, reason: "deleted" });
    return { deleted: gone.length, left: gone.length === TITLES_MAX };
  });
}

function assertOperator(context: Context): void {
  if (context.viewer) throw problem.denied("this call is for operators", { reason: "operators_only" });
}
