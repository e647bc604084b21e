import assert from "node:assert/strict";
import { test } from "node:test";
import { Bookmark } from "#contracts/bookmark";
import { type Clock, systemClock } from "./clock.ts";
import { type Context, systemContext } from "./context.ts";
import type { Handlers } from "./contract.ts";
import type { Problem } from "./errors.ts";
import { problem } from "./errors.ts";
import { localTransport } from "./rpc.ts";
import { openMetrics } from "./metrics.ts";

const never = async (): Promise<never> => {
  throw new Error("this test does not call it");
};
type BookmarkHandlers = Handlers<(typeof Bookmark)["rpc"]>;

function openBookmarks(some: Partial<BookmarkHandlers>, options: { roundTrip?: boolean; clock?: Clock } = {}) {
  const metrics = openMetrics();
  const transport = localTransport({ clock: systemClock, metrics, ...options });
  const rest = { get: never, getMany: never, continueWatching: never, remove: never, save: never, unsave: never };
  transport.mount(Bookmark, { ...rest, saved: never, ...some });
  return { bookmarks: transport.client(Bookmark, "test"), metrics };
}

const context = (change: Partial<Context> = {}): Context => ({ ...systemContext("demo", "test"), ...change });

for (const roundTrip of [false, true]) {
  const how = roundTrip ? "by bytes" : "by copy";

  test(`nothing is shared between caller and service, ${how}`, async () => {
    const kept: string[][] = [];
    const answer = { contentIds: ["a"] };
    const { bookmarks } = openBookmarks(
      {
        async getMany({ contentIds }) {
          kept.push(contentIds);
          contentIds.push("from the service");
          return {};
        },
        saved: async () => answer,
      },
      { roundTrip },
    );
    const asked = { profileId: "p", contentIds: ["a"] };
    await bookmarks.getMany(asked, context());
    assert.deepEqual(asked.contentIds, ["a"]);
    asked.contentIds.push("from the caller");
    assert.deepEqual(kept, [["a", "from the service"]]);
    const first = await bookmarks.saved({ profileId: "p" }, context());
    answer.contentIds.push("late");
    first.contentIds.push("mine");
    assert.deepEqual((await bookmarks.saved({ profileId: "p" }, context())).contentIds, ["a", "late"]);
    assert.deepEqual(first.contentIds, ["a", "mine"]);
  });

  test(`members that the schema does not know are dropped and missing ones are filled, ${how}`, async () => {
    let seen: object = {};
    const { bookmarks } = openBookmarks(
      {
        async saved(request) {
          seen = request;
          return Object.assign({ contentIds: ["a"] }, { secret: "s" });
        },
      },
      { roundTrip },
    );
    const answer = await bookmarks.saved(Object.assign({ profileId: "p" }, { extra: 1 }), context());
    assert.deepEqual({ ...seen }, { $typeName: "marquee.bookmark.v1.SavedRequest", profileId: "p", limit: 0 });
    assert.equal("secret" in answer, false);
  });
}

test("a caller, its tenant and its viewer arrive; the caller is who holds the client", async () => {
  let seen: Context | undefined;
  const { bookmarks } = openBookmarks({
    async saved(_, from) {
      seen = from;
      return {};
    },
  });
  await bookmarks.saved({}, context({ caller: "somebody else", idempotencyKey: "k" }));
  assert.equal(seen?.caller, "test");
  assert.equal(seen?.tenant, "demo");
  assert.equal(seen?.idempotencyKey, "k");
});

test("a Problem arrives as it was thrown, anything else as internal with its cause", async () => {
  const thrown = problem.precondition("not now", { reason: "busy", details: { by: "me" }, retryAfterS: 3 });
  const { bookmarks, metrics } = openBookmarks({
    saved: () => Promise.reject(thrown),
    save: () => Promise.reject(new TypeError("a bug")),
  });
  await assert.rejects(bookmarks.saved({}, context()), (error) => error === thrown);
  await assert.rejects(bookmarks.save({}, context()), (error: Problem) => {
    assert.equal(error.code, "internal");
    assert.doesNotMatch(error.message, /a bug/);
    return error.cause instanceof TypeError;
  });
  const text = await metrics.text();
  assert.match(
    text,
    /marquee_call_duration_seconds_count\{service="bookmark",method="Saved",code="failed_precondition"\} 1/,
  );
});

test("after the deadline nothing is begun, by whatever clock there is", async () => {
  let calls = 0;
  const clock: Clock = { nowMs: () => 5_000, sleep: never };
  const { bookmarks } = openBookmarks(
    {
      async saved() {
        calls++;
        return {};
      },
    },
    { clock },
  );
  await assert.rejects(bookmarks.saved({}, context({ deadlineMs: 5_000 })), { code: "deadline_exceeded" });
  await bookmarks.saved({}, context({ deadlineMs: 5_001 }));
  assert.equal(calls, 1);
});

test("a call that is not answered in time ends for its caller", async () => {
  const clock: Clock = { nowMs: () => 0, sleep: never };
  let fail = (_: Error): void => {};
  const { bookmarks } = openBookmarks({ saved: () => new Promise<never>((_, reject) => (fail = reject)) }, { clock });
  await assert.rejects(bookmarks.saved({}, context({ deadlineMs: 1 })), { code: "deadline_exceeded" });
  // It fails when nobody listens any more; an unhandled rejection would fail this file.
  fail(new Error("too late"));
  await new Promise((resolve) => setImmediate(resolve));
});

test("a caller that gives up is let go at once; one that gave up before calls nobody", async () => {
  let calls = 0;
  const { bookmarks } = openBookmarks({
    saved: () => {
      calls++;
      return new Promise<never>(() => {});
    },
    save: () => {
      calls++;
      return Promise.reject(new Error("nobody listens"));
    },
  });
  const giving = new AbortController();
  const waiting = bookmarks.saved({}, context({ signal: giving.signal }));
  giving.abort();
  await assert.rejects(waiting, { code: "canceled" });
  await assert.rejects(bookmarks.save({}, context({ signal: giving.signal })), { code: "canceled" });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(calls, 1);
});

test("a service that does not run here is unavailable, and one without a method cannot be mounted", async () => {
  const transport = localTransport({ clock: systemClock, metrics: openMetrics() });
  await assert.rejects(transport.client(Bookmark, "test").saved({}, context()), { code: "unavailable" });
  assert.throws(() => transport.mount(Bookmark, {} as BookmarkHandlers), /does not implement Get/);
});
