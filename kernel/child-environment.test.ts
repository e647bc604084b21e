import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { childEnvironment } from "./child-environment.ts";

test("a child finds its programs, gets what it is given, and none of our secrets", () => {
  const script = `
    process.env.MARQUEE_SECRET = "of ours";
    const { childEnvironment } = await import(${JSON.stringify(new URL("./child-environment.ts", import.meta.url).href)});
    console.log(JSON.stringify(childEnvironment({ MARQUEE_GIVEN: "1" })));
  `;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  const environment = JSON.parse(said) as Record<string, string>;
  assert.equal(environment["PATH"], process.env["PATH"]);
  assert.equal(environment["MARQUEE_GIVEN"], "1");
  assert.equal("MARQUEE_SECRET" in environment, false);
  assert.equal("MARQUEE_GIVEN" in childEnvironment(), false);
});
