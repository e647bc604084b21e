import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readAvroRecords, writeAvroFile } from "#media/avro-file";
import { FormatError } from "#media/format";
import {
  addColumns,
  addedEntries,
  addSnapshot,
  avroSchemaOf,
  createTable,
  currentSnapshot,
  type DataFile,
  describeManifest,
  isLive,
  liveEntries,
  lowestDay,
  type ManifestFile,
  partitionOf,
  readManifest,
  readManifestList,
  readMetadata,
  removeFrom,
  schemaOf,
  specOf,
  succeed,
  summaryOf,
  type TableMetadata,
  toMerge,
  writeManifest,
  writeManifestList,
  writeMetadata,
} from "./index.ts";

const DAY_US = 86_400_000_000;
const sync = Buffer.alloc(16, 3);
const table = createTable({
  uuid: "0f7c1f3e-6a3e-4c39-9a53-2f1f0e8e4f10",
  location: "file:///lake/events",
  schema: {
    type: "struct",
    "schema-id": 0,
    fields: [
      { id: 1, name: "kind", required: true, type: "string" },
      { id: 2, name: "time", required: true, type: "timestamptz" },
      { id: 3, name: "size", required: false, type: "int" },
      {
        id: 4,
        name: "headers",
        required: true,
        type: { type: "map", "key-id": 5, key: "string", "value-id": 6, value: "string", "value-required": true },
      },
    ],
  },
  spec: {
    "spec-id": 0,
    fields: [
      { "source-id": 2, "field-id": 1000, name: "time_day", transform: "day" },
      { "source-id": 1, "field-id": 1001, name: "kind", transform: "identity" },
    ],
  },
  nowMs: 1_700_000_000_000,
});
const shape = { schema: schemaOf(table), spec: specOf(table) };

const fileAt = (name: string, day: number, rows: number): DataFile => ({
  path: `file:///lake/events/data/${name}.avro`,
  partition: [day, day % 2 === 0 ? "even" : "odd"],
  rows,
  sizeBytes: rows * 10 + 100,
  bounds: { 2: { lower: day * DAY_US, upper: day * DAY_US + rows } },
});

/** A table in memory: what a service does with these functions, and nothing more. */
function memory() {
  const objects = new Map<string, Buffer>();
  let metadata: TableMetadata = table;
  const put = (path: string, bytes: Buffer): number => objects.set(path, bytes) && bytes.length;
  const get = (path: string): Buffer => objects.get(path) ?? assert.fail(`there is no ${path}`);
  const manifests = async (): Promise<ManifestFile[]> => {
    const snapshot = currentSnapshot(metadata);
    return snapshot ? readManifestList(get(snapshot["manifest-list"])) : [];
  };
  async function files(): Promise<DataFile[]> {
    const lists = (await manifests()).map(async (one) => liveEntries(await readManifest(get(one.path), one, shape)));
    return (await Promise.all(lists)).flat().map(({ file }) => file);
  }
  async function commit(added: readonly DataFile[], removed: ReadonlySet<string>, nowMs: number): Promise<void> {
    const id = metadata["last-sequence-number"] + 1_000;
    const sequenceNumber = metadata["last-sequence-number"] + 1;
    const gone = (await files()).filter(({ path }) => removed.has(path));
    const at = (name: string, sizeBytes: number) => ({ path: name, sizeBytes, snapshotId: id, sequenceNumber });
    const next: ManifestFile[] = [];
    for (const manifest of (await manifests()).filter(isLive)) {
      const left = removeFrom(await readManifest(get(manifest.path), manifest, shape), removed, id);
      const name = `rewritten-${id}-${next.length}`;
      if (left === undefined) next.push(manifest);
      else next.push(describeManifest(left, at(name, put(name, await writeManifest(left, shape, sync))), shape));
    }
    const merging = toMerge(next, { countMin: 3, sizeBytesMax: 100_000, entriesMax: 1_000 });
    if (merging.length > 0) {
      const read = merging.map(async (one) => liveEntries(await readManifest(get(one.path), one, shape)));
      const entries = (await Promise.all(read)).flat();
      const size = put(`merged-${id}`, await writeManifest(entries, shape, sync));
      const merged = describeManifest(entries, at(`merged-${id}`, size), shape);
      next.splice(0, next.length, ...next.filter((one) => !merging.includes(one)), merged);
    }
    const entries = addedEntries(added, id);
    const size = put(`added-${id}`, await writeManifest(entries, shape, sync));
    next.push(describeManifest(entries, at(`added-${id}`, size), shape));
    const parentId = metadata["current-snapshot-id"] === -1 ? null : metadata["current-snapshot-id"];
    put(`list-${id}`, await writeManifestList(next, { id, parentId, sequenceNumber }, sync));
    const operation = removed.size > 0 ? "overwrite" : "append";
    const snapshot = {
      "snapshot-id": id,
      ...(parentId === null ? {} : { "parent-snapshot-id": parentId }),
      "sequence-number": sequenceNumber,
      "timestamp-ms": nowMs,
      "manifest-list": `list-${id}`,
      summary: summaryOf(metadata, operation, added, gone),
      "schema-id": shape.schema["schema-id"],
    } as const;
    const history = { olderThanMs: nowMs - 10, snapshotsMax: 5, metadataFilesMax: 3 };
    const changed = addSnapshot(metadata, snapshot);
    metadata = readMetadata(writeMetadata(succeed(changed, { path: `v${id}`, timestampMs: nowMs }, history)));
  }
  return { commit, files, manifests, metadata: () => metadata };
}

