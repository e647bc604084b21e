import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { ALERTS_PAGE, withAlerts } from "./docs-alerts.ts";
import { REPOSITORY } from "./files.ts";

test("the guide lists the alerts that there are", () => {
  const page = readFileSync(path.join(REPOSITORY, ALERTS_PAGE), "utf8");
  assert.equal(page, withAlerts(page), "run node scripts/docs-alerts.ts");
  assert.throws(() => withAlerts("# Observe"), /has lost its table/);
});
