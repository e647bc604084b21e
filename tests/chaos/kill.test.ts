/**
 * kill -9 of everything, again and again: while a film is encoded, while one plays, while the product starts. Nothing that was
 * answered is lost, no finished chunk is made again, every job ends, nobody is left behind.
 */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Bookmark } from "#contracts/bookmark";
import { Session } from "#contracts/session";
import { User } from "#contracts/user";
import { type Account, makeAccount } from "./accounts.ts";
import { importClip, makeClip, untilComplete } from "./clips.ts";
import { encodingTasks, finishedChunks } from "./engine.ts";
import { isAlive, type ProcessId, remaining } from "./processes.ts";
import { killProduct, openStage, type Product, type Stage, TENANT } from "./product.ts";
import { until } from "../e2e/until.ts";
import { openViewer, type Viewer } from "./viewer.ts";

/** How long each round lets the product work after an import was taken in, in milliseconds; below zero: killed while it starts. */
const ROUNDS_MS = [300, 1_500, -400, 800, 3_000, 50, -1_500, 2_200, 5_000, 1_000] as const;
const FINISH_MS_MAX = 90_000;
/** By themselves, when their parent is killed. */
const VANISH_MS_MAX = 8_000;

let stage: Stage;
before(async () => {
  stage = await openStage();
  await makeClip(path.join(stage.folder, "clip.mp4"), { width: 320, height: 180, rate: 24, durationS: 64, grain: 10 });
});
after(() => stage?.close());

