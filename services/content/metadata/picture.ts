import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PictureRequest } from "#contracts/metadata";
import { type Context, problem } from "#kernel";
import type { Parts } from "./parts.ts";
import * as store from "./store.ts";
import { inTurn } from "./turns.ts";
import { scratchOf } from "./work.ts";

// Pictures for people who review: a thumbnail as it was saved, or a still that is cut when somebody asks.

const WIDTH = 640;
/** Whoever opens a page asks for all of its pictures at once; ffmpeg is to leave the machine to viewers. */
const AT_ONCE = 2;
const WAITING_MAX = 64;

interface Frame {
  readonly key: string;
  readonly timeS: number;
}

export async function pictureAt(parts: Parts, { contentId, timeMs }: PictureRequest, context: Context) {
  const { title, frames } = await parts.db.read(context, async (tx) => ({
    title: await store.title(tx, contentId),
    frames: (await store.step(tx, contentId, "thumbnails"))?.value as
      | { readonly pictures?: readonly Frame[] }
      | undefined,
  }));
  if (!title) throw problem.notFound(`'${contentId.slice(0, 80)}' was not taken in, so there is nothing to look at`);
  if (timeMs > title.durationS * 1_000)
    throw problem.invalid(`${timeMs} ms is behind the end of '${contentId}', which is at ${title.durationS} s`);
  const found = frames?.pictures?.find(({ timeS }) => Math.round(timeS * 1_000) === timeMs);
  if (found && (await parts.objects.head(found.key))) return { picture: await parts.objects.get(found.key) };
  if (parts.cutters.waiting.length >= WAITING_MAX)
    throw problem.unavailable("too many pictures are asked for at once: try again", { retryAfterS: 1 });
  return { picture: await inTurn(parts.cutters, AT_ONCE, () => cut(parts, title, timeMs, context.signal)) };
}

async function cut(parts: Parts, title: store.Title, timeMs: number, signal: AbortSignal): Promise<Uint8Array> {
  signal.throwIfAborted();
  const root = scratchOf(parts);
  await mkdir(root, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(root, "picture-"));
  try {
    const what = { timesS: [timeMs / 1_000], width: WIDTH };
    const [still] = await parts.objects.withFile(title.sourceKey, (path) =>
      parts.transcoder.stills(path, title.source, what, folder, signal),
    );
    if (!still) throw problem.notFound(`'${title.contentId}' shows nothing at ${timeMs} ms`);
    return await readFile(still.file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
