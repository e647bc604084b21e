import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Problem } from "#kernel/errors";
import type { Secrets } from "#kernel/ports/secrets";

const isProblem = (code: string) => (error: unknown) => error instanceof Problem && error.code === code;

/** What every secrets store does. */
export function secretsContract(name: string, open: () => Promise<Secrets>): void {
  describe(`secrets contract: ${name}`, () => {
    let secrets: Secrets;
    before(async () => {
      secrets = await open();
    });
    after(() => secrets.close());

    test("values come back with versions that grow, also over a deletion", async () => {
      const key = `${randomUUID()}/key`;
      assert.equal(await secrets.get(key), undefined);
      assert.equal(await secrets.put(key, { a: "1", nested: { b: [1, null, "\u00e9"] } }), 1);
      assert.deepEqual(await secrets.get(key), { version: 1, value: { a: "1", nested: { b: [1, null, "\u00e9"] } } });
      assert.equal(await secrets.put(key, { a: "2" }), 2);
      await secrets.delete(key);
      await secrets.delete(key);
      assert.equal(await secrets.get(key), undefined);
      const version = await secrets.put(key, { a: "3" }, { expectedVersion: 0 });
      assert.ok(version > 2);
      assert.deepEqual(await secrets.get(key), { version, value: { a: "3" } });
    });

    test("an expected version that is not there aborts, and of many writers one wins", async () => {
      const key = `${randomUUID()}/race`;
      await assert.rejects(secrets.put(key, { n: 0 }, { expectedVersion: 1 }), isProblem("aborted"));
      const first = await Promise.allSettled(
        Array.from({ length: 20 }, (_, n) => secrets.put(key, { n }, { expectedVersion: 0 })),
      );
      const winner = first.findIndex((result) => result.status === "fulfilled");
      assert.equal(first.filter((result) => result.status === "fulfilled").length, 1);
      assert.deepEqual(await secrets.get(key), { version: 1, value: { n: winner } });
      for (const result of first) if (result.status === "rejected") assert.ok(isProblem("aborted")(result.reason));
      const free = await Promise.all(Array.from({ length: 10 }, (_, n) => secrets.put(key, { n })));
      assert.deepEqual(
        free.toSorted((a, b) => a - b),
        Array.from({ length: 10 }, (_, n) => n + 2),
      );
    });

    test("lists names in order below a prefix", async () => {
      const prefix = randomUUID();
      for (const key of ["b", "a/2", "a/1", "a/10", "gone"]) await secrets.put(`${prefix}/${key}`, {});
      await secrets.delete(`${prefix}/gone`);
      assert.deepEqual(
        await secrets.list(`${prefix}/`, 10),
        ["a/1", "a/10", "a/2", "b"].map((key) => `${prefix}/${key}`),
      );
      assert.deepEqual(await secrets.list(`${prefix}/a/`, 2), [`${prefix}/a/1`, `${prefix}/a/10`]);
      await assert.rejects(secrets.list("", 0), isProblem("invalid_argument"));
    });

    test("names that are no names and values that are too large are refused, without telling the value", async () => {
      for (const key of ["", "/a", "a/", "a//b", "a b", "a+b", "../a", "a/./b", "..", "\u0000", "x".repeat(300)]) {
        await assert.rejects(
          async () => secrets.put(key, { value: "hunter2" }),
          (error) => isProblem("invalid_argument")(error) && !String(error).includes("hunter2"),
          key,
        );
        await assert.rejects(async () => secrets.get(key), isProblem("invalid_argument"), key);
      }
      await assert.rejects(
        async () => secrets.put("large", { value: "x".repeat(100_000) }),
        isProblem("invalid_argument"),
      );
    });

    test("state says that it is well", async () => {
      assert.equal((await secrets.state()).ok, true);
    });
  });
}
