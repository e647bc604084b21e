/** A delivery edge dies, or becomes slow, under a film that plays in Chromium: the picture goes on from the other one. */
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { Format } from "../e2e/browser.ts";
import { until } from "../e2e/until.ts";
import { type Account, accessToken, makeAccount } from "./accounts.ts";
import { type Cinema, openCinema } from "./cinema.ts";
import { importClip, makeClip, untilComplete } from "./clips.ts";
import { eventsOf } from "./engine.ts";
import { killAll } from "./processes.ts";
import { openStage, type Product, type Stage } from "./product.ts";
import { openRoad, type Road } from "./throttle.ts";

const FILM = "edges";
const DURATION_S = 150;
const STALL_MS_MAX = 3_000;
const LEFT_MS_MAX = 20_000;
const SLOW_KBPS = 300;
/** The supervisor waits three seconds before it starts an edge again. */
const RESTARTED_MS_MAX = 30_000;

let stage: Stage;
let product: Product;
let url: string;
let account: Account;
const switched: { readonly sessionId: string; readonly format: Format }[] = [];

before(
  async () => {
    stage = await openStage();
    product = stage.start();
    const film = path.join(stage.folder, "film.mp4");
    await makeClip(film, { width: 640, height: 360, rate: 24, durationS: DURATION_S, grain: 30 });
    url = await product.ready();
    account = await makeAccount(stage.admin, "edges@chaos.test");
    await importClip(stage.admin, film, FILM);
    await untilComplete(stage.admin, [FILM], 400_000);
  },
  { timeout: 600_000 },
);
after(() => stage?.close());

for (const format of ["dash", "hls"] as const) {
  test(`${format}: an edge that is killed with -9 is left without a stall that anybody minds`, {
    timeout: 240_000,
  }, async (t) => {
    await untilEdges(2);
    const cinema = await openCinema({ url, token: await accessToken(stage.admin, account.email) });
    try {
      await cinema.watch(FILM, format);
      await cinema.advance(6);
      // Once with what the player has in store, once with nothing: a seek into the unknown right after the kill.
      const first = edgeInUse(cinema);
      const reviveFirst = await holdDown(first, t.signal);
      await cinema.advance(30);
      assert.notEqual(edgeInUse(cinema), first, "the picture did not go on from the other edge");
      const stored = longest(await cinema.stalls());
      await reviveFirst();
      await untilEdges(2);
      const second = edgeInUse(cinema);
      const reviveSecond = await holdDown(second, t.signal);
      await cinema.seek((await cinema.positionS()) + 60);
      await cinema.advance(8);
      assert.notEqual(edgeInUse(cinema), second, "after a seek the picture did not come from the other edge");
      const empty = longest(await cinema.stalls());
      await reviveSecond();
      t.diagnostic(`${format}: longest stall ${stored} ms with a filled buffer, ${empty} ms with an empty one`);
      assert.ok(stored < STALL_MS_MAX, `the picture stood still for ${stored} ms`);
      assert.ok(empty < STALL_MS_MAX, `the picture stood still for ${empty} ms after a seek`);
      assert.deepEqual(refused(cinema), []);
    } finally {
      await cinema.close();
    }
  });

  test(`${format}: an edge that is throttled to ${SLOW_KBPS} kbit/s is left within ${LEFT_MS_MAX / 1_000} s`, {
    timeout: 240_000,
  }, async (t) => {
    await untilEdges(2);
    const roads = new Map<string, Road>();
    const rules: string[] = [];
    for (const [host, port] of [
      ["localhost", stage.port + 1],
      ["127.0.0.1", stage.port + 2],
    ] as const) {
      const road = await openRoad("127.0.0.1", port);
      roads.set(`${host}:${port}`, road);
      rules.push(`MAP ${host}:${port} 127.0.0.1:${road.port}`);
    }
    const cinema = await openCinema({
      url,
      token: await accessToken(stage.admin, account.email),
      args: [`--host-resolver-rules=${rules.join(",")}`],
    });
    try {
      await cinema.watch(FILM, format);
      await cinema.advance(8);
      const slow = edgeInUse(cinema);
      const atMs = performance.now();
      roads.get(slow)?.setKbps(SLOW_KBPS);
      const left = await until(
        `the player leaves ${slow}`,
        LEFT_MS_MAX + 15_000,
        async () => cinema.transfers.find((one) => one.atMs > atMs && one.edge !== slow) ?? null,
        50,
      );
      const leftMs = Math.round(left.atMs - atMs);
      await cinema.advance(8);
      const stall = longest(await cinema.stalls());
      t.diagnostic(
        `${format}: ${slow} was left after ${leftMs} ms; longest stall ${stall} ms; ${JSON.stringify(cinema.switches.map((one) => Math.round(one.atMs - atMs)))}`,
      );
      assert.ok(leftMs < LEFT_MS_MAX, `it took ${leftMs} ms`);
      assert.equal(edgeInUse(cinema) === slow, false, "the player went back to the slow edge");
      assert.ok(
        cinema.switches.some((one) => one.atMs > atMs),
        "the player left by itself: no beat's answer told it to",
      );
      assert.deepEqual(refused(cinema), []);
      switched.push({ sessionId: await sessionOf(cinema), format });
    } finally {
      await cinema.close();
      for (const road of roads.values()) await road.close();
    }
  });
}

