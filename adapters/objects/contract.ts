import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { Problem } from "#kernel/errors";
import type { Objects } from "#kernel/ports/objects";

const isProblem = (code: string) => (error: unknown) => error instanceof Problem && error.code === code;

/**
 * What every object store does. Each test works below a prefix of its own, so that a shared bucket does.
 * `keysArePaths`: S3 servers that keep objects as files cannot have a key that is another one's folder, and must say so.
 */
export function objectsContract(
  name: string,
  open: () => Promise<Objects>,
  { keysArePaths = false }: { readonly keysArePaths?: boolean } = {},
): void {
  describe(`objects contract: ${name}`, () => {
    let objects: Objects;
    let local: string;
    before(async () => {
      objects = await open();
      local = await mkdtemp(join(tmpdir(), "marquee-objects-"));
    });
    after(() => rm(local, { recursive: true, force: true }));

    test("an object comes back as it was, whole, in ranges and as a stream", async () => {
      const key = `${randomUUID()}/a/b.bin`;
      const body = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 31) & 255));
      const beforeMs = Date.now() - 2000;
      await objects.put(key, body, { contentType: "video/mp4" });
      assert.deepEqual(Buffer.from(await objects.get(key)), body);
      assert.deepEqual(Buffer.from(await objects.get(key, { startBytes: 10, endBytes: 19 })), body.subarray(10, 20));
      assert.deepEqual(
        Buffer.from(await objects.get(key, { startBytes: 99_990, endBytes: 200_000 })),
        body.subarray(99_990),
      );
      assert.deepEqual(await buffer(await objects.stream(key)), body);
      assert.deepEqual(await buffer(await objects.stream(key, { startBytes: 5, endBytes: 5 })), body.subarray(5, 6));
      const info = await objects.head(key);
      assert.equal(info?.sizeBytes, body.length);
      assert.ok((info?.modifiedMs ?? 0) >= beforeMs);
      await assert.rejects(objects.get(key, { startBytes: 100_000, endBytes: 100_001 }), isProblem("invalid_argument"));
      await assert.rejects(objects.get(key, { startBytes: 5, endBytes: 4 }), isProblem("invalid_argument"));
    });

    test("an object has an address for other programs, one for each key, that ends with its name", async () => {
      const folder = randomUUID();
      const [one, other] = [objects.uri(`${folder}/a/b.bin`), objects.uri(`${folder}/a.bin`)];
      assert.match(one, /^[a-z0-9]+:\/\/.*\/b\.bin$/);
      assert.notEqual(one, other);
      assert.ok(URL.canParse(one));
      if (one.startsWith("file:")) {
        await objects.put(`${folder}/a/b.bin`, Buffer.from("bytes"));
        assert.equal(await readFile(one.slice("file://".length), "utf8"), "bytes");
      }
      assert.throws(() => objects.uri("/"), isProblem("invalid_argument"));
    });

    test("an empty object is an object", async () => {
      const key = `${randomUUID()}/empty`;
      await objects.put(key, new Uint8Array());
      assert.equal((await objects.get(key)).byteLength, 0);
      assert.equal((await buffer(await objects.stream(key))).byteLength, 0);
      assert.equal((await objects.head(key))?.sizeBytes, 0);
    });

    test("what is not there is not found", async () => {
      const key = `${randomUUID()}/none`;
      await assert.rejects(objects.get(key), isProblem("not_found"));
      await assert.rejects(objects.stream(key), isProblem("not_found"));
      await assert.rejects(
        objects.withFile(key, async () => undefined),
        isProblem("not_found"),
      );
      assert.equal(await objects.head(key), undefined);
      await objects.delete([key]);
    });

    test("a write replaces, an exclusive one does not", async () => {
      const key = `${randomUUID()}/x`;
      await objects.put(key, Buffer.from("1"), { exclusive: true });
      await assert.rejects(objects.put(key, Buffer.from("2"), { exclusive: true }), isProblem("already_exists"));
      assert.equal(Buffer.from(await objects.get(key)).toString(), "1");
      await objects.put(key, Buffer.from("3"));
      assert.equal(Buffer.from(await objects.get(key)).toString(), "3");
    });

    test("of many exclusive writes at the same moment one wins", async () => {
      const key = `${randomUUID()}/race`;
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) => objects.put(key, Buffer.from(String(index)), { exclusive: true })),
      );
      assert.equal(results.filter((result) => result.status === "fulfilled").length, 1);
      const winner = results.findIndex((result) => result.status === "fulfilled");
      assert.equal(Buffer.from(await objects.get(key)).toString(), String(winner));
    });

    test("a stream is written whole, and one that breaks leaves nothing", async () => {
      const prefix = randomUUID();
      await objects.put(`${prefix}/good`, Readable.from([Buffer.from("ab"), Buffer.from("cd")]));
      assert.equal(Buffer.from(await objects.get(`${prefix}/good`)).toString(), "abcd");
      const broken = new Readable({
        read() {
          this.push(Buffer.from("half"));
          this.destroy(new Error("the source broke"));
        },
      });
      await assert.rejects(objects.put(`${prefix}/bad`, broken), /the source broke/);
      assert.equal(await objects.head(`${prefix}/bad`), undefined);
    });

    test("a key and keys below it live side by side, or the second is refused", async () => {
      const prefix = randomUUID();
      await objects.put(`${prefix}/a`, Buffer.from("1"));
      const below = objects.put(`${prefix}/a/b`, Buffer.from("2"));
      if (keysArePaths) await assert.rejects(below, isProblem("failed_precondition"));
      else {
        await below;
        assert.equal(Buffer.from(await objects.get(`${prefix}/a/b`)).toString(), "2");
      }
      assert.equal(Buffer.from(await objects.get(`${prefix}/a`)).toString(), "1");
    });

    test("lists are in the order of keys, page by page", async () => {
      const prefix = randomUUID();
      const names = ["a-b/c", "a.b", "a/b/c", "a/b0", "a0", "aB", "b/x", "b/y", "c"];
      if (!keysArePaths) names.push("a", "a/b");
      await Promise.all(names.map((name) => objects.put(`${prefix}/${name}`, Buffer.from(name))));
      const sorted = names.map((name) => `${prefix}/${name}`).sort();
      const list = async (under: string, keysMax = 100, afterKey?: string) =>
        (await objects.list(under, { keysMax, ...(afterKey === undefined ? {} : { after: afterKey }) })).map(
          (info) => info.key,
        );
      assert.deepEqual(await list(`${prefix}/`), sorted);
      for (const keysMax of [1, 3]) {
        const paged: string[] = [];
        for (
          let page = await list(`${prefix}/`, keysMax);
          page.length > 0;
          page = await list(`${prefix}/`, keysMax, paged.at(-1))
        ) {
          assert.ok(page.length <= keysMax);
          paged.push(...page);
        }
        assert.deepEqual(paged, sorted);
      }
      for (const under of ["a", "a/", "a/b", "b/", "zzz", "a-b/"]) {
        assert.deepEqual(
          await list(`${prefix}/${under}`),
          sorted.filter((key) => key.startsWith(`${prefix}/${under}`)),
          under,
        );
      }
      assert.deepEqual(
        await list(`${prefix}/`, 100, `${prefix}/a/b`),
        sorted.filter((key) => key > `${prefix}/a/b`),
      );
      assert.equal((await objects.list(`${prefix}/c`, { keysMax: 1 }))[0]?.sizeBytes, 1);
    });

    test("deletes keys and whole prefixes, and nothing beside them", async () => {
      const prefix = randomUUID();
      const beside = keysArePaths ? "t.x" : "t";
      for (const name of ["t/1", "t/2", "t/u/3", "t2/1", beside])
        await objects.put(`${prefix}/${name}`, Buffer.from("x"));
      await objects.delete([`${prefix}/t/1`, `${prefix}/t/none`]);
      assert.equal(await objects.deletePrefix(`${prefix}/t/`), 2);
      assert.equal(await objects.deletePrefix(`${prefix}/t/`), 0);
      assert.deepEqual(
        (await objects.list(`${prefix}/`, { keysMax: 10 })).map((info) => info.key),
        [`${prefix}/${beside}`, `${prefix}/t2/1`],
      );
      await assert.rejects(objects.deletePrefix(`${prefix}/t2`), isProblem("invalid_argument"));
      // A folder that became empty does not stand in the way.
      await objects.put(`${prefix}/t/1`, Buffer.from("again"));
    });

    test("files move and copy in, and are lent out", async () => {
      const prefix = randomUUID();
      const path = join(local, "source.bin");
      await writeFile(path, "bytes");
      await objects.putFile(`${prefix}/copied`, path);
      await objects.putFile(`${prefix}/moved`, path, { move: true });
      await assert.rejects(stat(path));
      for (const key of ["copied", "moved"]) {
        assert.equal(await objects.withFile(`${prefix}/${key}`, (lent) => readFile(lent, "utf8")), "bytes");
      }
      await assert.rejects(objects.putFile(`${prefix}/none`, path), isProblem("invalid_argument"));
      await assert.rejects(objects.putFile(`${prefix}/none`, local), isProblem("invalid_argument"));
    });

    test("keys that are no keys are refused", async () => {
      for (const key of [
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        "a/./b",
        "a b",
        "a\u0000",
        "ä",
        "a\\b",
        "a~/b",
        "x".repeat(1025),
      ]) {
        await assert.rejects(async () => objects.put(key, new Uint8Array()), isProblem("invalid_argument"), key);
        await assert.rejects(async () => objects.get(key), isProblem("invalid_argument"), key);
        await assert.rejects(async () => objects.delete([key]), isProblem("invalid_argument"), key);
      }
      await assert.rejects(objects.list("../", { keysMax: 1 }), isProblem("invalid_argument"));
      await assert.rejects(async () => objects.deletePrefix("/"), isProblem("invalid_argument"));
    });

    test("state says that it is well", async () => {
      assert.equal((await objects.state()).ok, true);
    });
  });
}
