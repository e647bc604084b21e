import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { type GateOptions, openGate } from "./admission.ts";
import { Problem } from "./errors.ts";

interface Options {
  readonly waitMsMax?: number;
  readonly turnMsMax?: number;
  readonly loop?: { load: number; nowMs: number };
  readonly lines?: GateOptions["lines"];
}

function line(options: Options = {}) {
  const loop = options.loop ?? { load: 0, nowMs: 0 };
  const limits = { atOnceMax: 2, waitingMax: 3, waitMsMax: options.waitMsMax ?? 60_000 };
  const refused: string[] = [];
  const gate = openGate({
    placeOf: () => "begins",
    lines: options.lines ?? [
      { place: "goes on", ...limits },
      { place: "begins", ...limits },
    ],
    turnMsMax: options.turnMsMax ?? 60_000,
    load: { now: () => loop.load, max: 0.4 },
    refused: (place) => refused.push(place),
    nowMs: () => loop.nowMs,
  });
  const told: string[] = [];
  const come = (name: string, place = "begins"): EventEmitter => {
    const response = new EventEmitter();
    gate.enter(
      place,
      response as never,
      () => told.push(`${name} enters`),
      (error) => told.push(`${name} ${error instanceof Problem ? error.reason : "?"}`),
    );
    return response;
  };
  return { told, come, loop, refused };
}

test("a few enter at a time, in their order; who stands behind too many is told to come back", () => {
  const { told, come } = line();
  const [a, b] = [come("a"), come("b")];
  const others = ["c", "d", "e", "f"].map((name) => come(name));
  assert.deepEqual(told, ["a enters", "b enters", "f busy"]);
  // Who goes away while waiting gives up the place without having had a turn.
  others[0]?.emit("close");
  a?.emit("close");
  b?.emit("close");
  assert.deepEqual(told.slice(3), ["d enters", "e enters"]);
  for (const response of others) response.emit("close");
  const last = come("g");
  assert.equal(told.at(-1), "g enters");
  last.emit("close");
});

test("while the loop is busy, one enters every now and then; when it has room again, the others do", async () => {
  const loop = { load: 0.9, nowMs: 0 };
  const { told, come } = line({ loop });
  const all = ["a", "b", "c"].map((name) => come(name));
  assert.deepEqual(told, ["a enters"]);
  all[0]?.emit("close");
  assert.deepEqual(told, ["a enters"]);
  loop.nowMs = 200;
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.deepEqual(told, ["a enters", "b enters"]);
  loop.load = 0.2;
  await new Promise((resolve) => setTimeout(resolve, 40));
  assert.deepEqual(told, ["a enters", "b enters", "c enters"]);
  for (const response of all) response.emit("close");
});

test("nobody waits for ever", async () => {
  const { told, come } = line({ waitMsMax: 1 });
  const inside = [come("a"), come("b")];
  come("c");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(told, ["a enters", "b enters", "c busy"]);
  for (const response of inside) response.emit("close");
});

test("whoever has begun goes before those who have not", () => {
  const { told, come } = line();
  const [first, second] = [come("a"), come("b")];
  come("c");
  const begun = come("d", "goes on");
  first.emit("close");
  second.emit("close");
  assert.deepEqual(told, ["a enters", "b enters", "d enters", "c enters"]);
  begun.emit("close");
});

test("whoever stays inside without an end keeps nobody out, and gives a place back once", async () => {
  const { told, come } = line({ turnMsMax: 1 });
  const stuck = [come("a"), come("b")];
  come("c");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(told, ["a enters", "b enters", "c enters"]);
  for (const response of stuck) response.emit("close");
  for (const name of ["d", "e", "f"]) come(name);
  assert.deepEqual(told.slice(3), ["d enters", "e enters"]);
});

test("a lower line leaves room to a higher one, which goes first; each has an end of its own, and who is refused is counted", () => {
  const limits = { waitingMax: 1, waitMsMax: 60_000 };
  const { told, come, refused } = line({
    lines: [
      { place: "playback", atOnceMax: 3, ...limits },
      { place: "browsing", atOnceMax: 1, ...limits },
    ],
  });
  const first = come("home 1", "browsing");
  const second = come("home 2", "browsing");
  come("home 3", "browsing");
  const beats = ["beat 1", "beat 2", "beat 3"].map((name) => come(name, "playback"));
  assert.deepEqual(told, ["home 1 enters", "home 3 busy", "beat 1 enters", "beat 2 enters"]);
  assert.deepEqual(refused, ["browsing"]);
  first.emit("close");
  assert.equal(told.at(-1), "beat 3 enters");
  for (const beat of beats) beat.emit("close");
  assert.equal(told.at(-1), "home 2 enters");
  second.emit("close");
});
