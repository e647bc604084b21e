/**
 * Eleven minutes of a film, as DASH and as HLS side by side: long enough for two refreshes of the access tokens, with a change of
 * the signing key in the middle. Nothing is refused and the picture never stands still.
 */
import assert from "node:assert/strict";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Token } from "#contracts/token";
import { accessToken, makeAccount } from "./accounts.ts";
import { type Cinema, openCinema } from "./cinema.ts";
import { importClip, makeClip, untilComplete } from "./clips.ts";
import { openStage, type Stage } from "./product.ts";

const PLAY_S = 11 * 60;
const FILM_S = PLAY_S + 60;
/** Between the first refresh (four minutes) and the second one (eight). */
const ROTATE_AT_S = 5 * 60;
const STALL_MS_MAX = 1_000;
const POLL_MS = 5_000;

let stage: Stage;
after(() => stage?.close());

test("eleven minutes cross two token refreshes and a key rotation", { timeout: 20 * 60_000 }, async (t) => {
  stage = await openStage();
  const product = stage.start();
  const film = path.join(stage.folder, "film.mp4");
  await makeClip(film, { width: 256, height: 144, rate: 12, durationS: FILM_S, grain: 0 });
  const url = await product.ready();
  const account = await makeAccount(stage.admin, "long@chaos.test");
  await importClip(stage.admin, film, "long");
  await untilComplete(stage.admin, ["long"], 240_000);

  const shows: { readonly format: "dash" | "hls"; readonly cinema: Cinema; readonly refreshes: number[] }[] = [];
  try {
    for (const format of ["dash", "hls"] as const) {
      const cinema = await openCinema({ url, token: await accessToken(stage.admin, account.email) });
      const refreshes: number[] = [];
      cinema.page.on("response", (response) => {
        if (/\/sessions\/[^/]+\/token$/.test(response.url()) && response.ok()) refreshes.push(performance.now());
      });
      shows.push({ format, cinema, refreshes });
    }
    for (const { cinema, format } of shows) await cinema.watch("long", format);
    const beganMs = performance.now();
    let rotatedMs = 0;
    for (;;) {
      const elapsedS = (performance.now() - beganMs) / 1_000;
      if (rotatedMs === 0 && elapsedS >= ROTATE_AT_S) {
        const { kid } = await stage.admin.of(Token).rotate({});
        rotatedMs = performance.now();
        t.diagnostic(`a new signing key after ${Math.round(elapsedS)} s: ${kid}`);
      }
      const positions = await Promise.all(shows.map(({ cinema }) => cinema.positionS()));
      if (positions.every((positionS) => positionS >= PLAY_S)) break;
      assert.ok(
        elapsedS < PLAY_S + 60,
        `after ${Math.round(elapsedS)} s the pictures are at ${positions.map(Math.round).join(" and ")} s`,
      );
      await pause(POLL_MS);
    }
    for (const { format, cinema, refreshes } of shows) {
      const stalls = await cinema.stalls();
      const refused = cinema.transfers.filter(({ status }) => status === 403);
      const failed = cinema.transfers.filter(({ status }) => status >= 400);
      const at = refreshes.map((ms) => `${Math.round((ms - beganMs) / 1_000)} s`).join(", ");
      t.diagnostic(
        `${format}: ${cinema.transfers.length} media requests, ${refused.length} refused, ${failed.length} failed; tokens refreshed at ${at}; stalls ${JSON.stringify(stalls)}`,
      );
      assert.ok(refreshes.length >= 2, `${format}: ${refreshes.length} refreshes`);
      assert.ok(
        refreshes.some((ms) => ms > rotatedMs),
        `${format}: no token of the new key came`,
      );
      const lastRefreshMs = refreshes.at(-1) ?? Number.POSITIVE_INFINITY;
      assert.ok(
        cinema.transfers.some(({ atMs, status }) => atMs > lastRefreshMs && status === 200),
        `${format}: nothing was loaded with the last token`,
      );
      assert.deepEqual(refused, [], format);
      assert.deepEqual(failed, [], format);
      assert.deepEqual(
        stalls.filter(({ ms }) => ms > STALL_MS_MAX),
        [],
        format,
      );
    }
  } finally {
    for (const { cinema } of shows) await cinema.close();
  }
  assert.equal(await product.stop(), 0, product.output());
});
