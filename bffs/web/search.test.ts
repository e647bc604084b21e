// What people find while search is away: what the catalogue finds by words, in time, marked as partial; and the whole again when it is back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Bookmark } from "#contracts/bookmark";
import { Catalog } from "#contracts/catalog";
import { Epg } from "#contracts/epg";
import { Live } from "#contracts/live";
import { Profile } from "#contracts/profile";
import { Search } from "#contracts/search";
import type { SearchResults } from "#contracts/web/search";
import { type Context, type Contract, problem, systemClock, systemContext } from "#kernel";
import { openMetrics } from "#kernel/metrics";
import { localTransport } from "#kernel/rpc";
import { silentLogger } from "#kernel/telemetry";
import { fakeService } from "../../apps/admin/testing.ts";
import { type WebParts, webUses } from "./parts.ts";
import { searchRoutes } from "./search.ts";

const ANSWER_MS_MAX = 200;
const film = (id: string, ageRating = 0) => ({
  ...{ id, kind: "film", title: id, state: "playable", publication: "published", genres: ["Drama"], ageRating },
});
interface Whole {
  readonly searchId: string;
  readonly contentIds: string[];
  readonly total: number;
  readonly understood?: { id: string; kind: string; value: string }[];
}
const whole: Whole = { searchId: "sch_1", contentIds: ["meant", "adult"], total: 2 };
let search: (context: Context) => Promise<Whole> = async () => whole;
const HOUR_MS = 3_600_000;
const on = (id: string, fromH: number, toH: number, ageRating = 0) => ({
  ...{ id, channelId: "ch_1", title: id, ageRating },
  startMs: BigInt(systemClock.nowMs() + fromH * HOUR_MS),
  stopMs: BigInt(systemClock.nowMs() + toH * HOUR_MS),
});
let guide = {
  programmes: [on("later", 3, 4), on("running", -1, 1), on("adult", -1, 1, 18), on("next-week", 150, 151)],
};
const services = [
  fakeService(Profile, {
    get: async () => ({ profile: { id: "prf_1", userId: "usr_1", name: "Ada", ageRatingMax: 12 } }),
  }),
  fakeService(Catalog, {
    getMany: async ({ ids }) => ({ titles: ids.map((id) => film(id, id === "adult" ? 18 : 0)) }),
    search: async () => ({ titles: [film("by-words")] }),
  }),
  fakeService(Bookmark, { getMany: async () => ({ bookmarks: [] }) }),
  fakeService(Live, {
    list: async () => ({
      channels: [
        { id: "ch_1", number: 7, name: "Café Noir" },
        { id: "ch_2", number: 8, name: "News" },
      ],
    }),
  }),
  fakeService(Epg, {
    channels: async () => ({ channels: [{ id: "ch_1", name: "One" }] }),
    getChannel: async ({ id }) => ({ channel: { id, name: "One" } }),
    grid: async () => guide,
    search: async ({ query }) => ({ programmes: guide.programmes.filter(({ id }) => id.startsWith(query)) }),
  }),
  fakeService(Search, { query: (_, context) => search(context) }),
];

async function find(q: string): Promise<SearchResults> {
  const transport = localTransport({ clock: systemClock, metrics: openMetrics(), roundTrip: true });
  for (const { contract, handlers } of services) transport.mount(contract, handlers);
  const used: Readonly<Record<string, Contract>> = webUses;
  const call = Object.fromEntries(
    Object.entries(used).map(([alias, contract]) => [alias, transport.client(contract, "web")]),
  );
  const parts = { call, clock: systemClock, logger: silentLogger } as unknown as WebParts;
  const viewer = { userId: "usr_1", profileId: "prf_1", tier: "basic", deviceId: "d", entitlements: [] };
  const asked = {
    context: { ...systemContext("demo", "web"), viewer },
    request: { headers: {} },
    query: { q, genres: "", kind: "", decade: 0, language: "", without: "", finished: false },
  };
  const route = searchRoutes.find(({ operationId }) => operationId === "search");
  return (await route?.handle(parts, asked as never)) as SearchResults;
}
const ids = ({ cards }: SearchResults): string[] => cards.map(({ id }) => id);

test("while search is away, or takes too long, the catalogue's own index answers, marked as partial", async () => {
  const found = await find("meant");
  assert.deepEqual([ids(found), found.partial, found.searchId], [["meant"], false, "sch_1"]);

  search = async () => {
    throw problem.unavailable("away");
  };
  const away = await find("meant");
  assert.deepEqual([ids(away), away.partial, away.searchId], [["by-words"], true, ""]);

  let patienceMs = Number.POSITIVE_INFINITY;
  search = ({ deadlineMs }) => {
    patienceMs = deadlineMs - systemClock.nowMs();
    return new Promise(() => {});
  };
  const late = await find("meant");
  assert.deepEqual([ids(late), late.partial], [["by-words"], true]);
  assert.ok(patienceMs <= ANSWER_MS_MAX, `search had ${patienceMs} ms`);

  search = async () => whole;
  assert.equal((await find("meant")).partial, false);
});

test("what is asked wrongly is refused, and channels are found by the beginnings of their words", async () => {
  assert.deepEqual((await find("noir ca")).channels, [{ id: "ch_1", number: 7, name: "Café Noir" }]);
  search = async () => {
    throw problem.invalid("too long");
  };
  await assert.rejects(find("x"), { code: "invalid_argument" });
});

test("what is asked of channels is found in the guide, at its time and for this profile's age; without the guide the rest is there", async () => {
  const asking = (...parts: readonly (readonly [kind: string, value: string])[]) => {
    search = async () => ({
      ...whole,
      understood: parts.map(([kind, value]) => ({ id: `${kind}:${value}`, kind, value })),
    });
    return find("what is on");
  };
  const shown = async (...parts: readonly (readonly [string, string])[]) =>
    (await asking(...parts)).programmes.map(({ id }) => id);
  assert.deepEqual(await shown(["airing", "now"]), ["running"]);
  assert.deepEqual(await shown(["airing", "tonight"]), ["running", "later"]);
  assert.deepEqual(await shown(["airing", "tonight"], ["topic", "la"]), ["later"]);
  assert.deepEqual(await shown(["topic", "la"]), [], "who asks for titles is not shown channels");
  const { programmes } = guide;
  Object.defineProperty(guide, "programmes", {
    configurable: true,
    get() {
      throw problem.unavailable("away");
    },
  });
  const away = await asking(["airing", "now"]);
  guide = { programmes };
  assert.deepEqual([ids(away), away.programmes, away.partial], [["meant"], [], true]);
});
