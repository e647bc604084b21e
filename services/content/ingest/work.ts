import { realpath, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { type Context, type Problem, problem, systemContext, toProblem } from "#kernel";
import type { Job } from "#kernel/ports/jobs";
import type { Fingerprint, SourceInfo } from "#kernel/ports/transcoder";
import { similarity } from "#media/fingerprint";
import { FormatError } from "#media/format";
import { parseWebvtt } from "#media/webvtt";
import { DUPLICATE_SIMILARITY_MIN, nameFiles, sidecarKey, sourceFolder, sourceKey } from "./domain.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

export const QUEUE = "ingest";

interface Work {
  readonly tenant: string;
  readonly contentId: string;
  readonly attempt: number;
}
export const jobOf = (work: Work) => ({
  key: `${work.tenant}/${work.contentId}/${work.attempt}`,
  payload: { ...work },
});

/** Takes one file in: copy, probe, fingerprint, accept. Every step can be repeated after a crash. */
export async function take(parts: Parts, job: Job): Promise<void> {
  const of = job.payload as unknown as Work;
  const context = systemContext(of.tenant, "ingest", { deadlineMs: 3_600_000, signal: job.signal, clock: parts.clock });
  const ingest = await parts.db.tx(context, (tx) => store.find(tx, of.contentId));
  if (!ingest || ingest.attempt !== of.attempt || ingest.state === "accepted" || ingest.state === "failed") return;
  try {
    await setState(parts, context, of.contentId, "copying");
    const key = await copySource(parts, of, ingest);
    const sidecars = await copySidecars(parts, of, ingest);
    await setState(parts, context, of.contentId, "checking");
    const { source, fingerprint } = await parts.objects.withFile(key, async (path) => {
      const probed = await parts.transcoder.probe(path, job.signal);
      await checkSidecars(parts, path, probed, sidecars, job.signal);
      return { source: probed, fingerprint: await parts.transcoder.fingerprint(path, probed, job.signal) };
    });
    await accept(parts, context, ingest, { key, sidecars, source, fingerprint });
  } catch (error) {
    if (job.signal.aborted) throw error;
    const fault = toProblem(error);
    if (isWorthRetrying(fault) && !job.isLastAttempt) throw error;
    parts.logger.warn("an import failed", { content_id: of.contentId, error });
    await refuse(parts, context, ingest, fault);
  }
}

/** Only a person can mend these, who should hear of them now and not after the last try. */
const NEEDS_A_PERSON = new Set(["disk_full", "ffmpeg_missing", "encoder_missing", "filter_missing"]);
const isWorthRetrying = ({ retryable, code, reason }: Problem): boolean =>
  (retryable || code === "internal") && !NEEDS_A_PERSON.has(reason);

async function copySource({ objects }: Parts, of: Work, ingest: store.Ingest): Promise<string> {
  const key = sourceKey(of.tenant, of.contentId);
  // After a crash the first attempt goes on with its copy; a later attempt takes the file that a person may have mended.
  if (ingest.attempt > 1 || !(await objects.head(key))) await copyIn(objects, key, ingest.sourcePath);
  return key;
}

interface Copied {
  readonly key: string;
  readonly language: string;
}

async function copySidecars({ objects }: Parts, of: Work, ingest: store.Ingest): Promise<Copied[]> {
  const copied: Copied[] = [];
  for (const [i, { path, language }] of ingest.wishes.subtitles.entries()) {
    const key = sidecarKey(of.tenant, of.contentId, i + 1, extname(path));
    await copyIn(objects, key, path);
    copied.push({ key, language });
  }
  return copied;
}

/** Copies a file that an operator named, also through a link. An earlier copy stands in for a file that went away. */
async function copyIn(objects: Parts["objects"], key: string, path: string): Promise<void> {
  try {
    await objects.putFile(key, await realpath(path));
  } catch (error) {
    if (!(await areThere([path]))) {
      if (await objects.head(key)) return;
      throw problem.notFound(
        `'${basename(path)}' is not there any more: it was moved, renamed or deleted before it could be copied; put it back and try again`,
        { reason: "source_gone", cause: error },
      );
    }
    if (error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM")) {
      throw problem.denied(`'${basename(path)}' may not be read: change its permissions and try again`, {
        reason: "media_not_readable",
        cause: error,
      });
    }
    throw error;
  }
}

/** Subtitles that somebody put beside a film are wanted: what cannot be read is said now, and not after the encoding. */
async function checkSidecars(
  { objects, transcoder }: Parts,
  path: string,
  source: SourceInfo,
  sidecars: readonly Copied[],
  signal: AbortSignal,
): Promise<void> {
  for (const { key } of sidecars) {
    const text = await objects.withFile(key, (file) => transcoder.extractText(path, source, { file }, signal));
    if (text === "" || cuesIn(text, key) === 0) {
      throw problem.unsupportedMedia(
        `'${basename(key)}' holds no subtitles that can be read: it is empty, damaged or another kind of file`,
        { reason: "subtitles_empty" },
      );
    }
  }
}

function cuesIn(text: string, key: string): number {
  try {
    return parseWebvtt(text, { lenient: true }).cues.length;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw problem.unsupportedMedia(`'${basename(key)}' is no subtitle file that can be used: ${error.message}`, {
      reason: "subtitles_unusable",
      cause: error,
    });
  }
}

interface Checked {
  readonly key: string;
  readonly sidecars: readonly Copied[];
  readonly source: SourceInfo;
  readonly fingerprint: Fingerprint;
}

async function accept(
  parts: Parts,
  context: Context,
  ingest: store.Ingest,
  { key, sidecars, source, fingerprint }: Checked,
): Promise<void> {
  const { contentId } = ingest;
  const isGone = await parts.db.tx(context, async (tx) => {
    // One at a time, or two copies of a film that come at the same moment would not see each other.
    await store.lockAcceptance(tx);
    // Deleted while we worked: nothing of it may come back.
    if (!(await store.find(tx, contentId))) return true;
    if (!ingest.wishes.allowDuplicate) {
      const others = await store.near(tx, fingerprint.durationS, contentId);
      const twin = others.find((other) => similarity(other.fingerprint, fingerprint) >= DUPLICATE_SIMILARITY_MIN);
      if (twin) {
        throw problem.alreadyExists(
          `'${ingest.fileName}' looks like '${twin.contentId}', which is here already; to import it all the same add --allow-duplicate`,
          {
            reason: "duplicate",
            details: { duplicateOf: twin.contentId },
          },
        );
      }
    }
    await store.saveFingerprint(tx, contentId, fingerprint);
    const { displayWidth, displayHeight } = source.video;
    await store.update(tx, contentId, {
      state: "accepted",
      source_key: key,
      duration_s: source.durationS,
      width: displayWidth,
      height: displayHeight,
    });
    tx.emit("completed", {
      contentId,
      sourceKey: key,
      sourceJson: JSON.stringify(source),
      textJson: JSON.stringify(sidecars),
      preset: ingest.preset,
      durationS: source.durationS,
    });
    tx.afterCommit(async () => parts.taken("accepted", ""));
    return false;
  });
  if (isGone) await parts.objects.deletePrefix(sourceFolder(context.tenant, contentId));
}

async function refuse(parts: Parts, context: Context, ingest: store.Ingest, fault: Problem): Promise<void> {
  const { contentId, sourcePath, wishes } = ingest;
  const originals = [sourcePath, ...wishes.subtitles.map(({ path }) => path)];
  const sidecars = wishes.subtitles.map(({ path }) => basename(path));
  const message = nameFiles(fault.message, ingest.fileName, sidecars);
  // A copy of what was refused only takes room, unless it has become the only one: then a retry needs it.
  if (await areThere(originals)) await parts.objects.deletePrefix(sourceFolder(context.tenant, contentId));
  const isGone = await parts.db.tx(context, async (tx) => {
    if (!(await store.find(tx, contentId))) return true;
    const duplicateOf = String(fault.details["duplicateOf"] ?? "");
    await store.update(tx, contentId, {
      state: "failed",
      failure: message,
      failure_reason: fault.reason,
      duplicate_of: duplicateOf,
    });
    tx.emit("failed", { contentId, reason: fault.reason, message });
    tx.afterCommit(async () => parts.taken("refused", fault.reason));
    return false;
  });
  if (isGone) await parts.objects.deletePrefix(sourceFolder(context.tenant, contentId));
}

async function areThere(paths: readonly string[]): Promise<boolean> {
  const found = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        (info) => info.isFile(),
        () => false,
      ),
    ),
  );
  return found.every(Boolean);
}

async function setState(parts: Parts, context: Context, contentId: string, state: store.State): Promise<void> {
  await parts.db.tx(context, (tx) => store.update(tx, contentId, { state }));
}
