/** An operator at the console: in by a link, through review, models and experiments, by what a person sees and by the keyboard. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import type { Page } from "playwright-core";
import { openFileObjects } from "#adapters/objects/files";
import { Catalog, type Title } from "#contracts/catalog";
import { Experiments } from "#contracts/experiments";
import { Metadata, modelFile } from "#contracts/metadata";
import { Problem } from "#kernel";
import { meanColour } from "../../content/mean-colour.ts";
import { type Allowed, withVisit } from "../browser.ts";
import { inspect, RESIZED, type State } from "../inspect.ts";
import type { Film, RunningProduct } from "../product.ts";
import type { Scenario, Stage } from "../stage.ts";
import { until } from "../until.ts";

/** The first link builds the pages. */
const LINK_MS_MAX = 120_000;
const CUES = [
  { startS: 4, endS: 7, text: "Who winds the clock?" },
  { startS: 9, endS: 12, text: "Nobody, for fuck's sake." },
  { startS: 20, endS: 23, text: "Then the tide does." },
];

/** As many as have a middle, where so many are there. */
const OTHERS_MAX = 5;

const SHUT_OUT: Allowed = {
  pattern: /Failed to load resource: the server responded with a status of 401/,
  because: "a link that was used before is tried again, and pages are opened without one",
};

const linkOf = async ({ admin }: RunningProduct): Promise<string> =>
  (await admin.consoleLink({ deadlineMs: LINK_MS_MAX })).url;

/** A step that is under way by itself comes to the same. */
const askFor = ({ admin }: RunningProduct, contentId: string, step: string): Promise<unknown> =>
  admin
    .of(Metadata)
    .enrich({ contentId, step })
    .catch((error: unknown) => {
      if (!(error instanceof Problem && error.code === "failed_precondition")) throw error;
    });

/** Words that a list knows, and an extract that is not sure of itself: neither needs weights, nor a machine that is idle. */
async function furnish(product: RunningProduct, { id: contentId }: Film): Promise<void> {
  const metadata = product.admin.of(Metadata);
  const valueJson = JSON.stringify({ language: "en", cues: CUES });
  await metadata.correct({ contentId, what: "subtitles", valueJson });
  for (const step of ["text", "moderation"]) await askFor(product, contentId, step);
  await until("moderation points at a word, and the text is there", 180_000, async () => {
    const { title } = await metadata.get({ contentId });
    const isDone = title?.steps.every(({ name, state }) => (name === "text" ? state === "done" : true)) ?? false;
    return isDone && (title?.findingsWaiting ?? 0) > 0 ? true : null;
  });
}

/** Titles that look like the film, as far as a network goes that knows the mean colour alone; none in a product that is somebody's. */
async function furnishLooks(product: RunningProduct, { id }: Film): Promise<boolean> {
  if (process.env["MARQUEE_E2E_URL"]) return false;
  const metadata = product.admin.of(Metadata);
  const objects = await openFileObjects({ folder: join(product.folder, "objects") });
  await objects.put(modelFile("moderation", "features.onnx"), meanColour());
  const others = await until("other films are taken in", 180_000, async () => {
    const ids = (await metadata.list({})).titles.map(({ contentId }) => contentId).filter((one) => one !== id);
    return ids.length > 0 ? ids : null;
  });
  for (const contentId of [id, ...others.slice(0, OTHERS_MAX)])
    await until(`the embedding of ${contentId}`, 180_000, async () => {
      const { title } = await metadata.get({ contentId });
      const state = title?.steps.find(({ name }) => name === "embedding")?.state;
      if (state === "done") return true;
      // One that ran when there were no weights yet ends without having looked.
      if (state !== "running") await askFor(product, contentId, "embedding");
      return null;
    });
  return true;
}

const notice = (page: Page, text: RegExp) => page.getByRole("status").filter({ hasText: text });

