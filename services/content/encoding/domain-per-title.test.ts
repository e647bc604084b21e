import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Complexity, SourceInfo } from "#kernel/ports/transcoder";
import {
  type ComplexityModel,
  chooseRungs,
  decided,
  expectations,
  featuresOf,
  frontier,
  hullOf,
  PROBE_CRFS,
  type Point,
  probesOf,
  qualityOf,
  STEP_MAX,
  STEP_MIN,
  VMAF_TARGETS,
  vmafOf,
} from "./domain-per-title.ts";
import { planOf, sizesOf, tasksOf, videoTasksOf } from "./domain.ts";
import shipped from "./per-title-model.json" with { type: "json" };

const sourceOf = (width: number, height: number): SourceInfo => ({
  ...{ container: "mov", durationS: 60, sizeBytes: 1, audio: [], text: [], hasClosedCaptions: false },
  video: {
    ...{ index: 0, codec: "h264", codedWidth: width, codedHeight: height, displayWidth: width, displayHeight: height },
    ...{ frameRate: [25, 1], isInterlaced: false, isHdr: false, pixelFormat: "yuv420p", startS: 0 },
  },
});

/** A film as a formula: `hardness` multiplies its rate, `detail` is what smaller sizes lose. */
function complexityOf(source: SourceInfo, hardness: number, detail: number): Complexity {
  const sizes = sizesOf(source);
  const top = sizes[0] ?? { width: 2, height: 2 };
  const probes = probesOf(sizes).map((probe) => {
    const scale = probe.width / top.width;
    const psnrDb = 48 - (probe.crf - 24) * 0.6 + detail * Math.log(scale);
    const bitrateKbps = hardness * scale ** 1.6 * Math.exp((24 - probe.crf) / 8);
    return { ...probe, bitrateKbps, psnrDb, ssim: 1 - 10 ** (-psnrDb / 25) };
  });
  return { spatial: 40, temporal: 8, cutsPerMinute: 3, sampledS: 6, probes };
}

/** Laws that believe the probes' rate, and the PSNR alone. */
const weightsOf = (first: number): number[] => {
  const source = sourceOf(1280, 720);
  return featuresOf(complexityOf(source, 1, 1), { width: 1280, height: 720 }, 30).map((_, at) =>
    at === 0 ? first : 0,
  );
};
const laws = {
  rate: { constant: 0, weights: weightsOf(0) },
  vmaf: { constant: -3.2, weights: weightsOf(0.13) },
  vmafError: 1,
};
const model: ComplexityModel = { version: 1, trainedOn: [], laws: { h264: laws, hevc: laws } };

const films = fc.record({
  size: fc.constantFrom([1920, 1080], [1280, 720], [4096, 1744], [1080, 1920], [640, 360]),
  hardness: fc.double({ min: 40, max: 30_000, noNaN: true }),
  detail: fc.double({ min: 0.5, max: 14, noNaN: true }),
});

test("property: a ladder has steps that players can tell apart, and never more than the fixed one or the film has", () => {
  fc.assert(
    fc.property(films, fc.boolean(), ({ size: [width = 0, height = 0], hardness, detail }, hevc) => {
      const source = sourceOf(width, height);
      const before = planOf(source, "full", [], { hevc, ladder: "per-title" });
      const measured = { complexity: complexityOf(source, hardness, detail) };
      const plan = decided(before, source, measured, model);
      assert.deepEqual(plan, decided(before, source, measured, model));
      if (plan.ladder?.kind === "fixed") {
        assert.notEqual(plan.ladder.why, "");
        assert.deepEqual(plan.video, before.video);
        return;
      }
      for (const codec of ["h264", "hevc"] as const) {
        const rungs = plan.video.filter((rung) => rung.codec === codec && rung.crf !== undefined);
        const most = Math.max(...before.video.filter((rung) => rung.codec === codec).map((rung) => rung.bitrateKbps));
        assert.ok(codec === "hevc" || rungs.length >= 2);
        for (const [index, rung] of rungs.entries()) {
          assert.ok(rung.width <= width && rung.height <= height && rung.bitrateKbps <= most);
          const next = rungs[index + 1]?.expectedKbps;
          if (next === undefined || rung.expectedKbps === undefined) continue;
          const step = rung.expectedKbps / next;
          assert.ok(step > STEP_MIN - 0.03 && step < STEP_MAX + 0.03, `${rung.expectedKbps} to ${next}`);
        }
      }
      assert.equal(new Set(plan.video.map(({ profile }) => profile)).size, plan.video.length);
    }),
  );
});

