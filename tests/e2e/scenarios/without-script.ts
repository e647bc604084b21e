/** Up to the player everything works by links and forms. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { signIn, withVisit } from "../browser.ts";
import { SAM } from "../person.ts";
import type { Scenario } from "../stage.ts";

export const withoutScript: Scenario = (stage) => {
  it("without JavaScript: sign in, choose a profile, look around, sign out", async () => {
    const { film } = stage();
    await withVisit(stage(), { javaScriptEnabled: false }, async ({ page }) => {
      await page.goto("/");
      await page.getByRole("link", { name: "Sign in" }).click();
      await page.getByLabel("Email").fill(SAM.email);
      await page.getByLabel("Password").fill("not the password");
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.getByRole("alert").waitFor();
      assert.equal(await page.getByLabel("Email").inputValue(), SAM.email, "the address need not be typed again");
      await page.getByLabel("Password").fill(SAM.password);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.getByRole("heading", { name: "Who is watching?" }).waitFor();
      await page.getByRole("button", { name: "Sam", exact: true }).click();

      await page.getByRole("region").getByRole("link", { name: film.title, exact: true }).first().click();
      await page.waitForURL("**/title/**");
      await page.getByRole("heading", { level: 1, name: film.title }).waitFor();
      assert.match(await page.title(), new RegExp(film.title));
      assert.equal(
        await page
          .getByRole("link", { name: /^(Play|Resume)$/ })
          .first()
          .isVisible(),
        true,
      );

      await page.goto("/search");
      await page.getByRole("combobox", { name: "Search" }).fill(film.title.slice(0, 6));
      await page.getByRole("combobox", { name: "Search" }).press("Enter");
      await page.getByRole("link", { name: film.title, exact: true }).waitFor();

      await page.getByLabel("Sam, menu").click();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("link", { name: "Create account" }).waitFor();
    });
  });

  it("a film's page without JavaScript says what playing needs", async () => {
    const { film } = stage();
    await withVisit(stage(), { javaScriptEnabled: false }, async ({ page }) => {
      await signIn(page, SAM);
      await page.goto(`/watch/${film.id}`);
      // Playwright finds no text inside <noscript>, so it is asked for as an element.
      const said = page.locator("noscript p");
      await said.waitFor();
      assert.match(await said.innerText(), /^Playing needs JavaScript/);
      await said.locator("a").click();
      await page.getByRole("heading", { level: 1, name: film.title }).waitFor();
    });
  });
};
