import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { silentLogger } from "#kernel/telemetry";
import {
  type Minute,
  moveOn,
  type Network,
  type NetworkHealth,
  type Report,
  SAMPLES_MIN,
  scoreOf,
  select,
  troubleOf,
  withExperience,
  withMinute,
} from "./domain.ts";
import { openHealthBook } from "./health.ts";

const network = (id: string, more: Partial<Network> = {}): Network => ({
  ...{ id, baseUrl: `http://${id}.example`, regions: [], costTier: 1 },
  ...more,
});
const health = (more: Partial<NetworkHealth> = {}): NetworkHealth => ({
  ...{ isUp: true, latencyMs: 20, throughputKbps: 20_000, troubleRatio: 0, samples: SAMPLES_MIN },
  ...more,
});
const ids = (networks: readonly Network[]): string => networks.map(({ id }) => id).join("");
const known = (reported: ReadonlyMap<string, NetworkHealth>, turn = 0) => ({
  ...{ health: reported, risks: new Map<string, number>(), region: "DE", turn },
});
const risks = (all: readonly NetworkHealth[]) => new Map(all.map((one, i) => [`n${i}`, one.troubleRatio]));
const [a, b, c] = [network("a"), network("b"), network("c")];

test("while little is known, sessions go round, the near and the living first", () => {
  const turns = [0, 1, 2, 3].map((turn) => select([a, b, c], known(new Map(), turn)));
  assert.deepEqual(
    turns.map(({ order }) => ids(order)),
    ["abc", "bca", "cab", "abc"],
  );
  assert.ok(turns.every(({ isFallback }) => isFallback));
  const far = network("f", { regions: ["US"] });
  const near = network("n", { regions: ["DE"] });
  for (const turn of [0, 1]) assert.equal(ids(select([far, near], known(new Map(), turn)).order), "nf");
  assert.equal(ids(select([a, b], known(new Map([["a", health({ isUp: false, samples: 0 })]]))).order), "ba");
  assert.equal(
    ids(select([near, far], known(new Map([["n", health({ isUp: false })]]))).order),
    "fn",
    "a far one that lives",
  );
});

test("with figures for every network the better one comes first", () => {
  for (const [figures, expected] of [
    [{}, "ab"],
    [{ isUp: false }, "ba"],
    [{ troubleRatio: 0.1 }, "ba"],
    [{ throughputKbps: 2_000 }, "ba"],
    [{ latencyMs: 400 }, "ba"],
  ] as const) {
    const reported = new Map([
      ["a", health(figures)],
      ["b", health()],
    ]);
    const { order, isFallback } = select([a, b], known(reported, 1));
    assert.deepEqual([ids(order), isFallback], [expected, true], "no model said so");
  }
  const dear = network("d", { costTier: 3 });
  const reported = new Map([
    ["d", health()],
    ["a", health()],
  ]);
  assert.equal(ids(select([dear, a], { ...known(reported), region: "" }).order), "ad", "the cheaper one of equals");
});

test("where a model answered for all, the least risky comes first, and of equals the cheaper and the one whose turn it is", () => {
  const by = (all: Readonly<Record<string, number>>, networks: readonly Network[] = [a, b], turn = 0) =>
    select(networks, { ...known(new Map(), turn), risks: new Map(Object.entries(all)) });
  assert.deepEqual([ids(by({ a: 0.6, b: 0.1 }).order), by({ a: 0.6, b: 0.1 }).isFallback], ["ba", false]);
  assert.equal(
    ids(by({ a: 0.11, b: 0.1 }, [network("a", { costTier: 1 }), network("b", { costTier: 2 })]).order),
    "ab",
  );
  assert.deepEqual(
    [0, 1].map((turn) => ids(by({ a: 0.11, b: 0.1 }, [a, b], turn).order)),
    ["ab", "ba"],
  );
  assert.equal(by({ a: 0.6 }).isFallback, true, "nobody said how the other one is");
  const firsts = Array.from({ length: 100 }, (_, turn) => by({ a: 0.9, b: 0.1 }, [a, b], turn).order[0]?.id);
  const explored = firsts.filter((id) => id === "a").length;
  assert.ok(explored >= 1 && explored <= 4, `${explored} of 100 look whether it is well again`);
});

