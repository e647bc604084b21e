import { randomUUID } from "node:crypto";
import { avroFileWriter, readAvroFile } from "#media/avro-file";
import { avroSchemaOf, type DataFile, type Partition } from "#media/iceberg";
import { boundsOf, dataKey, type EventRow, nameOf } from "./domain.ts";
import { type LakePlatform, type Loaded, newSync } from "./lake.ts";

/** A block is packed in another thread while this one goes on; between two, others get their turn. */
const BLOCK_ROWS = 1_000;

export const newDataKey = (tenant: string): string => dataKey(tenant, `${randomUUID()}.avro`);

/** Writes rows of one partition as a data file; their order stays. The key has to be noted as a draft before. Undefined, and no file, for no rows. */
export async function writeDataFile(
  { objects }: LakePlatform,
  key: string,
  { shape }: Loaded,
  partition: Partition,
  blocks: AsyncIterable<readonly EventRow[]>,
): Promise<DataFile | undefined> {
  const writer = avroFileWriter({ schema: avroSchemaOf(shape.schema), sync: newSync(), codec: "deflate" });
  const chunks = [writer.header];
  let count = 0;
  let [lower, upper] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for await (const block of blocks) {
    for (const { time } of block) [lower, upper] = [Math.min(lower, time), Math.max(upper, time)];
    count += block.length;
    chunks.push(await writer.block(block));
  }
  if (count === 0) return undefined;
  const bytes = Buffer.concat(chunks);
  await objects.put(key, bytes, { exclusive: true, contentType: "avro/binary" });
  return { path: objects.uri(key), partition, rows: count, sizeBytes: bytes.length, bounds: boundsOf(lower, upper) };
}

/** Blocks of the size that is worth packing, of whatever sizes there are. */
export async function* inBlocks(
  blocks: AsyncIterable<readonly EventRow[]> | Iterable<readonly EventRow[]>,
): AsyncGenerator<readonly EventRow[]> {
  let rest: readonly EventRow[] = [];
  for await (const block of blocks) {
    let at = 0;
    for (const all = rest.length === 0 ? block : [...rest, ...block]; ; at += BLOCK_ROWS) {
      rest = all.slice(at, at + BLOCK_ROWS);
      if (rest.length < BLOCK_ROWS) break;
      yield rest;
    }
  }
  if (rest.length > 0) yield rest;
}

/** The rows of a data file with the columns of the table as it is now, block by block. */
export async function* readDataFile(
  { objects }: LakePlatform,
  tenant: string,
  { shape }: Loaded,
  file: Pick<DataFile, "path">,
): AsyncGenerator<readonly EventRow[]> {
  const bytes = await objects.get(dataKey(tenant, nameOf(file.path)));
  // The schema that they are read with says that they are rows.
  for await (const block of readAvroFile(bytes).blocks(avroSchemaOf(shape.schema))) yield block as readonly EventRow[];
}
