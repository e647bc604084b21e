import type { SourceVideo } from "#kernel/ports/transcoder";

export type Rational = readonly [number, number];

const STANDARD_RATES: readonly Rational[] = [
  [24000, 1001],
  [24, 1],
  [25, 1],
  [30000, 1001],
  [30, 1],
  [48, 1],
  [50, 1],
  [60000, 1001],
  [60, 1],
];
const RATE_MAX = 60;
/** A file that times its frames in whole milliseconds is this far off at most; 23.976 and 24 lie 0.1 % apart. */
const EXACT_TOLERANCE = 0.0004;
const SNAP_TOLERANCE = 0.035;

export const ratio = ([numerator, denominator]: Rational): number => numerator / denominator;

/** For pictures that are compared: containers round their times differently, and the neighbour of a picture is another picture. */
export const BY_NUMBER = "settb=1/1000,setpts=N";

/** The standard rate nearest to `rate`, or null where none is within `tolerance` (relative). */
function nearestStandard(rate: number, tolerance: number): Rational | null {
  let best: Rational | null = null;
  for (const candidate of STANDARD_RATES) {
    const distance = Math.abs(ratio(candidate) - rate);
    if (distance / rate <= tolerance && (best === null || distance < Math.abs(ratio(best) - rate))) best = candidate;
  }
  return best;
}

/**
 * The constant rate for the output. `base` is ffmpeg's guess of the rate on whose grid all timestamps lie, `average` is
 * frames by duration. They agree for a constant rate; where they do not (variable rate, fields counted as
 * frames) the average decides, with room above so that bursts keep their frames.
 */
export function outputFrameRate(base: number, average: number): Rational {
  const known = average > 0 ? average : base > 0 ? base : 25;
  const isConstant = base > 0 && Math.abs(base - known) / known < 0.01;
  let rate = isConstant ? base : known;
  while (rate > RATE_MAX * 1.001) rate /= 2;
  const exact = nearestStandard(rate, EXACT_TOLERANCE);
  if (exact) return exact;
  // Holes in a regular grid leave the grid; half the frames would be fields counted as frames.
  if (base > 0 && base <= RATE_MAX && known > base * 0.55 && known < base * 1.05) {
    const declared = nearestStandard(base, EXACT_TOLERANCE);
    if (declared) return declared;
  }
  const near = nearestStandard(rate, SNAP_TOLERANCE);
  if (near) return near;
  if (isConstant) return [Math.max(1, Math.round(rate)), 1];
  // A variable rate: the next standard rate that holds a quarter more frames than the average.
  const slow: readonly Rational[] = [[10, 1], [12, 1], [15, 1], [20, 1], ...STANDARD_RATES];
  return slow.find((candidate) => ratio(candidate) >= rate * 1.25) ?? [60, 1];
}

/** A side as it was recorded loses its odd line, for a picture is never scaled up; a stretched one goes to the nearest even number. */
const evenSide = (recorded: number, stretch: number): number =>
  Math.max(2, stretch > 1 ? 2 * Math.round((recorded * stretch) / 2) : 2 * Math.floor(recorded / 2));

/** The size a person sees: square pixels (the longer side is stretched, never shrunk), even, then rotated. */
export function displaySize(coded: { width: number; height: number }, sampleAspect: Rational, rotationDegrees: number) {
  const aspect = sampleAspect[0] > 0 && sampleAspect[1] > 0 ? ratio(sampleAspect) : 1;
  // An aspect beyond 4:1 is a broken header rather than a lens.
  const sane = aspect >= 0.25 && aspect <= 4 ? aspect : 1;
  const width = evenSide(coded.width, sane);
  const height = evenSide(coded.height, 1 / sane);
  const isQuarterTurn = Math.abs(Math.round(rotationDegrees / 90)) % 2 === 1;
  return isQuarterTurn ? { width: height, height: width } : { width, height };
}

/**
 * Escapes a value for a filter graph's option: once for the option parser (backslash, quote, colon), once for the graph
 * parser (also brackets, comma, semicolon). ffmpeg-filters(1), "Notes on filtergraph escaping".
 */
export function escapeFilterValue(value: string): string {
  const option = value.replace(/[\\':]/g, (character) => `\\${character}`);
  return option.replace(/[\\'[\],;]/g, (character) => `\\${character}`);
}

/**
 * From the decoder's frames to progressive SDR pictures in BT.709 of the asked size with square pixels. Rotation is done by
 * ffmpeg itself before these.
 */
export function pictureFilters(video: SourceVideo, width: number, height: number, flags = "bicubic"): string[] {
  const filters: string[] = [];
  if (video.isInterlaced) filters.push("bwdif=mode=send_frame:deint=all");
  if (video.isHdr) {
    const transfer = video.colorTransfer === "arib-std-b67" ? "arib-std-b67" : "smpte2084";
    filters.push(
      `setparams=color_primaries=bt2020:color_trc=${transfer}:colorspace=bt2020nc`,
      // Scaling before tone mapping keeps the floating-point work as small as the output.
      `scale=${width}:${height}:flags=${flags}`,
      "zscale=transfer=linear:npl=203",
      "format=gbrpf32le",
      "zscale=primaries=bt709",
      "tonemap=tonemap=mobius:desat=0",
      "zscale=transfer=bt709:matrix=bt709:range=tv",
    );
  } else {
    filters.push(
      `scale=${width}:${height}:flags=${flags}:in_color_matrix=${inputMatrix(video)}:out_color_matrix=bt709:out_range=tv`,
    );
  }
  filters.push("format=yuv420p", "setsar=1");
  return filters;
}

/** A file that does not say its matrix follows the custom of its time: SD is BT.601, HD is BT.709. */
function inputMatrix(video: SourceVideo): string {
  switch (video.colorSpace) {
    case "bt709":
      return "bt709";
    case "smpte170m":
    case "bt470bg":
      return "bt601";
    case "bt2020nc":
    case "bt2020c":
      return "bt2020";
    case undefined:
      return Math.min(video.codedWidth, video.codedHeight) >= 700 ? "bt709" : "bt601";
    default:
      return "auto";
  }
}
