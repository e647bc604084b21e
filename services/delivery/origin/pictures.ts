import type { IncomingMessage, ServerResponse } from "node:http";
import sharp from "sharp";
import { Problem, problem } from "#kernel";
import type { Objects } from "#kernel/ports/objects";
import { isMatch } from "#media/range";
import { parsePicturePath, PICTURE_WIDTHS, type PicturePath } from "./domain.ts";

/** Pictures made at once, and how many may wait: sharp has threads of its own, but the cores are everybody's. */
const RUNNING_MAX = 2;
const WAITING_MAX = 64;
const QUALITY = 80;
/** 8K; a source beyond it is no artwork. */
const PIXELS_MAX = 7_680 * 4_320;

export interface Pictures {
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** Artwork in the sizes that screens need, as WebP, made when first asked for and kept as objects. */
export function openPictures(objects: Objects): Pictures {
  const making = new Map<string, Promise<Uint8Array>>();
  const waiting: (() => void)[] = [];
  let running = 0;

  async function limited<T>(work: () => Promise<T>): Promise<T> {
    if (running >= RUNNING_MAX) {
      if (waiting.length >= WAITING_MAX)
        throw problem.unavailable("too many pictures are being made: try again in a moment", { retryAfterS: 1 });
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      // The place goes to the next one, or is free.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  }

  async function make({ source, key, width }: PicturePath): Promise<Uint8Array> {
    const original = await objects.get(source);
    const picture = await limited(() =>
      sharp(original, { limitInputPixels: PIXELS_MAX })
        .rotate()
        .resize({ width, withoutEnlargement: true })
        .webp({ quality: QUALITY })
        .toBuffer(),
    );
    await objects.put(key, picture);
    return picture;
  }

  async function find(path: PicturePath): Promise<Uint8Array> {
    const kept = await objects.get(path.key).catch((error: unknown) => {
      if (error instanceof Problem && error.code === "not_found") return undefined;
      throw error;
    });
    if (kept) return kept;
    let made = making.get(path.key);
    if (!made) {
      made = make(path).finally(() => making.delete(path.key));
      making.set(path.key, made);
    }
    return made;
  }

  return {
    async answer(request, response) {
      if (request.method !== "GET" && request.method !== "HEAD")
        throw problem.invalid(`pictures are read by GET or HEAD, not by ${request.method}`);
      const [pathText = "", query = ""] = (request.url ?? "").split("?", 2);
      const path = parsePicturePath(pathText, query);
      if (path === "path") throw problem.notFound("there is no such picture");
      if (path === "width")
        throw problem.invalid(`pictures come in widths of ${PICTURE_WIDTHS.join(", ")}: ask with ?w=640`);
      const body = await find(path);
      const etag = `"${path.width}-${body.byteLength.toString(36)}"`;
      const headers = {
        "content-type": "image/webp",
        "cache-control": "public, max-age=31536000, immutable",
        etag,
        "access-control-allow-origin": "*",
      };
      if (isMatch(request.headers["if-none-match"], etag)) {
        response.writeHead(304, headers).end();
        return;
      }
      response.writeHead(200, { ...headers, "content-length": body.byteLength });
      response.end(request.method === "HEAD" ? undefined : body);
    },
  };
}
