import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openEmbeddedLog } from "#adapters/log/embedded";
import {
  backboneSuite,
  closeBase,
  counted,
  openBase,
  type OpenLog,
  openStage,
  SPEC,
  type Stage,
  TENANTS,
} from "./testing/backbone-suite.ts";
import { repeatingLog } from "./testing/repeating-log.ts";

const openLog: OpenLog = (folder) =>
  openEmbeddedLog({ folder, redelivery: { firstMs: 1, maxMs: 4 }, pruneIntervalMs: 20 });

backboneSuite("on a log that drops repetitions", openLog, false);
backboneSuite("on a log that repeats records", async (folder) => repeatingLog(await openLog(folder)), true);

describe("a read model", () => {
  let stage: Stage;
  before(openBase);
  after(closeBase);
  afterEach(() => stage?.close());

  test("with a source of truth is seeded before it follows the log; what fails half-way has changed nothing", async () => {
    stage = await openStage(openLog, true);
    stage.seed = async (tx) => {
      await tx.executeSql("INSERT INTO counted (tenant, key, times) VALUES ($1, 'old', 5)", [tx.tenant]);
      if (tx.tenant === "b") throw new Error("the disk is full");
    };
    await stage.say("1", { key: "x" });
    await stage.settled();
    await assert.rejects(stage.backbone.rebuild("first", TENANTS), /the disk is full/);
    await stage.say("2", { key: "x" });
    await stage.settled();
    assert.deepEqual(await counted(), ["a x 2"], "it goes on following");
    stage.seed = async (tx) => {
      await tx.executeSql("INSERT INTO counted (tenant, key, times) VALUES ($1, 'old', 5)", [tx.tenant]);
    };
    for (const _ of [1, 2]) {
      await stage.backbone.rebuild("first", TENANTS);
      await stage.settled();
      assert.deepEqual(await counted(), ["a old 5", "a x 2", "b old 5"]);
    }
  });

  test("without a source of truth is not emptied when the log has lost its beginning", async () => {
    stage = await openStage(openLog);
    await stage.say("1");
    await stage.settled();
    await stage.log.createTopics([{ ...SPEC, retentionMs: 1 }]);
    for (let tries = 0; (await stage.backbone.topics())[0]?.records !== 0; tries++) {
      assert.ok(tries < 1_000, "retention did not come within five seconds");
      await sleep(5);
    }
    await assert.rejects(stage.backbone.rebuild("first", TENANTS), { reason: "log_truncated" });
    assert.deepEqual(await counted(), ["a k 1"]);
  });
});
