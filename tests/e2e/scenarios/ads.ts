/** A film with a break: ads of another server and a slate of ours, in both formats, and what the other server is told of them. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { Ads } from "#contracts/ads";
import type { Session } from "#contracts/web";
import { makeClip } from "../../chaos/clips.ts";
import type { Page } from "playwright-core";
import { type AdServer, openAdServer, QUARTILES } from "../ad-server.ts";
import { type Format, pictureOf, showControls, signIn, watchFor, withVisit } from "../browser.ts";
import { device, newAccount, signUp, startSession } from "../person.ts";
import type { Scenario, Stage } from "../stage.ts";
import { until } from "../until.ts";

const BREAK_AT_S = 6;
const BREAK_S = 30;
const ADS_S = [10, 15];
const SLATE_S = 5;
/** Ads are watched at twice the speed, so that this takes half a minute less; a viewer may, too. */
const RATE = 2;
const READY_MS_MAX = 90_000;
export const ads: Scenario = (stage) => {
  let folder = "";
  let adServer: AdServer | undefined;
  let firstBreaks: unknown;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "marquee-ads-"));
    const clip = { width: 320, height: 180, rate: 25, grain: 0 };
    const films = [...ADS_S, SLATE_S].map((durationS) =>
      makeClip(join(folder, `${durationS}.mp4`), { ...clip, durationS }),
    );
    await Promise.all(films);
    adServer = await openAdServer(folder, ADS_S);
    const { film, product } = stage();
    const calls = product.admin.of(Ads);
    const slate = { campaignId: "", title: "Back soon", clickThrough: "", preset: "quick" };
    await calls.addCreative({ ...slate, path: join(folder, `${SLATE_S}.mp4`) });
    const network = { id: "network", name: "A network", advertiser: "Many", priority: 5 };
    await calls.saveCampaign({ campaign: { ...network, vastUrl: adServer.vastUrl } });
    // Who watches first teaches the product what the server has; it is encoded while other scenarios run.
    await setBreaks(stage(), [{ atS: BREAK_AT_S, durationS: BREAK_S }]);
    const person = await signUp(product.url, newAccount("First"));
    firstBreaks = (await startSession(person, film.id, device("First"))).adBreaks;
    await setBreaks(stage(), []);
  });
  // The product may be gone by then: what was put into it is taken out by the last test.
  after(async () => {
    adServer?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("the first viewer of ads that nobody has yet sees none, and they are fetched for the next one", async () => {
    assert.deepEqual(firstBreaks, []);
    const { creatives } = await until("the ads are encoded", READY_MS_MAX, async () => {
      const found = await stage().product.admin.of(Ads).listCreatives({ campaignId: "" });
      assert.ok(!found.creatives.some(({ state }) => state === "failed"), JSON.stringify(found.creatives));
      return found.creatives.every(({ state }) => state === "ready") ? found : null;
    });
    assert.deepEqual(
      creatives.map(({ durationS }) => Math.round(durationS)).toSorted((a, b) => a - b),
      [SLATE_S, ...ADS_S],
    );
  });

  it(`a break of ${BREAK_S} s plays without a stall in both formats, and each of its beacons is sent once`, async () => {
    const { film, product } = stage();
    const told = adServer?.beacons ?? assert.fail("there is no ad server");
    await setBreaks(stage(), [{ atS: BREAK_AT_S, durationS: BREAK_S }]);
    told.length = 0;
    await Promise.all((["dash", "hls"] as const).map((format) => watchBreak(stage(), format)));
    const expected = ADS_S.flatMap((durationS) => [...QUARTILES, "impression"].map((event) => `${durationS}/${event}`));
    await until("every beacon was sent", READY_MS_MAX, async () => (told.length >= 2 * expected.length ? told : null));
    const bySession = Map.groupBy(told, (path) => path.split("?")[1]);
    assert.equal(bySession.size, 2);
    for (const paths of bySession.values())
      assert.deepEqual(paths.map((path) => path.split("?")[0]).toSorted(byName), expected.toSorted(byName));
    await setBreaks(stage(), []);
    const { body } = await (await signUp(product.url, newAccount("Later"))).api<Session>("POST", "/playback/sessions", {
      ...{ contentId: film.id, device: device("Later") },
    });
    assert.deepEqual(body.adBreaks, []);
    const calls = product.admin.of(Ads);
    await calls.removeCampaign({ id: "network" });
    const { creatives } = await calls.listCreatives({ campaignId: "" });
    for (const { id } of creatives) await calls.removeCreative({ id });
  });
};

const byName = (a: string | undefined = "", b: string | undefined = ""): number => a.localeCompare(b);

const setBreaks = ({ film, product }: Stage, breaks: { atS: number; durationS: number }[]) =>
  product.admin.of(Ads).setBreaks({ contentId: film.id, breaks });

/** Watches from before the break to behind it, leaves, and comes back where the film was. */
async function watchBreak(stage: Stage, format: Format): Promise<void> {
  const { film, product } = stage;
  const account = newAccount(format);
  const person = await signUp(product.url, account);
  await withVisit(stage, {}, async ({ page }) => {
    await signIn(page, account);
    await page.goto(`/watch/${film.id}?t=${BREAK_AT_S - 2}&format=${format}`);
    await watchFor(page, 0.5);
    const { durationS } = await pictureOf(page);
    assert.ok(Math.abs(durationS - film.durationS - BREAK_S) < 0.05, `${format}: ${durationS} s long`);
    await hurry(page);
    await page.getByText(/^Ad · 0:\d\d$/).waitFor();
    await showControls(page);
    await page.screenshot({ path: join(stage.shots, `ads-${format}.png`) });
    await until(`${format}: the film goes on`, READY_MS_MAX, async () => {
      const picture = await pictureOf(page);
      assert.equal(picture.error, "", format);
      assert.ok(picture.isEncrypted, format);
      return picture.positionS >= BREAK_AT_S + BREAK_S + 2 ? picture : null;
    });
    assert.equal(await pause(page), 0, `${format}: the picture stood still`);
    const { positionS } = await pictureOf(page);
    await page.goto("/");
    // The bookmark is in the film, and the next session's clock counts the same ads again.
    const resumedS = await until(`${format}: the bookmark`, READY_MS_MAX, async () => {
      const session = await startSession(person, film.id, device(`Later ${format}`));
      return session.resumePositionS > BREAK_S ? session.resumePositionS : null;
    });
    assert.ok(Math.abs(resumedS - positionS) < 3, `${format}: left at ${positionS}, resumed at ${resumedS}`);
  });
}

/** Shorter than this nobody sees, and the clock of a machine that encodes films meanwhile cannot tell. */
const STALL_MS_MIN = 250;

interface Hurried {
  playbackRate: number;
  stalls?: number;
  pause(): void;
  addEventListener(name: "waiting" | "playing", listener: (event: { readonly timeStamp: number }) => void): void;
}

/** Plays faster from now on, and counts how often the picture has to wait. */
const hurry = (page: Page): Promise<void> =>
  page.locator("video").evaluate(
    (element, { rate, stallMsMin }) => {
      const video = element as unknown as Hurried;
      let waitingMs = Number.POSITIVE_INFINITY;
      video.playbackRate = rate;
      video.stalls = 0;
      video.addEventListener("waiting", ({ timeStamp }) => (waitingMs = timeStamp));
      video.addEventListener("playing", ({ timeStamp }) => {
        if (timeStamp - waitingMs >= stallMsMin) video.stalls = (video.stalls ?? 0) + 1;
        waitingMs = Number.POSITIVE_INFINITY;
      });
    },
    { rate: RATE, stallMsMin: STALL_MS_MIN },
  );

/** Stands still, and says how often it had to before. */
const pause = (page: Page): Promise<number> =>
  page.locator("video").evaluate((element) => {
    const video = element as unknown as Hurried;
    video.pause();
    return video.stalls ?? -1;
  });
