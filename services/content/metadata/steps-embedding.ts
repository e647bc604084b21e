import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { WEIGHTS } from "#contracts/metadata";
import { problem } from "#kernel";
import { openDetector } from "./detect.ts";
import { skipped } from "./domain.ts";
import { isFlat, momentsIn, packVector, poolFrames } from "./domain-embedding.ts";
import type { Perform } from "./parts.ts";
import { PICTURE_SIDE, pictureTensor } from "./picture-tensor.ts";
import * as embeddings from "./store-embeddings.ts";

const LOOK_WIDTH = 320;
const MODEL = `${WEIGHTS.moderation.model}, pooled features`;

/** What a title looks like, as a vector: the classifier's own features, from below the layer that names classes. */
export const embedPictures: Perform = async (parts, { title, path, folder, signal, progress }) => {
  const detector = await openDetector(parts, "moderation", "features.onnx");
  if (!detector) return { outcome: skipped("no_model", "nothing here could look: ./marquee model pull moderation") };
  const frames: (readonly number[])[] = [];
  let flat = 0;
  try {
    const into = join(folder, "looks");
    await mkdir(into);
    const wanted = { timesS: momentsIn(title.durationS), width: LOOK_WIDTH };
    const stills = await parts.transcoder.stills(path, title.source, wanted, into, signal);
    for (const [index, { file }] of stills.entries()) {
      signal.throwIfAborted();
      const view = sharp(file).resize(PICTURE_SIDE, PICTURE_SIDE, { fit: "fill" });
      const rgb = await view.removeAlpha().raw().toBuffer();
      if (isFlat(rgb)) flat += 1;
      else {
        const { features } = await detector.ask([pictureTensor(rgb)]);
        if (!features) throw problem.internal("the weights give no features: ./marquee model pull moderation");
        frames.push(features);
      }
      progress((index + 1) / stills.length);
    }
  } finally {
    await detector.close();
  }
  const pooled = poolFrames(frames);
  if (!pooled) return { outcome: skipped("nothing_seen", "every frame that was looked at is black, white or fog") };
  const { version } = detector;
  return {
    outcome: {
      state: "done",
      by: { model: MODEL, version, confidence: pooled.agreement },
      value: { frames: frames.length, flat, dimensions: pooled.vector.length },
    },
    // Vectors of different makers have nothing to do with each other.
    write: (tx) => embeddings.save(tx, title.contentId, `${MODEL} ${version}`, packVector(pooled.vector)),
  };
};
