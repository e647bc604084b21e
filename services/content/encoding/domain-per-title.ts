/**
 * A ladder for one film (J. De Cock et al. 2016, "Complexity-based consistent-quality encoding in the cloud"; I. Katsavounidis 2018, "Dynamic optimizer"):
 * what rate and what VMAF each size and quality of it would have is told by a learned model from probes; rungs stand on the hull of these, one for each quality
 * that ARCH-001 section 5 wants, in steps that players can tell apart.
 */
import type { Complexity, PictureProbe, ProbedPicture, SourceInfo } from "#kernel/ports/transcoder";
import { predictRidge, type Ridge } from "#learning/ridge";
import { type Plan, type Sized, sizesOf } from "./domain.ts";

export const PROBE_CRFS = [22, 31, 40] as const;
/** The specification's targets, which come with its rungs (ARCH-001 section 5, "ABR Ladder Definitions"). */
export const VMAF_TARGETS = {
  h264: [93, 90, 82, 75, 68],
  hevc: [95, 93, 90, 85, 78, 70],
} as const;
export const CRF_MIN = 17;
/**
 * What was made smaller is not kept finer than this: there the next size, kept more coarsely, looks as good for less. It was so of every film that was looked at, and
 * holds back a model that has seen few.
 */
export const CRF_MIN_SMALLER = 22;
export const CRF_MAX = 44;
/** Nearer, and a switch would not be seen; farther, and it would be seen too much. */
export const STEP_MIN = 1.5;
export const STEP_MAX = 2;
export const RUNGS_MAX = 9;
/** So near to the lowest rung that is wanted, it is there. */
const STEP_ENOUGH = 1.1;
/** Below this a picture is the smallest part of what a player asks for. */
const KBPS_MIN = 20;
/** How far above its target the best rung may be aimed at, in VMAF. */
const MARGIN_MAX = 3;
/** How far a hard scene may go above the film's mean. */
const PEAK = 2;

export type Codec = "h264" | "hevc";
export interface Laws {
  /** How much the natural logarithm of the rate differs from that of the probes. */
  readonly rate: Ridge;
  /** `qualityOf` of the VMAF. */
  readonly vmaf: Ridge;
  /** The root mean square of what it was wrong by, in VMAF, on films that it was not trained on. */
  readonly vmafError: number;
}
export interface ComplexityModel {
  readonly version: number;
  readonly trainedOn: readonly string[];
  readonly laws: Readonly<Partial<Record<Codec, Laws>>>;
}

export interface Point {
  readonly width: number;
  readonly height: number;
  readonly crf: number;
  readonly kbps: number;
  readonly vmaf: number;
}
export type Size = Pick<Point, "width" | "height">;

/** The sizes that a film is tried at, each with both probes; the largest first, since all are compared at it. */
export const probesOf = (sizes: readonly Size[]): PictureProbe[] =>
  sizes.flatMap(({ width, height }) => PROBE_CRFS.map((crf) => ({ width, height, crf })));

/** What the probes of a size say of a quality between them, or a little beyond: straight lines in decibels and logarithms. */
function between({ probes }: Complexity, size: Size, crf: number) {
  const here = probes.filter(({ width, height }) => width === size.width && height === size.height);
  const known = here.toSorted((a, b) => a.crf - b.crf);
  const at = Math.max(
    1,
    known.findIndex((probe, index) => index === known.length - 1 || probe.crf >= crf),
  );
  const [low, high] = [known[at - 1], known[at]];
  const share = low && high ? (crf - low.crf) / (high.crf - low.crf) : Number.NaN;
  const mix = (of: (probe: ProbedPicture) => number): number =>
    low && high ? of(low) + share * (of(high) - of(low)) : Number.NaN;
  return {
    lnKbps: mix(({ bitrateKbps }) => Math.log(Math.max(1, bitrateKbps))),
    psnrDb: mix(({ psnrDb }) => psnrDb),
    ssimDb: mix(({ ssim }) => -10 * Math.log10(Math.max(1e-5, 1 - ssim))),
  };
}

/** VMAF as a scale without an end, so that a law may be linear; and back. */
export const qualityOf = (vmaf: number): number => -Math.log(1 - Math.min(99.5, Math.max(0, vmaf)) / 101);
export const vmafOf = (quality: number): number => Math.min(100, Math.max(0, 101 * (1 - Math.exp(-quality))));

