import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import sharp from "sharp";
import { Problem } from "#kernel";
import type { Objects } from "#kernel/ports/objects";
import type { PosterCandidate, SourceInfo, Transcoder } from "#kernel/ports/transcoder";
import type { ThumbnailTrack } from "#media/presentation";
import {
  artworkFolder,
  artworkKey,
  intermediateFolder,
  POSTERS,
  PREVIEW_S,
  previewStartS,
  thumbnailShapeOf,
} from "./domain.ts";
import type { Scratch } from "./scratch.ts";

/** Each try makes seven; nobody tries that often. */
const PICTURES_MAX = 1_000;

export interface EncodedArtwork {
  readonly key: string;
  readonly width: number;
  readonly height: number;
  readonly score: number;
  readonly color: string;
  readonly blurDataUrl: string;
}
export interface Pictures {
  readonly thumbnails: ThumbnailTrack;
  readonly artwork: readonly EncodedArtwork[];
  /** The preview's object; absent from results that are older than previews. */
  readonly previewKey?: string | null;
}

/** Makes thumbnail tiles, poster candidates and the preview. Tiles wait beside the intermediates; packaging copies them into each revision. */
export async function makePictures(
  ports: { readonly objects: Objects; readonly transcoder: Transcoder; readonly scratch: Scratch },
  of: PictureJob,
): Promise<Pictures> {
  return ports.scratch.within((folder) => makeWithin(ports, of, folder));
}

interface PictureJob {
  readonly tenant: string;
  readonly contentId: string;
  readonly path: string;
  readonly source: SourceInfo;
  readonly signal: AbortSignal;
}

async function makeWithin(
  { objects, transcoder }: { readonly objects: Objects; readonly transcoder: Transcoder },
  of: PictureJob,
  folder: string,
): Promise<Pictures> {
  const shape = thumbnailShapeOf(of.source);
  const tileCount = await transcoder.thumbnails(of.path, of.source, shape, folder, of.signal);
  const posters = await transcoder.posters(of.path, of.source, POSTERS, folder, of.signal);
  const artwork: EncodedArtwork[] = [];
  for (const poster of posters) {
    const key = artworkKey(of.contentId, basename(poster.file), await sha256Of(poster.file));
    const look = await lookOf(poster.file);
    await objects.putFile(key, poster.file);
    artwork.push({ key, width: poster.width, height: poster.height, score: poster.score, ...look });
  }
  let tileBytes = 0;
  for (const name of (await readdir(folder)).filter((file) => file.startsWith("tile-"))) {
    const key = `${tilesFolder(of.tenant, of.contentId)}${name}`;
    await objects.putFile(key, join(folder, name));
    tileBytes += (await objects.head(key))?.sizeBytes ?? 0;
  }
  const clip = await makePreview({ objects, transcoder }, of, posters, join(folder, "preview.mp4"));
  const bandwidthBps = Math.ceil((tileBytes * 8) / Math.max(1, of.source.durationS));
  return {
    thumbnails: { profile: "thumbs", ...shape, tileCount, bandwidthBps },
    artwork: artwork.sort((a, b) => b.score - a.score),
    previewKey: clip,
  };
}

/** A film that gives no preview is no worse a film: its page keeps the still. Anything but the media's own fault is thrown. */
async function makePreview(
  { objects, transcoder }: { readonly objects: Objects; readonly transcoder: Transcoder },
  of: PictureJob,
  posters: readonly PosterCandidate[],
  out: string,
): Promise<string | null> {
  const best = posters.toSorted((a, b) => b.score - a.score)[0];
  const startS = best ? previewStartS(of.source.durationS, best.timeS) : null;
  if (startS === null) return null;
  try {
    await transcoder.preview(of.path, of.source, { startS, durationS: PREVIEW_S }, out, of.signal);
  } catch (error) {
    if (error instanceof Problem && error.code === "unsupported_media") return null;
    throw error;
  }
  const key = artworkKey(of.contentId, basename(out), await sha256Of(out));
  await objects.putFile(key, out);
  return key;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Frames that enrichment found lie beside ours and are none of our business. */
const isOurs = (key: string): boolean => !key.includes("/found-");

/** Removes pictures that no result names: those of a try that did not end, or that another worker's faster one replaced. */
export async function removeUnnamed(
  { objects }: { readonly objects: Objects },
  contentId: string,
  named: Pictures,
): Promise<void> {
  const names = new Set([...named.artwork.map(({ key }) => key), named.previewKey]);
  const found = await objects.list(artworkFolder(contentId), { keysMax: PICTURES_MAX });
  await objects.delete(found.map(({ key }) => key).filter((key) => isOurs(key) && !names.has(key)));
}

export const tilesFolder = (tenant: string, contentId: string): string =>
  `${intermediateFolder(tenant, contentId)}thumbs/`;

/** What fills a picture's place until it is there: its dominant colour and twenty blurred pixels. */
async function lookOf(path: string): Promise<{ color: string; blurDataUrl: string }> {
  const image = sharp(path);
  const { dominant } = await image.stats();
  const tiny = await image.clone().resize({ width: 20 }).webp({ quality: 40 }).toBuffer();
  const hex = [dominant.r, dominant.g, dominant.b].map((value) => value.toString(16).padStart(2, "0")).join("");
  return { color: `#${hex}`, blurDataUrl: `data:image/webp;base64,${tiny.toString("base64")}` };
}
