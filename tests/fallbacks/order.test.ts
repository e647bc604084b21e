// The order of what a search found: the model's, and without it the one by words and meaning, marked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { Catalog } from "#contracts/catalog";
import { Features } from "#contracts/features";
import { Search } from "#contracts/search";
import { testClock } from "#kernel/clock";
import { seededRandom, shuffle } from "#learning/random";
import catalog from "../../services/content/catalog/service.ts";
import features from "../../services/discovery/features/service.ts";
import models from "../../services/discovery/models/service.ts";
import search from "../../services/discovery/search/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import analytics from "../../services/insight/analytics/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { until } from "../identity/setup.ts";
import { openStudio } from "../playback/setup.ts";
import { BUDGET_MS, printWaits, underLoad } from "./load.ts";
import { modelsBehind, openPrimary } from "./primary.ts";
import { trainAndServe } from "./served.ts";

const HOUR_MS = 3_600_000;
const LISTS = 240;
const TITLES = ["Grey Harbour", "The Old Harbour", "A Harbour of Many Lights", "Far From Any Harbour at All"];
const clock = testClock(Date.UTC(2026, 4, 20, 12));
const primary = openPrimary();
const studio = openStudio();
let host: TestHost;
let byWords: readonly string[] = [];

/** Lists of which people chose what is newest, wherever it stood: words have that last. */
async function seedLists(adminUrl: string): Promise<void> {
  const random = seededRandom(17);
  const lists = Array.from({ length: LISTS }, (_, at) => {
    const places = shuffle([...byWords.keys()], random);
    const ids = places.map((place) => byWords[place]);
    return {
      id: `l${at}`,
      ids,
      ranks: places,
      scores: places.map((place) => 20 - place - random()),
      newest: byWords.at(-1),
    };
  });
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    for (const { id, ids, ranks, scores, newest } of lists)
      await client.query(
        `INSERT INTO models.lists (tenant, model, list_id, user_id, profile_id, at_ms, segment, content_ids, ranks, scores, nearness, chosen)
         VALUES ('demo', 'search-order', $1, $1, $1, $2, 'type=text', $3, $4, $5, $6, $7)`,
        [id, clock.nowMs() - 2 * HOUR_MS, ids, ranks, scores, scores.map(() => Number.NaN), [newest]],
      );
  } finally {
    await client.end();
  }
}

before(async () => {
  host = await startTestHost({
    services: [tenant, catalog, analytics, studio.service, features, models, search],
    ...{ clock, models: modelsBehind(primary), env: { MARQUEE_ORDER_DEADLINE_MS: "150" } },
  });
  for (const [at, title] of TITLES.entries()) {
    const facts = { id: `vod_${at}`, title, kind: "film", tierMin: "basic", publication: "published" };
    await host.client(Catalog, "test").add({ title: facts }, host.context());
    await studio.complete(`vod_${at}`, 600);
  }
  await host.settled();
  byWords = (await ask(0)).contentIds;
  for (const [place, id] of byWords.entries())
    await host.client(Catalog, "test").update({ id, year: 1960 + 20 * place }, host.context());
  await host.settled();
  await clock.advance(4 * HOUR_MS);
  // Until the lake knows it, too.
  await until(async () => {
    const rows = byWords.map((key) => ({ key, timeMs: BigInt(clock.nowMs()) }));
    const asked = { features: ["content_metadata:year"], rows };
    const { numbers } = await host.client(Features, "test").getHistoricalFeatures(asked, host.context());
    return numbers.every((year, place) => year === 1960 + 20 * place);
  });
  await seedLists(host.adapters.postgres.adminUrl);
  await trainAndServe(host, "search-order");
  await clock.advance(20_000);
});
after(() => host?.stop());

const viewerOf = (turn: number) => host.context({ viewer: { userId: "u", profileId: `p${turn}` } });
const ask = (turn: number) => host.client(Search, "web").query({ query: "harbour", ageRatingMax: 18 }, viewerOf(turn));

for (const how of ["hangs", "refuses"] as const)
  test(`search: where the model of orders ${how}, the order by words and meaning comes and says so, and the model's again without a restart`, async (t) => {
    assert.equal(byWords.length, TITLES.length);
    await underLoad(ask, async (load) => {
      const ordered = await load.until(
        "the model orders",
        ({ partial, contentIds }) => !partial && contentIds.join() !== byWords.join(),
      );
      assert.deepEqual(ordered.contentIds.toSorted(), byWords.toSorted());
      primary.take(how);
      const answers = await load.next(80);
      printWaits(t, `search, model of orders ${how}`, answers);
      for (const { answer } of answers)
        assert.deepEqual([answer.partial, answer.orderedBy, answer.contentIds], [true, "fallback", byWords]);
      assert.ok(
        primary.givenMs.length > 0 && primary.givenMs.every((ms) => ms < BUDGET_MS),
        "what the model was given",
      );
      if (how === "hangs") assert.ok(primary.hanging() > 0, "nobody waited for the model to come back");
      const why = await host
        .client(Search, "web")
        .explain({ query: { query: "harbour", ageRatingMax: 18 }, contentId: byWords[0] ?? "" }, viewerOf(0));
      assert.deepEqual([why.by, why.influences, why.partial], ["fallback", [], true], "no reason is made up");
      primary.giveBack();
      const whole = await load.until("the model orders again", ({ partial }) => !partial);
      assert.deepEqual(whole.contentIds, ordered.contentIds);
    });
  });

test("search: features whose copies are gone are read from rows, and the order is the model's", async () => {
  await host.adapters.cache.delete(byWords.map((id) => `features/online:demo:content_metadata:${id}`));
  const answers = [];
  for (let turn = 0; turn < 20 && answers.length === 0; turn += 1) {
    const answer = await ask(1_000 + turn);
    if (!answer.partial) answers.push(answer);
    else await pause(50);
  }
  assert.ok(answers[0], "an answer that is whole");
  assert.notDeepEqual(answers[0].contentIds, byWords);
});
