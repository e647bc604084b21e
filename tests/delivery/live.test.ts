import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Epg } from "#contracts/epg";
import { type Db, defineService, problem } from "#kernel";
import { decryptSegment } from "#media/cenc";
import { parseMediaPlaylist, type HlsSegment } from "#media/hls";
import { parseTrackInit, totalDurationTicks } from "#media/isobmff";
import { LIVE_SEGMENT_S } from "#media/presentation";
import { makeTestFolder } from "../../kernel/testing/folder.ts";
import { openLiveStage } from "./live-stage.ts";

const ID = "ch-test";
const VIDEO = "240p-h264-300k";
const AUDIO = "audio-en";
/** Short enough for a test to live through a change of keys. */
const KEY_PERIOD_MS = 10_000;

let folder: string;
let stage: Awaited<ReturnType<typeof openLiveStage>>;
const guide = openGuide();
const open = () =>
  openLiveStage({ folder, env: { MARQUEE_LIVE_KEY_PERIOD_MS: String(KEY_PERIOD_MS) } }, [guide.service]);

before(async () => {
  folder = await makeTestFolder("live");
  stage = await open();
  await stage.add({ id: ID, ladder: [VIDEO] });
});
after(async () => {
  await stage.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Says what may not be done with the programme that is on, as the guide does. */
function openGuide() {
  let db: Db<typeof Epg> | undefined;
  const never = async (): Promise<never> => {
    throw problem.unavailable("there is no guide in this test");
  };
  const service = defineService({
    contract: Epg,
    uses: {},
    slo: { p99Ms: 1, availability: 0.999 },
    ai: { feeds: "none", uses: "none", fallback: "none needed" },
    start: (platform) => (db = platform.db),
    rpc: () => Object.fromEntries(Epg.rpc.methods.map(({ localName }) => [localName, never])) as never,
    ready: async () => {},
  });
  const [startMs, stopMs] = [Date.now() - 3_600_000, Date.now() + 3_600_000];
  return {
    service,
    say: (what: { readonly blackout: boolean; readonly noRestart: boolean }) =>
      db?.tx({ tenant: "demo" }, async (tx) =>
        tx.emit("programChanged", {
          ...{ channelId: ID, programmeId: "pr-1", change: "changed", title: "Now", seriesId: "", episodeKey: "" },
          ...{ startMs, stopMs, previousStartMs: startMs, previousStopMs: stopMs, ...what },
        }),
      ),
  };
}

const text = async (path: string): Promise<string> => {
  const answer = await stage.get(`/live/${ID}/${path}`);
  const body = await answer.text();
  assert.equal(answer.status, 200, `${path}: ${body}`);
  return body;
};
const bytes = async (path: string): Promise<Uint8Array> => {
  const answer = await stage.get(`/live/${ID}/${path}`);
  assert.equal(answer.status, 200, path);
  return new Uint8Array(await answer.arrayBuffer());
};
const playlistOf = async (track: string, query = "") => parseMediaPlaylist(await text(`${track}/index.m3u8${query}`));
const numberOf = (uri: string): number => Number(/seg-(\d+)/.exec(uri)?.[1]);

/** Samples of a segment, decrypted with the key that its header names. */
async function clearSegment(track: string, segment: Pick<HlsSegment, "uri" | "map">) {
  const init = await bytes(`${track}/${segment.map?.uri}`);
  const dayIndex = Number(/init-(\d+)/.exec(segment.map?.uri ?? "")?.[1]);
  const { keys } = await stage.keys.getSet({ contentId: ID, packageRevision: dayIndex }, stage.host.context());
  const key = keys.find(({ keyClass }) => keyClass === (track === AUDIO ? "AUDIO" : "SD"));
  const fragments = decryptSegment(init, await bytes(`${track}/${segment.uri}`), key?.key ?? new Uint8Array());
  return { fragments, init: parseTrackInit(init), dayIndex };
}

describe("a channel", () => {
  test("wakes when it is asked for", async () => {
    const main = await text("main.m3u8");
    assert.match(main, /CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2",RESOLUTION=426x240/);
    const { partTargetS, serverControl } = await playlistOf(VIDEO);
    assert.equal(partTargetS, 0.5);
    assert.ok(Number(serverControl?.["PART-HOLD-BACK"]) >= 1.5);
    assert.match(await text("main.mpd"), /availabilityTimeOffset="1\.5" availabilityTimeComplete="false"/);
  });

  test("has the parts that it hints at, each with a picture of its own", async () => {
    let playlist = await playlistOf(VIDEO);
    for (let turn = 0; turn < 5; turn++) {
      const uri = playlist.preloadHints[0]?.["URI"] ?? "";
      const [, number, part] = /seg-(\d+)\.(\d+)\.m4s/.exec(uri) ?? [];
      const [made, next] = await Promise.all([
        bytes(`${VIDEO}/${uri}`),
        playlistOf(VIDEO, `?_HLS_msn=${number}&_HLS_part=${part}`),
      ]);
      assert.ok(made.length > 0);
      const parts = [...next.segments.flatMap((segment) => segment.parts), ...next.trailingParts];
      assert.ok(
        parts.some((each) => each.uri === uri && each.independent && each.durationS === 0.5),
        uri,
      );
      playlist = next;
    }
    const sound = await playlistOf(AUDIO);
    const target = sound.partTargetS ?? 0;
    for (const { durationS } of sound.segments.flatMap(({ parts }) => parts)) {
      assert.ok(durationS <= target, `${durationS} of ${target}`);
      assert.ok(durationS >= target * 0.85, "RFC 8216bis, 4.4.4.9");
    }
  });

  test("refuses what is too far ahead, and says where it is", async () => {
    const { mediaSequence } = await playlistOf(VIDEO);
    const answer = await stage.get(`/live/${ID}/${VIDEO}/index.m3u8?_HLS_msn=${mediaSequence + 1_000}`);
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /the newest segment is \d+/);
    for (const [path, status] of [
      [`${VIDEO}/seg-1.m4s`, 404],
      [`${VIDEO}/index.m3u8?_HLS_part=1`, 400],
      ["nothing/index.m3u8", 404],
      [`../${ID}x/main.m3u8`, 404],
    ] as const)
      assert.equal((await stage.get(`/live/${ID}/${path}`)).status, status, path);
  });

  test("gives a segment away while it grows, the same bytes as its parts", async () => {
    const { trailingParts, segments } = await playlistOf(VIDEO);
    const number = numberOf(trailingParts[0]?.uri ?? "") || numberOf(segments.at(-1)?.uri ?? "") + 1;
    const [whole, ...parts] = await Promise.all([
      bytes(`${VIDEO}/seg-${number}.m4s`),
      ...[0, 1, 2, 3].map((part) => bytes(`${VIDEO}/seg-${number}.${part}.m4s`)),
    ]);
    assert.deepEqual(Buffer.concat(parts), Buffer.from(whole ?? []));
    // Who read a playlist a while ago knows the parts of segments that have become whole since, and lie in the store.
    const old = numberOf(segments[0]?.uri ?? "");
    const [oldWhole, ...oldParts] = await Promise.all([
      bytes(`${VIDEO}/seg-${old}.m4s`),
      ...[0, 1, 2, 3].map((part) => bytes(`${VIDEO}/seg-${old}.${part}.m4s`)),
    ]);
    assert.deepEqual(Buffer.concat(oldParts), Buffer.from(oldWhole ?? []));
  });

  test("changes its keys between two segments, and nothing is lost", async () => {
    const before = await playlistOf(VIDEO);
    const change = (Math.floor(numberOf(before.segments.at(-1)?.uri ?? "") / 5) + 1) * 5;
    // A blocking request waits for six seconds; the change may be ten away.
    for (let number = change - 4; number <= change; number++) {
      const newest = (await playlistOf(VIDEO)).segments.at(-1);
      if (newest && number > numberOf(newest.uri)) await playlistOf(VIDEO, `?_HLS_msn=${number}`);
    }
    for (const [track, ticks] of [
      [VIDEO, 90_000],
      [AUDIO, 48_000],
    ] as const) {
      await playlistOf(track, `?_HLS_msn=${change}`);
      const { segments } = await playlistOf(track);
      const pair = segments.filter(({ uri }) => [change - 1, change].includes(numberOf(uri)));
      assert.notEqual(pair[0]?.map?.uri, pair[1]?.map?.uri);
      assert.notEqual(pair[0]?.keys[0]?.keyId, pair[1]?.keys[0]?.keyId);
      const [old, fresh] = await Promise.all(pair.map((segment) => clearSegment(track, segment)));
      assert.ok(old && fresh);
      assert.equal(fresh.dayIndex, old.dayIndex + 1);
      const end = old.fragments.reduce(
        (sum, { samples }) => sum + totalDurationTicks(samples),
        old.fragments[0]?.baseDecodeTimeTicks ?? 0,
      );
      assert.equal(fresh.fragments[0]?.baseDecodeTimeTicks, end, "the new key's first sample follows at once");
      assert.ok(Math.abs(end / ticks - change * 2) < 0.03);
      if (track === AUDIO) continue;
      // In the clear again, every sample is NAL units from its first byte to its last.
      for (const { bytes: data, samples } of [...old.fragments, ...fresh.fragments])
        for (const { offsetBytes, sizeBytes } of samples) {
          const view = new DataView(data.buffer, data.byteOffset + offsetBytes, sizeBytes);
          let at = 0;
          while (at < sizeBytes) at += 4 + view.getUint32(at);
          assert.equal(at, sizeBytes);
        }
    }
    assert.match(await text("main.mpd"), /<Period [^>]*duration=/);
  });

  test("tells what it has, and keeps what is pinned", async () => {
    const context = stage.host.context();
    const nowMs = Date.now();
    const span = { channelId: ID, fromMs: BigInt(nowMs - 20_000), toMs: BigInt(nowMs) };
    const { segments, tracks } = await stage.live.listSegments(span, context);
    const made = segments.filter(({ isGap }) => !isGap);
    assert.ok(made.length >= 3);
    assert.deepEqual(tracks.map(({ name }) => name).toSorted(), [VIDEO, AUDIO]);
    for (const { number, tracks: of } of made.slice(0, -1)) {
      const sizes = of.map(({ track, sizeBytes }) => [track, sizeBytes]);
      for (const [track, size] of sizes)
        assert.equal(
          (await stage.host.adapters.objects.head(`live/${ID}/${track}/${number}.m4s`))?.sizeBytes,
          size,
          `${track} ${number}`,
        );
    }
    await stage.live.pin({ channelId: ID, holder: "rec-1", fromMs: span.fromMs, toMs: span.toMs }, context);
    await assert.rejects(
      stage.live.pin({ channelId: ID, holder: "rec 1", fromMs: span.fromMs, toMs: span.toMs }, context),
      { code: "invalid_argument" },
    );
  });

  test("shows a span of the past again, as a film that ends", async () => {
    const wholeOf = ({ segments }: Awaited<ReturnType<typeof playlistOf>>) => segments.filter(({ gap }) => !gap);
    let playlist = await playlistOf(VIDEO);
    // A quick machine is here before there is a past.
    for (let tries = 0; wholeOf(playlist).length <= 3; tries += 1) {
      assert.ok(tries < 100, "no past came about");
      await sleep(100);
      playlist = await playlistOf(VIDEO);
    }
    const from = playlist.mediaSequence;
    const to = from + 3;
    const suffix = `-${from * 2}-${to * 2}`;
    assert.match(await text(`main${suffix}.m3u8`), new RegExp(`${VIDEO}/index${suffix}\\.m3u8`));
    const past = parseMediaPlaylist(await text(`${VIDEO}/index${suffix}.m3u8`));
    assert.equal(past.endList, true);
    assert.deepEqual(
      past.segments.map(({ uri }) => numberOf(uri)),
      [from, from + 1, from + 2],
    );
    assert.match(await text(`main${suffix}.mpd`), /type="static" mediaPresentationDuration="PT6S"/);
    const { fragments } = await clearSegment(VIDEO, past.segments[0] ?? { uri: "", map: null });
    assert.ok(fragments.length > 0);
    const ahead = Math.ceil(Date.now() / 1_000) + 100;
    assert.equal((await stage.get(`/live/${ID}/main-${from * 2}-${ahead}.m3u8`)).status, 400);
    assert.equal((await stage.get(`/live/${ID}/main-${to * 2}-${from * 2}.mpd`)).status, 400);
  });

  test("gives nothing away of what the guide forbids to watch, nor what lies behind in what is not to be started over", async () => {
    const { mediaSequence: from, segments } = await playlistOf(VIDEO);
    const past = `main-${from * 2}-${(from + 2) * 2}.m3u8`;
    const paths = ["main.mpd", `${VIDEO}/index.m3u8`, past, `${VIDEO}/${segments[0]?.uri}`];
    const answersOf = () =>
      Promise.all(paths.map(async (path) => (await stage.get(`/live/${ID}/${path}`)).status)).then(String);
    const becomes = async (expected: string) => {
      for (let tries = 0; (await answersOf()) !== expected; tries += 1) {
        assert.ok(tries < 60, `${await answersOf()} and not ${expected}`);
        await sleep(100);
      }
    };
    await becomes("200,200,200,200");
    // What has just been made may be seen while it is fresh; again it may not.
    await guide.say({ blackout: false, noRestart: true });
    await becomes("200,200,403,200");
    await guide.say({ blackout: true, noRestart: true });
    await becomes("403,403,403,403");
    const asked = stage.live.locate({ channelId: ID }, stage.host.context());
    await assert.rejects(asked, { code: "permission_denied", reason: "blackout" });
    await guide.say({ blackout: false, noRestart: false });
    await becomes("200,200,200,200");
  });

  test("goes on with its numbers after a restart, and marks the hole", async () => {
    const before = await playlistOf(VIDEO);
    const last = numberOf(before.segments.at(-1)?.uri ?? "");
    await stage.stop();
    // Long enough that one number at least is made by nobody: what was begun may be there in one track and not in the other.
    await sleep(LIVE_SEGMENT_S * 1_000);
    stage = await open();
    const after = await playlistOf(VIDEO);
    assert.equal(after.mediaSequence, before.mediaSequence, "what was made before is still there");
    const at = after.segments.findIndex(({ discontinuity }) => discontinuity);
    assert.ok(at > 0);
    const hole = after.segments.filter(({ gap }) => gap);
    assert.ok(hole.length > 0 && hole.every(({ uri }) => numberOf(uri) > last - 1));
    assert.deepEqual(
      after.segments.map(({ uri }) => numberOf(uri)),
      after.segments.map((_, index) => after.mediaSequence + index),
    );
    // Who had heard of a part that was lost is not kept waiting for it: it has nothing to play.
    assert.equal((await bytes(`${VIDEO}/seg-${numberOf(hole.at(-1)?.uri ?? "")}.0.m4s`)).length, 24);
    assert.ok([...(await text("main.mpd")).matchAll(/<Period /g)].length >= 2);
    const { state } = await stage.live.health({ channelId: ID }, stage.host.context());
    assert.equal(state, "live");
  });

  test("is gone when it is removed", async () => {
    const context = stage.host.context();
    await stage.live.setOnAir({ channelId: ID, onAir: false }, context);
    assert.equal((await stage.get(`/live/${ID}/main.m3u8`)).status, 404);
    await stage.live.remove({ channelId: ID }, context);
    assert.equal((await stage.get(`/live/${ID}/main.m3u8`)).status, 404);
    assert.deepEqual(await stage.host.adapters.objects.list(`live/${ID}/`, { keysMax: 10 }), []);
    await assert.rejects(stage.live.get({ channelId: ID }, context), { code: "not_found" });
  });
});
