/** Judges a page in a state: axe finds nothing, nothing is wider than its window. Where a folder is named, pictures are kept for people to look at. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { Allowed, Visit } from "./browser.ts";
import type { Stage } from "./stage.ts";
import { until } from "./until.ts";

/** The layouts differ below and above the phone's width; what holds at 1280 holds at 1920, which is only drawn. */
const JUDGED = [
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
] as const;
const DRAWN = { width: 1920, height: 1080 } as const;
const isDrawn = process.env["MARQUEE_SHOTS"] !== undefined;

export const RESIZED: Allowed = {
  pattern: /was preloaded using link preload but not used/,
  because: "the window changes its size here, so the width that was preloaded may not be the one that is shown",
};

export interface State {
  readonly name: string;
  /** Brings the page into the state; the page stays in it while its size changes. */
  readonly reach: (page: Page, stage: Stage) => Promise<unknown>;
  /** The picture under the player's controls is a film's: its colours are not the page's to answer for. */
  readonly exclude?: string;
}

interface AxeResult {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[];
}

const axeSource = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Runs in the page's own world by the debugger, so the page's policy on scripts stays as it is. */
async function violationsOf(page: Page, exclude: string | undefined): Promise<string[]> {
  await page.evaluate(await axeSource);
  const context = exclude === undefined ? "document" : JSON.stringify({ exclude: [exclude] });
  const options = JSON.stringify({ resultTypes: ["violations"] });
  const found = await page.evaluate<AxeResult[]>(`axe.run(${context}, ${options}).then((found) => found.violations)`);
  return found.map(({ id, help, nodes }) => {
    const where = nodes.slice(0, 3).map(({ target, failureSummary = "" }) => `${target.join(" ")} (${failureSummary})`);
    return `${id}: ${help}: ${where.join("; ").replaceAll(/\s+/g, " ")}`;
  });
}

/** What is drawn late (pictures, fonts) is there before the picture is taken. */
async function settle(page: Page): Promise<void> {
  await page.waitForLoadState("load");
  await page.evaluate("document.fonts.ready.then(() => true)");
  // Looked at from here: a page that is asked to look again by itself would have to evaluate text, which its policy forbids.
  const areThere = "[...document.images].every((image) => image.complete || image.loading === 'lazy')";
  await until("pictures", 10_000, async () => ((await page.evaluate<boolean>(areThere)) ? true : null)).catch(() => {
    // A picture that does not come is seen on the picture of the page.
  });
}

type Size = (typeof JUDGED)[number] | typeof DRAWN;

/** Gives the window a size and waits until the page has taken it; controls of the player are there while the mouse moves. */
async function resize(page: Page, { name, exclude }: State, size: Size): Promise<void> {
  await page.setViewportSize(size);
  await settle(page);
  if (name.startsWith("watch") && exclude !== undefined) await page.mouse.move(size.width / 2, 90);
}

const draw = (page: Page, { name }: State, { width }: Size, { shots }: Stage): Promise<unknown> =>
  page.screenshot({ path: join(shots, `${name}-${width}.png`), timeout: 20_000 });

async function judge(page: Page, { exclude }: State): Promise<string[]> {
  const faults = await violationsOf(page, exclude);
  const overflowPx = await page.evaluate<number>(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
  if (overflowPx > 0) faults.push(`is ${overflowPx} px wider than its window`);
  const cut = await page.evaluate<string[]>(
    `[...document.querySelectorAll(".player-chrome button")].filter((button) => button.getBoundingClientRect().right > innerWidth).map((button) => button.ariaLabel)`,
  );
  if (cut.length > 0) faults.push(`'${cut.join("', '")}' is cut off`);
  return faults;
}

/** What is wrong with each state, at each width. */
export async function inspect({ page }: Visit, states: readonly State[], stage: Stage): Promise<string[]> {
  const faults: string[] = [];
  for (const state of states) {
    await page.setViewportSize({ width: 1280, height: 800 });
    await state.reach(page, stage);
    await settle(page);
    for (const size of JUDGED) {
      await resize(page, state, size);
      if (isDrawn) await draw(page, state, size, stage);
      faults.push(...(await judge(page, state)).map((fault) => `${state.name} at ${size.width}: ${fault}`));
    }
    if (!isDrawn) continue;
    await resize(page, state, DRAWN);
    await draw(page, state, DRAWN, stage);
  }
  return faults;
}
