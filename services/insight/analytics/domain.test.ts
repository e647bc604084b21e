import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createTable, schemaOf } from "#media/iceberg";
import {
  addRows,
  firstDayKept,
  type Group,
  type LoggedEvent,
  mentionsOf,
  nameOf,
  newTable,
  toCompact,
  toRow,
  withColumns,
} from "./domain.ts";

const DAY_MS = 86_400_000;
const event: LoggedEvent = {
  ...{ id: "evt_1", name: "auth.logout", tenant: "demo", source: "/marquee/auth", timeMs: 5 * DAY_MS + 7 },
  ...{ topic: "user.events", partition: 3, offset: 9, key: "usr_01", loggedMs: 5 * DAY_MS + 9 },
  ...{ value: Buffer.from([0, 0, 0, 1, 2, 65]), data: { userId: "usr_01" }, headers: {} },
};

test("a row is the event as it was received, with its schema's id where it has one", () => {
  const row = toRow(event);
  assert.deepEqual([row.schema_id, row.time, row.data], [258, (5 * DAY_MS + 7) * 1_000, '{"userId":"usr_01"}']);
  const noise = toRow({ ...event, value: Buffer.from("noise!"), data: undefined, name: "" });
  assert.deepEqual([noise.schema_id, noise.data, noise.event_type], [null, null, "unknown"]);
});

test("rows are grouped by day and type, and stay in order", () => {
  const rows = [0, 1, 2, 3, 4].map((offset) =>
    toRow({ ...event, offset, timeMs: (offset % 2) * DAY_MS, name: offset === 4 ? "other" : "one" }),
  );
  const groups = new Map<string, Group>();
  for (const some of [rows.slice(0, 2), rows.slice(2)]) addRows(groups, some);
  assert.deepEqual(
    [...groups.values()].map(({ partition, rows: some }) => [...partition, ...some.map((row) => row.log_offset)]),
    [
      [0, "one", 0, 2],
      [1, "one", 1, 3],
      [0, "other", 4],
    ],
  );
});

test("what is 90 days old is kept, what is 91 is not", () => {
  const today = 20_000;
  const first = firstDayKept(today * DAY_MS + DAY_MS - 1);
  assert.equal(first, today - 90);
});

test("small files of one partition are compacted when there are many, within a size", () => {
  const file = (path: string, sizeBytes: number, day = 1) => ({ path, sizeBytes, partition: [day, "a"] });
  const files = [1, 2, 3, 4].map((index) => file(String(index), 100));
  assert.deepEqual(toCompact([...files, file("other", 1, 2), file("large", 99_000_000)], 3), [files]);
  assert.deepEqual(toCompact(files, 4), []);
  const heavy = Array.from({ length: 8 }, (_, index) => file(String(index), 8_000_000));
  assert.equal(toCompact(heavy, 3)[0]?.length, 4);
});

test("a person is found in the key, in any bytes of the value, in its JSON and in headers, and nobody else is", () => {
  const id = fc.string({ minLength: 8, maxLength: 20, unit: fc.constantFrom(..."abé_1🎬") });
  fc.assert(
    fc.property(
      fc.array(id, { minLength: 1, maxLength: 20 }),
      id,
      fc.constantFrom("key", "value", "data", "headers"),
      fc.string(),
      (ids, other, where, around) => {
        const mentions = mentionsOf(ids);
        const none = { key: "", value: Buffer.of(), data: null, headers: {} };
        const holding = (text: string) => ({
          ...none,
          ...(where === "value" ? { value: Buffer.from(text) } : {}),
          ...(where === "headers" ? { headers: { any: text } } : {}),
          ...(where === "key" || where === "data" ? { [where]: text } : {}),
        });
        assert.ok(mentions(holding(`${around}${ids.at(-1)}${around}`)));
        const text = `${around}${other}`;
        // The plain way to say the same.
        const bytes = Buffer.from(text);
        assert.equal(
          mentions(holding(text)),
          ids.some((one) => bytes.includes(one)),
        );
      },
    ),
  );
  assert.equal(mentionsOf([])({ key: "usr_01", value: Buffer.of(), data: null, headers: {} }), false);
  assert.throws(() => mentionsOf(["short"]), /'short' is too short for the id of a person/);
});

test("a table of an earlier release gets the columns that came later, once", () => {
  const table = createTable({ ...newTable, uuid: crypto.randomUUID(), location: "file:///x", nowMs: 1 });
  const wider = withColumns(table, 2, [{ name: "region", type: "string" }]);
  assert.equal(schemaOf(wider).fields.at(-1)?.id, 17);
  assert.deepEqual(withColumns(wider, 3, [{ name: "region", type: "string" }]), wider);
  assert.deepEqual(withColumns(table, 3), table);
});

test("a path is known by its last part, wherever the bucket is", () => {
  assert.equal(nameOf("s3://bucket/lake/demo/bronze/events/data/1.avro"), "1.avro");
});
