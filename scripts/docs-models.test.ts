import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { MODELS_PAGE, withModels } from "./docs-models.ts";
import { REPOSITORY } from "./files.ts";

test("the page of models has a current table", () => {
  const page = readFileSync(path.join(REPOSITORY, MODELS_PAGE), "utf8");
  assert.equal(page, withModels(page), "node scripts/docs-models.ts writes the table");
});