test("a history is the last minutes, each once, the later word about one first", () => {
  const minute = (at: number, beats = 1): Minute => ({
    ...{ minute: at, toMs: at * 60_000, beats, throughputKbps: 1, troubleRatio: 0, scoreP25: 90, latencyMs: 1 },
    isUp: true,
  });
  const all = Array.from({ length: 40 }, (_, at) => minute(at)).reduce<readonly Minute[]>(withMinute, []);
  assert.deepEqual([all.length, all[0]?.minute, all.at(-1)?.minute], [15, 25, 39]);
  assert.deepEqual(withMinute([minute(1, 1)], minute(1, 7)), [minute(1, 7)]);
});

test("property: every network is in the answer once, and one that is down is never before one that is up", () => {
  const figures = fc.record({
    isUp: fc.boolean(),
    latencyMs: fc.nat(2_000),
    throughputKbps: fc.nat(100_000),
    troubleRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    samples: fc.nat(40),
  });
  fc.assert(
    fc.property(fc.array(figures, { maxLength: 6 }), fc.nat(1_000), fc.boolean(), (all, turn, isModelled) => {
      const networks = all.map((_, i) => network(`n${i}`));
      const reported = new Map(all.map((one, i) => [`n${i}`, one]));
      const { order } = select(networks, { ...known(reported, turn), risks: isModelled ? risks(all) : new Map() });
      assert.deepEqual(order.map(({ id }) => id).toSorted(), networks.map(({ id }) => id).toSorted());
      const up = order.map(({ id }) => reported.get(id)?.isUp);
      assert.ok(up.lastIndexOf(true) < (up.indexOf(false) === -1 ? Infinity : up.indexOf(false)));
      for (const each of networks) {
        const score = scoreOf(each, reported.get(each.id), "DE");
        assert.ok(score >= 0 && score <= 100, String(score));
      }
    }),
  );
});

test("trouble is what a player suffers from, and nothing else", () => {
  const before = {
    tenant: "t",
    userId: "u",
    order: ["a", "b"],
    switchedAtMs: 0,
    rebufferCount: 1,
    rebufferDurationMs: 2_000,
  };
  const calm: Report = {
    ...{ networkId: "a", throughputKbps: 20_000, bitrateKbps: 4_000, bitrateMaxKbps: 8_000, rebufferCount: 1 },
    ...{ rebufferDurationMs: 2_000, bufferS: 10, errorCount: 0, state: "playing" },
  };
  for (const [report, expected] of [
    [{}, null],
    [{ throughputKbps: 300 }, "throughput"],
    [{ throughputKbps: 799 }, "throughput"],
    [{ throughputKbps: 800 }, null],
    [{ throughputKbps: 300, bitrateMaxKbps: 250 }, null],
    [{ throughputKbps: 300, bitrateMaxKbps: 0 }, "throughput"],
    [{ throughputKbps: 300, bufferS: 25 }, null],
    [{ throughputKbps: 300, state: "ended" }, null],
    [{ throughputKbps: 0 }, null],
    [{ errorCount: 1 }, "errors"],
    [{ rebufferCount: 2, rebufferDurationMs: 3_500 }, "rebuffering"],
    [{ rebufferCount: 2, rebufferDurationMs: 2_500 }, null],
    [{ rebufferCount: 1, rebufferDurationMs: 9_000 }, null],
  ] as const) {
    assert.equal(troubleOf({ ...calm, ...report }, before, true), expected, JSON.stringify(report));
  }
  assert.equal(troubleOf(calm, before, false), "unreachable");
});

