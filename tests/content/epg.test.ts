/** The guide on real engines: documents come in, channels are matched, schedules are merged, and everybody hears what has changed. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Epg, type EpgProgramChanged, type EpgScheduleUpdated } from "#contracts/epg";
import { Live } from "#contracts/live";
import { topics } from "#contracts/topics";
import { Guide } from "#contracts/web";
import { type Db, defineService, problem } from "#kernel";
import { openEvents, type Received } from "#kernel/events";
import { systemClock } from "#kernel/clock";
import catalog from "../../services/content/catalog/service.ts";
import epg from "../../services/content/epg/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { movableClock } from "../playback/setup.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, "")} +0000`;
/** A programme some minutes from the beginning of this hour. */
const programme = (channel: string, title: string, from: number, to: number | null, inner = ""): string =>
  `<programme channel="${channel}" start="${stamp(hour + from * MINUTE_MS)}"${to === null ? "" : ` stop="${stamp(hour + to * MINUTE_MS)}"`}><title>${title}</title>${inner}</programme>`;
const channel = (id: string, ...names: readonly string[]): string =>
  `<channel id="${id}">${names.map((name) => `<display-name>${name}</display-name>`).join("")}</channel>`;

const never = async (): Promise<never> => {
  throw problem.unavailable("nobody watches in this test");
};
let lives: Db<typeof Live>;
/** What a channel that is made of films will show. */
let ownSchedule: { contentId: string; startMs: bigint; stopMs: bigint; title: string }[] = [];
/** Channels of which the test says what becomes of them. */
const live = defineService({
  contract: Live,
  uses: {},
  slo: { p99Ms: 1, availability: 0.999 },
  ai: { feeds: "none", uses: "none", fallback: "none needed" },
  start: ({ db }) => (lives = db),
  rpc: () => ({
    ...{ add: never, get: never, setOnAir: never, remove: never, locate: never, hold: never },
    ...{ listSegments: never, pin: never, unpin: never, health: never },
    list: async () => ({ channels: ownSchedule.length > 0 ? [{ id: "ch-films", inputs: ["schedule"] }] : [] }),
    schedule: async () => ({ airings: ownSchedule }),
  }),
  ready: async () => {},
});

