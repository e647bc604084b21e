import assert from "node:assert/strict";
import { test } from "node:test";
import { openMetrics } from "./metrics.ts";

test("a metric that is asked for twice is one metric", async () => {
  const metrics = openMetrics();
  metrics.counter("starts_total", "Starts").inc();
  metrics.counter("starts_total", "Starts").inc();
  assert.match(await metrics.text(), /^marquee_starts_total 2$/m);
});

test("figures are read when somebody asks; one that hangs or fails hides no other", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const metrics = openMetrics();
  const depth = metrics.gauge("depth", "Depth", ["queue"]);
  let reads = 0;
  const stop = metrics.onRead(() => depth.set({ queue: "encoding" }, ++reads));
  metrics.onRead(() => Promise.reject(new Error("the database is away")));
  metrics.onRead(() => new Promise(() => {}));
  const read = async (): Promise<string> => {
    const text = metrics.text();
    t.mock.timers.tick(2_000);
    return text;
  };
  assert.match(await read(), /^marquee_depth\{queue="encoding"\} 1$/m);
  assert.match(await read(), /^marquee_depth\{queue="encoding"\} 2$/m);
  stop();
  assert.match(await read(), /^marquee_depth\{queue="encoding"\} 2$/m);
});
