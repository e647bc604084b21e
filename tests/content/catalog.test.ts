import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { CatalogAvailabilityChanged, CatalogTitleAdded } from "#contracts/catalog";
import { Catalog } from "#contracts/catalog";
import { Encoding } from "#contracts/encoding";
import { Ingest } from "#contracts/ingest";
import { Keys } from "#contracts/keys";
import { topics } from "#contracts/topics";
import type { Problem } from "#kernel";
import { type Db, defineService, problem } from "#kernel";
import { openEvents, type Received } from "#kernel/events";
import { contentKeyFor, readCpix } from "#media/cpix";
import catalog from "../../services/content/catalog/service.ts";
import keysService from "../../services/content/keys/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { movableClock } from "../playback/setup.ts";

// Sweeps come ten times a second here.
const clock = movableClock({ sleepMsMax: 100 });
const never = async (): Promise<never> => {
  throw problem.unavailable("the pipeline is the test itself");
};
const room = {
  uses: {},
  slo: { p99Ms: 1, availability: 0.999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  ready: async () => {},
};
let encodings: Db<typeof Encoding>;
let imports: Db<typeof Ingest>;
const encoder = defineService({
  ...{ ...room, contract: Encoding },
  start: ({ db }) => (encodings = db),
  rpc: () => ({ get: never, getMany: never, list: never, repackage: never, retry: never }),
});
const importer = defineService({
  ...{ ...room, contract: Ingest },
  start: ({ db }) => (imports = db),
  rpc: () => ({ import: never, get: never, list: never, retry: never }),
});

/** A DRM back end that keeps what it is told. */
const registered: string[] = [];
let isBackEndWell = true;
const backEnd = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += String(chunk)));
  request.on("end", () => {
    registered.push(body);
    response.writeHead(isBackEndWell ? 200 : 500).end();
  });
});

let host: TestHost;
before(async () => {
  await new Promise<void>((resolve) => backEnd.listen(0, "127.0.0.1", resolve));
  host = await startTestHost({
    services: [tenant, catalog, encoder, importer, keysService],
    env: { MARQUEE_DRM_REGISTRATION_URL: `http://127.0.0.1:${(backEnd.address() as AddressInfo).port}/keys` },
    clock,
  });
});
after(async () => {
  await host?.stop();
  backEnd.closeAllConnections();
  backEnd.close();
});

const call = () => host.client(Catalog, "test");
const add = async (title: Record<string, unknown> & { id: string }) => {
  const facts = { kind: "film", title: title.id, tierMin: "basic", publication: "published" };
  return call().add({ title: { ...facts, ...title } }, host.context());
};
const complete = async (contentId: string, more: object = {}): Promise<void> => {
  await encodings.tx({ tenant: "demo" }, async (tx) =>
    tx.emit("completed", {
      ...{ contentId, stage: "complete", packageRevision: 1, indexVersion: 1, durationS: 60, chapters: [] },
      ...{ audioLanguages: ["en"], subtitleLanguages: ["de"], width: 1280, height: 720, previewKey: null },
      artwork: [
        { key: `artwork/${contentId}/poster-1.jpg`, width: 1, height: 1, score: 1, color: "#000000", blurDataUrl: "" },
      ],
      ...more,
    }),
  );
  await host.settled();
};
const play = async (title: Record<string, unknown> & { id: string }): Promise<void> => {
  await add(title);
  await complete(title.id);
};
const titleOf = async (id: string) => (await call().get({ id }, host.context())).title;

async function heard<T>(name: string): Promise<readonly Received<T>[]> {
  await host.settled();
  const reader = await openEvents([Catalog], topics, host.adapters.registry, clock);
  const topic = topics.routes[name]?.topic ?? "";
  const ends = await host.adapters.log.offsets(topic);
  const records = await host.adapters.log.read(topic, new Map([...ends.keys()].map((at) => [at, 0])), 10_000);
  const wanted = records.filter((record) => reader.nameOf(record) === name);
  return (await Promise.all(wanted.map((record) => reader.decode(record)))) as Received<T>[];
}
const changes = async (contentId: string): Promise<[boolean, string][]> =>
  (await heard<CatalogAvailabilityChanged>("catalog.availability.changed"))
    .filter(({ data }) => data.contentId === contentId)
    .map(({ data }) => [data.available, data.reason]);