test("killed ten times in the middle of encoding and playing, the product loses nothing", {
  timeout: 800_000,
}, async (t) => {
  const clip = path.join(stage.folder, "clip.mp4");
  let product = stage.start();
  const url = await product.ready();
  const account = await makeAccount(stage.admin, "viewer@chaos.test");
  await importClip(stage.admin, clip, "playing");
  await untilComplete(stage.admin, ["playing"], FINISH_MS_MAX);
  const viewer = openViewer(stage.admin, url, account, "playing");
  await viewer.signIn();
  viewer.play();
  t.after(() => viewer.pause());
  await until("the first beats are answered", 20_000, async () => (viewer.acknowledged.beats > 10 ? true : null)).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}: ${viewer.fault()}`);
    },
  );

  const everybody: ProcessId[] = [];
  const chunks = new Map<string, string>();
  const imported: string[] = [];
  let finished = 0;
  let midEncode = 0;
  for (const [round, workMs] of ROUNDS_MS.entries()) {
    if (workMs >= 0) {
      await importClip(stage.admin, clip, `encoding-${round}`);
      imported.push(`encoding-${round}`);
    }
    await watchChunks(stage, chunks, Math.abs(workMs));
    const killed = await killProduct(product);
    everybody.push(...killed);
    if (killed.some(isEncoder)) midEncode += 1;
    await viewer.pause();
    for (const [name, identity] of await finishedChunks(stage.folder, TENANT))
      chunks.set(name, chunks.get(name) ?? identity);
    const isKilledAgain = (ROUNDS_MS[round + 1] ?? 0) < 0;
    product = stage.start();
    if (isKilledAgain) continue;
    await product.ready();
    await assertKept(stage, viewer, account);
    await viewer.signIn();
    viewer.play();
    await untilComplete(stage.admin, imported, FINISH_MS_MAX);
    await assertChunksUntouched(stage, chunks);
    finished = imported.length;
    t.diagnostic(
      `round ${round + 1}: killed after ${workMs} ms; ${finished} films done, ${JSON.stringify(summaryOf(viewer))}`,
    );
  }
  await viewer.pause();
  assert.equal(finished, imported.length);
  t.diagnostic(`${midEncode} of ${ROUNDS_MS.length} kills hit ffmpeg at work`);
  assert.ok(midEncode >= 3, `only ${midEncode} kills came in the middle of an encode`);
  const tasks = await encodingTasks(stage.folder);
  assert.ok(tasks.length >= imported.length * 5, `${tasks.length} tasks of ${imported.length} films`);
  assert.deepEqual(
    tasks.filter(({ runs, doneAtMs }) => runs !== 1 || doneAtMs === null),
    [],
  );
  assert.ok(viewer.acknowledged.beats > 50, `only ${viewer.acknowledged.beats} beats were answered`);
  assert.ok(viewer.acknowledged.segments > 20, `only ${viewer.acknowledged.segments} segments came`);

  everybody.push(...(await product.processes()));
  assert.equal(await product.stop(), 0, product.output());
  assert.deepEqual(await remaining(everybody, VANISH_MS_MAX), []);
  assert.deepEqual(await product.processes(), []);
  assert.deepEqual(await unfinishedWork(), [], "unfinished work of killed encoders was left behind");
});

test("when only the main process is killed, all others end by themselves", { timeout: 240_000 }, async () => {
  const clip = path.join(stage.folder, "clip.mp4");
  await stage.killStarted();
  const product = stage.start();
  await product.ready();
  await importClip(stage.admin, clip, "orphans");
  const processes = await untilSomeEncode(product);
  process.kill(product.pid, "SIGKILL");
  await product.exited;
  assert.deepEqual(await remaining(processes, VANISH_MS_MAX), []);
  assert.deepEqual(await product.processes(), []);
  const next = stage.start();
  await next.ready();
  await untilComplete(stage.admin, ["orphans"], FINISH_MS_MAX);
  assert.equal(await next.stop(), 0, next.output());
  assert.deepEqual(await next.processes(), []);
});

async function watchChunks(of: Stage, chunks: Map<string, string>, forMs: number): Promise<void> {
  const untilMs = performance.now() + forMs;
  do {
    for (const [name, identity] of await finishedChunks(of.folder, TENANT))
      chunks.set(name, chunks.get(name) ?? identity);
    await pause(Math.min(100, Math.max(0, untilMs - performance.now())));
  } while (performance.now() < untilMs);
}

async function assertChunksUntouched(of: Stage, chunks: ReadonlyMap<string, string>): Promise<void> {
  const now = await finishedChunks(of.folder, TENANT);
  const redone = [...chunks].filter(([name, identity]) => now.get(name) !== identity);
  assert.deepEqual(redone, [], "finished chunks were made again, or lost");
}

/** What the viewer was promised is there, before it says anything new. */
async function assertKept(of: Stage, viewer: Viewer, account: Account): Promise<void> {
  const { sessionId, positionS, users } = viewer.acknowledged;
  for (const userId of users) assert.equal((await of.admin.of(User).get({ userId })).user?.id, userId);
  assert.ok(sessionId !== null);
  const asked = { profileId: account.profileId, contentId: "playing" };
  // The bookmark follows the log: what was in the log when the product died is read after the start.
  for (let tries = 0; ; tries += 1) {
    const answer = await of.admin
      .of(Bookmark)
      .get(asked)
      .catch((error: unknown) => String(error));
    const savedS = typeof answer === "string" ? -1 : (answer.bookmark?.positionS ?? -1);
    if (savedS >= positionS) break;
    assert.ok(
      tries < 100,
      `the bookmark says ${typeof answer === "string" ? answer : savedS}, ${positionS} s was acknowledged`,
    );
    await pause(100);
  }
  // The silence may have been long enough for the session to expire; its own device comes back within the grace.
  await viewer.signIn();
  assert.ok(await viewer.isKnown(), `the session '${sessionId}' is not known any more`);
  assert.equal((await of.admin.of(Session).get({ sessionId })).session?.id, sessionId);
}

const summaryOf = ({ acknowledged: { beats, sessions, segments, users, positionS } }: Viewer) => ({
  ...{ beats, sessions, segments, users: users.length, positionS },
});

const isEncoder = ({ command }: ProcessId): boolean => /(^|\/)ffmpeg /.test(command);

/** Resolves with the product's processes in a moment when ffmpeg is one of them. */
async function untilSomeEncode(product: Product): Promise<ProcessId[]> {
  for (let tries = 0; tries < 600; tries += 1) {
    const processes = await product.processes();
    const encoder = processes.find(isEncoder);
    if (encoder && (await isAlive(encoder))) return processes;
    await pause(20);
  }
  throw new Error("ffmpeg did not run within 12 s");
}

/** Where unfinished files lie while they are made. */
async function unfinishedWork(): Promise<string[]> {
  const places = ["scratch", "objects/drafts"].map((name) => path.join(stage.folder, name));
  return (await Promise.all(places.map((place) => readdir(place).catch(() => [] as string[])))).flat();
}
