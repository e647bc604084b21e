import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openLogger } from "./telemetry.ts";

test("a log line is one JSON object and holds no secret, wherever it was put", async () => {
  const folder = await mkdtemp(join(tmpdir(), "marquee-log-"));
  const file = join(folder, "logs/x.log");
  const log = openLogger({ level: "info", file })("session");
  const cause = Object.assign(new Error("no route to ada@mail.example"), { cause: new Error("Bearer abc") });
  log.debug("not written");
  log.warn("hello bob@mail.example", {
    user_id: "usr_1",
    password: "hunter2",
    nested: { apiKey: "hunter2", refreshTokens: ["hunter2"], pin: 1234, deep: [{ cookie: "hunter2" }] },
    note: "10.1.2.3",
    error: cause,
  });
  let text = "";
  for (let tries = 0; tries < 200 && text === ""; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    text = await readFile(file, "utf8").catch(() => "");
  }
  await rm(folder, { recursive: true });
  assert.doesNotMatch(text, /hunter2|1234|ada@|bob@|10\.1\.2\.3|abc|not written/);
  const line = JSON.parse(text) as Record<string, unknown>;
  assert.equal(line["level"], "WARN");
  assert.equal(line["service"], "session");
  assert.equal(line["user_id"], "usr~");
  assert.equal(line["message"], "hello <email>");
  assert.equal((line["attributes"] as { nested: { pin: unknown } }).nested.pin, "<secret>");
});

test("a log that is too large is put aside, and the last one that was goes", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "marquee-log-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "x.log");
  const log = openLogger({ level: "info", file, fileBytesMax: 2_000 })("session");
  const linesOf = async (path: string) => (await readFile(path, "utf8").catch(() => "")).split("\n").filter(Boolean);
  for (let n = 0; n < 60; n += 1) {
    log.info(`line ${n}`);
    for (let tries = 0; tries < 200; tries += 1) {
      if ([...(await linesOf(`${file}.1`)), ...(await linesOf(file))].at(-1)?.includes(`"line ${n}"`)) break;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  const kept = [...(await linesOf(`${file}.1`)), ...(await linesOf(file))];
  const numbers = kept.map((line) => Number(/"line (\d+)"/.exec(line)?.[1]));
  assert.deepEqual(
    numbers,
    Array.from(numbers, (_, at) => 60 - numbers.length + at),
    "no line between is missing",
  );
  assert.ok(numbers.length > 15 && numbers.length < 60, `${numbers.length} lines were kept`);
});

const FULL = "/dev/full";
test("a full disk ends nobody", { skip: existsSync(FULL) ? false : `there is no ${FULL} here` }, async () => {
  const log = openLogger({ level: "info", file: FULL })("session");
  log.warn("first");
  await new Promise((resolve) => setTimeout(resolve, 20));
  log.warn("second");
  // An error that nobody listens to would fail this test.
  await new Promise((resolve) => setTimeout(resolve, 20));
});
