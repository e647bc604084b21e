/** `./marquee import` as a person types it: a process of its own, which knows of the running product only where its data are. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";

const MARQUEE = resolve(import.meta.dirname, "../../marquee");

export interface Imported {
  readonly contentId: string;
  readonly elapsedS: number;
}

/** Imports a file and waits until every rung is there. `words` are further arguments. */
export async function importByCommand(
  dataFolder: string,
  file: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<Imported> {
  const startedMs = performance.now();
  const child = spawn(MARQUEE, ["import", file, "--wait=complete", "--json", ...words], {
    // Set by the test runner for its own children; this is none of them.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, MARQUEE_DATA: dataFolder },
    stdio: ["ignore", "pipe", "pipe"],
    signal,
  });
  const ended = new Promise<number | null>((settle, reject) => child.once("error", reject).once("close", settle));
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  assert.equal(code, 0, `./marquee import ended with ${code}:\n${output}${errors}`);
  const lines = output.trim().split("\n");
  const last = JSON.parse(lines.at(-1) ?? "") as { file: string; contentId: string; status: string };
  assert.deepEqual([last.file, last.status], [file, "ready"], output);
  return { contentId: last.contentId, elapsedS: (performance.now() - startedMs) / 1_000 };
}
