import type { Stage } from "./domain.ts";

export const QUEUE = "encoding";
/** Packaging goes before encoding: what is done should play. What plays first goes before what joins later. */
const PRIORITY: Readonly<Record<Stage, number>> = { playable: 10, complete: 1 };
const PACKAGE_PRIORITY = 20;

export interface Work {
  readonly tenant: string;
  readonly contentId: string;
  readonly attempt: number;
  /** A task's name, or `package/playable`, `package/complete`, `package/again`, `package/texts`. */
  readonly task: string;
}

export const jobOf = (work: Work, stage: Stage | "package") => ({
  key: `${work.tenant}/${work.contentId}/${work.attempt}/${work.task}`,
  payload: { ...work },
  priority: stage === "package" ? PACKAGE_PRIORITY : PRIORITY[stage],
});
