/**
 * The area under the ROC curve as the Mann-Whitney statistic: the chance that a positive is scored above a negative, ties counting half (Hanley and
 * McNeil 1982, "The meaning and use of the area under a receiver operating characteristic curve").
 */

/** 0 to 1; NaN where one of the classes is missing. `labels` are 0 or 1. */
export function auc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Array.from({ length: scores.length }, (_, row) => row);
  order.sort((a, b) => at(scores, a) - at(scores, b));
  let positives = 0;
  let rankSum = 0;
  for (let from = 0; from < order.length; ) {
    const score = at(scores, order[from] ?? 0);
    let [to, tied] = [from, 0];
    for (; to < order.length && at(scores, order[to] ?? 0) === score; to += 1) tied += at(labels, order[to] ?? 0);
    // Those that are tied share the mean of their ranks, which begin at 1.
    rankSum += tied * ((from + to + 1) / 2);
    positives += tied;
    // A score that is no number equals nothing, not even itself.
    from = to === from ? order.length : to;
  }
  const negatives = scores.length - positives;
  return positives === 0 || negatives === 0
    ? Number.NaN
    : (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? Number.NaN;
