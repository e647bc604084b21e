import { createHash } from "node:crypto";
import type { PublishSubtitlesRequest } from "#contracts/metadata";
import { AutomaticSubtitles } from "#contracts/flags";
import { type Context, problem } from "#kernel";
import { writeWebvtt } from "#media/webvtt";
import { effective, type Subtitles } from "./domain.ts";
import { type MetadataTx, type Parts, titleFolder } from "./parts.ts";
import * as store from "./store.ts";

// From a draft to viewers: what is shown is a copy, so that a later run changes nothing of it.

export async function publishSubtitles(
  parts: Parts,
  { contentId, withdraw }: PublishSubtitlesRequest,
  context: Context,
) {
  await parts.db.tx(context, async (tx) => {
    const title = await store.title(tx, contentId, { lock: true });
    if (!title) throw problem.notFound(`'${contentId.slice(0, 80)}' was not taken in, so there is nothing to look at`);
    if (withdraw) return hide(tx, title);
    const made = await store.step(tx, contentId, "subtitles");
    const { value } = effective("subtitles", made?.value, await store.corrections(tx, contentId));
    const subtitles = value as Subtitles | undefined;
    if (!subtitles?.cues.length)
      throw problem.precondition(
        `'${contentId}' has no subtitles that could be shown: ${made?.message || "it was not listened to yet"}`,
      );
    await show(parts, tx, title, subtitles, "accepted");
  });
  return {};
}

/** A draft goes to viewers by itself where its tenant wants that, nobody has spoken, and the language is no guess against its words. */
export async function showDraft(parts: Parts, tx: MetadataTx, contentId: string, value: unknown): Promise<void> {
  if (!parts.flags.evaluate(AutomaticSubtitles, { tenant: tx.tenant, service: "metadata" }).value) return;
  const draft = value as Subtitles & { readonly languageDoubted?: boolean };
  const title = await store.title(tx, contentId);
  if (!title || title.subtitlesShown === "accepted" || draft.languageDoubted || draft.cues.length === 0) return;
  if ((await store.corrections(tx, contentId)).has("subtitles")) return;
  await show(parts, tx, title, draft, "automatic");
}

async function show(
  parts: Parts,
  tx: MetadataTx,
  { contentId }: store.Title,
  { language, cues }: Subtitles,
  as: "accepted" | "automatic",
): Promise<void> {
  const text = writeWebvtt({
    cues: cues.map(({ startS, endS, text: words }) => ({
      ...{ id: null, startMs: Math.round(startS * 1_000), endMs: Math.round(endS * 1_000), settings: "" },
      // An empty line would end the cue.
      text: words
        .replaceAll(/\n\s*\n/g, "\n")
        .replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll(">", "&gt;"),
    })),
  });
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const key = `${titleFolder(tx.tenant, contentId)}subtitles-${hash}.vtt`;
  await parts.objects.put(key, Buffer.from(text));
  await store.setSubtitlesShown(tx, contentId, as);
  tx.emit("subtitlesPublished", { contentId, key, language, isAutomatic: as === "automatic" });
}

async function hide(tx: MetadataTx, { contentId, subtitlesShown }: store.Title): Promise<void> {
  if (subtitlesShown === "") return;
  await store.setSubtitlesShown(tx, contentId, "");
  tx.emit("subtitlesPublished", { contentId, key: "", language: "und", isAutomatic: false });
}
