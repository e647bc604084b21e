import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { insertedS, toPresentedS, toTitleS } from "./index.ts";

const breaks = fc
  .uniqueArray(fc.record({ atS: fc.nat(1_000), durationS: fc.integer({ min: 1, max: 90 }) }), {
    selector: ({ atS }) => atS,
    maxLength: 6,
  })
  .map((all) => all.toSorted((a, b) => a.atS - b.atS));

test("property: a place of the title is found again, whatever ads stand before it", () => {
  fc.assert(
    fc.property(breaks, fc.nat(1_000), (all, titleS) => assert.equal(toTitleS(all, toPresentedS(all, titleS)), titleS)),
  );
});

test("property: the title's clock stands still in breaks, goes with the player's elsewhere, and never goes back", () => {
  fc.assert(
    fc.property(breaks, (all) => {
      const endS = 1_001 + insertedS(all);
      let stoodS = 0;
      for (let at = 0; at < endS; at++) {
        const step = toTitleS(all, at + 1) - toTitleS(all, at);
        assert.ok(step === 0 || step === 1, `from ${at} to ${at + 1} it goes ${step}`);
        if (step === 0) stoodS++;
      }
      assert.equal(stoodS, insertedS(all));
      assert.equal(toTitleS(all, endS), 1_001);
    }),
  );
});
