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
  assert.deepEqual(readSimilarity(words), { psnrDb: 41.25, ssim: 0.987654 });
  assert.equal(readSimilarity("PSNR y:inf u:inf\nSSIM Y:1.000000 (inf)").psnrDb, 88);
  assert.throws(() => readSimilarity("Conversion failed"), /said nothing/);
});

test("detail and motion are means over the samples", () => {
  const summary = (si: string, ti: string): string =>
    `SITI Summary:\nTotal frames: 48\n\nSpatial Information:\nAverage: ${si}\nMax: 9\nMin: 1\n\nTemporal Information:\nAverage: ${ti}\nMax: 9\nMin: 0\n`;
  assert.deepEqual(readDetail(summary("20.5", "4") + summary("10.5", "-nan")), { spatial: 15.5, temporal: 2 });
});