describe("the guide", { concurrency: false }, () => {
  let host: TestHost;
  before(async () => {
    // Periodic work comes ten times a second here.
    host = await startTestHost({ services: [tenant, catalog, epg, live], clock: movableClock({ sleepMsMax: 100 }) });
  });
  after(() => host?.stop());

  const client = () => host.client(Epg, "test");
  const context = (tenantId?: string) => host.context(tenantId === undefined ? {} : { tenant: tenantId });
  async function ended(importId: string) {
    for (let tries = 0; tries < 1_500; tries++) {
      const { import: state } = await client().getImport({ importId }, context());
      if (state?.state === "completed" || state?.state === "failed") {
        await host.settled();
        return state;
      }
      await sleep(20);
    }
    throw new Error(`the import did not end within half a minute`);
  }
  async function take(source: string, document: string | Uint8Array, settings: object = {}) {
    const location = join(host.folder, `${source}.xml`);
    await writeFile(location, document);
    await client().putSource({ name: source, kind: "file", location, ...settings }, context());
    const { importId } = await client().import({ sourceName: source }, context());
    return ended(importId);
  }
  async function titlesOn(channelId: string): Promise<string[]> {
    const asked = { channelIds: [channelId], fromMs: BigInt(hour - 12 * HOUR_MS), toMs: BigInt(hour + 24 * HOUR_MS) };
    const { programmes } = await client().grid(asked, context());
    const minutes = (ms: bigint): number => (Number(ms) - hour) / MINUTE_MS;
    return programmes.map((one) => `${one.title} ${minutes(one.startMs)}-${minutes(one.stopMs)}`);
  }
  async function heard<T>(name: string): Promise<readonly Received<T>[]> {
    const reader = await openEvents([Epg], topics, host.adapters.registry, systemClock);
    const ends = await host.adapters.log.offsets("epg.updates");
    const records = await host.adapters.log.read(
      "epg.updates",
      new Map([...ends.keys()].map((one) => [one, 0])),
      10_000,
    );
    const wanted = records.filter((record) => reader.nameOf(record) === name);
    return (await Promise.all(wanted.map((record) => reader.decode(record)))) as Received<T>[];
  }

  async function sayOfChannel(changes: object): Promise<void> {
    const record = {
      ...{ contentId: "ch-live-a", number: 3, name: "Alpha", logo: "", language: "en", latency: "low", ageRating: 0 },
      ...{
        tier: "basic",
        ladder: [],
        inputs: ["demo"],
        onAir: true,
        onDemand: true,
        dvrWindowS: 7_200,
        removed: false,
      },
    };
    await lives.tx({ tenant: "demo" }, async (tx) => tx.emit("channelChanged", { ...record, ...changes }));
    await host.settled();
  }

  it("takes a document in, and says what is on", async () => {
    const document = `<tv>${channel("a", "Alpha", "7")}${channel("b", "Beta")}
      ${programme("a", "Now", 0, 60, '<episode-num system="onscreen">S1E2</episode-num>')}${programme("a", "Next", 60, 120)}
      ${programme("b", "Long ago", -4_000, -3_900)}${programme("b", "Far away", 30_000, 30_060)}${programme("b", "Here", -30, 30)}</tv>`;
    const state = await take("one", document, { addsChannels: true });
    assert.deepEqual(
      [state.state, state.programmes, state.programmesKept, state.channelsMerged],
      ["completed", 5, 3, 2],
    );
    assert.deepEqual(
      state.findings.map(({ code, count }) => [code, count]),
      [["outside_of_window", 2]],
    );
    const { channels } = await client().channels({}, context());
    assert.deepEqual(
      channels.map(({ id, number, playable }) => [id, number, playable]),
      [
        ["ch-a", 7, false],
        ["ch-b", 0, false],
      ],
    );
    const at = BigInt(hour + 10 * MINUTE_MS);
    const { channels: on } = await client().nowNext({ channelIds: ["ch-a", "ch-none"], atMs: at }, context());
    assert.deepEqual(
      on.map(({ now, next }) => [now?.title, next?.title]),
      [
        ["Now", "Next"],
        [undefined, undefined],
      ],
    );
    const { programme: found } = await client().programme({ id: on[0]?.now?.id ?? "" }, context());
    assert.deepEqual([found?.seasonNumber, found?.episodeKey, found?.sourceName], [1, "s1e2", "one"]);
    const { programmes } = await client().search({ query: "ne" }, context());
    assert.deepEqual(
      programmes.map(({ title }) => title),
      ["Next"],
    );
    const { programmes: episodes } = await client().episodes({ seriesId: found?.seriesId ?? "" }, context());
    assert.deepEqual(
      episodes.map(({ id }) => id),
      [found?.id],
    );
  });

  it("changes nothing for what is broken, and says why", async () => {
    const before = await titlesOn("ch-a");
    const bomb = `<!DOCTYPE tv [<!ENTITY a "aaaa">]><tv>${programme("a", "&a;", 0, 60)}</tv>`;
    for (const [document, reason, message] of [
      [`<tv>${programme("a", "Half", 0, 60)}<programme`, "document_broken", /unclosed tag|unexpected end/],
      [bomb, "document_broken", /declares entities/],
      ["", "document_broken", /root element/],
      [
        Buffer.concat([gzipSync("<tv></tv>").subarray(0, 12), Buffer.from("broken")]),
        "compression_broken",
        /broken gzip/,
      ],
      [Buffer.from("PK\u0003\u0004archive"), "compression_unknown", /compressed by ZIP/],
      [`<tv><programme><title>${"x".repeat(3_000_000)}`, "document_broken", /without a tag/],
    ] as const) {
      const state = await take("one", document);
      assert.deepEqual([state.state, state.failureReason], ["failed", reason]);
      assert.match(state.failure, message);
    }
    assert.deepEqual(await titlesOn("ch-a"), before);
    assert.equal((await heard("epg.ingest.failed")).length, 6);
  });

  it("says what has changed, and keeps the id of what has moved", async () => {
    const { channels: before } = await client().nowNext(
      { channelIds: ["ch-a"], atMs: BigInt(hour + MINUTE_MS) },
      context(),
    );
    const nextId = before[0]?.next?.id ?? "";
    await client().restrict({ programmeId: nextId, noRecord: true }, context());
    await host.settled();
    const seen = (await heard("epg.program.changed")).length;
    const document = `<tv>${programme("a", "Now", 0, 90, '<episode-num system="onscreen">S1E2</episode-num>')}${programme("a", "Next", 90, 150)}${programme("a", "More", 150, null)}</tv>`;
    await take("one", gzipSync(document));
    assert.deepEqual(await titlesOn("ch-a"), ["Now 0-90", "Next 90-150", "More 150-210"]);
    const { programme: moved } = await client().programme({ id: nextId }, context());
    assert.deepEqual([moved?.title, moved?.noRecord, moved?.stopAssumed], ["Next", true, false]);
    const changes = (await heard<EpgProgramChanged>("epg.program.changed")).slice(seen).map(({ data }) => data);
    const said = changes.map(({ title, change, programmeId }) => `${title} ${change} ${programmeId === nextId}`);
    assert.deepEqual(new Set(said), new Set(["Next moved true", "Now moved false"]));
    const updates = (await heard<EpgScheduleUpdated>("epg.schedule.updated")).filter(
      ({ data }) => data.channelId === "ch-a",
    );
    const last = updates.at(-1)?.data;
    assert.ok(last?.added.length === 1 || updates.slice(-2).some(({ data }) => data.added.length === 1));
    await take("one", document);
    assert.equal((await heard("epg.program.changed")).length, seen + 2, "the same guide again changes nothing");
  });

  it("lets sources fill each other's gaps by priority", async () => {
    const other = `<tv>${channel("alpha.tv", "ALPHA HD")}${programme("alpha.tv", "Other", 0, 60)}${programme("alpha.tv", "Night", 240, 300)}</tv>`;
    const state = await take("two", other, { priority: -1 });
    assert.deepEqual([state.channels, state.channelsMatched], [1, 1]);
    const { matches } = await client().listMatches({ sourceName: "two" }, context());
    assert.deepEqual([matches[0]?.channelId, matches[0]?.foundBy], ["ch-a", "name"]);
    assert.deepEqual(await titlesOn("ch-a"), ["Now 0-90", "Next 90-150", "More 150-210", "Night 240-300"]);
    await client().putSource({ name: "two", priority: 5 }, context());
    await host.settled();
    assert.deepEqual((await titlesOn("ch-a"))[0], "Other 0-60");
  });

  it("takes a title for the series that is known by an id", async () => {
    const id = '<episode-num system="dd_progid">EP01419807.0010</episode-num>';
    await take("ids", `<tv>${channel("c", "Gamma")}${programme("c", "More", 0, 60, id)}</tv>`, { addsChannels: true });
    await take(
      "one",
      `<tv>${programme("a", "Now", 0, 90)}${programme("a", "Next", 90, 150)}${programme("a", "More", 150, null)}</tv>`,
    );
    const { seriesTitle, programmes } = await client().episodes({ seriesId: "dd-01419807" }, context());
    assert.deepEqual([seriesTitle, programmes.map(({ channelId }) => channelId)], ["More", ["ch-c", "ch-a"]]);
    assert.match(programmes[1]?.identity ?? "", /^series 'dd-01419807', which alone has its title 'More'/);
    await client().removeSource({ name: "ids" }, context());
  });

  it("does what a person says of a match, and the rules again when that is taken back", async () => {
    await client().match({ sourceName: "two", externalId: "alpha.tv", channelId: "ch-b" }, context());
    await host.settled();
    assert.deepEqual(await titlesOn("ch-b"), ["Here -30-0", "Other 0-60", "Night 240-300"]);
    assert.ok(!(await titlesOn("ch-a")).includes("Night 240-300"));
    const again = await client().match({ sourceName: "two", externalId: "alpha.tv", automatic: true }, context());
    assert.deepEqual([again.match?.channelId, again.match?.foundBy], ["ch-a", "name"]);
    await client().removeSource({ name: "two" }, context());
    await host.settled();
    assert.deepEqual(await titlesOn("ch-a"), ["Now 0-90", "Next 90-150", "More 150-210"]);
    assert.deepEqual(await titlesOn("ch-b"), ["Here -30-30"]);
    for (const wrong of [
      { sourceName: "nobody", externalId: "x" },
      { sourceName: "one", externalId: "x" },
      { sourceName: "one", externalId: "a", channelId: "ch-none" },
    ])
      await assert.rejects(client().match(wrong, context()), { code: "not_found" });
  });

  it("composes days as their rows are, with a cache and without one", async () => {
    const days = [
      ...new Set(
        [hour - 30 * MINUTE_MS, hour, hour + 6 * HOUR_MS].map((ms) => new Date(ms).toISOString().slice(0, 10)),
      ),
    ];
    const asked = { channelIds: ["ch-a", "ch-b"], days };
    const { days: first } = await client().composedDays(asked, context());
    const keys = asked.channelIds.flatMap((id) => days.map((day) => `epg/grid/demo/${id}/${day}`));
    await host.adapters.cache.delete(keys);
    const { days: again } = await client().composedDays(asked, context());
    assert.deepEqual(
      again.map(({ json }) => json),
      first.map(({ json }) => json),
    );
    const cells = Guide.shape.channels.element.shape.days.element;
    const titles = first.flatMap(({ json }) => cells.parse(JSON.parse(json)).map(({ title }) => title));
    assert.deepEqual(titles.toSorted(), ["Here", "More", "Next", "Now"]);
  });

  it("takes what is pushed in pieces, and what is fetched by its address", async () => {
    const document = gzipSync(`<tv>${programme("a", "Pushed", 0, 60)}</tv>`);
    await client().putSource({ name: "pushed", zone: "Europe/Berlin", priority: 9 }, context());
    const half = Math.floor(document.length / 2);
    const { importId } = await client().push({ sourceName: "pushed", piece: document.subarray(0, half) }, context());
    await client().push({ sourceName: "pushed", importId, piece: document.subarray(half), last: true }, context());
    assert.equal((await ended(importId)).state, "completed");
    await assert.rejects(
      client().push({ sourceName: "pushed", importId, piece: document }, context()),
      /takes no more pieces/,
    );
    const server = createServer((request, response) => {
      if (request.url === "/gone") return response.writeHead(404).end();
      return response.end(`<tv>${programme("a", "Fetched", 0, 60)}</tv>`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const fetched = async (path: string) => {
      await client().putSource({ name: "far", kind: "url", location: base + path }, context());
      return ended((await client().import({ sourceName: "far" }, context())).importId);
    };
    assert.equal((await fetched("/guide.xml")).programmesKept, 1);
    const gone = await fetched("/gone");
    assert.deepEqual([gone.state, gone.failureReason], ["failed", "source_refused"]);
    server.close();
  });

  it("refuses sources that are none, and names the remedy", async () => {
    for (const [source, message] of [
      [{ name: "Bad Name" }, /no name for a source/],
      [{ name: "x", zone: "Mars/Olympus" }, /IANA names/],
      [{ name: "x", kind: "url", location: "ftp://x" }, /begins with https/],
      [{ name: "x", kind: "file", location: "relative.xml" }, /not an absolute path/],
      [{ name: "x", language: "english please" }, /no language/],
      [{ name: "x", refreshS: 5 }, /not between/],
    ] as const)
      await assert.rejects(client().putSource(source, context()), message);
    await assert.rejects(client().import({ sourceName: "pushed" }, context()), /nothing to fetch/);
  });

  it("has an order of channels for each profile, and by number for who has none", async () => {
    const viewer = { userId: "user-1", profileId: "p1" };
    const signed = host.context({ viewer });
    await client().putChannelOrder({ profileId: "p1", channelIds: ["ch-b"] }, signed);
    const own = await client().channels({ profileId: "p1" }, signed);
    assert.deepEqual([own.orderedBy, own.channels.map(({ id }) => id)], ["own", ["ch-b", "ch-a"]]);
    const other = await client().channels({ profileId: "p2" }, context());
    assert.deepEqual([other.orderedBy, other.channels.map(({ id }) => id)], ["number", ["ch-a", "ch-b"]]);
    await client().putChannelOrder({ profileId: "p1", channelIds: [] }, signed);
    assert.equal((await client().channels({ profileId: "p1" }, signed)).orderedBy, "number");
  });

  it("follows channels that can be watched, and finds them where a source has them", async () => {
    const say = sayOfChannel;
    await say({});
    assert.ok((await titlesOn("ch-live-a")).includes("Next 90-150"), "what 'one' calls Alpha is this channel now");
    const { channels } = await client().channels({}, context());
    assert.deepEqual(
      channels.map(({ id, playable }) => [id, playable]),
      [
        ["ch-live-a", true],
        ["ch-b", false],
      ],
    );
    await say({ name: "Another one", number: 4 });
    assert.deepEqual(await titlesOn("ch-live-a"), []);
    await say({ removed: true });
    await assert.rejects(client().getChannel({ id: "ch-live-a" }, context()), { reason: "channel_unknown" });
    assert.ok((await titlesOn("ch-a")).includes("Next 90-150"), "the source's own channel is back");
  });

  it("believes a channel of films what it will show", async () => {
    const at = (minutes: number) => BigInt(hour + minutes * MINUTE_MS);
    ownSchedule = [
      { contentId: "film-1", startMs: at(0), stopMs: at(80), title: "The <first> film" },
      { contentId: "film-2", startMs: at(80), stopMs: at(150), title: "The second film" },
    ];
    await sayOfChannel({ contentId: "ch-films", name: "Films", number: 9 });
    for (let tries = 0; (await titlesOn("ch-films")).length === 0; tries++) {
      assert.ok(tries < 500, "its schedule did not come");
      await sleep(20);
    }
    assert.deepEqual(await titlesOn("ch-films"), ["The <first> film 0-80", "The second film 80-150"]);
  });

  it("shows a tenant nothing of another", async () => {
    const elsewhere = context("other");
    assert.deepEqual((await client().channels({}, elsewhere)).total, 0);
    assert.deepEqual((await client().listSources({}, elsewhere)).sources, []);
    const { days } = await client().composedDays(
      { channelIds: ["ch-a"], days: [new Date(hour).toISOString().slice(0, 10)] },
      elsewhere,
    );
    assert.equal(days[0]?.json, "[]");
    const { channels } = await client().nowNext({ channelIds: ["ch-a"], atMs: BigInt(hour) }, context());
    await assert.rejects(client().programme({ id: channels[0]?.now?.id ?? "" }, elsewhere), {
      reason: "programme_unknown",
    });
  });
});
