/** Every page and state: axe finds nothing on any. Where a folder for them is named, pictures at three widths are kept for people to look at. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Page } from "playwright-core";
import { Catalog } from "#contracts/catalog";
import { type Allowed, showControls, signIn, watchFor, withVisit } from "../browser.ts";
import { fillHouse } from "../crowd.ts";
import { inspect, RESIZED, type State } from "../inspect.ts";
import { device, newAccount, type Person, signUp, startSession } from "../person.ts";
import type { Scenario, Stage } from "../stage.ts";

const NOTHING_THERE: Allowed = {
  pattern: /Failed to load resource: the server responded with a status of (40[49]|503)/,
  because: "the page of what is not there, a full house and the refusal of a stream are among the states",
};

const go = (path: string) => (page: Page) => page.goto(path);

const SIGNED_OUT: readonly State[] = [
  { name: "landing", reach: go("/") },
  { name: "sign-in", reach: go("/sign-in") },
  {
    name: "sign-in-refused",
    async reach(page) {
      await page.goto("/sign-in");
      await page.getByLabel("Email").fill("nobody@e2e.test");
      await page.getByLabel("Password").fill("wrong password");
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.getByRole("alert").waitFor();
    },
  },
  { name: "sign-up", reach: go("/sign-up") },
  { name: "forgot-password", reach: go("/forgot-password") },
  { name: "forgot-password-sent", reach: go("/forgot-password?sent=1") },
  { name: "reset-password", reach: go("/reset-password?token=a-token") },
  {
    name: "refused",
    async reach(page, { product }) {
      const house = await fillHouse(product.url);
      await page.goto("/sign-in").finally(() => house.leave());
    },
  },
  { name: "not-found", reach: go("/no-such-page") },
];

const SIGNED_IN: readonly State[] = [
  { name: "profiles", reach: go("/profiles") },
  { name: "profiles-manage", reach: go("/profiles?manage=1") },
  { name: "profile-new", reach: go("/profiles?edit=new") },
  {
    name: "profile-pin",
    async reach(page) {
      await page.goto("/profiles");
      await page.getByRole("link", { name: /^Locked/ }).click();
      await page.getByLabel("PIN", { exact: true }).waitFor();
    },
  },
  { name: "home", reach: go("/") },
  {
    name: "home-menu",
    async reach(page) {
      await page.goto("/");
      await page.locator("summary").click();
      await page.getByRole("link", { name: "Switch profile" }).waitFor();
    },
  },
  { name: "title", reach: (page, { film }) => page.goto(`/title/${film.id}`) },
  { name: "my-list", reach: go("/my-list") },
  { name: "search", reach: go("/search") },
  { name: "search-found", reach: (page, { film }) => page.goto(`/search?q=${encodeURIComponent(film.title)}`) },
  { name: "search-question", reach: go("/search?q=a+film+under+90+minutes%2C+not+animated") },
  { name: "search-nothing", reach: go("/search?q=zzzzqqqq") },
  {
    name: "guide",
    async reach(page) {
      await page.goto("/guide");
      await page.locator('.guide-programme[data-state="on"]').first().waitFor();
    },
  },
  {
    name: "guide-programme",
    async reach(page) {
      await page.locator('.guide-programme[data-state="on"]').first().click();
      await page.getByRole("dialog").getByRole("heading", { level: 2 }).waitFor();
    },
  },
  { name: "account", reach: go("/account") },
  { name: "activate", reach: go("/activate") },
  { name: "activate-unknown", reach: go("/activate?error=code_unknown&code=ABCDEF") },
  { name: "activate-confirm", reach: go("/activate?confirm=1&device=Living%20room%20TV&code=ABCDEF") },
  { name: "activate-done", reach: go("/activate?done=1") },
];

async function openGenre(page: Page): Promise<void> {
  await page.goto("/search");
  await page.getByRole("heading", { name: "Browse by genre" }).waitFor();
  await page.locator('main a[href^="/genre/"]').first().click();
  await page.waitForURL("**/genre/**");
}

const WATCHING: readonly State[] = [
  {
    name: "watch",
    exclude: "video",
    async reach(page, { film }) {
      await page.goto(`/watch/${film.id}?t=20`);
      await watchFor(page, 1);
      await page.keyboard.press("k");
      await showControls(page);
    },
  },
  {
    name: "watch-languages",
    exclude: "video",
    async reach(page) {
      await page.getByRole("button", { name: "Subtitles and audio" }).click();
      await page.getByRole("menuitemradio").first().waitFor();
    },
  },
  {
    name: "watch-chapters",
    exclude: "video",
    async reach(page) {
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Chapters" }).click();
      await page.getByRole("menuitemradio").first().waitFor();
    },
  },
  {
    name: "watch-settings",
    exclude: "video",
    async reach(page) {
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Quality and speed" }).click();
      await page.getByRole("menuitemradio").first().waitFor();
    },
  },
  {
    name: "watch-too-many",
    async reach(page, { film }) {
      await page.goto(`/watch/${film.id}`);
      await page.getByRole("heading", { name: "Playing on every screen of your plan" }).waitFor();
    },
  },
];

/** The guide of somebody who arranged its channels, which says so. */
async function openOwnGuide(page: Page): Promise<void> {
  await page.goto("/guide");
  await page.getByText("Channels stand as you arranged them").waitFor();
}

