import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { PlaybackHeartbeat, PlaybackStarted, PlaybackStopped } from "#contracts/session";
import { Keys } from "#contracts/keys";
import type { Viewer } from "#kernel";
import { calm, type PlaybackHost, startPlayback, type TestChannel } from "./setup.ts";

// Watching a channel: the right to it, the slot, the token, the days that a licence opens, and what is not kept of it.

const CHANNEL: TestChannel = { id: "ch-one", tier: "basic", ageRating: 0, onAir: true, days: [19, 20, 21] };
let host: PlaybackHost;
const kids = new Map<number, readonly string[]>();
before(async () => {
  host = await startPlayback();
  await host.putChannel(CHANNEL);
  const keys = host.client(Keys, "test");
  for (const day of [18, 20, 21, 22]) {
    const made = await keys.createSet({ contentId: CHANNEL.id, packageRevision: day }, host.context());
    kids.set(
      day,
      made.keys.map(({ kid }) => kid),
    );
  }
});
after(() => host?.stop());

const tune = async (viewer: Viewer, id = "tv", contentId = CHANNEL.id) => {
  const device = { id, type: "web", name: id };
  const started = await host.sessions.start({ contentId, device }, host.context({ viewer }));
  return { ...started, id: started.session?.id ?? "" };
};
const base64url = (kid: string): string => Buffer.from(kid, "hex").toString("base64url");
async function licensed(address: string, asked: readonly string[]): Promise<{ status: number; kids: string[] }> {
  const body = JSON.stringify({ kids: asked.map(base64url), type: "temporary" });
  const answer = await host.http(address, { method: "POST", body });
  const { keys = [] } = (await answer.json()) as { keys?: { kid: string }[] };
  return { status: answer.status, kids: keys.map(({ kid }) => Buffer.from(kid, "base64url").toString("hex")) };
}

describe("a channel", () => {
  test("starts where the world is, with a token for its own addresses", async () => {
    const viewer = await host.newViewer();
    const started = await tune(viewer);
    const [own] = started.cdns;
    assert.equal(started.hlsUrl, `${own?.baseUrl}/live/ch-one/main.m3u8?CAT=${own?.token}`);
    assert.equal(started.dashUrl, `${own?.baseUrl}/live/ch-one/main.mpd?CAT=${own?.token}`);
    assert.equal(started.resumePositionS, 0);
    assert.deepEqual([started.live?.latency, started.live?.dvrWindowS], ["low", 7_200]);
    // The path is in the token as it is.
    assert.ok(Buffer.from(own?.token ?? "", "base64url").includes("/live/ch-one/"));
    await host.settled();
    const news = await host.heard<PlaybackStarted>("playback.started");
    assert.ok(news.some(({ data }) => data.sessionId === started.id && data.contentId === "ch-one"));
  });

  test("takes one of the plan's slots as a film does", async () => {
    const viewer = await host.newViewer();
    await tune(viewer, "tv");
    await tune(viewer, "phone");
    await assert.rejects(tune(viewer, "tablet"), { reason: "stream_limit" });
  });

  test("is refused to who has no right to it, and follows what is said of it", async () => {
    const viewer = await host.newViewer();
    await assert.rejects(tune(viewer, "tv", "ch-none"), { code: "not_found" });
    await host.putChannel({ ...CHANNEL, id: "ch-changing" });
    await tune(viewer, "tv", "ch-changing");
    await host.putChannel({ ...CHANNEL, id: "ch-changing", tier: "premium" });
    await assert.rejects(tune(viewer, "tv", "ch-changing"), { reason: "tier", message: /^This channel is part of/ });
    await host.putChannel({ ...CHANNEL, id: "ch-changing", ageRating: 18 });
    const { profile } = await host.profiles.update(
      { userId: viewer.userId, profileId: viewer.profileId, ageRatingMax: 12 },
      host.context({ viewer }),
    );
    assert.equal(profile?.ageRatingMax, 12);
    await host.settled();
    await assert.rejects(tune(viewer, "tv", "ch-changing"), { reason: "age", message: /^This channel is rated 18/ });
    await host.putChannel({ ...CHANNEL, id: "ch-changing", onAir: false });
    await assert.rejects(tune(viewer, "tv", "ch-changing"), { reason: "off_air" });
  });

  test("opens the keys of the days that its window touches, and of no other", async () => {
    const started = await tune(await host.newViewer());
    const all = await licensed(started.licenseClearkey, []);
    assert.equal(all.status, 200);
    // The nineteenth was before its time: there is no such set, and that hurts nobody.
    const [before = [], present = [], next = [], later = []] = [18, 20, 21, 22].map((day) => kids.get(day));
    for (const kid of all.kids) assert.ok([...present, ...next].includes(kid));
    // A browser gets no UHD.
    assert.equal(all.kids.length, 6);
    assert.equal((await licensed(started.licenseClearkey, [...before, ...later])).status, 403);
    assert.deepEqual((await licensed(started.licenseClearkey, [...before, ...next])).kids.length, 3);
    // A day goes by: what the licence covers moves with the window.
    await host.putChannel({ ...CHANNEL, days: [20, 21, 22] });
    assert.equal((await licensed(started.licenseClearkey, later)).kids.length, 3);
    await host.putChannel(CHANNEL);
  });

  test("is told by its beats, latency and all, and leaves no bookmark", async () => {
    const viewer = await host.newViewer();
    const started = await tune(viewer);
    const context = host.context({ viewer });
    const beat = { ...calm(started.id, 0, 30), durationS: 7_200 };
    await host.sessions.beat({ ...beat, liveLatencyMs: 1_234 }, context);
    await host.sessions.beat({ ...beat, sequence: 1, positionS: 40 }, context);
    await host.sessions.stop(
      { sessionId: started.id, sequence: 2, positionS: 50, durationS: 7_200, reason: "asked" },
      context,
    );
    await host.settled();
    const beats = (await host.heard<PlaybackHeartbeat>("playback.heartbeat")).filter(
      ({ data }) => data.sessionId === started.id,
    );
    assert.deepEqual(
      beats.map(({ data }) => [data.contentType, data.liveLatencyMs]),
      [
        ["live", 1_234],
        ["live", -1],
      ],
    );
    const stops = await host.heard<PlaybackStopped>("playback.stopped");
    assert.ok(stops.some(({ data }) => data.sessionId === started.id));
    const { bookmarks } = await host.bookmarks.getMany(
      { profileId: viewer.profileId, contentIds: [CHANNEL.id] },
      context,
    );
    assert.deepEqual(bookmarks, []);
  });
});
