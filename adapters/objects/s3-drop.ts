import { createWriteStream } from "node:fs";
import { rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, ListObjectsV2Command, NoSuchBucket, PutObjectCommand } from "@aws-sdk/client-s3";
import { problem } from "#kernel/errors";
import { openS3Client } from "./s3.ts";
import { describe } from "./s3-errors.ts";

export interface S3DropOptions {
  readonly bucket: string;
  /** Empty, or the folder with a slash at its end. */
  readonly prefix: string;
  readonly endpoint?: string;
  readonly region: string;
}

export interface Dropped {
  /** The key without the prefix. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** A folder of a bucket into which people put files. Their names are their own, so these are no keys of the objects port. */
export interface S3Drop {
  /** What lies directly in the folder, in the order of names, at most `namesMax`. */
  look(namesMax: number): Promise<readonly Dropped[]>;
  download(name: string, path: string): Promise<void>;
  writeText(name: string, text: string): Promise<void>;
}

const FREE_BYTES_MIN = 512 * 1024 * 1024;
/** What may be a file's name here, so that the file has the object's; names with a dot in front are hidden everywhere. */
const isFileName = (name: string): boolean =>
  name !== "" && Buffer.byteLength(name) <= 200 && !/[\p{Cc}\\]/u.test(name) && !name.startsWith(".");

export function openS3Drop({ bucket, prefix, ...place }: S3DropOptions): S3Drop {
  const client = openS3Client(place);
  const at = `the bucket '${bucket}' at ${place.endpoint === undefined ? `Amazon S3 in ${place.region}` : new URL(place.endpoint).host}`;

  async function ask<T>(name: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NoSuchBucket)
        throw problem.notFound(`${at} does not exist: correct the address s3://${bucket}/${prefix}`);
      throw describe(at, prefix + name, error);
    }
  }

  return {
    look: (namesMax) =>
      ask("", async () => {
        const found: Dropped[] = [];
        let token: string | undefined;
        do {
          const answer = await client.send(
            new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: "/", ContinuationToken: token }),
          );
          for (const { Key: key = "", Size: sizeBytes = 0, LastModified: modified } of answer.Contents ?? []) {
            const name = key.slice(prefix.length);
            if (isFileName(name)) found.push({ name, sizeBytes, modifiedMs: modified?.getTime() ?? 0 });
          }
          token = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
        } while (token !== undefined && found.length < namesMax);
        return found.slice(0, namesMax);
      }),
    download: (name, path) =>
      ask(name, async () => {
        const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: prefix + name }));
        const { Body: body, ContentLength: sizeBytes = 0 } = answer;
        if (!(body instanceof Readable)) throw problem.internal(`${at} gave '${prefix}${name}' without its bytes`);
        const { bavail, bsize } = await statfs(dirname(path));
        if (sizeBytes + FREE_BYTES_MIN > bavail * bsize) {
          body.destroy();
          throw problem.exhausted(
            `there is no room for '${name}' (${sizeBytes} bytes) in ${dirname(path)}: free some space`,
            {
              reason: "disk_full",
              retryAfterS: 30,
            },
          );
        }
        await pipeline(body, createWriteStream(path)).catch(async (error: unknown) => {
          await rm(path, { force: true });
          throw error;
        });
      }),
    writeText: (name, text) =>
      ask(name, async () => {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: prefix + name,
            Body: text,
            ContentType: "text/plain; charset=utf-8",
          }),
        );
      }),
  };
}
