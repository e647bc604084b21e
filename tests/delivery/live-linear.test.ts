import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Catalog } from "#contracts/catalog";
import { defineService, problem } from "#kernel";
import { decryptSegment } from "#media/cenc";
import { parseMediaPlaylist } from "#media/hls";
import { parseTrackInit, totalDurationTicks } from "#media/isobmff";
import { packageFilm } from "./films.ts";
import { openLiveStage } from "./live-stage.ts";

const ID = "ch-films";
const RUNG = "240p-h264-300k";
const FILMS = ["film-a", "film-b"];
/** Not whole segments: what is left over is not shown. */
const FILM_S = 15;
const SHOWN_SEGMENTS = 7;

let stage: Awaited<ReturnType<typeof openLiveStage>>;
let folder: string;

const no = async (): Promise<never> => {
  throw problem.notFound("this catalogue only lists");
};
const catalog = defineService({
  contract: Catalog,
  uses: {},
  slo: { p99Ms: 100, availability: 0.99 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  start: () => ({}),
  rpc: () => ({
    ...{ add: no, update: no, publish: no, unpublish: no, delete: no, get: no, getMany: no, genres: no, search: no },
    ...{ addSimulated: no, deleteSimulated: no },
    list: async () => ({
      titles: FILMS.map((id) => ({ id, title: `The ${id}`, durationS: FILM_S, packageRevision: 1, indexVersion: 1 })),
    }),
  }),
  ready: async () => {},
});

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "marquee-films-"));
  stage = await openLiveStage({}, [catalog]);
  const studio = { objects: stage.host.adapters.objects, keys: stage.keys, context: stage.host.context(), folder };
  for (const [index, contentId] of FILMS.entries()) {
    const rate = index === 0 ? 24 : 25;
    await packageFilm(studio, { contentId, rate, durationS: FILM_S, picture: "testsrc2=size=426x240" });
  }
  await stage.live.add(
    { channel: { id: ID, name: "Films", ladder: [RUNG] }, inputs: [{ kind: "schedule" }] },
    stage.host.context(),
  );
});
after(async () => {
  await stage.stop();
  await rm(folder, { recursive: true, force: true });
});

test("films become a channel without an encoder, by a schedule that is known ahead", async () => {
  const context = stage.host.context();
  const answer = await stage.get(`/live/${ID}/main.m3u8`);
  assert.equal(answer.status, 200, await answer.clone().text());
  assert.match(await answer.text(), /CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2"/);
  const nowMs = Date.now();
  const span = { channelId: ID, fromMs: BigInt(nowMs - 20_000), toMs: BigInt(nowMs + 3_600_000) };
  const { airings } = await stage.live.schedule(span, context);
  assert.ok(airings.length > 200, "an hour of films that are a quarter of a minute long");
  for (const [index, { contentId, startMs, stopMs, title }] of airings.entries()) {
    assert.equal(title, `The ${contentId}`);
    assert.equal(stopMs - startMs, BigInt(SHOWN_SEGMENTS * 2_000));
    if (index > 0) assert.equal(startMs, airings[index - 1]?.stopMs, "one follows the other");
  }
  // Until one film has gone over into the next.
  const edge = Number(airings.find(({ startMs }) => Number(startMs) > nowMs)?.startMs) / 2_000;
  for (let tries = 0; tries < 100; tries++) {
    const { segments } = parseMediaPlaylist(await (await stage.get(`/live/${ID}/${RUNG}/index.m3u8`)).text());
    if (segments.some(({ uri }) => uri === `seg-${edge}.m4s`)) break;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  for (const [track, keyClass, hz] of [
    [RUNG, "SD", 90_000],
    ["audio-en", "AUDIO", 48_000],
  ] as const) {
    const { segments, mediaSequence } = parseMediaPlaylist(
      await (await stage.get(`/live/${ID}/${track}/index.m3u8`)).text(),
    );
    assert.ok(segments.length >= 5);
    assert.ok(segments.every(({ gap, durationS }) => !gap && Math.abs(durationS - 2) < 0.05));
    const breaks = segments.flatMap(({ discontinuity }, index) => (discontinuity ? [mediaSequence + index] : []));
    assert.ok(breaks.includes(edge), `${breaks.join()} has ${edge}`);
    for (const [index, { uri, map }] of segments.entries()) {
      const init = new Uint8Array(await (await stage.get(`/live/${ID}/${track}/${map?.uri}`)).arrayBuffer());
      const bytes = new Uint8Array(await (await stage.get(`/live/${ID}/${track}/${uri}`)).arrayBuffer());
      const packageRevision = Number(/init-(\d+)-\d+\.mp4/.exec(map?.uri ?? "")?.[1]);
      const { keys } = await stage.keys.getSet({ contentId: ID, packageRevision }, context);
      const key = keys.find((each) => each.keyClass === keyClass)?.key ?? new Uint8Array();
      assert.equal(parseTrackInit(init).timescale, hz);
      const [first, ...rest] = decryptSegment(init, bytes, key);
      assert.ok(first && rest.length === 0);
      assert.ok(
        Math.abs(first.baseDecodeTimeTicks / hz - (mediaSequence + index) * 2) < 0.03,
        "its time is the channel's",
      );
      if (track !== RUNG) continue;
      assert.equal(totalDurationTicks(first.samples), 2 * hz);
      for (const { offsetBytes, sizeBytes } of first.samples) {
        const view = new DataView(first.bytes.buffer, first.bytes.byteOffset + offsetBytes, sizeBytes);
        let at = 0;
        while (at < sizeBytes) at += 4 + view.getUint32(at);
        assert.equal(at, sizeBytes, "NAL units from the first byte to the last");
      }
    }
  }
  assert.match(await (await stage.get(`/live/${ID}/main.mpd`)).text(), /<Period [^>]*duration=/);
});
