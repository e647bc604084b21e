import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readAvroRecords } from "#media/avro-file";
import type { Cli } from "./cli.ts";
import { makeTrainingSet, readSheet } from "./training-set.ts";

const TEXT = '\uFEFFkey,note,timestamp\r\na,"said ""so"", twice",2026-05-20T12:00:00Z\r\nb,,1779278400001\r\n';

test("a sheet keeps its cells, and knows whom and when", () => {
  const { head, rows } = readSheet(TEXT);
  assert.deepEqual(head, ["key", "note", "timestamp"]);
  assert.deepEqual(
    rows.map(({ key, timeMs, cells }) => [key, timeMs, cells[1]]),
    [
      ["a", 1_779_278_400_000, 'said "so", twice'],
      ["b", 1_779_278_400_001, ""],
    ],
  );
});

test("what is wrong in a sheet is said with its line", () => {
  assert.throws(() => readSheet("a,b\n1,2\n"), /first line has to name the columns/);
  assert.throws(() => readSheet("key,timestamp\na,2026\nb\n"), /line 3 has 1 cells and not 2/);
  assert.throws(() => readSheet("key,timestamp\na,never\n"), /line 2: 'never' is no time/);
  assert.throws(() => readSheet('key,timestamp\n"a,1\n'), /ends within quotation marks/);
});

test("a training set has the rows as they were, and what was known beside them", async () => {
  const folder = await mkdtemp(join(tmpdir(), "training-set-"));
  try {
    await writeFile(join(folder, "rows.csv"), TEXT);
    const asked: unknown[] = [];
    const getHistoricalFeatures = async (request: { rows: readonly unknown[] }) => {
      asked.push(request.rows);
      const flat = {
        numbers: [1, Number.NaN, 0.5, 2],
        words: ["x,y", ""],
        vectors: [],
        groups: ["g"],
        eventTimesMs: [1, 0],
      };
      return { ...flat, numberFeatures: ["g:a", "g:b"], wordFeatures: ["g:c"] };
    };
    const cli = {
      ...{ path: (name: string) => join(folder, name), terminal: { out: () => undefined } },
      client: { of: () => ({ getHistoricalFeatures }) },
    } as unknown as Cli;
    const make = (out: string, format: string) => makeTrainingSet(cli, "rows.csv", { features: "g", out, format });
    await make("set.csv", "csv");
    assert.equal(
      await readFile(join(folder, "set.csv"), "utf8"),
      'key,note,timestamp,g:a,g:b,g:c\na,"said ""so"", twice",2026-05-20T12:00:00Z,1,,"x,y"\nb,,1779278400001,0.5,2,\n',
    );
    assert.deepEqual(asked, [
      [
        { key: "a", timeMs: 1_779_278_400_000n },
        { key: "b", timeMs: 1_779_278_400_001n },
      ],
    ]);
    await make("set.avro", "avro");
    const records = await readAvroRecords(await readFile(join(folder, "set.avro")));
    const plain = records.map((record) => ({ ...(record as object) }));
    const [first, second] = ["2026-05-20T12:00:00Z", "1779278400001"];
    assert.deepEqual(plain, [
      { key: "a", note: 'said "so", twice', timestamp: first, g_a: 1, g_b: null, g_c: "x,y" },
      { key: "b", note: null, timestamp: second, g_a: 0.5, g_b: 2, g_c: null },
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
