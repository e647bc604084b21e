import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { Problem } from "#kernel/errors";
import type { IndexSpec, SearchQuery } from "#kernel/ports/search";
import { searchContract } from "./contract.ts";
import { openOpenSearch } from "./opensearch.ts";

// The variable says that this engine is there to be tested: nobody's own engine is written to by mistake.
const url = process.env["MARQUEE_TEST_OPENSEARCH"] ? (process.env["MARQUEE_SEARCH_URL"] ?? "") : "";
const skip = url === "" && "needs an OpenSearch: run by npm run test:engines";

if (url !== "") searchContract("OpenSearch", () => openOpenSearch({ url }));

const spec = (name: string): IndexSpec => ({
  name,
  version: 1,
  texts: { title: "A" },
  keywords: ["kind"],
  numbers: ["year"],
});
const everything: SearchQuery = {
  text: "",
  languages: [],
  filters: [],
  facets: [],
  sortBy: "relevance",
  offset: 0,
  limit: 9,
};
const film = (id: string) => ({
  id,
  language: "en",
  texts: { title: id },
  keywords: { kind: ["film"] },
  numbers: { year: 1 },
});
const says = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof Problem && error.code === code && words.test(error.message) && !error.message.includes("hunter2");

/** A server that answers as we say, for what a healthy engine does not do. */
async function stranger(t: TestContext, answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("OpenSearch", { skip }, () => {
  test("processes that begin together make one index", async () => {
    const searches = await Promise.all(Array.from({ length: 4 }, () => openOpenSearch({ url })));
    const indexes = await Promise.all(searches.map((search) => search.open(spec("together"))));
    await Promise.all(indexes.map((index, n) => index.write("demo", { put: [film(`f${n}`)] })));
    for (const index of indexes) assert.equal((await index.query("demo", everything)).total, 4);
    const names = Object.keys((await (await fetch(`${url}/marquee-together-*/_alias`)).json()) as object);
    assert.equal(names.length, 1, names.join());
  });

  test("of two rebuilds the later one wins, and no generation is left over", async () => {
    const search = await openOpenSearch({ url });
    const index = await search.open(spec("twice"));
    await assert.rejects(
      index.rebuild(async (write) => {
        await write("demo", [film("first")]);
        await index.rebuild((inner) => inner("demo", [film("second")]));
      }),
      says("aborted", /another rebuild/),
    );
    assert.deepEqual((await index.query("demo", everything)).ids, ["second"]);
    const names = Object.keys((await (await fetch(`${url}/marquee-twice-*/_alias`)).json()) as object);
    assert.equal(names.length, 1, names.join());
  });

  test("what cannot be used says what to do, without the password", async (t) => {
    const login = { user: "marquee", password: "hunter2" };
    const answers: readonly [number, string, string, RegExp][] = [
      [401, "{}", "failed_precondition", /MARQUEE_SEARCH_USER/],
      [503, "{}", "unavailable", /answers 503/],
      [429, "{}", "resource_exhausted", /too much to do/],
      [200, "<html>", "failed_precondition", /MARQUEE_SEARCH_URL/],
      [200, '{"tagline":"something else"}', "failed_precondition", /version.*OpenSearch 2/],
      [302, "", "unavailable", /302/],
    ];
    for (const [status, body, code, words] of answers) {
      const address = await stranger(t, (response) => void response.writeHead(status).end(body));
      await assert.rejects(openOpenSearch({ url: address, ...login }), says(code, words), String(status));
    }
    const away = await stranger(t, (response) => void response.destroy());
    await assert.rejects(openOpenSearch({ url: away, ...login }), says("unavailable", /MARQUEE_SEARCH_URL/));
  });
});
