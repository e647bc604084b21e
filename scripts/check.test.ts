import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { brokenLinks, forbiddenWords, longFiles } from "./check-text.ts";
import { REPOSITORY } from "./files.ts";

const trees: string[] = [];
after(() => {
  for (const tree of trees) rmSync(tree, { recursive: true, force: true });
});

function plant(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(path.join(tmpdir(), "marquee-check-test-"));
  trees.push(root);
  cpSync(path.join(REPOSITORY, "package.json"), path.join(root, "package.json"));
  put(root, files);
  return root;
}

function put(root: string, files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
}

function check(root: string, step: string): { status: number | null; output: string } {
  const script = path.join(REPOSITORY, "scripts/check.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, `--root=${root}`, step], {
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

const CLEAN = {
  "services/playback/bookmark/domain.ts": "export const finished = (ratio: number): boolean => ratio >= 0.95;\n",
  "services/playback/session/service.ts": 'import { problem } from "#kernel/errors";\n',
};

describe("the command", () => {
  test("passes on a clean tree", () => {
    const { status, output } = check(plant(CLEAN), "boundaries");
    assert.equal(status, 0, output);
    assert.match(output, /✔ boundaries/);
  });

  test("fails on a service that imports another, and names the place and the remedy", () => {
    const root = plant({
      ...CLEAN,
      "services/playback/session/service.ts": 'import { finished } from "../bookmark/domain.ts";\n',
    });
    const { status, output } = check(root, "boundaries");
    assert.equal(status, 1, output);
    assert.match(
      output,
      /services\/playback\/session\/service\.ts:1: a service may not import '\.\.\/bookmark\/domain\.ts'/,
    );
    assert.match(output, /remedy: Go through a contract/);
  });

  test("fails on a domain that reads files", () => {
    const root = plant({
      ...CLEAN,
      "services/playback/bookmark/domain.ts": 'import { readFileSync } from "node:fs";\n',
    });
    const { status, output } = check(root, "boundaries");
    assert.equal(status, 1, output);
    assert.match(output, /a domain may not import 'node:fs'/);
  });

  test("fails on a field that changes its type, and not on a new one", () => {
    const proto = (fields: string): string =>
      `syntax = "proto3";\npackage marquee.seat.v1;\nmessage Seat {\n${fields}}\n`;
    const root = plant({ "contracts/seat/seat.proto": proto("  uint32 row = 1;\n") });
    cpSync(path.join(REPOSITORY, "buf.yaml"), path.join(root, "buf.yaml"));
    const git = (...args: string[]): void => {
      const identity = ["-c", "user.name=test", "-c", "user.email=test@example.test", "-c", "commit.gpgsign=false"];
      const done = spawnSync("git", [...identity, ...args], { cwd: root, encoding: "utf8" });
      assert.equal(done.status, 0, done.stderr);
    };
    git("init", "--quiet", "--initial-branch=main");
    git("add", ".");
    git("commit", "--quiet", "--message=first");
    assert.match(check(root, "breaking").output, /skipped: there is no earlier commit/);
    git("switch", "--quiet", "--create=work");
    put(root, { "contracts/seat/seat.proto": proto("  uint32 row = 1;\n  uint32 column = 2;\n") });
    git("commit", "--quiet", "--all", "--message=second");
    const added = check(root, "breaking");
    assert.equal(added.status, 0, added.output);
    assert.match(added.output, /✔ breaking changes/);
    put(root, { "contracts/seat/seat.proto": proto("  string row = 1;\n") });
    const changed = check(root, "breaking");
    assert.equal(changed.status, 1, changed.output);
    assert.match(changed.output, /seat\.proto.*row/);
  });

  test("refuses a step that does not exist", () => {
    const { status, output } = check(plant({}), "nonsense");
    assert.equal(status, 1);
    assert.match(output, /there are: types, /);
  });
});

describe("text", () => {
  const of = (text: string) => (): string => text;

  test("machine paths and registry hosts are found, what only looks like them is not", () => {
    const slash = "/";
    const bad = [
      `cd ${slash}root/x`,
      `open "${slash}work/y"`,
      `see ${slash}home/jane/z`,
      ["https://registry", "npmjs", "org/x"].join("."),
    ];
    for (const line of bad) assert.equal(forbiddenWords(["a.md"], of(`fine\n${line}\n`)).length, 1, line);
    assert.match(forbiddenWords(["a.md"], of(`fine\n${bad[0]}`))[0] ?? "", /^a\.md:2: /);
    for (const line of ["docs/work/x", "./root/x", "the root/leaf", "https://example.test/work/x", "home/page"])
      assert.deepEqual(forbiddenWords(["a.md"], of(line)), [], line);
    assert.deepEqual(forbiddenWords(["a.png"], of(bad[0] ?? "")), []);
  });

  test("links that lead nowhere are found, those in code are examples", () => {
    const text =
      "[a](b.md#x) [c](../d.md) [w](https://example.test) [h](#x)\n`[no](code.md)`\n```\n[no](code.md)\n```\n![p](p.png)";
    const present = new Set(["docs/b.md"]);
    assert.deepEqual(
      brokenLinks(["docs/a.md"], of(text), (file) => present.has(file)),
      ["docs/a.md:1: '../d.md' leads nowhere", "docs/a.md:6: 'p.png' leads nowhere"],
    );
  });

  test("long files are named, codecs and generated ones are not", () => {
    const long = of("\n".repeat(401));
    assert.equal(longFiles(["kernel/a.ts"], long).length, 1);
    assert.deepEqual(longFiles(["media/a.ts", "contracts/a/gen/a_pb.js", "contracts/a/gen/events.ts"], long), []);
    assert.deepEqual(longFiles(["kernel/a.ts"], of("\n".repeat(400))), []);
  });
});
