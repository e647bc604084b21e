import { MARKS } from "#contracts/origin/edges";

/**
 * What can be asked of a package, and nothing else: its index, and whatever else may lie beside it, has no address.
 *
 *   /vod/{contentId}/r{revision}/main-{indexVersion}[-{plan}].m3u8 | .mpd
 *   /vod/{contentId}/r{revision}/{profile}/index[-{plan}].m3u8 | iframes.m3u8
 *   /vod/{contentId}/r{revision}/{profile}/init.mp4 | seg-0000001.m4s | seg-0000001.vtt | tile-0000001.jpg
 */
export type PackagePath = { readonly contentId: string; readonly revision: number } & (
  | { readonly kind: "hls" | "dash"; readonly indexVersion: number; readonly planId: string }
  | { readonly kind: "media" | "iframes"; readonly profile: string; readonly planId: string }
  | { readonly kind: "object"; readonly key: string; readonly contentType: string }
);

const PACKAGE = /^\/vod\/([A-Za-z0-9_-]{1,64})\/r(0|[1-9]\d{0,8})\/(.{1,160})$/;
/** `planId` is the ads that a manifest has in it; empty where it has none. */
const MAIN = /^main-(0|[1-9]\d{0,5})(?:-([0-9a-f]{16}))?\.(m3u8|mpd)$/;
const IN_PROFILE =
  /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})\/(?:(index|iframes)(?:-([0-9a-f]{16}))?\.m3u8|(?:init\.(mp4)|seg-\d{7}\.(m4s|vtt)|tile-\d{7}\.(jpg)))$/;

const TYPES: Readonly<Record<string, string>> = {
  mp4: "video/mp4",
  m4s: "video/iso.segment",
  vtt: "text/vtt; charset=utf-8",
  jpg: "image/jpeg",
};
export const HLS_TYPE = "application/vnd.apple.mpegurl";
export const DASH_TYPE = "application/dash+xml";

/** The path taken apart, as it stands; null for anything that is not of the grammar. */
export function parsePackagePath(path: string): PackagePath | null {
  const [, contentId, revisionText, rest] = PACKAGE.exec(path) ?? [];
  if (contentId === undefined || rest === undefined) return null;
  const of = { contentId, revision: Number(revisionText) };
  const main = MAIN.exec(rest);
  if (main) {
    const [, indexVersion, planId = "", extension] = main;
    return { ...of, kind: extension === "mpd" ? "dash" : "hls", indexVersion: Number(indexVersion), planId };
  }
  const [, profile, playlist, planId = "", ...extensions] = IN_PROFILE.exec(rest) ?? [];
  if (profile === undefined || (playlist === "iframes" && planId !== "")) return null;
  if (playlist !== undefined) return { ...of, kind: playlist === "index" ? "media" : "iframes", profile, planId };
  const contentType = TYPES[extensions.find((extension) => extension !== undefined) ?? ""];
  return contentType === undefined ? null : { ...of, kind: "object", key: path.slice(1), contentType };
}

/** Where a package's manifests are, as paths below any edge. */
export function pathsOf(contentId: string, revision: number, indexVersion: number) {
  const pathPrefix = `/vod/${contentId}/r${revision}/`;
  const main = `${pathPrefix}main-${indexVersion}`;
  return { hlsPath: `${main}.m3u8`, dashPath: `${main}.mpd`, pathPrefix };
}

interface Network {
  readonly id: string;
  readonly baseUrl: string;
}

/** Every network's folder of a package, with the one that asks in front: that is where its reader is. Null when nobody of that name asks. */
export function steeredNetworks(
  networks: readonly Network[],
  askedBy: string,
  folder: string,
): readonly Network[] | null {
  const own = networks.find(({ id }) => id === askedBy);
  if (!own) return null;
  return [own, ...networks.filter((network) => network !== own)].map(({ id, baseUrl }) => ({
    id,
    baseUrl: `${baseUrl}/${folder}/`,
  }));
}

export const steeringUrl = (publicUrl: string, protocol: "hls" | "dash"): string =>
  `${publicUrl}/steering/${protocol}/${MARKS.session}`;

/** Widths that pictures come in, so that nobody can fill the store with sizes. */
export const PICTURE_WIDTHS: readonly number[] = [320, 640, 960, 1280, 1920];

export interface PicturePath {
  /** The object that the picture is made of. */
  readonly source: string;
  readonly contentId: string;
  /** Where the picture is kept, below the folder of its title. */
  readonly key: string;
  readonly width: number;
}

const ARTWORK = /^\/images\/(artwork\/([A-Za-z0-9_-]{1,64})\/([A-Za-z0-9][A-Za-z0-9._-]{0,99}))$/;

/** `/images/artwork/{contentId}/{file}?w=640`; `path` where it leads to no artwork, `width` where that is not one of ours. */
export function parsePicturePath(path: string, query: string): PicturePath | "path" | "width" {
  const [, source, contentId, file] = ARTWORK.exec(path) ?? [];
  if (source === undefined || contentId === undefined) return "path";
  const text = new URLSearchParams(query).get("w") ?? "";
  const width = PICTURE_WIDTHS.find((each) => String(each) === text);
  if (width === undefined) return "width";
  return { source, contentId, width, key: `${pictureFolder(contentId)}w${width}/${file}.webp` };
}

/** Titles that are older than hashes in names have a plain `preview.mp4`. */
const PREVIEW = /^\/images\/(artwork\/[A-Za-z0-9_-]{1,64}\/preview(?:-[0-9a-f]{16})?\.mp4)$/;

/** The object behind `/images/artwork/{contentId}/preview-{hash}.mp4`; null for any other path. */
export const parsePreviewPath = (path: string): string | null => PREVIEW.exec(path)?.[1] ?? null;

export const pictureFolder = (contentId: string): string => `images/artwork/${contentId}/`;
