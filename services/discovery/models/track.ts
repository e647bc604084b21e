/** Tells experiment tracking, where there is one, of every version and of where it stands; after the commit, and nothing waits for it. */
import { Problem } from "#kernel";
import type { Job } from "#kernel/ports/jobs";
import type { TrackedRun } from "#kernel/ports/tracking";
import type { Stage } from "./domain.ts";
import type { ModelsTx, Parts } from "./parts.ts";
import * as store from "./store.ts";

export const TRACK_QUEUE = "models-track";
export const TRACK_OPTIONS = { retriesMax: 5, retryDelayS: 30, heartbeatS: 20, expireS: 120 };

type Move = {
  readonly from: Stage | "";
  readonly to: Stage;
  readonly share: number;
  readonly reason: string;
};

/** Says that a version has come to a stage; whoever keeps track of trainings hears of it by a job. */
export async function tellStage(
  { jobs, tracking }: Pick<Parts, "jobs" | "tracking">,
  tx: ModelsTx,
  { name, version }: Pick<store.Version, "name" | "version">,
  { from, to, share, reason }: Move,
): Promise<void> {
  tx.emit("stageChanged", { ...{ modelName: name, version, from, to }, share, reason });
  if (!tracking) return;
  const { tenant } = tx;
  // A job that runs may have read the stage before.
  const key = `${tenant}/${name}/${version}/${to}/${share}`;
  await jobs.send(tx, TRACK_QUEUE, [{ key, payload: { tenant, name, version } }]);
}

/** Writes down what is known of a version now. Its absence is said once, and never fails anything. */
export function openTracker({ db, tracking, logger }: Pick<Parts, "db" | "tracking" | "logger">) {
  let isAway = false;
  return async (job: Job): Promise<void> => {
    if (!tracking) return;
    const { tenant, name, version } = job.payload as {
      readonly tenant: string;
      readonly name: string;
      readonly version: number;
    };
    const found = await db.read({ tenant }, (tx) => store.one(tx, name, version));
    if (!found) return;
    try {
      await tracking.note(runOf(tenant, found), job.signal);
      isAway = false;
    } catch (error) {
      if (job.signal.aborted) throw error;
      if (!isAway)
        logger.warn("trainings are not tracked for now: models go their way without", { at: tracking.at, error });
      isAway = true;
      // What would be refused again is not asked again, and nobody has to look at a failed job for it.
      if (error instanceof Problem && error.retryable && !job.isLastAttempt) throw error;
    }
  };
}

function runOf(tenant: string, one: store.Version): TrackedRun {
  const { fromMs, toMs, trainingRows, testRows, features, cause, options = {}, startedAtMs } = one.lineage;
  const lineage = { fromMs, toMs, trainingRows, testRows, ...options };
  return {
    ...{ experiment: `marquee/${one.name}`, key: `${tenant}/${one.name}/${one.version}` },
    ...{ startedAtMs: startedAtMs ?? one.trainedAtMs, endedAtMs: one.trainedAtMs, metrics: one.metrics },
    params: {
      ...Object.fromEntries(Object.entries(lineage).map(([param, value]) => [param, String(value)])),
      features: features.join(","),
    },
    tags: {
      ...{ tenant, cause, model: one.name, version: String(one.version), sha256: one.sha256 },
      ...{ stage: one.stage, share: String(one.share), reason: one.reason },
    },
  };
}
