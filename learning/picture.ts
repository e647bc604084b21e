/**
 * What can be measured of a picture without knowing what it shows. Colourfulness is that of D. Hasler and S. Süsstrunk 2003, "Measuring colourfulness
 * in natural images"; sharpness the variance of the Laplacian (J. L. Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy").
 */
export interface Picture {
  /** Red, green and blue of each pixel, row by row. */
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** By name, in the order of the score's weights. */
export const PICTURE_FEATURES = [
  "sharpness",
  "detail",
  "direction",
  "brightness",
  "exposureError",
  "dark",
  "burnt",
  "contrast",
  "colourfulness",
  "entropy",
  "borderEdges",
] as const;
export type PictureFeature = (typeof PICTURE_FEATURES)[number];
export type PictureLook = Readonly<Record<PictureFeature, number>>;

const MIDDLE_GREY = 0.43;
const DARK = 0.06;
const BURNT = 0.96;
const BORDER_SHARE = 0.1;
const ENTROPY_BINS = 64;

export function lookAt({ rgb, width, height }: Picture): PictureLook {
  const pixels = width * height;
  const luma = new Float32Array(pixels);
  const colour = { redGreen: new Moments(), yellowBlue: new Moments() };
  const light = new Moments();
  const histogram = new Uint32Array(ENTROPY_BINS);
  let dark = 0;
  let burnt = 0;
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const red = (rgb[pixel * 3] ?? 0) / 255;
    const green = (rgb[pixel * 3 + 1] ?? 0) / 255;
    const blue = (rgb[pixel * 3 + 2] ?? 0) / 255;
    const value = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    luma[pixel] = value;
    light.add(value);
    colour.redGreen.add(red - green);
    colour.yellowBlue.add((red + green) / 2 - blue);
    const bin = Math.min(ENTROPY_BINS - 1, Math.floor(value * ENTROPY_BINS));
    histogram[bin] = (histogram[bin] ?? 0) + 1;
    if (value < DARK) dark += 1;
    if (value > BURNT) burnt += 1;
  }
  const { redGreen, yellowBlue } = colour;
  const mean = light.mean();
  return {
    ...edgesOf(luma, width, height),
    ...{ brightness: mean, exposureError: (mean - MIDDLE_GREY) ** 2, dark: dark / pixels, burnt: burnt / pixels },
    contrast: light.deviation(),
    colourfulness:
      Math.hypot(redGreen.deviation(), yellowBlue.deviation()) + 0.3 * Math.hypot(redGreen.mean(), yellowBlue.mean()),
    entropy: entropyOf(histogram, pixels),
  };
}

function edgesOf(luma: Float32Array, width: number, height: number) {
  const curvature = new Moments();
  const [marginX, marginY] = [Math.round(width * BORDER_SHARE), Math.round(height * BORDER_SHARE)];
  let [across, down, both, border, total] = [0, 0, 0, 0, 0];
  for (let y = 1; y < height - 1; y += 1)
    for (let x = 1; x < width - 1; x += 1) {
      const at = y * width + x;
      const [left = 0, right = 0] = [luma[at - 1], luma[at + 1]];
      const [above = 0, below = 0] = [luma[at - width], luma[at + width]];
      curvature.add(left + right + above + below - 4 * (luma[at] ?? 0));
      const [gx, gy] = [(right - left) / 2, (below - above) / 2];
      across += gx * gx;
      down += gy * gy;
      both += gx * gy;
      const strength = Math.hypot(gx, gy);
      total += strength;
      if (x < marginX || x >= width - marginX || y < marginY || y >= height - marginY) border += strength;
    }
  const inside = Math.max(1, (width - 2) * (height - 2));
  // How much of all edges runs one way: 0 for every way alike, 1 for a picture that was moved along a line (the structure tensor's coherence).
  const energy = across + down;
  const coherence = energy > 0 ? Math.hypot(across - down, 2 * both) / energy : 1;
  return {
    sharpness: Math.log10(curvature.deviation() ** 2 + 1e-6),
    detail: Math.log10(total / inside + 1e-4),
    direction: coherence,
    borderEdges: total > 0 ? border / total : 1,
  };
}

function entropyOf(histogram: Uint32Array, pixels: number): number {
  let bits = 0;
  for (const count of histogram) if (count > 0) bits -= (count / pixels) * Math.log2(count / pixels);
  return bits / Math.log2(histogram.length);
}

class Moments {
  #count = 0;
  #sum = 0;
  #squares = 0;
  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    this.#squares += value * value;
  }
  mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }
  deviation(): number {
    return this.#count === 0 ? 0 : Math.sqrt(Math.max(0, this.#squares / this.#count - this.mean() ** 2));
  }
}
