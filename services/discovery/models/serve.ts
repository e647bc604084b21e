import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { type Context, Problem, problem, toProblem } from "#kernel";
import { INPUT_NAME } from "#learning/onnx";
import { countInto } from "#learning/drift";
import type { Table } from "#learning/table";
import { isInCanary } from "./domain.ts";
import { ACTIVE_DAYS, churnByRule, CHURN_FEATURES, featuresAt, isActive } from "./domain-churn.ts";
import { CHURN, type Counted, type Parts, refOf, type Serving } from "./parts.ts";
import * as store from "./store.ts";
import * as activity from "./store-activity.ts";
import { today } from "./queue.ts";

const ROUTES_MS = 2_000;
const IDS_MAX = 500;
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

interface Said {
  readonly userId: string;
  readonly score: number;
  /** 0: the rule. */
  readonly version: number;
}

/** How likely each account is to leave; by rule for those whom no model answers in time. */
export async function predictChurn(parts: Parts, userIds: readonly string[], context: Context) {
  if (context.viewer) throw problem.denied("what is expected of people is not for viewers");
  if (userIds.length === 0 || userIds.length > IDS_MAX)
    throw problem.invalid(`${userIds.length} accounts are not 1 to ${IDS_MAX}: ask in parts`);
  const startedMs = performance.now();
  const { tenant } = context;
  const day = today(parts);
  const found = await parts.db.read(context, (tx) =>
    activity.accounts(tx, { from: day - ACTIVE_DAYS, to: day, userIds: [...new Set(userIds)] }),
  );
  const features = new Map(found.map((account) => [account.userId, featuresAt(account, day)]));
  const known = userIds.filter((userId) => features.has(userId));
  const routes = await routesOf(parts, tenant, CHURN);
  const canary = routes.find(({ stage }) => stage === "canary");
  const production = routes.find(({ stage }) => stage === "production");
  const groups = Map.groupBy(known, (userId) =>
    canary && isInCanary(CHURN, userId, canary.share) ? canary : production,
  );
  const said = await Promise.all([...groups].map(([version, ids]) => predictBy(parts, tenant, version, ids, features)));
  const predictions = said.flat();
  const latencyMs = performance.now() - startedMs;
  const facts = predictions.map(({ userId, score, version }) => ({
    ...{ userId, modelName: CHURN, version, score, latencyMs, partial: version === 0 },
  }));
  if (facts.length > 0) parts.tell("predictionServed", facts, context);
  return { predictions, partial: predictions.some(({ version }) => version === 0) };
}

async function predictBy(
  parts: Parts,
  tenant: string,
  version: store.Version | undefined,
  userIds: readonly string[],
  features: ReadonlyMap<string, readonly number[]>,
): Promise<Said[]> {
  const rows = userIds.map((userId) => features.get(userId) ?? []);
  const byRule = (): Said[] =>
    userIds.map((userId, index) => ({ userId, score: churnByRule(rows[index] ?? []), version: 0 }));
  if (!version) {
    parts.answered("rule", userIds.length);
    return byRule();
  }
  const table = { values: Float32Array.from(rows.flat()), columns: CHURN_FEATURES.length };
  try {
    const timeoutMs = parts.config.MARQUEE_MODEL_DEADLINE_MS;
    const scores = await inTime(timeoutMs, scoresOf(parts, tenant, version, table, timeoutMs));
    parts.serving.answered.set(keyOf(tenant, version), true);
    count(parts, tenant, version, {
      predictions: scores.length,
      failures: 0,
      scores: firstOf(parts, tenant, version, userIds, { scores, rows }),
    });
    parts.answered("model", userIds.length);
    return userIds.map((userId, index) => ({ userId, score: scores[index] ?? 0, version: version.version }));
  } catch (error) {
    if (!isWarmingUp(parts, keyOf(tenant, version), error)) {
      // Once until the next count is written: a model that is broken is asked a thousand times a second.
      if ((parts.serving.counted.get(keyOf(tenant, version))?.failures ?? 0) === 0)
        parts.logger.warn("a model did not answer, and the rule did", {
          ...{ model: version.name, version: version.version, error },
        });
      count(parts, tenant, version, { predictions: rows.length, failures: rows.length, scores: [] });
    }
    parts.answered("rule", userIds.length);
    return byRule();
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

/**
 * The scores that say how a version's answers are distributed: each account's first of the day since the version has its share, of accounts such as it
 * learned from, which watched something lately.
 */
function firstOf(
  parts: Parts,
  tenant: string,
  version: store.Version,
  userIds: readonly string[],
  { scores, rows }: { readonly scores: readonly number[]; readonly rows: readonly (readonly number[])[] },
): number[] {
  const since = `${keyOf(tenant, version)}/${version.stageSinceMs}/${today(parts)}`;
  return scores.filter((_, index) => {
    const key = `${since}/${userIds[index]}`;
    const isFirst = !parts.serving.seen.has(key);
    parts.serving.seen.set(key, true);
    return isFirst && isActive(rows[index] ?? []);
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