const byPath = (files: readonly DataFile[]): DataFile[] =>
  files.toSorted((one, other) => (one.path < other.path ? -1 : 1));

test("whatever is added, removed, merged and forgotten, a table lists the files that it should", async () => {
  const step = fc.record({
    days: fc.array(fc.integer({ min: -3, max: 30_000 }), { maxLength: 4 }),
    rows: fc.integer({ min: 1, max: 1_000_000 }),
    remove: fc.array(fc.nat({ max: 20 }), { maxLength: 3 }),
    passMs: fc.nat({ max: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const lake = memory();
      let model: DataFile[] = [];
      let nowMs = 1_700_000_000_000;
      for (const [number, { days, rows, remove, passMs }] of steps.entries()) {
        nowMs += passMs;
        const added = days.map((day, index) => fileAt(`${number}-${index}`, day, rows));
        const removed = new Set(remove.flatMap((index) => model[index]?.path ?? []));
        await lake.commit(added, removed, nowMs);
        model = [...model.filter(({ path }) => !removed.has(path)), ...added];
        assert.deepEqual(byPath(await lake.files()), byPath(model));
        const { snapshots, "snapshot-log": log, "metadata-log": files } = lake.metadata();
        const summary = currentSnapshot(lake.metadata())?.summary as Record<string, string> | undefined;
        assert.equal(summary?.["total-data-files"], String(model.length));
        assert.equal(summary?.["total-records"], String(model.reduce((sum, file) => sum + file.rows, 0)));
        assert.ok(snapshots.length <= 5 && snapshots.every((one) => one["timestamp-ms"] >= nowMs - 10));
        assert.deepEqual(
          log.map((entry) => entry["snapshot-id"]),
          snapshots.map((snapshot) => snapshot["snapshot-id"]),
        );
        assert.ok(files.length <= 3);
        for (const { partitions } of await lake.manifests()) {
          const lowest = lowestDay(partitions[0]);
          assert.ok(lowest === undefined || Number.isInteger(lowest));
        }
      }
    }),
    { numRuns: 40 },
  );
});

test("a manifest's bounds tell its lowest day, also before 1970", async () => {
  const entries = addedEntries([fileAt("a", 5, 1), fileAt("b", -2, 1), fileAt("c", 300, 1)], 9);
  const at = { path: "m", sizeBytes: 1, snapshotId: 9, sequenceNumber: 4 };
  const manifest = describeManifest(entries, at, shape);
  assert.equal(lowestDay(manifest.partitions[0]), -2);
  assert.equal(manifest.partitions[1]?.lower_bound?.toString(), "even");
  assert.equal(manifest.partitions[1]?.upper_bound?.toString(), "odd");
  assert.deepEqual(
    [manifest.added, manifest.existing],
    [
      { files: 3, rows: 3 },
      { files: 0, rows: 0 },
    ],
  );
});

test("new entries inherit their manifest's numbers, and keep them when they are written again", async () => {
  const bytes = await writeManifest(addedEntries([fileAt("a", 1, 1)], 9), shape, sync);
  const read = await readManifest(bytes, { sequenceNumber: 4, addedSnapshotId: 9 }, shape);
  assert.deepEqual(
    read.map(({ snapshotId, sequenceNumber, fileSequenceNumber }) => [snapshotId, sequenceNumber, fileSequenceNumber]),
    [[9, 4, 4]],
  );
  const rewritten = await writeManifest(liveEntries(read), shape, sync);
  const again = await readManifest(rewritten, { sequenceNumber: 7, addedSnapshotId: 12 }, shape);
  assert.deepEqual(again, liveEntries(read));
});

test("rows of a file have the columns' ids, and a column that is added is null in older files", async () => {
  const row = { kind: "odd", time: DAY_US * 3 + 5, size: null, headers: { a: "b" } };
  assert.deepEqual(partitionOf(row, shape.spec, shape.schema), [3, "odd"]);
  assert.deepEqual(partitionOf({ ...row, time: -1 }, shape.spec, shape.schema), [-1, "odd"]);
  const bytes = await writeAvroFile({ schema: avroSchemaOf(shape.schema), sync }, [row]);
  assert.match(bytes.toString("latin1"), /"name":"time","type":\{[^}]*\},"field-id":2/);
  const wider = addColumns(table, [{ name: "more", type: "string" }], 5);
  assert.deepEqual(schemaOf(wider).fields.at(-1), { id: 7, name: "more", type: "string", required: false });
  assert.equal(wider["last-column-id"], 7);
  const [read] = await readAvroRecords(bytes, avroSchemaOf(schemaOf(wider)));
  assert.deepEqual({ ...(read as object) }, { ...row, more: null });
});

