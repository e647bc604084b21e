import assert from "node:assert/strict";
import { test } from "node:test";
import { endure, isPassing, type Outage, readNews, standStill, type Still } from "./outage.ts";

test("who waits in vain leaps to the edge every three seconds, and gives up after a minute", () => {
  let outage: Outage | null = null;
  const said: string[] = [];
  for (let nowMs = 0; nowMs <= 62_000; nowMs += 500) {
    const next = endure(outage, nowMs);
    outage = next.outage;
    if (next.what !== "wait") said.push(`${next.what} ${nowMs / 1_000}`);
  }
  assert.deepEqual(said.slice(0, 3), ["leap 3", "leap 6", "leap 9"]);
  assert.deepEqual(said.slice(-2), ["give up 61.5", "give up 62"]);
  assert.equal(said.filter((each) => each.startsWith("leap")).length, 20);
});

test("a failure long after the last one begins anew", () => {
  const first = endure(null, 0);
  const second = endure({ ...first.outage, lastMs: 59_000 }, 80_000);
  assert.deepEqual(second, { outage: { sinceMs: 80_000, lastMs: 80_000, leaptMs: 80_000 }, what: "wait" });
});

test("only what is the network's passes by itself", () => {
  assert.equal(isPassing({ category: 1, code: 1_001, data: [] }), true);
  assert.equal(isPassing({ category: 6, code: 6_007, data: [] }), false);
  assert.equal(isPassing(new TypeError("nothing")), false);
});

test("a picture that stands still is made anew while its channel goes on, now and then, and not while nothing comes", () => {
  const remade = (newsMsAt: (nowMs: number) => number): number[] => {
    let still: Still | null = null;
    const at: number[] = [];
    for (let nowMs = 0; nowMs <= 60_000; nowMs += 2_000) {
      const next = standStill(still, nowMs, newsMsAt(nowMs));
      still = next.still;
      if (next.isHopeless) at.push(nowMs);
    }
    return at;
  };
  assert.deepEqual(
    remade((nowMs) => nowMs - 500),
    [8_000, 38_000],
  );
  assert.deepEqual(
    remade(() => 0),
    [],
  );
  assert.deepEqual(
    remade((nowMs) => (nowMs < 20_000 ? 0 : nowMs)),
    [26_000, 56_000],
  );
  const short = standStill({ sinceMs: 0, lastMs: 2_000, remadeMs: 0 }, 10_000, 10_000);
  assert.equal(short.isHopeless, false, "it had gone on in between");
});

test("playlists say something new when they end otherwise than before", () => {
  let nowMs = 1_000;
  const news = readNews(() => nowMs);
  const take = (uri: string, text: string) => news.take(uri, new TextEncoder().encode(text));
  take("https://a.test/live/ch/v/index.m3u8?_HLS_msn=1", "one");
  take("https://a.test/live/ch/main.mpd", "<MPD/>");
  assert.equal(news.lastMs(), Number.NEGATIVE_INFINITY);
  nowMs = 2_000;
  take("https://b.test/live/ch/v/index.m3u8?_HLS_msn=2", "one, two");
  assert.equal(news.lastMs(), 2_000);
  nowMs = 3_000;
  take("https://b.test/live/ch/v/index.m3u8", "one, two");
  assert.equal(news.lastMs(), 2_000);
});
