// Search beside the catalogue that it copies: what comes, changes and goes is found so, by those who may see it.
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { openOpenAiLlm } from "#adapters/llm/openai-compatible";
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

/** A language model whose word, and when it comes, is the test's. */
let model: (response: ServerResponse) => void = (response) => void response.writeHead(503).end();
let questions = 0;
const engine = createServer((_, response) => {
  questions += 1;
  model(response);
});
before(async () => {
  await new Promise<void>((resolve) => engine.listen(0, "127.0.0.1", resolve));
  const llm = openOpenAiLlm({
    url: `http://127.0.0.1:${(engine.address() as AddressInfo).port}/v1`,
    model: "tiny",
  });
  host = await startTestHost({ services: [tenant, catalog, encoder.service, ingest, search], clock, llm });
});
after(async () => {
  await host?.stop();
  engine.closeAllConnections();
  engine.close();
});

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

test("a language model takes a finished question apart; until it has, and where it cannot, rules do, marked as partial", async () => {
  const asked = "something funny about robots that is rather well drawn";
  const saying = (content: string) => (response: ServerResponse) =>
    void response.end(JSON.stringify({ choices: [{ message: { content } }], usage: { total_tokens: 10 } }));
  const drawn = JSON.stringify({
    constraints: [
      { kind: "genre", value: "Animated" },
      { kind: "mood", value: "no such" },
    ],
  });
  const answerOf = async () => {
    const { contentIds, understood, understoodBy, partial } = await query(asked, { thorough: true });
    return { contentIds, understood: understood.map(({ id }) => id), understoodBy, partial };
  };
  const byRules = await query(asked);
  assert.deepEqual(
    [byRules.understoodBy, byRules.partial, questions],
    ["parser", false, 0],
    "nobody asks while typing",
  );

  let late: (() => void) | undefined;
  model = (response) => (late = () => saying(drawn)(response));
  const first = await answerOf();
  assert.deepEqual([first.understoodBy, first.partial], ["parser", true]);
  assert.deepEqual(first.contentIds, byRules.contentIds);
  late?.();
  const next = await until(answerOf, ({ understoodBy }) => understoodBy === "model");
  assert.deepEqual(next, {
    contentIds: ["space"],
    understood: ["genre:animation"],
    understoodBy: "model",
    partial: false,
  });
  assert.equal(questions, 1, "what was said once is remembered");

  for (const broken of [saying("Sure!"), (response: ServerResponse) => void response.writeHead(500).end()]) {
    model = broken;
    const { understoodBy, partial } = await query(`${asked} ${questions}`, { thorough: true });
    assert.deepEqual([understoodBy, partial], ["parser", true]);
  }
  model = saying(drawn);
  const ask = (n: number) =>
    searching().query(
      { query: `something funny about robot ${n}`, ageRatingMax: 18, thorough: true },
      host.context({ viewer }),
    );
  await Promise.all(Array.from({ length: 70 }, (_, n) => ask(n)));
  assert.ok(questions <= 60, `${questions} questions of one viewer in an hour`);
});

async function until<T>(ask: () => Promise<T>, isSo: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const value = await ask();
    if (isSo(value) || tries === 50) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

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
