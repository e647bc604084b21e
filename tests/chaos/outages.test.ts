/**
 * Each engine goes away under load and comes back: films that play go on, what the platform promises to do without that engine it does, and
 * nobody has to lend a hand afterwards.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type Cells, openCells, PARTS, type Part } from "../engines/cells.ts";
import { until } from "../e2e/until.ts";
import { type Account, accessToken, makeAccount } from "./accounts.ts";
import { importClip, makeClip, untilComplete } from "./clips.ts";
import { type Engines, openEngines } from "./engines.ts";
import { count } from "./ledger.ts";
import { openRoad, type Road } from "./throttle.ts";
import { beatOf, openViewer, segmentsOf, type Viewer } from "./viewer.ts";

interface Outage {
  readonly engine: string;
  /** What goes on without it. A beat is acknowledged when its fact is in the log; a session is a row and an event of the database. */
  readonly beats: boolean;
  readonly starts: boolean;
}

const ALL: readonly Outage[] = [
  { engine: "redis", beats: true, starts: true },
  { engine: "s3", beats: true, starts: true },
  { engine: "vault", beats: true, starts: true },
  { engine: "registry", beats: true, starts: true },
  { engine: "clickhouse", beats: true, starts: true },
  { engine: "opensearch", beats: true, starts: true },
  { engine: "kafka", beats: false, starts: true },
  { engine: "postgres", beats: false, starts: false },
];
/** Which of them, by name; all of them if nothing is said. */
const CHOSEN = process.env["MARQUEE_CHAOS_OUTAGES"]?.split(",");
const OUTAGES = ALL.filter(({ engine }) => CHOSEN?.includes(engine) ?? true);
/** Without these the processes do not run as many; the others have an embedded stand-in. */
const NEEDED = ["kafka", "redis", "s3", "vault", "registry", "clickhouse"];
const OUTAGE_MS = 8_000;
const SLOW_MS = 2_000;
const RECOVERY_MS_MAX = 60_000;
const REQUEST_MS_MAX = 4_000;
const FILM = "playing";
const DEVICE = { id: "a-television", type: "tizen", name: "Television" };

const parts = Object.keys(PARTS) as readonly Part[];
let engines: Engines;
/** To Redis, which can be made slow. */
let road: Road;
let cells: Cells;
let account: Account;
/** Whom the load in the background watches as. */
let crowd: Account;
let viewer: Viewer;

before(async () => {
  const names = new Set([...NEEDED, ...OUTAGES.map(({ engine }) => engine)]);
  names.delete("postgres");
  engines = await openEngines([...names]);
  const redis = new URL(engines.environment["MARQUEE_REDIS_URL"] ?? "");
  road = await openRoad(redis.hostname, Number(redis.port));
  redis.port = String(road.port);
  cells = await openCells({ ...engines.environment, MARQUEE_REDIS_URL: redis.href });
  for (const part of parts) await cells.start(part);
  const clip = join(cells.folder, "clip.mp4");
  await makeClip(clip, { width: 320, height: 180, rate: 12, durationS: 60, grain: 0 });
  await importClip(cells.admin, clip, FILM);
  await untilComplete(cells.admin, [FILM], 240_000);
  account = await makeAccount(cells.admin, "viewer@chaos.test");
  crowd = await makeAccount(cells.admin, "crowd@chaos.test");
  viewer = openViewer(cells.admin, cells.url, crowd, FILM);
});
after(async () => {
  await viewer?.pause();
  await cells?.close();
  await road?.close();
  await engines?.close();
});