/** What the laws are told of a film at a size and a quality. */
export function featuresOf(complexity: Complexity, size: Size, crf: number): number[] {
  const top = complexity.probes[0] ?? size;
  const { lnKbps, psnrDb, ssimDb } = between(complexity, size, crf);
  const [t, s] = [(crf - 30) / 10, Math.log(size.width / top.width)];
  const [spatial, temporal] = [complexity.spatial / 50, Math.log1p(complexity.temporal) / 3];
  const perPixel = lnKbps - Math.log(size.width * size.height);
  return [
    ...[psnrDb, ssimDb, (psnrDb * psnrDb) / 40, (ssimDb * ssimDb) / 20, (psnrDb * ssimDb) / 30],
    ...[t, t * t, s, s * s, s * t, spatial, temporal, s * spatial, s * temporal, t * spatial, t * temporal],
    ...[perPixel, perPixel * t, perPixel * s, Math.min(4, complexity.cutsPerMinute / 10)],
  ];
}

/** The logarithm of the probes' rate, which the law of the rate corrects. */
export const probedLnKbps = (complexity: Complexity, size: Size, crf: number): number =>
  between(complexity, size, crf).lnKbps;

/** What the model expects of every size and quality. A worse quality is never said to look better, nor to need more. */
export function expectations(complexity: Complexity, sizes: readonly Size[], laws: Laws): Point[] {
  const top = Math.max(...sizes.map(({ width }) => width));
  return sizes.flatMap((size) => {
    const finest = size.width === top ? CRF_MIN : CRF_MIN_SMALLER;
    let [kbps, vmaf] = [Number.POSITIVE_INFINITY, 100];
    return Array.from({ length: CRF_MAX - finest + 1 }, (_, step): Point => {
      const crf = finest + step;
      const features = featuresOf(complexity, size, crf);
      kbps = Math.min(kbps, Math.exp(probedLnKbps(complexity, size, crf) + predictRidge(laws.rate, features)));
      vmaf = Math.min(vmaf, vmafOf(predictRidge(laws.vmaf, features)));
      return { ...size, crf, kbps, vmaf };
    });
  });
}

/** The points that nothing cheaper reaches, from the cheapest to the best. */
export function frontier(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (const point of points.toSorted((a, b) => a.kbps - b.kbps || b.vmaf - a.vmaf || a.width - b.width))
    if (point.vmaf > (kept.at(-1)?.vmaf ?? Number.NEGATIVE_INFINITY)) kept.push(point);
  return kept;
}

/** The upper convex hull over the logarithm of the rate (A. Andrew 1979), from the cheapest point to the best. */
export function hullOf(points: readonly Point[]): Point[] {
  const hull: Point[] = [];
  for (const point of frontier(points)) {
    for (;;) {
      const [before, last] = [hull.at(-2), hull.at(-1)];
      if (!before || !last || slope(before, last) > slope(last, point)) break;
      hull.pop();
    }
    hull.push(point);
  }
  return hull;
}
const slope = (a: Point, b: Point): number => (b.vmaf - a.vmaf) / Math.log(b.kbps / a.kbps);

/**
 * Rungs for the targets, from the best to the cheapest: the cheapest point of the hull that reaches a target, unless it is within a step of the one above; where it
 * is farther than a step, others come between. They go on down to `kbpsLow`, for slow networks, whatever that looks like.
 */
export function chooseRungs(points: readonly Point[], targets: readonly number[], kbpsLow: number): Point[] {
  const hull = hullOf(points);
  const reaching = (target: number): Point | undefined => hull.find(({ vmaf }) => vmaf >= target);
  const first = reaching(targets[0] ?? 0) ?? hull.at(-1);
  if (!first) return [];
  const rungs = [first];
  const lowest = Math.min(kbpsLow, reaching(targets.at(-1) ?? 0)?.kbps ?? kbpsLow);
  const wanted = targets.slice(1).map((target) => reaching(target)?.kbps ?? Number.POSITIVE_INFINITY);
  for (const kbps of [...wanted, lowest]) {
    for (let last = rungs.at(-1); last && rungs.length < RUNGS_MAX; last = rungs.at(-1)) {
      // What is less than a step below is left out, but the lowest is not: it may lie a little lower than it has to.
      const ratio =
        kbps === lowest && last.kbps > kbps * STEP_ENOUGH ? Math.max(STEP_MIN, last.kbps / kbps) : last.kbps / kbps;
      if (ratio < STEP_MIN) break;
      const steps = Math.max(1, Math.ceil(Math.log(ratio) / Math.log(STEP_MAX)));
      const next = nearest(points, hull, last.kbps, last.kbps / ratio ** (1 / steps));
      if (!next || next.kbps < KBPS_MIN) return rungs;
      rungs.push(next);
    }
  }
  return rungs;
}

