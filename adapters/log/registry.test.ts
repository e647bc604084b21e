import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { schemaRegistryContract } from "./contract.ts";
import { openEmbeddedRegistry } from "./registry.ts";

const root = await mkdtemp(join(tmpdir(), "marquee-registry-"));
after(() => rm(root, { recursive: true, force: true }));

schemaRegistryContract("embedded", () => openEmbeddedRegistry({ folder: join(root, "contract") }));

test("ids are the same after a restart", async () => {
  const folder = join(root, "restart");
  const schemas = ["A", "B", "C"].map((name) =>
    JSON.stringify({ type: "record", name, fields: [{ name: "id", type: "string" }] }),
  );
  const first = await openEmbeddedRegistry({ folder });
  const ids: number[] = [];
  for (const schema of schemas)
    ids.push(await first.register("t-X".concat(schema.length.toString(), String(ids.length)), schema));
  await first.close();
  const second = await openEmbeddedRegistry({ folder });
  for (const [index, schema] of schemas.toReversed().entries()) {
    assert.equal(await second.register(`other-${index}`, schema), ids[schemas.length - 1 - index]);
  }
  await second.close();
});
