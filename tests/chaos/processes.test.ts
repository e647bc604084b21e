/**
 * kill -9 of one process after the other, under load, on real engines: nothing that was acknowledged is lost, no event goes missing or has its
 * effect twice. MARQUEE_CHAOS_KILLS says how often (100), MARQUEE_CHAOS_SEED which ones.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type Cells, openCells, PARTS, type Part } from "../engines/cells.ts";
import { until } from "../e2e/until.ts";
import { makeAccount } from "./accounts.ts";
import { importClip, makeClip, untilComplete } from "./clips.ts";
import { type Engines, openEngines } from "./engines.ts";
import { count, type Watcher } from "./ledger.ts";
import { openViewer, type Viewer } from "./viewer.ts";

const KILLS = Number(process.env["MARQUEE_CHAOS_KILLS"] ?? 100);
const SEED = Number(process.env["MARQUEE_CHAOS_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const VIEWERS = 4;
const WORK_MS_MAX = 1_500;
const FILM = "playing";
const KILL_MS = 30_000;
/** A hundred take a quarter of an hour: who waits sees how far it is. */
const TOLD_EVERY = 10;

const parts = Object.keys(PARTS) as readonly Part[];
let engines: Engines;
let cells: Cells;
const watchers: Watcher[] = [];

before(async () => {
  engines = await openEngines(["kafka", "redis", "s3", "vault", "registry", "clickhouse"]);
  cells = await openCells(engines.environment);
  for (const part of parts) await cells.start(part);
});
after(async () => {
  // Who still plays keeps this process alive, also when the test has failed.
  for (const { viewer } of watchers) await viewer.pause();
  await cells?.close();
  await engines?.close();
});

test(`killed ${KILLS} times, separate processes lose nothing and do nothing twice`, {
  timeout: 300_000 + KILLS * KILL_MS,
}, async (t) => {
  t.diagnostic(`MARQUEE_CHAOS_SEED=${SEED}`);
  const clip = join(cells.folder, "clip.mp4");
  await makeClip(clip, { width: 320, height: 180, rate: 12, durationS: 60, grain: 0 });
  await importClip(cells.admin, clip, FILM);
  await untilComplete(cells.admin, [FILM], 240_000);
  for (let n = 0; n < VIEWERS; n += 1) {
    const account = await makeAccount(cells.admin, `viewer-${n}@chaos.test`);
    const viewer = openViewer(cells.admin, cells.url, account, FILM);
    await viewer.signIn();
    watchers.push({ account, viewer });
  }
  for (const { viewer } of watchers) viewer.play();

  const random = randomOf(SEED);
  const killed = new Map<Part, number>();
  for (let n = 1; n <= KILLS; n += 1) {
    await pause(random() * WORK_MS_MAX);
    const part = parts[Math.floor(random() * parts.length)] ?? "web";
    assert.equal(await cells.end(part, "SIGKILL"), "SIGKILL", cells.output(part));
    await cells.start(part);
    killed.set(part, (killed.get(part) ?? 0) + 1);
    if (n % TOLD_EVERY === 0) console.log(`${n} of ${KILLS} kills`);
    // Tokens of 15 minutes end in a run of a hundred.
    if (n % 20 === 0) for (const { viewer } of watchers) await signInAgain(viewer);
  }
  for (const { viewer } of watchers) {
    const before = viewer.acknowledged.beats;
    await until("a viewer's beats are taken after the last kill", 60_000, async () =>
      viewer.acknowledged.beats > before ? true : null,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${viewer.fault()}`);
    });
  }
  for (const { viewer } of watchers) await viewer.pause();
  t.diagnostic(`killed: ${JSON.stringify(Object.fromEntries(killed))}`);
  const counts = await count(cells, watchers, FILM);
  t.diagnostic(`counted: ${JSON.stringify(counts)}`);
  assert.ok(counts.beats > KILLS, `only ${counts.beats} beats were taken, which is no load`);
  assert.ok(counts.segments > KILLS, `only ${counts.segments} segments came, which is no load`);
});

/** Who was killed just now is left alone for a moment by those who asked it in vain: a person tries again. */
const signInAgain = (viewer: Viewer): Promise<true> =>
  until("a viewer signs in again", 60_000, () =>
    viewer.signIn().then(
      () => true as const,
      () => null,
    ),
  );

/** A small generator of numbers from 0 to 1 (mulberry32), so that a run can be had again. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
