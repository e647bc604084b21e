import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import type { Engine, EnginePlace } from "./engine.ts";
import { engineSecret } from "./secret.ts";
import { ensureProgram, runProgram } from "./programs.ts";

const MODULE = "github.com/versity/versitygw/cmd/versitygw";
const VERSION = "v1.8.0";
const BUCKET = "marquee";
const REGION = "us-east-1";
const ACCESS_KEY = "marquee";
const BUILD_TIMEOUT_MS = 30 * 60_000;

const folderOf = ({ programs }: EnginePlace): string => join(programs, `versitygw-${VERSION}`);
const programOf = (at: EnginePlace): string => join(folderOf(at), "versitygw");
const endpointOf = ({ host = "127.0.0.1", port }: EnginePlace): string => `http://${host}:${port}`;

/** An S3 server whose buckets are folders. It is built from its source, which the Go module proxy has. */
export const s3: Engine = {
  name: "s3",
  what: `objects: Versity S3 Gateway ${VERSION} on the file system`,
  licence: "Apache-2.0",
  async install(at) {
    const isThere = await access(programOf(at)).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    const go = await ensureProgram("go", "golang-go", at.say);
    await mkdir(folderOf(at), { recursive: true });
    at.say(`building versitygw ${VERSION} by Go: this takes some minutes, once`);
    await runProgram(go, ["install", `${MODULE}@${VERSION}`], {
      env: { GOBIN: folderOf(at), GOFLAGS: "-mod=mod", GOMAXPROCS: "2" },
      timeoutMs: BUILD_TIMEOUT_MS,
    });
  },
  async command(at) {
    const [objects, metadata] = [join(at.data, "objects"), join(at.data, "metadata")];
    await mkdir(objects, { recursive: true });
    await mkdir(metadata, { recursive: true });
    return {
      program: programOf(at),
      // Metadata beside the objects and not in extended attributes, which not every file system has.
      args: ["--port", `127.0.0.1:${at.port}`, "--region", REGION, "--quiet", "posix", "--sidecar", metadata, objects],
      // By the environment, because everybody may read a program's arguments.
      env: { ROOT_ACCESS_KEY: ACCESS_KEY, ROOT_SECRET_KEY: engineSecret(at.data) },
    };
  },
  async health(at) {
    const client = new S3Client({
      endpoint: endpointOf(at),
      region: REGION,
      forcePathStyle: true,
      credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: engineSecret(at.data) },
      requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
      maxAttempts: 1,
    });
    try {
      await client.send(new HeadBucketCommand({ Bucket: BUCKET })).catch(async () => {
        await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
      });
    } finally {
      client.destroy();
    }
    // What `go install` builds calls itself "git"; its folder carries the version that was asked for.
    return `Versity S3 Gateway ${VERSION}`;
  },
  environment: (at) => ({
    MARQUEE_S3_ENDPOINT: endpointOf(at),
    MARQUEE_S3_BUCKET: BUCKET,
    MARQUEE_S3_REGION: REGION,
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: engineSecret(at.data),
  }),
};