async function review(page: Page, { product, film }: Stage): Promise<void> {
  const finding = page.getByRole("article", { name: `Language in ${film.title} at 0:09` });
  await finding.getByText("Nobody, for fuck's sake.").waitFor();
  // By the keyboard: decided, and taken back.
  await finding.getByRole("button", { name: "Harmless" }).focus();
  await page.keyboard.press("Enter");
  await notice(page, /^Harmless: Language in/).waitFor();
  await finding.waitFor({ state: "detached" });
  await page.keyboard.press("Control+z");
  await notice(page, /^Taken back/).waitFor();
  await finding.waitFor();
  await finding.getByRole("button", { name: "Harmful" }).click();
  await finding.waitFor({ state: "detached" });
  await page.getByRole("radio", { name: "Harmful" }).check();
  await finding.waitFor();
  const decided = await product.admin.of(Metadata).findings({ contentId: film.id, state: "accepted" });
  assert.deepEqual(
    decided.findings.map(({ label }) => label),
    ["1 strong word(s)"],
  );

  await page.getByRole("link", { name: /^Unsure/ }).click();
  const tags = page.getByRole("article", { name: `Tags of ${film.title}` });
  await tags.getByRole("button", { name: "Accept" }).click();
  await notice(page, /^Accepted: tags of/).waitFor();
  await tags.waitFor({ state: "detached" });
}

async function correct(page: Page, { product, film }: Stage): Promise<void> {
  const { admin } = product;
  await page.getByRole("link", { name: /^Titles/ }).click();
  await page.getByRole("link", { name: film.title, exact: true }).click();
  await page.getByRole("heading", { level: 1, name: film.title }).waitFor();
  await page.getByRole("textbox", { name: "Cue 2, at 0:09" }).fill("Nobody at all.");
  await page.getByRole("button", { name: "Save subtitles" }).click();
  await notice(page, /^Subtitles saved/).waitFor();
  const { title } = await admin.of(Metadata).get({ contentId: film.id });
  assert.match(title?.steps.find(({ name }) => name === "subtitles")?.valueJson ?? "", /Nobody at all\./);

  const shownNow = async () => (await admin.of(Catalog).get({ id: film.id })).title?.backdrop?.key;
  const before = await shownNow();
  await page
    .getByRole("button", { name: /^Choose / })
    .first()
    .click();
  await notice(page, /^Viewers see another picture/).waitFor();
  assert.notEqual(await shownNow(), before);
  await page.getByRole("button", { name: "Undo" }).click();
  await notice(page, /^Taken back/).waitFor();
  assert.equal(await shownNow(), before);
}

/** From a title to one that looks like it, and back. */
async function compare(page: Page, { product, film }: Stage): Promise<void> {
  const { titles, tooFew } = await product.admin.of(Metadata).similar({ contentId: film.id });
  const section = page.getByRole("region", { name: "Looks like" });
  await section.waitFor();
  const links = section.getByRole("link");
  if (titles.length === 0) {
    await section
      .getByText(tooFew ? /with fewer than five titles/ : /^None of \d+ other titles? looks alike/)
      .waitFor();
    return;
  }
  await links.first().waitFor();
  assert.equal(await links.count(), titles.length);
  await links.first().click();
  await page.getByText(titles[0]?.contentId ?? "").waitFor();
  await page.goBack();
  await page.getByRole("heading", { level: 1, name: film.title }).waitFor();
  await links.first().waitFor();
}

async function look(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Models" }).click();
  const churn = page.getByRole("article", { name: "Churn prediction" });
  await churn.getByText("The rule answers everybody.").waitFor();
  await churn.getByText(/accounts have watched something; churn is learned from 200 or more/).waitFor();
  assert.ok(await churn.getByRole("button", { name: "Train churn" }).isDisabled(), "there is nothing to learn from");
  await churn.getByRole("link", { name: "Churn prediction" }).click();
  await page.getByRole("heading", { name: "No version yet" }).waitFor();
}

