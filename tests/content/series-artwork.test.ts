// The pictures of a series: the frames that were found in its first episode that can be watched, chosen for each profile as those of films are.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { Catalog, type CatalogTitleUpdated } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Metadata } from "#contracts/metadata";
import { Recommendation } from "#contracts/recommendation";
import { topics } from "#contracts/topics";
import { type Db, defineService, problem } from "#kernel";
import { openEvents, type Received } from "#kernel/events";
import { silentLogger } from "#kernel/telemetry";
import { chosenPictures, inPicture } from "../../bffs/web/artwork.ts";
import catalog from "../../services/content/catalog/service.ts";
import recommendation from "../../services/discovery/recommendation/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { profilesOf } from "../fallbacks/profiles.ts";
import { sqlAsOwner } from "../discovery/viewers.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { until } from "../identity/setup.ts";
import { movableClock } from "../playback/setup.ts";

const PROFILES = 150;
// Sweeps come ten times a second here.
const clock = movableClock({ sleepMsMax: 100 });
const room = {
  uses: {},
  slo: { p99Ms: 1, availability: 0.999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  rpc: () =>
    new Proxy({}, { get: () => async () => Promise.reject(problem.internal("not part of the test")) }) as never,
  ready: async () => {},
};
let encodings: Db<typeof Encoding>;
let enrichment: Db<typeof Metadata>;
const encoder = defineService({ ...room, contract: Encoding, start: ({ db }) => (encodings = db) });
const metadata = defineService({ ...room, contract: Metadata, start: ({ db }) => (enrichment = db) });
let host: TestHost;

before(async () => {
  const services = [tenant, catalog, encoder, metadata, recommendation, profilesOf("u")];
  host = await startTestHost({ services, clock });
});
after(() => host?.stop());

const call = () => host.client(Catalog, "test");
const titleOf = async (id: string) => {
  await host.settled();
  const { titles } = await call().getMany({ ids: [id], fresh: true }, host.context());
  return titles[0] ?? assert.fail(`'${id}' is not there`);
};
const add = (title: Record<string, unknown> & { id: string }) =>
  call().add(
    { title: { kind: "film", title: title.id, tierMin: "basic", publication: "published", ...title } },
    host.context(),
  );
const picture = (key: string) => ({ key, width: 1_280, height: 720, color: "#000000", blurDataUrl: "" });
const frameOf = (id: string, at: number): string => `artwork/${id}/found-${at}.jpg`;

/** Enrichment, or a person, says by which frames a title may be shown. */
async function find(contentId: string, keys: readonly string[]): Promise<void> {
  await enrichment.tx({ tenant: "demo" }, async (tx) =>
    tx.emit("enriched", {
      ...{ contentId, what: "thumbnails", byPerson: false, chapters: [] },
      pictures: keys.map(picture),
    }),
  );
  await host.settled();
}

async function play(title: Record<string, unknown> & { id: string }, frames: readonly number[]): Promise<void> {
  await add(title);
  await encodings.tx({ tenant: "demo" }, async (tx) =>
    tx.emit("completed", {
      ...{ contentId: title.id, stage: "complete", packageRevision: 1, indexVersion: 1, durationS: 60, chapters: [] },
      ...{ audioLanguages: ["en"], subtitleLanguages: [], width: 1280, height: 720, previewKey: null },
      artwork: [{ ...picture(`artwork/${title.id}/poster-1.jpg`), score: 1 }],
    }),
  );
  await host.settled();
  await find(
    title.id,
    frames.map((at) => frameOf(title.id, at)),
  );
}

const episode = (series: string, seasonNumber: number, episodeNumber: number, more: object = {}) => ({
  ...{ id: `${series}-s${seasonNumber}e${episodeNumber}`, kind: "episode", parentId: series },
  ...{ seasonNumber, episodeNumber, ...more },
});
/** By which pictures a series may be shown. */
const offered = async (id: string): Promise<readonly string[]> =>
  (await titleOf(id)).artworkCandidates.map(({ key }) => key);
const picturesOf = (id: string, ...frames: readonly number[]): readonly string[] => [
  `artwork/${id}/poster-1.jpg`,
  ...frames.map((at) => frameOf(id, at)),
];

test("a series may be shown by the frames of its first episode, whichever was ready first, and of no later one", async () => {
  await add({ id: "tale", kind: "series" });
  await play(episode("tale", 1, 2), [1, 2]);
  assert.deepEqual(await offered("tale"), picturesOf("tale-s1e2", 1, 2), "it is the first so far");
  await play(episode("tale", 1, 1), [3, 4]);
  await play(episode("tale", 2, 1), [5]);
  assert.deepEqual(await offered("tale"), picturesOf("tale-s1e1", 3, 4));
  await find("tale-s2e1", [frameOf("tale-s2e1", 6)]);
  assert.deepEqual(await offered("tale"), picturesOf("tale-s1e1", 3, 4), "what comes later tells nothing");
  const reader = await openEvents([Catalog], topics, host.adapters.registry, clock);
  const { topic } = topics.routes["catalog.title.updated"] ?? assert.fail("it has no topic");
  const ends = await host.adapters.log.offsets(topic);
  const records = await host.adapters.log.read(topic, new Map([...ends.keys()].map((at) => [at, 0])), 10_000);
  const told = await Promise.all(
    records
      .filter((record) => reader.nameOf(record) === "catalog.title.updated")
      .map(async (record) => (await reader.decode(record)) as Received<CatalogTitleUpdated>),
  );
  const ofSeries = told.filter(({ data }) => data.contentId === "tale" && data.changed.includes("artwork"));
  assert.ok(ofSeries.length >= 2, "whoever keeps the pictures hears that there are others");
});

test("what an operator says wins: the frames of the episode that may be shown, and the picture that was chosen", async () => {
  await find("tale-s1e1", [frameOf("tale-s1e1", 4)]);
  assert.deepEqual(await offered("tale"), picturesOf("tale-s1e1", 4));
  await find("tale-s1e1", []);
  assert.deepEqual(await offered("tale"), picturesOf("tale-s1e1"), "none, and not another episode's");
  await find(
    "tale-s1e1",
    [3, 4].map((at) => frameOf("tale-s1e1", at)),
  );
  await call().update({ id: "tale", backdropKey: frameOf("tale-s1e1", 4) }, host.context());
  assert.equal((await titleOf("tale")).backdrop?.key, frameOf("tale-s1e1", 4));
  await find(
    "tale-s1e1",
    [5, 4].map((at) => frameOf("tale-s1e1", at)),
  );
  assert.equal((await titleOf("tale")).backdrop?.key, frameOf("tale-s1e1", 4), "a later run changes nothing about it");
  await assert.rejects(
    call().update({ id: "tale", backdropKey: frameOf("tale-s2e1", 6) }, host.context()),
    /not one of the title's pictures/,
  );
});

test("episodes that nobody can watch, or that are for older people than the series, lend it nothing", async () => {
  await add({ id: "kids", kind: "series", ageRating: 6 });
  await play(episode("kids", 1, 1, { ageRating: 16 }), [1]);
  assert.deepEqual(await offered("kids"), []);
  assert.deepEqual([(await titleOf("kids")).backdrop, (await titleOf("kids")).state], [undefined, "playable"]);
  await play(episode("kids", 1, 2, { ageRating: 6, publication: "draft" }), [2]);
  assert.deepEqual(await offered("kids"), []);
  const closesMs = clock.nowMs() + 3_600_000;
  await play(episode("kids", 1, 3, { ageRating: 0, availableUntilMs: BigInt(closesMs) }), [3]);
  await play(episode("kids", 1, 4, { ageRating: 0 }), [4]);
  assert.deepEqual(await offered("kids"), picturesOf("kids-s1e3", 3));
  await call().publish({ id: "kids-s1e2" }, host.context());
  assert.deepEqual(await offered("kids"), picturesOf("kids-s1e2", 2));
  await call().update({ id: "kids-s1e2", ageRating: 12 }, host.context());
  assert.deepEqual(await offered("kids"), picturesOf("kids-s1e3", 3));
  await call().update({ id: "kids", ageRating: 12 }, host.context());
  assert.deepEqual(await offered("kids"), picturesOf("kids-s1e2", 2));
  await call().unpublish({ id: "kids-s1e2" }, host.context());
  clock.offsetMs += 3_700_000;
  await until(async () => (await offered("kids")).join() === picturesOf("kids-s1e4", 4).join());
  await call().delete({ id: "kids-s1e4" }, host.context());
  assert.deepEqual(await offered("kids"), []);
});

test("a film's trailer takes nothing from the film, and lends it nothing", async () => {
  await play({ id: "film" }, [1]);
  await play({ id: "film-trailer", kind: "trailer", parentId: "film" }, [2]);
  const { state, audioLanguages } = await titleOf("film");
  assert.deepEqual([state, audioLanguages, await offered("film")], ["playable", ["en"], picturesOf("film", 1)]);
});

test("profiles are shown the frames as those of films are: few explore, and the one that is chosen more is shown more", async () => {
  const call = { recommendation: host.client(Recommendation, "web") };
  const parts = { call, logger: silentLogger } as unknown as Parameters<typeof chosenPictures>[0];
  const series = await titleOf("tale");
  const [editors, better] = [series.backdrop?.key ?? "", frameOf("tale-s1e1", 5)];
  const asWho = (profileId: string) => host.context({ viewer: { userId: "u", profileId } });
  const seenBy = (profileId: string): Promise<string> =>
    until(async () => {
      // A busy machine may be late, which is said and no fault of the choice.
      const { keys, isPartial } = await chosenPictures(parts, profileId, [series], asWho(profileId));
      return isPartial ? undefined : (inPicture(series, keys).backdrop?.key ?? "");
    });
  const seen: { readonly profileId: string; readonly key: string }[] = [];
  for (let at = 0; at < PROFILES; at += 1) seen.push({ profileId: `early-${at}`, key: await seenBy(`early-${at}`) });
  const of = (key: string) => seen.filter((one) => one.key === key).length;
  assert.ok(of(editors) > PROFILES / 2 && of(better) > 0, JSON.stringify(Object.groupBy(seen, ({ key }) => key)));
  // Whoever sees the other frame goes to the series, and nobody else does.
  for (const { profileId, key } of seen)
    if (key === better)
      await call.recommendation.click({ profileId, contentId: "tale", rail: "popular", position: 0 }, asWho(profileId));
  await host.settled();
  clock.offsetMs += 61_000;
  const later = new Set<string>();
  let preferred = 0;
  for (let at = 0; at < PROFILES; at += 1) {
    const key = await seenBy(`late-${at}`);
    later.add(key);
    if (key === better) preferred += 1;
  }
  assert.ok(preferred > of(better), `${of(better)} before, ${preferred} after`);
  const allowed = [editors, ...(await offered("tale"))];
  for (const key of later) assert.ok(allowed.includes(key), key);
});

test("series that were there before take their first episode's frames when the catalogue is brought up to date", async () => {
  const adminUrl = host.adapters.postgres.adminUrl;
  const before = await offered("tale");
  await sqlAsOwner(adminUrl, "UPDATE catalog.titles SET found_artwork = '[]' WHERE kind = 'series'");
  assert.deepEqual(await offered("tale"), picturesOf("tale-s1e1"));
  const path = new URL("../../services/content/catalog/migrations/0007_series_artwork.sql", import.meta.url);
  await sqlAsOwner(adminUrl, `SET search_path TO catalog; ${await readFile(path, "utf8")}`);
  assert.deepEqual([await offered("tale"), await offered("kids")], [before, []]);
});
