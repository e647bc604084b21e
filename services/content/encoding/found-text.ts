import type { MetadataSubtitlesPublished } from "#contracts/metadata";
import { type Context, problem, type Received, type Tx } from "#kernel";
import { packageFolder, type Presentation, type TextTrack } from "#media/presentation";
import { indexKey } from "./domain.ts";
import { foundTextOf } from "./domain-found.ts";
import { packageText } from "./package.ts";
import { announce, readIndex } from "./packaged.ts";
import type { Pictures } from "./pictures.ts";
import { jobOf, QUEUE, type Work } from "./queue.ts";
import type { Encoding, Parts } from "./service.ts";
import * as store from "./store.ts";

// Subtitles that were found in a film join its package as rungs do that come later: by another index of the same revision.

export const TEXTS = "package/texts";

/** @param name of what asks for it, so that no job which is giving up just now swallows another */
export function textsJob(of: Omit<Work, "task">, name: string) {
  const job = jobOf({ ...of, task: TEXTS }, "package");
  return { ...job, key: `${job.key}/${name}` };
}

export async function takeSubtitles(
  parts: Parts,
  tx: Tx<typeof Encoding>,
  events: readonly Received<MetadataSubtitlesPublished>[],
): Promise<void> {
  for (const { id, data, tenant } of events) {
    const { contentId } = data;
    const title = await store.title(tx, contentId, { lock: true });
    if (!title) continue;
    const { found: _, ...plan } = title.plan;
    await store.setPlan(tx, contentId, data.key === "" ? plan : { ...plan, found: foundTextOf(data) });
    await parts.jobs.send(tx, QUEUE, [textsJob({ tenant, contentId, attempt: title.attempt }, id)]);
  }
}

/** What is being packaged takes them along by itself; what plays whole gets its next index here. */
export async function joinTexts(parts: Parts, title: store.TitleRow, of: Work, context: Context): Promise<void> {
  const { contentId, packageRevision: revision, plan, state } = title;
  if (state !== "complete") return;
  const index = await readIndex(parts, contentId, revision, title.indexVersion);
  const text = await textsOf(parts, title, index);
  if (text.map(({ profile }) => profile).join() === index.text.map(({ profile }) => profile).join()) return;
  await parts.db.tx(context, async (tx) => {
    const now = await store.title(tx, contentId, { lock: true });
    // Deleted meanwhile: what was written goes with the package, whose folder it lies in.
    if (!now) return;
    const isSame = now.packageRevision === revision && now.indexVersion === title.indexVersion;
    if (!isSame || now.plan.found?.profile !== plan.found?.profile)
      throw problem.aborted(`'${contentId}' was packaged anew meanwhile`);
    const next: Presentation = { ...index, indexVersion: title.indexVersion + 1, text };
    // Under the lock, so that nobody else writes an index of this number.
    await parts.objects.put(
      indexKey(packageFolder(contentId, revision), next.indexVersion),
      Buffer.from(JSON.stringify(next)),
    );
    await store.updateTitle(tx, contentId, { index_version: next.indexVersion });
    const pictures = (await store.tasks(tx, contentId)).find(({ kind }) => kind === "pictures")?.result;
    announce(tx, next, JSON.parse(pictures || "null") as Pictures | null, "complete");
  });
}

/** The tracks of the file as they are, and what was found as it is now. */
async function textsOf({ objects }: Parts, { contentId, plan, packageRevision }: store.TitleRow, index: Presentation) {
  const own = new Set(plan.text.map(({ profile }) => profile));
  const tracks: TextTrack[] = index.text.filter(({ profile }) => own.has(profile));
  if (!plan.found) return tracks;
  const known = index.text.find(({ profile }) => profile === plan.found?.profile);
  const of = { contentId, revision: packageRevision };
  const track = known ?? (await packageText(objects, of, { ...plan.found, role: "subtitles" }, index.durationS));
  return track ? [...tracks, track] : tracks;
}
