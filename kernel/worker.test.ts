import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Worker } from "node:worker_threads";
import { answerOf, askWorker } from "./worker.ts";

let worker: Worker;
const begin = (code: string): Worker =>
  (worker = new Worker(
    new URL(
      `data:text/javascript,${encodeURIComponent(`import { parentPort, workerData } from "node:worker_threads";\n${code}`)}`,
    ),
    { execArgv: [], workerData: 20 },
  ));
afterEach(() => worker.terminate());

test("a worker answers one question after the other, and nothing of a question stays on it", async () => {
  const own = begin("parentPort.on('message', (n) => parentPort.postMessage(n * 2));");
  for (let n = 0; n < 20; n += 1) assert.equal(await askWorker<number>(own, n, "gone"), n * 2);
  for (const name of ["message", "error", "exit"]) assert.equal(own.listenerCount(name), 0, name);
});

test("what was asked with its beginning is answered, too", async () => {
  assert.equal(await answerOf<number>(begin("parentPort.postMessage(workerData + 1);"), "gone"), 21);
});

test("what a worker throws is passed on, and one that ends says in whose words", async () => {
  await assert.rejects(askWorker(begin("parentPort.on('message', () => { throw new Error('no'); });"), 1, "gone"), {
    message: "no",
  });
  const silent = begin("parentPort.on('message', () => process.exit(0));");
  await assert.rejects(askWorker(silent, 1, "it was interrupted"), { code: "aborted", message: "it was interrupted" });
});

test("one that was stopped between two questions is not waited for", async () => {
  const own = begin("parentPort.on('message', (n) => parentPort.postMessage(n));");
  assert.equal(await askWorker<number>(own, 1, "gone"), 1);
  await own.terminate();
  await assert.rejects(askWorker(own, 2, "it was stopped"), { code: "aborted", message: "it was stopped" });
});
