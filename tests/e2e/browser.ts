/** Chromium as a person has it: a fresh profile folder, our own pages, and everything that the console complains about. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
import type { Account } from "./person.ts";
import type { Stage } from "./stage.ts";
import { until } from "./until.ts";

/** Two cores that also encode films: what a person would call slow is still no failure. */
export const PATIENCE_MS = 30_000;

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

export const chromiumPath = (): string => process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";

export interface VisitOptions {
  readonly width?: number;
  readonly height?: number;
  readonly javaScriptEnabled?: boolean;
}

/** What the console may say in a scenario, and why that is no fault. */
export interface Allowed {
  readonly pattern: RegExp;
  readonly because: string;
}

export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** The browser's own process, for those who kill it. */
  readonly folder: string;
  /** Another tab of the same person. */
  newTab(): Promise<Page>;
  /** What the console said so far. */
  readonly complaints: readonly string[];
  /** Nothing was said on the console that is not allowed. */
  assertQuiet(allowed?: readonly Allowed[]): void;
  close(): Promise<void>;
}

/**
 * A person is slower than a script: an address counts as opened when the page answers presses, where it is one of ours. What
 * is shown where no page could be made has no script.
 */
function waitUntilLive(page: Page): void {
  const open = page.goto.bind(page);
  page.goto = async (...address) => {
    const answer = await open(...address);
    if (answer?.status() !== 503 && answer?.headers()["content-type"]?.startsWith("text/html"))
      await page.waitForSelector("html[data-live]", { state: "attached", timeout: PATIENCE_MS }).catch(() => null);
    return answer;
  };
}

