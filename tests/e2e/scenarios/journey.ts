/** The product's main job, by what a person sees: sign in, choose, watch, leave, come back, go on, finish. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Page, Route } from "playwright-core";
import {
  type Allowed,
  type Format,
  PATIENCE_MS,
  pictureOf,
  seekBar,
  showControls,
  signIn,
  type Visit,
  watchFor,
  withVisit,
} from "../browser.ts";
import { DEMO_FILMS } from "../../../apps/demo/films.ts";
import { ALEX } from "../person.ts";
import type { Film } from "../product.ts";
import type { Scenario } from "../stage.ts";
import { until } from "../until.ts";

const RESUME_TOLERANCE_S = 2;
/** The position goes on between a line's change and our look at both. */
const LINE_TOLERANCE_S = 0.5;
/** So long without a picture is "no picture": with the right key the first one is there much earlier. */
const DARK_MS = 8_000;
/** A share of a film's line at which nothing is loaded soon after its beginning. */
const FAR = 0.75;

export const journey: Scenario = (stage) => {
  for (const format of ["dash", "hls"] as const) {
    it(`sign in, watch, leave, come back, go on and finish (${format})`, async () => {
      const { film } = stage();
      await withVisit(stage(), { allowed: [WENT_ON] }, async (alex) => {
        await enter(alex.page);
        await openFilm(alex.page, film.title);
        await startAnew(alex.page, format);
        const picture = await watchFor(alex.page, 5);
        assert.ok(picture.isEncrypted, "the picture came without a key");
        await seekByKeyboard(alex.page);
        await readSubtitlesEarly(alex.page, film);
        await seekBySlider(alex.page);
        await lineOf(alex.page, film);
        await chooseSubtitles(alex.page, "Off");
        const leftAtS = await closeTab(alex.page);
        const tab = await alex.newTab();
        await comeBack(tab, film.title, leftAtS, format);
        await readSubtitlesLate(tab, film);
        await finish(tab, film.title);
      });
    });

    it(`a wrong key gives no picture (${format})`, async () => {
      const { film } = stage();
      await withVisit(stage(), { allowed: [DECODER_COMPLAINS] }, async (alex) => {
        await signIn(alex.page, ALEX);
        await assertDarkWithWrongKeys(alex, film.id, format);
      });
    });
  }
};

/** What else one does with a film, and what a player has to get over. */
export const filmDetails: Scenario = (stage) => {
  for (const format of ["dash", "hls"] as const) {
    it(`chapters are named on the line, and in a menu that leads to them (${format})`, async () => {
      const { film } = stage();
      await withVisit(stage(), { allowed: [WENT_ON] }, async (alex) => {
        await signIn(alex.page, ALEX);
        await goByChapters(alex.page, film, format);
      });
    });

    it(`a seek while another quality is on its way ends in a picture (${format})`, async () => {
      await withVisit(stage(), {}, async ({ page }) => {
        await signIn(page, ALEX);
        await page.goto(`/watch/${stage().film.id}?format=${format}`);
        await watchFor(page, 1);
        await chooseQualityAndSeek(page);
        await watchFor(page, 2);
      });
    });
  }
};