/** A film on a television: what it has been given, and what it is answered from now on. */
async function watch() {
  const token = await accessToken(cells.admin, account.email);
  const post = async (path: string, body: unknown) =>
    fetch(`${cells.url}/api/web/v1/playback/sessions${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "x-marquee": "web" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
    });
  const begin = (device = DEVICE) => post("", { contentId: FILM, device });
  const answer = await begin();
  assert.equal(answer.status, 201, await answer.clone().text());
  const { sessionId, manifests } = (await answer.json()) as { sessionId: string; manifests: { hls: string } };
  const segments = await segmentsOf(manifests.hls);
  let sequence = 0;
  return {
    segments,
    starts: async () => (await begin({ ...DEVICE, id: "another" })).status === 201,
    beats: async () => (await post(`/${sessionId}/heartbeats`, beatOf((sequence += 1), sequence))).status === 200,
    plays: async (turn: number) => {
      const media = await fetch(segments[turn % segments.length] ?? "", {
        signal: AbortSignal.timeout(REQUEST_MS_MAX),
      });
      return media.ok && (await media.arrayBuffer()).byteLength > 0;
    },
  };
}

type Film = Awaited<ReturnType<typeof watch>>;

const works = (ask: () => Promise<boolean>): Promise<boolean> => ask().catch(() => false);

/** What is answered while something is broken. */
async function askMeanwhile(film: Film) {
  const answered = { plays: 0, playsNot: 0, beats: 0, starts: 0 };
  const untilMs = performance.now() + OUTAGE_MS;
  const asking = [
    (async () => {
      for (let turn = 0; performance.now() < untilMs; turn += 1, await pause(50))
        if (await works(() => film.plays(turn))) answered.plays += 1;
        else answered.playsNot += 1;
    })(),
    (async () => {
      for (; performance.now() < untilMs; await pause(200)) if (await works(film.beats)) answered.beats += 1;
    })(),
    (async () => {
      for (; performance.now() < untilMs; await pause(500)) if (await works(film.starts)) answered.starts += 1;
    })(),
  ];
  await Promise.all(asking);
  return answered;
}

/** PostgreSQL hangs, and is then killed whole; whoever keeps it starts it again. */
async function hangPostgres(): Promise<() => Promise<void>> {
  const signal = async (name: NodeJS.Signals): Promise<void> => {
    for (const pid of await cells.postgres()) {
      try {
        process.kill(pid, name);
      } catch {
        // A connection of its ended in this moment.
      }
    }
  };
  await signal("SIGSTOP");
  return () => signal("SIGKILL");
}

async function breakEngine(name: string): Promise<() => Promise<void>> {
  if (name === "postgres") return hangPostgres();
  await engines.kill(name);
  return () => engines.start(name);
}

describe("engines that go away", { timeout: 1_200_000 }, () => {
  for (const { engine, beats, starts } of OUTAGES)
    test(`without ${engine} films play on${beats ? ", beats are taken" : ""}${starts ? ", others begin" : ""}; it comes back and all is as before`, async (t) => {
      await viewer.signIn();
      viewer.play();
      const film = await watch();
      // What has played is in the edges' caches, as any popular film is.
      for (const turn of film.segments.keys()) assert.ok(await film.plays(turn), "a segment came before the outage");
      const mend = await breakEngine(engine);
      const answered = await askMeanwhile(film);
      const mendedMs = performance.now();
      await mend();
      for (const [what, ask] of [
        ["beats", film.beats],
        ["starts", film.starts],
      ] as const)
        await until(`${what} after ${engine} is back`, RECOVERY_MS_MAX, async () => ((await works(ask)) ? true : null));
      t.diagnostic(
        `${engine}: ${JSON.stringify(answered)}; whole again ${Math.round(performance.now() - mendedMs)} ms after its start`,
      );
      await viewer.pause();
      assert.equal(answered.playsNot, 0, "a segment of a film that plays did not come");
      assert.ok(answered.plays > 10);
      assert.equal(answered.beats > 0, beats, `${answered.beats} beats were taken without ${engine}`);
      assert.equal(answered.starts > 0, starts, `${answered.starts} sessions began without ${engine}`);
    });

  test(`a cache that takes ${SLOW_MS} ms for each answer takes nobody else down`, async (t) => {
    await viewer.signIn();
    viewer.play();
    const film = await watch();
    road.setDelayMs(SLOW_MS);
    const answered = await askMeanwhile(film);
    road.setDelayMs(0);
    t.diagnostic(`redis, slow: ${JSON.stringify(answered)}`);
    await viewer.pause();
    assert.equal(answered.playsNot, 0);
    assert.ok(answered.beats > 0 && answered.starts > 0);
  });

  test("after all that everything that was acknowledged is there", async (t) => {
    await until("the crowd's session lives", RECOVERY_MS_MAX, async () =>
      (await works(viewer.isKnown)) ? true : null,
    );
    t.diagnostic(`counted: ${JSON.stringify(await count(cells, [{ account: crowd, viewer }], FILM))}`);
  });
});
