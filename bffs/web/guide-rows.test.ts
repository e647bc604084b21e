import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { GuideChannel } from "#contracts/epg";
import { systemClock } from "#kernel";
import { openGuideRows } from "./guide-rows.ts";
import type { WebParts } from "./parts.ts";

const DAY = "2026-11-26";
const wish = {
  channels: [{ id: "one", name: "One", number: 1, logoUrl: "", playable: true } as GuideChannel],
  days: [DAY],
  ageMax: 18,
};
const cell = (title: string, age: number) => ({ id: title, startMs: 0, stopMs: 1, title, age });

/** An EPG that counts how often it is asked, whose answer is its count, and that answers when it is let. */
function stage() {
  let [asked, nowMs] = [0, 1];
  let gate: Promise<unknown> = Promise.resolve();
  const composedDays = async (_: unknown, { tenant }: { tenant: string }) => {
    const json = JSON.stringify([cell(`${tenant} ${++asked}`, 0), cell("late", 16)]);
    await gate;
    return { days: [{ channelId: "one", day: DAY, json }] };
  };
  const parts = { call: { epg: { composedDays } }, clock: systemClock } as unknown as WebParts;
  const rows = openGuideRows(parts, { now: () => nowMs });
  const titles = async (of: Partial<typeof wish> = {}, tenant = "demo"): Promise<string[]> => {
    const text = `${String(await rows({ ...wish, ...of }, tenant))}"end":0}`;
    const { channels } = JSON.parse(text) as { channels: { days: { title: string }[][] }[] };
    return channels.flatMap(({ days }) => days.flat().map(({ title }) => title));
  };
  return {
    titles,
    asked: () => asked,
    pass: (ms: number) => void (nowMs += ms),
    hold(until: Promise<unknown>) {
      gate = until;
    },
  };
}

test("who opens the same guide at the same time, or within a second, has the same rows", async () => {
  const { titles, asked, pass } = stage();
  const both = await Promise.all([titles(), titles()]);
  pass(900);
  both.push(await titles());
  assert.deepEqual(both, [
    ["demo 1", "late"],
    ["demo 1", "late"],
    ["demo 1", "late"],
  ]);
  assert.equal(asked(), 1);
});

test("nobody waits for rows that have just grown old, and the next one has new ones", async () => {
  const { titles, pass, hold } = stage();
  await titles();
  pass(2_000);
  const { promise, resolve } = Promise.withResolvers<void>();
  hold(promise);
  assert.deepEqual(await titles(), ["demo 1", "late"]);
  resolve();
  await turn();
  assert.deepEqual(await titles(), ["demo 2", "late"]);
});

test("what is older than five seconds is not given any more", async () => {
  const { titles, pass } = stage();
  await titles();
  pass(5_100);
  assert.deepEqual(await titles(), ["demo 2", "late"]);
});

test("a tenant and an age have rows of their own", async () => {
  const { titles } = stage();
  assert.deepEqual(await titles(), ["demo 1", "late"]);
  assert.deepEqual(await titles({}, "other"), ["other 2", "late"]);
  assert.deepEqual(await titles({ ageMax: 12 }), ["demo 3", ""]);
});