/** The point of the hull nearest to a rate, within a step below `above`; where the hull has none there, the best that there is. */
function nearest(all: readonly Point[], hull: readonly Point[], above: number, kbps: number): Point | undefined {
  const isStep = (point: Point): boolean => above / point.kbps >= STEP_MIN && above / point.kbps <= STEP_MAX;
  const distance = (point: Point): number => Math.abs(Math.log(point.kbps / kbps));
  const onHull = hull.filter(isStep).toSorted((a, b) => distance(a) - distance(b));
  return onHull[0] ?? all.filter(isStep).toSorted((a, b) => b.vmaf - a.vmaf || distance(a) - distance(b))[0];
}

export interface Wanted {
  readonly codec: Codec;
  /** The fixed ladder's rungs for the same film: no rung here spends more than the one that its size belongs to. */
  readonly fixed: readonly Sized[];
  readonly sizes: readonly Size[];
}

/** A ladder for the film; as text, why there is none. */
export function perTitleRungs(
  complexity: Complexity,
  { codec, fixed, sizes }: Wanted,
  model: ComplexityModel,
): Sized[] | string {
  const laws = model.laws[codec];
  if (!laws) return `the model knows nothing of ${codec}`;
  const points = expectations(complexity, sizes, laws).filter((point) => point.kbps <= capOf(fixed, point));
  if (points.some(({ kbps, vmaf }) => !Number.isFinite(kbps + vmaf))) return "the probes gave no figures";
  const low = Math.min(...fixed.map(({ bitrateKbps }) => bitrateKbps));
  // The best rung is for what is seen, so the model's own error is added to its target; the others only have to lie well below it.
  const targets = VMAF_TARGETS[codec].map(
    (target, at) => target + (at === 0 ? Math.min(laws.vmafError, MARGIN_MAX) : 0),
  );
  const rungs = chooseRungs(points, targets, low);
  if (rungs.length < 2) return "fewer than two rungs are worth having";
  const seen = new Map<string, number>();
  return rungs.map((rung) => {
    const name = `${Math.min(rung.width, rung.height)}p-${codec}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return {
      ...{ profile: count === 1 ? name : `${name}-${count}`, codec, width: rung.width, height: rung.height },
      ...{ bitrateKbps: Math.round(Math.min(capOf(fixed, rung), rung.kbps * PEAK)), crf: rung.crf },
      ...{ expectedKbps: Math.round(rung.kbps), vmaf: Math.round(rung.vmaf * 10) / 10 },
    };
  });
}

/** What the fixed ladder spends on the smallest of its sizes that holds this one; where it has left the film's own size out, on its largest. */
const capOf = (fixed: readonly Sized[], size: Size): number => {
  const holding = fixed
    .filter(({ width }) => width >= size.width)
    .toSorted((a, b) => a.width - b.width || b.bitrateKbps - a.bitrateKbps);
  return holding[0]?.bitrateKbps ?? Math.max(...fixed.map(({ bitrateKbps }) => bitrateKbps));
};

/** What a film's measuring came to. */
export type Measured = { readonly complexity: Complexity } | { readonly failure: string };

/** The plan with the ladder that the measures give; with the fixed one, and why, where they give none. */
export function decided(plan: Plan, source: SourceInfo, measured: Measured, model: ComplexityModel): Plan {
  const fixed = (why: string): Plan => ({ ...plan, ladder: { kind: "fixed", why } });
  if ("failure" in measured) return fixed(measured.failure);
  const chunks = plan.video[0]?.chunks ?? [];
  const video: Plan["video"][number][] = [];
  for (const codec of ["h264", "hevc"] as const) {
    const before = plan.video.filter((rung) => rung.codec === codec);
    if (before.length === 0) continue;
    const rungs = perTitleRungs(measured.complexity, { codec, fixed: before, sizes: sizesOf(source) }, model);
    // Every player has H.264, so a plan without its own H.264 ladder is none; HEVC may stay as it is.
    if (typeof rungs === "string" && codec === "h264") return fixed(rungs);
    video.push(...(typeof rungs === "string" ? before : rungs.map((rung) => ({ ...rung, chunks }))));
  }
  return { ...plan, video, ladder: { kind: "per-title", why: "" } };
}
