import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, describe, test } from "node:test";
import { ListMultipartUploadsCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Problem } from "#kernel/errors";
import { objectsContract } from "./contract.ts";
import { openS3Client, openS3Objects } from "./s3.ts";

// The variable says that this bucket is there to be tested: nobody's own is written to by mistake.
const bucket = process.env["MARQUEE_TEST_S3"] ? (process.env["MARQUEE_S3_BUCKET"] ?? "") : "";
const endpoint = process.env["MARQUEE_S3_ENDPOINT"];
const region = process.env["MARQUEE_S3_REGION"] ?? "us-east-1";
const skip = bucket === "" && "needs an S3 server: run by npm run test:engines";

const root = await mkdtemp(join(tmpdir(), "marquee-s3-"));
after(() => rm(root, { recursive: true, force: true }));
const store = { bucket, region, ...(endpoint === undefined ? {} : { endpoint }) };
const open = (name: string, more: { readonly scratchBytesMax?: number } = {}) =>
  openS3Objects({ ...store, scratchFolder: join(root, name), ...more });
const isProblem = (code: string) => (error: unknown) => error instanceof Problem && error.code === code;
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const MB = 1024 * 1024;

/** Some servers keep objects as files; they say who they are. */
async function keepsFiles(): Promise<boolean> {
  if (endpoint === undefined) return false;
  const answer = await fetch(endpoint, { signal: AbortSignal.timeout(60_000) });
  await answer.arrayBuffer();
  return answer.headers.get("server") === "VERSITYGW";
}
if (bucket !== "") objectsContract("S3", () => open("contract"), { keysArePaths: await keepsFiles() });

describe("S3", { skip }, () => {
  test("what is larger than a part goes in parts, whole or not at all", async () => {
    const objects = await open("parts");
    const prefix = randomUUID();
    const bytes = randomBytes(70 * MB);
    const pieces = function* () {
      for (let start = 0; start < bytes.length; start += 3 * MB) yield bytes.subarray(start, start + 3 * MB);
    };
    await objects.put(`${prefix}/streamed`, Readable.from(pieces()));
    assert.equal(sha256(await objects.get(`${prefix}/streamed`)), sha256(bytes));
    await objects.put(`${prefix}/whole`, bytes);
    assert.equal((await objects.head(`${prefix}/whole`))?.sizeBytes, bytes.length);
    await assert.rejects(
      objects.put(`${prefix}/whole`, Readable.from(pieces()), { exclusive: true }),
      isProblem("already_exists"),
    );
    const path = join(root, "large.bin");
    await writeFile(path, bytes);
    await objects.putFile(`${prefix}/file`, path, { move: true });
    await assert.rejects(stat(path));
    assert.equal(await objects.withFile(`${prefix}/file`, async (lent) => sha256(await readFile(lent))), sha256(bytes));
    const breaks = function* () {
      yield bytes;
      throw new Error("the source broke");
    };
    await assert.rejects(objects.put(`${prefix}/broken`, Readable.from(breaks())), /the source broke/);
    assert.equal(await objects.head(`${prefix}/broken`), undefined);
    const left = await openS3Client(store).send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
    assert.deepEqual(left.Uploads ?? [], [], "parts of a broken upload would be paid for without being seen");
    assert.equal(await objects.deletePrefix(`${prefix}/`), 3);
  });

  test("more keys than an answer of S3 holds are listed and deleted", async () => {
    const objects = await open("many");
    const prefix = randomUUID();
    const keys = Array.from({ length: 1_010 }, (_, index) => `${prefix}/${String(index).padStart(5, "0")}`);
    for (let start = 0; start < keys.length; start += 50)
      await Promise.all(keys.slice(start, start + 50).map((key) => objects.put(key, Buffer.from("x"))));
    const listed = await objects.list(`${prefix}/`, { keysMax: 5_000 });
    assert.deepEqual(
      listed.map(({ key }) => key),
      keys,
    );
    assert.equal((await objects.list(`${prefix}/`, { keysMax: 1_005 })).length, 1_005);
    await objects.delete(keys.slice(0, 1_005));
    assert.equal((await objects.list(`${prefix}/`, { keysMax: 5_000 })).length, 5);
    assert.equal(await objects.deletePrefix(`${prefix}/`), 5);
  });

  test("names of others in the bucket are no objects of ours", async () => {
    const objects = await open("others");
    const prefix = randomUUID();
    await openS3Client(store).send(
      new PutObjectCommand({ Bucket: bucket, Key: `${prefix}/a film (1).mp4`, Body: "x" }),
    );
    await objects.put(`${prefix}/film.mp4`, Buffer.from("x"));
    assert.deepEqual(
      (await objects.list(`${prefix}/`, { keysMax: 10 })).map(({ key }) => key),
      [`${prefix}/film.mp4`],
    );
    assert.equal(await objects.deletePrefix(`${prefix}/`), 2);
  });

  test("who wants the same bytes at the same time shares a copy, and a new version is another one", async () => {
    const objects = await open("lent");
    const key = `${randomUUID()}/film.mp4`;
    await objects.put(key, Buffer.from("first"));
    const paths = await Promise.all([1, 2, 3].map(() => objects.withFile(key, async (path) => path)));
    assert.equal(new Set(paths).size, 1);
    assert.match(paths[0] ?? "", /\.mp4$/);
    await objects.put(key, Buffer.from("second"));
    assert.equal(await objects.withFile(key, (path) => readFile(path, "utf8")), "second");
  });

  test("copies have a bound; those that nobody uses make room, those in use do not", async () => {
    const objects = await open("bounded", { scratchBytesMax: 100 });
    const prefix = randomUUID();
    for (const name of ["a", "b"]) await objects.put(`${prefix}/${name}`, Buffer.alloc(60, name));
    await objects.withFile(`${prefix}/a`, async () => {
      await assert.rejects(
        objects.withFile(`${prefix}/b`, async () => undefined),
        isProblem("resource_exhausted"),
      );
    });
    assert.equal(await objects.withFile(`${prefix}/b`, (path) => readFile(path, "utf8")), "b".repeat(60));
    assert.equal((await readdir(join(root, "bounded"))).length, 1);
  });

  test("a store that cannot be used says what to do, without secrets", async () => {
    const scratchFolder = join(root, "refused");
    const secret = process.env["AWS_SECRET_ACCESS_KEY"] ?? "";
    const says = (code: string, words: RegExp) => (error: unknown) =>
      error instanceof Problem &&
      error.code === code &&
      words.test(error.message) &&
      (secret === "" || !JSON.stringify([error.message, error.stack, error.cause]).includes(secret));
    await assert.rejects(
      openS3Objects({ ...store, endpoint: "http://127.0.0.1:1", scratchFolder }),
      says("unavailable", /MARQUEE_S3_ENDPOINT/),
    );
    await assert.rejects(
      openS3Objects({ ...store, bucket: `marquee-none-${randomUUID()}`, scratchFolder }),
      says("failed_precondition", /MARQUEE_S3_BUCKET/),
    );
    process.env["AWS_SECRET_ACCESS_KEY"] = `${secret}x`;
    try {
      await assert.rejects(openS3Objects({ ...store, scratchFolder }), says("failed_precondition", /AWS_\*/));
    } finally {
      process.env["AWS_SECRET_ACCESS_KEY"] = secret;
    }
  });
});
