import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { test } from "node:test";
import { REPOSITORY } from "./files.ts";
import { engineInside, portFiles } from "./ports-table.ts";

test("every port is in the table, and every adapter within the product says what it runs on", () => {
  const inTable = new Set(portFiles().map((file) => file.split("/")[1]));
  // `shared` is what adapters have in common, and no port's.
  const ports = globSync("adapters/*/", { cwd: REPOSITORY, exclude: ["adapters/shared"] }).map(
    (folder) => folder.split(/[\\/]/)[1],
  );
  assert.deepEqual(
    ports.filter((port) => !inTable.has(port)),
    [],
  );
  for (const file of portFiles().filter((one) => !one.endsWith(".engine.test.ts"))) assert.ok(engineInside(file), file);
});
