/** A part of a film, which lasts until the next one begins. */
export interface Chapter {
  startS: number;
  title: string;
}

/** The chapter at a place; chapters come in the order of their starts. Null before the first one. */
export function chapterAt<C extends Chapter>(chapters: readonly C[], positionS: number): C | null {
  return chapters.findLast(({ startS }) => startS <= positionS) ?? null;
}
