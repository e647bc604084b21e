/** An evening at a channel: tune in, see by the clock in the picture how far behind the world one is, go back, come back. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { Epg } from "#contracts/epg";
import type { Page } from "playwright-core";
import { type Format, PATIENCE_MS, pictureOf, showControls, signIn, watchFor, withVisit } from "../browser.ts";
import { type ClockReader, type Glimpse, openClockReader } from "../clock.ts";
import { ALEX } from "../person.ts";
import type { Scenario, Stage } from "../stage.ts";
import { until } from "../until.ts";

const CHANNEL = "ch-marquee-live";
const SOURCE = "e2e-live";
const PROGRAMME = "A quarter past";
/** Within what the channel has made since it woke up. */
const PROGRAMME_AGO_MS = 4_000;
/** How far from the beginning of a programme the picture may be that starts it over: a look at it takes its time. */
const OVER_MS_MAX = 2_500;
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

/** The guide says that something began on the channel a moment ago; answers when. */
async function beginProgramme({ product: { admin, folder } }: Stage): Promise<number> {
  const startMs = Math.floor(Date.now() / 1_000) * 1_000 - PROGRAMME_AGO_MS;
  const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, "")} +0000`;
  const location = join(folder, "e2e-live.xml");
  await writeFile(
    location,
    `<tv><channel id="${CHANNEL}"><display-name>Marquee Live</display-name></channel><programme channel="${CHANNEL}"
      start="${stamp(startMs)}" stop="${stamp(startMs + 3_600_000)}"><title>${PROGRAMME}</title></programme></tv>`,
  );
  const guide = admin.of(Epg);
  await guide.putSource({ name: SOURCE, kind: "file", location, priority: 2_000 });
  await guide.import({ sourceName: SOURCE });
  await until("the programme is in the guide", PATIENCE_MS, async () => {
    const { channels } = await guide.nowNext({ channelIds: [CHANNEL] });
    return channels[0]?.now?.title === PROGRAMME ? true : null;
  });
  return startMs;
}

/** From the guide to the channel, back to the beginning of what is on, and to the world again. */
async function fromTheGuide(page: Page, startMs: number): Promise<string> {
  await page.goto("/guide");
  await page.locator(".guide-programme", { hasText: PROGRAMME }).first().click();
  await page.getByRole("dialog").getByRole("link", { name: "Watch live" }).click();
  await page.waitForURL(`**/live/${CHANNEL}`);
  await watchFor(page, 1);
  const clock = await openClockReader(page);
  const live = await glimpse(clock);
  await showControls(page);
  await page.getByRole("button", { name: "Start over" }).click();
  const pressedMs = Date.now();
  await page.getByRole("button", { name: "Go live" }).waitFor();
  await untilFrames(page);
  const over = await glimpse(clock);
  const behindMs = over.latencyMs - (pressedMs - startMs);
  assert.ok(Math.abs(behindMs) < OVER_MS_MAX, `the picture is ${behindMs} ms from where the programme began`);
  await showControls(page);
  await page.getByRole("button", { name: "Go live" }).click();
  await page.getByRole("button", { name: "Go live" }).waitFor({ state: "detached" });
  await untilFrames(page);
  const again = await glimpse(clock);
  assert.ok(over.latencyMs - again.latencyMs > 1_000, `${over.latencyMs} ms, then ${again.latencyMs} ms`);
  const shown = [live, over, again].map(({ latencyMs }) => `${Math.round(latencyMs)} ms`);
  return `from the guide ${shown[0]}, started over ${shown[1]}, again ${shown[2]}`;
}

export const live: Scenario = (stage) => {
  it("watches a channel, goes back in time, starts over and returns to the world, as DASH and as HLS", async (t) => {
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
      const startMs = await beginProgramme(stage());
      t.diagnostic(`behind the world, ${await fromTheGuide(page, startMs)}`);
      await stage().product.admin.of(Epg).removeSource({ name: SOURCE });
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
