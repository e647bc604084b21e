import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Problem } from "#kernel";
import { type Context, problem, systemContext, toProblem } from "#kernel";
import type { Job } from "#kernel/ports/jobs";
import { packageFolder, tileName } from "#media/presentation";
import {
  artworkFolder,
  AUDIO_BITRATE_KBPS,
  intermediateFolder,
  nameFilm,
  type Stage,
  stageOf,
  type TextRung,
} from "./domain.ts";
import { decide, measure } from "./ladder.ts";
import { joinTexts, TEXTS, textsJob } from "./found-text.ts";
import { chunkKey, packageTitle, textKey } from "./package.ts";
import { announce, readIndex } from "./packaged.ts";
import { makePictures, type Pictures, removeUnnamed, tilesFolder } from "./pictures.ts";
import { paced } from "./scratch.ts";
import { jobOf, QUEUE, type Work } from "./queue.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

/** One job. What was done before a crash is done: the task's row says so, or its finished object does. */
export async function work(parts: Parts, job: Job): Promise<void> {
  const of = job.payload as unknown as Work;
  const context = systemContext(of.tenant, "encoding", {
    deadlineMs: 3_600_000,
    signal: job.signal,
    clock: parts.clock,
  });
  const title = await parts.db.tx(context, (tx) => store.title(tx, of.contentId));
  if (!title || title.state === "failed" || title.attempt !== of.attempt) return;
  try {
    const stage = of.task.startsWith("package/") ? of.task.slice("package/".length) : null;
    if (stage === null) await runTask(parts, title, of, job, context);
    else if (stage === "texts") await joinTexts(parts, title, of, context);
    else await parts.counters.piece("package", () => runPackage(parts, title, of, stage, job, context));
  } catch (error) {
    if (job.signal.aborted) throw error;
    const fault = toProblem(error);
    parts.logger.warn("an encoding job failed", { content_id: of.contentId, task: of.task, error });
    if (isWorthRetrying(fault) && !job.isLastAttempt) throw error;
    // A title that plays is no worse for subtitles that did not join it.
    if (of.task === TEXTS) return;
    await fail(parts, of, fault);
  }
}

/** Only a person can mend these, who should hear of them now and not after the last try. */
const NEEDS_A_PERSON = new Set(["disk_full", "ffmpeg_missing", "encoder_missing", "filter_missing"]);
const isWorthRetrying = ({ retryable, code, reason }: Problem): boolean =>
  (retryable || code === "internal") && !NEEDS_A_PERSON.has(reason);

async function runTask(parts: Parts, title: store.TitleRow, of: Work, job: Job, context: Context): Promise<void> {
  const task = await parts.db.tx(context, (tx) => store.task(tx, of.contentId, of.task));
  if (!task || task.done) return;
  const progressKey = `${of.tenant}/${of.contentId}`;
  const progress = (ratio: number): void => parts.progress.set(progressKey, of.task, ratio);
  const result = await parts.objects.withFile(title.sourceKey, (path) =>
    parts.counters.piece(task.kind, () =>
      perform(parts, { title, task, of, path, signal: job.signal, isLastAttempt: job.isLastAttempt, progress }),
    ),
  );
  const isGone = await parts.db.tx(context, async (tx) => {
    const now = await store.title(tx, of.contentId, { lock: true });
    if (!now) return true;
    if (!(await store.finishTask(tx, of.contentId, of.task, result, parts.clock.nowMs()))) return false;
    if (task.kind === "ladder") await decide(parts, tx, now, of, result);
    if (await store.isStageDone(tx, of.contentId, task.stage))
      await parts.jobs.send(tx, QUEUE, [jobOf({ ...of, task: `package/${task.stage}` }, "package")]);
    return false;
  });
  if (isGone) await removeAll(parts, of.tenant, of.contentId);
  else if (task.kind === "pictures") await tidyPictures(parts, of, context);
  parts.progress.done(progressKey, of.task);
}

/** The row's result counts and not ours: another worker may have been faster. */
async function tidyPictures(parts: Parts, of: Work, context: Context): Promise<void> {
  const done = await parts.db.tx(context, (tx) => store.task(tx, of.contentId, of.task));
  if (done?.done) await removeUnnamed(parts, of.contentId, JSON.parse(done.result) as Pictures);
}

interface Performing {
  readonly title: store.TitleRow;
  readonly task: store.TaskRow;
  readonly of: Work;
  readonly path: string;
  readonly signal: AbortSignal;
  readonly isLastAttempt: boolean;
  readonly progress: (ratio: number) => void;
}

