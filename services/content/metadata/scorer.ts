/**
 * What makes a frame a good thumbnail. These weights are set by hand; `npm run bench -- enrichment --write` learns others from pairs of a picture as it was and spoiled, judges them on
 * films that they were not learned from, and writes them here.
 */
export interface Scorer {
  readonly model: string;
  readonly version: string;
  /** In the order of PICTURE_FEATURES. */
  readonly weights: readonly number[];
  readonly means: readonly number[];
  /** Margins are divided by it, so that scores of ordinary frames spread from 0 to 1. */
  readonly temperature: number;
}

export const SCORER: Scorer = {
  model: "picture quality, weights by hand",
  version: "0",
  weights: [1.5, 1, -1, 0, -8, -2, -3, 6, 3, 3, -1],
  means: [-2.5, -1.5, 0.2, 0.4, 0.03, 0.1, 0.02, 0.2, 0.2, 0.7, 0.36],
  temperature: 2,
};
