import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { BookmarkResumed } from "#contracts/bookmark";
import type { PlaybackHeartbeat, PlaybackStarted, PlaybackStopped } from "#contracts/session";
import { type Problem, type Viewer } from "#kernel";
import { calm, type PlaybackHost, startPlayback } from "./setup.ts";
import { makeTestFolder } from "../../kernel/testing/folder.ts";

let host: PlaybackHost;
before(async () => {
  host = await startPlayback();
  await host.addFilm("film");
  await host.addFilm("other");
});
after(() => host?.stop());

const device = (id: string) => ({ id, type: "web", name: `Alex's ${id}` });
interface StartOptions {
  readonly contentId?: string;
  readonly key?: string;
  readonly name?: string;
}
const startOn = async (viewer: Viewer, id: string, { contentId = "film", key, name }: StartOptions = {}) => {
  const context = { ...host.context({ viewer }), idempotencyKey: key ?? null };
  const on = { ...device(id), ...(name === undefined ? {} : { name }) };
  const started = await host.sessions.start({ contentId, device: on }, context);
  return { ...started, id: started.session?.id ?? "" };
};
const beat = (viewer: Viewer, sessionId: string, sequence: number, positionS: number, more: object = {}) =>
  host.sessions.beat({ ...calm(sessionId, sequence, positionS), ...more }, host.context({ viewer }));
const stop = (viewer: Viewer, sessionId: string, sequence: number, positionS?: number) =>
  host.sessions.stop(
    { sessionId, sequence, durationS: 600, reason: "asked", ...(positionS === undefined ? {} : { positionS }) },
    host.context({ viewer }),
  );
const streams = async (viewer: Viewer): Promise<string[]> => {
  const { sessions } = await host.sessions.listActive({ userId: viewer.userId }, host.context({ viewer }));
  return sessions.map((session) => session.device?.id ?? "");
};
const stops = async (sessionId: string): Promise<readonly PlaybackStopped[]> => {
  await host.settled();
  const all = await host.heard<PlaybackStopped>("playback.stopped");
  return all.map(({ data }) => data).filter((data) => data.sessionId === sessionId);
};

