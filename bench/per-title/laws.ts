/** Part of per-title.ts: the laws of the model, learned from what a grid of encodes weighed and looked like. */
import type { Complexity } from "#kernel/ports/transcoder";
import { fitRidge, predictRidge } from "#learning/ridge";
import {
  type Codec,
  type ComplexityModel,
  featuresOf,
  type Laws,
  probedLnKbps,
  qualityOf,
  vmafOf,
} from "../../services/content/encoding/domain-per-title.ts";
import type { Asked, Made } from "./encodes.ts";

export type Trial = Asked & Made & { readonly crf: number };
export interface Studied {
  readonly name: string;
  /** No model may know another excerpt of the film that it is asked about. */
  readonly film: string;
  readonly complexity: Complexity;
  readonly trials: readonly Trial[];
}

/** Few films teach, and each of them many rows that are alike: the weights are held back more than such numbers of rows would ask for. */
const PENALTY = 0.02;
/** What is outside is no rung of anybody. */
const [JUDGED_FROM, JUDGED_TO] = [55, 98];
const VERSION = 1;

export function fitLaws(titles: readonly Studied[], codec: Codec): Omit<Laws, "vmafError"> {
  const rows = titles.flatMap(({ complexity, trials }) =>
    trials
      .filter((trial) => trial.codec === codec)
      .map((trial) => ({
        features: featuresOf(complexity, trial, trial.crf),
        rate: Math.log(trial.kbps) - probedLnKbps(complexity, trial, trial.crf),
        quality: qualityOf(trial.vmaf),
      })),
  );
  const columns = rows[0]?.features.length ?? 0;
  const table = { values: Float32Array.from(rows.flatMap(({ features }) => features)), columns };
  const fit = (labels: readonly number[]) => fitRidge(table, labels, PENALTY);
  return { rate: fit(rows.map(({ rate }) => rate)), vmaf: fit(rows.map(({ quality }) => quality)) };
}

export interface Wrong {
  /** Root mean squares: in VMAF, and as a share of the rate. */
  readonly vmaf: number;
  readonly rate: number;
}

/** How wrong laws are about films. */
export function errorOf(laws: Omit<Laws, "vmafError">, titles: readonly Studied[], codec: Codec): Wrong {
  const misses = titles.flatMap(({ complexity, trials }) =>
    trials
      .filter((trial) => trial.codec === codec && trial.vmaf >= JUDGED_FROM && trial.vmaf <= JUDGED_TO)
      .map((trial) => {
        const features = featuresOf(complexity, trial, trial.crf);
        const lnKbps = probedLnKbps(complexity, trial, trial.crf) + predictRidge(laws.rate, features);
        return [vmafOf(predictRidge(laws.vmaf, features)) - trial.vmaf, lnKbps - Math.log(trial.kbps)] as const;
      }),
  );
  const rms = (at: 0 | 1): number => Math.sqrt(misses.reduce((sum, miss) => sum + miss[at] ** 2, 0) / misses.length);
  return { vmaf: rms(0), rate: rms(1) };
}

/** A model of these films; its error is that of models which had not seen the film that they were asked about. */
export function trainModel(titles: readonly Studied[]): ComplexityModel {
  const laws: Partial<Record<Codec, Laws>> = {};
  for (const codec of ["h264", "hevc"] as const) {
    const known = titles.filter(({ trials }) => trials.some((trial) => trial.codec === codec));
    if (known.length < 3) continue;
    const errors = known.map((title) => {
      const others = known.filter(({ film }) => film !== title.film);
      return errorOf(fitLaws(others, codec), [title], codec).vmaf;
    });
    const judged = errors.filter(Number.isFinite);
    const vmafError = Math.sqrt(judged.reduce((sum, error) => sum + error ** 2, 0) / judged.length);
    laws[codec] = { ...fitLaws(known, codec), vmafError };
  }
  return { version: VERSION, trainedOn: titles.map(({ name }) => name), laws };
}
