/** Children see what is for them, and the door to the grown-ups' profile has a lock: the services keep it, not the page. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Card, Home, ProblemDocument, Profile } from "#contracts/web";
import { Catalog } from "#contracts/catalog";
import type { Page } from "playwright-core";
import { chooseProfile, signIn, withVisit } from "../browser.ts";
import { device, newAccount, type Person, signIn as signInByApi, signUp } from "../person.ts";
import type { Scenario, Stage } from "../stage.ts";
import { until } from "../until.ts";

const PIN = "4826";
const KIDS_AGE_MAX = 6;

export const kids: Scenario = (stage) => {
  it("a kids profile has no title above its age, and leaving it asks for the PIN", async () => {
    const account = newAccount("Nora");
    await signUp(stage().product.url, account);
    await withVisit(stage(), {}, async ({ page }) => {
      await signIn(page, account);
      await addKidsProfile(page);
      await setPin(page, account.name);
      await page.goto("/profiles");
      await chooseProfile(page, "Little Nora");
      await page.getByLabel("Little Nora, menu").click();
      await page.getByRole("link", { name: "Switch profile" }).click();
      await page.getByRole("link", { name: account.name }).first().click();
      await page.getByLabel("PIN", { exact: true }).fill("0000");
      await page.getByRole("button", { name: "Open" }).click();
      await page.getByText("That is not the PIN. Try again.").waitFor();
      // The wrong number must not have opened anything.
      await page.goto("/");
      await page.getByLabel("Little Nora, menu").waitFor();
      await page.goto("/profiles");
      await page.getByRole("link", { name: account.name }).first().click();
      await page.getByLabel("PIN", { exact: true }).fill(PIN);
      await page.getByRole("button", { name: "Open" }).click();
      await page.getByLabel(`${account.name}, menu`).waitFor();
    });
    const person = await signInByApi(stage().product.url, account).catch(() => null);
    assert.equal(person, null, "a fresh device must not get the locked profile without its PIN");
  });

  it("the services refuse a child what is above its age", async () => {
    const account = newAccount("Otto");
    const person = await signUp(stage().product.url, account);
    const child = await person.api<Profile>("POST", "/profiles", { name: "Ida", isKids: true });
    assert.equal(child.status, 201, JSON.stringify(child.body));
    assert.equal((await person.api("POST", `/profiles/${child.body.id}/select`, {})).status, 204);
    await withRating(stage(), 16, () => assertHidden(stage(), person));
    await assertAllForChildren(person);
  });
};

async function addKidsProfile(page: Page): Promise<void> {
  await page.goto("/profiles");
  await page.getByRole("link", { name: "Add profile" }).click();
  await page.getByLabel("Name").fill("Little Nora");
  await page.getByLabel("Kids").check();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Manage profiles" }).waitFor();
}

async function setPin(page: Page, profile: string): Promise<void> {
  await page.getByRole("link", { name: `Edit ${profile}`, exact: true }).click();
  await page.getByLabel("PIN", { exact: true }).fill(PIN);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "Manage profiles" }).waitFor();
}

/** An operator rates the first film anew, so that there is something to hide however far the demo has come. */
async function withRating(stage: Stage, ageRating: number, run: () => Promise<void>): Promise<void> {
  const catalog = stage.product.admin.of(Catalog);
  const before = (await catalog.get({ id: stage.film.id })).title?.ageRating ?? 0;
  await catalog.update({ id: stage.film.id, ageRating });
  try {
    await run();
  } finally {
    await catalog.update({ id: stage.film.id, ageRating: before });
  }
}

async function cardsOf(person: Person): Promise<Card[]> {
  const home = await person.api<Home>("GET", "/home");
  assert.equal(home.status, 200);
  const { hero, rails } = home.body;
  return [...(hero ? [hero.card] : []), ...rails.flatMap(({ cards }) => cards)];
}

async function assertHidden({ film }: Stage, person: Person): Promise<void> {
  await until("the film is gone from the child's home", 20_000, async () =>
    (await cardsOf(person)).some(({ id }) => id === film.id) ? null : true,
  );
  const found = await person.api<{ cards: Card[] }>("GET", `/search?q=${encodeURIComponent(film.title)}`);
  assert.ok(!found.body.cards.some(({ id }) => id === film.id), "search must not show it either");
  const start = { contentId: film.id, device: device("A tablet") };
  const refused = await person.api<ProblemDocument>("POST", "/playback/sessions", start);
  assert.ok([403, 404].includes(refused.status), `a direct start was answered with ${refused.status}`);
}

async function assertAllForChildren(person: Person): Promise<void> {
  for (const { title, ageRating } of await cardsOf(person)) {
    assert.ok(Number(ageRating) <= KIDS_AGE_MAX, `'${title}' is from ${ageRating} and stands on a child's home`);
  }
}
