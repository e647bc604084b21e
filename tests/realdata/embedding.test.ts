/**
 * Whether a network's features say more of a picture than its colours do: a frame's nearest neighbour among the frames of all films, but for those close to it in its own clip,
 * is it of the same film? Beside a histogram of colours and the perceptual hash, by the parts that the product uses. Needs MARQUEE_TESTDATA and weights, as enrichment.test.ts.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import sharp from "sharp";
import { bootstrap, type Interval } from "#learning/bootstrap";
import { seededRandom } from "#learning/random";
import { drawPanels, writePicture } from "../../bench/charts.ts";
import { openDetector } from "../../services/content/metadata/detect.ts";
import {
  ALIKE_MIN,
  cosine,
  isFlat,
  middleOf,
  nearnessTo,
  poolFrames,
} from "../../services/content/metadata/domain-embedding.ts";
import { measure } from "../../services/content/metadata/look.ts";
import { PICTURE_SIDE, pictureTensor } from "../../services/content/metadata/picture-tensor.ts";
import { type ContentHost, startContent } from "../content/setup.ts";
import { archivesOf } from "./weights.ts";

const testdata = process.env["MARQUEE_TESTDATA"] ?? "";
const skip = testdata === "" ? "MARQUEE_TESTDATA is not set: it names a folder whose video/ has the clips" : false;
const WAIT_MS_MAX = 900_000;
const FRAME_S = 0.5;
/** Neighbours in time are the same shot; from here on they are another place of the same film. */
const APART_S = [5, 10, 20] as const;
/** Frames beside each other are nearly the same one, so that intervals are over stretches of so many seconds. */
const STRETCH_S = 5;
const TITLE_S = 10;
const BINS = 8;
const SEED = 7;
const NETWORK = "network";
const HISTOGRAM = "colour histogram";
const BOTH = "network and colours";
const HASH = "perceptual hash";
const METHODS = [NETWORK, HISTOGRAM, BOTH, HASH] as const;
type Method = (typeof METHODS)[number];

interface Frame {
  readonly clip: string;
  readonly film: string;
  readonly timeS: number;
  readonly features: readonly number[];
  readonly vectors: Readonly<Record<Method, readonly number[]>>;
}

const unit = (values: readonly number[]): number[] => {
  const length = Math.hypot(...values) || 1;
  return values.map((value) => value / length);
};

