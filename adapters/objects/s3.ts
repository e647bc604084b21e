import { createReadStream, createWriteStream } from "node:fs";
import { lstat, readFile, rm, unlink } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { problem } from "#kernel/errors";
import type { ByteRange, ObjectInfo, Objects } from "#kernel/ports/objects";
import {
  assertFitsMemory,
  assertKey,
  assertKeysMax,
  assertPrefix,
  assertWholeFolder,
  isKey,
  isRange,
  notInside,
} from "./keys.ts";
import { openLending } from "./lending.ts";
import { describe, isConflict, isMissing, statusOf } from "./s3-errors.ts";

export interface S3Options {
  readonly bucket: string;
  /** `http://127.0.0.1:7070` for a store that is not Amazon's, addressed by path; without it Amazon's of the region. */
  readonly endpoint?: string;
  readonly region: string;
  /** Where copies lie that programs read by path. */
  readonly scratchFolder: string;
  readonly scratchBytesMax?: number;
}

const MB = 1024 * 1024;
const SCRATCH_BYTES_MAX = 200_000 * MB;
/** S3 knows at most 10,000 parts, so a stream of unknown length may have 320 GB. */
const PART_BYTES = 32 * MB;
const PARTS_AT_ONCE = 2;
const PARTS_MAX = 10_000;
const LIST_KEYS_MAX = 1_000;
const DELETE_KEYS_MAX = 1_000;
const CONFLICT_TRIES = 5;
/** To begin to answer, an upload's part of 32 MB included. */
const ANSWER_TIMEOUT_MS = 120_000;
/** A reader may pause; one that does for so long has forgotten the stream. */
const IDLE_TIMEOUT_MS = 300_000;

/** Where a bucket is, without its secrets; credentials come from the AWS SDK's usual places (AWS_ACCESS_KEY_ID, …). */
export function openS3Client(options: Pick<S3Options, "endpoint" | "region">): S3Client {
  return new S3Client({
    region: options.region,
    maxAttempts: 4,
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: ANSWER_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      socketTimeout: IDLE_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: 256 },
      httpsAgent: { keepAlive: true, maxSockets: 256 },
    },
    // Other stores than Amazon's need not know its newer checksums.
    ...(options.endpoint === undefined
      ? {}
      : {
          endpoint: options.endpoint,
          forcePathStyle: true,
          requestChecksumCalculation: "WHEN_REQUIRED" as const,
          responseChecksumValidation: "WHEN_REQUIRED" as const,
        }),
  });
}

