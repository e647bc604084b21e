/** A browser that watches a film, and a stop-watch in its page that knows when the picture stood still. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { chromiumPath, type Format, pictureOf } from "../e2e/browser.ts";
import { until } from "../e2e/until.ts";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
  // Two tabs play side by side: neither is slowed down for being behind the other.
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
];
const FIRST_PICTURE_MS_MAX = 60_000;
const SAMPLE_MS = 40;
/** Shorter than this nobody sees, and a busy machine's clock cannot tell. */
const STALL_MS_MIN = 250;

export interface CinemaOptions {
  readonly url: string;
  /** Lets the page in without the form; null: the caller signs in. */
  readonly token: string | null;
  readonly args?: readonly string[];
}

export interface Stall {
  readonly atS: number;
  readonly ms: number;
  /** What of the film lay in the buffer from there on, as pairs of begin and end: whether bytes, or something else, were waited for. */
  readonly buffered: readonly (readonly [number, number])[];
}

/** A transfer of media as the browser saw it. */
export interface MediaTransfer {
  readonly atMs: number;
  /** Host and port. */
  readonly edge: string;
  readonly path: string;
  /** 0 where there was no answer. */
  status: number;
}

export interface Cinema {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Media requests in their order. */
  readonly transfers: readonly MediaTransfer[];
  readonly complaints: readonly string[];
  /** Answers to beats that moved the player, with their moment. */
  readonly switches: readonly { readonly atMs: number; readonly order: readonly string[] }[];
  /** What was spoken with each host: `h2`, `http/1.1`. */
  readonly protocols: ReadonlyMap<string, ReadonlySet<string>>;
  /** Opens the player and resolves when the picture has advanced by two seconds. */
  watch(contentId: string, format: Format): Promise<void>;
  /** The same with a channel. */
  tune(channelId: string, format: Format): Promise<void>;
  positionS(): Promise<number>;
  /** Waits until the picture has advanced by so many seconds of film. */
  advance(seconds: number, timeoutMs?: number): Promise<void>;
  /** Seconds of film in the buffer ahead. */
  bufferS(): Promise<number>;
  seek(positionS: number): Promise<void>;
  /** Every stretch in which the picture stood still since `watch`, the present one included; seeks count from the seek on. */
  stalls(): Promise<Stall[]>;
  close(): Promise<void>;
}