async function perform(parts: Parts, doing: Performing): Promise<string> {
  const { title, task, of, path, signal } = doing;
  const { source } = title;
  switch (task.kind) {
    case "ladder":
      return measure(parts, title, doing);
    case "video":
      await intoObject(parts, chunkKey(of, task.profile, task.chunk), (out) => encodeChunk(parts, doing, out));
      return "";
    case "audio":
      await intoObject(parts, chunkKey(of, task.profile, 0), (out) => encodeAudio(parts, doing, out));
      return "";
    case "text": {
      const rung = title.plan.text.find((candidate) => candidate.profile === task.profile);
      if (!rung) throw problem.internal(`the plan has no text '${task.profile}'`);
      const text = await readText(parts, doing, rung);
      await parts.objects.put(textKey(of, task.profile), Buffer.from(text || "WEBVTT\n"));
      return "";
    }
    case "pictures":
      return JSON.stringify(
        await makePictures(parts, { tenant: of.tenant, contentId: of.contentId, path, source, signal }),
      );
  }
}

async function readText(parts: Parts, { title, of, path, signal }: Performing, { from }: TextRung): Promise<string> {
  const { objects, transcoder, logger } = parts;
  const { source } = title;
  if ("key" in from)
    return objects.withFile(from.key, (file) => transcoder.extractText(path, source, { file }, signal));
  try {
    return await transcoder.extractText(path, source, from, signal);
  } catch (error) {
    // Nobody asked for what lies inside a film: a track that cannot be read is left out, and the film plays without it.
    if (toProblem(error).code !== "unsupported_media") throw error;
    logger.warn("subtitles inside a film cannot be read and are left out", { content_id: of.contentId, error });
    return "";
  }
}

async function encodeChunk(
  { transcoder }: Parts,
  { title, task, path, signal, progress }: Performing,
  out: string,
): Promise<void> {
  const { source, plan } = title;
  const rung = plan.video.find((candidate) => candidate.profile === task.profile);
  const chunk = rung?.chunks[task.chunk];
  if (!rung || !chunk) throw problem.internal(`the plan has no chunk ${task.chunk} of '${task.profile}'`);
  const { codec, width, height, bitrateKbps, crf } = rung;
  const rate = { bitrateKbps, ...(crf === undefined ? {} : { crf }) };
  await transcoder.encodeVideo(
    { path, source, codec, width, height, ...rate, preset: plan.preset, ...chunk, gopFrames: plan.gopFrames },
    out,
    progress,
    signal,
  );
}

async function encodeAudio(
  { transcoder }: Parts,
  { title, task, path, signal, progress }: Performing,
  out: string,
): Promise<void> {
  const rung = title.plan.audio.find((candidate) => candidate.profile === task.profile);
  if (!rung) throw problem.internal(`the plan has no audio '${task.profile}'`);
  const { streamIndex } = rung;
  const loudness = await transcoder.measureLoudness(path, streamIndex, signal);
  await transcoder.encodeAudio(
    { path, source: title.source, streamIndex, bitrateKbps: AUDIO_BITRATE_KBPS, loudness },
    out,
    progress,
    signal,
  );
}

/** Makes a file and moves it into the store whole. An object that is there already is finished work of a worker that died before it could say so. */
async function intoObject(
  { objects, scratch }: Parts,
  key: string,
  make: (out: string) => Promise<void>,
): Promise<void> {
  if (await objects.head(key)) return;
  await scratch.within(async (folder) => {
    const out = join(folder, "out.mp4");
    await writeFile(out, "");
    await paced(out, () => make(out));
    await objects.putFile(key, out, { move: true });
  });
}

