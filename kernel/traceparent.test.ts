import assert from "node:assert/strict";
import { test } from "node:test";
import { INVALID_SPAN_CONTEXT, trace } from "@opentelemetry/api";
import fc from "fast-check";
import { listenHttp } from "./http.ts";
import { openMetrics } from "./metrics.ts";
import { silentLogger } from "./telemetry.ts";
import { remoteSpan, spanContextOf, traceparentOf } from "./traceparent.ts";
import { startTracing } from "./tracing.ts";

const HEADER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

test("a header is read and written the same", () => {
  assert.equal(traceparentOf(remoteSpan(HEADER)), HEADER);
  assert.deepEqual(spanContextOf(HEADER), {
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    spanId: "00f067aa0ba902b7",
    traceFlags: 1,
    isRemote: true,
  });
});

test("what is no header begins a new trace", () => {
  for (const wrong of [
    undefined,
    "",
    HEADER.toUpperCase(),
    HEADER.replace("00-", "ff-"),
    `${HEADER}-`,
    `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
    `00-4bf92f3577b34da6a3ce929d0e0e4736-${"0".repeat(16)}-01`,
  ])
    assert.equal(remoteSpan(wrong), null, wrong);
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(remoteSpan(text), null);
    }),
  );
  assert.equal(traceparentOf(trace.wrapSpanContext(INVALID_SPAN_CONTEXT)), undefined);
  assert.equal(traceparentOf(null), undefined);
});

test("a listener goes on with the traces of those whom it trusts, and of no others", async (t) => {
  const tracing = startTracing({ mode: "development" });
  t.after(() => tracing.stop());
  for (const continuesTraces of [true, false]) {
    const listener = await listenHttp({
      ...{ name: "origin", host: "127.0.0.1", port: 0, continuesTraces },
      mounts: [{ prefix: "/vod/", handle: (_, response) => void response.end() }],
      fallback: (_, response) => void response.end(),
      ...{ logger: silentLogger, metrics: openMetrics() },
    });
    await fetch(`http://127.0.0.1:${listener.port}/vod/x`, { headers: { traceparent: HEADER } });
    await listener.stop();
    const [latest] = tracing.traces.latest();
    assert.equal(latest?.traceId === "4bf92f3577b34da6a3ce929d0e0e4736", continuesTraces);
  }
});
