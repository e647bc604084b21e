import type { OrderRequest } from "#contracts/models";
import { assertOwnProfile, type Context, problem, systemContext } from "#kernel";
import { within } from "#kernel/within";
import {
  featuresOf,
  FIRST,
  type Known,
  type KnownList,
  knownOf,
  knowsViewer,
  NOTHING_KNOWN,
  type Order,
  ORDERS,
  orders,
  segmentOf,
  SHOWN_FIRST,
  type ShownList,
  TITLE_FEATURES,
  TITLES_MAX,
  VIEWER_FEATURES,
} from "./domain-order.ts";
import type { Parts } from "./parts.ts";
import { routesOf, scoreAll, versionFor } from "./serve.ts";
import * as lists from "./store-lists.ts";
import type { Trained } from "./trained.ts";

const HOUR_MS = 3_600_000;
/** As long as features of popularity are kept. */
export const TRAINING_MS = 28 * 24 * HOUR_MS;
/** Who was shown a list may still choose from it for so long. */
export const CHOOSING_MS = HOUR_MS;
const LISTS_MIN = 200;
const LISTS_MAX = 5_000;
/** What is asked of the past at once: busy titles have a value for each hour. */
const KEYS_AT_ONCE = 50;
const ROWS_AT_ONCE = 2_000;
const PAST_MS_MAX = 60_000;

export const trainedOrders: readonly Trained[] = ORDERS.map((order) => ({
  recipe: orders[order],
  async lack(parts, tx) {
    const found = await lists.count(tx, order, parts.clock.nowMs() - TRAINING_MS);
    return found >= LISTS_MIN
      ? undefined
      : `${found} lists were chosen from; ${order} is learned from ${LISTS_MIN} or more: the present order stays until then`;
  },
  async load(parts, tenant) {
    const toMs = parts.clock.nowMs() - CHOOSING_MS;
    const fromMs = toMs - TRAINING_MS;
    const of = { fromMs, toMs, limit: LISTS_MAX };
    const shown = await parts.db.read({ tenant }, (tx) => lists.chosenFrom(tx, order, of));
    return { of: { name: order, lists: await withPast(parts, tenant, order, shown) }, fromMs, toMs };
  },
}));

/** Lists with the features that were known when they were shown, from the offline side of the feature store. */
async function withPast(parts: Parts, tenant: string, order: Order, shown: readonly ShownList[]): Promise<KnownList[]> {
  // What is known of titles is published by the hour: lists of one hour ask for the same.
  const hourOf = (atMs: number): number => atMs - (atMs % HOUR_MS);
  const titles = await past(
    parts,
    tenant,
    TITLE_FEATURES,
    shown.flatMap((list) => list.titles.map(({ contentId }) => ({ key: contentId, timeMs: hourOf(list.atMs) }))),
  );
  const viewers = knowsViewer(order)
    ? await past(
        parts,
        tenant,
        VIEWER_FEATURES,
        shown.map(({ profileId, atMs }) => ({ key: profileId, timeMs: atMs })),
      )
    : NOBODY;
  return shown.map((list) => {
    const known = {
      titles: list.titles.map(({ contentId }) => titles({ key: contentId, timeMs: hourOf(list.atMs) })),
      viewer: viewers({ key: list.profileId, timeMs: list.atMs }),
    };
    const positions = list.titles.map((_, at) => at);
    const segment = segmentOf(list, known.viewer);
    return { ...list, segment, rows: featuresOf(order, { titles: list.titles, positions, atMs: list.atMs }, known) };
  });
}

interface At {
  readonly key: string;
  readonly timeMs: number;
}
const NOBODY = (): Known => NOTHING_KNOWN;

/** What was known of entities at times, each asked for once and in parts. */
async function past(
  { call, clock }: Parts,
  tenant: string,
  features: readonly string[],
  wanted: readonly At[],
): Promise<(at: At) => Known> {
  const nameOf = ({ key, timeMs }: At): string => `${key}\n${timeMs}`;
  const found = new Map<string, Known>();
  const unique = new Map(wanted.map((at) => [nameOf(at), at]));
  for (const rows of partsOf([...unique.values()])) {
    const context = systemContext(tenant, "models", { clock, deadlineMs: PAST_MS_MAX });
    const request = { features: [...features], rows: rows.map(({ key, timeMs }) => ({ key, timeMs: BigInt(timeMs) })) };
    const known = knownOf(await call.features.getHistoricalFeatures(request, context));
    for (const [row, at] of rows.entries()) found.set(nameOf(at), known(row));
  }
  return (at) => found.get(nameOf(at)) ?? NOTHING_KNOWN;
}

