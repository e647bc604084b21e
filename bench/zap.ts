/**
 * Changing channels: from the press of a key to the first new picture of the next channel, in a real Chromium, back and forth between
 * two channels that are on the air. Bar: half of all changes within 1.5 s. What the first change to a channel that is encoded on
 * demand takes, when nobody watches it yet, is shown beside it.
 *
 *   node bench/zap.ts [--changes 20] [--format dash]
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { Live } from "#contracts/live";
import { MARQUEE_LIVE } from "../apps/demo/channels.ts";
import { accessToken, makeAccount } from "../tests/chaos/accounts.ts";
import { openCinema } from "../tests/chaos/cinema.ts";
import { openStage } from "../tests/chaos/product.ts";
import type { Format } from "../tests/e2e/browser.ts";
import { until } from "../tests/e2e/until.ts";
import { API } from "./api/cinema.ts";
import { type Measure, percentile, table, writeResults } from "./harness.ts";

const FROM = MARQUEE_LIVE.channel.id;
const ZAP_MS_BAR = 1_500;
const ZAP_MS_MAX = 30_000;
/** Who may watch a channel is known a moment after the channel. */
const CHANNELS_MS_MAX = 20_000;
/** So long one looks at a channel before the next press. */
const LOOK_MS = 1_500;

interface Channels {
  readonly channels: readonly { readonly onAir: boolean; readonly locked: unknown }[];
}

/** Presses the key in the page and waits there for the first frame of another video element: no wire is in the figure. */
async function zap(page: Page, key: string): Promise<number> {
  await page.evaluate(`(() => {
    const before = document.querySelector("video");
    window.benchZap = new Promise((resolve, reject) => {
      const startedMs = performance.now();
      setTimeout(() => reject(new Error("no picture came")), ${ZAP_MS_MAX});
      const look = () => {
        const video = document.querySelector("video");
        if (video === null || video === before) return requestAnimationFrame(look);
        video.requestVideoFrameCallback(() => resolve(performance.now() - startedMs));
      };
      look();
    });
    document.dispatchEvent(new KeyboardEvent("keydown", { key: ${JSON.stringify(key)}, bubbles: true }));
  })()`);
  return page.evaluate<number>("window.benchZap");
}

export async function run(changes: number, format: Format): Promise<void> {
  const stage = await openStage();
  try {
    const product = stage.start();
    const url = await product.ready();
    const account = await makeAccount(stage.admin, "zap@bench.test");
    // A second channel like the first one: what is measured is the change and not what the channel is made of.
    const { channel, inputs } = MARQUEE_LIVE;
    await stage.admin.of(Live).add(MARQUEE_LIVE);
    await stage.admin.of(Live).add({
      channel: { ...channel, id: "ch-zap", number: 2, name: "Zap", ladder: ["360p-h264-700k"] },
      inputs,
    });
    const token = await accessToken(stage.admin, account.email);
    await until("both channels can be watched", CHANNELS_MS_MAX, async () => {
      const headers = { authorization: `Bearer ${token}` };
      const { channels } = (await (await fetch(`${url}${API}/channels`, { headers })).json()) as Channels;
      return channels.filter(({ onAir, locked }) => onAir && locked === null).length === 2 ? true : null;
    });
    const cinema = await openCinema({ url, token });
    await cinema.tune(FROM, format);
    await pause(LOOK_MS);
    const asleep = await zap(cinema.page, "PageUp");
    const awake: number[] = [];
    for (let change = 0; change < changes; change += 1) {
      await pause(LOOK_MS);
      awake.push(await zap(cinema.page, change % 2 === 0 ? "PageDown" : "PageUp"));
    }
    await cinema.close();
    await product.stop();
    const measures: Measure[] = [
      {
        ...{ name: `zap.${format}`, value: percentile(awake, 0.5), unit: "ms", bar: ZAP_MS_BAR, better: "lower" },
        samples: awake,
      },
      { name: `zap.${format}.p95`, value: percentile(awake, 0.95), unit: "ms", bar: null, samples: awake },
      { name: `zap.${format}.asleep`, value: asleep, unit: "ms", bar: null, samples: [asleep] },
    ];
    process.stdout.write(`${table(measures)}\n`);
    await writeResults("zap", measures);
  } finally {
    await stage.close();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { changes: { type: "string" }, format: { type: "string" } } });
  await run(Number(values.changes ?? 20), values.format === "hls" ? "hls" : "dash");
}
