import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { Problem } from "#kernel/errors";
import type { IndexSpec, Search, SearchDocument, SearchIndex, SearchQuery } from "#kernel/ports/search";

let made = 0;
/** An index of a test's own: names are letters. */
function specOf(version = 1, name = `contract${word(process.pid)}${word((made += 1))}`): IndexSpec {
  return {
    ...{ name, version, texts: { title: "A", people: "B", synopsis: "D" } },
    ...{ keywords: ["genres", "kind"], numbers: ["year", "age"] },
  };
}
const word = (number: number): string => [...String(number)].map((digit) => "abcdefghij"[Number(digit)]).join("");

interface Film {
  readonly id: string;
  readonly title: string;
  readonly people?: string;
  readonly synopsis?: string;
  readonly language?: string;
  readonly genres?: readonly string[];
  readonly year?: number;
}
const film = ({
  id,
  title,
  people = "",
  synopsis = "",
  language = "en",
  genres = ["Drama"],
  year = 2000,
}: Film): SearchDocument => ({
  ...{
    id,
    language,
    texts: { title, people, synopsis },
    keywords: { genres, kind: ["film"] },
    numbers: { year, age: 0 },
  },
});
const everything: SearchQuery = {
  text: "",
  languages: [],
  filters: [],
  facets: [],
  sortBy: "relevance",
  offset: 0,
  limit: 50,
};
const isInvalid = (error: unknown): boolean => error instanceof Problem && error.code === "invalid_argument";

