import { toProblem, type Tx } from "#kernel";
import { type ComplexityModel, decided, type Measured, probesOf } from "./domain-per-title.ts";
import { MEASURED_WEIGHT, nameFilm, sizesOf, videoTasksOf } from "./domain.ts";
import model from "./per-title-model.json" with { type: "json" };
import type { Encoding, Parts } from "./service.ts";
import * as store from "./store.ts";
import { jobOf, QUEUE, type Work } from "./queue.ts";

/** An ffmpeg without a filter is without it the next time, too. */
const NEVER_BETTER = new Set(["filter_missing"]);

/** Measures a film for its ladder. What cannot be measured, or not in time, can still be encoded: the answer says why, and the fixed ladder stands. */
export async function measure(
  { transcoder, scratch, logger, config }: Parts,
  title: store.TitleRow,
  of: { readonly path: string; readonly signal: AbortSignal; readonly isLastAttempt: boolean },
): Promise<string> {
  const { source, contentId } = title;
  const measureMsMax = config.MARQUEE_ENCODING_MEASURE_MS_MAX;
  const late = AbortSignal.timeout(measureMsMax);
  try {
    const probes = probesOf(sizesOf(source));
    const complexity = await scratch.within((folder) =>
      transcoder.complexity(of.path, source, probes, folder, AbortSignal.any([of.signal, late])),
    );
    return JSON.stringify({ complexity } satisfies Measured);
  } catch (error) {
    if (of.signal.aborted) throw error;
    const fault = toProblem(error);
    // Whoever was late once is not tried again: the film waits for its ladder.
    const isWorthRetrying = fault.retryable && !late.aborted && !NEVER_BETTER.has(fault.reason);
    if (isWorthRetrying && !of.isLastAttempt) throw error;
    const failure = late.aborted
      ? `measuring took longer than ${measureMsMax} ms (MARQUEE_ENCODING_MEASURE_MS_MAX)`
      : nameFilm(fault.message);
    logger.warn("a film cannot be measured and gets the fixed ladder", { content_id: contentId, error });
    return JSON.stringify({ failure } satisfies Measured);
  }
}

/** The measures become the plan's ladder, its tasks and their jobs, in the transaction that ends the measuring. */
export async function decide(
  parts: Parts,
  tx: Tx<typeof Encoding>,
  title: store.TitleRow,
  of: Work,
  result: string,
): Promise<void> {
  const plan = decided(title.plan, title.source, JSON.parse(result) as Measured, model satisfies ComplexityModel);
  const tasks = videoTasksOf(plan);
  await store.setPlan(tx, of.contentId, plan);
  await store.setWeight(tx, of.contentId, of.task, MEASURED_WEIGHT);
  await store.insertTasks(tx, of.contentId, tasks);
  await parts.jobs.send(
    tx,
    QUEUE,
    tasks.map((task) => jobOf({ ...of, task: task.name }, task.stage)),
  );
  parts.counters.laddered(plan.ladder?.kind === "per-title" ? "per-title" : "fixed");
  announceStart(tx, of.contentId, plan);
}

export function announceStart(tx: Tx<typeof Encoding>, contentId: string, plan: store.TitleRow["plan"]): void {
  tx.emit("started", { contentId, profiles: [...plan.video, ...plan.audio].map(({ profile }) => profile) });
}