async function enter(page: Page): Promise<void> {
  await page.goto("/");
  await page.getByRole("heading", { name: "Films made of numbers, light and time." }).waitFor();
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("Email").fill(ALEX.email);
  await page.getByLabel("Password").fill(ALEX.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Who is watching?" }).waitFor();
  await page.getByRole("button", { name: "Alex", exact: true }).click();
  await page.getByRole("region").first().waitFor();
}

async function openFilm(page: Page, title: string): Promise<void> {
  await page.getByRole("link", { name: title, exact: true }).first().click();
  // The heading alone would not do: the film may be the one that home shows large.
  await page.waitForURL("**/title/**");
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
}

/** Presses Play. An earlier run may have left a place in the film: then it is begun again. */
async function startAnew(page: Page, format: Format): Promise<void> {
  const play = page
    .locator("main")
    .getByRole("link", { name: /^(Play|Resume)$/ })
    .first();
  const again = page.getByRole("link", { name: "From the beginning" });
  // The page may learn while one looks that the film was seen to its end, so "Resume" becomes "Play".
  const link = await until("a link that plays from the start", 15_000, async () => {
    if ((await again.count()) > 0) return again;
    return (await play.innerText()).trim() === "Play" ? play : null;
  });
  if (format === "hls") await page.goto(withFormat(await link.getAttribute("href"), format));
  else await link.click();
}

function withFormat(href: string | null, format: Format): string {
  assert.ok(href, "the play link has no address");
  return `${href}${href.includes("?") ? "&" : "?"}format=${format}`;
}

async function seekByKeyboard(page: Page): Promise<void> {
  const { positionS } = await pictureOf(page);
  await page.keyboard.press("ArrowRight");
  const after = await until("the keyboard's seek", 10_000, async () => {
    const picture = await pictureOf(page);
    return picture.positionS > positionS + 8 ? picture : null;
  });
  assert.ok(after.positionS < positionS + 16, `10 s forward led from ${positionS} to ${after.positionS}`);
  await watchFor(page, 1);
}

/** At such a share of the film's line, 0 to 1. */
async function clickLine(page: Page, share: number): Promise<void> {
  const box = await page.locator(".scrubber").boundingBox();
  assert.ok(box, "the line has no place");
  await page.mouse.click(box.x + box.width * share, box.y + box.height / 2);
}

async function seekBySlider(page: Page): Promise<void> {
  await showControls(page);
  const slider = seekBar(page);
  const durationS = Number(await slider.getAttribute("aria-valuemax"));
  const positionS = Number(await slider.getAttribute("aria-valuenow"));
  assert.ok(durationS > 0, "the film has no length");
  const targetS = durationS * 0.5;
  await clickLine(page, 0.5);
  assert.notEqual(Math.round(targetS), Math.round(positionS), "the seek must lead somewhere else");
  await until("the slider's seek", 10_000, async () => {
    const picture = await pictureOf(page);
    return Math.abs(picture.positionS - targetS) < 3 ? picture : null;
  });
  await watchFor(page, 1);
}

/** Goes on to where nothing is loaded before the header of the chosen quality has come. */
async function chooseQualityAndSeek(page: Page): Promise<void> {
  const held: Route[] = [];
  const header = /\/init[^/]*\.mp4/;
  await page.route(header, (route) => void held.push(route));
  await showControls(page);
  await page.getByRole("button", { name: "Quality and speed" }).click();
  const present = /\d+p/.exec(await page.getByRole("menuitemradio", { name: /^Auto/ }).innerText())?.[0] ?? "";
  await page
    .getByRole("menuitemradio", { name: /^\d+p$/ })
    .filter({ hasNotText: present })
    .last()
    .click();
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  await until("a header is asked for", PATIENCE_MS, async () => (held.length > 0 ? true : null));
  await showControls(page);
  await clickLine(page, FAR);
  await page.unroute(header);
  // With one that the player has stopped there is nothing to go on.
  for (const route of held) await route.continue().catch(() => null);
}

async function chooseSubtitles(page: Page, name: "English" | "Off"): Promise<void> {
  await showControls(page);
  await page.getByRole("button", { name: "Subtitles and audio" }).click();
  await page.getByRole("group", { name: "Subtitles" }).getByRole("menuitemradio", { name, exact: true }).click();
  await page.keyboard.press("Escape");
}

/** A line is shown, and it is the one that the film has at this moment. Lines come and go: within ten seconds there is one. */
async function lineOf(page: Page, { id }: Film): Promise<void> {
  const lines = DEMO_FILMS.find((film) => film.id === id)?.reels[0]?.narration["en"];
  assert.ok(lines, `'${id}' is no film with English lines`);
  await until("a subtitle line", 30_000, async () => {
    const { line, positionS, hasEnded } = await pictureOf(page);
    assert.ok(!hasEnded, "the film ended without a line");
    if (line === "") return null;
    const due = lines.find(({ text }) => text === line);
    assert.ok(due, `'${line}' is no line of '${id}'`);
    const { fromS, untilS } = due;
    const isDue = positionS > fromS - LINE_TOLERANCE_S && positionS < untilS + LINE_TOLERANCE_S;
    assert.ok(isDue, `'${line}' is due from ${fromS} to ${untilS} s and was shown at ${positionS.toFixed(2)} s`);
    return line;
  });
}

/** Much of the film is still to come over the network. */
async function readSubtitlesEarly(page: Page, film: Film): Promise<void> {
  const { bufferedEndS, durationS } = await pictureOf(page);
  assert.ok(bufferedEndS < durationS - 1, `all ${durationS} s are in the buffer: this is not early`);
  await chooseSubtitles(page, "English");
  await lineOf(page, film);
}

/** Nothing of the film is left to fetch but its lines, and none was asked for since the page came. */
async function readSubtitlesLate(page: Page, film: Film): Promise<void> {
  await until("all that comes is in the buffer", 40_000, async () => {
    const { bufferedEndS, durationS } = await pictureOf(page);
    return durationS > 0 && bufferedEndS > durationS - 0.5 ? true : null;
  });
  assert.equal((await pictureOf(page)).line, "", "subtitles are switched off");
  await chooseSubtitles(page, "English");
  await lineOf(page, film);
}

async function closeTab(page: Page): Promise<number> {
  const { positionS } = await pictureOf(page);
  await page.close({ runBeforeUnload: true });
  return positionS;
}

async function comeBack(page: Page, title: string, leftAtS: number, format: Format): Promise<void> {
  await page.goto("/");
  const rail = page.getByRole("region", { name: "Continue watching" });
  await rail.getByRole("link", { name: title, exact: true }).click();
  await page.waitForURL("**/title/**");
  const resume = page.locator("main").getByRole("link", { name: "Resume" }).first();
  await resume.waitFor();
  if (format === "hls") await page.goto(withFormat(await resume.getAttribute("href"), format));
  else await resume.click();
  const first = await until(
    "the picture after coming back",
    40_000,
    async () => {
      const picture = await pictureOf(page);
      return picture.decodedFrames > 0 ? picture : null;
    },
    50,
  );
  const offS = Math.abs(first.positionS - leftAtS);
  assert.ok(offS <= RESUME_TOLERANCE_S, `left at ${leftAtS.toFixed(2)} s, back at ${first.positionS.toFixed(2)} s`);
  await watchFor(page, 1);
}

async function finish(page: Page, title: string): Promise<void> {
  await showControls(page);
  await seekBar(page).press("End");
  await page.getByText("The end", { exact: true }).waitFor();
  await until("the film leaves Continue watching", 20_000, async () => {
    await page.goto("/");
    await page.getByRole("region").first().waitFor();
    const rail = page.getByRole("region", { name: "Continue watching" });
    return (await rail.getByRole("link", { name: title, exact: true }).count()) === 0 ? true : null;
  });
}

async function goByChapters(page: Page, { id }: Film, format: Format): Promise<void> {
  const reel = DEMO_FILMS.find((film) => film.id === id)?.reels[0];
  const [, second = ""] = reel?.chapters ?? [];
  const startS = reel?.scenes()[0]?.durationS ?? 0;
  assert.ok(second !== "" && startS > 0, `'${id}' has no chapters`);
  await page.goto(`/watch/${id}?t=0&format=${format}`);
  await watchFor(page, 1);
  await showControls(page);
  const line = await page.locator(".scrubber").boundingBox();
  assert.ok(line && reel, "the line has no place");
  await page.mouse.move(line.x + (line.width * (startS + 2)) / reel.durationS, line.y + line.height / 2);
  await page.locator(".scrubber-preview").getByText(second, { exact: true }).waitFor();
  await page.getByRole("button", { name: "Chapters" }).click();
  await page.getByRole("menuitemradio", { name: second }).click();
  await until("the chapter's picture", 10_000, async () => {
    const { positionS } = await pictureOf(page);
    return positionS >= startS && positionS < startS + 5 ? positionS : null;
  });
  await page.keyboard.press("Escape");
  const said = await seekBar(page).getAttribute("aria-valuetext");
  assert.ok(said?.includes(second), `the line says '${said}'`);
}

/** Flips every bit of every key that the licence server hands out. */
async function withWrongKeys(route: Route): Promise<void> {
  const answer = await route.fetch();
  const body = (await answer.json()) as { keys: { k: string }[] };
  const keys = body.keys.map((key) => ({
    ...key,
    k: Buffer.from(Buffer.from(key.k, "base64url").map((byte) => byte ^ 0xff)).toString("base64url"),
  }));
  assert.ok(keys.length > 0, "the licence has no keys to make wrong");
  await route.fulfill({ response: answer, json: { ...body, keys } });
}

const WENT_ON: Allowed = {
  pattern: /was preloaded using link preload but not used/,
  because: "whoever goes on to the film before a poster came never sees the poster",
};

const DECODER_COMPLAINS: Allowed = {
  pattern: /.*/,
  because: "what comes out of a wrong key is noise, and the decoder says so in words of its own",
};

async function assertDarkWithWrongKeys(alex: Visit, contentId: string, format: Format): Promise<void> {
  const { page } = alex;
  let licences = 0;
  await page.route(/\/license\/clearkey/, async (route) => {
    licences += 1;
    await withWrongKeys(route);
  });
  await page.goto(`/watch/${contentId}?t=0&format=${format}`);
  await until("the licence", 40_000, async () => (licences > 0 ? true : null));
  const startedMs = performance.now();
  const outcome = await until("darkness or an error", DARK_MS + 20_000, async () => {
    const picture = await pictureOf(page);
    const failed = (await page.getByRole("heading", { name: "Something went wrong" }).count()) > 0;
    if (failed || picture.error !== "") return "error";
    assert.equal(picture.decodedFrames, 0, "frames were decoded with a wrong key");
    return performance.now() - startedMs > DARK_MS ? "dark" : null;
  });
  assert.ok(outcome === "error" || outcome === "dark");
}
