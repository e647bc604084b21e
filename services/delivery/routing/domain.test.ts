import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { silentLogger } from "#kernel/telemetry";
import {
  moveOn,
  type Network,
  type NetworkHealth,
  type Report,
  SAMPLES_MIN,
  scoreOf,
  select,
  troubleOf,
  withExperience,
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
const [a, b, c] = [network("a"), network("b"), network("c")];

test("while little is known, sessions go round, the near and the living first", () => {
  const turns = [0, 1, 2, 3].map((turn) => select([a, b, c], new Map(), "DE", turn));
  assert.deepEqual(
    turns.map(({ order }) => ids(order)),
    ["abc", "bca", "cab", "abc"],
  );
  assert.ok(turns.every(({ isFallback }) => isFallback));
  const far = network("f", { regions: ["US"] });
  const near = network("n", { regions: ["DE"] });
  for (const turn of [0, 1]) assert.equal(ids(select([far, near], new Map(), "DE", turn).order), "nf");
  assert.equal(ids(select([a, b], new Map([["a", health({ isUp: false, samples: 0 })]]), "DE", 0).order), "ba");
  assert.equal(
    ids(select([near, far], new Map([["n", health({ isUp: false })]]), "DE", 0).order),
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
    const known = new Map([
      ["a", health(figures)],
      ["b", health()],
    ]);
    const { order, isFallback } = select([a, b], known, "DE", 1);
    assert.deepEqual([ids(order), isFallback], [expected, false]);
  }
  const dear = network("d", { costTier: 3 });
  const known = new Map([
    ["d", health()],
    ["a", health()],
  ]);
  assert.equal(ids(select([dear, a], known, "", 0).order), "ad", "the cheaper one of equals");
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
    fc.property(fc.array(figures, { maxLength: 6 }), fc.nat(1_000), (all, turn) => {
      const networks = all.map((_, i) => network(`n${i}`));
      const known = new Map(all.map((one, i) => [`n${i}`, one]));
      const { order } = select(networks, known, "DE", turn);
      assert.deepEqual(order.map(({ id }) => id).toSorted(), networks.map(({ id }) => id).toSorted());
      const up = order.map(({ id }) => known.get(id)?.isUp);
      assert.ok(up.lastIndexOf(true) < (up.indexOf(false) === -1 ? Infinity : up.indexOf(false)));
      for (const each of networks) {
        const score = scoreOf(each, known.get(each.id), "DE");
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
  const known = new Map([
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
  const { order, isFallback } = select([a, b], known, "DE", 0);
  assert.deepEqual([ids(order), isFallback], ["ba", false], "a process that heard of no beat itself knows by them");
});
