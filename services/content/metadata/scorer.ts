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
  model: "picture quality, learned from spoiled pairs",
  version: "1",
  weights: [2.2754, 1.83, -1.193, -9.5737, 14.042, 5.5066, -5.1133, 25.843, -6.6253, 12.92, 13.235],
  means: [-2.9499, -1.9521, 0.19681, 0.35476, 0.057673, 0.20949, 0.018591, 0.16192, 0.11437, 0.73068, 0.34486],
  temperature: 3.8178,
};
