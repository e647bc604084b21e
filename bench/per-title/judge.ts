/** Part of per-title.ts: what a film's ladder saves, and what could be saved at all. */
import { bdRate, type RatePoint } from "#learning/bd-rate";
import { pchip, valueAt } from "#learning/pchip";
import {
  type ComplexityModel,
  CRF_MAX,
  CRF_MIN,
  hullOf,
  perTitleRungs,
  type Point,
} from "../../services/content/encoding/domain-per-title.ts";
import { planOf, type Sized, sizesOf } from "../../services/content/encoding/domain.ts";
import type { Laboratory } from "./encodes.ts";
import { errorOf, type Studied, type Trial } from "./laws.ts";
import type { Excerpt } from "./sources.ts";

export const RANGE = { from: 60, to: 95 };
const CAPPED_CRF = 23;

/** In percent of the anchor's rate; NaN where the curves have no quality of the range in common. */
export interface Saved {
  readonly percent: number;
  readonly from: number;
  readonly to: number;
}

interface Anchors {
  readonly fixed: readonly RatePoint[];
  readonly capped: readonly RatePoint[];
}

export interface Judged {
  readonly of: Excerpt;
  readonly fixed: Saved;
  readonly capped: Saved;
  /** The same of the hull of all real encodes, which nobody knows beforehand. */
  readonly most: { readonly fixed: Saved; readonly capped: Saved };
  readonly answerMs: number;
  readonly wrong: { readonly vmaf: number; readonly rate: number };
  /** By how much VMAF a chosen rung was off what the model had expected. */
  readonly misses: readonly number[];
  readonly points: Anchors & { readonly chosen: readonly RatePoint[] };
  readonly rungs: readonly Sized[];
}

async function encodeLadder(lab: Laboratory, of: Excerpt, rungs: readonly Sized[]): Promise<RatePoint[]> {
  const points: RatePoint[] = [];
  for (const { codec, width, height, bitrateKbps, crf } of rungs) {
    const asked = { codec, width, height, bitrateKbps, ...(crf === undefined ? {} : { crf }) };
    const { kbps, vmaf } = await lab.encode(of, asked);
    points.push({ rate: kbps, quality: vmaf });
  }
  return points;
}

const fixedOf = ({ source }: Excerpt): Sized[] =>
  planOf(source, "full", [], { hevc: false, ladder: "fixed" }).video.map(({ chunks: _, ...rung }) => rung);

/** What a ladder is compared with: the fixed one, and its sizes at one quality, capped by its rates. */
export async function encodeAnchors(lab: Laboratory, of: Excerpt): Promise<Anchors> {
  const fixed = fixedOf(of);
  const capped = fixed.map((rung) => ({ ...rung, crf: CAPPED_CRF }));
  return { fixed: await encodeLadder(lab, of, fixed), capped: await encodeLadder(lab, of, capped) };
}

export function savedOf(anchor: readonly RatePoint[], tested: readonly RatePoint[]): Saved {
  const found = bdRate(anchor, tested, RANGE);
  return found
    ? { percent: -100 * found.change, from: found.from, to: found.to }
    : { percent: Number.NaN, from: Number.NaN, to: Number.NaN };
}

/** The hull of a film as it is: between the grid's qualities by curves through them. */
export function trueHull(trials: readonly Trial[]): Point[] {
  const widths = [...new Set(trials.map(({ width }) => width))];
  const points = widths.flatMap((width): Point[] => {
    const own = trials.filter((trial) => trial.width === width).toSorted((a, b) => a.crf - b.crf);
    const [first, last] = [own[0], own.at(-1)];
    if (!first || !last) return [];
    if (first === last) return [first];
    const curve = (of: (trial: Trial) => number) =>
      pchip(
        own.map(({ crf }) => crf),
        own.map(of),
      );
    const [rate, quality] = [curve(({ kbps }) => Math.log(kbps)), curve(({ vmaf }) => vmaf)];
    return Array.from({ length: CRF_MAX - CRF_MIN + 1 }, (_, step) => CRF_MIN + step)
      .filter((crf) => crf >= first.crf && crf <= last.crf)
      .map((crf) => ({
        width,
        height: first.height,
        crf,
        kbps: Math.exp(valueAt(rate, crf)),
        vmaf: valueAt(quality, crf),
      }));
  });
  return hullOf(points);
}

const inKbps = ({ kbps, vmaf }: { readonly kbps: number; readonly vmaf: number }): RatePoint => ({
  rate: kbps,
  quality: vmaf,
});

export async function judge(lab: Laboratory, of: Excerpt, own: Studied, model: ComplexityModel): Promise<Judged> {
  const began = performance.now();
  const chosen = perTitleRungs(own.complexity, { codec: "h264", fixed: fixedOf(of), sizes: sizesOf(of.source) }, model);
  const answerMs = performance.now() - began;
  if (typeof chosen === "string") throw new Error(`${of.name} gets no ladder: ${chosen}`);
  const points = { ...(await encodeAnchors(lab, of)), chosen: await encodeLadder(lab, of, chosen) };
  const most = trueHull(own.trials).map(inKbps);
  const laws = model.laws.h264;
  return {
    ...{ of, answerMs, points, rungs: chosen },
    fixed: savedOf(points.fixed, points.chosen),
    capped: savedOf(points.capped, points.chosen),
    most: { fixed: savedOf(points.fixed, most), capped: savedOf(points.capped, most) },
    wrong: laws ? errorOf(laws, [own], "h264") : { vmaf: Number.NaN, rate: Number.NaN },
    misses: chosen.map(({ vmaf }, i) => (vmaf ?? 0) - (points.chosen[i]?.quality ?? 0)),
  };
}
