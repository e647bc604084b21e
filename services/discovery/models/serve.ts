import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { Problem, problem, toProblem } from "#kernel";
import { INPUT_NAME } from "#learning/onnx";
import { countInto } from "#learning/drift";
import type { Table } from "#learning/table";
import { isInCanary } from "./domain.ts";
import type { Recipe } from "./domain-recipe.ts";
import { type Counted, type Parts, refOf, type Serving } from "./parts.ts";
import * as store from "./store.ts";
import { today } from "./trained.ts";

const ROUTES_MS = 2_000;
const ROWS_MAX = 10_000;
const TENANTS_MAX = 1_000;
const SEEN_MAX = 200_000;

export function openServing(): Serving {
  const routes = new LRUCache<string, readonly store.Version[]>({ max: TENANTS_MAX, ttl: ROUTES_MS });
  return {
    routes,
    counted: new Map(),
    seen: new LRUCache({ max: SEEN_MAX }),
    loading: new Map(),
    answered: new LRUCache({ max: TENANTS_MAX }),
    forget: (tenant, name) => void routes.delete(`${tenant}/${name}`),
  };
}

export async function routesOf(parts: Parts, tenant: string, name: string): Promise<readonly store.Version[]> {
  const known = parts.serving.routes.get(`${tenant}/${name}`);
  if (known) return known;
  const found = await parts.db.read({ tenant }, (tx) => store.serving(tx, name));
  parts.serving.routes.set(`${tenant}/${name}`, found);
  return found;
}

/** The scores of some rows by one version, which is loaded where the runtime does not have it. */
export async function scoresOf(
  parts: Parts,
  tenant: string,
  version: store.Version,
  { values, columns }: Table,
  timeoutMs: number,
): Promise<number[]> {
  const scores: number[] = [];
  const ref = refOf(tenant, version.name, version.version);
  for (let from = 0; from < values.length; from += ROWS_MAX * columns) {
    const data = Array.from(values.subarray(from, from + ROWS_MAX * columns));
    const input = { name: INPUT_NAME, shape: [data.length / columns, columns], datatype: "FP32" as const, data };
    const ask = () => parts.models.infer(ref, { inputs: [input] }, { timeoutMs });
    const { outputs } = await ask().catch(async (error: unknown) => {
      if (!(error instanceof Problem) || error.code !== "not_found") throw error;
      await load(parts, tenant, version);
      return ask();
    });
    const [output] = outputs;
    if (output?.data.length !== data.length / columns || !output.data.every(Number.isFinite))
      throw problem.internal(`version ${version.version} of '${version.name}' gave no score for each row`);
    scores.push(...output.data);
  }
  return scores;
}

const keyOf = (tenant: string, { name, version }: Pick<store.Version, "name" | "version">): string =>
  `${tenant}/${name}/${version}`;

/** Hands a version to the runtime; who asks meanwhile waits for the same. */
async function load(parts: Parts, tenant: string, version: store.Version): Promise<void> {
  const key = keyOf(tenant, version);
  const work =
    parts.serving.loading.get(key) ??
    (async () => {
      const artefact = await parts.objects.get(version.artefactKey);
      // What decides about people must be what was judged.
      if (createHash("sha256").update(artefact).digest("hex") !== version.sha256)
        throw problem.internal(
          `the artefact of version ${version.version} of '${version.name}' is not what was registered`,
        );
      await parts.models.load(refOf(tenant, version.name, version.version), artefact);
    })().finally(() => parts.serving.loading.delete(key));
  parts.serving.loading.set(key, work);
  return work;
}

/** Which version answers for somebody; undefined where none does. */
export function versionFor(routes: readonly store.Version[], who: string): store.Version | undefined {
  const canary = routes.find(({ stage }) => stage === "canary");
  const production = routes.find(({ stage }) => stage === "production");
  return canary && isInCanary(canary.name, who, canary.share) ? canary : production;
}

/** One that a model is asked about. */
export interface Asked {
  /** Decides who is in the canary: the same people while it grows. */
  readonly who: string;
  /** Counted once a day where the distribution of answers is watched. */
  readonly entity: string;
  /** Whether it is such a one as the model learned from; others are answered and not counted. */
  readonly isTypical: boolean;
  readonly features: readonly number[];
}

