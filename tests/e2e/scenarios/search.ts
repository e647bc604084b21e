/** Finding things: in spite of slips, by the keyboard alone, and by asking in one's own words. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { signIn, withVisit } from "../browser.ts";
import { newAccount, signUp } from "../person.ts";
import type { Scenario } from "../stage.ts";

export const search: Scenario = (stage) => {
  it("search forgives slips, suggests by the keyboard, and takes back a part of what it understood", async () => {
    const { product, film } = stage();
    const account = newAccount("Frida");
    const person = await signUp(product.url, account);
    // The index begins with the first question, which a page would not wait for.
    assert.equal((await person.api("GET", "/search/suggestions?q=a")).status, 200);
    await withVisit(stage(), {}, async ({ page }) => {
      await signIn(page, account);
      await page.goto("/search");
      const box = page.getByRole("combobox", { name: "Search" });
      const misspelt = film.title.slice(0, -2) + film.title.slice(-1);
      await box.pressSequentially(misspelt, { delay: 20 });
      await page.getByRole("heading", { name: `Showing results for “${film.title}”` }).waitFor();
      await page.getByRole("link", { name: film.title, exact: true }).waitFor();

      await box.fill("a film under 90 minutes, not animated");
      await page.getByRole("link", { name: "Remove: under 1 h 30 min" }).waitFor();
      await page.getByRole("link", { name: film.title, exact: true }).waitFor();
      await page.getByRole("link", { name: "Remove: not Animated" }).click();
      await page.waitForURL(/without=not-genre%3Aanimation/);
      await page.getByRole("link", { name: "Remove: not Animated" }).waitFor({ state: "detached" });

      await box.fill(film.title.slice(0, 7));
      await page.getByRole("option", { name: film.title, exact: true }).waitFor();
      await box.press("ArrowDown");
      const active = page.getByRole("option", { selected: true });
      assert.equal(await active.getAttribute("id"), await box.getAttribute("aria-activedescendant"));
      assert.equal(await active.textContent(), film.title);
      await box.press("Enter");
      await page.getByRole("heading", { level: 1, name: film.title }).waitFor();
    });
  });
};
