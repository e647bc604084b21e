/** The product, unchanged, on Redis, S3 and Vault: a film that was dropped into a bucket plays from there. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { Redis } from "ioredis";
import { openS3Drop } from "#adapters/objects/s3-drop";
import { openS3Client, openS3Objects } from "#adapters/objects/s3";
import { openVaultSecrets } from "#adapters/secrets/vault";
import { accessToken, makeAccount } from "../chaos/accounts.ts";
import { makeClip, untilComplete } from "../chaos/clips.ts";
import { openStage, type Product, type Stage, TENANT } from "../chaos/product.ts";
import { openViewer } from "../chaos/viewer.ts";

const NEEDED = ["MARQUEE_TEST_REDIS", "MARQUEE_TEST_S3", "MARQUEE_TEST_VAULT"];
const skip = NEEDED.some((name) => !process.env[name]) && "needs Redis, S3 and Vault: run by npm run test:engines";
const READY_MS_MAX = 300_000;

/** What points the product at the engines. */
const engineEnv = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      /^(MARQUEE_(REDIS|S3|VAULT)|AWS)_/.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );
const env = (name: string): string => process.env[name] ?? "";
const bucket = env("MARQUEE_S3_BUCKET");
const place = { endpoint: env("MARQUEE_S3_ENDPOINT"), region: env("MARQUEE_S3_REGION") };
const dropFolder = `drop-${randomUUID()}/`;
const film = "The harbour (2026).mp4";

let stage: Stage | undefined;
let product: Product | undefined;

interface Ended {
  readonly code: number;
  readonly lines: readonly Record<string, unknown>[];
}

function watchOnce(folder: string): Promise<Ended> {
  const program = path.resolve(import.meta.dirname, "../../apps/marquee.ts");
  const words = ["watch", `s3://${bucket}/${dropFolder}`, "--once", "--json", "--settle", "1", "--preset", "quick"];
  const own = { ...process.env, MARQUEE_DATA: folder, MARQUEE_PORT: "0" };
  return new Promise((done) => {
    execFile(process.execPath, [program, ...words], { env: own, timeout: 240_000 }, (error, out) => {
      const lines = out.split("\n").filter((line) => line !== "");
      done({ code: error ? Number(error.code) : 0, lines: lines.map((line) => JSON.parse(line)) });
    });
  });
}

before(async () => {
  if (skip) return;
  stage = await openStage(engineEnv());
  product = stage.start();
  await product.ready();
});
after(async () => {
  await product?.stop();
  await stage?.close();
});

test("a film from a bucket plays, with keys in Vault and what is fleeting in Redis", { skip }, async (t) => {
  assert.ok(stage && product);
  const { folder, admin } = stage;
  const url = await product.ready();
  const s3 = openS3Client(place);
  const drop = openS3Drop({ bucket, prefix: dropFolder, ...place });

  const clip = path.join(folder, "clip.mp4");
  await makeClip(clip, { width: 320, height: 180, rate: 24, durationS: 8, grain: 5 });
  const put = (name: string, body: Uint8Array | string) =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: dropFolder + name, Body: body }));
  await put(film, await readFile(clip));
  await put("empty.mp4", new Uint8Array());
  await put("half.mp4.part", "x");
  await put("elsewhere/other.mp4", "x");

  const first = await watchOnce(folder);
  const accepted = first.lines.find(({ file }) => String(file).endsWith(film));
  assert.equal(accepted?.["status"], "accepted", JSON.stringify(first));
  assert.equal(first.lines.find(({ file }) => String(file).endsWith("empty.mp4"))?.["status"], "failed");
  assert.equal(first.code, 1);
  const contentId = String(accepted?.["contentId"]);
  const names = (await drop.look(100)).map(({ name }) => name);
  assert.deepEqual(names, [
    film,
    `${film}.${contentId}.imported.txt`,
    "empty.mp4",
    "empty.mp4.error.txt",
    "half.mp4.part",
  ]);
  assert.deepEqual(await readdir(path.join(folder, "watch")), [], "no copy stays on this machine");
  // Neither is taken in again: the texts beside them are the memory.
  assert.deepEqual(await watchOnce(folder), { code: 0, lines: [] });

  await untilComplete(admin, [contentId], READY_MS_MAX);

  const account = await makeAccount(admin, `viewer-${randomUUID()}@engines.test`);
  await accessToken(admin, account.email);
  const viewer = openViewer(admin, url, account, contentId);
  await viewer.signIn();
  viewer.play();
  t.after(() => viewer.pause());
  for (let tries = 0; viewer.acknowledged.segments < 5 && tries < 600; tries += 1) await sleep(50);
  assert.ok(viewer.acknowledged.segments >= 5, viewer.fault());
  await viewer.pause();

  const objects = await openS3Objects({ bucket, ...place, scratchFolder: path.join(folder, "looked-at") });
  assert.ok((await objects.list(`vod/${contentId}/`, { keysMax: 100 })).length > 5);
  const secrets = await openVaultSecrets({
    address: env("MARQUEE_VAULT_ADDR"),
    mount: env("MARQUEE_VAULT_MOUNT"),
    tokenFile: env("MARQUEE_VAULT_TOKEN_FILE"),
    folder: "marquee",
  });
  assert.ok((await secrets.list(`keys/${TENANT}/${contentId}/`, 10)).length > 0);
  await secrets.close();
  const redis = new Redis(env("MARQUEE_REDIS_URL"));
  const [, keys] = await redis.scan(0, "MATCH", "marquee:v:*", "COUNT", 1_000);
  redis.disconnect();
  assert.ok(keys.length > 0, "what services cache is in Redis");
  const kept = await readdir(folder);
  for (const name of ["objects", "secrets"]) assert.ok(!kept.includes(name), `${name} lies in the data folder too`);
});
