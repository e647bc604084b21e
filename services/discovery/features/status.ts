import { type Context, problem } from "#kernel";
import { countInto, driftOf, referenceOf } from "#learning/drift";
import { type FeatureGroup, isNumber, type Known, type Published } from "./domain.ts";
import { DAY_MS } from "./domain-windows.ts";
import { groups, kindOf } from "./groups.ts";
import { type Past, readPast } from "./offline.ts";
import { lookUp } from "./online.ts";
import type { Parts } from "./parts.ts";
import * as store from "./store.ts";

const SAMPLE_MAX = 200;
/** Fewer say nothing about a distribution. */
const PSI_ROWS_MIN = 50;
const CLOSE = 1e-9;
/** What was published longer ago is not compared: it would mean to read the whole lake. */
const LOOK_BACK_MS = 7 * DAY_MS;
const KEYS_AT_ONCE = 1_000;

export interface Skew {
  readonly sampled: number;
  readonly compared: number;
  readonly skewed: number;
  readonly psi: number;
  readonly psiFeature: string;
}
const NOTHING: Skew = { sampled: 0, compared: 0, skewed: 0, psi: Number.NaN, psiFeature: "" };

/** How fresh each group is, and, of a sample, whether what is served is what training would see. */
export async function status(parts: Parts, sample: number, context: Context) {
  if (context.viewer) throw problem.denied("the state of features is not shown to viewers");
  if (sample > SAMPLE_MAX) throw problem.invalid(`${sample} entities are more than ${SAMPLE_MAX}`);
  const found = await parts.db.read(context, store.summaries);
  const skews = sample > 0 ? await skewsOf(parts, context.tenant, sample) : new Map<string, Skew>();
  const nowMs = parts.clock.nowMs();
  return {
    groups: groups.map((group) => {
      const summary = found.find((one) => one.group === group.name);
      const due = summary?.oldestDueAtMs;
      return {
        ...{ name: group.name, entity: group.entity, features: group.features.length },
        entities: BigInt(summary?.entities ?? 0),
        newestEventTimeMs: BigInt(summary?.newestEventTimeMs ?? 0),
        overdueMs: BigInt(due === undefined ? 0 : Math.max(0, nowMs - due)),
        cadenceMs: BigInt(group.cadenceMs),
        ...(skews.get(group.name) ?? NOTHING),
      };
    }),
  };
}

/** Samples every group and compares it with the lake, which is read once for all of them. */
export async function skewsOf(parts: Parts, tenant: string, limit: number): Promise<ReadonlyMap<string, Skew>> {
  const nowMs = parts.clock.nowMs();
  const day = Math.floor(nowMs / DAY_MS);
  const samples: { readonly group: FeatureGroup; readonly served: readonly Served[] }[] = [];
  for (const group of groups.filter(({ name }) => kindOf(name) !== undefined)) {
    const keys = await parts.db.read({ tenant }, (tx) => store.sample(tx, group.name, day, limit));
    const chosen = [{ group, numbers: [], words: [], hasVector: false }];
    const found = await lookUp(parts, tenant, { chosen }, keys);
    samples.push({ group, served: keys.map((key, row) => ({ key, served: found[row]?.[0] })) });
  }
  const past: Past[] = [];
  const all = samples.flatMap(({ served }) => served.map(({ key }) => key));
  const keys = [...new Set(all)];
  const span = { fromMs: nowMs - LOOK_BACK_MS, toMs: nowMs + DAY_MS };
  const names = new Set(samples.map(({ group }) => group.name));
  for (let at = 0; at < keys.length; at += KEYS_AT_ONCE)
    past.push(...(await readPast(parts, tenant, { ...span, keys: keys.slice(at, at + KEYS_AT_ONCE), names })));
  return new Map(
    samples.map(({ group, served }) => [
      group.name,
      compare(
        group,
        served,
        past.filter((one) => one.group === group.name),
      ),
    ]),
  );
}

interface Served {
  readonly key: string;
  readonly served: Published | undefined;
}

/** What is served beside what was kept of the same time; what the lake has not taken yet is not compared. */
export function compare(group: FeatureGroup, served: readonly Served[], past: readonly Past[]): Skew {
  const kept = new Map<string, Past>();
  for (const one of past) {
    const name = `${one.key}/${one.eventTimeMs}`;
    if ((kept.get(name)?.createdAtMs ?? 0) <= one.createdAtMs) kept.set(name, one);
  }
  const pairs = served.flatMap(({ key, served: online }) => {
    const offline = online && kept.get(`${key}/${online.eventTimeMs}`);
    return online && offline ? [{ online, offline }] : [];
  });
  return {
    ...{ sampled: served.length, compared: pairs.length },
    skewed: pairs.filter(({ online, offline }) => !isSame(online, offline)).length,
    ...worstPsi(group, pairs),
  };
}

const isSame = (a: Known, b: Known): boolean =>
  isClose(a.numbers, b.numbers) && isClose(a.vector, b.vector) && a.words.join("\0") === b.words.join("\0");

const isClose = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length &&
  a.every((value, index) => {
    const other = b[index] ?? Number.NaN;
    return Number.isNaN(value) ? Number.isNaN(other) : Math.abs(value - other) <= CLOSE * Math.max(1, Math.abs(value));
  });

function worstPsi(
  group: FeatureGroup,
  pairs: readonly { readonly online: Known; readonly offline: Known }[],
): Pick<Skew, "psi" | "psiFeature"> {
  let worst = { psi: Number.NaN, psiFeature: "" };
  for (const [place, { name }] of group.features.filter(isNumber).entries()) {
    const [now, then] = (["online", "offline"] as const).map((side) =>
      pairs.map((pair) => pair[side].numbers[place] ?? Number.NaN).filter((value) => !Number.isNaN(value)),
    );
    if (!now || !then || Math.min(now.length, then.length) < PSI_ROWS_MIN) continue;
    const reference = referenceOf(then);
    const { psi } = driftOf(reference, countInto(reference.bounds, now));
    if (!(psi <= worst.psi)) worst = { psi, psiFeature: name };
  }
  return worst;
}
