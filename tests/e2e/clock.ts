/**
 * The clock in the picture of a channel that shows one: along the lower edge, a twentieth of the picture high, milliseconds since the epoch
 * modulo 2^32 as 32 cells of equal width, the highest bit at the left, white for 1 and black for 0. A protected picture can be
 * read by nobody in the page; a screenshot shows it.
 */
import type { CDPSession, Page } from "playwright-core";
import sharp from "sharp";

const BITS = 32;
const WRAP_MS = 2 ** BITS;
/** Controls lay a shade over the picture: what is white and what is black is told by each other. Less than this is no strip. */
const CONTRAST_MIN = 24;
/** Pixels of the strip that are looked at, from its middle. */
const ROWS = 4;

export interface Glimpse {
  /** What the clock in the picture says. */
  readonly clockMs: number;
  /** When the picture was on the screen: the middle of the time that taking it took. */
  readonly atMs: number;
  /** From the glass that the light fell into to the glass that one looks at. */
  readonly latencyMs: number;
  /** How long taking it took: half of it is how wrong the latency may be. */
  readonly spanMs: number;
}

export interface ClockReader {
  /** Null where no strip is to be seen, as behind controls or before the first picture. */
  read(): Promise<Glimpse | null>;
}

export async function openClockReader(page: Page): Promise<ClockReader> {
  const session = await page.context().newCDPSession(page);
  return { read: () => read(page, session) };
}

async function read(page: Page, session: CDPSession): Promise<Glimpse | null> {
  const strip = await stripOf(page);
  if (strip === null) return null;
  const clip = { ...strip, scale: 1 };
  const beforeMs = Date.now();
  const { data } = await session.send("Page.captureScreenshot", { format: "png", clip, optimizeForSpeed: true });
  const afterMs = Date.now();
  const value = await decode(Buffer.from(data, "base64"));
  if (value === null) return null;
  const atMs = (beforeMs + afterMs) / 2;
  const clockMs = atMs - ((((atMs - value) % WRAP_MS) + WRAP_MS) % WRAP_MS);
  return { clockMs, atMs, latencyMs: atMs - clockMs, spanMs: afterMs - beforeMs };
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Some rows of the strip in the page; the picture is fitted into its element as a whole. */
async function stripOf(page: Page): Promise<Box | null> {
  const [found] = await page.locator("video").evaluateAll((videos) =>
    (videos as unknown as { videoWidth: number; videoHeight: number; getBoundingClientRect(): Box }[]).map((video) => {
      const { x, y, width, height } = video.getBoundingClientRect();
      return { x, y, width, height, videoWidth: video.videoWidth, videoHeight: video.videoHeight };
    }),
  );
  if (found === undefined || found.videoWidth === 0) return null;
  const scale = Math.min(found.width / found.videoWidth, found.height / found.videoHeight);
  const [width, height] = [found.videoWidth * scale, found.videoHeight * scale];
  const bottom = found.y + (found.height + height) / 2;
  return {
    x: Math.round(found.x + (found.width - width) / 2),
    y: Math.round(bottom - height / (2 * 20) - ROWS / 2),
    width: Math.round(width),
    height: ROWS,
  };
}

async function decode(png: Buffer): Promise<number | null> {
  const { data, info } = await sharp(png).greyscale().raw().toBuffer({ resolveWithObject: true });
  const y = Math.floor(info.height / 2);
  const cells = Array.from({ length: BITS }, (_, bit) => {
    // The middle of a cell: its edges are smeared by the encoder.
    const x = Math.floor(((bit + 0.5) * info.width) / BITS);
    return data[(y * info.width + x) * info.channels] ?? 0;
  });
  const [black, white] = [Math.min(...cells), Math.max(...cells)];
  if (white - black < CONTRAST_MIN) return null;
  return cells.reduce((value, cell) => value * 2 + (cell > (black + white) / 2 ? 1 : 0), 0);
}
