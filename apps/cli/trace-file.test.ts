import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Problem } from "#kernel";
import { extentOf, parseTraces, processesOf, rowsOf } from "./trace-model.ts";
import { drawTrace, linesOf } from "./trace-svg.ts";

const TRACE = "5b8efff798038103d269b633813fc60c";

interface Told {
  readonly id: string;
  readonly parent?: string;
  readonly name: string;
  /** As OTLP counts: 2 server, 3 client, 5 consumer. */
  readonly kind: number;
  readonly beganMs: number;
  readonly tookMs: number;
}

/** A collector's line about one process. */
const lineOf = (process: string, spans: readonly Told[]): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: process } }] },
        scopeSpans: [
          {
            spans: spans.map(({ id, parent, name, kind, beganMs, tookMs }) => ({
              traceId: TRACE,
              spanId: id.padStart(16, "0"),
              ...(parent === undefined ? {} : { parentSpanId: parent.padStart(16, "0") }),
              ...{ name, kind, startTimeUnixNano: `${1_700_000_000_000 + beganMs}000000` },
              endTimeUnixNano: `${1_700_000_000_000 + beganMs + tookMs}000000`,
              attributes: [{ key: "n", value: { intValue: "7" } }],
              status: {},
            })),
          },
        ],
      },
    ],
  });

/** A request, a call to another process, and what that process said to a third one by the log. */
const FILE = [
  lineOf("insight", [{ id: "4", parent: "3", name: "qoe consumes x", kind: 5, beganMs: 60, tookMs: 15 }]),
  lineOf("playback", [{ id: "3", parent: "2", name: "session/Start", kind: 2, beganMs: 10, tookMs: 30 }]),
  lineOf("web", [
    { id: "1", name: "POST <sessions>", kind: 2, beganMs: 0, tookMs: 50 },
    { id: "2", parent: "1", name: "session/Start", kind: 3, beganMs: 5, tookMs: 40 },
  ]),
]
  .map((line) => `${line}\n`)
  .join("");

test("spans of several processes become one tree, in whatever order they came, also while more are being written", () => {
  const [trace, ...others] = parseTraces(`${FILE}${FILE}{"resourceSp`);
  assert.ok(trace);
  assert.deepEqual(others, []);
  assert.deepEqual(processesOf(trace), ["web", "playback", "insight"]);
  assert.deepEqual(
    rowsOf(trace).map(({ span, depth }) => [span.spanId.at(-1), span.kind, depth]),
    [
      ["1", "server", 0],
      ["2", "client", 1],
      ["3", "server", 2],
      ["4", "consumer", 3],
    ],
  );
  assert.deepEqual(extentOf(trace), { startMs: 1_700_000_000_000, durationMs: 75 });
  assert.deepEqual(trace.spans[0]?.attributes, { n: "7" });
});

test("a picture shows a call and its answer as one row, and names nobody's text as its own", () => {
  const [trace] = parseTraces(FILE);
  assert.ok(trace);
  assert.deepEqual(
    linesOf(trace).map(({ span, call, depth }) => [span.process, call?.process, depth]),
    [
      ["web", undefined, 0],
      ["playback", "web", 1],
      ["insight", undefined, 2],
    ],
  );
  const svg = drawTrace(trace);
  assert.match(svg, /POST &#60;sessions&#62;/);
  assert.doesNotMatch(svg, /<sessions>/);
  assert.match(svg, /4 spans in 3 processes/);
  assert.equal(svg.match(/stroke-dasharray/g)?.length, 2, "one way through the log, and its legend");
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
});

test("what is no collector's file is refused with the line at fault", () => {
  for (const bad of ["{", "[]", '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"x"}]}]}]}'])
    assert.throws(
      () => parseTraces(`${FILE}${bad}\n`),
      (error) => error instanceof Problem && error.code === "invalid_argument" && error.message.startsWith("line 4"),
    );
  assert.deepEqual(parseTraces("\n\n"), []);
});

test("every span is in exactly one row, whatever is said about parents", () => {
  const span = fc.record({
    id: fc.integer({ min: 1, max: 12 }).map((n) => n.toString(16)),
    parent: fc.integer({ min: 1, max: 20 }).map((n) => n.toString(16)),
    name: fc.string(),
    kind: fc.integer({ min: 0, max: 6 }),
    beganMs: fc.nat(1_000),
    tookMs: fc.nat(1_000),
  });
  fc.assert(
    fc.property(fc.uniqueArray(span, { selector: ({ id }) => id, minLength: 1, maxLength: 12 }), (spans) => {
      const [trace] = parseTraces(`${lineOf("one", spans)}\n`);
      assert.ok(trace);
      assert.deepEqual(new Set(rowsOf(trace).map((row) => row.span.spanId)).size, spans.length);
      assert.equal(rowsOf(trace).length, spans.length);
      assert.doesNotMatch(drawTrace(trace), /NaN|Infinity/);
    }),
  );
});
