import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { mkdir } from "node:fs/promises";
import sharp from "sharp";
import { lookAt } from "#learning/picture";
import type { Stretch } from "#kernel/ports/transcoder";
import { type Candidate, chooseDiverse, type Faces, momentsOf, scoreOf } from "./domain-thumbnails.ts";
import { facesIn } from "./faces.ts";
import { type Detector, openDetector } from "./detect.ts";
import { type Perform, pictureFolder } from "./parts.ts";
import { SCORER } from "./scorer.ts";
import * as store from "./store.ts";

const LOOK_WIDTH = 480;
const PICTURE_WIDTH = 1_280;
export const THUMBNAILS = 6;
const NO_FACES: Faces = { count: 0, share: 0, looked: false };

export const chooseThumbnails: Perform = async (parts, { title, path, folder, signal, progress, context }) => {
  const { source, durationS, contentId } = title;
  const found = await parts.db.read(context, (tx) => store.step(tx, contentId, "scenes"));
  const scenes = (found?.value as { readonly scenes?: readonly Stretch[] } | undefined)?.scenes;
  const timesS = momentsOf(scenes ?? [{ startS: 0, endS: durationS }], durationS);
  const looked = join(folder, "candidates");
  await mkdir(looked);
  const stills = await parts.transcoder.stills(path, source, { timesS, width: LOOK_WIDTH }, looked, signal);
  const faces = await openDetector(parts, "faces");
  const candidates: (Candidate & { readonly score: number })[] = [];
  try {
    for (const [index, still] of stills.entries()) {
      signal.throwIfAborted();
      const candidate = { timeS: still.timeS, ...(await readCandidate(still.file, faces)) };
      candidates.push({ ...candidate, score: scoreOf(candidate, SCORER) });
      progress((0.8 * (index + 1)) / stills.length);
    }
  } finally {
    await faces?.close();
  }
  const chosen = chooseDiverse(candidates, THUMBNAILS, durationS);
  const pictures = await savePictures();
  const scores = candidates.map(({ score }) => score);
  return {
    outcome: {
      state: "done",
      by: { model: SCORER.model, version: SCORER.version, confidence: chosen[0]?.score ?? 0 },
      value: {
        pictures,
        candidates: candidates.length,
        meanScore: scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length),
        facesLookedFor: faces !== undefined,
      },
    },
  };

  async function savePictures() {
    const large = join(folder, "chosen");
    await mkdir(large);
    const inOrder = chosen.toSorted((a, b) => a.timeS - b.timeS);
    const times = inOrder.map(({ timeS }) => timeS);
    const taken = await parts.transcoder.stills(path, source, { timesS: times, width: PICTURE_WIDTH }, large, signal);
    const saved = [];
    for (const [index, { file }] of taken.entries()) {
      const candidate = inOrder[index];
      if (!candidate) break;
      const key = `${pictureFolder(context.tenant, contentId)}thumbnail-${Math.round(candidate.timeS * 1_000)}.jpg`;
      const { width, height } = await sharp(file).metadata();
      await parts.objects.putFile(key, file);
      const { timeS, score, look, faces: seen } = candidate;
      saved.push({ key, timeS, score, width, height, features: look, faces: seen.looked ? seen.count : null });
    }
    return saved.sort((a, b) => b.score - a.score);
  }
};

/** What is measured of one picture. */
export async function readCandidate(file: string, detector: Detector | undefined): Promise<Omit<Candidate, "timeS">> {
  const bytes = await readFile(file);
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const small = await sharp(bytes).greyscale().resize(9, 8, { fit: "fill" }).raw().toBuffer();
  return {
    look: lookAt({ rgb: data, width: info.width, height: info.height }),
    hash: hashOf(small),
    faces: detector ? await facesIn(detector, bytes) : NO_FACES,
  };
}

/** A difference hash: whether each of eight columns is brighter than the next, in eight rows. */
function hashOf(grey: Uint8Array): string {
  let bits = 0n;
  for (let row = 0; row < 8; row += 1)
    for (let column = 0; column < 8; column += 1)
      bits = (bits << 1n) | ((grey[row * 9 + column] ?? 0) > (grey[row * 9 + column + 1] ?? 0) ? 1n : 0n);
  return bits.toString(16).padStart(16, "0");
}
