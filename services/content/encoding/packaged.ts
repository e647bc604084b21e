import type { Tx } from "#kernel";
import { packageFolder, type Presentation } from "#media/presentation";
import { indexKey } from "./domain.ts";
import type { Pictures } from "./pictures.ts";
import type { Encoding, Parts } from "./service.ts";

// What is there of a package, and what others hear of it.

export const readIndex = async (
  { objects }: Parts,
  contentId: string,
  revision: number,
  version: number,
): Promise<Presentation> =>
  JSON.parse(
    Buffer.from(await objects.get(indexKey(packageFolder(contentId, revision), version))).toString("utf8"),
  ) as Presentation;

export function announce(
  tx: Tx<typeof Encoding>,
  packaged: Presentation,
  pictures: Pictures | null,
  stage: string,
): void {
  const largest = packaged.video.toSorted((a, b) => b.width * b.height - a.width * a.height)[0];
  const languages = (tracks: readonly { readonly language: string }[]): string[] => [
    ...new Set(tracks.map((track) => track.language)),
  ];
  tx.emit("completed", {
    contentId: packaged.contentId,
    stage,
    packageRevision: packaged.revision,
    indexVersion: packaged.indexVersion,
    durationS: packaged.durationS,
    audioLanguages: languages(packaged.audio),
    subtitleLanguages: languages(packaged.text),
    width: largest?.width ?? 0,
    height: largest?.height ?? 0,
    artwork: [...(pictures?.artwork ?? [])],
    previewKey: pictures?.previewKey ?? null,
    chapters: (packaged.chapters ?? []).map(({ startS, title }) => ({ startS, title })),
  });
}
