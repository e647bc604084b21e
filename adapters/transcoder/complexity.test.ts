import assert from "node:assert/strict";
import { test } from "node:test";
import { readDetail, readSimilarity, sampleStarts } from "./complexity.ts";

test("samples are the middles of equal parts, and lie within the film", () => {
  assert.deepEqual(sampleStarts(60), [9, 29, 49]);
  assert.deepEqual(sampleStarts(4), [0, 2]);
  assert.deepEqual(sampleStarts(0.5), [0]);
  for (let durationS = 0.1; durationS < 30; durationS += 0.1)
    for (const startS of sampleStarts(durationS))
      assert.ok(startS >= 0 && startS + Math.min(2, durationS) <= durationS + 1e-9);
});

test("what the filters say at the end is read, also of pictures that are equal", () => {
  const words =
    "[Parsed_psnr_4 @ 0x1] PSNR y:41.25 u:50 v:51 average:42\n[Parsed_ssim_5 @ 0x2] SSIM Y:0.987654 (19.1) All:0.99";
  const fidelity = [0.41, 0.76, 0.84, 0.9];
  const more = fidelity.map(
    (value, scale) => `\n[Parsed_vif_9 @ 0x3] VIF scale=${scale} average:${value} min:0.3: max:0.9`,
  );
  assert.deepEqual(readSimilarity(words + more.join("")), { psnrDb: 41.25, ssim: 0.987654, vif: fidelity });
  assert.equal(readSimilarity(`PSNR y:inf u:inf\nSSIM Y:1.000000 (inf)${more.join("")}`).psnrDb, 88);
  assert.throws(() => readSimilarity(words), /said nothing/);
  assert.throws(() => readSimilarity("Conversion failed"), /said nothing/);
});

test("detail and motion are means over the samples", () => {
  const summary = (si: string, ti: string): string =>
    `SITI Summary:\nTotal frames: 48\n\nSpatial Information:\nAverage: ${si}\nMax: 9\nMin: 1\n\nTemporal Information:\nAverage: ${ti}\nMax: 9\nMin: 0\n`;
  const words = `${summary("20.5", "4")}[x] VMAF Motion avg: 3.000\n${summary("10.5", "-nan")}[y] VMAF Motion avg: 1.000\n`;
  assert.deepEqual(readDetail(words), { spatial: 15.5, temporal: 2, motion: 2 });
});