describe("the catalogue", () => {
  test("announces a window once when it opens and once when it closes", async () => {
    const nowMs = clock.nowMs();
    await add({
      id: "window",
      availableFromMs: BigInt(nowMs + 3_600_000),
      availableUntilMs: BigInt(nowMs + 7_200_000),
    });
    await complete("window");
    assert.deepEqual(await changes("window"), []);
    const isListed = async (): Promise<boolean> =>
      (await call().list({ ageRatingMax: 18 }, host.context())).titles.some(({ id }) => id === "window");
    assert.equal(await isListed(), false);
    clock.offsetMs += 3_700_000;
    assert.equal(await isListed(), true);
    for (const tagline of ["one", "two"]) await call().update({ id: "window", tagline }, host.context());
    assert.deepEqual(await changes("window"), [[true, "window_opened"]]);
    clock.offsetMs += 3_600_000;
    for (const tagline of ["three", "four"]) await call().update({ id: "window", tagline }, host.context());
    assert.deepEqual(await changes("window"), [
      [true, "window_opened"],
      [false, "window_closed"],
    ]);
    assert.equal(await isListed(), false);
  });

  test("sweeps windows by itself", { timeout: 30_000 }, async () => {
    await play({ id: "swept", availableUntilMs: BigInt(clock.nowMs() + 60_000) });
    assert.deepEqual(await changes("swept"), [[true, "playable"]]);
    clock.offsetMs += 61_000;
    for (let tries = 0; (await changes("swept")).length < 2; tries++) {
      assert.ok(tries < 300, "the sweep did not come");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual((await changes("swept"))[1], [false, "window_closed"]);
  });

  test("lets a series play as soon as an episode does, and takes its episodes along when it goes", async () => {
    await add({ id: "series", kind: "series" });
    for (const [id, seasonNumber, episodeNumber] of [
      ["s2e1", 2, 1],
      ["s1e2", 1, 2],
      ["s1e1", 1, 1],
    ] as const) {
      await add({ id, kind: "episode", parentId: "series", seasonNumber, episodeNumber });
    }
    assert.equal((await titleOf("series"))?.state, "processing");
    await complete("s1e2", { audioLanguages: ["en"] });
    assert.deepEqual(
      [(await titleOf("series"))?.state, (await titleOf("series"))?.backdrop?.key],
      ["playable", "artwork/s1e2/poster-1.jpg"],
    );
    await complete("s1e1", { audioLanguages: ["fr"] });
    assert.deepEqual((await titleOf("series"))?.audioLanguages, ["fr", "en"]);
    assert.deepEqual(await changes("series"), [[true, "playable"]]);
    const page = async (limit: number, afterId = ""): Promise<string[]> =>
      (await call().list({ parentId: "series", ageRatingMax: 18, limit, afterId }, host.context())).titles.map(
        ({ id }) => id,
      );
    assert.deepEqual(await page(10), ["s1e1", "s1e2", "s2e1"]);
    assert.deepEqual([await page(2), await page(2, "s1e2")], [["s1e1", "s1e2"], ["s2e1"]]);
    await call().delete({ id: "s1e2" }, host.context());
    assert.equal(
      (await titleOf("series"))?.backdrop?.key,
      "artwork/s1e1/poster-1.jpg",
      "the old one went with its episode",
    );
    await add({ id: "s1e2", kind: "episode", parentId: "series", seasonNumber: 1, episodeNumber: 2 });
    await add({ id: "series-trailer", kind: "trailer", parentId: "series" });
    await play({ id: "s1e2-trailer", kind: "trailer", parentId: "s1e2" });
    await play({ id: "another" });
    await play({ id: "another-trailer", kind: "trailer", parentId: "another" });
    await call().delete({ id: "series" }, host.context());
    for (const id of ["another", "another-trailer"]) assert.equal((await titleOf(id))?.id, id);
    for (const id of ["series", "s1e1", "s1e2", "s2e1", "series-trailer", "s1e2-trailer"]) {
      assert.deepEqual((await changes(id)).at(-1), [false, "deleted"], id);
      await assert.rejects(titleOf(id), { code: "not_found", reason: "title_unknown" });
    }
  });

  test("shows children what is for their age", async () => {
    for (const ageRating of [0, 6, 12, 16, 18]) await play({ id: `age-${ageRating}`, ageRating, genres: ["Ages"] });
    const upTo = async (ageRatingMax: number): Promise<number> =>
      (await call().list({ ageRatingMax, genre: "Ages" }, host.context())).titles.length;
    assert.deepEqual(await Promise.all([0, 6, 11, 12, 18].map(upTo)), [1, 2, 2, 3, 5]);
    await host.settled();
    const found = await call().search({ query: "ages", ageRatingMax: 6 }, host.context());
    assert.deepEqual(found.titles.map(({ id }) => id).toSorted(), ["age-0", "age-6"]);
    const { genres } = await call().genres({ ageRatingMax: 12 }, host.context());
    assert.deepEqual(genres.find(({ name }) => name === "Ages")?.titles, 3);
  });

  test("finds words whatever their accents, and people by their names", async () => {
    await play({
      id: "amelie",
      title: "Le Fabuleux Destin d’Amélie Poulain",
      credits: [{ name: "Zoë Åkerström", role: "Director" }],
    });
    await play({ id: "plain", title: "Cafe Fiction", credits: [{ name: "Bob Roe", role: "Writer" }] });
    await host.settled();
    const find = async (query: string): Promise<string[]> =>
      (await call().search({ query, ageRatingMax: 18 }, host.context())).titles.map(({ id }) => id);
    for (const query of ["amelie", "AMÉLIE", "ame", "fabuleux poulain", "zoe akerstrom", "Åkerström", "director zoë"]) {
      assert.deepEqual(await find(query), ["amelie"], query);
    }
    assert.deepEqual(await find("café"), ["plain"]);
    for (const query of ["name", "amelie bob", "& | ! :*", "'; DROP TABLE titles; --", ""]) {
      assert.deepEqual(await find(query), [], query);
    }
    await assert.rejects(find("x".repeat(201)), { code: "invalid_argument" });
  });

  test("search follows what becomes of a title, forgives slips, and knows other forms of a word", async () => {
    const find = async (query: string, languages: readonly string[] = []): Promise<string[]> => {
      await host.settled();
      const found = await call().search({ query, ageRatingMax: 18, languages: [...languages] }, host.context());
      return found.titles.map(({ id }) => id);
    };
    await play({ id: "lighthouse", title: "The Lighthouse", synopsis: "Keepers quarrelling on a rock" });
    for (const query of ["lighthouse", "lihgthouse", "ligh"])
      assert.deepEqual(await find(query), ["lighthouse"], query);
    await call().update({ id: "lighthouse", title: "The Beacon" }, host.context());
    assert.deepEqual([await find("lighthouse"), await find("beacon")], [[], ["lighthouse"]]);
    await call().unpublish({ id: "lighthouse" }, host.context());
    assert.deepEqual(await find("beacon"), []);
    await call().publish({ id: "lighthouse" }, host.context());
    assert.deepEqual(await find("beacon"), ["lighthouse"]);
    await call().delete({ id: "lighthouse" }, host.context());
    assert.deepEqual(await find("beacon"), []);
  });

  test("an index that is new, or of an older shape, is filled with what is there", async () => {
    await play({ id: "old-film", title: "Before the Index" });
    await host.settled();
    const find = async (): Promise<string[]> =>
      (await call().search({ query: "before the index", ageRatingMax: 18 }, host.context())).titles.map(({ id }) => id);
    const admin = new pg.Client({ connectionString: host.adapters.postgres.adminUrl });
    await admin.connect();
    try {
      await admin.query("DELETE FROM fulltext.documents");
      assert.deepEqual(await find(), []);
      await admin.query("UPDATE fulltext.indexes SET built_version = 0");
      for (let looks = 0; looks < 400 && (await find()).length === 0; looks += 1) await sleep(25);
      assert.deepEqual(await find(), ["old-film"]);
    } finally {
      await admin.end();
    }
  });

  test("adds titles of a simulation for operators alone, under ids that nothing else has, and takes them all away", async () => {
    const simulated = (id: string, more: object = {}) => ({
      ...{ id, kind: "film", title: `Simulated ${id}`, genres: ["Simulated"], durationS: 60 },
      ...more,
    });
    const ids = Array.from({ length: 201 }, (_, at) => `sim_a_${String(at).padStart(4, "0")}`);
    const titles = ids.map((id) => simulated(id));
    const adding = (some: typeof titles, context = host.context()) => call().addSimulated({ titles: some }, context);
    await assert.rejects(adding(titles), { code: "invalid_argument" });
    await assert.rejects(adding([]), { code: "invalid_argument" });
    await assert.rejects(adding([simulated("vod_a")]), /does not begin with 'sim_'/);
    await assert.rejects(adding([simulated("sim_a", { kind: "series" })]), /'series' is not simulated/);
    await assert.rejects(adding([simulated("sim_a", { durationS: Number.POSITIVE_INFINITY })]), /durationS Infinity/);
    await assert.rejects(adding([simulated("sim_a", { title: " " })]), /title must have/);
    await assert.rejects(adding([simulated("sim_a")], host.context({ viewer: {} })), { reason: "operators_only" });
    await assert.rejects(add({ id: "sim_mine" }), /of those that simulated titles have/);

    assert.equal((await adding(titles.slice(0, 200))).added, 200);
    assert.equal((await adding(titles.slice(200))).added, 1);
    assert.equal((await adding(titles.slice(150, 201))).added, 0, "what is there stays");
    const found = await titleOf("sim_a_0007");
    assert.deepEqual([found?.state, found?.publication, found?.durationS], ["playable", "published", 60]);
    const announced = await heard<CatalogAvailabilityChanged>("catalog.availability.changed");
    const of = (isThere: boolean, all: readonly Received<CatalogAvailabilityChanged>[]) =>
      all.filter(({ data }) => data.contentId.startsWith("sim_") && data.available === isThere).length;
    assert.equal(of(true, announced), 201);

    await play({ id: "stays" });
    assert.equal((await call().deleteSimulated({}, host.context({ tenant: "other" }))).deleted, 0);
    await assert.rejects(call().deleteSimulated({}, host.context({ viewer: {} })), { reason: "operators_only" });
    const first = await call().deleteSimulated({}, host.context());
    assert.deepEqual([first.deleted, first.left], [200, true]);
    const second = await call().deleteSimulated({}, host.context());
    assert.deepEqual([second.deleted, second.left], [1, false]);
    await assert.rejects(titleOf("sim_a_0007"), { code: "not_found" });
    assert.equal((await titleOf("stays"))?.state, "playable");
    assert.equal(of(false, await heard("catalog.availability.changed")), 201);
  });

  test("refuses hostile facts by their names, and writes nothing of them", async () => {
    for (const [member, more] of [
      ["title", { title: " " }],
      ["title", { title: "x".repeat(201) }],
      ["title", { title: "a\0b" }],
      ["kind", { kind: "opera" }],
      ["synopsis", { synopsis: "x".repeat(2_001) }],
      ["year", { year: 3_000 }],
      ["ageRating", { ageRating: 7 }],
      ["genres", { genres: Array.from({ length: 11 }, () => "g") }],
      ["credits", { credits: [{ name: "x".repeat(101), role: "" }] }],
      ["tierMin", { tierMin: "gold" }],
      ["markets", { markets: ["Germany"] }],
      ["seasonNumber", { seasonNumber: 4_000_000_000 }],
      ["availableFromMs", { availableFromMs: 9_000_000_000_000_000_000n }],
      ["availableUntilMs", { availableFromMs: 5n, availableUntilMs: 4n }],
      ["parentId", { kind: "episode" }],
      ["parentId", { kind: "episode", parentId: "../x" }],
      ["id", { id: "../../etc" }],
    ] as const) {
      await assert.rejects(add({ id: "hostile", ...more }), (error: Problem) => {
        assert.equal(error.code, "invalid_argument", member);
        assert.deepEqual(error.details["pointer"], `/${member}`);
        return error.message.startsWith(member);
      });
    }
    await assert.rejects(titleOf("hostile"), { code: "not_found" });
    await add({ id: "known" });
    await assert.rejects(add({ id: "known" }), { code: "already_exists" });
    await assert.rejects(call().update({ id: "known", year: 3_000 }, host.context()), { code: "invalid_argument" });
    await assert.rejects(call().update({ id: "known", backdropKey: "x" }, host.context()), {
      code: "invalid_argument",
    });
    await assert.rejects(call().publish({ id: "known" }, host.context()), /still being prepared/);
  });

  test("takes in what an importer says, as far as it can be used", async () => {
    const start = (contentId: string, metadataJson: string) =>
      imports.tx({ tenant: "demo" }, async (tx) =>
        tx.emit("started", { contentId, fileName: "the.film.mkv", metadataJson, publish: true }),
      );
    await start("usable", JSON.stringify({ title: "Usable", year: 1999, genres: ["Drama", 7], seasonNumber: 1e300 }));
    await start("odd", JSON.stringify({ title: "Odd\0", year: "soon", credits: [null, { name: 5 }] }));
    await start("nothing", "{}");
    await host.settled();
    assert.deepEqual((await titleOf("usable"))?.title, "Usable");
    assert.deepEqual([(await titleOf("odd"))?.title, (await titleOf("odd"))?.year], ["Odd", 0]);
    assert.equal((await titleOf("nothing"))?.title, "the.film.mkv");
    const added = await heard<CatalogTitleAdded>("catalog.title.added");
    assert.equal(added.filter(({ data }) => data.contentId === "usable").length, 1);
    await imports.tx({ tenant: "demo" }, async (tx) =>
      tx.emit("failed", { contentId: "odd", reason: "x", message: "no film" }),
    );
    await host.settled();
    assert.deepEqual([(await titleOf("odd"))?.state, (await titleOf("odd"))?.failure], ["failed", "no film"]);
  });
});

describe("content keys", () => {
  const client = () => host.client(Keys, "test");
  const of = (contentId: string, packageRevision = 1) => ({ contentId, packageRevision });
  beforeEach(() => {
    isBackEndWell = true;
    registered.length = 0;
  });

  test("are one set for each revision, whoever asks first", async () => {
    const asked = await Promise.all(Array.from({ length: 20 }, () => client().createSet(of("keyed"), host.context())));
    const kids = asked.map(({ keys }) => keys.map(({ kid }) => kid).join());
    assert.equal(new Set(kids).size, 1);
    assert.deepEqual(
      asked[0]?.keys.map(({ keyClass }) => keyClass),
      ["AUDIO", "SD", "HD", "UHD"],
    );
    const next = await client().createSet(of("keyed", 2), host.context());
    assert.equal(
      next.keys.some(({ kid }) => kids[0]?.includes(kid)),
      false,
    );
    const { keys } = await client().getSet(of("keyed"), host.context());
    assert.equal(keys.map(({ kid }) => kid).join(), kids[0]);
    assert.ok(keys.every(({ key, iv }) => key.length === 16 && iv.length === 16));
    await assert.rejects(client().getSet(of("keyed", 3), host.context()), { code: "not_found" });
    await assert.rejects(client().getSet(of("keyed"), host.context({ tenant: "north" })), { code: "not_found" });
    await assert.rejects(client().createSet(of("../x"), host.context()), { code: "invalid_argument" });
  });

  test("are described in CPIX with the picture sizes that each protects", async () => {
    await client().createSet(of("described"), host.context());
    const { keys } = await client().getSet(of("described"), host.context());
    const { document } = await client().exportCpix({ contentId: "described" }, host.context());
    const { document: cpix } = readCpix(document);
    assert.equal(cpix.contentId, "described");
    const plain = (kid: string): string => kid.replaceAll("-", "");
    const kidOf = (keyClass: string) => keys.find((key) => key.keyClass === keyClass)?.kid;
    for (const [width, height, keyClass] of [
      [426, 240, "SD"],
      [1_024, 576, "SD"],
      [1_280, 720, "HD"],
      [1_920, 1_080, "HD"],
      [1_080, 1_920, "HD"],
      [3_840, 2_160, "UHD"],
    ] as const) {
      const found = contentKeyFor(cpix, { kind: "video", pixels: width * height });
      assert.equal(plain(found.kid), kidOf(keyClass), `${width}x${height}`);
    }
    assert.equal(plain(contentKeyFor(cpix, { kind: "audio" }).kid), kidOf("AUDIO"));
    assert.equal(cpix.drmSystems.length, 12, "three systems for each of four keys");
    assert.equal(readCpix(registered[0] ?? "").document.contentKeys.length, 4, "the back end was told");
  });

  test("are not made while the back end does not know them", async () => {
    isBackEndWell = false;
    await assert.rejects(client().createSet(of("unknown"), host.context()), { code: "unavailable" });
    await assert.rejects(client().getSet(of("unknown"), host.context()), { code: "not_found" });
  });

  test("are in no answer that is not for them, in no event, and go with their title", async () => {
    await play({ id: "secretive" });
    const signalled = await client().createSet(of("secretive"), host.context());
    const { keys } = await client().getSet(of("secretive"), host.context());
    await client().exportCpix({ contentId: "secretive" }, host.context());
    const said = Buffer.from(
      JSON.stringify(signalled, (_, value: unknown) =>
        value instanceof Uint8Array
          ? Buffer.from(value).toString("hex")
          : typeof value === "bigint"
            ? String(value)
            : value,
      ),
    );
    const records: Buffer[] = [];
    for (const { name } of topics.specs) {
      const ends = await host.adapters.log.offsets(name);
      const all = await host.adapters.log.read(name, new Map([...ends.keys()].map((at) => [at, 0])), 10_000);
      records.push(...all.map(({ value }) => Buffer.from(value)));
    }
    for (const { key } of keys) {
      for (const form of [
        Buffer.from(key),
        Buffer.from(Buffer.from(key).toString("hex")),
        Buffer.from(Buffer.from(key).toString("base64")),
      ]) {
        assert.equal(said.includes(form), false);
        assert.equal(
          records.some((record) => record.includes(form)),
          false,
        );
      }
    }
    await call().delete({ id: "secretive" }, host.context());
    await host.settled();
    await assert.rejects(client().getSet(of("secretive"), host.context()), { code: "not_found" });
    await assert.rejects(client().exportCpix({ contentId: "secretive" }, host.context()), { code: "not_found" });
  });
});
