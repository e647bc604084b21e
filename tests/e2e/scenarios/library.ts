/** What belongs to an account: its plan, devices and streams, its list; and finding things, or not. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Page, Response } from "playwright-core";
import type { Allowed } from "../browser.ts";
import { signIn, withVisit } from "../browser.ts";
import { device, newAccount, signIn as signInByApi, signUp, startSession } from "../person.ts";
import type { Scenario } from "../stage.ts";

const REFUSED_ON_PURPOSE: Allowed = {
  pattern: /Failed to load resource: the server responded with a status of (404|500|502|503)/,
  because: "the page was asked for to see what it says when there is nothing",
};

/** The script's request, or the form's where the press came before the script. */
const isChangeOfList = (answer: Response): boolean =>
  answer.url().includes("/my-list") && answer.request().method() !== "GET" && answer.status() < 400;

export const library: Scenario = (stage) => {
  it("the account page changes the plan, ends a stream and signs a device out", async () => {
    const { product, film } = stage();
    const account = newAccount("Paula");
    const elsewhere = await signUp(product.url, account);
    await startSession(elsewhere, film.id, device("Living room"));
    await withVisit(stage(), {}, async ({ page }) => {
      await signIn(page, account);
      await page.getByLabel("Paula, menu").click();
      await page.getByRole("link", { name: "Account", exact: true }).click();
      await page.getByRole("heading", { level: 1, name: "Account" }).waitFor();
      await page.getByText(account.email).waitFor();

      await page.getByRole("button", { name: /^Change to Premium/ }).click();
      await page.getByRole("button", { name: /^Change to Basic/ }).waitFor();

      await page.getByText("Living room").waitFor();
      await page.getByRole("button", { name: "End on Living room" }).click();
      await page.getByText("Nothing is playing.").waitFor();

      await page.getByText("This device").waitFor();
      const others = page.getByRole("button", { name: /^Sign out .+/ });
      assert.equal(await others.count(), 1, "one other device is signed in");
      await others.click();
      await others.waitFor({ state: "detached" });
    });
    const refused = await elsewhere.api("GET", "/account");
    // Its access token lives for minutes yet; what renews it is gone at once.
    assert.ok([200, 401].includes(refused.status));
  });

  it("my list: add, see, remove", async () => {
    const { product, film } = stage();
    const account = newAccount("Lea");
    await signUp(product.url, account);
    await withVisit(stage(), {}, async ({ page }) => {
      await signIn(page, account);
      await page.goto("/my-list");
      await page.getByRole("heading", { name: "Your list is empty" }).waitFor();
      await page.goto(`/title/${film.id}`);
      const added = page.waitForResponse(isChangeOfList);
      await page.getByRole("button", { name: "Add to my list" }).click();
      await added;
      await page.getByRole("button", { name: "Remove from my list" }).waitFor();
      await page.goto("/my-list");
      await page.getByRole("link", { name: film.title, exact: true }).waitFor();
      await page.goto(`/title/${film.id}`);
      const removed = page.waitForResponse(isChangeOfList);
      await page.getByRole("button", { name: "Remove from my list" }).click();
      await removed;
      await page.goto("/my-list");
      await page.getByRole("heading", { name: "Your list is empty" }).waitFor();
    });
    const other = await signInByApi(product.url, account);
    const { body } = await other.api<{ cards: unknown[] }>("GET", "/my-list");
    assert.equal(body.cards.length, 0);
  });

  it("search finds a film by the beginning of a word, as one types", async () => {
    const { product, film } = stage();
    const account = newAccount("Sina");
    await signUp(product.url, account);
    await withVisit(stage(), {}, async ({ page }) => {
      await signIn(page, account);
      await page.getByRole("link", { name: "Search" }).first().click();
      const box = page.getByRole("combobox", { name: "Search" });
      const lastWord = film.title.split(" ").at(-1) ?? film.title;
      await box.pressSequentially(lastWord.slice(0, 4).toLowerCase(), { delay: 20 });
      await page.getByRole("link", { name: film.title, exact: true }).waitFor();
      await box.fill("zzzzqqqq");
      await page.getByRole("heading", { name: "Nothing for “zzzzqqqq”" }).waitFor();
    });
  });

  it("a page that is not there says so, with status 404; a broken one shows its trace code", async () => {
    const { product, film } = stage();
    await withVisit(stage(), { allowed: [REFUSED_ON_PURPOSE] }, async ({ page }) => {
      await assertNotThere(page, "/no-such-page");
      await page.goto("/");
      const account = newAccount("Vera");
      await signUp(product.url, account);
      await signIn(page, account);
      await assertNotThere(page, "/title/no-such-title");
      await page.goto("/");
      const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
      await page.route(`**/api/web/v1/titles/${film.id}`, (route) =>
        route.fulfill({
          status: 500,
          contentType: "application/problem+json",
          json: {
            type: "/problems/internal",
            title: "Internal",
            status: 500,
            detail: "broken on purpose",
            traceId: trace,
          },
        }),
      );
      await page.getByRole("region").getByRole("link", { name: film.title, exact: true }).first().click();
      await page.getByRole("heading", { name: "Something went wrong" }).waitFor();
      await page.getByText(trace).waitFor();
    });
  });
};

async function assertNotThere(page: Page, path: string): Promise<void> {
  const answer = await page.goto(path);
  assert.equal(answer?.status(), 404, path);
  await page.getByRole("heading", { name: "This page is not on the programme" }).waitFor();
}
