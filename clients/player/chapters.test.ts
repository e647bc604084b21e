import assert from "node:assert/strict";
import { test } from "node:test";
import { chapterAt } from "./chapters.ts";

test("a chapter lasts until the next one begins", () => {
  const chapters = [
    { startS: 2, title: "Dawn" },
    { startS: 10.5, title: "Noon" },
  ];
  const titles = [0, 2, 10.4, 10.5, 900].map((positionS) => chapterAt(chapters, positionS)?.title ?? null);
  assert.deepEqual(titles, [null, "Dawn", "Dawn", "Noon", "Noon"]);
  assert.equal(chapterAt([], 5), null);
});
