import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import type { Stretch } from "#kernel/ports/transcoder";
import { type Candidate, chooseDiverse, type Faces, momentsOf, scoreOf } from "./domain-thumbnails.ts";
import type { Picture } from "./domain.ts";
import { facesIn } from "./faces.ts";
import { openDetector } from "./detect.ts";
import { openLooker } from "./look.ts";
import { type Perform, picturePrefix } from "./parts.ts";
import { SCORER } from "./scorer.ts";
import * as store from "./store.ts";

const LOOK_WIDTH = 480;
const PICTURE_WIDTH = 1_280;
export const THUMBNAILS = 6;
export const NO_FACES: Faces = { count: 0, share: 0, looked: false };

export const chooseThumbnails: Perform = async (parts, { title, path, folder, signal, progress, context }) => {
  const { source, durationS, contentId } = title;
  const found = await parts.db.read(context, (tx) => store.step(tx, contentId, "scenes"));
  const scenes = (found?.value as { readonly scenes?: readonly Stretch[] } | undefined)?.scenes;
  const timesS = momentsOf(scenes ?? [{ startS: 0, endS: durationS }], durationS);
  const looked = join(folder, "candidates");
  await mkdir(looked);
  const stills = await parts.transcoder.stills(path, source, { timesS, width: LOOK_WIDTH }, looked, signal);
  const faces = await openDetector(parts, "faces");
  const looker = openLooker(signal);
  const candidates: (Candidate & { readonly score: number })[] = [];
  try {
    for (const [index, still] of stills.entries()) {
      signal.throwIfAborted();
      const seen = faces ? await facesIn(faces, await readFile(still.file)) : NO_FACES;
      const candidate = { timeS: still.timeS, ...(await looker.measure(still.file)), faces: seen };
      candidates.push({ ...candidate, score: scoreOf(candidate, SCORER) });
      progress((0.8 * (index + 1)) / stills.length);
    }
  } finally {
    await looker.close();
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
      const bytes = await readFile(file);
      const key = keyOf(contentId, candidate.timeS, bytes);
      await parts.objects.put(key, bytes);
      const { timeS, score, look, faces: seen } = candidate;
      const picture: Picture = { key, ...(await shapeOf(bytes)) };
      saved.push({ ...picture, timeS, score, features: look, faces: seen.looked ? seen.count : null });
    }
    return saved.sort((a, b) => b.score - a.score);
  }
};

/** Browsers keep pictures for a year without asking: a name that holds a part of the hash never means another one. */
const keyOf = (contentId: string, timeS: number, bytes: Uint8Array): string =>
  `${picturePrefix(contentId)}${Math.round(timeS * 1_000)}-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}.jpg`;

async function shapeOf(bytes: Uint8Array): Promise<Omit<Picture, "key">> {
  const picture = sharp(bytes);
  const { width, height } = await picture.metadata();
  const { dominant } = await picture.stats();
  const blurred = await picture.clone().resize({ width: 20 }).webp({ quality: 40 }).toBuffer();
  const color = ((dominant.r << 16) | (dominant.g << 8) | dominant.b).toString(16).padStart(6, "0");
  const blurDataUrl = `data:image/webp;base64,${blurred.toString("base64")}`;
  return { width, height, color: `#${color}`, blurDataUrl };
}