/** A browser of its own with a fresh profile. */
export async function visit(baseUrl: string, options: VisitOptions = {}): Promise<Visit> {
  assert.ok(existsSync(chromiumPath()), `there is no Chromium at '${chromiumPath()}': set CHROMIUM_PATH`);
  const folder = await mkdtemp(join(tmpdir(), "marquee-chromium-"));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: chromiumPath(),
    headless: true,
    args: FLAGS,
    baseURL: baseUrl,
    locale: "en-GB",
    reducedMotion: "reduce",
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    javaScriptEnabled: options.javaScriptEnabled ?? true,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  context.setDefaultNavigationTimeout(PATIENCE_MS);
  const complaints: string[] = [];
  const listen = (page: Page): void => {
    page.on("pageerror", (error) => complaints.push(`exception: ${error.stack ?? error.message}`));
    page.on("console", (message) => {
      if (message.type() !== "error" && message.type() !== "warning") return;
      complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
  };
  const open = (page: Page): void => {
    listen(page);
    if (options.javaScriptEnabled !== false) waitUntilLive(page);
  };
  for (const page of context.pages()) open(page);
  context.on("page", open);
  return {
    context,
    page: context.pages()[0] ?? (await context.newPage()),
    folder,
    complaints,
    newTab: () => context.newPage(),
    assertQuiet(allowed = []) {
      const loud = complaints.filter((text) => !allowed.some(({ pattern }) => pattern.test(text)));
      assert.deepEqual(loud, [], "the console complained");
    },
    async close() {
      // Who goes leaves the page first, whose player then says that its stream is free. A browser that is gone has no pages to leave.
      for (const page of context.pages()) await page.goto("about:blank", { timeout: 5_000 }).catch(() => null);
      await context.close().catch(() => {
        // It was killed on purpose, or with its page.
      });
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/**
 * One person at one browser: `live` runs, the console was quiet, and the browser is gone. Where it fails, a picture of every
 * open tab says how it looked.
 */
export async function withVisit(
  { product, shots }: Stage,
  options: VisitOptions & { readonly allowed?: readonly Allowed[] },
  live: (visit: Visit) => Promise<void>,
): Promise<void> {
  const one = await visit(product.url, options);
  try {
    await live(one);
    one.assertQuiet(options.allowed);
  } catch (error) {
    const seen: string[] = [];
    for (const [index, page] of one.context.pages().entries()) {
      const path = join(shots, `failed-${Date.now()}-${index}.png`);
      await page.screenshot({ path, timeout: 5_000 }).catch(() => {});
      seen.push(
        `${page.url()} looked like ${path}; its picture: ${JSON.stringify(await pictureOf(page).catch(() => null))}`,
      );
    }
    throw new Error([String(error), ...seen, ...one.complaints].join("\n"), { cause: error });
  } finally {
    await one.close();
  }
}

/** From wherever one is to the home of a profile, by what a person sees. */
export async function signIn(page: Page, account: Account, profile = account.name): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("Email").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await chooseProfile(page, profile);
}

export async function chooseProfile(page: Page, profile: string): Promise<void> {
  await page.getByRole("heading", { name: "Who is watching?" }).waitFor();
  await page.getByRole("button", { name: profile, exact: true }).click();
  await page.getByRole("link", { name: "Home" }).first().waitFor();
}

export type Format = "dash" | "hls";

/** The members of a video element that tests read; the page's own types are not the server's. */
interface VideoElement {
  readonly currentTime: number;
  readonly duration: number;
  readonly paused: boolean;
  readonly ended: boolean;
  readonly readyState: number;
  readonly videoWidth: number;
  readonly mediaKeys: object | null;
  readonly error: { readonly code: number; readonly message: string } | null;
  readonly buffered: { readonly length: number; end(index: number): number };
  closest(selector: ".player"): {
    querySelector(selector: ".player-captions"): { readonly innerText: string } | null;
  } | null;
  getVideoPlaybackQuality(): { readonly totalVideoFrames: number; readonly droppedVideoFrames: number };
}

export interface Picture {
  readonly positionS: number;
  readonly durationS: number;
  /** Where the last piece in the buffer ends. */
  readonly bufferedEndS: number;
  readonly decodedFrames: number;
  readonly isPaused: boolean;
  readonly hasEnded: boolean;
  readonly width: number;
  readonly isEncrypted: boolean;
  /** The subtitle line that is shown at this very moment; empty where none is. */
  readonly line: string;
  readonly error: string;
}

const NO_PICTURE: Picture = {
  positionS: 0,
  durationS: 0,
  bufferedEndS: 0,
  decodedFrames: 0,
  isPaused: true,
  hasEnded: false,
  width: 0,
  isEncrypted: false,
  line: "",
  error: "",
};

/** How the picture is: decoded frames, position, and whether it came through a key. */
export async function pictureOf(page: Page): Promise<Picture> {
  const [found] = await page.locator("video").evaluateAll((videos) =>
    (videos as unknown as VideoElement[]).map((video) => ({
      positionS: video.currentTime,
      durationS: Number.isFinite(video.duration) ? video.duration : 0,
      bufferedEndS: video.buffered.length > 0 ? video.buffered.end(video.buffered.length - 1) : 0,
      decodedFrames: video.getVideoPlaybackQuality().totalVideoFrames,
      isPaused: video.paused,
      hasEnded: video.ended,
      width: video.videoWidth,
      isEncrypted: video.mediaKeys !== null,
      line: (video.closest(".player")?.querySelector(".player-captions")?.innerText ?? "").trim(),
      error: video.error === null ? "" : `${video.error.code} ${video.error.message}`,
    })),
  );
  return found ?? NO_PICTURE;
}

/** Waits until the picture has advanced by so many seconds of film and shows new frames all the way. */
export async function watchFor(page: Page, seconds: number): Promise<Picture> {
  const first = await until("the first picture", 2 * PATIENCE_MS, async () => {
    const picture = await pictureOf(page);
    assert.equal(picture.error, "", "the video element failed");
    return picture.decodedFrames > 0 && !picture.isPaused && picture.width > 0 ? picture : null;
  }).catch(async (error: unknown) => {
    const said = (
      await page
        .locator("main")
        .innerText()
        .catch(() => "")
    ).slice(0, 500);
    throw new Error(
      `${String(error)}; the page says: ${said}; the picture is ${JSON.stringify(await pictureOf(page))}`,
    );
  });
  return until(`${seconds} s of picture`, 2 * PATIENCE_MS + seconds * 2_000, async () => {
    const picture = await pictureOf(page);
    assert.equal(picture.error, "", "the video element failed");
    const advancedS = picture.positionS - first.positionS;
    if (advancedS < seconds) return null;
    // The films have 24 or 25 frames a second; half of them leaves room for a machine that drops some.
    const frames = picture.decodedFrames - first.decodedFrames;
    assert.ok(frames >= seconds * 12, `only ${frames} frames were decoded in ${advancedS.toFixed(1)} s of film`);
    return picture;
  });
}

/** Brings the controls back, which leave the picture alone after some seconds. */
export async function showControls(page: Page): Promise<void> {
  const { width = 1280, height = 800 } = page.viewportSize() ?? {};
  await page.mouse.move(width / 2, height / 2);
  await page.mouse.move(width / 2 + 12, height / 2 + 12);
  await page.getByRole("slider", { name: "Seek" }).waitFor();
}

export const seekBar = (page: Page): Locator => page.getByRole("slider", { name: "Seek" });
