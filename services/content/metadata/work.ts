import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Context, type Problem, systemContext, toProblem } from "#kernel";
import type { Job } from "#kernel/ports/jobs";
import {
  type Chapter,
  effective,
  FOLLOWERS,
  isStep,
  type Outcome,
  type Picture,
  priorityOf,
  type StepName,
} from "./domain.ts";
import { announce } from "./say.ts";
import { type Done, type MetadataTx, type Parts, type Perform, progressKey, removeObjects } from "./parts.ts";
import { embedPictures } from "./steps-embedding.ts";
import { moderate } from "./steps-moderation.ts";
import { findScenes, findTwins, measureLoudness } from "./steps-measures.ts";
import { draftSubtitles } from "./steps-subtitles.ts";
import { describe } from "./steps-text.ts";
import { chooseThumbnails } from "./steps-thumbnails.ts";
import * as store from "./store.ts";
import { showDraft } from "./subtitles-shown.ts";
import { inTurn } from "./turns.ts";

export const QUEUE = "enrichment";
/** Of what somebody asked for, who does not wait behind what waits for films. */
export const ASKED = "enrichment-asked";
const DEADLINE_MS = 6 * 3_600_000;
const ENCODED_POLL_MS = 1_000;
/** Where films never stop coming, some are looked at between them. */
const ENCODED_MS_MAX = 30 * 60_000;

const PERFORM: Readonly<Record<StepName, Perform>> = {
  scenes: findScenes,
  loudness: measureLoudness,
  fingerprint: findTwins,
  thumbnails: chooseThumbnails,
  embedding: embedPictures,
  subtitles: draftSubtitles,
  moderation: moderate,
  text: describe,
};

export interface Work {
  readonly tenant: string;
  readonly contentId: string;
  readonly step: StepName;
  readonly attempt: number;
}

// What is asked for again is asked for by somebody.
const isAsked = ({ attempt }: Work): boolean => attempt > 1;

export async function send({ jobs }: Parts, tx: MetadataTx, works: readonly Work[]): Promise<void> {
  for (const [queue, own] of Map.groupBy(works, (work) => (isAsked(work) ? ASKED : QUEUE)))
    await jobs.send(
      tx,
      queue,
      own.map((work) => ({
        key: `${work.tenant}/${work.contentId}/${work.step}/${work.attempt}`,
        payload: { ...work },
        priority: priorityOf(work.step),
      })),
    );
}

/** One step of one title. What was done before a crash is done: its row says so. */
export async function work(parts: Parts, job: Job): Promise<void> {
  const of = job.payload as unknown as Work;
  if (!isStep(of.step)) return;
  const context = systemContext(of.tenant, "metadata", {
    ...{ deadlineMs: DEADLINE_MS, signal: job.signal, clock: parts.clock },
  });
  if (!isAsked(of)) await untilEncoded(parts, context, job.signal);
  await inTurn(parts.steps, 1, () => step(parts, of, job, context));
}

async function step(parts: Parts, of: Work, job: Job, context: Context): Promise<void> {
  job.signal.throwIfAborted();
  const { tenant, contentId } = of;
  const id = { contentId, name: of.step, attempt: of.attempt };
  const title = await parts.db.tx(context, async (tx) => {
    const found = await store.title(tx, contentId);
    return found && (await store.updateStep(tx, id, { state: "running" })) ? found : undefined;
  });
  if (!title) return;
  const key = progressKey(tenant, contentId, of.step);
  try {
    const done = await perform(parts, of, { title, context, job });
    await finish(parts, of, title, done, context);
  } catch (error) {
    if (job.signal.aborted) throw error;
    const fault = toProblem(error);
    parts.logger.warn("a step of enrichment failed", { content_id: contentId, step: of.step, error });
    if (isWorthRetrying(fault) && !job.isLastAttempt) throw error;
    await fail(parts, of, fault, context);
  } finally {
    parts.progress.delete(key);
  }
}

/** Films that are on their way go first: both would have the same idle time, and whoever imports a hundred films wants to watch them. */
async function untilEncoded({ call, logger }: Parts, context: Context, signal: AbortSignal): Promise<void> {
  for (let waitedMs = 0; waitedMs < ENCODED_MS_MAX; waitedMs += ENCODED_POLL_MS) {
    const left = await call.encoding.list({ limit: 1, activeOnly: true }, context).catch((error: unknown) => {
      logger.warn("whether films are being encoded cannot be known, so enrichment goes on", { error });
      return undefined;
    });
    if (!left || left.queued + left.active === 0) return;
    await pause(ENCODED_POLL_MS, undefined, { signal });
  }
}

/** Only a person can mend these, who should hear of them now and not after the last try. */
const NEEDS_A_PERSON = new Set(["disk_full", "ffmpeg_missing", "filter_missing"]);
const isWorthRetrying = ({ retryable, code, reason }: Problem): boolean =>
  (retryable || code === "internal") && !NEEDS_A_PERSON.has(reason);

