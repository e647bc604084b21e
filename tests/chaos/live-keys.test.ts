/**
 * A channel whose content key changes every three minutes, watched as DASH and as HLS side by side: three changes pass without a
 * stall, who joins late plays at once, and who goes back over a change and on again across it sees picture all the way.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Live } from "#contracts/live";
import { MARQUEE_LIVE } from "../../apps/demo/channels.ts";
import { accessToken, makeAccount } from "./accounts.ts";
import { type Cinema, openCinema } from "./cinema.ts";
import { openStage, type Stage } from "./product.ts";

const CHANNEL = MARQUEE_LIVE.channel.id;
const PERIOD_MS = 180_000;
const CHANGES = 3;
const STALL_MS_MAX = 1_000;
const POLL_MS = 2_000;
/** How much is watched after going back: from before the change until after it. */
const ACROSS_S = 16;

let stage: Stage;
after(() => stage?.close());

/** Initialisation segments are named by the key's day. */
const daysOf = ({ transfers }: Cinema): Set<string> =>
  new Set(transfers.flatMap(({ path, status }) => (status === 200 ? (/init-(\d+)\.mp4$/.exec(path)?.[1] ?? []) : [])));
const failedOf = ({ transfers }: Cinema) => transfers.filter(({ status }) => status >= 400);

test("three changes of the key pass unseen, for those who are there, come late or go back", {
  timeout: 20 * 60_000,
}, async (t) => {
  stage = await openStage({ MARQUEE_LIVE_KEY_PERIOD_MS: String(PERIOD_MS) });
  const product = stage.start();
  const url = await product.ready();
  await stage.admin.of(Live).add(MARQUEE_LIVE);
  const shows: { readonly format: "dash" | "hls"; readonly email: string; readonly cinema: Cinema }[] = [];
  const open = async (format: "dash" | "hls", who: string) => {
    const { email } = await makeAccount(stage.admin, `${who}-${format}@chaos.test`);
    return { format, email, cinema: await openCinema({ url, token: await accessToken(stage.admin, email) }) };
  };
  try {
    for (const format of ["dash", "hls"] as const) shows.push(await open(format, "there"));
    for (const { cinema, format } of shows) await cinema.tune(CHANNEL, format);
    const first = Math.floor(Date.now() / PERIOD_MS);
    let nextBeatMs = 0;
    while (Date.now() < (first + CHANGES) * PERIOD_MS + 20_000) {
      await pause(POLL_MS);
      if (Date.now() < nextBeatMs) continue;
      nextBeatMs = Date.now() + 30_000;
      for (const { cinema, format } of shows)
        t.diagnostic(
          `${format}: at ${Math.round(await cinema.positionS())} s, ${(await cinema.stalls()).length} stalls`,
        );
    }
    for (const { cinema, format } of shows) {
      const stalls = await cinema.stalls();
      t.diagnostic(`${format}: days ${[...daysOf(cinema)].join(", ")}; stalls ${JSON.stringify(stalls)}`);
      for (let change = 0; change <= CHANGES; change += 1)
        assert.ok(daysOf(cinema).has(String(first + change)), `${format} has no header of day ${first + change}`);
      assert.deepEqual(
        stalls.filter(({ ms }) => ms > STALL_MS_MAX),
        [],
        format,
      );
      assert.deepEqual(failedOf(cinema), [], format);
    }
    for (const { cinema, format } of shows) {
      const late = await open(format, "late");
      await late.cinema.tune(CHANNEL, format);
      await late.cinema.advance(3);
      await late.cinema.close();
      // Back to before the last change, and on across it.
      const sinceChangeS = (Date.now() - Math.floor(Date.now() / PERIOD_MS) * PERIOD_MS) / 1_000;
      await cinema.seek((await cinema.positionS()) - sinceChangeS - ACROSS_S / 2);
      await cinema.advance(ACROSS_S);
    }
  } finally {
    for (const { cinema } of shows) await cinema.close();
  }
  assert.equal(await product.stop(), 0, product.output());
});
