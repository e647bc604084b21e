import assert from "node:assert/strict";
import { test } from "node:test";
import { logMel, melFilters, SAMPLE_RATE_HZ } from "./mel.ts";
import { seededRandom } from "./random.ts";

/** The definition, term by term: a window in the middle of its samples, a Fourier transform, triangles, a logarithm. */
function plainly(samples: Float32Array, bands: number, frames: number): Float64Array {
  const filters = melFilters(bands);
  const mel = new Float64Array(bands * frames);
  for (let frame = 0; frame < frames; frame += 1) {
    const power = Array.from({ length: 201 }, (_, bin) => {
      let [real, imaginary] = [0, 0];
      for (let index = 0; index < 400; index += 1) {
        const at = frame * 160 - 200 + index;
        const value = (samples[Math.abs(at)] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * index) / 400));
        real += value * Math.cos((2 * Math.PI * bin * index) / 400);
        imaginary -= value * Math.sin((2 * Math.PI * bin * index) / 400);
      }
      return real * real + imaginary * imaginary;
    });
    for (const [band, { first, weights }] of filters.entries()) {
      const sum = weights.reduce((total, weight, bin) => total + weight * (power[first + bin] ?? 0), 0);
      mel[band * frames + frame] = Math.log10(Math.max(1e-10, sum));
    }
  }
  const loudest = mel.reduce((max, value) => Math.max(max, value));
  return mel.map((value) => (Math.max(value, loudest - 8) + 4) / 4);
}

test("the spectrogram is what its definition says, and silence follows the end", () => {
  const random = seededRandom(5);
  const samples = Float32Array.from({ length: 3_000 }, () => random() - 0.5);
  const fast = logMel(samples, { bands: 80, frames: 30 });
  const slow = plainly(samples, 80, 30);
  for (const [at, value] of fast.entries()) assert.ok(Math.abs(value - (slow[at] ?? 0)) < 1e-4, `${at}: ${value}`);
});

test("a tone is loudest in its band, and the bands' edges are Slaney's", () => {
  const tone = Float32Array.from({ length: 8_000 }, (_, at) => Math.sin((2 * Math.PI * 1_000 * at) / SAMPLE_RATE_HZ));
  const mel = logMel(tone, { bands: 80, frames: 50 });
  const loudness = Array.from({ length: 80 }, (_, band) => mel[band * 50 + 25] ?? 0);
  const loudest = loudness.indexOf(Math.max(...loudness));
  const { first, weights } = melFilters(80)[loudest] ?? { first: 0, weights: new Float64Array(0) };
  const bin = 1_000 / (SAMPLE_RATE_HZ / 400);
  assert.ok(first <= bin && bin < first + weights.length);
  // librosa.filters.mel(sr=16000, n_fft=400, n_mels=80): the first band peaks at 40 Hz with .0247.
  assert.ok(Math.abs((melFilters(80)[0]?.weights[0] ?? 0) - 0.0247) < 0.0005, String(melFilters(80)[0]?.weights[0]));
});
