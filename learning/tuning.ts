/**
 * Which options a learner does best with: random search (J. Bergstra and Y. Bengio, "Random search for hyper-parameter optimization", JMLR 13,
 * 2012) with successive halving (K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS
 * 2016), which is one bracket of Hyperband (L. Li et al., JMLR 18, 2018). All are tried on a small share of the data, the better third of them on three times as much, and so on
 * until few are left on all. What stands first is what one would take without a search: it is never dropped, and stays unless another one
 * is better beyond doubt, because the best of many is the best by chance, too.
 */
import { type Interval, pairedDifference } from "./bootstrap.ts";
import { type Random, randomBelow } from "./random.ts";

/** For some options the values that may be tried. */
export type Space<T> = { readonly [Key in keyof T]?: readonly T[Key][] };

export interface Tried<T> {
  readonly options: T;
  /** Of the data, the largest that it was tried on. */
  readonly share: number;
  /** Its mean loss there. */
  readonly loss: number;
}

export interface Tuned<T> {
  readonly chosen: T;
  /** In the order in which they were drawn, the first one in front. */
  readonly tried: readonly Tried<T>[];
  /** By how much the best of the others is better than the first on all of the data; below 0 where it is worse. */
  readonly gain: Interval;
}

export interface TuningOptions {
  readonly random: Random;
  /** One in so many goes on, to so many times the data. */
  readonly factor?: number;
  /** How often there are fewer. */
  readonly rounds?: number;
}

const CONFIDENCE = 0.95;

/** Different options of a space, none of them `first`; fewer where there are not so many. */
export function drawOptions<T extends object>(first: T, space: Space<T>, count: number, random: Random): T[] {
  const names = Object.keys(space) as (keyof T)[];
  const sizes = names.map((name) => space[name]?.length ?? 0);
  const whole = sizes.reduce((product, size) => product * size, 1);
  const isFirst = (options: T): boolean => names.every((name) => options[name] === first[name]);
  const at = (index: number): T => {
    let rest = index;
    const drawn = { ...first };
    for (const [place, name] of names.entries()) {
      const values = space[name] ?? [];
      const size = sizes[place] ?? 1;
      Object.assign(drawn, { [name]: values[rest % size] });
      rest = Math.floor(rest / size);
    }
    return drawn;
  };
  // A permutation of which only what was exchanged is kept (Fisher-Yates): a space may be large.
  const exchanged = new Map<number, number>();
  const found: T[] = [];
  for (let left = whole; left > 0 && found.length < count; left -= 1) {
    const place = randomBelow(random, left);
    const options = at(exchanged.get(place) ?? place);
    exchanged.set(place, exchanged.get(left - 1) ?? left - 1);
    if (!isFirst(options)) found.push(options);
  }
  return found;
}

/**
 * @param all the first is what stays in doubt
 * @param lossesOf trains on a share of the data, and says what is lost at each unit that is held out: always the same units
 */
export function successiveHalving<T>(
  all: readonly [T, ...T[]],
  lossesOf: (options: T, share: number) => ArrayLike<number>,
  { random, factor = 3, rounds = 2 }: TuningOptions,
): Tuned<T> {
  let left = all.map((options, index) => ({ options, index, losses: [] as ArrayLike<number>, share: 0 }));
  const reached = [...left];
  for (let round = rounds; ; round -= 1) {
    const share = factor ** -round;
    left = left.map((one) => ({ ...one, share, losses: lossesOf(one.options, share) }));
    for (const one of left) reached[one.index] = one;
    if (round === 0) break;
    // Counted without the first, which goes on whatever it did.
    const [first, ...others] = left;
    const kept = others.toSorted(byLoss).slice(0, Math.ceil(others.length / factor));
    left = [...(first ? [first] : []), ...kept];
  }
  const [first, ...others] = left;
  const [best = first] = others.toSorted(byLoss);
  if (!first || !best) throw new RangeError("there is nothing to choose from");
  const gain = pairedDifference(first.losses, best.losses, { random, level: CONFIDENCE });
  return {
    chosen: gain.low > 0 ? best.options : first.options,
    tried: reached.map(({ options, share, losses }) => ({ options, share, loss: meanOf(losses) })),
    gain,
  };
}

/** What cannot be judged is last. */
function byLoss(a: { readonly losses: ArrayLike<number> }, b: { readonly losses: ArrayLike<number> }): number {
  const [ours, theirs] = [meanOf(a.losses), meanOf(b.losses)];
  return Number.isNaN(ours) || Number.isNaN(theirs)
    ? Number(Number.isNaN(ours)) - Number(Number.isNaN(theirs))
    : ours - theirs;
}

const meanOf = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
