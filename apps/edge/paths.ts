/**
 * What may be asked of an edge. The origin knows the exact grammar of packages; here only the shape matters: a content id, a
 * revision, and one or two plain names, none of which begins with a dot.
 *
 *   /vod/{contentId}/r{revision}/{name}          main-3.m3u8, main-3.mpd
 *   /vod/{contentId}/r{revision}/{folder}/{name} 720p-h264/seg-0000001.m4s
 */
const NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";
const MEDIA = new RegExp(`^/vod/([A-Za-z0-9_-]{1,64})/r(?:0|[1-9]\\d{0,8})/(?:${NAME}/)?${NAME}\\.([a-z0-9]{2,4})$`);

const TYPES: Readonly<Record<string, string>> = {
  m3u8: "application/vnd.apple.mpegurl",
  mpd: "application/dash+xml",
  m4s: "video/iso.segment",
  mp4: "video/mp4",
  vtt: "text/vtt; charset=utf-8",
  jpg: "image/jpeg",
};

export interface MediaPath {
  readonly path: string;
  readonly contentId: string;
  readonly kind: "hls" | "dash" | "object";
  readonly contentType: string;
}

/** The path of an object, or null for anything else. It is taken as it stands: nothing is decoded. */
export function parseMediaPath(path: string): MediaPath | null {
  const match = MEDIA.exec(path);
  const contentType = TYPES[match?.[2] ?? ""];
  if (match?.[1] === undefined || contentType === undefined) return null;
  const kind = match[2] === "m3u8" ? "hls" : match[2] === "mpd" ? "dash" : "object";
  return { path, contentId: match[1], kind, contentType };
}

/** Whether the path is a presentation's own manifest, the only one that comes in a form with content steering. */
export const isMainManifest = ({ kind, path }: MediaPath): boolean =>
  kind !== "object" && /\/main-\d+(?:-[0-9a-f]+)?\.(?:m3u8|mpd)$/.test(path);

/** Where an object lies in a cache. Neither a token nor any other part of the query but `steer` belongs to it. */
export const cacheKeyOf = (media: MediaPath, isSteered: boolean): string =>
  isSteered ? `${media.path}?steer` : media.path;
