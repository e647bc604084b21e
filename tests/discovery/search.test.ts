// Search beside the catalogue that it copies: what comes, changes and goes is found so, by those who may see it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Catalog } from "#contracts/catalog";
import { Search, type SearchQuery, type SearchResultClicked } from "#contracts/search";
import { topics } from "#contracts/topics";
import { Problem } from "#kernel";
import { openEvents, type Received } from "#kernel/events";
import catalog from "../../services/content/catalog/service.ts";
import ingest from "../../services/content/ingest/service.ts";
import search from "../../services/discovery/search/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { movableClock, openStudio } from "../playback/setup.ts";

const clock = movableClock();
const encoder = openStudio();
let host: TestHost;
before(async () => {
  host = await startTestHost({ services: [tenant, catalog, encoder.service, ingest, search], clock });
});
after(() => host?.stop());

const catalogue = () => host.client(Catalog, "test");
const searching = () => host.client(Search, "web");
const viewer = { userId: "usr_1", profileId: "prf_1" };

interface Film {
  readonly id: string;
  readonly title: string;
  readonly ageRating?: number;
  readonly year?: number;
  readonly genres?: string[];
  readonly credits?: { name: string; role: string }[];
  readonly synopsis?: string;
  readonly availableFromMs?: bigint;
}
async function add(film: Film, of = "demo"): Promise<void> {
  const facts = { kind: "film", tierMin: "basic", publication: "published", ...film };
  await catalogue().add({ title: facts }, host.context({ tenant: of }));
  await host.settled();
}
/** A moment later, so that what another process wrote would be seen too. */
async function query(text: string, more: object = {}, of = "demo") {
  clock.offsetMs += 1_000;
  return searching().query({ query: text, ageRatingMax: 18, ...more }, host.context({ tenant: of, viewer }));
}
const found = async (text: string, more: object = {}, of = "demo"): Promise<string[]> =>
  (await query(text, more, of)).contentIds;

test("titles are found from when they are there until they are gone, by those who may see them", async () => {
  await add({
    id: "robot",
    title: "The Clockwork Heart",
    genres: ["Comedy"],
    year: 1994,
    synopsis: "A robot learns to laugh.",
  });
  await add({
    id: "adult",
    title: "Clockwork Nights",
    ageRating: 18,
    credits: [{ name: "Ada Petrova", role: "Director" }],
  });
  assert.deepEqual(await found("clockwork"), ["adult", "robot"], "what begins so comes first");
  assert.deepEqual(await found("clokwork haert"), ["robot"], "in spite of slips of the pen");
  assert.equal((await query("clokwork haert")).corrected, "clockwork heart");
  assert.deepEqual(await found("clockwork", { ageRatingMax: 6 }), ["robot"], "children are shown what is for them");
  assert.deepEqual((await query("petrova", { ageRatingMax: 6 })).people, [], "and nobody from what is not");
  assert.deepEqual(
    (await query("petrova")).people.map(({ name, titles }) => [name, titles]),
    [["Ada Petrova", 1]],
  );

  await catalogue().update({ id: "robot", title: "The Mechanical Heart" }, host.context());
  await host.settled();
  assert.deepEqual(await found("mechanical"), ["robot"]);
  await catalogue().unpublish({ id: "robot" }, host.context());
  await host.settled();
  assert.deepEqual(await found("mechanical"), []);
  await catalogue().delete({ id: "adult" }, host.context());
  await host.settled();
  assert.deepEqual(await found("clockwork"), []);
});

test("a tenant never finds what is another's, and a window hides what is not open yet", async () => {
  await add({ id: "ours", title: "Lighthouse" });
  await add({ id: "theirs", title: "Lighthouse Keeper" }, "other");
  assert.deepEqual(await found("lighthouse"), ["ours"]);
  assert.deepEqual(await found("lighthouse", {}, "other"), ["theirs"]);
  await add({ id: "later", title: "Lighthouse Island", availableFromMs: BigInt(clock.nowMs() + 3_600_000) });
  assert.deepEqual(await found("lighthouse"), ["ours"]);
  clock.offsetMs += 3_600_001;
  assert.deepEqual((await found("lighthouse")).toSorted(), ["later", "ours"]);
});

test("a question is answered by what it asks for, and says how it was understood", async () => {
  await add({
    id: "space",
    title: "Orbit",
    genres: ["Comedy", "Animated"],
    year: 1991,
    synopsis: "Two robots in space.",
  });
  await add({ id: "farm", title: "Barn", genres: ["Comedy"], year: 1993, synopsis: "A robot on a farm." });
  const asked = "something funny about robots from the 90s, not animated";
  const answer = await query(asked);
  assert.deepEqual(answer.contentIds, ["farm"]);
  assert.deepEqual(answer.understood.map(({ id }) => id).toSorted(), [
    "mood:funny",
    "not-genre:animation",
    "topic:robots",
    "years:1990-1999",
  ]);
  const without = await query(asked, { without: ["not-genre:animation"] });
  assert.deepEqual(without.contentIds.toSorted(), ["farm", "space"], "what is taken back counts no more");
  const genres = without.facets.find(({ name }) => name === "genres")?.counts ?? [];
  assert.deepEqual(
    genres.map(({ value, count }) => [value, count]),
    [
      ["comedy", 2],
      ["animation", 1],
    ],
  );
  assert.deepEqual(await found("robots", { filters: { genres: ["animation"] } }), ["space"]);
});

test("the copy can be made anew, and holds what is there then", async () => {
  const before = await found("lighthouse");
  await host.host.backbone.rebuild("search", ["demo"]);
  assert.deepEqual(await found("lighthouse"), before);
});

test("searches and clicks are told with their user, and hostile ones refused", async () => {
  const { searchId } = await query("lighthouse");
  await searching().click({ searchId, contentId: "ours", rank: 1 }, host.context({ viewer }));
  const [asked, clicked] = await Promise.all([
    heard<SearchQuery>("search.query"),
    heard<SearchResultClicked>("search.result.clicked"),
  ]);
  const last = asked.find(({ data }) => data.searchId === searchId)?.data;
  assert.deepEqual([last?.userId, last?.query, last?.type, last?.results], ["usr_1", "lighthouse", "text", 2]);
  assert.deepEqual(
    clicked.map(({ data }) => [data.searchId, data.contentId, data.rank]),
    [[searchId, "ours", 1]],
  );
  const refused = (words: RegExp) => (error: unknown) =>
    error instanceof Problem && error.code === "invalid_argument" && words.test(error.message);
  await assert.rejects(query("x".repeat(201)), refused(/200 characters/));
  await assert.rejects(query("x", { offset: 1_000 }), refused(/beyond 1000/));
  await assert.rejects(
    searching().click({ searchId: "../x", contentId: "ours", rank: 1 }, host.context({ viewer })),
    refused(/by their ids/),
  );
});

async function heard<T>(name: string): Promise<readonly Received<T>[]> {
  await host.settled();
  const reader = await openEvents([Search], topics, host.adapters.registry, clock);
  const topic = topics.routes[name]?.topic ?? "";
  const ends = await host.adapters.log.offsets(topic);
  const records = await host.adapters.log.read(topic, new Map([...ends.keys()].map((at) => [at, 0])), 10_000);
  const wanted = records.filter((record) => reader.nameOf(record) === name);
  return (await Promise.all(wanted.map((record) => reader.decode(record)))) as Received<T>[];
}
