import assert from "node:assert/strict";
import { test } from "node:test";
import { DOMParser } from "@xmldom/xmldom";
import { topics } from "#contracts/topics";
import { callers } from "../callers.ts";
import { services } from "../services.ts";
import { topologyAsDot, topologyAsMermaid, topologyAsText } from "./topology.ts";
import { topologyOf } from "./topology-model.ts";
import { drawTopology, layersOf } from "./topology-svg.ts";

const topology = topologyOf(services, callers, topics);

test("it is what the declarations say", () => {
  const has = (from: string, to: string) => topology.calls.some((call) => call.from === from && call.to === to);
  assert.ok(has("session", "token"));
  assert.ok(has("web", "catalog"));
  assert.ok(!has("bookmark", "session"));
  const calls = services.reduce((sum, { uses }) => sum + Object.keys(uses).length, 0);
  assert.equal(topology.calls.filter(({ from }) => from !== "web").length, calls);
  const heartbeat = topology.events.find(({ event }) => event === "playback.heartbeat");
  assert.deepEqual(heartbeat, {
    event: "playback.heartbeat",
    topic: "playback.heartbeats",
    from: "session",
    to: ["routing", "bookmark", "ads", "qoe", "features"],
  });
  assert.deepEqual(
    topology.nodes.filter(({ kind }) => kind === "bff").map(({ name }) => name),
    ["web"],
  );
});

test("text, Mermaid and DOT name every service and every call", () => {
  const text = topologyAsText(topology, 200).join("\n");
  const mermaid = topologyAsMermaid(topology);
  const dot = topologyAsDot(topology);
  for (const { name } of topology.nodes) for (const form of [text, mermaid, dot]) assert.ok(form.includes(name));
  assert.equal(mermaid.match(/ --> /g)?.length, topology.calls.length);
  assert.equal(dot.match(/ -> [^[\n]*;/g)?.length, topology.calls.length);
  assert.match(mermaid, /s_user -\. "user\.created<br>.*" \.-> s_auth|s_user -\. "user\.created/);
});

test("callers stand left of those whom they call, and rings come to an end", () => {
  const layers = layersOf(
    ["web", "a", "b", "c", "alone"],
    [
      { from: "web", to: "a" },
      { from: "a", to: "b" },
      { from: "web", to: "b" },
      { from: "b", to: "a" },
      { from: "b", to: "c" },
    ],
  );
  assert.deepEqual(layers, [["web", "alone"], ["a"], ["b"], ["c"]]);
});

test("the picture is whole XML with a box for each service and a line for each call", () => {
  const svg = drawTopology(topology);
  const faults: string[] = [];
  const document = new DOMParser({ onError: (_, message) => faults.push(message) }).parseFromString(
    svg,
    "image/svg+xml",
  );
  assert.deepEqual(faults, []);
  const boxes = document.getElementsByTagName("g").length;
  assert.equal(boxes, topology.nodes.length + 1);
  assert.ok(!/NaN|undefined/.test(svg));
  const solid = [...svg.matchAll(/<title>\S+ calls \S+<\/title>/g)].length;
  assert.equal(solid, topology.calls.length);
});
