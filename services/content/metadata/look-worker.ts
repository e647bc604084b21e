/** Measures pictures for thumbnails, one after the other, with what nobody else wants of the machine. */
import { parentPort } from "node:worker_threads";
import { yieldThread } from "#kernel/priority";
import { type FromLooker, measure } from "./look.ts";

const NICENESS = 19;

const port = parentPort;
if (!port) throw new Error("this module runs as a worker");
yieldThread(NICENESS);
port.on("message", async (file: string) => {
  try {
    port.postMessage({ measured: await measure(file) } satisfies FromLooker);
  } catch (error) {
    port.postMessage({ failure: error instanceof Error ? error.message : String(error) } satisfies FromLooker);
  }
});
