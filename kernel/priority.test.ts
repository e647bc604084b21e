import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { yieldEngineThreads } from "./priority.ts";

const skip = process.platform === "linux" ? false : "only Linux has priorities by thread";

/** The niceness of every thread of this process, by its name. */
const priorities = (name: RegExp): number[] =>
  readdirSync("/proc/self/task")
    .filter((id) => name.test(readFileSync(`/proc/self/task/${id}/comm`, "latin1").trim()))
    .map((id) => getPriority(Number(id)));

test("V8's threads give way, and those that answer people do not", { skip }, () => {
  const before = getPriority(process.pid);
  const count = yieldEngineThreads();
  assert.ok(count > 0, "no thread is named as V8's are: their name has changed");
  assert.deepEqual(
    priorities(/^V8Worker$/),
    Array.from({ length: count }, () => 10),
  );
  assert.equal(getPriority(process.pid), before);
});

test("a worker gives way alone", { skip }, async () => {
  const before = getPriority(process.pid);
  const code = `const { yieldThread } = await import(${JSON.stringify(new URL("./priority.ts", import.meta.url).href)});
    yieldThread(7);
    (await import("node:worker_threads")).parentPort.postMessage((await import("node:os")).getPriority());`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { execArgv: [] });
  const seen = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  await worker.terminate();
  assert.deepEqual([seen, getPriority(process.pid)], [7, before]);
});
