import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { context, createContextKey, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace";
import { problem } from "./errors.ts";
import { inSpan } from "./telemetry.ts";
import { asyncContext, startTracing, type Tracing } from "./tracing.ts";

let tracing: Tracing | undefined;
afterEach(async () => {
  await tracing?.stop();
  tracing = undefined;
});

test("a context follows promises, and ends with its call", async () => {
  const manager = asyncContext();
  const key = createContextKey("who");
  const who = (): unknown => manager.active().getValue(key);
  await Promise.all(
    ["ada", "bob"].map((name) =>
      manager.with(ROOT_CONTEXT.setValue(key, name), async () => {
        await sleep(1);
        assert.equal(who(), name);
      }),
    ),
  );
  assert.equal(who(), undefined);
  const bound = manager.bind(ROOT_CONTEXT.setValue(key, "eve"), (greeting: string) => `${greeting} ${String(who())}`);
  assert.equal(bound("hello"), "hello eve");
});

test("spans inside spans are one trace, with the outer one first", async () => {
  tracing = startTracing({ mode: "development" });
  let traceId = "";
  await inSpan("GET /home", { route: "/home" }, null, async (outer) => {
    traceId = outer.spanContext().traceId;
    await sleep(1);
    await inSpan("catalog/List", { "rpc.service": "catalog" }, null, async () => {
      assert.equal(trace.getActiveSpan()?.spanContext().traceId, traceId);
    });
  });
  const found = tracing.traces.find(traceId);
  assert.equal(found?.name, "GET /home");
  assert.deepEqual(
    found?.spans.map((span) => span.name),
    ["GET /home", "catalog/List"],
  );
  assert.equal(found?.spans[1]?.parentSpanId, found?.spans[0]?.spanId);
  assert.equal(found?.isError, false);
  assert.equal(trace.getSpan(context.active()), undefined);
});

test("production keeps every error and about a tenth of the rest", async () => {
  const exporter = new InMemorySpanExporter();
  tracing = startTracing({ mode: "production", exporter });
  const failed: string[] = [];
  for (let i = 0; i < 1_000; i++) {
    await inSpan("work", {}, null, async (span) => {
      if (i % 100 !== 0) return;
      failed.push(span.spanContext().traceId);
      await inSpan("step", {}, null, async () => Promise.reject(problem.internal("it broke"))).catch(() => {});
    });
  }
  // 990 fine traces, each kept with probability 0.1: six standard deviations around 99.
  const kept = tracing.traces.latest();
  const fine = kept.filter((record) => !record.isError).length;
  assert.ok(fine > 42 && fine < 156, `${fine} of 990 were kept`);
  for (const traceId of failed) assert.equal(tracing.traces.find(traceId)?.spans.length, 2);
});

test("a bounded number is remembered, and attributes are masked", async () => {
  tracing = startTracing({ mode: "development" });
  for (let i = 0; i < 250; i++) await inSpan(`n${i}`, { to: "ada@example.test" }, null, async () => {});
  const latest = tracing.traces.latest();
  assert.equal(latest.length, 200);
  assert.equal(latest[0]?.name, "n249");
  assert.equal(latest[0]?.spans[0]?.attributes["to"], "<email>");
});

test("kept traces go to an OTLP collector", async (t) => {
  const bodies: { path: string | undefined; text: string }[] = [];
  const collector = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => (text += String(chunk)));
    request.on("end", () => {
      bodies.push({ path: request.url, text });
      response.end("{}");
    });
  });
  t.after(() => collector.close());
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const { port } = collector.address() as AddressInfo;
  tracing = startTracing({ mode: "development", otlpEndpoint: `http://127.0.0.1:${port}/` });
  await inSpan("playback/Start", {}, null, async () => {});
  await tracing.stop();
  assert.equal(bodies[0]?.path, "/v1/traces");
  assert.match(bodies[0]?.text ?? "", /"name":"playback\/Start"/);
  assert.match(bodies[0]?.text ?? "", /marquee/);
});
