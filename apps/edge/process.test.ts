import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { startEdge } from "./start.ts";
import { edgeOptions, get, newKey, newToken, openTestOrigin } from "./testing.ts";

const run = promisify(execFile);
const nowS = (): number => Math.floor(Date.now() / 1_000);
const INIT = "/vod/film/r1/720p/init.mp4";

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("an edge's process", () => {
  it("keeps objects on its disk, catches up on purges that it missed, and throws away what was damaged", async () => {
    const origin = await openTestOrigin();
    const key = newKey();
    origin.keys = [key];
    const { options, remove } = await edgeOptions(origin);
    const paths = ["film", "gone", "torn"].map((id) => `/vod/${id}/r1/720p/init.mp4`);
    for (const path of paths) origin.objects.set(path, randomBytes(5_000));
    const token = await newToken({ key, baseUrl: options.baseUrl, nowS: nowS(), pathPrefix: "/vod/" });
    const read = (path: string) => get(options.baseUrl, `${path}?CAT=${token}`);
    try {
      const first = await startEdge(options);
      for (const path of paths) assert.equal((await read(path)).status, 200);
      await settled(options.cacheFolder, ["film", "gone", "torn"]);
      await first.stop();
      assert.equal(await first.exited, false);
      origin.purge("gone", false);
      await truncate(join(options.cacheFolder, "torn", "r1~720p~init.mp4"), 3_000);
      const second = await startEdge(options);
      try {
        for (let tries = 0; (await readdir(options.cacheFolder)).includes("gone") && tries < 100; tries += 1) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        for (const path of paths) assert.deepEqual((await read(path)).body, origin.objects.get(path));
        assert.deepEqual(
          paths.map((path) => origin.counts.get(path)),
          [1, 2, 2],
        );
      } finally {
        await second.stop();
      }
      assert.equal(isAlive(second.pid), false);
    } finally {
      await origin.close();
      await remove();
    }
  });

  it("ends when its parent is killed with -9", async () => {
    const origin = await openTestOrigin();
    const { options, remove } = await edgeOptions(origin);
    const code = `
      const { startEdge } = await import(${JSON.stringify(new URL("./start.ts", import.meta.url).href)});
      const edge = await startEdge(${JSON.stringify(options)});
      process.stdout.write(String(edge.pid) + "\\n");`;
    const parent = spawn(process.execPath, ["--input-type=module-typescript", "-e", code], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const pid = await new Promise<number>((resolve, reject) => {
        parent.stdout.once("data", (chunk: Buffer) => resolve(Number(chunk.toString())));
        parent.once("exit", () => reject(new Error("the parent ended before the edge was ready")));
      });
      assert.equal(isAlive(pid), true);
      parent.kill("SIGKILL");
      for (let tries = 0; isAlive(pid) && tries < 200; tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(isAlive(pid), false);
    } finally {
      parent.kill("SIGKILL");
      await origin.close();
      await remove();
    }
  });

  it("says why it does not start", async () => {
    const origin = await openTestOrigin();
    const taken = Number(new URL(origin.url).port);
    const { options, remove } = await edgeOptions(origin);
    try {
      await assert.rejects(
        startEdge({ ...options, port: taken }),
        new RegExp(`edge 'edge-a' did not start on 127.0.0.1:${taken}: .*EADDRINUSE`),
      );
      await assert.rejects(startEdge({ ...options, id: "no id" }), /id/);
    } finally {
      await origin.close();
      await remove();
    }
  });

  it("speaks HTTP/2 and HTTP/1.1 over TLS", {
    skip: hasOpenssl() ? false : "there is no openssl here to make a certificate",
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "marquee-edge-tls-"));
    const origin = await openTestOrigin();
    const key = newKey();
    origin.keys = [key];
    const body = randomBytes(300_000);
    origin.objects.set(INIT, body);
    const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    await writeFile(join(folder, "openssl.cnf"), "[req]\ndistinguished_name=dn\n[dn]\n");
    await run("openssl", [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "1",
      "-subj",
      "/CN=localhost",
      "-config",
      join(folder, "openssl.cnf"),
      "-keyout",
      keyFile,
      "-out",
      certFile,
    ]);
    const { options, remove } = await edgeOptions(origin, { tls: { certFile, keyFile } });
    const baseUrl = options.baseUrl.replace("http:", "https:");
    const edge = await startEdge({ ...options, baseUrl });
    try {
      const token = await newToken({ key, baseUrl, nowS: nowS(), expS: nowS() + 20 });
      const next = await newToken({ key, baseUrl, nowS: nowS() });
      origin.renew = async () => next;
      const session = connectHttp2(baseUrl, { rejectUnauthorized: false });
      // A cold object, a hot one, and a part of it.
      for (const range of [undefined, undefined, "bytes=5-104"]) {
        const stream = session.request({
          ":path": `${INIT}?CAT=${token}`,
          origin: "https://player.example",
          ...(range === undefined ? {} : { range }),
        });
        const headers = await new Promise<Record<string, unknown>>((resolve) =>
          stream.once("response", (got) => resolve(got)),
        );
        const chunks: Buffer[] = [];
        for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
        assert.equal(headers[":status"], range === undefined ? 200 : 206);
        assert.deepEqual(Buffer.concat(chunks), range === undefined ? body : body.subarray(5, 105));
        assert.match(String(headers["set-cookie"]), /; HttpOnly; SameSite=None; Secure$/);
        assert.equal(headers["access-control-allow-origin"], "https://player.example");
      }
      const refused = session.request({ ":path": INIT });
      const status = await new Promise((resolve) => refused.once("response", (got) => resolve(got[":status"])));
      assert.equal(status, 403);
      session.close();
      const old = await new Promise<number>((resolve, reject) => {
        httpsRequest(`${baseUrl}${INIT}?CAT=${token}`, { rejectUnauthorized: false, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        })
          .once("error", reject)
          .end();
      });
      assert.equal(old, 200);
    } finally {
      await edge.stop();
      await origin.close();
      await remove();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Objects are written to the disk after they were sent. */
async function settled(folder: string, contents: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const names = await readdir(folder);
    if (contents.every((id) => names.includes(id)) && names.includes("purged")) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("the cache did not reach the disk");
}