/** By the square root, so that the cosine is the Bhattacharyya coefficient. */
function histogramOf(rgb: Uint8Array): number[] {
  const counts = new Array<number>(BINS ** 3).fill(0);
  const bin = (value = 0): number => Math.floor((value / 256) * BINS);
  for (let at = 0; at + 2 < rgb.length; at += 3) {
    const place = (bin(rgb[at]) * BINS + bin(rgb[at + 1])) * BINS + bin(rgb[at + 2]);
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return unit(counts.map(Math.sqrt));
}

interface Placed {
  readonly vector: Float64Array;
}

const seenFrom = (middle: Float64Array, one: Placed, other: Placed): number =>
  nearnessTo(one.vector, middle)(other.vector);

/** How often one of the first is above one of the second. */
const aucOf = (first: readonly number[], second: readonly number[]): number => {
  const wins = first.flatMap((a) => second.map((b) => (a > b ? 1 : a === b ? 0.5 : 0) as number));
  return wins.reduce((sum, win) => sum + win, 0) / wins.length;
};

/** Bits as -1 and 1: the cosine falls with every bit that differs. */
const bitsOf = (hash: string): number[] =>
  [...BigInt(`0x${hash}`).toString(2).padStart(64, "0")].map((bit) => Number(bit) * 2 - 1);

describe("frames of real films know their film", { concurrency: false, skip }, () => {
  let host: ContentHost;
  let folder = "";
  let frames: readonly Frame[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "marquee-embedding-"));
    host = await startContent({ withMetadata: true });
  });
  after(async () => {
    await host?.stop();
    if (folder !== "") await rm(folder, { recursive: true, force: true });
  });

  it("is looked at through the network", { timeout: WAIT_MS_MAX }, async (t) => {
    const found = await archivesOf(["moderation"]);
    if ("missing" in found) return t.skip(found.missing);
    const path = found.paths.get("moderation") ?? "";
    await host.metadata.takeWeights({ name: "moderation", path }, host.context());
    frames = await lookAtAll();
    const clips = new Set(frames.map(({ clip }) => clip));
    t.diagnostic(
      `${frames.length} frames of ${clips.size} clips of ${new Set(frames.map(({ film }) => film)).size} films`,
    );
    assert.ok(frames.length > 0);
  });

  async function lookAtAll(): Promise<Frame[]> {
    const { transcoder } = host.adapters;
    const detector = await openDetector(host.adapters, "moderation", "features.onnx");
    assert.ok(detector);
    const all: Frame[] = [];
    for (const clip of readdirSync(join(testdata, "video")).filter((name) => /\.(mp4|webm|ts)$/.test(name))) {
      const path = join(testdata, "video", clip);
      const source = await transcoder.probe(path);
      const count = Math.floor(source.durationS / FRAME_S);
      const timesS = Array.from({ length: count }, (_, index) => (index + 0.5) * FRAME_S);
      const into = await mkdtemp(join(folder, "clip-"));
      for (const { file, timeS } of await transcoder.stills(path, source, { timesS, width: 320 }, into)) {
        const view = sharp(await readFile(file)).resize(PICTURE_SIDE, PICTURE_SIDE, { fit: "fill" });
        const rgb = await view.removeAlpha().raw().toBuffer();
        if (isFlat(rgb)) continue;
        const { features = [] } = await detector.ask([pictureTensor(rgb)]);
        const [network, colours] = [unit(features), histogramOf(rgb)];
        const hash = bitsOf((await measure(file)).hash);
        const vectors = { [NETWORK]: network, [HISTOGRAM]: colours, [BOTH]: [...network, ...colours], [HASH]: hash };
        all.push({ clip, film: clip.split(/[-.]/)[0] ?? clip, timeS, features, vectors });
      }
    }
    await detector.close();
    return all;
  }

  /** For each frame whether the nearest is of its film; of frames whose film has nothing that far away nothing is asked. */
  function hitsOf(method: Method, apartS: number): (0 | 1 | undefined)[] {
    return frames.map((frame) => {
      let best: { readonly film: string; readonly near: number } | undefined;
      let canHit = false;
      for (const other of frames) {
        if (other.clip === frame.clip && Math.abs(other.timeS - frame.timeS) <= apartS) continue;
        canHit ||= other.film === frame.film;
        const near = cosine(frame.vectors[method], other.vectors[method]);
        if (best === undefined || near > best.near) best = { film: other.film, near };
      }
      return canHit ? (best?.film === frame.film ? 1 : 0) : undefined;
    });
  }

  /** The mean of a figure of each frame, drawn stretch by stretch. */
  function overStretches(values: readonly (number | undefined)[]): Interval {
    const stretches = Map.groupBy(
      values.flatMap((value, at) => (value === undefined ? [] : [{ value, frame: frames[at] }])),
      ({ frame }) => `${frame?.clip} ${Math.floor((frame?.timeS ?? 0) / STRETCH_S)}`,
    );
    const sums = [...stretches.values()].map((some) => ({
      sum: some.reduce((sum, { value }) => sum + value, 0),
      count: some.length,
    }));
    const mean = (drawn: Uint32Array): number => {
      let [sum, count] = [0, 0];
      for (const at of drawn) {
        sum += sums[at]?.sum ?? 0;
        count += sums[at]?.count ?? 0;
      }
      return sum / count;
    };
    return bootstrap(sums.length, mean, { random: seededRandom(SEED) });
  }

  const shown = ({ estimate, low, high }: Interval): string =>
    `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;

  it("by features better than by colours, the further away the more", { timeout: WAIT_MS_MAX }, async (t) => {
    if (frames.length === 0) return t.skip("there are no weights");
    const panels = [];
    for (const apartS of APART_S) {
      const hits = new Map(METHODS.map((method) => [method, hitsOf(method, apartS)]));
      const marks = METHODS.map((method) => ({ method, ...overStretches(hits.get(method) ?? []) }));
      for (const mark of marks) t.diagnostic(`over ${apartS} s apart, by ${mark.method}: ${shown(mark)}`);
      const less = (one: Method, other: Method): Interval =>
        overStretches(
          (hits.get(one) ?? []).map((hit, at) => {
            const than = hits.get(other)?.[at];
            return hit === undefined || than === undefined ? undefined : hit - than;
          }),
        );
      const [colours, hash] = [less(NETWORK, HISTOGRAM), less(NETWORK, HASH)];
      t.diagnostic(`over ${apartS} s apart: network less histogram ${shown(colours)}, less hash ${shown(hash)}`);
      t.diagnostic(`over ${apartS} s apart: network and colours less network ${shown(less(BOTH, NETWORK))}`);
      assert.ok(hash.low > 0, `${apartS} s: the hash is as good`);
      if (apartS === APART_S.at(-1)) assert.ok(colours.low > 0, `${apartS} s: colours are as good`);
      panels.push({
        title: `More than ${apartS} s apart in the same clip`,
        marks: marks.map(({ method, estimate, low, high }) => ({
          ...{ name: method, value: estimate, low, high, isBaseline: method !== NETWORK },
        })),
        shown: (value: number) => `${(value * 100).toFixed(0)} %`,
      });
    }
    const about = `share of ${frames.length} frames, 95 % intervals over stretches of ${STRETCH_S} s`;
    const drawn = drawPanels("Is the frame that looks most like this one of the same film?", about, panels);
    const picture = process.env["MARQUEE_PICTURE"];
    if (picture !== undefined) await writePicture("embedding", picture, drawn);
  });

  it("clips of one film are each other's nearest", async (t) => {
    if (frames.length === 0) return t.skip("there are no weights");
    const clips = [...Map.groupBy(frames, ({ clip }) => clip)].flatMap(([clip, own]) => {
      const vector = poolFrames(own.map(({ features }) => features))?.vector;
      return vector && own[0] ? [{ clip, film: own[0].film, vector }] : [];
    });
    const middle = middleOf(clips.map(({ vector }) => vector));
    for (const one of clips) {
      const others = clips.filter((other) => other !== one);
      const near = others.map((other) => ({ ...other, similarity: seenFrom(middle, one, other) }));
      const [best] = near.toSorted((a, b) => b.similarity - a.similarity);
      t.diagnostic(`${one.clip} looks most like ${best?.clip}, ${best?.similarity.toFixed(2)}`);
      if (others.some(({ film }) => film === one.film)) assert.equal(best?.film, one.film, one.clip);
    }
  });

  it("as titles: what is called alike is seldom of another film", async (t) => {
    if (frames.length === 0) return t.skip("there are no weights");
    const stretches = [...Map.groupBy(frames, ({ clip, timeS }) => `${clip} ${Math.floor(timeS / TITLE_S)}`).values()];
    const titles = stretches
      .filter((some) => some.length >= TITLE_S)
      .flatMap((some) => {
        const vector = poolFrames(some.map(({ features }) => features))?.vector;
        return vector && some[0] ? [{ ...some[0], vector }] : [];
      });
    const middle = middleOf(titles.map(({ vector }) => vector));
    const none = new Float64Array(middle.length);
    const pairs = titles.flatMap((one, at) => titles.slice(at + 1).map((two) => ({ one, two })));
    const apart = pairs.filter(
      ({ one, two }) => one.clip !== two.clip || Math.abs(one.timeS - two.timeS) >= 1.5 * TITLE_S,
    );
    const nearness = (isSame: boolean, from: Float64Array): number[] =>
      apart
        .filter(({ one, two }) => (one.film === two.film) === isSame)
        .map(({ one, two }) => seenFrom(from, one, two));
    const [same, other] = [nearness(true, middle), nearness(false, middle)];
    t.diagnostic(
      `a pair of one film is nearer than one of two: ${aucOf(same, other).toFixed(3)} (AUC), ` +
        `not seen from the middle ${aucOf(nearness(true, none), nearness(false, none)).toFixed(3)}`,
    );
    const alike = (some: readonly number[], from = ALIKE_MIN): number =>
      some.filter((near) => near >= from).length / some.length;
    for (const from of [ALIKE_MIN - 0.1, ALIKE_MIN, ALIKE_MIN + 0.1])
      t.diagnostic(
        `from ${from.toFixed(2)} on, of ${same.length} pairs of ${TITLE_S} s of one film ${(alike(same, from) * 100).toFixed(0)} % are alike, ` +
          `of ${other.length} pairs of two films ${(alike(other, from) * 100).toFixed(0)} %`,
      );
    assert.ok(alike(other) <= 0.1 && alike(same) >= 0.3, `${alike(same)}, ${alike(other)}`);
  });
});