describe("a start", () => {
  test("gives a player everything in one answer", async () => {
    const viewer = await host.newViewer();
    const started = await startOn(viewer, "laptop");
    assert.deepEqual(started.cdns.map(({ id }) => id).toSorted(), ["a", "b"]);
    const [own] = started.cdns;
    assert.ok(started.hlsUrl.startsWith(`${own?.baseUrl}/vod/film/r1/main-1.m3u8?steer=1&CAT=${own?.token}`));
    assert.ok(started.dashUrl.startsWith(`${own?.baseUrl}/vod/film/r1/main-1.mpd?`));
    assert.match(started.licenseClearkey, new RegExp(`/license/clearkey/${started.id}\\?CAT=`));
    assert.deepEqual([started.licenseWidevine, started.licenseFairplay], ["", ""]);
    assert.equal(started.resumePositionS, 0);
    assert.equal(started.heartbeatIntervalS, 10);
    await host.settled();
    const [event] = (await host.heard<PlaybackStarted>("playback.started")).filter(
      ({ data }) => data.sessionId === started.id,
    );
    assert.equal(event?.data.networkId, own?.id);
    assert.equal(event?.tenant, "demo");
  });

  test("is refused on a third device, naming the two that play; ending one makes room", async () => {
    const viewer = await host.newViewer();
    const tv = await startOn(viewer, "tv");
    await startOn(viewer, "phone", { contentId: "other" });
    await assert.rejects(startOn(viewer, "tablet"), (error: Problem) => {
      assert.equal(error.reason, "stream_limit");
      assert.match(error.message, /2 devices.*Alex's tv and Alex's phone/);
      const { streams: named } = error.details as { streams: { sessionId: string; deviceName: string }[] };
      assert.deepEqual(
        named.map(({ deviceName }) => deviceName),
        ["Alex's tv", "Alex's phone"],
      );
      return named[0]?.sessionId === tv.id;
    });
    await stop(viewer, tv.id, 0);
    await startOn(viewer, "tablet");
    assert.deepEqual(await streams(viewer), ["phone", "tablet"]);
  });

  test("of fifty devices at the same moment is given to exactly two", async () => {
    const viewer = await host.newViewer();
    const tries = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => startOn(viewer, `device-${i}`)));
    const refused = tries.filter((outcome) => outcome.status === "rejected");
    assert.equal(tries.length - refused.length, 2);
    for (const { reason } of refused) assert.equal((reason as Problem).reason, "stream_limit");
    assert.equal((await streams(viewer)).length, 2);
  });

  test("that cannot be written costs those that start at the same moment nothing", async () => {
    const viewers = await Promise.all(Array.from({ length: 12 }, () => host.newViewer()));
    const tries = await Promise.allSettled(
      viewers.map((viewer, i) => startOn(viewer, "tv", i === 5 ? { name: "no text in PostgreSQL has a \0" } : {})),
    );
    const failed = tries.flatMap(({ status }, i) => (status === "rejected" ? [i] : []));
    assert.deepEqual(failed, [5]);
    for (const viewer of viewers.slice(6)) assert.deepEqual(await streams(viewer), ["tv"]);
  });

  test("on the same device takes the place of what played there", async () => {
    const viewer = await host.newViewer();
    const first = await startOn(viewer, "tv");
    await startOn(viewer, "phone");
    const second = await startOn(viewer, "tv", { contentId: "other" });
    assert.deepEqual((await streams(viewer)).toSorted(), ["phone", "tv"]);
    assert.deepEqual(
      (await stops(first.id)).map(({ reason }) => reason),
      ["replaced"],
    );
    assert.equal((await beat(viewer, first.id, 0, 5)).ended, true);
    assert.equal((await beat(viewer, second.id, 0, 5)).ended, false);
  });

  test("with an idempotency key happens once, for its own account only", async () => {
    const viewer = await host.newViewer();
    const [one, two] = await Promise.all([
      startOn(viewer, "tv", { key: "key-1" }),
      startOn(viewer, "tv", { key: "key-1" }),
    ]);
    assert.equal(one.id, two.id);
    assert.equal((await streams(viewer)).length, 1);
    await assert.rejects(startOn(viewer, "tv", { key: "key-1", contentId: "other" }), {
      reason: "idempotency_key_reused",
    });
    const stranger = await host.newViewer();
    await assert.rejects(startOn(stranger, "tv", { key: "key-1" }), { reason: "idempotency_key_reused" });
  });

  test("is refused for what is not there, not ready or not theirs, each in its own words", async () => {
    const viewer = await host.newViewer();
    await assert.rejects(startOn(viewer, "tv", { contentId: "nothing" }), { code: "not_found" });
    const soon = { id: "soon", kind: "film", title: "Soon", publication: "published" };
    await host.catalog.add({ title: soon }, host.context());
    await assert.rejects(startOn(viewer, "tv", { contentId: "soon" }), {
      code: "failed_precondition",
      reason: "processing",
    });
    await host.addFilm("german", { markets: ["DE"] });
    await assert.rejects(startOn(viewer, "tv", { contentId: "german" }), { reason: "market" });
    await assert.rejects(startOn(viewer, "bad id!"), { code: "invalid_argument" });
    await assert.rejects(host.sessions.start({ contentId: "film", device: device("tv") }, host.context()), {
      code: "unauthenticated",
    });
    assert.deepEqual(await streams(viewer), []);
  });
});

