import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ChannelView, HALF_LIFE_MS, orderChannels, quarterOf } from "./domain-channels.ts";

const EVENING_MS = Date.UTC(2026, 4, 20, 20);
const MORNING_MS = Date.UTC(2026, 4, 20, 8);
const view = (channelId: string, seconds: number, atMs = EVENING_MS): ChannelView => ({
  ...{ channelId, quarter: quarterOf(atMs), seconds, lastAtMs: atMs },
});

test("what is watched at this time of day comes first, and at a time of which nothing is known what is watched at all", () => {
  const views = [view("news", 20_000, MORNING_MS), view("films", 14_000), view("sport", 3_000)];
  assert.deepEqual(orderChannels(views, EVENING_MS), ["films", "news", "sport"]);
  assert.deepEqual(orderChannels(views, MORNING_MS), ["news", "films", "sport"]);
  assert.deepEqual(orderChannels(views, Date.UTC(2026, 4, 20, 2)), ["news", "films", "sport"]);
});

test("what was watched long ago counts less, and in the end not at all", () => {
  const views = [view("old", 20_000, EVENING_MS - 4 * HALF_LIFE_MS), view("new", 4_000)];
  assert.deepEqual(orderChannels(views, EVENING_MS), ["new", "old"]);
  assert.deepEqual(orderChannels([view("old", 600, EVENING_MS - 10 * HALF_LIFE_MS)], EVENING_MS), []);
});

test("property: each channel is named once, at most fifty, and more of the same never moves a channel back", () => {
  const views = fc.array(
    fc.record({
      channelId: fc.integer({ min: 0, max: 80 }).map((id) => `ch-${id}`),
      quarter: fc.nat(3),
      seconds: fc.integer({ min: 60, max: 100_000 }),
      lastAtMs: fc.integer({ min: EVENING_MS - 10 * HALF_LIFE_MS, max: EVENING_MS }),
    }),
    { minLength: 1, maxLength: 120 },
  );
  fc.assert(
    fc.property(views, (all) => {
      const order = orderChannels(all, EVENING_MS);
      assert.equal(new Set(order).size, order.length);
      assert.ok(order.length <= 50);
      const [first] = all;
      const more = { channelId: first?.channelId ?? "", quarter: quarterOf(EVENING_MS), seconds: 50_000 };
      const after = orderChannels([...all, { ...more, lastAtMs: EVENING_MS }], EVENING_MS);
      const before = order.indexOf(more.channelId);
      assert.ok(before < 0 || after.indexOf(more.channelId) <= before);
    }),
  );
});
