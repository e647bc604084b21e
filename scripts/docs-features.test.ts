import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { FEATURES_PAGE, withFeatures } from "./docs-features.ts";
import { REPOSITORY } from "./files.ts";

test("the page of features has a current table", () => {
  const page = readFileSync(path.join(REPOSITORY, FEATURES_PAGE), "utf8");
  assert.equal(page, withFeatures(page), "node scripts/docs-features.ts writes the table");
});