/** A profile with a lock, a title on the list and one begun: so that no page is empty. */
async function furnish(person: Person, { film }: Stage): Promise<void> {
  const locked = await person.api<{ id: string }>("POST", "/profiles", { name: "Locked" });
  assert.equal(locked.status, 201, JSON.stringify(locked.body));
  await person.api("PATCH", `/profiles/${locked.body.id}`, { pin: "4826" });
  await person.api("PUT", `/my-list/${film.id}`);
  const { channels } = (await person.api<{ channels: { id: string }[] }>("GET", "/guide/now?limit=50")).body;
  const channelIds = channels.map(({ id }) => id).toReversed();
  assert.equal((await person.api("PUT", "/guide/order", { channelIds })).status, 204);
  const { sessionId } = await startSession(person, film.id, device("Kitchen tablet"));
  const stopped = await person.api("DELETE", `/playback/sessions/${sessionId}?positionS=25&sequence=1`);
  assert.equal(stopped.status, 204, JSON.stringify(stopped.body));
}

export const pages: Scenario = (stage) => {
  it("pages for visitors: axe finds nothing", async () => {
    await withVisit(stage(), { allowed: [NOTHING_THERE, RESIZED] }, async (visitor) => {
      assert.deepEqual(await inspect(visitor, SIGNED_OUT, stage()), []);
    });
  });

  it("pages for members: axe finds nothing", async () => {
    const account = newAccount("Greta");
    await furnish(await signUp(stage().product.url, account), stage());
    await withVisit(stage(), { allowed: [RESIZED] }, async (member) => {
      await signIn(member.page, account);
      const states = [...SIGNED_IN];
      const { titles } = await stage()
        .product.admin.of(Catalog)
        .list({ kinds: ["series"], ageRatingMax: 18 });
      if (titles[0]) states.push({ name: "series", reach: go(`/title/${titles[0].id}`) });
      states.push({ name: "genre", reach: openGenre });
      const { film } = stage();
      states.push({ name: "guide-own", reach: openOwnGuide });
      states.push({ name: "why", reach: go(`/why/${film.id}`) });
      states.push({ name: "why-found", reach: go(`/why/${film.id}?q=${encodeURIComponent(film.title)}`) });
      assert.deepEqual(await inspect(member, states, stage()), []);
    });
  });

  it("the player: axe finds nothing", async () => {
    const account = newAccount("Hugo");
    const person = await signUp(stage().product.url, account);
    await withVisit(stage(), { allowed: [NOTHING_THERE, RESIZED] }, async (watcher) => {
      await signIn(watcher.page, account);
      const [playing, refused] = [WATCHING.slice(0, -1), WATCHING.slice(-1)];
      const faults = await inspect(watcher, playing, stage());
      await watcher.page.goto("/account");
      await startSession(person, stage().film.id, device("Kitchen tablet"));
      await startSession(person, stage().film.id, device("Bedroom TV"));
      faults.push(...(await inspect(watcher, refused, stage())));
      assert.deepEqual(faults, []);
    });
  });
};
