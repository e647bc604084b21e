import { type Context, problem } from "#kernel";
import { driftOf } from "#learning/drift";
import { FIRST_SHARE, nextStep, PEOPLE_MIN, PSI_MAX, type Seen, type Step, widened } from "./domain.ts";
import { CHURN, type ModelsTx, type Parts } from "./parts.ts";
import * as store from "./store.ts";
import * as activity from "./store-activity.ts";
import { ACCOUNTS_MIN, ask, today } from "./queue.ts";
import { trainingSpan } from "./domain-churn.ts";

/** A model is made anew at least so often (ARCH-001, "Model Inventory"). */
const REFRESH_MS = 86_400_000;
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
    const { name: modelName, version: number, stage: from } = one;
    tx.emit("stageChanged", {
      ...{ modelName, version: number, from, to: target.stage },
      share: target.share,
      reason: target.reason,
    });
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
  await parts.db.tx({ tenant }, async (tx) => {
    await store.lockModel(tx, CHURN);
    const nowMs = parts.clock.nowMs();
    const live = await store.live(tx, CHURN);
    for (const version of await store.serving(tx, CHURN)) {
      const counted = live.get(version.version);
      if (!counted) continue;
      const seen = seenOf(version, counted);
      if (version.stage === "canary")
        await take(parts, tx, version, nextStep(version.share, version.stageSinceMs, seen, nowMs));
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
  if (drift.psi <= PSI_MAX) return;
  tx.emit("driftDetected", { ...{ modelName: version.name, version: version.version, people }, ...drift });
  await ask(parts, tx, "drift");
}

/** Makes a model anew when the newest is a day old, and the first one as soon as there is enough to learn from. */
export async function refresh(parts: Parts, tenant: string): Promise<void> {
  await parts.db.tx({ tenant }, async (tx) => {
    const [newest] = await store.list(tx, { name: CHURN, limit: 1 });
    if (newest && parts.clock.nowMs() - newest.trainedAtMs < REFRESH_MS) return;
    if ((await activity.countActive(tx, trainingSpan(today(parts)).from)) >= ACCOUNTS_MIN)
      await ask(parts, tx, "schedule");
  });
}