export async function openCinema({ url, token, args = [] }: CinemaOptions): Promise<Cinema> {
  assert.ok(existsSync(chromiumPath()), `there is no Chromium at '${chromiumPath()}': set CHROMIUM_PATH`);
  const folder = await mkdtemp(path.join(tmpdir(), "marquee-chaos-chromium-"));
  const context = await chromium.launchPersistentContext(folder, {
    ...{ executablePath: chromiumPath(), headless: true, baseURL: url, args: [...FLAGS, ...args] },
    ...{ locale: "en-GB", reducedMotion: "reduce" as const, viewport: { width: 960, height: 600 } },
  });
  if (token !== null)
    await context.addCookies([{ name: "marquee_access", value: token, url, httpOnly: true, sameSite: "Lax" }]);
  await context.addInitScript(watchTheClock, { sampleMs: SAMPLE_MS, stallMsMin: STALL_MS_MIN });
  const page = context.pages()[0] ?? (await context.newPage());
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.stack ?? error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${message.text()} (${message.location().url.split("?")[0]})`);
  });
  const { transfers, switches } = listen(page);
  const protocols = await listenToProtocols(context, page);
  const positionS = async (): Promise<number> => (await pictureOf(page)).positionS;

  async function advance(seconds: number, timeoutMs = 30_000 + seconds * 3_000): Promise<void> {
    const fromS = await positionS();
    await until(
      `${seconds} s of picture after ${fromS} s`,
      timeoutMs,
      async () => ((await positionS()) >= fromS + seconds ? true : null),
      50,
    );
  }

  async function open(address: string): Promise<void> {
    await page.goto(address);
    let fromS: number | null = null;
    await until(
      "the first two seconds of picture",
      FIRST_PICTURE_MS_MAX,
      async () => {
        const { positionS: atS, decodedFrames } = await pictureOf(page);
        // A film begins at its beginning, a channel where the world is.
        if (decodedFrames > 0) fromS ??= atS;
        return fromS !== null && atS > fromS + 2 ? true : null;
      },
      100,
    ).catch(async (error: unknown) => {
      const picture = JSON.stringify(await pictureOf(page).catch(() => null));
      throw new Error(`${String(error)}; ${picture}\n${complaints.join("\n")}\n${JSON.stringify(transfers.slice(-8))}`);
    });
    await page.evaluate("marqueeStopwatch.start()");
  }

  return {
    context,
    page,
    transfers,
    complaints,
    switches,
    protocols,
    positionS,
    advance,
    watch: (contentId, format) => open(`/watch/${contentId}?format=${format}&t=0`),
    tune: (channelId, format) => open(`/live/${channelId}?format=${format}`),
    bufferS: () =>
      page.evaluate<number>(
        "(() => { const video = document.querySelector('video'); const { buffered, currentTime } = video; for (let i = 0; i < buffered.length; i++) if (buffered.start(i) <= currentTime + 0.1 && buffered.end(i) >= currentTime) return buffered.end(i) - currentTime; return 0; })()",
      ),
    async seek(to) {
      await page.evaluate(`document.querySelector("video").currentTime = ${to}`);
    },
    stalls: () => page.evaluate<Stall[]>("marqueeStopwatch.stalls()"),
    async close() {
      await context.close().catch(() => {});
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

async function listenToProtocols(context: BrowserContext, page: Page): Promise<Map<string, Set<string>>> {
  const protocols = new Map<string, Set<string>>();
  const session = await context.newCDPSession(page);
  session.on("Network.responseReceived", ({ response: { url, protocol, fromDiskCache } }) => {
    if (!/^https?:/.test(url) || fromDiskCache === true) return;
    const { host } = new URL(url);
    protocols.set(host, (protocols.get(host) ?? new Set()).add(protocol ?? ""));
  });
  await session.send("Network.enable");
  return protocols;
}

/** Pages of channels begin as their media do. */
const isMedia = (pathname: string): boolean =>
  pathname.startsWith("/vod/") || /^\/live\/.+\.[a-z0-9]{3,4}$/.test(pathname);

function listen(page: Page): { transfers: MediaTransfer[]; switches: { atMs: number; order: string[] }[] } {
  const transfers: MediaTransfer[] = [];
  const switches: { atMs: number; order: string[] }[] = [];
  const open = new Map<object, MediaTransfer>();
  page.on("request", (request) => {
    const { host, pathname } = new URL(request.url());
    if (!isMedia(pathname) || request.method() === "OPTIONS") return;
    const transfer = { atMs: performance.now(), edge: host, path: pathname, status: 0 };
    transfers.push(transfer);
    open.set(request, transfer);
  });
  page.on("response", async (response) => {
    const transfer = open.get(response.request());
    if (transfer) transfer.status = response.status();
    if (!response.url().endsWith("/heartbeats")) return;
    const atMs = performance.now();
    const answer = (await response.json().catch(() => null)) as { switchTo?: string[] | null } | null;
    if (answer?.switchTo) switches.push({ atMs, order: answer.switchTo });
  });
  return { transfers, switches };
}

/** What of the page this script needs; it runs there and can use nothing from here. */
interface PageWindow {
  readonly document: { querySelector(name: "video"): PageVideo | null };
  readonly performance: { now(): number };
  setInterval(run: () => void, everyMs: number): unknown;
  marqueeStopwatch?: { start(): void; stalls(): Stall[] };
}
interface PageVideo {
  readonly buffered: { readonly length: number; start(index: number): number; end(index: number): number };
  readonly currentTime: number;
  readonly paused: boolean;
  readonly ended: boolean;
}

/**
 * Looks at the picture's position again and again. Only looks that saw the same position as the one before count as standing still, so
 * that a page that is short of time invents no stall.
 */
function watchTheClock({ sampleMs, stallMsMin }: { sampleMs: number; stallMsMin: number }): void {
  const page = globalThis as unknown as PageWindow;
  const stalls: Stall[] = [];
  let isStarted = false;
  let positionS = -1;
  let buffered: [number, number][] = [];
  let movedAtMs = 0;
  let seenAtMs = 0;
  const round = (seconds: number): number => Math.round(seconds * 100) / 100;
  const present = (): Stall[] => {
    const ms = Math.round(seenAtMs - movedAtMs);
    return isStarted && ms >= stallMsMin ? [{ atS: round(positionS), ms, buffered }] : [];
  };
  const bufferOf = ({ buffered: ranges }: PageVideo): [number, number][] =>
    Array.from({ length: ranges.length }, (_, at): [number, number] => [
      round(ranges.start(at)),
      round(ranges.end(at)),
    ]);
  page.setInterval(() => {
    const video = page.document.querySelector("video");
    const nowMs = page.performance.now();
    if (video === null || video.paused || video.ended || video.currentTime !== positionS) {
      stalls.push(...present());
      positionS = video?.currentTime ?? -1;
      buffered = video ? bufferOf(video) : [];
      movedAtMs = nowMs;
    }
    seenAtMs = nowMs;
  }, sampleMs);
  page.marqueeStopwatch = {
    start() {
      isStarted = true;
    },
    stalls: () => [...stalls, ...present()],
  };
}
