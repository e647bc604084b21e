import type { ExplainOrderRequest } from "#contracts/models";
import { type Context, problem } from "#kernel";
import { within } from "#kernel/within";
import { influencesOf, placeOf, variantsOf } from "./domain-influence.ts";
import { FIRST, featuresOf, type Order, orders } from "./domain-order.ts";
import { assertOrder, online } from "./order.ts";
import type { Parts } from "./parts.ts";
import { routesOf, scoresOf, versionFor } from "./serve.ts";
import type { Version } from "./store.ts";

const NOBODY = { version: 0, sinceMs: 0n, share: 0, place: 0, influences: [], partial: false };

/** By what the version that answers for a profile put a title where it stands in a list. It is asked as it was then; nothing of this is counted. */
export async function explainOrder(parts: Parts, { list, contentId }: ExplainOrderRequest, context: Context) {
  if (!list) throw problem.invalid("the list is missing");
  const name = assertOrder(list, context);
  const at = list.titles.findIndex((title) => title.contentId === contentId);
  if (at < 0) throw problem.invalid(`title '${contentId.slice(0, 64)}' is not in the list`);
  const { tenant } = context;
  const version = versionFor(await routesOf(parts, tenant, name), list.profileId);
  if (!version) return NOBODY;
  const { version: number, stageSinceMs, share, stage } = version;
  const used = { version: number, sinceMs: BigInt(stageSinceMs), share: stage === "canary" ? share : 100 };
  try {
    const known = await online(parts, name, list, context);
    const positions = list.titles.map(() => FIRST);
    const rows = featuresOf(name, { titles: list.titles, positions, atMs: parts.clock.nowMs() }, known);
    const variants = variantsOf(name, rows, at);
    const all = [...rows, ...variants.map(({ features }) => features)];
    const scores = await ask(parts, version, { name, all }, context);
    const [own, others] = [scores.slice(0, rows.length), scores.slice(rows.length)];
    const influences = influencesOf(variants, { list: own, variants: others }, at);
    return { ...used, place: placeOf(own[at] ?? 0, own, at) + 1, influences, partial: false };
  } catch (error) {
    if (context.signal.aborted) throw error;
    parts.logger.debug("a title's place was not explained in time", { model: name, error });
    return { ...used, place: 0, influences: [], partial: true };
  }
}

function ask(
  parts: Parts,
  version: Version,
  { name, all }: { readonly name: Order; readonly all: readonly (readonly number[])[] },
  { tenant, deadlineMs, signal }: Context,
): Promise<number[]> {
  const table = { values: Float32Array.from(all.flat()), columns: orders[name].features.length };
  const leftMs = Math.max(1, deadlineMs - parts.clock.nowMs());
  return within(leftMs, "the model", signal, scoresOf(parts, tenant, version, table, leftMs));
}
