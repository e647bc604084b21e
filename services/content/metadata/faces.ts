import sharp from "sharp";
import type { Detector } from "./detect.ts";
import type { Faces } from "./domain-thumbnails.ts";

/** BlazeFace looks at a square of this side; its boxes are in these pixels. */
const SIDE = 256;
const SCORE_MIN = 0.6;
const OVERLAP_MAX = 0.3;
const FACES_MAX = 20;
const BOX_NUMBERS = 16;
/** Anchors: two on each place of a grid of 16 by 16, six on each of one of 8 by 8. */
const GRIDS = [
  { scores: "scores_near", boxes: "boxes_near", cells: 16, anchors: 2 },
  { scores: "scores_far", boxes: "boxes_far", cells: 8, anchors: 6 },
] as const;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly score: number;
}

export async function facesIn(detector: Detector, picture: Uint8Array): Promise<Faces> {
  // Letters above and below keep a face's shape.
  const rgb = await sharp(picture)
    .resize(SIDE, SIDE, { fit: "contain", background: "#000" })
    .removeAlpha()
    .raw()
    .toBuffer();
  const data = Array.from(rgb, (value) => value / 127.5 - 1);
  const outputs = await detector.ask([{ name: "picture", shape: [1, SIDE, SIDE, 3], datatype: "FP32", data }]);
  const boxes = apart(readBoxes(outputs));
  const largest = Math.max(0, ...boxes.map(({ width, height }) => (width * height) / (SIDE * SIDE)));
  return { count: boxes.length, share: largest, looked: true };
}

/** Boxes that are surer than the threshold, from the detector's outputs; pure. */
export function readBoxes(outputs: Readonly<Record<string, readonly number[]>>): Box[] {
  return GRIDS.flatMap(({ scores, boxes, cells, anchors }) =>
    (outputs[scores] ?? []).flatMap((logit, index) => {
      const score = 1 / (1 + Math.exp(-logit));
      if (score < SCORE_MIN) return [];
      const cell = Math.floor(index / anchors);
      const anchor = { x: ((cell % cells) + 0.5) / cells, y: (Math.floor(cell / cells) + 0.5) / cells };
      const [x = 0, y = 0, width = 0, height = 0] =
        outputs[boxes]?.slice(index * BOX_NUMBERS, index * BOX_NUMBERS + 4) ?? [];
      return [{ x: anchor.x * SIDE + x, y: anchor.y * SIDE + y, width, height, score }];
    }),
  );
}

/** One box for each face: of those that overlap the surest. */
function apart(boxes: readonly Box[]): Box[] {
  const kept: Box[] = [];
  for (const box of boxes.toSorted((a, b) => b.score - a.score)) {
    if (kept.length >= FACES_MAX) break;
    if (kept.every((other) => overlap(box, other) <= OVERLAP_MAX)) kept.push(box);
  }
  return kept;
}

function overlap(a: Box, b: Box): number {
  const along = (at: number, length: number, other: number, otherLength: number): number =>
    Math.max(
      0,
      Math.min(at + length / 2, other + otherLength / 2) - Math.max(at - length / 2, other - otherLength / 2),
    );
  const both = along(a.x, a.width, b.x, b.width) * along(a.y, a.height, b.y, b.height);
  const either = a.width * a.height + b.width * b.height - both;
  return either > 0 ? both / either : 0;
}