describe("a session", () => {
  test("is dead after three missed beats, and its slot is free at once", async () => {
    const viewer = await host.newViewer();
    const tv = await startOn(viewer, "tv");
    const phone = await startOn(viewer, "phone");
    await beat(viewer, tv.id, 0, 10);
    host.clock.offsetMs += 29_000;
    await assert.rejects(startOn(viewer, "tablet"), { reason: "stream_limit" });
    await beat(viewer, phone.id, 0, 29);
    host.clock.offsetMs += 1_500;
    await startOn(viewer, "tablet");
    const [end] = await stops(tv.id);
    assert.deepEqual([end?.reason, end?.positionS, end?.sequence], ["expired", 10, 0]);
    // Its slot is gone, so a late beat must not make a third stream.
    assert.equal((await beat(viewer, tv.id, 1, 40)).ended, true);
    assert.deepEqual((await streams(viewer)).toSorted(), ["phone", "tablet"]);
  });

  test("outlives no clock that is set back, and the next one says where one stopped", async () => {
    const viewer = await host.newViewer();
    const hourMs = 3_600_000;
    host.clock.offsetMs += hourMs;
    const tv = await startOn(viewer, "tv");
    await beat(viewer, tv.id, 0, 100);
    await host.settled();
    host.clock.offsetMs -= hourMs;
    for (let tries = 0; ; tries++) {
      const { session } = await host.sessions.get({ sessionId: tv.id }, host.context({ viewer }));
      if (Number(session?.lastBeatAtMs) <= host.clock.nowMs()) break;
      assert.ok(tries < 400, "the sweep did not come");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    host.clock.offsetMs += 31_000;
    const phone = await startOn(viewer, "phone");
    await startOn(viewer, "tablet");
    await beat(viewer, phone.id, 0, 30);
    await host.settled();
    const { profileId } = viewer;
    const { bookmark } = await host.bookmarks.get({ profileId, contentId: "film" }, host.context({ viewer }));
    assert.equal(bookmark?.positionS, 30);
  });

  test("that was swept away comes back within the grace, and not after it", async () => {
    const viewer = await host.newViewer();
    const tv = await startOn(viewer, "tv");
    host.clock.offsetMs += 31_000;
    for (let tries = 0; (await stops(tv.id)).length === 0; tries++) {
      assert.ok(tries < 400, "the sweep did not come");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(await streams(viewer), []);
    await assert.rejects(host.sessions.get({ sessionId: tv.id }, host.context({ viewer })), { code: "not_found" });
    host.clock.offsetMs += 50_000;
    const [one, two] = await Promise.all([beat(viewer, tv.id, 1, 20), beat(viewer, tv.id, 2, 30)]);
    assert.deepEqual([one.ended, two.ended], [false, false]);
    assert.deepEqual(await streams(viewer), ["tv"]);
    await stop(viewer, tv.id, 3, 40);
    assert.equal((await beat(viewer, tv.id, 4, 50)).ended, true, "what was ended stays ended");
    assert.deepEqual(
      (await stops(tv.id)).map(({ reason, positionS }) => [reason, positionS]),
      [
        ["expired", -1],
        ["asked", 40],
      ],
    );
  });

  test("ends once, and an older word does not move its position back", async () => {
    const viewer = await host.newViewer();
    const tv = await startOn(viewer, "tv");
    await beat(viewer, tv.id, 0, 10);
    await beat(viewer, tv.id, 5, 60);
    await beat(viewer, tv.id, 3, 30);
    await stop(viewer, tv.id, 4, 40);
    await stop(viewer, tv.id, 9, 90);
    assert.deepEqual(
      (await stops(tv.id)).map(({ positionS, sequence }) => [positionS, sequence]),
      [[60, 5]],
    );
    const { bookmark } = await host.bookmarks.get({ profileId: viewer.profileId, contentId: "film" }, host.context());
    assert.equal(bookmark?.positionS, 60);
  });

  test("keeps its latest beat, whoever else beats at the same moment", async () => {
    const [viewer, stranger] = [await host.newViewer(), await host.newViewer()];
    const [tv, phone] = [await startOn(viewer, "tv"), await startOn(viewer, "phone")];
    const sequences = Array.from({ length: 30 }, (_, i) => (i * 7) % 30);
    const answers = await Promise.all([
      ...sequences.map((sequence) => beat(viewer, tv.id, sequence, sequence * 10)),
      ...sequences.map((sequence) => beat(stranger, tv.id, 100 + sequence, 500)),
      beat(viewer, phone.id, 3, 33),
      beat(viewer, "no-such-session", 0, 1),
    ]);
    assert.deepEqual(
      answers.map(({ ended }) => ended),
      [...sequences.map(() => false), ...sequences.map(() => true), false, true],
    );
    for (const { id } of [tv, phone]) await stop(viewer, id, 0, 0);
    assert.deepEqual(
      [...(await stops(tv.id)), ...(await stops(phone.id))].map(({ positionS, sequence }) => [positionS, sequence]),
      [
        [290, 29],
        [33, 3],
      ],
    );
  });

  test("of somebody else does not exist, and nothing that they say changes it", async () => {
    const [viewer, stranger] = [await host.newViewer(), await host.newViewer()];
    const tv = await startOn(viewer, "tv");
    await beat(viewer, tv.id, 0, 10);
    assert.equal((await beat(stranger, tv.id, 7, 500)).ended, true);
    await stop(stranger, tv.id, 8, 500);
    for (const ask of [host.sessions.get, host.sessions.refreshToken]) {
      await assert.rejects(ask({ sessionId: tv.id }, host.context({ viewer: stranger })), { code: "not_found" });
    }
    await assert.rejects(host.sessions.listActive({ userId: viewer.userId }, host.context({ viewer: stranger })), {
      code: "permission_denied",
    });
    await assert.rejects(host.sessions.get({ sessionId: tv.id }, host.context({ tenant: "north" })), {
      code: "not_found",
    });
    await stop(viewer, tv.id, 1);
    assert.deepEqual(
      (await stops(tv.id)).map(({ positionS, sequence }) => [positionS, sequence]),
      [[10, 0]],
    );
  });

  test("has its beats in the log, and hostile ones nowhere", async () => {
    const viewer = await host.newViewer();
    const tv = await startOn(viewer, "tv");
    await beat(viewer, tv.id, 0, 10);
    await beat(viewer, tv.id, 1, 20, { errors: [{ code: "E1", message: "x".repeat(1_000) }] });
    for (const [member, more] of [
      ["positionS", { positionS: -1 }],
      ["positionS", { positionS: Number.NaN }],
      ["durationS", { durationS: Number.POSITIVE_INFINITY }],
      ["sequence", { sequence: 4_000_000_000 }],
      ["throughputKbps", { throughputKbps: 3_000_000_000 }],
      ["videoStartTimeMs", { videoStartTimeMs: -2 }],
      ["state", { state: "dancing" }],
      ["cdnId", { cdnId: "x".repeat(100) }],
      ["errors", { errors: Array.from({ length: 11 }, () => ({ code: "E" })) }],
    ] as const) {
      await assert.rejects(beat(viewer, tv.id, 2, 30, more), (error: Problem) => {
        assert.equal(error.code, "invalid_argument");
        return error.message.startsWith(member);
      });
    }
    await assert.rejects(stop(viewer, tv.id, 4_000_000_000), { code: "invalid_argument" });
    const facts = (await host.heard<PlaybackHeartbeat>("playback.heartbeat")).filter(
      ({ data }) => data.sessionId === tv.id,
    );
    assert.deepEqual(
      facts.map(({ data }) => [data.sequence, data.positionS, data.errorCount, data.profileId]),
      [
        [0, 10, 0, viewer.profileId],
        [1, 20, 1, viewer.profileId],
      ],
    );
    const errors = (await host.heard<{ sessionId: string; message: string }>("playback.error")).filter(
      ({ data }) => data.sessionId === tv.id,
    );
    assert.equal(errors[0]?.data.message.length, 300);
  });

  test("goes on with fresh tokens for both networks", async () => {
    const viewer = await host.newViewer();
    const tv = await startOn(viewer, "tv");
    const { cdns } = await host.sessions.refreshToken({ sessionId: tv.id }, host.context({ viewer }));
    assert.deepEqual(
      cdns.map(({ id }) => id),
      tv.cdns.map(({ id }) => id),
    );
    for (const { token } of cdns) assert.ok(!tv.cdns.some((old) => old.token === token));
  });

  test("leaves a throttled network once, and is then left in peace for a while", async () => {
    const viewer = await host.newViewer();
    const tv = await startOn(viewer, "tv");
    const [own, other] = tv.cdns.map(({ id }) => id);
    const slow = (sequence: number, cdnId = own) =>
      beat(viewer, tv.id, sequence, 10, { cdnId, throughputKbps: 300, bufferS: 2, bitrateMaxKbps: 4_000 });
    assert.deepEqual((await slow(0)).switchTo, [other, own]);
    assert.deepEqual((await slow(1, other)).switchTo, []);
    host.clock.offsetMs += 16_000;
    assert.deepEqual((await slow(2, other)).switchTo, [own, other]);
    assert.deepEqual((await beat(viewer, tv.id, 3, 20, { cdnId: "stranger" })).switchTo, []);
  });

  test("is forgotten with its person", async () => {
    const viewer = await host.newViewer();
    const tv = await startOn(viewer, "tv");
    await host.users.delete({ userId: viewer.userId }, host.context());
    await host.settled();
    assert.equal((await beat(viewer, tv.id, 0, 1)).ended, true);
  });
});

describe("bookmarks", () => {
  const positions = async (viewer: Viewer): Promise<[string, number][]> => {
    await host.settled();
    const { bookmarks } = await host.bookmarks.continueWatching({ profileId: viewer.profileId }, host.context());
    return bookmarks.map(({ contentId, positionS }) => [contentId, positionS]);
  };

  test("follow the beats, and a start goes on from there", async () => {
    const viewer = await host.newViewer();
    const tv = await startOn(viewer, "tv");
    await beat(viewer, tv.id, 0, 0);
    await beat(viewer, tv.id, 1, 123);
    assert.deepEqual(await positions(viewer), [["film", 123]]);
    assert.equal((await startOn(viewer, "phone")).resumePositionS, 123);
    await host.settled();
    const resumed = await host.heard<BookmarkResumed>("bookmark.resumed");
    assert.deepEqual(
      resumed.filter(({ data }) => data.userId === viewer.userId).map(({ data }) => data.positionS),
      [123],
    );
  });

  test("belong to the session that started later, when two play the same film", async () => {
    const viewer = await host.newViewer();
    const tv = await startOn(viewer, "tv");
    host.clock.offsetMs += 5;
    const phone = await startOn(viewer, "phone");
    await beat(viewer, phone.id, 0, 200);
    await beat(viewer, tv.id, 50, 100);
    assert.deepEqual(await positions(viewer), [["film", 200]]);
  });

  test("of finished films leave the row; taken off by hand they come back with the next beat", async () => {
    const viewer = await host.newViewer();
    const tv = await startOn(viewer, "tv");
    await beat(viewer, tv.id, 0, 300);
    await host.settled();
    await host.bookmarks.remove({ profileId: viewer.profileId, contentId: "film" }, host.context());
    assert.deepEqual(await positions(viewer), []);
    await beat(viewer, tv.id, 1, 310);
    assert.deepEqual(await positions(viewer), [["film", 310]]);
    await beat(viewer, tv.id, 2, 590, { state: "ended" });
    assert.deepEqual(await positions(viewer), []);
    assert.equal((await startOn(viewer, "tv")).resumePositionS, 0);
  });

  test("and lists are forgotten with the profile, the person and the title", async () => {
    await host.addFilm("doomed");
    const watch = async (contentId: string): Promise<Viewer> => {
      const viewer = await host.newViewer();
      const { id } = await startOn(viewer, "tv", { contentId });
      await beat(viewer, id, 0, 30);
      await host.bookmarks.save({ profileId: viewer.profileId, contentId }, host.context({ viewer }));
      assert.deepEqual(await positions(viewer), [[contentId, 30]]);
      return viewer;
    };
    const left = async (viewer: Viewer): Promise<number> => {
      const { contentIds } = await host.bookmarks.saved({ profileId: viewer.profileId }, host.context());
      return (await positions(viewer)).length + contentIds.length;
    };
    const [person, fan] = [await watch("film"), await watch("doomed")];
    await host.users.delete({ userId: person.userId }, host.context());
    await host.catalog.delete({ id: "doomed" }, host.context());
    await host.settled();
    assert.deepEqual([await left(person), await left(fan)], [0, 0]);
  });
});

test("kill -9 loses no beat that was acknowledged, and no list", { timeout: 60_000 }, async () => {
  const folder = await makeTestFolder("killed");
  const victim = spawn(process.execPath, [join(import.meta.dirname, "victim.ts"), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  interface Said extends Viewer {
    readonly sessionId: string;
    readonly sequence: number;
  }
  const last = await new Promise<Said>((resolve, reject) => {
    let text = "";
    const lines = (): string[] => text.split("\n").slice(0, -1);
    victim.stdout.on("data", (chunk) => {
      text += String(chunk);
      if (lines().length > 25) victim.kill("SIGKILL");
    });
    victim.on("close", () => {
      const line = lines().at(-1);
      if (line) resolve(JSON.parse(line) as Said);
      else reject(new Error("the victim died before it said anything"));
    });
  });
  const again = await startPlayback({ folder });
  try {
    await again.settled();
    const heard = await again.heard<PlaybackHeartbeat>("playback.heartbeat");
    const sequences = new Set(heard.map(({ data }) => data.sequence));
    for (let sequence = 0; sequence <= last.sequence; sequence++)
      assert.ok(sequences.has(sequence), `beat ${sequence}`);
    const { bookmark } = await again.bookmarks.get({ profileId: last.profileId, contentId: "film" }, again.context());
    assert.ok((bookmark?.positionS ?? 0) >= last.sequence);
    const { contentIds } = await again.bookmarks.saved({ profileId: last.profileId }, again.context());
    assert.deepEqual(contentIds, ["film"]);
    const next = await again.sessions.beat(
      calm(last.sessionId, last.sequence + 10, 500),
      again.context({ viewer: last }),
    );
    assert.equal(next.ended, false, "the session goes on where it was");
  } finally {
    await again.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
