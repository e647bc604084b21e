import { open, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { problem } from "#kernel/errors";
import type { SourceInfo } from "#kernel/ports/transcoder";

/**
 * Containers that hold their own media. Left out on purpose: playlists and scripts (hls, dash, concat, imf, sdp), image
 * sequences, virtual inputs (lavfi) and everything that can name another file or an address.
 */
export const FORMATS_ALLOWED = [
  "mov",
  "mp4",
  "m4a",
  "3gp",
  "3g2",
  "mj2",
  "matroska",
  "webm",
  "avi",
  "mpegts",
  "mpeg",
  "mxf",
  "asf",
  "flv",
  "ogg",
  "nut",
  "dv",
  "gxf",
  "wtv",
  "ivf",
].join(",");

/** Input options that hold for every opening of a hostile file: local bytes only, known containers only, bounded analysis. */
export const INPUT_LIMITS = [
  "-protocol_whitelist",
  "file,pipe",
  "-format_whitelist",
  FORMATS_ALLOWED,
  "-probesize",
  "20000000",
  "-analyzeduration",
  "15000000",
  "-max_alloc",
  "1000000000",
] as const;

/** The explicit `file:` keeps a name such as `concat:a|b` or `http://…` from being read as a protocol. */
export const asInput = (path: string): string => `file:${resolve(path)}`;

/** How error texts name the file: its name without the folders. */
export const nameOf = (path: string): string =>
  `'${basename(path)
    .replace(/[\p{Cc}\p{Cf}]/gu, "?")
    .slice(0, 120)}'`;

/** Refuses what no program needs to open: absent, not a file, empty. Gives the size in bytes. */
export async function checkFile(path: string): Promise<number> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EACCES")
      throw problem.denied(`${nameOf(path)} may not be read; change its permissions`, { reason: "media_not_readable" });
    throw problem.notFound(`${nameOf(path)} does not exist; check the path`, { reason: "media_not_found" });
  });
  if (!found.isFile()) {
    throw problem.unsupportedMedia(`${nameOf(path)} is not a file; name a video file`, { reason: "media_not_a_video" });
  }
  if (found.size === 0) {
    throw problem.unsupportedMedia(`${nameOf(path)} is empty (0 bytes); copy it again`, { reason: "media_empty" });
  }
  return found.size;
}

const BOXES_MAX = 10_000;
const MEDIA_BOXES = new Set(["moov", "mdat", "moof"]);

/**
 * Walks the top-level boxes of an ISO base media file (ISO/IEC 14496-12, 4.2) and refuses one that claims bytes past the
 * end of the file: ffmpeg would play what is there and a half-copied film would be published as a whole one.
 */
export async function checkNotTruncated(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, "r");
  try {
    const header = Buffer.alloc(16);
    let offsetBytes = 0;
    for (let boxes = 0; boxes < BOXES_MAX && offsetBytes + 8 <= sizeBytes; boxes++) {
      const { bytesRead } = await file.read(header, 0, 16, offsetBytes);
      if (bytesRead < 8) return;
      const type = header.toString("latin1", 4, 8);
      let boxBytes = header.readUInt32BE(0);
      if (boxBytes === 1 && bytesRead === 16) boxBytes = Number(header.readBigUInt64BE(8));
      if (boxBytes === 0) return;
      if (MEDIA_BOXES.has(type) && offsetBytes + boxBytes > sizeBytes) {
        throw problem.unsupportedMedia(
          `${nameOf(path)} is cut short: its '${type}' part says ${boxBytes} bytes and only ${sizeBytes - offsetBytes} are there; copy or export the file again`,
          { reason: "media_truncated" },
        );
      }
      if (boxBytes < 8) return;
      offsetBytes += boxBytes;
    }
  } finally {
    await file.close();
  }
}

/** MP4, Matroska and MXF carry an index and seek to a key frame; the others land anywhere and need a run-up of a whole GOP. */
const SEEK_MARGIN_INDEXED_S = 1;
const SEEK_MARGIN_S = 12;

/** How long before a wanted moment reading has to begin for its frame to be decodable. */
export const seekMarginS = (source: SourceInfo): number =>
  /mov|matroska|mxf/.test(source.container) ? SEEK_MARGIN_INDEXED_S : SEEK_MARGIN_S;