async function experiment(page: Page, { product }: Stage, name: string): Promise<void> {
  await page.getByRole("link", { name: "Experiments" }).first().click();
  await page.getByRole("link", { name: "Start an experiment" }).click();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByText("It needs a name").waitFor();
  const focused = await page.evaluate<string>("document.activeElement.name");
  assert.equal(focused, "name", "whoever sent an empty form is brought to what is wrong");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Surface").fill("console-test");
  await page.getByLabel("Effect that is worth finding").fill("0.02");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name }).waitFor();
  await page.getByText("Nobody has met it yet.").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  const dialog = page.getByRole("dialog", { name: `Stop ${name}?` });
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Stop" }).click();
  await dialog.getByRole("button", { name: "Stop" }).click();
  await page.getByText(/Stopped .*: by the operator/).waitFor();
  const { experiments } = await product.admin.of(Experiments).list({});
  assert.equal(experiments.find((one) => one.name === name)?.state, "stopped");
}

/** Every page in turn, as it is when somebody comes to it. */
const statesOf = (
  origin: string,
  { film, series, name }: { readonly film: Film; readonly series: readonly Title[]; readonly name: string },
): readonly State[] => {
  const at = (state: string, path: string, heading: string): State => ({
    name: `console-${state}`,
    async reach(page) {
      await page.goto(origin + path);
      await page.getByRole("heading", { name: heading, exact: true }).first().waitFor();
    },
  });
  return [
    at("flagged", "/review", "Nothing waits for you"),
    at("decided", "/review?state=accepted", film.title),
    at("unsure", "/review/unsure", film.title),
    at("titles", "/review/titles", "Review"),
    at("title", `/titles/${film.id}`, film.title),
    // It has no file to look at, and is shown by its first episode's pictures.
    ...series.map(({ id, title }) => at("series", `/titles/${id}`, title)),
    at("models", "/models", "Models without versions here"),
    at("model", "/models/routing", "No version yet"),
    at("experiments", "/experiments", "Experiments"),
    at("experiment-new", "/experiments/new", "Start an experiment"),
    at("experiment", `/experiments/run/${name}`, "Guardrails"),
    at("not-found", "/no-such-page", "There is nothing here"),
  ];
};

export const operators: Scenario = (stage) => {
  it("an operator enters by a link, decides, corrects, and looks at models and experiments", async () => {
    const { product, film } = stage();
    await furnish(product, film);
    const hasLooks = await furnishLooks(product, film);
    const link = await linkOf(product);
    const { origin } = new URL(link);
    const name = `from-the-console-${Date.now()}`;
    await withVisit(stage(), { allowed: [RESIZED] }, async (visit) => {
      const { page } = visit;
      await page.goto(link);
      await page.getByRole("heading", { level: 1, name: "Review" }).waitFor();
      assert.equal(page.url(), `${origin}/review`, "the code is gone from the address bar");
      assert.equal(await page.evaluate("document.cookie"), "", "no script sees the cookie");
      await review(page, stage());
      await correct(page, stage());
      if (hasLooks) await compare(page, stage());
      await look(page);
      await experiment(page, stage(), name);
      const list = { kinds: ["series"], ageRatingMax: 18, limit: 1 };
      const { titles: series } = await product.admin.of(Catalog).list(list);
      assert.deepEqual(await inspect(visit, statesOf(origin, { film, series, name }), stage()), []);
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.getByRole("button", { name: "Leave" }).click();
      await page.getByRole("heading", { name: "You have left" }).waitFor();
    });
    await withVisit(stage(), { allowed: [SHUT_OUT, RESIZED] }, async (visit) => {
      const outside = (state: string, path: string, heading: string): State => ({
        name: `console-${state}`,
        async reach(page) {
          await page.goto(path);
          await page.getByRole("heading", { name: heading }).waitFor();
        },
      });
      const states = [
        outside("link-over", link, "This link is over"),
        outside("outside", `${origin}/models`, "Ask for a link"),
      ];
      assert.deepEqual(await inspect(visit, states, stage()), []);
    });
  });
};
