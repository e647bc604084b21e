import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import { type Context, problem, toProblem } from "#kernel";
import type { Job } from "#kernel/ports/jobs";
import { answerOf } from "#kernel/worker";
import type { GbdtOptions } from "#learning/gbdt";
import type { Tuned } from "#learning/tuning";
import { compared, FIRST_SHARE, refusal } from "./domain.ts";
import type { ToTrainer } from "./domain-examples.ts";
import { type Judgement, judge } from "./domain-recipe.ts";
import { enter } from "./stages.ts";
import type { Parts } from "./parts.ts";
import { ask, assertEnough, type Cause } from "./queue.ts";
import { trainedBy } from "./recipes.ts";
import { scoresOf } from "./serve.ts";
import * as store from "./store.ts";
import * as trainings from "./store-trainings.ts";
import { tellStage } from "./track.ts";
import type { FromTrainer } from "./train-worker.ts";
import type { Trained } from "./trained.ts";

/** Rows of each kind that a judgement needs. */
const LABELS_MIN = 20;
const TRAIN_MS_MAX = 10 * 60_000;

interface Payload {
  readonly tenant: string;
  readonly name: string;
  readonly cause: Cause;
}

/** One training, and how it stands meanwhile. What is tried again waits. */
export async function train(parts: Parts, job: Job): Promise<void> {
  const { tenant, name } = job.payload as unknown as Payload;
  const note = (state: trainings.Training["state"], message = ""): Promise<void> =>
    parts.db.tx({ tenant }, (tx) => trainings.became(tx, name, { state, message, nowMs: parts.clock.nowMs() }));
  await note("running");
  try {
    await makeVersion(parts, job);
  } catch (error) {
    await note(job.isLastAttempt ? "failed" : "waiting", toProblem(error).message.slice(0, 500));
    throw error;
  }
  await note("done");
}

/** Features, model, judgement, registry. What it comes to is a version, refused ones among them. */
async function makeVersion(parts: Parts, job: Job): Promise<void> {
  const { tenant, name, cause } = job.payload as unknown as Payload;
  const model = trainedBy(name);
  const startedAtMs = parts.clock.nowMs();
  await parts.db.read({ tenant }, (tx) => assertEnough(parts, tx, model));
  const { of, fromMs, toMs } = await model.load(parts, tenant);
  const made = await inWorker(of, job.signal);
  const positives = made.test.labels.reduce((sum, label) => sum + label, 0);
  if (Math.min(positives, made.test.labels.length - positives) < LABELS_MIN)
    throw problem.precondition(
      `of ${made.test.labels.length} rows to judge '${name}' by ${positives} are positive: ${LABELS_MIN} of each kind are needed`,
      { reason: "too_little_data" },
    );
  const production = (await parts.db.read({ tenant }, (tx) => store.serving(tx, name))).find(
    ({ stage }) => stage === "production",
  );
  const incumbent: Judgement & { readonly name: string } = production
    ? { name: `version ${production.version}`, ...(await judgeServed(parts, tenant, production, made.test)) }
    : { name: made.rule.lists ? "the present order" : "the rule", ...made.rule };
  await register(parts, tenant, { model, made, incumbent, cause, span: { startedAtMs, fromMs, toMs } });
}

async function judgeServed(
  parts: Parts,
  tenant: string,
  version: store.Version,
  test: FromTrainer["test"],
): Promise<Judgement> {
  return judge(await scoresOf(parts, tenant, version, test.table, TRAIN_MS_MAX), test);
}

interface Made {
  readonly model: Trained;
  readonly made: FromTrainer;
  readonly incumbent: Judgement & { readonly name: string };
  readonly cause: Cause;
  readonly span: { readonly startedAtMs: number; readonly fromMs: number; readonly toMs: number };
}

async function register(parts: Parts, tenant: string, of: Made): Promise<void> {
  const { made, incumbent, cause, span } = of;
  const { name: modelName, features } = of.model.recipe;
  const { candidate } = made;
  const sha256 = createHash("sha256").update(made.artefact).digest("hex");
  const artefactKey = `models/${tenant}/${modelName}/${sha256}.onnx`;
  // Named by its content: a job that is tried again writes the same.
  await parts.objects.put(artefactKey, made.artefact);
  const refused = refusal(candidate, incumbent);
  const nowMs = parts.clock.nowMs();
  await parts.db.tx({ tenant }, async (tx) => {
    await store.lockModel(tx, modelName);
    const version: store.Version = {
      ...{ name: modelName, version: await store.nextVersion(tx, modelName), artefactKey, sha256 },
      ...{ stage: refused ? "refused" : "candidate", share: 0, trainedAtMs: nowMs, stageSinceMs: nowMs },
      reason: refused ?? compared(candidate, incumbent),
      metrics: {
        ...(candidate.lists && incumbent.lists
          ? {
              ndcg: candidate.lists.ndcg,
              incumbentNdcg: incumbent.lists.ndcg,
              judgedPeople: candidate.lists.people.length,
            }
          : {}),
        ...{ auc: candidate.auc, logLoss: candidate.logLoss },
        ...{ incumbentAuc: incumbent.auc, incumbentLogLoss: incumbent.logLoss },
        ...(made.tuned ? gainOf(made.tuned) : {}),
        ...Object.fromEntries(Object.entries(made.importance).map(([name, share]) => [`importance.${name}`, share])),
      },
      segments: candidate.segments,
      lineage: {
        ...{ ...span, trainingRows: made.trainingRows },
        ...{ testRows: made.test.labels.length, features, cause, options: numbersOf(made.options) },
        trials: (made.tuned?.tried ?? []).map(({ options, share, loss }) => ({
          ...{ options: numbersOf(options), share, loss },
          isChosen: options === made.tuned?.chosen,
        })),
      },
      reference: made.reference,
    };
    await store.insert(tx, version);
    await tellStage(parts, tx, version, { ...version, from: "", to: version.stage });
    if (!refused) await enter(parts, tx, version, { stage: "canary", share: FIRST_SHARE, reason: version.reason });
  });
}

/** By how much the best of what was tried lost less than the options of the recipe: these stay while it may be nothing. */
const gainOf = ({ gain: { estimate, low, high } }: Tuned<GbdtOptions>) => ({
  ...{ "tuning.gain": estimate, "tuning.gainLow": low, "tuning.gainHigh": high },
});

const numbersOf = ({ loss: _, ...options }: GbdtOptions): store.Options => options;

/** A worker for each training: it happens once an hour at most. */
async function inWorker(to: ToTrainer, signal: AbortSignal): Promise<FromTrainer> {
  const worker = new Worker(new URL("./train-worker.ts", import.meta.url), {
    ...{ name: "trainer", execArgv: [], workerData: to },
  });
  const stopped = AbortSignal.any([signal, AbortSignal.timeout(TRAIN_MS_MAX)]);
  stopped.addEventListener("abort", () => void worker.terminate(), { once: true });
  try {
    const answer = await answerOf<FromTrainer | { readonly nothing: string }>(
      worker,
      "the training was cut off: it will be tried again",
    );
    if ("nothing" in answer) throw problem.precondition(answer.nothing, { reason: "too_little_data" });
    return answer;
  } finally {
    await worker.terminate();
  }
}

/** What an operator asks for. */
export async function askByOperator(parts: Parts, name: string, context: Context): Promise<void> {
  const model = trainedBy(name);
  await parts.db.tx(context, async (tx) => {
    await assertEnough(parts, tx, model);
    await ask(parts, tx, name, "operator");
  });
}
