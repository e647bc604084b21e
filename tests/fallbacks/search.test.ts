// Conversational search: a language model takes questions apart, and without it rules do, marked. The model is a server on loopback.
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { openOpenAiLlm } from "#adapters/llm/openai-compatible";
import { Catalog } from "#contracts/catalog";
import { Search } from "#contracts/search";
import { type Clock, systemClock } from "#kernel/clock";
import catalog from "../../services/content/catalog/service.ts";
import ingest from "../../services/content/ingest/service.ts";
import search from "../../services/discovery/search/service.ts";
import tenant from "../../services/identity/tenant/service.ts";
import { startTestHost, type TestHost } from "../host.ts";
import { openStudio } from "../playback/setup.ts";
import { BUDGET_MS, printWaits, underLoad } from "./load.ts";

const answers = (response: ServerResponse): void => {
  const content = JSON.stringify({ constraints: [{ kind: "genre", value: "comedy" }] });
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ choices: [{ message: { content } }], usage: { total_tokens: 10 } }));
};
/** What the search waits for: only its wait for the model is as long as this. */
const waitsMs: number[] = [];
const clock: Clock = {
  ...systemClock,
  sleep(ms, signal) {
    waitsMs.push(ms);
    return systemClock.sleep(ms, signal);
  },
};
let model = answers;
let hung = 0;
let asked = 0;
const engine = createServer((request, response) => {
  request.resume();
  request.on("end", () => model(response));
});
let host: TestHost;
before(async () => {
  await new Promise<void>((resolve) => engine.listen(0, "127.0.0.1", resolve));
  const llm = openOpenAiLlm({ url: `http://127.0.0.1:${(engine.address() as AddressInfo).port}/v1`, model: "tiny" });
  const studio = openStudio();
  host = await startTestHost({ services: [tenant, catalog, studio.service, ingest, search], clock, llm });
  for (const [id, genre] of [
    ["funny", "Comedy"],
    ["sad", "Drama"],
  ] as const) {
    const title = { id, title: id, kind: "film", genres: [genre], tierMin: "basic", publication: "published" };
    await host.client(Catalog, "test").add({ title }, host.context());
  }
  await host.settled();
});
after(async () => {
  await host?.stop();
  engine.closeAllConnections();
  engine.close();
});

/** Another question by another viewer every time, so that neither an answer that is remembered nor a limit of costs answers. */
const ask = () => {
  asked += 1;
  const viewer = { userId: `usr_${asked}`, profileId: `prf_${asked}` };
  const question = { query: `something funny about robot ${asked}`, ageRatingMax: 18, thorough: true };
  return host.client(Search, "web").query(question, host.context({ viewer }));
};

for (const [how, away] of [
  ["hangs", () => void (hung += 1)],
  ["refuses", (response: ServerResponse) => void response.writeHead(503).end()],
] as const)
  test(`search: where the language model ${how}, rules take questions apart and say so, and the model again without a restart`, async (t) => {
    model = answers;
    await underLoad(ask, async (load) => {
      await load.until("the model takes questions apart", ({ understoodBy }) => understoodBy === "model");
      waitsMs.length = 0;
      model = away;
      const found = await load.next(80);
      printWaits(t, `search, language model ${how}`, found);
      for (const { answer } of found) {
        assert.deepEqual([answer.partial, answer.understoodBy], [true, "parser"]);
        assert.ok(
          answer.understood.some(({ id }) => id === "mood:funny"),
          "rules know what funny is, too",
        );
      }
      // Everything that sleeps does so by this clock; what slept most often since the model is away is who waits for it.
      const often = [...Map.groupBy(waitsMs, (ms) => ms)].toSorted((a, b) => b[1].length - a[1].length)[0];
      assert.ok(often && often[1].length >= 60 && often[0] < BUDGET_MS, `what the model was given: ${often?.[0]} ms`);
      if (how === "hangs") assert.ok(hung > 0, "the model was asked, and nobody waited for it");
      model = answers;
      const whole = await load.until("the model takes questions apart again", ({ partial }) => !partial);
      assert.equal(whole.understoodBy, "model");
    });
  });
