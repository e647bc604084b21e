/** The titles that are asked for together. */
export const TITLES: readonly string[] = Array.from({ length: 50 }, (_, n) => `title-${String(n).padStart(2, "0")}`);

/** What is answered where nothing decides: as much as a decision would be. */
export const answerOf = (contentIds: readonly string[]) => ({
  decisions: contentIds.map((contentId) => ({ contentId, allowed: true, reason: "", message: "" })),
});

export interface Ready {
  readonly secretsFolder: string;
  readonly userId: string;
  readonly profileId: string;
  readonly ports: Readonly<Record<"real" | "empty" | "plain", number>>;
}
