import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { eventLogContract } from "./contract.ts";
import { openEmbeddedLog } from "./embedded.ts";
import { routeLog } from "./routed.ts";

const root = await mkdtemp(join(tmpdir(), "marquee-routed-"));
after(() => rm(root, { recursive: true, force: true }));
const open = (name: string) => openEmbeddedLog({ folder: join(root, name), redelivery: { firstMs: 5, maxMs: 50 } });

eventLogContract("two clusters", async () => routeLog(await open("contract-1"), await open("contract-2")));

test("a topic that is marked for analytics is on the second cluster alone, whatever is done with it", async () => {
  const [main, analytics] = [await open("main"), await open("analytics")];
  const log = routeLog(main, analytics);
  const spec = { partitions: 1, retentionMs: 1e9 };
  await log.createTopics([
    { ...spec, name: "live" },
    { ...spec, name: "later", analytics: true },
  ]);
  const recordOf = (topic: string) => ({ topic, key: "k", headers: {}, value: Buffer.from(topic) });
  await log.append([recordOf("later"), recordOf("live"), recordOf("later")]);
  assert.deepEqual([...(await main.offsets("live"))], [[0, 1]]);
  assert.deepEqual([...(await analytics.offsets("later"))], [[0, 2]]);
  await assert.rejects(main.offsets("later"), { code: "not_found" });
  await assert.rejects(analytics.offsets("live"), { code: "not_found" });
  assert.deepEqual([...(await log.offsets("later"))], [[0, 2]]);
  assert.equal((await log.read("later", new Map([[0, 0]]), 10)).length, 2);
  const came = Promise.withResolvers<number>();
  const consumer = await log.consume({
    group: "g",
    topic: "later",
    recordsMax: 10,
    positions: async () => new Map(),
    handle: async (records) => came.resolve(records.length),
  });
  assert.equal(await came.promise, 2);
  await consumer.stop();
  await main.close();
  assert.deepEqual([(await log.state()).ok, (await analytics.state()).ok], [false, true]);
  await log.close();
  assert.equal((await analytics.state()).ok, false);
});
