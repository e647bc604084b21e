import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { context, createContextKey, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { InMemorySpanExporter } from "@opentelemetry/sdk-trace";
import { problem } from "./errors.ts";
import { VIEWER } from "./pseudonyms.ts";
import { inSpan } from "./telemetry.ts";
import { remoteSpan } from "./traceparent.ts";
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

test("flagged people's traces and errors are kept whole, whatever the share of the rest", async () => {
  const exporter = new InMemorySpanExporter();
  tracing = startTracing({ mode: "production", ratio: 0, users: new Set(["usr~0123456789abcdef"]), exporter });
  const play = async (viewer: string): Promise<string> =>
    inSpan("POST /playback", {}, null, async (span) => {
      await inSpan("session/Start", { [VIEWER]: viewer }, null, async () => {});
      return span.spanContext().traceId;
    });
  const flagged = await play("usr~0123456789abcdef");
  const other = await play("usr~fedcba9876543210");
  await assert.rejects(inSpan("broken", {}, null, async () => Promise.reject(problem.internal("it broke"))));
  await assert.rejects(inSpan("refused", {}, null, async () => Promise.reject(problem.denied("no"))));
  assert.equal(tracing.traces.find(flagged)?.spans.length, 2);
  assert.equal(tracing.traces.find(other), undefined);
  assert.deepEqual(
    tracing.traces.latest().map(({ name }) => name),
    ["broken", "POST /playback"],
  );
});

test("processes keep the same share of traces, because each reads it off the id", async () => {
  const ids: string[][] = [];
  const traceIds = Array.from({ length: 200 }, () => randomBytes(16).toString("hex"));
  for (let process = 0; process < 2; process++) {
    tracing = startTracing({ mode: "production", ratio: 0.5 });
    for (const id of traceIds) await inSpan("work", {}, remoteSpan(`00-${id}-00f067aa0ba902b7-01`), async () => {});
    ids.push(tracing.traces.latest().map(({ traceId }) => traceId));
    await tracing.stop();
  }
  assert.deepEqual(ids[0], ids[1]);
  // Six standard deviations around a half of 200.
  assert.ok((ids[0]?.length ?? 0) > 57 && (ids[0]?.length ?? 0) < 143);
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