/** What every search engine does. */
export function searchContract(name: string, open: () => Promise<Search>): void {
  describe(`search contract: ${name}`, () => {
    let search: Search;
    let index: SearchIndex;
    let spec: IndexSpec;
    before(async () => {
      search = await open();
    });
    after(() => search?.close());
    beforeEach(async () => {
      spec = specOf();
      index = await search.open(spec);
    });
    const put = (...films: readonly Film[]): Promise<void> => index.write("demo", { put: films.map(film) });
    const find = async (text: string, more: Partial<SearchQuery> = {}): Promise<readonly string[]> =>
      (await index.query("demo", { ...everything, text, ...more })).ids;

    test("what was written is found, changed, and gone", async () => {
      assert.deepEqual(await index.query("demo", everything), { total: 0, ids: [], facets: {} });
      await put({ id: "a", title: "The Harbour" }, { id: "b", title: "The Mountain" });
      assert.deepEqual(await find("harbour"), ["a"]);
      await put({ id: "a", title: "The Lighthouse" });
      assert.deepEqual([await find("harbour"), await find("lighthouse")], [[], ["a"]]);
      await index.write("demo", { delete: ["a", "never-there"], put: [film({ id: "c", title: "The River" })] });
      assert.deepEqual((await find("")).toSorted(), ["b", "c"]);
    });

    test("tenants do not see each other's documents", async () => {
      await put({ id: "a", title: "Ours" });
      await index.write("other", { put: [film({ id: "a", title: "Theirs" })] });
      assert.deepEqual([await find("ours"), await find("theirs")], [["a"], []]);
      await index.write("other", { delete: ["a"] });
      assert.deepEqual(await find("ours"), ["a"]);
      assert.equal((await index.query("other", everything)).total, 0);
    });

    test("words are found whatever their accents and case, by their beginning, all of them", async () => {
      await put(
        { id: "amelie", title: "Le Fabuleux Destin d’Amélie Poulain", people: "Zoë Åkerström", language: "fr" },
        { id: "plain", title: "Cafe Fiction", people: "Bob Roe" },
      );
      for (const text of ["amelie", "AMÉLIE", "amé", "fabuleux poulain", "poulain fab", "zoe akerstrom", "Åker"])
        assert.deepEqual(await find(text), ["amelie"], text);
      assert.deepEqual(await find("café"), ["plain"]);
      for (const text of ["amelie bob", "elie", "& | ! :*", "'; DROP TABLE documents; --", '{"match_all": {}}', "*"])
        assert.deepEqual(await find(text), [], text);
    });

    test("other scripts are found as well", async () => {
      await put(
        { id: "ru", title: "Ирония судьбы", language: "ru" },
        { id: "el", title: "Ζορμπάς", language: "el" },
        { id: "ja", title: "千と千尋の神隠し", language: "ja" },
        { id: "ar", title: "وجدة", language: "ar" },
      );
      for (const [text, id] of [
        ["ирония", "ru"],
        ["СУДЬ", "ru"],
        ["ζορμπας", "el"],
        ["千尋", "ja"],
        ["神隠し", "ja"],
        ["وجدة", "ar"],
      ] as const)
        assert.deepEqual(await find(text), [id], text);
    });

    test("other forms of a word are found in the languages of the one who asks", async () => {
      await put(
        { id: "en", title: "Wolves", synopsis: "They were running through the mountains", language: "en" },
        { id: "de", title: "Häuser", synopsis: "Die alten Häuser am Meer", language: "de" },
        { id: "fr", title: "La Nuit", synopsis: "Un cheval dans la nuit", language: "fr" },
        { id: "ru", title: "Книги", synopsis: "Новые книги", language: "ru" },
      );
      assert.deepEqual(await find("runs", { languages: ["en"] }), ["en"]);
      assert.deepEqual(await find("hauses", { languages: ["de-AT"] }), ["de"]);
      assert.deepEqual(await find("chevaux", { languages: ["fr", "en"] }), ["fr"]);
      assert.deepEqual(await find("книгами", { languages: ["ru"] }), ["ru"]);
      assert.deepEqual(await find("chevaux", { languages: ["en"] }), []);
      assert.deepEqual(await find("chevaux", { languages: ["xx", ""] }), []);
    });

    test("a slip of the pen is forgiven, more of them in longer words, none in short ones", async () => {
      await put({ id: "a", title: "The Lighthouse Keeper" }, { id: "b", title: "Cat" });
      for (const text of [
        "lihgthouse",
        "lighthose",
        "lightthouse",
        "lighthouze",
        "keepr",
        "kepeer",
        "lighthouse keepe",
      ])
        assert.deepEqual(await find(text), ["a"], text);
      for (const text of ["cut", "kiiper", "lxxxthouse", "mighthouse"]) assert.deepEqual(await find(text), [], text);
    });

    test("the title counts more than the rest, and what was written more than what may have been meant", async () => {
      await put(
        { id: "c", title: "The Sea", synopsis: "A harbour at night" },
        { id: "b", title: "The Coast", people: "Harbour Lee" },
        { id: "a", title: "Harbour" },
        { id: "d", title: "Harvour" },
      );
      const found = await find("harbour");
      assert.deepEqual([found[0], found.length], ["a", 4]);
      assert.ok(found.indexOf("b") < found.indexOf("c"), found.join());
    });

    test("filters hold together, facets count what was found, and pages follow each other", async () => {
      await put(
        ...Array.from({ length: 12 }, (_, n) => ({
          id: `f${String(n).padStart(2, "0")}`,
          title: `Film ${n}`,
          genres: n % 3 === 0 ? ["Drama", "War"] : n % 3 === 1 ? ["Comedy"] : ["Drama"],
          year: 1990 + n,
        })),
      );
      const filters = [
        { field: "genres", anyOf: ["Drama", "Western"] },
        { field: "year", min: 1992, max: 1999 },
      ] as const;
      const { total, ids, facets } = await index.query("demo", {
        ...{ ...everything, text: "film", filters, facets: ["genres", "kind"], sortBy: { field: "year" }, limit: 3 },
      });
      assert.deepEqual([total, ids], [6, ["f09", "f08", "f06"]]);
      assert.deepEqual(facets, {
        genres: [
          { value: "Drama", count: 6 },
          { value: "War", count: 3 },
        ],
        kind: [{ value: "film", count: 6 }],
      });
      assert.deepEqual(await find("film", { filters, sortBy: { field: "year" }, offset: 3, limit: 3 }), [
        "f05",
        "f03",
        "f02",
      ]);
      assert.deepEqual(await find("", { filters: [{ field: "genres", anyOf: [] }] }), []);
      assert.deepEqual(await find("", { limit: 0 }), []);
    });

    test("a rebuild takes the place of what was there at once, and loses nothing that is written meanwhile", async () => {
      assert.equal(await index.isBuilt(), false);
      await put({ id: "old", title: "Old" }, { id: "kept", title: "Kept" });
      await index.rebuild(async (write) => {
        await write("demo", [film({ id: "new", title: "New" }), film({ id: "kept", title: "Stale copy" })]);
        assert.deepEqual((await find("")).toSorted(), ["kept", "old"]);
        await put({ id: "kept", title: "Changed" }, { id: "meanwhile", title: "Meanwhile" });
        await write("demo", [film({ id: "kept", title: "Stale copy" }), film({ id: "last", title: "Last" })]);
        assert.deepEqual(await find("changed"), ["kept"]);
      });
      assert.deepEqual((await find("")).toSorted(), ["kept", "last", "meanwhile", "new"]);
      assert.deepEqual([await find("changed"), await find("stale")], [["kept"], []]);
      assert.equal(await index.isBuilt(), true);
      const again = await search.open({ ...spec, version: 2 });
      assert.equal(await again.isBuilt(), false, "a new shape wants a new filling");
      assert.equal((await again.query("demo", everything)).total, 4, "and the old one answers until then");
    });

    test("a rebuild that fails changes nothing", async () => {
      await put({ id: "a", title: "There" });
      await assert.rejects(
        index.rebuild(async (write) => {
          await write("demo", [film({ id: "b", title: "Half" })]);
          throw new Error("the source broke");
        }),
        /the source broke/,
      );
      assert.deepEqual(await find(""), ["a"]);
      await put({ id: "c", title: "Afterwards" });
      await index.rebuild((write) => write("demo", [film({ id: "d", title: "Whole" })]));
      assert.deepEqual(await find(""), ["d"]);
    });

    test("what an index does not have is refused by its name", async () => {
      const wrong: readonly Partial<SearchQuery>[] = [
        { filters: [{ field: "year", anyOf: ["2000"] }] },
        { filters: [{ field: "genres", min: 1 }] },
        { facets: ["title"] },
        { sortBy: { field: "genres" } },
        { limit: 201 },
        { limit: -1 },
        { offset: 10_000, limit: 1 },
        { text: "x".repeat(301) },
      ];
      for (const more of wrong) await assert.rejects(find("", more), isInvalid, JSON.stringify(more).slice(0, 100));
      await assert.rejects(index.write("demo", { delete: Array.from({ length: 1_001 }, String) }), isInvalid);
      await assert.rejects(search.open({ ...spec, name: "No Name" }), isInvalid);
      await assert.rejects(search.open({ ...spec, keywords: ["title"] }), isInvalid);
    });

    test("odd documents are no fault", async () => {
      await put(
        { id: "empty", title: "", genres: [] },
        { id: "signs", title: "'\\\":*&|! \u0000 \ud800 <b>" },
        { id: "Ünïcode/id:1", title: "Ids" },
        { id: "long", title: "word ".repeat(20_000), synopsis: "x".repeat(40_000) },
      );
      assert.equal((await index.query("demo", everything)).total, 4);
      assert.deepEqual(await find("ids"), ["Ünïcode/id:1"]);
      assert.deepEqual(await find("word"), ["long"]);
    });

    test("it says how it is", async () => {
      const { ok, detail } = await search.state();
      assert.equal(ok, true, detail);
      assert.match(detail, /search/i);
    });
  });
}
