/** A reminder arrives at the bell while somebody looks at the page, is read by keyboard alone, and can be told otherwise. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { Epg } from "#contracts/epg";
import { Profile } from "#contracts/profile";
import { Schedule } from "#contracts/schedule";
import { User } from "#contracts/user";
import type { Page } from "playwright-core";
import { signIn, withVisit } from "../browser.ts";
import { newAccount, signUp } from "../person.ts";
import type { Scenario, Stage } from "../stage.ts";
import { until } from "../until.ts";

const HOUR_MS = 3_600_000;
const TITLE = "The last ferry";

/** A programme that starts in an hour; a reminder that leads by two is told at once. */
async function programmeSoon({ product: { admin, folder } }: Stage): Promise<string> {
  const guide = admin.of(Epg);
  const location = join(folder, "notices.xml");
  const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, "")} +0000`;
  const startMs = Date.now() + HOUR_MS;
  await writeFile(
    location,
    `<tv><channel id="notices"><display-name>Notices</display-name></channel><programme channel="notices"
      start="${stamp(startMs)}" stop="${stamp(startMs + HOUR_MS)}"><title lang="en">${TITLE}</title></programme></tv>`,
  );
  await guide.putSource({ name: "notices", kind: "file", location, addsChannels: true });
  await guide.import({ sourceName: "notices" });
  return until("the programme is in the guide", 20_000, async () => {
    const { programmes } = await guide.search({ query: TITLE, limit: 5 });
    return programmes.find(({ title }) => title === TITLE)?.id ?? null;
  });
}

async function remind({ product: { admin } }: Stage, email: string, programmeId: string): Promise<void> {
  const { user } = await admin.of(User).findByEmail({ email });
  const { profiles } = await admin.of(Profile).list({ userId: user?.id ?? "" });
  await admin.of(Schedule).setReminder({ profileId: profiles[0]?.id ?? "", programmeId, leadS: 7_200 });
}

/** What a push service would hand to the browser. */
async function deliverPush(page: Page, message: object): Promise<unknown> {
  const { origin } = new URL(page.url());
  await page.context().grantPermissions(["notifications"], { origin });
  await page.evaluate("navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)");
  const devtools = await page.context().newCDPSession(page);
  const registered = new Promise<string>((resolve) =>
    devtools.on("ServiceWorker.workerRegistrationUpdated", ({ registrations: [first] }) => {
      if (first) resolve(first.registrationId);
    }),
  );
  await devtools.send("ServiceWorker.enable");
  const registrationId = await registered;
  await devtools.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data: JSON.stringify(message) });
  return until("the browser shows it", 10_000, async () => {
    const shown = await page.evaluate<readonly unknown[]>(
      `navigator.serviceWorker.ready.then((one) => one.getNotifications())
        .then((all) => all.map(({ title, body, data }) => ({ title, body, data })))`,
    );
    return shown[0] ?? null;
  });
}

export const notices: Scenario = (stage) => {
  it("a reminder arrives at the bell, is read by keyboard, and can be told otherwise", async () => {
    const account = newAccount("Freya");
    await signUp(stage().product.url, account);
    const programmeId = await programmeSoon(stage());
    await withVisit(stage(), {}, async ({ page }) => {
      await signIn(page, account);
      await page.goto("/my-list");
      await page.getByRole("button", { name: "Notifications", exact: true }).waitFor();
      await remind(stage(), account.email, programmeId);
      const bell = page.getByRole("button", { name: "Notifications, 1 unread" });
      await bell.focus();
      await page.keyboard.press("Enter");
      const panel = page.getByRole("region", { name: "Notifications" });
      await panel.getByText(TITLE).waitFor();
      await page.getByRole("button", { name: "Notifications", exact: true }).waitFor();
      await page.keyboard.press("Escape");
      await panel.waitFor({ state: "detached" });
      const focused = await page.evaluate<string>("document.activeElement.getAttribute('aria-label')");
      assert.equal(focused, "Notifications", "the focus goes back to the bell");

      await page.keyboard.press("Enter");
      await panel.getByRole("link", { name: "Notification settings" }).click();
      await page.getByRole("heading", { level: 2, name: "Notifications" }).waitFor();
      const saved = () => page.waitForResponse((answer) => answer.url().endsWith("/notification-preferences"));
      const email = page.getByRole("group", { name: "Reminders of programmes" }).getByLabel("Email", { exact: true });
      const quiet = page.getByLabel("No email and nothing on your devices in these hours.", { exact: true });
      for (const choice of [email, quiet]) await Promise.all([saved(), choice.check()]);
      await page.reload();
      assert.ok(await email.isChecked());
      assert.equal(await page.getByLabel("From", { exact: true }).inputValue(), "22:00");

      const message = { id: "ntf_1", title: TITLE, body: "Starts at 20:15.", path: "/n/ntf_1" };
      assert.deepEqual(await deliverPush(page, message), { title: TITLE, body: message.body, data: message.path });
    });
  });
};
