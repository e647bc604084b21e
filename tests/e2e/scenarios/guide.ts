/** The guide in a browser: a grid of which only what is seen is drawn, arrows as on a television, and an address for each programme. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import type { Page } from "playwright-core";
import { Epg } from "#contracts/epg";
import type { GuideNow } from "#contracts/web";
import { signIn, withVisit } from "../browser.ts";
import { newAccount, signUp } from "../person.ts";
import type { Scenario, Stage } from "../stage.ts";
import { until } from "../until.ts";

const CHANNELS = 120;
const HOUR_MS = 3_600_000;
/** A grid of that many channels and two weeks has 40,000 cells. */
const CELLS_MAX = 600;

const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, "")} +0000`;

/** Channels on which something begins every hour, for two days. What is on at eight in the evening is for grown-ups. */
function bigGuide(): string {
  const startMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 6 * HOUR_MS;
  const all = Array.from({ length: CHANNELS }, (_, i) => {
    const id = `e2e.${i + 1}`;
    const programmes = Array.from({ length: 48 }, (_, hour) => {
      const at = startMs + hour * HOUR_MS;
      return `<programme channel="${id}" start="${stamp(at)}" stop="${stamp(at + HOUR_MS)}"><title>Hour ${hour} of ${i + 1}</title><rating system="FSK"><value>${hour % 2 === 0 ? 18 : 0}</value></rating></programme>`;
    });
    const names = `<display-name>Test ${i + 1}</display-name><display-name>${i + 1_001}</display-name>`;
    return `<channel id="${id}">${names}</channel>${programmes.join("")}`;
  });
  return `<tv>${all.join("\n")}</tv>`;
}

async function importBigGuide({ product }: Stage): Promise<void> {
  const location = join(product.folder, "e2e-guide.xml");
  await writeFile(location, bigGuide());
  const guide = product.admin.of(Epg);
  await guide.putSource({ name: "e2e", kind: "file", location, addsChannels: true });
  const { importId } = await guide.import({ sourceName: "e2e" });
  await until("the guide is taken in", 60_000, async () => {
    const { import: state } = await guide.getImport({ importId });
    assert.notEqual(state?.state, "failed", state?.failure);
    return state?.state === "completed" ? state : null;
  });
}

const focused = (page: Page): Promise<string> =>
  page.evaluate("document.activeElement?.querySelector('.guide-title')?.textContent ?? ''");
const cells = (page: Page): Promise<number> => page.locator(".guide-cell").count();

export const guide: Scenario = (stage) => {
  it("a guide of many channels scrolls, answers arrows and opens a programme", async () => {
    const account = newAccount("Greta");
    const person = await signUp(stage().product.url, account);
    await importBigGuide(stage());
    const { body } = await person.api<GuideNow>("GET", "/guide/now?offset=0&limit=200");
    const offset = body.channels.findIndex(({ number }) => number === 1_001);
    assert.ok(offset >= 0 && body.total >= CHANNELS);
    await withVisit(stage(), {}, async ({ page }) => {
      await signIn(page, account);
      await page.getByRole("link", { name: "Guide" }).first().click();
      const grid = page.getByRole("grid", { name: "Guide" });
      await grid.waitFor();
      await page.locator(".guide-programme").first().waitFor();
      // From the first channel that is ours, by keys alone.
      await page.locator('[data-cursor="true"]').first().focus();
      for (let i = 0; i < offset; i++) await page.keyboard.press("ArrowDown");
      const now = await until("the keyboard stands on what is on", 10_000, async () => {
        const text = await focused(page);
        return /^Hour \d+ of 1(\D|$)/.test(text) ? text : null;
      });
      const hour = Number(/\d+/.exec(now)?.[0]);
      const goes = (key: string, pattern: RegExp) =>
        page.keyboard
          .press(key)
          .then(() =>
            until(
              `${key} goes to ${pattern.source}`,
              10_000,
              async () => (pattern.test(await focused(page)) ? true : null),
              50,
            ),
          );
      await goes("ArrowRight", new RegExp(`^Hour ${hour + 1} of 1(\\D|$)`));
      await goes("ArrowDown", new RegExp(`^Hour ${hour + 1} of 2(\\D|$)`));
      await goes("ArrowLeft", new RegExp(`^Hour ${hour} of 2(\\D|$)`));
      await goes("PageDown", new RegExp(`^Hour ${hour} of ([5-9]|1\\d)(\\D|$)`));
      await goes("ArrowRight", new RegExp(`^Hour ${hour + 1} of `));
      await goes("Home", new RegExp(`^Hour ${hour} of `));
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").getByRole("heading", { level: 2 }).waitFor();
      assert.match(page.url(), /\/guide\?programme=pr-/);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      assert.doesNotMatch(page.url(), /programme=/);
      assert.ok((await cells(page)) < CELLS_MAX, `${await cells(page)} cells are drawn`);
      // A throw of the hand to the last of our channels: something is there at once, and the programmes soon.
      const rows = offset + CHANNELS;
      await page.evaluate(
        `(() => { const grid = document.querySelector(".guide-scroller");
          grid.scrollTop = ${rows} * grid.querySelector(".guide-row").offsetHeight - grid.clientHeight + 60; })()`,
      );
      await page.getByText(`Test ${CHANNELS}`, { exact: true }).waitFor();
      await page
        .getByText(new RegExp(`^Hour \\d+ of ${CHANNELS}$`))
        .first()
        .waitFor();
      assert.ok((await cells(page)) < CELLS_MAX, `${await cells(page)} cells are drawn at the end`);
      await page.getByRole("button", { name: "Tomorrow" }).click();
      await page.locator('.guide-day[aria-current="date"]', { hasText: "Tomorrow" }).waitFor();
      await page.getByRole("button", { name: "Now", exact: true }).click();
      await page.locator('.guide-programme[data-state="on"]').first().waitFor();
    });
  });

  it("a child learns when something is on that is not for it, and not what", async () => {
    const person = await signUp(stage().product.url, newAccount("Hugo"));
    const child = await person.api<{ id: string }>("POST", "/profiles", { name: "Ida", isKids: true });
    const grown = await person.api<GuideNow>("GET", "/guide/now?limit=200");
    assert.equal((await person.api("POST", `/profiles/${child.body.id}/select`, {})).status, 204);
    const { body } = await person.api<GuideNow>("GET", "/guide/now?limit=200");
    const days = new Date().toISOString().slice(0, 10);
    const grid = await person.api<unknown>("GET", `/guide?days=${days}&limit=200`);
    const texts = JSON.stringify([body, grid.body]);
    const adult = grown.body.channels.flatMap(({ now, next }) => [now, next]).filter((one) => (one?.age ?? 0) >= 18);
    assert.ok(adult.length >= CHANNELS);
    for (const one of adult) assert.ok(!texts.includes(`"${one?.title}"`), `${one?.title} is told`);
    assert.ok(body.channels.some(({ now, next }) => now?.locked === true || next?.locked === true));
    assert.equal((await person.api("GET", `/guide/programmes/${adult[0]?.id}`)).status, 404);
    assert.equal((await person.api("GET", "/guide?days=yesterday")).status, 400);
    await stage().product.admin.of(Epg).removeSource({ name: "e2e" });
  });
};
