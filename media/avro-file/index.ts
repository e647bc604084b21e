/**
 * Avro object container files (Apache Avro 1.12 specification, "Object Container Files").
 *
 *   file   = magic metadata sync block*        magic = "Obj" 0x01
 *   metadata = map of bytes                    avro.schema (JSON), avro.codec ("null" | "deflate"), and the writer's own
 *   block  = count(long) size(long) data[size] sync
 *
 * Values are encoded by avsc. The header is written here, because avsc drops the attributes of a schema that it does not know, and Iceberg
 * keeps its field ids in them. Longs are numbers and exact within ±2^52, as far as avsc can count.
 */
import { deflateRaw, inflateRaw } from "node:zlib";
import { promisify } from "node:util";
import avro from "avsc";
import { LRUCache } from "lru-cache";
import { FormatError } from "#media/format";

const MAGIC = Buffer.from("Obj\u0001", "latin1");
const SYNC_BYTES = 16;
const HEADER_BYTES_MAX = 8 * 1024 * 1024;
/** What one block may hold when it is unpacked; ours have a hundredth of it. */
const BLOCK_BYTES_MAX = 64 * 1024 * 1024;

const FORMAT = "avro-file";
const METADATA = avro.Type.forSchema({ type: "map", values: "bytes" });
const LONG = avro.Type.forSchema("long");

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

export type AvroCodec = "null" | "deflate";
/** A schema as JSON, with whatever attributes it has. */
export type AvroSchema = string | readonly AvroSchema[] | { readonly [attribute: string]: unknown };

