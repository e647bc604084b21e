import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { problem } from "./errors.ts";
import type { OutboxRow } from "./events.ts";
import type { NewRecord } from "./ports/log.ts";
import { silentLogger } from "./telemetry.ts";
import { openTeller } from "./teller.ts";

const row = (key: string): OutboxRow => ({ eventId: key, topic: "t", key, headers: {}, value: Buffer.alloc(0) });

/** A log that is away until it is told otherwise. */
function openLog() {
  const taken: string[] = [];
  const log = {
    isAway: false,
    taken,
    async append(records: readonly NewRecord[]): Promise<void> {
      await pause(1);
      if (records.some(({ key }) => key === "refused")) throw problem.invalid("no such topic");
      if (log.isAway) throw problem.unavailable("the log is away");
      taken.push(...records.map(({ key }) => key));
    },
  };
  return log;
}

test("facts come to the log in their order, without anybody waiting", async () => {
  const log = openLog();
  const teller = openTeller({ log, logger: silentLogger });
  for (const key of ["a", "b", "c"]) teller.tell([row(key)]);
  assert.deepEqual(log.taken, []);
  await teller.drained();
  assert.deepEqual(log.taken, ["a", "b", "c"]);
});

test("while the log is away they wait, the oldest are dropped, and the rest comes when it is back", async () => {
  const log = openLog();
  log.isAway = true;
  const said: unknown[] = [];
  const logger = { ...silentLogger, warn: (_: string, about?: object) => void said.push(about) };
  const teller = openTeller({ log, logger, waitingMax: 3, retryMs: 5 });
  for (const key of ["a", "b", "c", "d", "e"]) teller.tell([row(key)]);
  await pause(20);
  assert.deepEqual(log.taken, []);
  log.isAway = false;
  await teller.drained();
  assert.deepEqual(log.taken, ["c", "d", "e"]);
  assert.deepEqual(said, [{ dropped: 2 }]);
});

test("who stops hands over what waits, and does not wait for a log that is away", async () => {
  const log = openLog();
  const teller = openTeller({ log, logger: silentLogger, retryMs: 60_000 });
  teller.tell([row("a")]);
  await teller.stop();
  assert.deepEqual(log.taken, ["a"]);
  const other = openTeller({ log, logger: silentLogger, retryMs: 60_000 });
  log.isAway = true;
  other.tell([row("b")]);
  await other.stop();
  assert.deepEqual(log.taken, ["a"]);
});

test("facts that the log will never have keep nobody waiting", async () => {
  const log = openLog();
  const said: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void said.push(message) };
  const teller = openTeller({ log, logger, retryMs: 60_000 });
  teller.tell([row("refused")]);
  await pause(5);
  teller.tell([row("a")]);
  await teller.drained();
  assert.deepEqual(log.taken, ["a"]);
  assert.deepEqual(said, ["facts were refused by the log"]);
});
