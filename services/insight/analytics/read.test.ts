import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { systemContext } from "#kernel/context";
import { problem } from "#kernel/errors";
import { compact } from "./keep.ts";
import { readEvents } from "./read.ts";
import { openTestLake, type TestLake } from "./testing/lake.ts";

const DAY_MS = 86_400_000;
const TENANT = "readers";
let lake: TestLake;
before(async () => {
  lake = await openTestLake();
});
after(() => lake?.stop());

const failed = (contentId: string) => [TENANT, "failed", { contentId, reason: "test", message: "m" }] as const;
const context = systemContext(TENANT, "test");
const wanted = (changes: Partial<Parameters<typeof readEvents>[1]> = {}) => {
  const nowMs = lake.clock.nowMs();
  const span = { fromMs: BigInt(nowMs - 2 * DAY_MS), toMs: BigInt(nowMs + DAY_MS) };
  return { eventType: "ingest.failed", ...span, keys: [], cursor: "", ...changes };
};

/** All pages, one after the other; `between` runs after the first. */
async function readAll(of: ReturnType<typeof wanted>, between?: () => Promise<unknown>) {
  const found: { readonly key: string; readonly dataJson: string }[] = [];
  let [cursor, pages] = ["", 0];
  do {
    const page = await readEvents(lake.program(), { ...of, cursor }, context);
    found.push(...page.events);
    cursor = page.cursor;
    if (pages++ === 0) await between?.();
  } while (cursor !== "");
  return { found, pages };
}

test("before the first event there is nothing", async () => {
  assert.deepEqual(await readEvents(lake.program(), wanted(), context), { events: [], cursor: "" });
});

test("events come once, page by page, though the table goes on meanwhile", async () => {
  const ids = Array.from({ length: 6_000 }, (_, n) => `content-${n}`);
  for (let at = 0; at < ids.length; at += 2_000) {
    await lake.append(ids.slice(at, at + 2_000).map(failed));
    await lake.collect();
  }
  await lake.append([[TENANT, "logout", { userId: "usr_0123456789", deviceId: "d", reason: "user" }]]);
  await lake.collect();
  const { found, pages } = await readAll(wanted(), async () => {
    await lake.append([failed("content-later")]);
    await lake.collect();
    await compact(lake.program(), TENANT, 0);
  });
  assert.ok(pages > 1, "6,000 events are more than a page");
  assert.deepEqual(found.map(({ key }) => key).toSorted(), ids.toSorted());
  assert.deepEqual(JSON.parse(found[0]?.dataJson ?? ""), {
    ...{ contentId: found[0]?.key, reason: "test", message: "m" },
  });
});

test("events are those of the keys and of the time that were asked for", async () => {
  const { found } = await readAll(wanted({ keys: ["content-7", "content-5999", "nobody"] }));
  assert.deepEqual(found.map(({ key }) => key).toSorted(), ["content-5999", "content-7"]);
  const nowMs = BigInt(lake.clock.nowMs());
  assert.deepEqual((await readAll(wanted({ toMs: nowMs - 1_000n }))).found, []);
  assert.deepEqual((await readAll(wanted({ fromMs: nowMs + 1_000n }))).found, []);
});

test("what is wrong is refused by name", async () => {
  const refuse = (changes: Parameters<typeof wanted>[0], why: RegExp) =>
    assert.rejects(readEvents(lake.program(), wanted(changes), context), why);
  await refuse({ eventType: "No Event" }, /'No Event' is no event's name/);
  await refuse({ cursor: "x" }, /'x' is no cursor/);
  await refuse({ cursor: "1.0.0" }, /is forgotten by now|is forgotten: begin again/);
  await refuse({ keys: new Array<string>(1_001).fill("a") }, /1001 keys are more than 1000/);
  const viewer = { userId: "u", profileId: "p", tier: "basic", deviceId: "d", entitlements: [] };
  await assert.rejects(readEvents(lake.program(), wanted(), { ...context, viewer }), {
    code: problem.denied("").code,
  });
});
