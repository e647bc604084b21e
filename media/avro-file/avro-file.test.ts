import assert from "node:assert/strict";
import { test } from "node:test";
import avro from "avsc";
import fc from "fast-check";
import { FormatError } from "#media/format";
import { type AvroSchema, avroFileWriter, readAvroFile, readAvroRecords, writeAvroFile } from "./index.ts";

const schema: AvroSchema = {
  type: "record",
  name: "row",
  fields: [
    { name: "id", type: "long", "field-id": 1 },
    { name: "text", type: ["null", "string"], default: null, "field-id": 2 },
    { name: "value", type: "bytes", "field-id": 3 },
  ],
};
const sync = Buffer.alloc(16, 7);

const rows = fc.array(
  fc.record({
    id: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
    text: fc.option(fc.string({ unit: "binary" }).filter((text) => text.isWellFormed())),
    value: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 20 },
);
const codec = fc.constantFrom("null" as const, "deflate" as const);
const plain = (records: readonly unknown[]): unknown => JSON.parse(JSON.stringify(records));

test("what is written is read again, block by block, with the schema's own attributes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(rows, { maxLength: 4 }), codec, async (blocks, codec) => {
      const writer = avroFileWriter({ schema, sync, codec, metadata: { "format-version": "2" } });
      const bytes = Buffer.concat([writer.header, ...(await Promise.all(blocks.map((block) => writer.block(block))))]);
      const file = readAvroFile(bytes);
      assert.deepEqual(file.schema, schema);
      assert.equal(file.metadata.get("format-version"), "2");
      const found: unknown[] = [];
      for await (const block of file.blocks()) found.push(block);
      assert.deepEqual(plain(found), plain(blocks));
    }),
  );
});

test("avsc's own reader finds the same records", async () => {
  await fc.assert(
    fc.asyncProperty(rows, codec, async (records, codec) => {
      const bytes = await writeAvroFile({ schema, sync, codec }, records);
      const found: unknown[] = [];
      const decoder = new avro.streams.BlockDecoder();
      decoder.on("data", (record: unknown) => found.push(record));
      const ended = new Promise((resolve) => decoder.once("end", resolve));
      decoder.end(bytes);
      await ended;
      assert.deepEqual(plain(found), plain(records));
    }),
    { numRuns: 30 },
  );
});

test("records are resolved to another schema: a field that was added has its default", async () => {
  const bytes = await writeAvroFile({ schema, sync }, [{ id: 1, text: "a", value: Buffer.of(1) }]);
  const fields = [
    { name: "text", type: ["null", "string"], default: null },
    { name: "more", type: ["null", "int"], default: null },
  ];
  const [record] = await readAvroRecords(bytes, { type: "record", name: "row", fields });
  assert.deepEqual({ ...(record as object) }, { text: "a", more: null });
});

test("cut, changed and invented bytes are a FormatError or other records, and never anything else", async () => {
  const bytes = await writeAvroFile({ schema, sync, codec: "deflate" }, [
    { id: 1, text: "one", value: Buffer.of(1, 2, 3) },
    { id: 2, text: null, value: Buffer.alloc(0) },
  ]);
  for (let length = 0; length < bytes.length; length += 1) {
    // Cut right behind the header it is a whole file without records.
    const cut = readRefusing(bytes.subarray(0, length));
    assert.ok((await cut) === "refused" || length === bytes.indexOf(sync) + 16, `${length} bytes`);
  }
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }), async (at, value) => {
      const changed = Buffer.from(bytes);
      changed[at] = value;
      await readRefusing(changed);
    }),
    { numRuns: 300 },
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), async (noise) => {
      await readRefusing(noise);
    }),
  );
});

async function readRefusing(bytes: Uint8Array): Promise<"read" | "refused"> {
  try {
    await readAvroRecords(bytes);
    return "read";
  } catch (error) {
    assert.ok(error instanceof FormatError, String(error));
    return "refused";
  }
}

test("a record that does not fit is named", async () => {
  await assert.rejects(writeAvroFile({ schema, sync }, [{ id: 1, text: null, value: Buffer.of() }, { id: "x" }]), {
    message: /avro-file: record 1: /,
  });
  assert.throws(() => avroFileWriter({ schema, sync: Buffer.alloc(3) }), /sync marker has 16 bytes/);
});
