import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseSteeringRequest, writeSteering } from "./index.ts";

describe("content steering", () => {
  test("writes one document for HLS and DASH", () => {
    const document = writeSteering({
      ttlS: 30,
      reloadUri: "/steer?session=1",
      priority: ["B", "A", "C"],
      clones: [{ id: "C", baseId: "A", host: "c.example:8443", params: { t: "1" } }],
    });
    assert.deepEqual(JSON.parse(document), {
      VERSION: 1,
      TTL: 30,
      "RELOAD-URI": "/steer?session=1",
      "PATHWAY-PRIORITY": ["B", "A", "C"],
      "PATHWAY-CLONES": [
        { "BASE-ID": "A", ID: "C", "URI-REPLACEMENT": { HOST: "c.example:8443", PARAMS: { t: "1" } } },
      ],
    });
    assert.deepEqual(JSON.parse(writeSteering({ ttlS: 1, priority: ["A"] })), {
      VERSION: 1,
      TTL: 1,
      "PATHWAY-PRIORITY": ["A"],
    });
  });

  test("refuses what players would", () => {
    for (const bad of [
      { ttlS: 0, priority: ["A"] },
      { ttlS: 1.5, priority: ["A"] },
      { ttlS: 1, priority: [] },
      { ttlS: 1, priority: ["A", "A"] },
      { ttlS: 1, priority: ["a b"] },
    ]) {
      assert.throws(() => writeSteering(bad), RangeError, JSON.stringify(bad));
    }
  });

  test("reads what players report", () => {
    const request = (query: string): unknown => parseSteeringRequest(new URLSearchParams(query));
    assert.deepEqual(request("_HLS_pathway=A&_HLS_throughput=5000000"), {
      protocol: "hls",
      pathways: ["A"],
      throughputsBps: [5_000_000],
    });
    assert.deepEqual(request('_DASH_pathway="A,B"&_DASH_throughput="1000,2000"'), {
      protocol: "dash",
      pathways: ["A", "B"],
      throughputsBps: [1000, 2000],
    });
    assert.deepEqual(request("_DASH_pathway=<script>&_DASH_throughput=fast"), {
      protocol: "dash",
      pathways: [],
      throughputsBps: [],
    });
    assert.deepEqual(request("x=1"), { protocol: null, pathways: [], throughputsBps: [] });
  });
});
