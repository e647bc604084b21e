import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, test } from "node:test";
import { Problem } from "#kernel/errors";
import { objectsContract } from "./contract.ts";
import { openFileObjects } from "./files.ts";

const root = await mkdtemp(join(tmpdir(), "marquee-objects-"));
after(async () => {
  if (isMounted) execFileSync("umount", [small]);
  await rm(root, { recursive: true, force: true });
});

objectsContract("files", () => openFileObjects({ folder: join(root, "contract") }));

test("what a killed process left half-written is swept away, what a living one writes is not", async () => {
  const folder = join(root, "swept");
  const drafts = join(folder, "drafts");
  await mkdir(drafts, { recursive: true });
  // 2^22 is the largest number that Linux gives to a process.
  await writeFile(join(drafts, "4194305-half"), "half");
  await writeFile(join(drafts, `${process.pid}-mine`), "half");
  await openFileObjects({ folder });
  assert.deepEqual(await readdir(drafts), [`${process.pid}-mine`]);
});

const small = join(root, "small");
await mkdir(small);
const isMounted = (() => {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

test("a full disk is reported, and nothing is left behind", {
  skip: !isMounted && "needs the right to mount a small disk",
}, async () => {
  const objects = await openFileObjects({ folder: small });
  const large = new Uint8Array(4 * 1024 * 1024);
  const isFull = (error: unknown) =>
    error instanceof Problem && error.code === "resource_exhausted" && error.reason === "disk_full";
  await objects.put("a/kept", Buffer.from("kept"));
  await assert.rejects(objects.put("a/large", large), isFull);
  await assert.rejects(objects.put("a/kept", Readable.from([large, large])), isFull);
  const source = join(root, "large.bin");
  await writeFile(source, large);
  await assert.rejects(objects.putFile("a/large", source), isFull);
  await assert.rejects(objects.putFile("a/large", source, { move: true }), isFull);
  assert.equal(Buffer.from(await objects.get("a/kept")).toString(), "kept");
  assert.deepEqual(await readdir(join(small, "drafts")), []);
  assert.deepEqual(
    (await objects.list("", { keysMax: 10 })).map((info) => info.key),
    ["a/kept"],
  );
  assert.equal((await objects.state()).ok, false);
  await objects.put("a/small", Buffer.from("fits"));
});
