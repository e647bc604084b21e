/**
 * A title's look as one vector: the mean of its frames' features, each of length 1 first, so that no frame speaks louder than another (A. Babenko and
 * V. Lempitsky 2015, "Aggregating deep convolutional features for image retrieval"). Nearness is the cosine as it is seen from the middle of the catalogue: what all pictures have in
 * common says nothing (J. Mu and P. Viswanath 2018, "All-but-the-top").
 */
const FRAMES_MAX = 48;
const APART_S_MIN = 0.5;
/** The deviation of a channel, 0 to 1, below which a frame is black, white or fog, which everything resembles. */
const CONTRAST_MIN = 0.04;
const STEPS = 32_767;

/** Fewer titles have no middle that means anything. */
export const TITLES_MIN = 5;

/**
 * From this on two titles are said to look alike: of ten seconds of one film and ten of another one pair in fifty does, of ten seconds twice of one film six in ten
 * (tests/realdata/embedding.test.ts prints both).
 */
export const ALIKE_MIN = 0.2;

/** Moments to look at, spread evenly. */
export function momentsIn(durationS: number): number[] {
  const count = Math.max(1, Math.min(FRAMES_MAX, Math.floor(durationS / APART_S_MIN)));
  return Array.from({ length: count }, (_, index) => ((index + 0.5) * durationS) / count);
}

/** Whether no channel varies. The luma would not do: it hardly minds blue. @param rgb red, green and blue of each pixel */
export function isFlat(rgb: Uint8Array): boolean {
  const pixels = Math.floor(rgb.length / 3);
  return [0, 1, 2].every((channel) => {
    let [sum, squares] = [0, 0];
    for (let at = channel; at < pixels * 3; at += 3) {
      const value = (rgb[at] ?? 0) / 255;
      sum += value;
      squares += value * value;
    }
    return pixels === 0 || squares / pixels - (sum / pixels) ** 2 < CONTRAST_MIN ** 2;
  });
}

export interface Embedding {
  /** Of length 1. */
  readonly vector: Float64Array;
  /** 0 to 1: how much the frames look like each other, and so how well one vector speaks for all of them. */
  readonly agreement: number;
}

/** Undefined where no frame has anything that is not 0. */
export function poolFrames(frames: readonly (readonly number[])[]): Embedding | undefined {
  const sum = new Float64Array(frames[0]?.length ?? 0);
  let count = 0;
  for (const frame of frames) {
    const length = Math.hypot(...frame);
    if (!(length > 0) || frame.length !== sum.length) continue;
    count += 1;
    for (const [at, value] of frame.entries()) sum[at] = (sum[at] ?? 0) + value / length;
  }
  const length = Math.hypot(...sum);
  if (count === 0 || !(length > 0)) return undefined;
  return { vector: sum.map((value) => value / length), agreement: Math.min(1, length / count) };
}

/** As whole numbers of 16 bits, the largest of which is 32,767: the cosine minds directions alone. */
export function packVector(vector: Float64Array): Uint8Array {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const whole = Int16Array.from(vector, (value) => Math.round((value / largest) * STEPS));
  return new Uint8Array(whole.buffer);
}

/** A copy: bytes from elsewhere need not begin where numbers may. */
export const unpackVector = (packed: Uint8Array): Int16Array => new Int16Array(Uint8Array.from(packed).buffer);

/** -1 to 1; 0 where they are not of one kind. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return 0;
  let [both, own, other] = [0, 0, 0];
  for (let at = 0; at < a.length; at += 1) {
    const [x = 0, y = 0] = [a[at], b[at]];
    both += x * y;
    own += x * x;
    other += y * y;
  }
  return own > 0 && other > 0 ? both / Math.sqrt(own * other) : 0;
}

function lengthOf(vector: ArrayLike<number>): number {
  let squares = 0;
  for (let at = 0; at < vector.length; at += 1) squares += (vector[at] ?? 0) ** 2;
  return Math.sqrt(squares);
}

/** The mean of vectors, each of length 1 first; all of one kind. */
export function middleOf(vectors: readonly ArrayLike<number>[]): Float64Array {
  const sum = new Float64Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) {
    const length = lengthOf(vector) || 1;
    for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] ?? 0) + (vector[at] ?? 0) / length;
  }
  return sum.map((value) => value / vectors.length);
}

/** Where a vector of length 1 lies, seen from the middle. */
export function fromMiddle(vector: ArrayLike<number>, middle: Float64Array): Float64Array {
  const length = lengthOf(vector) || 1;
  return middle.map((value, at) => (vector[at] ?? 0) / length - value);
}

/** The cosine of one vector and others, all seen from the middle, in one pass over each: thousands are compared while somebody waits. */
export function nearnessTo(own: ArrayLike<number>, middle: Float64Array): (other: ArrayLike<number>) => number {
  const seen = fromMiddle(own, middle);
  const ownLength = lengthOf(seen);
  let [ownMiddle, middleSquares] = [0, 0];
  for (let at = 0; at < middle.length; at += 1) {
    ownMiddle += (seen[at] ?? 0) * (middle[at] ?? 0);
    middleSquares += (middle[at] ?? 0) ** 2;
  }
  return (other) => {
    if (other.length !== middle.length) return 0;
    let [squares, both, withMiddle] = [0, 0, 0];
    for (let at = 0; at < middle.length; at += 1) {
      const value = other[at] ?? 0;
      squares += value * value;
      both += value * (seen[at] ?? 0);
      withMiddle += value * (middle[at] ?? 0);
    }
    const length = Math.sqrt(squares) || 1;
    const otherSquares = squares / length ** 2 - (2 * withMiddle) / length + middleSquares;
    const product = ownLength * Math.sqrt(Math.max(0, otherSquares));
    return product > 0 ? (both / length - ownMiddle) / product : 0;
  };
}

export interface Neighbour {
  readonly contentId: string;
  readonly similarity: number;
}

/** The nearest so far and some more, the nearest first; equals by their id, so that the order is always the same. */
export const nearest = (found: readonly Neighbour[], limit: number): Neighbour[] =>
  found.toSorted((a, b) => b.similarity - a.similarity || (a.contentId < b.contentId ? -1 : 1)).slice(0, limit);
