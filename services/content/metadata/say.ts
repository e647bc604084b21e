import type { Chapter } from "./domain.ts";
import type { MetadataTx } from "./parts.ts";

export function announce(
  tx: MetadataTx,
  of: {
    readonly contentId: string;
    readonly what: string;
    readonly byPerson: boolean;
    readonly chapters?: readonly Chapter[];
  },
): void {
  const { chapters = [], ...rest } = of;
  tx.emit("enriched", { ...rest, chapters: chapters.map(({ startS, title }) => ({ startS, title })) });
}