export interface AvroFileOptions {
  readonly schema: AvroSchema;
  /** Sixteen bytes by chance: they end each block, so that readers can begin in the middle of a file. */
  readonly sync: Uint8Array;
  readonly codec?: AvroCodec;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface AvroFileWriter {
  readonly header: Buffer;
  /** One block. Records that do not fit the schema are refused with their place in the list. */
  block(records: readonly unknown[]): Promise<Buffer>;
}

/** Compiled types by the text of their schema: to compile one takes longer than to write a small file. */
const types = new LRUCache<string, avro.Type>({ max: 64 });

function typeOf(schema: AvroSchema): avro.Type {
  const text = JSON.stringify(schema);
  const known = types.get(text);
  if (known) return known;
  let made: avro.Type;
  try {
    made = avro.Type.forSchema(schema as avro.Schema, { registry: {} });
  } catch (error) {
    throw new FormatError(
      FORMAT,
      `the schema is none of Avro: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  types.set(text, made);
  return made;
}

export function avroFileWriter({ schema, sync, codec = "null", metadata = {} }: AvroFileOptions): AvroFileWriter {
  if (sync.byteLength !== SYNC_BYTES) throw new FormatError(FORMAT, `a sync marker has 16 bytes, not ${sync.length}`);
  const type = typeOf(schema);
  const entries = Object.entries({ ...metadata, "avro.schema": JSON.stringify(schema), "avro.codec": codec });
  const header = Buffer.concat([
    MAGIC,
    METADATA.toBuffer(Object.fromEntries(entries.map(([key, text]) => [key, Buffer.from(text)]))),
    sync,
  ]);
  return {
    header,
    async block(records) {
      const plain = Buffer.concat(records.map((record, index) => encode(type, record, index)));
      const data = codec === "deflate" ? await deflate(plain) : plain;
      return Buffer.concat([LONG.toBuffer(records.length), LONG.toBuffer(data.length), data, sync]);
    },
  };
}

function encode(type: avro.Type, record: unknown, index: number): Buffer {
  try {
    return type.toBuffer(record);
  } catch (error) {
    throw new FormatError(FORMAT, `record ${index}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A whole file of records that belong in memory, in one block. */
export async function writeAvroFile(options: AvroFileOptions, records: readonly unknown[]): Promise<Buffer> {
  const writer = avroFileWriter(options);
  return Buffer.concat([writer.header, ...(records.length === 0 ? [] : [await writer.block(records)])]);
}

export interface AvroFile {
  readonly schema: AvroSchema;
  readonly metadata: ReadonlyMap<string, string>;
  /** The records of each block. With `as`, another schema than the writer's, records are resolved to it by Avro's rules. */
  blocks(as?: AvroSchema): AsyncGenerator<readonly unknown[]>;
}

/** Reads a file that is in memory. Whatever is not as the grammar says is a `FormatError`; blocks are checked as they are read. */
export function readAvroFile(bytes: Uint8Array): AvroFile {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < MAGIC.length || !file.subarray(0, MAGIC.length).equals(MAGIC))
    throw new FormatError(FORMAT, "it does not begin with 'Obj' and 1", 0);
  const header = decodeAt(METADATA, file.subarray(0, HEADER_BYTES_MAX), MAGIC.length);
  const metadata = new Map(
    Object.entries(header.value as Record<string, Buffer>).map(([key, text]) => [key, text.toString("utf8")]),
  );
  const sync = file.subarray(header.offset, header.offset + SYNC_BYTES);
  if (sync.length < SYNC_BYTES) throw new FormatError(FORMAT, "it ends within its header", file.length);
  const codec = metadata.get("avro.codec") ?? "null";
  if (codec !== "null" && codec !== "deflate")
    throw new FormatError(FORMAT, `codec '${codec.slice(0, 20)}' is not read here: null and deflate are`);
  const schema = schemaOf(metadata.get("avro.schema"));
  return {
    schema,
    metadata,
    async *blocks(as) {
      const writer = typeOf(schema);
      const reader = as === undefined ? writer : typeOf(as);
      // One text is one type; only another needs to be resolved.
      const resolver = reader === writer ? undefined : resolverOf(reader, writer);
      for (let at = header.offset + SYNC_BYTES; at < file.length; ) {
        const count = decodeAt(LONG, file, at);
        const size = decodeAt(LONG, file, count.offset);
        const end = size.offset + Number(size.value);
        if (Number(size.value) < 0 || end + SYNC_BYTES > file.length)
          throw new FormatError(FORMAT, "a block goes beyond the file's end", at);
        if (!file.subarray(end, end + SYNC_BYTES).equals(sync))
          throw new FormatError(FORMAT, "a block does not end with the file's sync marker", end);
        const plain = await unpack(codec, file.subarray(size.offset, end), at);
        yield decodeBlock(plain, Number(count.value), { reader, resolver, at });
        at = end + SYNC_BYTES;
      }
    },
  };
}

/** All records of a file that belong in memory. */
export async function readAvroRecords(bytes: Uint8Array, as?: AvroSchema): Promise<readonly unknown[]> {
  const records: unknown[] = [];
  for await (const block of readAvroFile(bytes).blocks(as)) for (const record of block) records.push(record);
  return records;
}

function schemaOf(text: string | undefined): AvroSchema {
  if (text === undefined) throw new FormatError(FORMAT, "its header has no avro.schema");
  try {
    return JSON.parse(text) as AvroSchema;
  } catch {
    throw new FormatError(FORMAT, "its avro.schema is no JSON");
  }
}

function resolverOf(reader: avro.Type, writer: avro.Type): ReturnType<avro.Type["createResolver"]> {
  try {
    return reader.createResolver(writer);
  } catch (error) {
    throw new FormatError(
      FORMAT,
      `the schemas do not resolve: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function unpack(codec: AvroCodec, data: Buffer, at: number): Promise<Buffer> {
  if (codec === "null") return data;
  return inflate(data, { maxOutputLength: BLOCK_BYTES_MAX }).catch((error: unknown) => {
    throw new FormatError(
      FORMAT,
      `a block does not unpack: ${error instanceof Error ? error.message : String(error)}`,
      at,
    );
  });
}

interface BlockReader {
  readonly reader: avro.Type;
  readonly resolver: ReturnType<avro.Type["createResolver"]> | undefined;
  /** Where the block is. */
  readonly at: number;
}

function decodeBlock(plain: Buffer, count: number, how: BlockReader): readonly unknown[] {
  const records: unknown[] = [];
  let offset = 0;
  for (let index = 0; index < count; index += 1) {
    // A record without fields has no bytes; a count of them must not fill the memory.
    if (offset >= plain.length && plain.length > 0)
      throw new FormatError(FORMAT, `a block says ${count} records and has ${index}`, how.at);
    const found = decodeAt(how.reader, plain, offset, how);
    records.push(found.value);
    offset = found.offset;
  }
  if (offset !== plain.length || count < 0 || (plain.length === 0 && count > 0))
    throw new FormatError(FORMAT, "a block has more bytes than its records", how.at);
  return records;
}

/** Decodes a value at `offset`; errors name `at`, where that is a place in the file. */
function decodeAt(
  type: avro.Type,
  bytes: Buffer,
  offset: number,
  { resolver, at }: Pick<BlockReader, "resolver" | "at"> = { resolver: undefined, at: offset },
): { readonly value: unknown; readonly offset: number } {
  let found: { value: unknown; offset: number };
  try {
    found = type.decode(bytes, offset, resolver);
  } catch (error) {
    throw new FormatError(FORMAT, error instanceof Error ? error.message : String(error), at);
  }
  if (found.offset < 0) throw new FormatError(FORMAT, "it ends within a value", at);
  return found;
}
