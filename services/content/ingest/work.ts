import { basename, extname } from "node:path";
import { type Context, problem, systemContext, toProblem } from "#kernel";
import type { Job } from "#kernel/ports/jobs";
import type { Fingerprint, SourceInfo } from "#kernel/ports/transcoder";
import { similarity } from "#media/fingerprint";
import { DUPLICATE_SIMILARITY_MIN, sidecarKey, sourceFolder, sourceKey } from "./domain.ts";
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
      return { source: probed, fingerprint: await parts.transcoder.fingerprint(path, probed, job.signal) };
    });
    await accept(parts, context, ingest, { key, sidecars, source, fingerprint });
  } catch (error) {
    if (job.signal.aborted) throw error;
    const fault = toProblem(error);
    if ((fault.retryable || fault.code === "internal") && !job.isLastAttempt) throw error;
    parts.logger.warn("an import failed", { content_id: of.contentId, error });
    await refuse(
      parts,
      context,
      of.contentId,
      fault.reason,
      nameFile(fault.message, ingest.fileName),
      String(fault.details["duplicateOf"] ?? ""),
    );
  }
}

/** What people know is the file that they gave, not the object that it became. */
const nameFile = (message: string, fileName: string): string => message.replaceAll(/(['"])source\1/g, `'${fileName}'`);

async function copySource({ objects }: Parts, of: Work, ingest: store.Ingest): Promise<string> {
  const key = sourceKey(of.tenant, of.contentId);
  if (!(await objects.head(key))) await objects.putFile(key, ingest.sourcePath);
  return key;
}

async function copySidecars(
  { objects }: Parts,
  of: Work,
  ingest: store.Ingest,
): Promise<{ key: string; language: string }[]> {
  const copied: { key: string; language: string }[] = [];
  for (const [i, { path, language }] of ingest.wishes.subtitles.entries()) {
    const key = sidecarKey(of.tenant, of.contentId, i + 1, extname(basename(path)));
    await objects.putFile(key, path);
    copied.push({ key, language });
  }
  return copied;
}

interface Checked {
  readonly key: string;
  readonly sidecars: readonly { readonly key: string; readonly language: string }[];
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
    return false;
  });
  if (isGone) await parts.objects.deletePrefix(sourceFolder(context.tenant, contentId));
}

async function refuse(
  parts: Parts,
  context: Context,
  contentId: string,
  reason: string,
  message: string,
  duplicateOf: string,
): Promise<void> {
  await parts.db.tx(context, async (tx) => {
    await store.update(tx, contentId, {
      state: "failed",
      failure: message,
      failure_reason: reason,
      duplicate_of: duplicateOf,
    });
    tx.emit("failed", { contentId, reason, message });
  });
}

async function setState(parts: Parts, context: Context, contentId: string, state: store.State): Promise<void> {
  await parts.db.tx(context, (tx) => store.update(tx, contentId, { state }));
}