test("each switch is in the event log", { timeout: 60_000 }, async () => {
  // The log has one writer and no reader beside it: it is read when the product has stopped.
  assert.equal(await product.stop(), 0, product.output());
  const events = eventsOf(stage.folder, "cdn.switch.triggered");
  assert.equal(switched.length, 2);
  for (const { sessionId, format } of switched)
    assert.ok(
      events.some(({ text }) => text.includes(sessionId) && /throughput|rebuffering/.test(text)),
      `no cdn.switch.triggered for the ${format} session ${sessionId}`,
    );
});

const longest = (stalls: readonly { readonly ms: number }[]): number => Math.max(0, ...stalls.map(({ ms }) => ms));

const refused = (cinema: Cinema) => cinema.transfers.filter(({ status }) => status === 403);

/** Where the last segment came from. */
function edgeInUse({ transfers }: Cinema): string {
  const last = transfers.findLast(({ status, path: name }) => status === 200 && /\.(m4s|mp4)$/.test(name));
  assert.ok(last, "no segment was loaded");
  return last.edge;
}

async function edgeProcesses() {
  return (await product.processes()).filter(({ command }) => command.includes("apps/edge/main.ts"));
}

/** Both answer. */
async function untilEdges(count: number): Promise<void> {
  await until(`${count} edges answer`, RESTARTED_MS_MAX, async () => {
    const answers = await Promise.all(
      [1, 2].map((n) =>
        fetch(`http://${n === 1 ? "localhost" : "127.0.0.1"}:${stage.port + n}/healthz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      ),
    );
    return answers.filter(Boolean).length === count ? true : null;
  });
  // The platform looks at its networks every two seconds.
  await pause(2_500);
}

async function killEdge(edge: string): Promise<boolean> {
  const port = edge.split(":")[1];
  const found = (await edgeProcesses()).find(({ command }) => command.includes(`"port":${port}`));
  if (found) await killAll([found]);
  return found !== undefined;
}

/** Kills an edge, and again whenever it is started anew, until the answer is called or the test is over. */
async function holdDown(edge: string, over: AbortSignal): Promise<() => Promise<void>> {
  assert.ok(await killEdge(edge), `no process serves ${edge}`);
  let isHeld = true;
  const holding = (async () => {
    while (isHeld && !over.aborted) {
      await pause(250);
      if (isHeld) await killEdge(edge);
    }
  })();
  return async () => {
    isHeld = false;
    await holding;
  };
}

/** The session's id is in the beats' addresses. */
async function sessionOf({ page }: Cinema): Promise<string> {
  const request = await page.waitForRequest(/\/playback\/sessions\/[^/]+\/heartbeats$/, { timeout: 15_000 });
  return /sessions\/([^/]+)\//.exec(request.url())?.[1] ?? "";
}