test("whoever leaves goes to the next that is up, and stays where there is none", () => {
  assert.deepEqual(
    moveOn(["a", "b", "c"], () => true),
    ["b", "c", "a"],
  );
  assert.deepEqual(
    moveOn(["a", "b", "c"], (id) => id === "c"),
    ["c", "b", "a"],
  );
  assert.equal(
    moveOn(["a", "b"], () => false),
    null,
  );
  assert.equal(
    moveOn(["a"], () => true),
    null,
  );
});

test("the book learns from probes and reports, and counts a rebuffering once", async () => {
  let isWell = true;
  const book = openHealthBook(silentLogger, async () => new Response("", { status: isWell ? 200 : 503 }));
  const beat = { sessionId: "s", networkId: "a", throughputKbps: 1_000, rebufferCount: 0, errorCount: 0 };
  book.report(beat);
  assert.equal(book.snapshot().get("a"), undefined, "what was never probed is no network of ours");
  await book.probe([a]);
  book.report({ ...beat, rebufferCount: 2 });
  book.report({ ...beat, rebufferCount: 2 });
  book.report({ ...beat, rebufferCount: 2, throughputKbps: 0 });
  const seen = book.snapshot().get("a");
  assert.deepEqual([seen?.samples, seen?.throughputKbps], [3, 1_000]);
  assert.ok(seen && Math.abs(seen.troubleRatio - 1 / 3) < 1e-9);
  isWell = false;
  await book.probe([a]);
  assert.deepEqual([book.isUp("a"), book.isUp("unknown"), book.snapshot().get("a")?.samples], [false, true, 3]);
});

test("a refused probe says that a network is down; silence says so the second time", async () => {
  let probe: () => Promise<Response> = async () => new Response("", { status: 200 });
  const book = openHealthBook(silentLogger, () => probe());
  const isUpAfter = async (next: () => Promise<Response>): Promise<boolean> => {
    probe = next;
    await book.probe([a]);
    return book.isUp("a");
  };
  const silent = () => Promise.reject(new DOMException("late", "TimeoutError"));
  const refused = () => Promise.reject(new TypeError("fetch failed"));
  const well = () => Promise.resolve(new Response(""));
  assert.equal(await isUpAfter(silent), true);
  assert.equal(await isUpAfter(well), true);
  assert.equal(await isUpAfter(silent), true, "an answer in between begins the count anew");
  assert.equal(await isUpAfter(silent), false);
  assert.equal(await isUpAfter(silent), false);
  assert.equal(await isUpAfter(well), true);
  assert.equal(await isUpAfter(refused), false);
});

test("what all players see counts beside our own reports, by the beats behind each", () => {
  const own = health({ samples: 50, troubleRatio: 0, throughputKbps: 10_000 });
  const all = { beats: 150, troubleRatio: 0.4, throughputKbps: 2_000 };
  const seen = withExperience(own, all);
  assert.deepEqual([seen.samples, seen.throughputKbps], [200, 4_000]);
  assert.ok(Math.abs(seen.troubleRatio - 0.3) < 1e-9);
  assert.deepEqual(withExperience(own, undefined), own);
  assert.deepEqual(withExperience(own, { ...all, beats: 0 }), own);
  assert.equal(
    withExperience(health({ isUp: false }), all).isUp,
    false,
    "who does not answer is down, however well it was",
  );
  assert.equal(withExperience(own, { ...all, throughputKbps: 0 }).throughputKbps, 10_000, "nobody measured");
  const both = new Map([
    ["a", withExperience(health({ samples: 0, throughputKbps: 0 }), { ...all, beats: SAMPLES_MIN })],
    [
      "b",
      withExperience(health({ samples: 0, throughputKbps: 0 }), {
        beats: SAMPLES_MIN,
        troubleRatio: 0,
        throughputKbps: 2_000,
      }),
    ],
  ]);
  const { order, isFallback } = select([a, b], known(both));
  assert.deepEqual([ids(order), isFallback], ["ba", true], "a process that heard of no beat itself knows by them");
});
