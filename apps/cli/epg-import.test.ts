import assert from "node:assert/strict";
import { test } from "node:test";
import { Epg, type ImportState } from "#contracts/epg";
import type { Cli } from "./cli.ts";
import { importGuide, nameOf } from "./epg-import.ts";

test("a source is named after its document", () => {
  for (const [document, name] of [
    ["/srv/guides/National Guide.xml.gz", "national-guide"],
    ["https://guide.example.test/a/all.xmltv?key=1", "all"],
    ["UK_Data.xml", "uk_data"],
  ] as const)
    assert.equal(nameOf(document), name);
  assert.throws(() => nameOf("-"), /add --source NAME/);
  assert.throws(() => nameOf("日本.xml"), /add --source NAME/);
});

/** A command on a product that answers with these states, one after the other. */
async function run(states: readonly Partial<ImportState>[], json: boolean) {
  const [out, notes]: [string[], string[]] = [[], []];
  const left = [...states];
  const calls = {
    putSource: async () => ({}),
    import: async () => ({ importId: "imp-1" }),
    getImport: async () => ({
      import: {
        ...{ sourceName: "all", importId: "imp-1", failure: "", failureReason: "", findings: [], bytesRead: 0n },
        ...{ bytesTotal: 0n, channels: 0, channelsMatched: 0, channelsMerged: 0, programmes: 0, programmesKept: 0 },
        ...{ createdAtMs: 0n, finishedAtMs: 0n, ...(left.length > 1 ? left.shift() : left[0]) },
      },
    }),
  };
  const terminal = { out: (line: string) => out.push(line), note: (line: string) => notes.push(line), redraw() {} };
  const cli = { terminal, client: { of: (contract: unknown) => (contract === Epg ? calls : {}) } } as unknown as Cli;
  const code = await importGuide(cli, "https://guide.example.test/all.xml", { wait: true, json });
  return { code, out, notes };
}

test("what came of it is said, and how to get the channels that are missing", async () => {
  const findings = [{ code: "no_duration", count: 3, first: "" }] as unknown as ImportState["findings"];
  const done = { state: "completed", channels: 5, channelsMatched: 2, programmes: 100, programmesKept: 90, findings };
  const { code, out, notes } = await run([{ state: "reading" }, done], false);
  assert.equal(code, 0);
  assert.deepEqual(out, ["all: 90 of 100 programmes taken in, 2 of 5 channels matched"]);
  assert.match(notes.join("\n"), /3 × no duration\n.*match all --unmatched.*--add-channels/);
});

test("a refused guide ends with 1, for people and for programs", async () => {
  const failed = { state: "failed", failure: "line 3: unclosed tag: tv", failureReason: "document_broken" };
  const { code, notes } = await run([failed], false);
  assert.equal(code, 1);
  assert.deepEqual(notes, ["all: refused: line 3: unclosed tag: tv", "  The guide is as it was."]);
  const { out } = await run([{ state: "reading", bytesRead: 50n, bytesTotal: 100n }, failed], true);
  assert.deepEqual(
    out.map((line) => (JSON.parse(line) as { status: string }).status),
    ["reading", "failed"],
  );
});
