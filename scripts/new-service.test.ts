import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { checkBoundaries } from "./check-boundaries.ts";
import { REPOSITORY } from "./files.ts";
import { drift } from "./generate.ts";
import { newService } from "./new-service.ts";

const root = mkdtempSync(path.join(tmpdir(), "marquee-new-service-test-"));
after(() => rmSync(root, { recursive: true, force: true }));

before(() => {
  for (const name of ["kernel", "media", "package.json", "tsconfig.json", "buf.yaml"])
    cpSync(path.join(REPOSITORY, name), path.join(root, name), { recursive: true });
  symlinkSync(path.join(REPOSITORY, "node_modules"), path.join(root, "node_modules"));
  const tsconfig: { include: string[] } = JSON.parse(readFileSync(path.join(root, "tsconfig.json"), "utf8"));
  writeFileSync(path.join(root, "tsconfig.json"), JSON.stringify({ ...tsconfig, include: ["contracts", "services"] }));
});

/** A nested run must not take itself for a child of this test runner. */
function runNode(args: readonly string[]): { status: number | null; output: string } {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: "utf8" });
  return { status, output: stdout + stderr };
}

test("a new room compiles, passes its tests, keeps the boundaries and the format", async () => {
  const files = await newService(root, "insight", "applause");
  for (const file of files) assert.ok(existsSync(path.join(root, file)), file);
  assert.ok(files.includes("contracts/applause/gen/applause_pb.js"));

  const types = runNode([
    "node_modules/@typescript/native/bin/tsc",
    "-p",
    "tsconfig.json",
    "--noEmit",
    "--pretty",
    "false",
  ]);
  assert.deepEqual(
    types.output.split("\n").filter((line) => /^(services|contracts)\//.test(line)),
    [],
  );

  const tests = runNode(["--test", "services/insight/applause/domain.test.ts"]);
  assert.equal(tests.status, 0, tests.output);
  assert.match(tests.output, /pass 3/);

  assert.deepEqual(checkBoundaries(root, files), []);
  assert.deepEqual(await drift(root), []);
  const lint = spawnSync(process.execPath, [path.join(REPOSITORY, "node_modules/@bufbuild/buf/bin/buf"), "lint"], {
    cwd: root,
    encoding: "utf8",
  });
  assert.equal(lint.status, 0, lint.stdout + lint.stderr);
});

test("a bad area, a bad name and a name that is taken are refused, and nothing is written", async () => {
  await assert.rejects(newService(root, "elsewhere", "x1"), /'elsewhere' is not an area; there are: identity/);
  await assert.rejects(newService(root, "insight", "../x"), /'\.\.\/x' is not a name/);
  await assert.rejects(newService(root, "playback", "applause"), /taken: there is contracts\/applause/);
  assert.ok(!existsSync(path.join(root, "services/playback")));
});
