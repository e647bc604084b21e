/**
 * The two clocks of a title with ads in it. A position in the title counts no ads: bookmarks, chapters and durations mean it. A player's clock
 * counts what it plays, ads among it: heartbeats and seeks speak of that ("presented").
 *
 *   title      |----------|================|            two breaks, at a and b
 *   presented  |----------|ads|================|ads|
 */

/** Ads at a place of the title, and how long they are together. Breaks stand in the order of their places. */
export interface InsertedBreak {
  readonly atS: number;
  readonly durationS: number;
}

/** Where in the title a player stands. Within a break it is the break's place. */
export function toTitleS(breaks: readonly InsertedBreak[], presentedS: number): number {
  let insertedS = 0;
  for (const { atS, durationS } of breaks) {
    const startS = atS + insertedS;
    if (presentedS < startS) break;
    if (presentedS < startS + durationS) return atS;
    insertedS += durationS;
  }
  return presentedS - insertedS;
}

/** Where a player stands that shows a place of the title; at the place of a break, before its ads. */
export function toPresentedS(breaks: readonly InsertedBreak[], titleS: number): number {
  return breaks.reduce((sum, { atS, durationS }) => (atS < titleS ? sum + durationS : sum), titleS);
}

/** How much longer ads make the title. */
export const insertedS = (breaks: readonly InsertedBreak[]): number =>
  breaks.reduce((sum, { durationS }) => sum + durationS, 0);

/** An ad of a plan: its package, whose content id is the creative's. */
export interface PlanAd {
  readonly contentId: string;
  readonly packageRevision: number;
  readonly indexVersion: number;
}

/** What a title's breaks are filled with. It lies beside the package of the title that it is made for, under a name that follows from it. */
export interface AdPlan {
  readonly breaks: readonly (InsertedBreak & { readonly ads: readonly PlanAd[] })[];
}

/** The hash of a plan, as 16 hexadecimal digits; part of the names of its manifests. */
export const PLAN_ID = /^[0-9a-f]{16}$/;

export const planKey = (packageFolder: string, planId: string): string => `${packageFolder}/plan-${planId}.json`;
