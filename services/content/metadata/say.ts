import type { Chapter, Picture } from "./domain.ts";
import type { MetadataTx } from "./parts.ts";

export function announce(
  tx: MetadataTx,
  of: {
    readonly contentId: string;
    readonly what: string;
    readonly byPerson: boolean;
    readonly chapters?: readonly Chapter[];
    readonly pictures?: readonly Picture[];
  },
): void {
  const { chapters = [], pictures = [], ...rest } = of;
  tx.emit("enriched", {
    ...rest,
    chapters: chapters.map(({ startS, title }) => ({ startS, title })),
    pictures: pictures.map(({ key, width, height, color, blurDataUrl }) => ({
      key,
      width,
      height,
      color,
      blurDataUrl,
    })),
  });
}
