import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { secretsContract } from "./contract.ts";
import { openFileSecrets } from "./file.ts";

const root = await mkdtemp(join(tmpdir(), "marquee-secrets-"));
after(() => rm(root, { recursive: true, force: true }));

secretsContract("file", () => openFileSecrets({ folder: join(root, "contract") }));

test("files are for their owner only, and survive a restart", async () => {
  const folder = join(root, "modes");
  const first = await openFileSecrets({ folder });
  await first.put("cat/current", { key: "k" });
  await first.close();
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  for (const file of await readdir(folder)) assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600);
  await chmod(folder, 0o755);
  await writeFile(join(folder, "killed.draft"), "half");
  const second = await openFileSecrets({ folder });
  assert.deepEqual(await readdir(folder), ["cat+current.json"]);
  assert.equal((await second.state()).ok, true);
  assert.deepEqual(await second.get("cat/current"), { version: 1, value: { key: "k" } });
  await chmod(folder, 0o755);
  assert.equal((await second.state()).ok, false);
  await second.close();
});

test("a damaged file does not tell its content", async () => {
  const folder = join(root, "damaged");
  const secrets = await openFileSecrets({ folder });
  await writeFile(join(folder, "bad.json"), "hunter2{");
  await assert.rejects(
    secrets.get("bad"),
    (error: Error) =>
      /'bad' is damaged/.test(error.message) && !JSON.stringify(error).includes("hunter2") && error.cause === undefined,
  );
  await secrets.close();
});
