import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { engines } from "../engines/index.ts";
import { ENGINES_PAGE, withTable } from "./docs-engines.ts";
import { REPOSITORY } from "./files.ts";

test("the page of engines has a current table, and a section for each that says its version and where it comes from", () => {
  const page = readFileSync(path.join(REPOSITORY, ENGINES_PAGE), "utf8");
  assert.equal(page, withTable(page), "node scripts/docs-engines.ts writes the table");
  for (const { name } of engines) {
    const section = new RegExp(`^## ${name}\\n([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, "m").exec(page)?.[1] ?? "";
    assert.match(section, /\d+\.\d+/, `'## ${name}' names a version`);
    assert.match(section, /Maven|Debian|npm|PyPI|Go/, `'## ${name}' says where it comes from`);
  }
});
