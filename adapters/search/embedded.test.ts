import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, test } from "node:test";
import { startGuardian } from "#kernel/guardian";
import { searchContract } from "./contract.ts";
import { openEmbeddedSearch } from "./embedded.ts";
import { slipsBetween, wordsOf } from "./words.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";
import { openTestPostgres } from "../../kernel/testing/postgres.ts";

const guardian = startGuardian();
const folder = await makeTestFolder("search");
const postgres = await openTestPostgres(folder, guardian);
after(async () => {
  await postgres.stop();
  guardian.stop();
  await rm(folder, { recursive: true, force: true });
});

searchContract("embedded", () => openEmbeddedSearch(postgres));

test("words are letters and digits, without accents and case", () => {
  assert.deepEqual(wordsOf("L’Été à l'œuvre, 2nd CUT!"), ["l", "ete", "a", "l", "œuvre", "2nd", "cut"]);
  assert.deepEqual(wordsOf("千と千尋"), ["千", "と", "千", "尋"]);
  assert.deepEqual(wordsOf(" -- "), []);
});

test("slips are letters added, left out, replaced, or swapped", () => {
  for (const [a, b, slips] of [
    ["harbour", "harbour", 0],
    ["harbour", "harbor", 1],
    ["harbour", "hrabour", 1],
    ["harbour", "harvour", 1],
    ["harbour", "harrbour", 1],
    ["harbour", "hravour", 2],
    ["", "abc", 3],
  ] as const)
    assert.deepEqual([slipsBetween(a, b), slipsBetween(b, a)], [slips, slips], `${a} ${b}`);
});
