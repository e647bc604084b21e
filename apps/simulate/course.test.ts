import assert from "node:assert/strict";
import { test } from "node:test";
import { topK } from "#learning/ranking";
import { type Cinema, type CourseOptions, type Row, runCourse, type SeenHome } from "./course.ts";
import { drawCourse, sparkline } from "./picture.ts";
import { makeWorld, type World } from "./world.ts";

const world = makeWorld({ seed: 1, personas: 30, titles: 200 });
const INTERVALS = 3;

/** A cinema that shows what it is told to show, and knows nothing itself. */
function openStage(show: (persona: number, watched: ReadonlySet<number>) => SeenHome, why: readonly number[] = []) {
  const stage = { watched: world.tastes.map(() => new Set<number>()), shares: [] as number[], tiles: 0, lessons: 0 };
  const cinema: Cinema = {
    look: async (persona) => show(persona, stage.watched[persona] ?? new Set()),
    async watch(persona, title, share, tile) {
      assert.ok(!stage.watched[persona]?.has(title), "nobody watches a title again");
      stage.watched[persona]?.add(title);
      stage.shares.push(share);
      if (tile) stage.tiles += 1;
    },
    why: async () => why,
    async learn() {
      stage.lessons += 1;
    },
  };
  return { cinema, stage };
}

async function run(of: World, cinema: Cinema, more: Partial<CourseOptions> = {}): Promise<Row[]> {
  const rows: Row[] = [];
  let nowMs = 0;
  await runCourse(of, cinema, {
    ...{ seed: 2, intervals: INTERVALS, intervalMs: 0, signal: new AbortController().signal },
    ...{ nowMs: () => nowMs, sleep: async (ms: number) => void (nowMs += ms), onRow: (row: Row) => rows.push(row) },
    ...more,
  });
  return rows;
}

const railOf = (titles: readonly number[], kind = "for_you", about: number | null = null): SeenHome => ({
  rails: [{ kind, about, titles }],
  isPartial: false,
});

test("homes that know tastes are far above popularity, and those that show all the same are not", async () => {
  const { cinema: knowing, stage } = openStage((persona, watched) =>
    railOf(topK(world.tastes[persona] ?? new Float64Array(), 20, (title) => watched.has(title))),
  );
  const rows = await run(world, knowing);
  assert.equal(rows.length, INTERVALS + 1);
  assert.equal(stage.lessons, INTERVALS);
  const last = rows.at(-1);
  assert.ok(last && last.home > 0.95 && last.difference.low > 0.3, JSON.stringify(last));
  assert.ok(last.alike < 0.5);
  assert.equal(last.failed, 0);
  assert.equal(last.watched, stage.shares.length);
  assert.ok(last.watched > INTERVALS * world.tastes.length, "each looks twice in an interval");
  assert.ok(stage.tiles > 0 && stage.tiles < last.watched, "some went where a rail leads, others had heard of a title");

  const same = Array.from({ length: 20 }, (_, at) => at);
  const dull = (await run(world, openStage(() => railOf(same)).cinema)).at(-1);
  assert.ok(dull && dull.difference.low < 0, JSON.stringify(dull));
  assert.equal(dull.alike, 1);
});

test("a reason counts as true only if its persona watched what it names", async () => {
  const because = (about: number) =>
    openStage((_, watched) => railOf([...watched].length > 0 ? [150, 151] : [], "because", about));
  const { cinema, stage } = because(199);
  // What is named was watched by nobody, unless they heard of it elsewhere.
  const lied = (await run(world, cinema)).at(-1);
  const knew = stage.watched.filter((watched) => watched.has(199)).length;
  assert.ok(lied && lied.asked > 0);
  assert.equal(lied.withTrueReason, 2 * knew);
  assert.equal(lied.withFalseReason, lied.asked - 2 * knew);

  const honest = openStage((_, watched) => railOf([150, 151], "because", [...watched][0] ?? null));
  const told = (await run(world, honest.cinema)).at(-1);
  assert.equal(told?.withFalseReason, 0);
  assert.ok(told && told.withTrueReason > 0);
});

test("visits that fail are counted and made up for by nobody; a product that only fails ends the course", async () => {
  let calls = 0;
  const { cinema } = openStage(() => railOf([1, 2, 3, 4, 5]));
  const limping: Cinema = {
    ...cinema,
    async watch(...of) {
      calls += 1;
      if (calls % 10 === 0) throw new Error("away for a moment");
      await cinema.watch(...of);
    },
  };
  const rows = await run(world, limping);
  assert.equal(
    rows.reduce((sum, { failed }) => sum + failed, 0),
    Math.floor(calls / 10),
  );
  const dead: Cinema = { ...cinema, watch: () => Promise.reject(new Error("away for good")) };
  await assert.rejects(run(world, dead), /away for good/);
});

test("a signal ends the course with the rows that there are, and an interval takes its time", async () => {
  const abort = new AbortController();
  const { cinema } = openStage(() => railOf([1, 2, 3]));
  const cut = await run(world, cinema, { signal: abort.signal, onVisit: (watched) => watched > 70 && abort.abort() });
  assert.ok(cut.length >= 1 && cut.length < INTERVALS + 1, `${cut.length} rows`);
  const paced = await run(world, openStage(() => railOf([1, 2, 3])).cinema, { intervalMs: 10_000 });
  assert.deepEqual(
    paced.map(({ atS }) => Math.round(atS / 10)),
    [0, 1, 2, 3],
  );
});

test("the picture has a point for each row, whatever the rows", async () => {
  const rows = await run(world, openStage(() => railOf([1, 2, 3])).cinema);
  for (const some of [rows, rows.slice(0, 1)]) {
    const drawn = drawCourse(some, "30 personas");
    assert.equal(drawn.match(/<circle /g)?.length, 2 * some.length);
    assert.ok(!/NaN|undefined|Infinity/.test(drawn), drawn);
  }
  assert.equal(sparkline([0, 0.5, 1], 1), "▁▅█");
});
