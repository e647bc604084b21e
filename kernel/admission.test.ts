import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { openGate, type Place } from "./admission.ts";
import { Problem } from "./errors.ts";

function line(
  options: { readonly waitMsMax?: number; readonly turnMsMax?: number; readonly lag?: { ms: number } } = {},
) {
  const lag = options.lag ?? { ms: 0 };
  const gate = openGate({
    ...{ placeOf: () => "begins", atOnceMax: 2, waitingMax: 3 },
    ...{ waitMsMax: options.waitMsMax ?? 60_000, turnMsMax: options.turnMsMax ?? 60_000, lagMs: () => lag.ms },
  });
  const told: string[] = [];
  const come = (name: string, place: Place = "begins"): EventEmitter => {
    const response = new EventEmitter();
    gate.enter(
      place,
      response as never,
      () => told.push(`${name} enters`),
      (error) => told.push(`${name} ${error instanceof Problem ? error.reason : "?"}`),
    );
    return response;
  };
  return { told, come, lag };
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

test("when the loop falls behind, one at a time goes on", () => {
  const { told, come, lag } = line({ lag: { ms: 50 } });
  const [a, b, c] = [come("a"), come("b"), come("c")];
  assert.deepEqual(told, ["a enters"]);
  a?.emit("close");
  assert.deepEqual(told, ["a enters", "b enters"]);
  lag.ms = 0;
  b?.emit("close");
  assert.deepEqual(told, ["a enters", "b enters", "c enters"]);
  c?.emit("close");
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
  const { told, come } = line({ lag: { ms: 50 } });
  const first = come("a");
  for (const name of ["b", "c"]) come(name);
  const begun = come("d", "goes on");
  first.emit("close");
  begun.emit("close");
  assert.deepEqual(told, ["a enters", "d enters", "b enters"]);
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