test("what no table may have is refused", () => {
  assert.throws(() => addColumns(table, [{ name: "kind", type: "int" }], 1), /two columns have one name/);
  assert.throws(() => addColumns(table, [{ name: "no name", type: "int" }], 1), /'no name' is no name of a column/);
  assert.throws(() => readMetadata(Buffer.from("{")), /is no JSON/);
  assert.throws(
    () => readMetadata(writeMetadata({ ...table, "format-version": 3 as 2 })),
    /is wrong at 'format-version'/,
  );
  assert.throws(() => partitionOf({ kind: "a" }, shape.spec, shape.schema), /'time' of a row has no value/);
});

test("changed bytes of manifests and lists are a FormatError or other values, and never anything else", async () => {
  const manifest = await writeManifest(addedEntries([fileAt("a", 1, 1), fileAt("b", 2, 2)], 9), shape, sync);
  const inherited = { sequenceNumber: 4, addedSnapshotId: 9 };
  const described = describeManifest([], { path: "m", sizeBytes: 1, snapshotId: 9, sequenceNumber: 4 }, shape);
  const list = await writeManifestList([described], { id: 9, parentId: null, sequenceNumber: 4 }, sync);
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat({ max: 255 }), fc.boolean(), async (place, value, isList) => {
      const bytes = Buffer.from(isList ? list : manifest);
      bytes[place % bytes.length] = value;
      const read = isList ? readManifestList(bytes) : readManifest(bytes, inherited, shape);
      await read.catch((error: unknown) => assert.ok(error instanceof FormatError, String(error)));
    }),
    { numRuns: 500 },
  );
});