/** The score of each, with the version that said so; undefined where no model answered in time. */
export async function scoreAll(
  parts: Parts,
  tenant: string,
  { name, features }: Recipe,
  asked: readonly Asked[],
  timeoutMs: number,
): Promise<readonly ({ readonly score: number; readonly version: number } | undefined)[]> {
  const routes = await routesOf(parts, tenant, name);
  const versions = asked.map(({ who }) => versionFor(routes, who));
  const found = new Map<Asked, { readonly score: number; readonly version: number }>();
  await Promise.all(
    [...Map.groupBy(asked.keys(), (index) => versions[index])].map(async ([version, indices]) => {
      const all = indices.flatMap((index) => asked[index] ?? []);
      const scores = version && (await scoreBy(parts, tenant, version, { all, columns: features.length, timeoutMs }));
      parts.answered(scores ? "model" : "rule", all.length);
      if (version && scores)
        for (const [at, one] of all.entries()) found.set(one, { score: scores[at] ?? 0, version: version.version });
    }),
  );
  return asked.map((one) => found.get(one));
}

async function scoreBy(
  parts: Parts,
  tenant: string,
  version: store.Version,
  of: { readonly all: readonly Asked[]; readonly columns: number; readonly timeoutMs: number },
): Promise<readonly number[] | undefined> {
  const { all, columns, timeoutMs } = of;
  const table = { values: Float32Array.from(all.flatMap(({ features }) => features)), columns };
  const key = keyOf(tenant, version);
  try {
    const scores = await inTime(timeoutMs, scoresOf(parts, tenant, version, table, timeoutMs));
    parts.serving.answered.set(key, true);
    const first = firstOf(parts, tenant, version, all, scores);
    count(parts, tenant, version, { predictions: scores.length, failures: 0, scores: first });
    return scores;
  } catch (error) {
    if (isWarmingUp(parts, key, error)) return undefined;
    // Once until the next count is written: a model that is broken is asked a thousand times a second.
    if ((parts.serving.counted.get(key)?.failures ?? 0) === 0)
      parts.logger.warn("a model did not answer, and the rule did", {
        ...{ model: version.name, version: version.version, error },
      });
    count(parts, tenant, version, { predictions: all.length, failures: all.length, scores: [] });
    return undefined;
  }
}

/** That a model is being loaded, or its runtime started, is no fault of the model's; that it cannot be is. */
function isWarmingUp({ serving }: Parts, key: string, error: unknown): boolean {
  if (serving.loading.has(key)) return true;
  return !serving.answered.has(key) && toProblem(error).code === "deadline_exceeded";
}

/** Loading goes on behind an answer that did not wait for it. */
async function inTime<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(problem.deadline(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

function count(
  { serving }: Parts,
  tenant: string,
  { name, version, reference }: store.Version,
  more: { readonly predictions: number; readonly failures: number; readonly scores: readonly number[] },
): void {
  const key = keyOf(tenant, { name, version });
  const none: Counted = { tenant, name, version, predictions: 0, failures: 0, bins: reference.counts.map(() => 0) };
  const counted = serving.counted.get(key) ?? none;
  counted.predictions += more.predictions;
  counted.failures += more.failures;
  for (const [bin, hits] of countInto(reference.bounds, more.scores).entries())
    counted.bins[bin] = (counted.bins[bin] ?? 0) + hits;
  serving.counted.set(key, counted);
}

/** The scores that say how a version's answers are distributed: of each typical entity the first of the day since the version has its share. */
function firstOf(
  parts: Parts,
  tenant: string,
  version: store.Version,
  asked: readonly Asked[],
  scores: readonly number[],
): number[] {
  const since = `${keyOf(tenant, version)}/${version.stageSinceMs}/${today(parts)}`;
  return scores.filter((_, index) => {
    const one = asked[index];
    if (!one) return false;
    const key = `${since}/${one.entity}`;
    const isFirst = !parts.serving.seen.has(key);
    parts.serving.seen.set(key, true);
    return isFirst && one.isTypical;
  });
}

/** Writes down what was counted; what cannot be written is counted on. */
export async function flush(parts: Parts): Promise<void> {
  for (const [key, counted] of parts.serving.counted) {
    parts.serving.counted.delete(key);
    const sinceMs = parts.clock.nowMs();
    await parts.db
      .tx({ tenant: counted.tenant }, (tx) => store.addLive(tx, { ...counted, sinceMs }))
      .catch((error: unknown) => {
        const later = parts.serving.counted.get(key);
        if (later) {
          later.predictions += counted.predictions;
          later.failures += counted.failures;
          later.bins = later.bins.map((hits, bin) => hits + (counted.bins[bin] ?? 0));
        } else parts.serving.counted.set(key, counted);
        throw error;
      });
  }
}
