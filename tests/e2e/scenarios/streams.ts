/** How many streams an account may have at once, and what becomes of those whose device is gone. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { Heartbeat, ProblemDocument } from "#contracts/web";
import { signIn, visit, watchFor, withVisit } from "../browser.ts";
import { device, newAccount, type Person, SAM, signIn as signInByApi, signUp, startSession } from "../person.ts";
import { allProcesses, treeOf } from "../processes.ts";
import type { Scenario, Stage } from "../stage.ts";
import { until } from "../until.ts";

const STREAMS_MAX_BASIC = 2;
const STARTS_AT_ONCE = 50;
const SLOT_FREE_MS_MAX = 60_000;

const beat = (sequence: number): Heartbeat => ({
  sequence,
  positionS: sequence,
  durationS: 60,
  state: "playing",
  cdnId: "edge-a",
  videoStartTimeMs: 400,
  rebufferCount: 0,
  rebufferDurationMs: 0,
  bitrateKbps: 1_500,
  averageBitrateKbps: 1_500,
  bitrateMaxKbps: 3_000,
  bitrateSwitches: 0,
  width: 1_280,
  height: 720,
  resolutionDrops: 0,
  droppedFrames: 0,
  decodedFrames: 24 * sequence,
  throughputKbps: 20_000,
  bufferS: 20,
  liveLatencyMs: null,
  errors: [],
});

export const streams: Scenario = (stage) => {
  it("the third stream of a basic account names the two devices; ending one lets it start", async () => {
    const { product, film } = stage();
    const kitchen = await signInByApi(product.url, SAM);
    const bedroom = await signInByApi(product.url, SAM);
    const inKitchen = await startSession(kitchen, film.id, device("Kitchen tablet"));
    const inBedroom = await startSession(bedroom, film.id, device("Bedroom TV"));
    const allowed = [{ pattern: /status of 409/, because: "the refusal is an answer with status 409" }];
    await withVisit(stage(), { allowed }, async ({ page }) => {
      await signIn(page, SAM);
      await page.goto(`/watch/${film.id}?t=0`);
      await page.getByRole("heading", { name: "Playing on every screen of your plan" }).waitFor();
      await page.getByText("Kitchen tablet").waitFor();
      await page.getByText("Bedroom TV").waitFor();
      await page.getByRole("button", { name: "End on Kitchen tablet" }).click();
      await watchFor(page, 3);
      const ended = await kitchen.api<{ ended: boolean }>(
        "POST",
        `/playback/sessions/${inKitchen.sessionId}/heartbeats`,
        beat(1),
      );
      assert.ok(
        ended.status === 200 ? ended.body.ended : [404, 409, 410].includes(ended.status),
        `the kitchen was not told that its stream is over: ${ended.status} ${JSON.stringify(ended.body)}`,
      );
    });
    await bedroom.api("DELETE", `/playback/sessions/${inBedroom.sessionId}?positionS=1&sequence=2`);
  });

  it("fifty starts at the same moment give exactly two streams", async () => {
    const { product, film } = stage();
    const person = await signUp(product.url, newAccount("Fifty"));
    const answers = await Promise.all(
      Array.from({ length: STARTS_AT_ONCE }, (_, index) =>
        person.api<ProblemDocument>("POST", "/playback/sessions", {
          contentId: film.id,
          device: device(`Device ${index}`),
        }),
      ),
    );
    const counts = Map.groupBy(answers, ({ status }) => status);
    const summary = [...counts].map(([status, found]) => `${found.length} × ${status}`).join(", ");
    assert.equal(counts.get(201)?.length, STREAMS_MAX_BASIC, summary);
    assert.equal(counts.get(409)?.length, STARTS_AT_ONCE - STREAMS_MAX_BASIC, summary);
    for (const { status, body } of answers) {
      if (status === 409) assert.equal(body.streams?.length, STREAMS_MAX_BASIC, "a refusal names the devices");
    }
  });

  it("a browser is killed while it watches", async () => {
    const account = newAccount("Kilian");
    const person = await signUp(stage().product.url, account);
    const { sessionId } = await startSession(person, stage().film.id, device("The one that lives"));
    await killWhileWatching(stage(), account);
    // Half a minute in which other scenarios run.
    freedAfter = slotFreed(stage(), person, sessionId);
    freedAfter.catch(() => undefined);
  });
};

let freedAfter: Promise<number> | undefined;

/** Declared behind the scenarios that fill the time until then. */
export const slots: Scenario = () => {
  it("the slot of a browser that was killed is free within a minute", async () => {
    const tookMs = await freedAfter;
    assert.ok(tookMs !== undefined, "no browser was killed");
    assert.ok(tookMs <= SLOT_FREE_MS_MAX, `the slot was free only after ${(tookMs / 1_000).toFixed(1)} s`);
    assert.ok(tookMs > 2_000, "the slot was free at once: then the browser had not held it");
  });
};

/** How long it took until a third device could start, in milliseconds, while a living one went on. */
async function slotFreed({ film }: Stage, person: Person, sessionId: string): Promise<number> {
  const killedMs = performance.now();
  let sequence = 0;
  let beatMs = 0;
  await until(
    "a third device may start",
    SLOT_FREE_MS_MAX + 10_000,
    async () => {
      if (performance.now() - beatMs > 8_000) {
        beatMs = performance.now();
        sequence += 1;
        await beatOrFail(person, sessionId, sequence);
      }
      const start = { contentId: film.id, device: device("The one that waits") };
      const answer = await person.api<ProblemDocument>("POST", "/playback/sessions", start);
      if (answer.status === 201) return true;
      assert.equal(answer.status, 409, JSON.stringify(answer.body));
      return null;
    },
    1_000,
  );
  return performance.now() - killedMs;
}

async function beatOrFail(person: Person, sessionId: string, sequence: number): Promise<void> {
  const { status, body } = await person.api("POST", `/playback/sessions/${sessionId}/heartbeats`, beat(sequence));
  assert.equal(status, 200, `the living device was refused: ${JSON.stringify(body)}`);
}

/** Plays in a browser and kills all of it with -9: it cannot say goodbye. */
async function killWhileWatching(
  { product, film }: Stage,
  account: { name: string; email: string; password: string },
): Promise<void> {
  const doomed = await visit(product.url);
  try {
    await signIn(doomed.page, account);
    await doomed.page.goto(`/watch/${film.id}?t=0`);
    await watchFor(doomed.page, 2);
    const all = await allProcesses();
    const root = all.find(
      ({ command, parent }) => parent === process.pid && command.includes(`--user-data-dir=${doomed.folder}`),
    );
    assert.ok(root, "the browser's process was not found");
    for (const { pid } of treeOf(root.pid, all)) process.kill(pid, "SIGKILL");
  } finally {
    await doomed.close();
  }
}
