/** Accounts from their first day to a forgotten password. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import type { Page } from "playwright-core";
import { type Allowed, chooseProfile, withVisit } from "../browser.ts";
import { fillHouse } from "../crowd.ts";
import { type Account, newAccount } from "../person.ts";
import type { Scenario } from "../stage.ts";
import { until } from "../until.ts";

const REFUSED: Allowed = {
  pattern: /Failed to load resource: the server responded with a status of 503/,
  because: "the house is full on purpose",
};

export const accounts: Scenario = (stage) => {
  it("sign up, sign out, a wrong password, a forgotten one, a new one", async () => {
    const { product } = stage();
    const account = newAccount("Mira");
    await withVisit(stage(), {}, async ({ page }) => {
      await signUpByHand(page, account);
      await signOut(page, account.name);
      await submitSignIn(page, account.email, "not my password");
      await page.getByText("Email and password do not match.").waitFor();
      await page.getByRole("link", { name: "Forgot your password?" }).click();
      await page.getByLabel("Email").fill(account.email);
      await page.getByRole("button", { name: "Send a link" }).click();
      await page.getByText("a link is on its way to it").waitFor();

      const link = await linkFromMail(join(product.folder, "mail"), account.email, product.url);
      const renewed = { ...account, password: "another long enough one" };
      await page.goto(link);
      await page.getByLabel("Password").fill(renewed.password);
      await page.getByRole("button", { name: "Save password" }).click();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();

      await submitSignIn(page, account.email, account.password);
      await page.getByText("Email and password do not match.").waitFor();
      await submitSignIn(page, account.email, renewed.password);
      // The device has kept the profile of the last time.
      await page.getByLabel(`${account.name}, menu`).waitFor();

      // A link works once: whoever reads the mail later gets nothing by it.
      await signOut(page, account.name);
      await page.goto(link);
      await page.getByLabel("Password").fill("a thief's own password");
      await page.getByRole("button", { name: "Save password" }).click();
      await page.getByRole("alert").waitFor();
    });
  });

  it("a full house: a page to try again from in a browser, a problem document elsewhere", async () => {
    const { url } = stage().product;
    await withVisit(stage(), { allowed: [REFUSED] }, async ({ page }) => {
      const house = await fillHouse(url);
      try {
        const [answer, elsewhere] = await Promise.all([
          page.goto("/sign-in?returnTo=/account"),
          fetch(`${url}/sign-in`),
        ]);
        assert.equal(answer?.status(), 503);
        assert.ok(Number(answer.headers()["retry-after"]) > 0, "it does not say when to come back");
        await page.getByRole("heading", { name: "The house is full just now" }).waitFor();
        assert.match(await page.getByText("Trace code").innerText(), /(?!0{32})[0-9a-f]{32}$/);
        assert.equal(elsewhere.status, 503);
        assert.ok(Number(elsewhere.headers.get("retry-after")) > 0, "it does not say when to come back");
        const problem = (await elsewhere.json()) as { readonly type: string };
        assert.equal(problem.type, "/problems/busy");
      } finally {
        house.leave();
      }
      await page.getByRole("link", { name: "Try again" }).click();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
    });
  });

  it("an address that is taken, and one that nobody has", async () => {
    const account = newAccount("Taken");
    await withVisit(stage(), {}, async ({ page }) => {
      await signUpByHand(page, account);
      await signOut(page, account.name);
      await fillSignUp(page, account);
      await page.getByText("There is an account with this email already.").waitFor();
      // What the page says about an unknown address is what it says about a known one.
      await page.goto("/forgot-password");
      await page.getByLabel("Email").fill("nobody-at-all@e2e.test");
      await page.getByRole("button", { name: "Send a link" }).click();
      await page.getByText("a link is on its way to it").waitFor();
    });
  });
};

async function fillSignUp(page: Page, { name, email, password }: Account): Promise<void> {
  await page.goto("/");
  await page.getByRole("link", { name: "Create account" }).click();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
}

async function signUpByHand(page: Page, account: Account): Promise<void> {
  await fillSignUp(page, account);
  await chooseProfile(page, account.name);
}

async function signOut(page: Page, name: string): Promise<void> {
  await page.getByLabel(`${name}, menu`).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("link", { name: "Create account" }).waitFor();
}

async function submitSignIn(page: Page, email: string, password: string): Promise<void> {
  if ((await page.getByLabel("Password").count()) === 0) await page.goto("/sign-in");
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** The newest mail to somebody in the mailbox folder, and our own address in it. */
async function linkFromMail(folder: string, email: string, url: string): Promise<string> {
  return until("the mail with the link", 20_000, async () => {
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".eml"));
    for (const name of names.toSorted().toReversed()) {
      const mail = (await readFile(join(folder, name), "utf8")).replaceAll("=\r\n", "").replaceAll("=3D", "=");
      if (!mail.includes(email)) continue;
      const link = /https?:\/\/\S+\/reset-password\?token=[\w.~-]+/.exec(mail)?.[0];
      assert.ok(link !== undefined && link.startsWith(url), `the mail has no link to ${url}:\n${mail}`);
      return link;
    }
    return null;
  });
}
