import { type Context, problem } from "#kernel";
import { driftOf } from "#learning/drift";
import { FIRST_SHARE, nextStep, PEOPLE_MIN, type Seen, type Step, widened } from "./domain.ts";
import type { Recipe } from "./domain-recipe.ts";
import type { ModelsTx, Parts } from "./parts.ts";
import { ask } from "./queue.ts";
import { trained, trainedBy } from "./recipes.ts";
import * as store from "./store.ts";
import { tellStage } from "./track.ts";

const DRIFT_WINDOW_MS = 86_400_000;
const BY_OPERATOR = "by the operator";

type To = {
  readonly stage: "canary" | "production" | "rolled_back" | "retired";
  readonly share: number;
  readonly reason: string;
};

/** Brings a version to a stage; whoever had that stage makes room. The model's line is held by the caller. */
export async function enter(parts: Parts, tx: ModelsTx, version: store.Version, to: To): Promise<store.Version> {
  const atMs = parts.clock.nowMs();
  const move = async (one: store.Version, target: To): Promise<store.Version> => {
    await store.setStage(tx, one, { ...target, atMs });
    await tellStage(parts, tx, one, { ...target, from: one.stage, to: target.stage });
    return { ...one, ...target, stageSinceMs: atMs };
  };
  if (to.stage === "canary" || to.stage === "production") {
    for (const other of await store.serving(tx, version.name)) {
      if (other.version === version.version || other.stage !== to.stage) continue;
      await move(other, { stage: "retired", share: 0, reason: `version ${version.version} took its place` });
    }
  }
  const moved = await move(version, to);
  tx.afterCommit(async () => parts.serving.forget(tx.tenant, version.name));
  return moved;
}

/** A step further by hand. */
export async function promote(parts: Parts, name: string, number: number, context: Context): Promise<store.Version> {
  return parts.db.tx(context, async (tx) => {
    await store.lockModel(tx, name);
    const version = (await store.list(tx, { name, limit: 1_000 })).find((one) => one.version === number);
    if (!version) throw problem.notFound(`model '${name.slice(0, 80)}' has no version ${number}`);
    if (version.stage === "candidate")
      return enter(parts, tx, version, { stage: "canary", share: FIRST_SHARE, reason: BY_OPERATOR });
    if (version.stage === "canary") return take(parts, tx, version, widened(version.share, BY_OPERATOR));
    const why = version.stage === "refused" ? `: ${version.reason}` : "";
    throw problem.precondition(
      `version ${number} of '${name}' is ${version.stage}${why}: only candidates and canaries go on`,
    );
  });
}

/** Takes the canary away; without one, production goes back to what was there before, or to the rule. */
export async function rollback(parts: Parts, name: string, context: Context): Promise<store.Version | undefined> {
  return parts.db.tx(context, async (tx) => {
    await store.lockModel(tx, name);
    const serving = await store.serving(tx, name);
    const production = serving.find(({ stage }) => stage === "production");
    const gone = serving.find(({ stage }) => stage === "canary") ?? production;
    if (!gone)
      throw problem.precondition(`nothing of model '${name.slice(0, 80)}' is served: there is nothing to take back`);
    await enter(parts, tx, gone, { stage: "rolled_back", share: 0, reason: BY_OPERATOR });
    if (gone !== production) return production;
    const before = await store.lastRetired(tx, name);
    return (
      before &&
      enter(parts, tx, before, { stage: "production", share: 100, reason: `version ${gone.version} was taken back` })
    );
  });
}

/** Looks after everything that is served of a tenant: canaries go on or back, drift and age ask for a training. */
export async function watch(parts: Parts, tenant: string): Promise<void> {
  for (const { recipe } of trained) await watchModel(parts, tenant, recipe);
}

async function watchModel(parts: Parts, tenant: string, { name, psiMax }: Recipe): Promise<void> {
  await parts.db.tx({ tenant }, async (tx) => {
    await store.lockModel(tx, name);
    const nowMs = parts.clock.nowMs();
    const live = await store.live(tx, name);
    for (const version of await store.serving(tx, name)) {
      const counted = live.get(version.version);
      if (!counted) continue;
      const seen = seenOf(version, counted);
      const { share, stageSinceMs: sinceMs } = version;
      if (version.stage === "canary") await take(parts, tx, version, nextStep({ share, sinceMs, psiMax }, seen, nowMs));
      else if (seen.people >= PEOPLE_MIN && nowMs - counted.sinceMs >= DRIFT_WINDOW_MS)
        await judgeDrift(parts, tx, version, seen);
    }
  });
}

export const seenOf = ({ reference }: store.Version, { predictions, failures, bins }: store.Live): Seen => ({
  ...{ predictions, failures, drift: driftOf(reference, bins) },
  people: bins.reduce((sum, count) => sum + count, 0),
});

async function take(parts: Parts, tx: ModelsTx, version: store.Version, step: Step): Promise<store.Version> {
  if (step.kind === "hold") return version;
  if (step.kind === "rollback")
    return enter(parts, tx, version, { stage: "rolled_back", share: 0, reason: step.reason });
  if (step.kind === "promote")
    return enter(parts, tx, version, { stage: "production", share: 100, reason: step.reason });
  return enter(parts, tx, version, { stage: "canary", share: step.share, reason: step.reason });
}

/** A day of production is over: what moved far asks for a new model; the next day is counted anew. */
async function judgeDrift(parts: Parts, tx: ModelsTx, version: store.Version, { drift, people }: Seen): Promise<void> {
  await store.dropLive(tx, version);
  if (drift.psi <= trainedBy(version.name).recipe.psiMax) return;
  tx.emit("driftDetected", { ...{ modelName: version.name, version: version.version, people }, ...drift });
  await ask(parts, tx, version.name, "drift");
}

/** Makes models anew when their newest is old, and the first one as soon as there is enough to learn from. */
export async function refresh(parts: Parts, tenant: string): Promise<void> {
  await parts.db.tx({ tenant }, async (tx) => {
    for (const model of trained) {
      const { name, refreshMs } = model.recipe;
      const [newest] = await store.list(tx, { name, limit: 1 });
      if (newest && parts.clock.nowMs() - newest.trainedAtMs < refreshMs) continue;
      if ((await model.lack(parts, tx)) === undefined) await ask(parts, tx, name, "schedule");
    }
  });
}