async function runPackage(
  parts: Parts,
  title: store.TitleRow,
  of: Work,
  stage: string,
  job: Job,
  context: Context,
): Promise<void> {
  const { contentId } = of;
  const isAgain = stage === "again";
  if ((stage === "playable" && title.packageRevision > 0) || (stage === "complete" && title.state === "complete"))
    return;
  // Whoever packages the first stage sends this job again.
  if (stage === "complete" && title.packageRevision === 0) return;
  const revision = await parts.db.tx(context, async (tx) => {
    if (stage === "complete") return title.packageRevision;
    return (await store.unfinishedRevision(tx, contentId)) ?? store.newRevision(tx, contentId);
  });
  const tasks = await parts.db.tx(context, (tx) => store.tasks(tx, contentId));
  const pictures = JSON.parse(tasks.find((task) => task.kind === "pictures")?.result || "null") as Pictures | null;
  const isStageDone = (wanted: Stage): boolean =>
    tasks.filter((task) => task.stage === wanted).every((task) => task.done);
  const stages: Stage[] =
    stage === "playable" ? ["playable"] : isStageDone("complete") ? ["playable", "complete"] : ["playable"];
  const indexVersion = stage === "complete" ? title.indexVersion + 1 : 1;
  const before = stage === "complete" ? await readIndex(parts, contentId, revision, title.indexVersion) : null;
  if (stage !== "complete" && pictures) await copyTiles(parts, of, revision, pictures.thumbnails.tileCount);
  const packaged = await packageTitle(
    parts,
    {
      tenant: of.tenant,
      contentId,
      revision,
      indexVersion,
      plan: title.plan,
      stages,
      before,
      thumbnails: pictures?.thumbnails ?? null,
      chapters: title.source.chapters ?? [],
      signal: job.signal,
    },
    context,
  );
  const isGone = await parts.db.tx(context, async (tx) => {
    const now = await store.title(tx, contentId, { lock: true });
    if (!now) return true;
    if (stage === "complete") {
      if (now.packageRevision !== revision) throw problem.aborted("the title was packaged anew meanwhile");
      // The job came twice, and the other one was faster.
      if (now.indexVersion >= indexVersion) return false;
    }
    const hasMore = title.plan.video.some((rung) => stageOf(title.plan, rung) === "complete");
    const isComplete = stages.includes("complete") || !hasMore;
    await store.finishRevision(tx, contentId, revision, parts.clock.nowMs());
    await store.updateTitle(tx, contentId, {
      state: isComplete ? "complete" : "playable",
      package_revision: revision,
      index_version: indexVersion,
      finished_at_ms: isComplete ? parts.clock.nowMs() : null,
    });
    // What was shown or hidden meanwhile is not in this package yet.
    if (isComplete && now.plan.found?.profile !== title.plan.found?.profile)
      await parts.jobs.send(tx, QUEUE, [
        textsJob({ ...of, attempt: now.attempt }, `after/${revision}/${indexVersion}`),
      ]);
    const outcome = isAgain ? "repackaged" : isComplete ? "complete" : "playable";
    announce(tx, packaged, pictures, outcome);
    const sinceStartS = (parts.clock.nowMs() - title.startedAtMs) / 1_000;
    tx.afterCommit(async () => parts.counters.made(outcome, outcome === "complete" ? sinceStartS : undefined));
    // The second stage may have finished meanwhile, for a package that did not exist yet. The key is this revision's own, or a job that is giving up just now would swallow it.
    if (!isComplete && (await store.isStageDone(tx, contentId, "complete"))) {
      const job = jobOf({ ...of, task: "package/complete" }, "package");
      await parts.jobs.send(tx, QUEUE, [{ ...job, key: `${job.key}/after/${revision}` }]);
    }
    return false;
  });
  if (!isGone) return;
  await removeAll(parts, of.tenant, contentId);
  await parts.call.keys.deleteContent({ contentId }, context);
}

/** Everything that was made of a title. Objects cannot be part of a transaction; deleting them again is harmless. */
export async function removeAll({ objects }: Pick<Parts, "objects">, tenant: string, contentId: string): Promise<void> {
  const folders = [`vod/${contentId}/`, intermediateFolder(tenant, contentId), artworkFolder(contentId)];
  for (const folder of folders) await objects.deletePrefix(folder);
}

async function copyTiles({ objects }: Parts, of: Work, revision: number, count: number): Promise<void> {
  for (let number = 1; number <= count; number++) {
    const name = tileName(number);
    await objects.put(
      `${packageFolder(of.contentId, revision)}/thumbs/${name}`,
      await objects.get(`${tilesFolder(of.tenant, of.contentId)}${name}`),
    );
  }
}

async function fail(parts: Parts, of: Work, fault: Problem): Promise<void> {
  const message = nameFilm(fault.message);
  await parts.db.tx({ tenant: of.tenant }, async (tx) => {
    const title = await store.title(tx, of.contentId, { lock: true });
    if (!title || title.state === "failed" || title.attempt !== of.attempt) return;
    await store.updateTitle(tx, of.contentId, {
      state: "failed",
      failure: message,
      failure_reason: fault.reason,
      finished_at_ms: parts.clock.nowMs(),
    });
    tx.emit("failed", { contentId: of.contentId, reason: fault.reason, message });
    tx.afterCommit(async () => parts.counters.made("failed"));
  });
}
