/** What every model that is trained here has in common: what it learns from, what it is judged by, and what it is compared with. */
import { auc } from "#learning/auc";
import type { GbdtOptions } from "#learning/gbdt";
import type { Table } from "#learning/table";
import { judgeLists, type JudgedLists, type Lists } from "./domain-lists.ts";

/** A model as this service knows it: a chance between 0 and 1, of what one would like to avoid or of what one hopes for. */
export interface Recipe {
  readonly name: string;
  readonly features: readonly string[];
  readonly options: GbdtOptions;
  /** It is made anew at least so often (ARCH-001, "Model Inventory"). */
  readonly refreshMs: number;
  /** A population stability index above this is a drift. */
  readonly psiMax: number;
}

/** What a version is judged by, row by row. */
export interface Labelled {
  readonly labels: Float32Array;
  /** The groups of each row, such as `tier=basic`, that must not be served much worse than all. */
  readonly segments: readonly (readonly string[])[];
  /** Of a model that orders lists: which rows are one. */
  readonly lists?: Lists;
}

/** Rows to learn from, and on which side each is. */
export interface Examples extends Labelled {
  readonly table: Table;
  /** True for rows that are judged by and not learned from. */
  readonly isTest: readonly boolean[];
  /** What is said of each row without a model: what a first version has to beat. */
  readonly rule: Float32Array;
}

export interface Judgement {
  readonly auc: number;
  readonly logLoss: number;
  readonly segments: readonly SegmentJudgement[];
  /** Of a model that orders lists, which is what decides about it. */
  readonly lists?: JudgedLists;
}

export interface SegmentJudgement {
  readonly segment: string;
  readonly rows: number;
  readonly auc: number;
  readonly ndcg?: number;
}

const SEGMENT_ROWS_MIN = 100;

/** How good scores are, on all rows and by segment. Segments of few rows, or of one class, say nothing. */
export function judge(scores: ArrayLike<number>, { labels, segments: segmentsOf, lists }: Labelled): Judgement {
  const segments = new Map<string, number[]>();
  for (const [row, names] of segmentsOf.entries())
    for (const name of names) {
      const rows = segments.get(name);
      if (rows) rows.push(row);
      else segments.set(name, [row]);
    }
  const of = (rows: readonly number[]): number =>
    auc(
      rows.map((row) => scores[row] ?? Number.NaN),
      rows.map((row) => labels[row] ?? Number.NaN),
    );
  return {
    auc: auc(scores, labels),
    logLoss: logLossOf(scores, labels),
    segments: [...segments]
      .filter(([, rows]) => rows.length >= SEGMENT_ROWS_MIN)
      .map(([segment, rows]) => ({
        ...{ segment, rows: rows.length, auc: of(rows) },
        ...(lists ? { ndcg: judgeLists(scores, labels, lists, rows).ndcg } : {}),
      }))
      .filter((one) => !Number.isNaN(one.auc))
      .toSorted((a, b) => a.segment.localeCompare(b.segment)),
    ...(lists ? { lists: judgeLists(scores, labels, lists, [...labels.keys()]) } : {}),
  };
}

function logLossOf(scores: ArrayLike<number>, labels: Float32Array): number {
  const sum = labels.reduce((total, label, row) => {
    const chance = Math.min(1 - 1e-7, Math.max(1e-7, scores[row] ?? Number.NaN));
    return total - Math.log(label === 1 ? chance : 1 - chance);
  }, 0);
  return sum / labels.length;
}
