import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { topics } from "../contracts/topics/index.ts";
import { eventsTable, GUIDE, readEvents, rendered, topicsTable } from "./docs-events.ts";
import { REPOSITORY } from "./files.ts";

test("the guide's tables are what the contracts and services say", async () => {
  const written = readFileSync(path.join(REPOSITORY, GUIDE), "utf8");
  assert.equal(written, await rendered(), "run `node scripts/docs-events.ts` and commit what it writes");
});

test("every event with a topic is declared, published and described", async () => {
  const entries = await readEvents();
  assert.deepEqual(
    entries.map(({ name }) => name),
    Object.keys(topics.routes).sort((a, b) => a.localeCompare(b, "en")),
  );
  const silent = entries.filter(({ kinds }) => kinds.length === 0).map(({ name }) => name);
  assert.deepEqual(silent, [], "nobody publishes these");
  const undescribed = entries.filter(({ doc }) => doc === "").map(({ name }) => name);
  assert.deepEqual(undescribed, [], "their .avsc has no doc");
});

test("kinds and consumers are read from the code", async () => {
  const entries = await readEvents();
  const find = (name: string) => entries.find((entry) => entry.name === name);
  assert.deepEqual(find("playback.heartbeat")?.kinds, ["fact"]);
  assert.deepEqual(find("playback.started")?.kinds, ["state"]);
  assert.ok(find("playback.heartbeat")?.consumers.includes("bookmark"));
  assert.ok(find("playback.heartbeat")?.consumers.includes("routing"));
});

test("a table names an event without a topic", () => {
  const stray = { name: "no.topic", producer: "x", kinds: [], consumers: [], doc: "" };
  assert.throws(() => eventsTable([stray]), /'no\.topic' of x has no topic/);
});

test("topics stand in the order of the catalogue", () => {
  const names = topicsTable()
    .split("\n")
    .slice(2)
    .map((line) => line.split("`")[1]);
  assert.deepEqual(
    names,
    topics.specs.map(({ name }) => name),
  );
});
