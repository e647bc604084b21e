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
  const nowMs = parts.clock.nowMs();
  const rows = [];
  for (const group of groups) {
    const summary = found.find((one) => one.group === group.name);
    const due = summary?.oldestDueAtMs;
    rows.push({
      ...{ name: group.name, entity: group.entity, features: group.features.length },
      entities: BigInt(summary?.entities ?? 0),
      newestEventTimeMs: BigInt(summary?.newestEventTimeMs ?? 0),
      overdueMs: BigInt(due === undefined ? 0 : Math.max(0, nowMs - due)),
      cadenceMs: BigInt(group.cadenceMs),
      ...(sample > 0 && kindOf(group.name) ? await skewOf(parts, context.tenant, group, sample) : NOTHING),
    });
  }
  return { groups: rows };
}

async function skewOf(parts: Parts, tenant: string, group: FeatureGroup, limit: number): Promise<Skew> {
  const nowMs = parts.clock.nowMs();
  const keys = await parts.db.read({ tenant }, (tx) => store.sample(tx, group.name, Math.floor(nowMs / DAY_MS), limit));
  if (keys.length === 0) return NOTHING;
  const chosen = [{ group, numbers: [], words: [], hasVector: false }];
  const served = (await lookUp(parts, tenant, { chosen }, keys)).map(([published]) => published);
  const times = served.flatMap((one) => (one ? [one.eventTimeMs] : []));
  const span = { fromMs: Math.max(0, Math.min(...times) - DAY_MS), toMs: nowMs + DAY_MS };
  const past = await readPast(parts, tenant, { ...span, keys, names: new Set([group.name]) });
  return compare(
    group,
    keys.map((key, index) => ({ key, served: served[index] })),
    past,
  );
}

/** What is served beside what was kept of the same time; what the lake has not taken yet is not compared. */
export function compare(
  group: FeatureGroup,
  served: readonly { readonly key: string; readonly served: Published | undefined }[],
  past: readonly Past[],
): Skew {
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
