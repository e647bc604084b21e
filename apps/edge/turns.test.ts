import assert from "node:assert/strict";
import { it } from "node:test";
import { openTurns } from "./turns.ts";

it("turns come in the order of asking, and what cannot wait comes in between", async () => {
  const turns = openTurns();
  const seen: (number | "urgent")[] = [];
  const all = Array.from({ length: 1_000 }, (_, index) => turns.next().then(() => void seen.push(index)));
  // Asked for behind all of them, and done after the first slice.
  setImmediate(() => setImmediate(() => seen.push("urgent")));
  await Promise.all(all);
  const urgentAt = seen.indexOf("urgent");
  assert.ok(urgentAt > 0 && urgentAt < 1_000, `it came behind ${urgentAt} of them`);
  assert.deepEqual(
    seen.filter((each) => each !== "urgent"),
    Array.from({ length: 1_000 }, (_, index) => index),
  );
  await turns.next();
});
