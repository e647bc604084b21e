import assert from "node:assert/strict";
import { test } from "node:test";
import { completeLock, missingFromLock } from "./lock.ts";

const lock = (packages: object): string => `${JSON.stringify({ name: "x", lockfileVersion: 3, packages }, null, 2)}\n`;
const tool = {
  version: "1.2.3",
  integrity: "sha512-x",
  dev: true,
  optionalDependencies: {
    "@t/linux-x64": "1.2.3",
    "@t/binding-linux-arm64-musl": "1.2.3",
    "@t/win32-arm64-msvc": "1.2.3",
    peer: "^2.0.0",
  },
};
const present = { version: "1.2.3", optional: true };

test("what a registry left out is added with its platform, in npm's order, and nothing else changes", () => {
  const before = lock({ "": { name: "x" }, "node_modules/@t/linux-x64": present, "node_modules/t": tool });
  assert.deepEqual(
    missingFromLock(before).map(({ name }) => name),
    ["@t/binding-linux-arm64-musl", "@t/win32-arm64-msvc"],
  );
  const after = completeLock(before);
  assert.equal(
    after,
    lock({
      "": { name: "x" },
      "node_modules/@t/binding-linux-arm64-musl": {
        version: "1.2.3",
        dev: true,
        optional: true,
        os: ["linux"],
        cpu: ["arm64"],
        libc: ["musl"],
      },
      "node_modules/@t/linux-x64": present,
      "node_modules/@t/win32-arm64-msvc": {
        version: "1.2.3",
        dev: true,
        optional: true,
        os: ["win32"],
        cpu: ["arm64"],
      },
      "node_modules/t": tool,
    }),
  );
  assert.deepEqual(missingFromLock(after), []);
});

test("a package is found beside its parent and in every folder above", () => {
  const nested = (where: string): string =>
    lock({
      "": {},
      "node_modules/a/node_modules/t": { ...tool, optionalDependencies: { "@t/linux-x64": "1.2.3" } },
      [where]: present,
    });
  for (const where of [
    "node_modules/@t/linux-x64",
    "node_modules/a/node_modules/@t/linux-x64",
    "node_modules/a/node_modules/t/node_modules/@t/linux-x64",
  ])
    assert.deepEqual(missingFromLock(nested(where)), [], where);
  assert.equal(missingFromLock(nested("node_modules/b/node_modules/@t/linux-x64")).length, 1);
});