/** Objects in a bucket of S3 or of a store that speaks its language. Rejects when the bucket cannot be reached now. */
export async function openS3Objects(options: S3Options): Promise<Objects> {
  const { bucket } = options;
  const at = `the bucket '${bucket}' at ${options.endpoint === undefined ? `Amazon S3 in ${options.region}` : new URL(options.endpoint).host}`;
  const client = openS3Client(options);
  const lending = await openLending({
    folder: options.scratchFolder,
    bytesMax: options.scratchBytesMax ?? SCRATCH_BYTES_MAX,
  });

  async function ask<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw describe(at, key, error);
    }
  }

  async function checkBucket(): Promise<void> {
    await ask("", async () => {
      try {
        await client.send(new HeadBucketCommand({ Bucket: bucket }));
      } catch (error) {
        if (isMissing(error))
          throw problem.precondition(`${at} does not exist: create it, or correct MARQUEE_S3_BUCKET`);
        throw error;
      }
    });
  }
  await checkBucket();

  /** Of writers that meet, S3 sends some away to try again; the others learn that the key is taken. */
  async function write(key: string, exclusive: boolean, send: () => Promise<unknown>, canRepeat: boolean) {
    await ask(key, async () => {
      for (let tries = 1; ; tries += 1) {
        try {
          await send();
          return;
        } catch (error) {
          if (exclusive && statusOf(error) === 412)
            throw problem.alreadyExists(`the object '${key}' exists already`, { cause: error });
          if (!isConflict(error)) throw error;
          if (!canRepeat || tries >= CONFLICT_TRIES) {
            throw problem.aborted(`others write the object '${key}' at the same moment: try again`, { cause: error });
          }
          await sleep(50 * 2 ** tries * (0.5 + Math.random()));
        }
      }
    });
  }

  async function upload(params: PutObjectCommandInput, partSize: number): Promise<void> {
    try {
      await new Upload({ client, params, partSize, queueSize: PARTS_AT_ONCE }).done();
    } finally {
      // A store that refused left the source half-read, with its file open.
      if (params.Body instanceof Readable) params.Body.destroy();
    }
  }

  async function open(key: string, range: ByteRange | undefined): Promise<{ body: Readable; sizeBytes: number }> {
    assertKey(key);
    if (range !== undefined && !isRange(range)) throw notInside(key, range);
    return ask(key, async () => {
      try {
        const answer = await client.send(
          new GetObjectCommand({
            Bucket: bucket,
            Key: key,
            ...(range === undefined ? {} : { Range: `bytes=${range.startBytes}-${range.endBytes}` }),
          }),
        );
        const { Body: body, ContentLength: sizeBytes } = answer;
        if (!(body instanceof Readable) || sizeBytes === undefined)
          throw problem.internal(`${at} gave '${key}' without its length`);
        if (range !== undefined && answer.ContentRange === undefined) {
          body.destroy();
          throw problem.internal(`${at} gave all of '${key}' where a range was asked for`);
        }
        return { body, sizeBytes };
      } catch (error) {
        if (range !== undefined && statusOf(error) === 416) throw notInside(key, range);
        throw error;
      }
    });
  }

  async function head(key: string): Promise<HeadObjectCommandOutput | undefined> {
    assertKey(key);
    return ask(key, async () => {
      try {
        return await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  function page(prefix: string, keysMax: number, after: string, token?: string): Promise<ListObjectsV2CommandOutput> {
    return ask(prefix, () =>
      client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          MaxKeys: Math.min(keysMax, LIST_KEYS_MAX),
          ...(token === undefined ? (after === "" ? {} : { StartAfter: after }) : { ContinuationToken: token }),
        }),
      ),
    );
  }

  async function remove(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += DELETE_KEYS_MAX) {
      const batch = keys.slice(start, start + DELETE_KEYS_MAX);
      const { Errors: errors = [] } = await ask(batch[0] ?? "", () =>
        client.send(
          new DeleteObjectsCommand({
            Bucket: bucket,
            Delete: { Objects: batch.map((key) => ({ Key: key })), Quiet: true },
          }),
        ),
      );
      const failed = errors.find((error) => error.Code !== "NoSuchKey");
      if (failed)
        throw problem.unavailable(
          `${at} did not delete '${failed.Key ?? ""}' and ${errors.length - 1} more (${failed.Code ?? "no reason"}): try again`,
        );
    }
  }

  return {
    async put(key, body, put) {
      assertKey(key);
      const params = {
        Bucket: bucket,
        Key: key,
        ...(put?.contentType === undefined ? {} : { ContentType: put.contentType }),
        ...(put?.exclusive === true ? { IfNoneMatch: "*" } : {}),
      };
      const isWhole = body instanceof Uint8Array;
      const send = (): Promise<unknown> =>
        isWhole && body.byteLength <= PART_BYTES
          ? client.send(new PutObjectCommand({ ...params, Body: body }))
          : upload({ ...params, Body: body }, PART_BYTES);
      await write(key, put?.exclusive === true, send, isWhole);
    },
    async putFile(key, path, put) {
      assertKey(key);
      const info = await lstat(path).catch(() => undefined);
      if (info?.isFile() !== true) throw problem.invalid(`'${path}' is not a file`);
      const params = { Bucket: bucket, Key: key };
      await write(
        key,
        false,
        async () => {
          if (info.size <= PART_BYTES)
            await client.send(new PutObjectCommand({ ...params, Body: await readFile(path) }));
          else
            await upload(
              { ...params, Body: createReadStream(path) },
              Math.max(PART_BYTES, Math.ceil(info.size / PARTS_MAX)),
            );
        },
        true,
      );
      if (put?.move === true) await unlink(path);
    },
    async get(key, range) {
      const { body, sizeBytes } = await open(key, range);
      try {
        assertFitsMemory(key, sizeBytes);
        return await ask(key, () => readAll(key, body, sizeBytes));
      } finally {
        body.destroy();
      }
    },
    async stream(key, range) {
      return (await open(key, range)).body;
    },
    async head(key) {
      const answer = await head(key);
      return answer === undefined ? undefined : infoOf(key, answer.ContentLength, answer.LastModified);
    },
    async list(prefix, list) {
      assertPrefix(prefix);
      assertKeysMax(list.keysMax);
      const found: ObjectInfo[] = [];
      let token: string | undefined;
      do {
        const answer = await page(prefix, list.keysMax - found.length, list.after ?? "", token);
        for (const { Key: key = "", Size: size, LastModified: modified } of answer.Contents ?? []) {
          // A bucket may hold what others put there; a name that is no key could not be asked for.
          if (isKey(key)) found.push(infoOf(key, size, modified));
        }
        token = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
      } while (token !== undefined && found.length < list.keysMax);
      return found;
    },
    async delete(keys) {
      for (const key of keys) assertKey(key);
      await remove(keys);
    },
    async deletePrefix(prefix) {
      assertWholeFolder(prefix);
      let count = 0;
      let token: string | undefined;
      do {
        const answer = await page(prefix, LIST_KEYS_MAX, "", token);
        const keys = (answer.Contents ?? []).flatMap(({ Key: key }) => (key === undefined ? [] : [key]));
        await remove(keys);
        count += keys.length;
        token = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
      } while (token !== undefined);
      return count;
    },
    async withFile(key, use) {
      const info = await head(key);
      if (info === undefined) throw problem.notFound(`there is no object '${key}'`);
      const original = { key, version: info.ETag ?? "", sizeBytes: info.ContentLength ?? 0 };
      return lending.lend(original, (path) => download(original, path), use);
    },
    async state() {
      try {
        await checkBucket();
        return { ok: true, detail: at };
      } catch (error) {
        return { ok: false, detail: error instanceof Error ? error.message : String(error) };
      }
    },
  };

  async function download({ key, version }: { key: string; version: string }, path: string): Promise<void> {
    await ask(key, async () => {
      try {
        const { Body: body } = await client.send(
          new GetObjectCommand({ Bucket: bucket, Key: key, ...(version === "" ? {} : { IfMatch: version }) }),
        );
        if (!(body instanceof Readable)) throw problem.internal(`${at} gave '${key}' without its bytes`);
        await pipeline(body, createWriteStream(path, { flags: "wx" }));
      } catch (error) {
        await rm(path, { force: true });
        if (statusOf(error) === 412) throw problem.aborted(`the object '${key}' was replaced meanwhile: try again`);
        throw error;
      }
    });
  }
}

/** Into a buffer of its own: the caller may transfer it to a worker. */
async function readAll(key: string, body: Readable, sizeBytes: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  let done = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    if (done + chunk.byteLength > sizeBytes) break;
    bytes.set(chunk, done);
    done += chunk.byteLength;
  }
  if (done !== sizeBytes)
    throw problem.unavailable(`'${key}' broke off after ${done} of ${sizeBytes} bytes: try again`, {
      reason: "objects_away",
    });
  return bytes;
}

function infoOf(key: string, sizeBytes: number | undefined, modified: Date | undefined): ObjectInfo {
  return { key, sizeBytes: sizeBytes ?? 0, modifiedMs: modified?.getTime() ?? 0 };
}