test("property: the best rung reaches the first target, unless the fixed ladder's bits do not suffice", () => {
  fc.assert(
    fc.property(films, ({ size: [width = 0, height = 0], hardness, detail }) => {
      const source = sourceOf(width, height);
      const before = planOf(source, "full", [], { hevc: false, ladder: "per-title" });
      const plan = decided(before, source, { complexity: complexityOf(source, hardness, detail) }, model);
      const [best] = plan.video;
      fc.pre(plan.ladder?.kind === "per-title" && best?.expectedKbps !== undefined);
      const cap = Math.max(...before.video.map(({ bitrateKbps }) => bitrateKbps));
      assert.ok((best?.vmaf ?? 0) >= VMAF_TARGETS.h264[0] || (best?.expectedKbps ?? 0) > cap / 3);
    }),
  );
});

test("property: the hull bends down, and nothing lies above it", () => {
  const thousandths = (min: number, max: number) =>
    fc.integer({ min: min * 1_000, max: max * 1_000 }).map((value) => value / 1_000);
  // Whole bits a second: of rates that are nearer to each other no logarithm tells which is which.
  const point = fc.record({
    ...{ width: fc.constantFrom(1280, 640), height: fc.constant(360), crf: fc.constant(30) },
    ...{ kbps: thousandths(50, 9_000), vmaf: thousandths(20, 99) },
  });
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 40 }), (points) => {
      const hull = hullOf(points);
      assert.equal(hull.at(-1)?.vmaf, Math.max(...points.map(({ vmaf }) => vmaf)));
      for (const one of points) {
        const after = hull.findIndex(({ kbps }) => kbps >= one.kbps);
        const [a, b] = [hull[after - 1], hull[after]];
        if (!a || !b) continue;
        const share = Math.log(one.kbps / a.kbps) / Math.log(b.kbps / a.kbps);
        assert.ok(one.vmaf <= a.vmaf + share * (b.vmaf - a.vmaf) + 1e-6);
      }
      assert.deepEqual(frontier(hull), hull);
    }),
  );
});

test("rungs go on down to the slowest network, whatever they look like there", () => {
  const points = Array.from(
    { length: 120 },
    (_, i): Point => ({
      ...{ width: 1280, height: 720, crf: 30 },
      ...{ kbps: 4_000 * 0.97 ** i, vmaf: 92 - i * 0.2 },
    }),
  );
  const rungs = chooseRungs(points, [93, 90, 82, 75, 68], 400);
  assert.equal(rungs[0]?.vmaf, 92);
  assert.ok((rungs.at(-1)?.kbps ?? 0) < 400 * STEP_MIN);
});

test("a film that cannot be measured keeps the fixed ladder and says why", () => {
  const source = sourceOf(1280, 720);
  const before = planOf(source, "full", [], { hevc: true, ladder: "per-title" });
  const plan = decided(before, source, { failure: "the film stopped" }, model);
  assert.deepEqual(plan.ladder, { kind: "fixed", why: "the film stopped" });
  assert.deepEqual(plan.video, before.video);
  const holes = { ...complexityOf(source, 900, 4), probes: [] };
  assert.equal(decided(before, source, { complexity: holes }, model).ladder?.kind, "fixed");
});

test("while a film is measured there is no video to encode, and afterwards there is", () => {
  const source = sourceOf(1280, 720);
  const before = planOf(source, "full", [], { hevc: false, ladder: "per-title" });
  assert.deepEqual(
    tasksOf(before).map(({ kind }) => kind),
    ["pictures", "ladder"],
  );
  const after = decided(before, source, { complexity: complexityOf(source, 900, 4) }, model);
  assert.ok(videoTasksOf(after).length >= 2);
  assert.ok(!tasksOf(after).some(({ kind }) => kind === "ladder"));
  assert.equal(planOf(source, "quick", [], { hevc: false, ladder: "per-title" }).ladder?.kind, "fixed");
});

test("property: a scale without an end and back is the VMAF again", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 99.5, noNaN: true }), (vmaf) =>
      assert.ok(Math.abs(vmafOf(qualityOf(vmaf)) - vmaf) < 1e-9),
    ),
  );
});

test("the shipped model fits the features, and says that worse encodes look worse and weigh less", () => {
  const source = sourceOf(1280, 720);
  const complexity = complexityOf(source, 1_500, 5);
  const columns = featuresOf(complexity, { width: 1280, height: 720 }, PROBE_CRFS[0]).length;
  const known: ComplexityModel = shipped;
  const shippedLaws = Object.values(known.laws);
  assert.ok(shippedLaws.length > 0);
  for (const each of shippedLaws) {
    assert.deepEqual([each.rate.weights.length, each.vmaf.weights.length], [columns, columns]);
    const points = expectations(complexity, [{ width: 1280, height: 720 }], each);
    const [best, worst] = [points[0], points.at(-1)];
    assert.ok((best?.vmaf ?? 0) > (worst?.vmaf ?? 100) + 10 && (best?.kbps ?? 0) > 3 * (worst?.kbps ?? 0));
  }
});
