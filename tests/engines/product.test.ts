/** The whole product with its events on Kafka (needs MARQUEE_TEST_KAFKA): a film is encoded, played, and all of it killed in between. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Bookmark } from "#contracts/bookmark";
import { freePorts, startEngine } from "../../engines/engine.ts";
import { kafka } from "../../engines/kafka.ts";
import { REPOSITORY } from "../../scripts/files.ts";
import { until } from "../e2e/until.ts";
import { makeAccount } from "../chaos/accounts.ts";
import { importClip, makeClip, untilComplete } from "../chaos/clips.ts";
import { killAll } from "../chaos/processes.ts";
import { openStage } from "../chaos/product.ts";
import { openViewer } from "../chaos/viewer.ts";

const skip =
  process.env["MARQUEE_TEST_KAFKA"] === "1" ? false : "npm run test:engines -- product starts Kafka and runs this";

describe("the product on Kafka", { skip }, () => {
  test("encodes and plays a film, and goes on where it was when all of it was killed", {
    timeout: 600_000,
  }, async (t) => {
    // A Kafka of its own: what other tests left in the same topics names schemas that this product's own registry does not know.
    const folder = await mkdtemp(path.join(tmpdir(), "marquee-kafka-"));
    const engine = await startEngine(kafka, {
      programs: path.join(REPOSITORY, ".cache/engines/kafka"),
      data: path.join(folder, "kafka"),
      port: await freePorts(),
      say: () => undefined,
    });
    const stage = await openStage(engine.environment);
    t.after(async () => {
      await stage.close();
      await engine.stop();
      await rm(folder, { recursive: true, force: true });
    });
    const clip = path.join(stage.folder, "clip.mp4");
    await makeClip(clip, { width: 320, height: 180, rate: 24, durationS: 40, grain: 10 });
    let product = stage.start();
    let url = await product.ready();
    const account = await makeAccount(stage.admin, "viewer@engines.test");
    await importClip(stage.admin, clip, "film");
    await pause(1_500);
    await killAll(await product.processes());
    await product.exited;

    product = stage.start();
    url = await product.ready();
    await untilComplete(stage.admin, ["film"], 180_000);
    const viewer = openViewer(stage.admin, url, account, "film");
    t.after(() => viewer.pause());
    await viewer.signIn();
    viewer.play();
    await until("beats are answered", 60_000, async () => (viewer.acknowledged.beats > 20 ? true : null)).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}: ${viewer.fault()}`);
      },
    );
    await killAll(await product.processes());
    await product.exited;
    await viewer.pause();
    const { positionS } = viewer.acknowledged;
    assert.ok(positionS > 0);

    product = stage.start();
    await product.ready();
    // The beats were answered when they were on Kafka; the bookmark comes from there, whoever reads them.
    await until("the bookmark has what was acknowledged", 60_000, async () => {
      const { bookmark } = await stage.admin
        .of(Bookmark)
        .get({ profileId: account.profileId, contentId: "film" })
        .catch(() => ({ bookmark: undefined }));
      return (bookmark?.positionS ?? -1) >= positionS ? true : null;
    });
    assert.equal(await product.stop(), 0, product.output());
    assert.deepEqual(await product.processes(), []);
  });
});
