/**
 * The log-mel spectrogram that Whisper hears (A. Radford et al. 2022, section 2.2): 25 ms windows every 10 ms, 80 bands of the mel scale as Slaney
 * drew it (M. Slaney 1998, "Auditory Toolbox"), each of the same area, the decadic logarithm no more than 8 below the loudest.
 */
export const SAMPLE_RATE_HZ = 16_000;
export const HOP_SAMPLES = 160;
const WINDOW_SAMPLES = 400;
const BINS = WINDOW_SAMPLES / 2 + 1;
const FLOOR = 1e-10;
const RANGE = 8;

export interface MelOptions {
  readonly bands: number;
  /** How many frames come out; sound that ends before is followed by silence. */
  readonly frames: number;
}

/** @returns [bands, frames], row by row */
export function logMel(samples: Float32Array, { bands, frames }: MelOptions): Float32Array {
  const filters = melFilters(bands);
  const { cosines, sines, window } = tables;
  const mel = new Float32Array(bands * frames).fill(Math.log10(FLOOR));
  const half = WINDOW_SAMPLES / 2;
  const even = new Float64Array(half + 1);
  const odd = new Float64Array(half + 1);
  const power = new Float64Array(BINS);
  // Beyond the last sample there is silence, whose frames are known.
  const heard = Math.min(frames, Math.ceil((samples.length + half) / HOP_SAMPLES));
  let loudest = Math.log10(FLOOR);
  for (let frame = 0; frame < heard; frame += 1) {
    const start = frame * HOP_SAMPLES - half;
    const at = (index: number): number => sampleAt(samples, start + index) * (window[index] ?? 0);
    // A real signal's cosine part is that of its even half, its sine part that of its odd one.
    even[0] = at(0);
    even[half] = at(half);
    for (let index = 1; index < half; index += 1) {
      const [before, after] = [at(index), at(WINDOW_SAMPLES - index)];
      even[index] = before + after;
      odd[index] = before - after;
    }
    for (let bin = 0; bin < BINS; bin += 1) {
      let real = 0;
      let imaginary = 0;
      const row = bin * (half + 1);
      for (let index = 0; index <= half; index += 1) {
        real += (even[index] ?? 0) * (cosines[row + index] ?? 0);
        imaginary += (odd[index] ?? 0) * (sines[row + index] ?? 0);
      }
      power[bin] = real * real + imaginary * imaginary;
    }
    for (let band = 0; band < bands; band += 1) {
      const { first, weights } = filters[band] ?? { first: 0, weights: new Float64Array(0) };
      let sum = 0;
      for (let bin = 0; bin < weights.length; bin += 1) sum += (weights[bin] ?? 0) * (power[first + bin] ?? 0);
      const value = Math.log10(Math.max(sum, FLOOR));
      mel[band * frames + frame] = value;
      if (value > loudest) loudest = value;
    }
  }
  return mel.map((value) => (Math.max(value, loudest - RANGE) + 4) / 4);
}

/** The beginning is mirrored, as a centred window asks for; after the end there is silence. */
const sampleAt = (samples: Float32Array, index: number): number => samples[Math.abs(index)] ?? 0;

const tables = (() => {
  const half = WINDOW_SAMPLES / 2;
  const cosines = new Float64Array(BINS * (half + 1));
  const sines = new Float64Array(BINS * (half + 1));
  for (let bin = 0; bin < BINS; bin += 1)
    for (let index = 0; index <= half; index += 1) {
      const angle = (2 * Math.PI * bin * index) / WINDOW_SAMPLES;
      cosines[bin * (half + 1) + index] = Math.cos(angle);
      sines[bin * (half + 1) + index] = -Math.sin(angle);
    }
  const window = Float64Array.from(
    { length: WINDOW_SAMPLES },
    (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / WINDOW_SAMPLES),
  );
  return { cosines, sines, window };
})();

/** Slaney's scale: linear to 1 kHz, logarithmic above. */
const LINEAR_HZ = 200 / 3;
const BREAK_HZ = 1_000;
const BREAK_MEL = BREAK_HZ / LINEAR_HZ;
const LOG_STEP = Math.log(6.4) / 27;
const toMel = (hz: number): number => (hz < BREAK_HZ ? hz / LINEAR_HZ : BREAK_MEL + Math.log(hz / BREAK_HZ) / LOG_STEP);
const toHz = (mel: number): number =>
  mel < BREAK_MEL ? mel * LINEAR_HZ : BREAK_HZ * Math.exp(LOG_STEP * (mel - BREAK_MEL));

interface Filter {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Triangles over the bins of a spectrum, each of the area 1; where they are not zero. */
export function melFilters(bands: number): Filter[] {
  const top = toMel(SAMPLE_RATE_HZ / 2);
  const edges = Array.from({ length: bands + 2 }, (_, index) => toHz((top * index) / (bands + 1)));
  return Array.from({ length: bands }, (_, band) => {
    const [low = 0, middle = 0, high = 0] = edges.slice(band, band + 3);
    const all = Float64Array.from({ length: BINS }, (_, bin) => {
      const hz = (bin * SAMPLE_RATE_HZ) / WINDOW_SAMPLES;
      const rise = (hz - low) / (middle - low);
      const fall = (high - hz) / (high - middle);
      return Math.max(0, Math.min(rise, fall)) * (2 / (high - low));
    });
    const first = Math.max(
      0,
      all.findIndex((weight) => weight > 0),
    );
    return { first, weights: all.subarray(first, all.findLastIndex((weight) => weight > 0) + 1) };
  });
}
