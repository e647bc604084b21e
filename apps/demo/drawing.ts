import sharp from "sharp";

/**
 * The stills of the demo cinema: skies, ridges, waves and planets drawn as SVG from sums of sines and seeded chance, so that
 * every machine makes the same film. ffmpeg moves them.
 */

/** A small seeded generator (mulberry32), 0 to 1. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Profile {
  readonly seed: number;
  /** Highest frequency, in waves a period. */
  readonly octaves: number;
  /** 1 is rugged, 2 is soft. */
  readonly softness: number;
  /** Mountains have creases, dunes and waves have none. */
  readonly isCreased?: boolean;
}

/** A height profile between 0 and 1 that repeats after `period` pixels without a seam. */
export function profile(
  { seed, octaves, softness, isCreased = false }: Profile,
  period: number,
): (x: number) => number {
  const random = chance(seed);
  const waves = Array.from({ length: octaves }, (_, index) => ({
    times: index + 1,
    phase: random() * 2 * Math.PI,
    size: (0.5 + random()) / (index + 1) ** softness,
  }));
  const total = waves.reduce((sum, wave) => sum + wave.size, 0);
  return (x) => {
    let height = 0;
    for (const wave of waves) {
      const angle = (2 * Math.PI * wave.times * x) / period + wave.phase;
      height += wave.size * (isCreased ? 1 - 2 * Math.abs(Math.sin(angle / 2 + wave.phase)) ** 0.8 : Math.sin(angle));
    }
    return 0.5 + height / total / 2;
  };
}

export interface Ridge extends Profile {
  readonly width: number;
  readonly height: number;
  readonly period: number;
  /** Empty pixels above the highest crest, for layers that swell. */
  readonly headroom?: number;
  /** How much of the height the profile moves in. */
  readonly relief: number;
  readonly top: string;
  readonly bottom: string;
  /** A line of light along the crest. */
  readonly crest?: string;
  readonly crestWidth?: number;
  /** Firs on the crest: how many a period. */
  readonly trees?: number;
  readonly treeHeight?: number;
}

const STEP = 4;

export function ridge(shape: Ridge): string {
  const heightAt = profile(shape, shape.period);
  const yAt = (x: number): number =>
    4 + (shape.headroom ?? 0) + (shape.treeHeight ?? 0) + (1 - heightAt(x)) * shape.relief;
  const crest: string[] = [];
  for (let x = -STEP; x <= shape.width + STEP; x += STEP) crest.push(`${x} ${yAt(x).toFixed(1)}`);
  const body = `M${crest.join("L")}V${shape.height}H-${STEP}Z`;
  const line = shape.crest
    ? `<path d="M${crest.join("L")}" fill="none" stroke="${shape.crest}" stroke-width="${shape.crestWidth ?? 2}"/>`
    : "";
  const gradient = `<linearGradient id="g" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${shape.top}"/><stop offset="1" stop-color="${shape.bottom}"/></linearGradient>`;
  return svg(
    shape.width,
    shape.height,
    `<defs>${gradient}</defs>${trees(shape, yAt)}<path d="${body}" fill="url(#g)"/>${line}`,
  );
}

function trees(shape: Ridge, yAt: (x: number) => number): string {
  if (!shape.trees || !shape.treeHeight) return "";
  const paths: string[] = [];
  for (let tree = 0; tree < shape.trees; tree++) {
    const random = chance(shape.seed * 1000 + tree);
    const within = ((tree + random()) / shape.trees) * shape.period;
    const height = shape.treeHeight * (0.45 + 0.55 * random());
    for (let x = within - shape.period; x < shape.width + 40; x += shape.period) paths.push(fir(x, yAt(x) + 6, height));
  }
  return `<path d="${paths.join("")}" fill="${shape.top}"/>`;
}

/** A fir as four stacked triangles. */
function fir(x: number, y: number, height: number): string {
  const tiers = Array.from({ length: 4 }, (_, tier) => {
    const tip = y - height * (1 - tier * 0.2);
    const foot = tip + height * 0.4;
    const half = height * (0.07 + tier * 0.045);
    return `M${x.toFixed(1)} ${tip.toFixed(1)}L${(x + half).toFixed(1)} ${foot.toFixed(1)}L${(x - half).toFixed(1)} ${foot.toFixed(1)}Z`;
  });
  return tiers.join("");
}

export const svg = (width: number, height: number, body: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${body}</svg>`;

/** A vertical gradient over the whole frame, top to bottom. */
export function sky(colours: readonly string[], inside = ""): string {
  const stops = colours.map(
    (colour, index) => `<stop offset="${index / (colours.length - 1)}" stop-color="${colour}"/>`,
  );
  return svg(
    1280,
    720,
    `<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">${stops.join("")}</linearGradient></defs><rect width="1280" height="720" fill="url(#sky)"/>${inside}`,
  );
}

/** A disc of light with a halo; `id` keeps gradients of one drawing apart. */
export function glow(id: string, x: number, y: number, radius: number, disc: string, halo: string, reach = 4): string {
  const ring = `<radialGradient id="${id}"><stop offset="0" stop-color="${halo}" stop-opacity=".85"/><stop offset=".3" stop-color="${halo}" stop-opacity=".3"/><stop offset="1" stop-color="${halo}" stop-opacity="0"/></radialGradient>`;
  return `<defs>${ring}</defs><circle cx="${x}" cy="${y}" r="${radius * reach}" fill="url(#${id})"/><circle cx="${x}" cy="${y}" r="${radius}" fill="${disc}"/>`;
}

export function stars(seed: number, count: number, width = 1280, height = 720, colour = "#fff"): string {
  const random = chance(seed);
  const dots = Array.from({ length: count }, () => {
    const size = 0.5 + random() ** 6 * 2.2;
    return `<circle cx="${(random() * width).toFixed(1)}" cy="${(random() * height).toFixed(1)}" r="${size.toFixed(2)}" fill="${colour}" opacity="${(0.25 + random() * 0.75).toFixed(2)}"/>`;
  });
  return dots.join("");
}

/** Soft flakes in a tile that repeats after `height` pixels downwards. */
export function flakes(seed: number, count: number, sizeMax: number, height: number): string {
  const random = chance(seed);
  const dots = Array.from({ length: count }, () => {
    const [x, y, size, opacity] = [
      random() * 1280,
      random() * height,
      sizeMax * (0.35 + random() * 0.65),
      0.35 + random() * 0.5,
    ];
    const dot = (cy: number): string =>
      `<circle cx="${x.toFixed(1)}" cy="${cy.toFixed(1)}" r="${size.toFixed(1)}" fill="#fff" opacity="${opacity.toFixed(2)}"/>`;
    return dot(y) + dot(y + height) + (y < sizeMax * 2 ? dot(y + 2 * height) : "");
  });
  return svg(1280, height + 720, dots.join(""));
}

/** Perlin noise (SVG feTurbulence) as an opaque gray picture. */
export function turbulence(width: number, height: number, frequency: string, octaves: number, seed: number): string {
  const filter = `<filter id="n" x="0" y="0" width="100%" height="100%" color-interpolation-filters="sRGB"><feTurbulence type="fractalNoise" baseFrequency="${frequency}" numOctaves="${octaves}" seed="${seed}"/><feColorMatrix values="1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 0 0 0 0 1"/></filter>`;
  return svg(width, height, `<defs>${filter}</defs><rect width="${width}" height="${height}" filter="url(#n)"/>`);
}

export async function draw(picture: string, file: string): Promise<void> {
  await sharp(Buffer.from(picture), { limitInputPixels: 20_000_000 }).png({ compressionLevel: 1 }).toFile(file);
}