/** Rows by entity, so that each call names few of them. */
function* partsOf(all: readonly At[]): Generator<readonly At[]> {
  let part: At[] = [];
  let keys = 0;
  for (const own of Map.groupBy(all, ({ key }) => key).values()) {
    if (keys >= KEYS_AT_ONCE || part.length + own.length > ROWS_AT_ONCE) {
      if (part.length > 0) yield part;
      [part, keys] = [[], 0];
    }
    part.push(...own.slice(0, ROWS_AT_ONCE));
    keys += 1;
  }
  if (part.length > 0) yield part;
}

/** Which order is asked for; refuses what none can be asked. */
export function assertOrder({ model, profileId, titles }: OrderRequest, context: Context): Order {
  const name = ORDERS.find((one) => one === model);
  if (!name) throw problem.invalid(`'${model.slice(0, 80)}' orders nothing: say ${ORDERS.join(" or ")}`);
  if (titles.length === 0 || titles.length > TITLES_MAX)
    throw problem.invalid(`${titles.length} titles are not 1 to ${TITLES_MAX}`);
  assertOwnProfile(context, profileId);
  return name;
}

const NOTHING_SAID = { scores: [], version: 0, partial: false };

/** How likely each title of a list is chosen, if it stood first. Without a model for the profile nothing is said, and nothing is looked up. */
export async function order(parts: Parts, request: OrderRequest, context: Context) {
  const name = assertOrder(request, context);
  const { profileId, titles } = request;
  const { tenant } = context;
  const version = versionFor(await routesOf(parts, tenant, name), profileId);
  if (!version) return NOTHING_SAID;
  const { MARQUEE_ORDER_DEADLINE_MS: modelMs } = parts.config;
  const untilMs = Math.min(parts.clock.nowMs() + modelMs, context.deadlineMs);
  const leftMs = (): number => untilMs - parts.clock.nowMs();
  const partial = { ...NOTHING_SAID, partial: true };
  const known = await online(parts, name, { profileId, titles }, { ...context, deadlineMs: untilMs }).catch(
    (error: unknown) => {
      parts.logger.debug("features were not there in time, and the order stayed", { model: name, error });
      return undefined;
    },
  );
  if (!known || leftMs() <= 0) return partial;
  const positions = titles.map(() => FIRST);
  const rows = featuresOf(name, { titles, positions, atMs: parts.clock.nowMs() }, known);
  const asked = rows.map((features, at) => ({
    ...{ who: profileId, entity: `${profileId}/${titles[at]?.contentId ?? ""}`, features },
    isTypical: at < SHOWN_FIRST,
  }));
  const said = await scoreAll(parts, tenant, orders[name], asked, leftMs());
  const scores = said.flatMap((one) => one?.score ?? []);
  return scores.length === titles.length ? { scores, version: version.version, partial: false } : partial;
}

/** What is known now of the titles of a list, and of who is shown it. */
export async function online(
  { call, clock }: Parts,
  name: Order,
  of: Pick<OrderRequest, "profileId" | "titles">,
  context: Context,
): Promise<{ readonly titles: readonly Known[]; readonly viewer: Known }> {
  // Ours is the question, and not the viewer's: they never see what comes of it but as an order.
  const own: Context = { ...context, viewer: null };
  const ask = (features: readonly string[], keys: readonly string[]) =>
    call.features.getOnlineFeatures({ features: [...features], keys: [...keys] }, own).then(knownOf);
  const both = Promise.all([
    ask(
      TITLE_FEATURES,
      of.titles.map(({ contentId }) => contentId),
    ),
    knowsViewer(name) && of.profileId !== "" ? ask(VIEWER_FEATURES, [of.profileId]) : NOBODY,
  ]);
  const [titles, viewer] = await within(context.deadlineMs - clock.nowMs(), "features", context.signal, both);
  return { titles: of.titles.map((_, row) => titles(row)), viewer: viewer(0) };
}

export async function serving(parts: Parts, name: string, { tenant }: Context): Promise<{ readonly served: boolean }> {
  return { served: (await routesOf(parts, tenant, name)).length > 0 };
}