/** Unfinished work lies beside the product's data, as that of the encoder does. */
async function perform(
  parts: Parts,
  of: Work,
  { title, context, job }: { readonly title: store.Title; readonly context: Context; readonly job: Job },
): Promise<Done> {
  const root = scratchOf(parts);
  await mkdir(root, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(root, "step-"));
  const key = progressKey(of.tenant, of.contentId, of.step);
  const progress = (ratio: number): void => void parts.progress.set(key, ratio);
  progress(0);
  try {
    return await parts.objects.withFile(title.sourceKey, (path) =>
      PERFORM[of.step](parts, {
        ...{ title, context, path, folder, progress, signal: job.signal },
        ...{ isAsked: isAsked(of), isLastTry: job.isLastAttempt },
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const scratchOf = ({ config }: Parts): string => join(resolve(config.MARQUEE_DATA), "enriching");

/** Removes what an earlier process left. Nobody may be working. */
export const clearScratch = (parts: Parts): Promise<void> => rm(scratchOf(parts), { recursive: true, force: true });

async function finish(parts: Parts, of: Work, title: store.Title, done: Done, context: Context): Promise<void> {
  const { contentId, step } = of;
  const { outcome } = done;
  const nowMs = parts.clock.nowMs();
  const isGone = await parts.db.tx(context, async (tx) => {
    if (!(await store.title(tx, contentId, { lock: true }))) return true;
    const isOurs = await store.updateStep(tx, { contentId, name: step, attempt: of.attempt }, changeOf(outcome, nowMs));
    if (!isOurs) return false;
    await done.write?.(tx);
    await announceStep(tx, of, outcome, nowMs);
    if (outcome.state === "done") {
      await announceValue(tx, title, step, outcome.value);
      if (step === "subtitles") await showDraft(parts, tx, contentId, outcome.value);
      await followUp(parts, tx, of);
    }
    tx.afterCommit(async () => parts.ended(step, outcome.state));
    return false;
  });
  // Deleted while we worked: nothing of it may come back.
  if (isGone) await removeObjects(parts, of.tenant, contentId);
}

function changeOf(outcome: Outcome, nowMs: number) {
  if (outcome.state === "skipped")
    return { state: "skipped" as const, reason: outcome.reason, message: outcome.message, at_ms: nowMs };
  const { model, version, confidence } = outcome.by;
  return {
    ...{ state: "done" as const, model, version, confidence, at_ms: nowMs, reason: "", message: "" },
    value: JSON.stringify(outcome.value),
  };
}

async function announceStep(tx: MetadataTx, { contentId, step }: Work, outcome: Outcome, nowMs: number): Promise<void> {
  const by = outcome.state === "done" ? outcome.by : { model: "", version: "", confidence: 0 };
  const reason = outcome.state === "skipped" ? outcome.reason : "";
  tx.emit("completed", { contentId, step, state: outcome.state, ...by, completedAtMs: nowMs, reason });
}

/** What others do something with; where a person has spoken, nothing has changed for them. */
async function announceValue(tx: MetadataTx, title: store.Title, step: StepName, value: unknown): Promise<void> {
  const { contentId } = title;
  const corrections = await store.corrections(tx, contentId);
  const now = effective(step, value, corrections).value as {
    readonly chapters?: readonly Chapter[];
    readonly tags?: readonly string[];
    readonly pictures?: readonly Picture[];
  };
  if (step === "scenes") {
    if (!corrections.has("chapters") && (title.source.chapters ?? []).length === 0)
      announce(tx, { contentId, what: "chapters", byPerson: false, chapters: now.chapters ?? [] });
  } else if (step === "text") {
    if (!corrections.has("tags")) tx.emit("tagsUpdated", { contentId, tags: [...(now.tags ?? [])], byPerson: false });
    if (!corrections.has("summary")) announce(tx, { contentId, what: "summary", byPerson: false });
  } else if (step === "thumbnails") {
    if (!corrections.has("thumbnails"))
      announce(tx, { contentId, what: step, byPerson: false, pictures: now.pictures ?? [] });
  } else if (step !== "subtitles" || !corrections.has("subtitles"))
    announce(tx, { contentId, what: step, byPerson: false });
}

/** What was made of older subtitles is made again. */
export async function followUp(
  parts: Parts,
  tx: MetadataTx,
  { tenant, contentId, step }: Omit<Work, "attempt">,
): Promise<void> {
  for (const name of FOLLOWERS[step] ?? []) {
    const follower = await store.step(tx, contentId, name);
    // One that waits has not begun; what one that runs comes to is thrown away, for it is of an attempt before.
    if (!follower || follower.state === "waiting") continue;
    const attempt = await store.againStep(tx, contentId, name);
    await send(parts, tx, [{ tenant, contentId, step: name, attempt }]);
  }
}

async function fail(parts: Parts, of: Work, fault: Problem, context: Context): Promise<void> {
  const { contentId, step, attempt } = of;
  const nowMs = parts.clock.nowMs();
  await parts.db.tx(context, async (tx) => {
    const change = { state: "failed" as const, reason: fault.reason, message: fault.message.slice(0, 500) };
    if (!(await store.updateStep(tx, { contentId, name: step, attempt }, { ...change, at_ms: nowMs }))) return;
    const nothing = { model: "", version: "", confidence: 0 };
    tx.emit("completed", { contentId, step, state: "failed", ...nothing, completedAtMs: nowMs, reason: fault.reason });
    tx.afterCommit(async () => parts.ended(step, "failed"));
  });
}
