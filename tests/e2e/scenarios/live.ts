/** An evening at a channel: tune in, see by the clock in the picture how far behind the world one is, go back, come back. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Page } from "playwright-core";
import { type Format, PATIENCE_MS, pictureOf, showControls, signIn, watchFor, withVisit } from "../browser.ts";
import { type ClockReader, type Glimpse, openClockReader } from "../clock.ts";
import { ALEX } from "../person.ts";
import type { Scenario } from "../stage.ts";
import { until } from "../until.ts";

const CHANNEL = "ch-marquee-live";
/** As far back as somebody goes here; a channel that has just woken up has not more yet. */
const BACK_S = 5;
const FRAMES = 12;
/** The picture fills it: the strip with the clock is below the controls, whether they are there or not. */
const SCREEN = { width: 1280, height: 720 };
/** The clock of a picture that is not live would be anywhere. */
const LATENCY_MS_MAX = 60_000;

/** A step in time is no second of picture: what counts is that new frames come. */
async function untilFrames(page: Page): Promise<void> {
  const { decodedFrames: before } = await pictureOf(page);
  await until("new frames", PATIENCE_MS, async () =>
    (await pictureOf(page)).decodedFrames > before + FRAMES ? true : null,
  );
}

const glimpse = (clock: ClockReader): Promise<Glimpse> =>
  until("a clock in the picture", PATIENCE_MS, async () => {
    const seen = await clock.read();
    return seen !== null && seen.latencyMs < LATENCY_MS_MAX ? seen : null;
  });

async function evening(page: Page, format: Format): Promise<Record<"live" | "back" | "again", number>> {
  const clock = await openClockReader(page);
  await watchFor(page, 2);
  const live = await glimpse(clock);
  await until("enough to go back to", PATIENCE_MS, async () => {
    const seek = page.getByRole("slider", { name: "Seek" });
    const [least, most] = await Promise.all(["min", "max"].map((end) => seek.getAttribute(`aria-value${end}`)));
    return Number(most) - Number(least) > BACK_S + 2 ? true : null;
  });
  await showControls(page);
  await page.getByRole("slider", { name: "Seek" }).press("Home");
  await page.getByRole("button", { name: "Go live" }).waitFor();
  await untilFrames(page);
  const back = await glimpse(clock);
  assert.ok(
    back.latencyMs - live.latencyMs > (BACK_S - 2) * 1_000,
    `${format}: ${live.latencyMs} ms behind at first, ${back.latencyMs} ms after going back`,
  );
  await showControls(page);
  await page.getByRole("button", { name: "Go live" }).click();
  await page.getByRole("button", { name: "Go live" }).waitFor({ state: "detached" });
  await untilFrames(page);
  const again = await glimpse(clock);
  assert.ok(back.latencyMs - again.latencyMs > 1_000, `${format}: ${back.latencyMs} ms, then ${again.latencyMs} ms`);
  return { live: live.latencyMs, back: back.latencyMs, again: again.latencyMs };
}

export const live: Scenario = (stage) => {
  it("watches a channel, goes back in time and returns to the world, as DASH and as HLS", async (t) => {
    await withVisit(stage(), SCREEN, async ({ page }) => {
      await signIn(page, ALEX);
      await page.getByRole("link", { name: "Live", exact: true }).first().click();
      await page.getByRole("heading", { name: "Live" }).waitFor();
      await page.screenshot({ path: `${stage().shots}/channels.png` });
      await page.getByRole("link", { name: "Watch Marquee Live" }).click();
      await page.waitForURL(`**/live/${CHANNEL}`);
      const dash = await evening(page, "dash");
      await showControls(page);
      await page.screenshot({ path: `${stage().shots}/live.png` });
      await page.goto(`/live/${CHANNEL}?format=hls`);
      const hls = await evening(page, "hls");
      const shown = (seen: typeof dash): string =>
        Object.entries(seen)
          .map(([when, ms]) => `${when} ${Math.round(ms)} ms`)
          .join(", ");
      t.diagnostic(`behind the world, dash: ${shown(dash)}; hls: ${shown(hls)}`);
    });
  });
};
