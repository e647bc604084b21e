import { createHash } from "node:crypto";
import { z } from "zod";
import { problem } from "#kernel";
import { readerOf } from "./reader.ts";

/**
 * The inside of a backup: named streams one after the other, and at the end what there was.
 *
 *     archive = *entry manifest
 *     entry   = length of the name (2 bytes), name (UTF-8), *block, end
 *     block   = length (4 bytes, not 0), bytes
 *     end     = 4 bytes that are 0
 *
 * Numbers are big-endian. `manifest` is an entry of that name: JSON after the schema below, with the size and SHA-256 of every other entry.
 */
export interface Entry {
  readonly name: string;
  readonly content: AsyncIterable<Uint8Array>;
}

const MANIFEST = "manifest";
const NAME_BYTES_MAX = 2_048;
const BLOCK_BYTES_MAX = 16 * 1024 * 1024;
const MANIFEST_BYTES_MAX = 512 * 1024 * 1024;

export const Facts = z.object({
  /** The release that wrote it, as the database knows releases. */
  program: z.number().int(),
  createdAtMs: z.number(),
  /** False where sources and packages of films were left out. */
  hasMedia: z.boolean(),
  /** False where the event log is an engine that somebody else backs up. */
  hasLog: z.boolean(),
  /** The migrations that each service's tables had. */
  migrations: z.record(z.string(), z.array(z.string())),
  /** Where the database's counters stood, by `schema.sequence`. */
  sequences: z.record(z.string(), z.number()),
});
export type Facts = z.infer<typeof Facts>;

export const Manifest = Facts.extend({
  entries: z.array(z.object({ name: z.string(), bytes: z.number(), sha256: z.string() })),
});
export type Manifest = z.infer<typeof Manifest>;

/** Writes entries as bytes. `facts` is asked when the last one is written. */
export async function* pack(entries: AsyncIterable<Entry>, facts: () => Facts): AsyncGenerator<Uint8Array> {
  const written: Manifest["entries"] = [];
  for await (const { name, content } of entries) {
    const hash = createHash("sha256");
    let bytes = 0;
    yield head(name);
    for await (const block of content) {
      for (let at = 0; at < block.byteLength; at += BLOCK_BYTES_MAX) {
        const part = block.subarray(at, at + BLOCK_BYTES_MAX);
        hash.update(part);
        bytes += part.byteLength;
        yield length(part.byteLength);
        yield part;
      }
    }
    yield length(0);
    written.push({ name, bytes, sha256: hash.digest("hex") });
  }
  const manifest: Manifest = { ...facts(), entries: written };
  const text = Buffer.from(JSON.stringify(manifest));
  yield Buffer.concat([head(MANIFEST), length(text.length), text, length(0)]);
}

function head(name: string): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length > NAME_BYTES_MAX) throw problem.internal(`an entry's name has ${bytes.length} bytes`);
  const size = Buffer.alloc(2);
  size.writeUInt16BE(bytes.length);
  return Buffer.concat([size, bytes]);
}

function length(bytes: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes);
  return size;
}

/**
 * Reads an archive from its beginning to its end, hands each entry over, and resolves with the manifest when everything is as it says. What
 * `take` leaves unread is read over. `take` must not act on what it gets before an earlier pass has come to the end.
 */
export async function unpack(
  bytes: AsyncIterable<Uint8Array>,
  take: (entry: Entry) => Promise<void> = async () => undefined,
): Promise<Manifest> {
  const source = readerOf(bytes);
  const exactly = async (count: number): Promise<Buffer> => {
    const part = await source.upTo(count);
    if (part.length < count) throw damaged("it ends in the middle of an entry");
    return part;
  };
  const found: Manifest["entries"] = [];
  for (;;) {
    const name = (await exactly((await exactly(2)).readUInt16BE())).toString("utf8");
    const hash = createHash("sha256");
    let size = 0;
    let isRead = false;
    async function* content(): AsyncGenerator<Buffer> {
      while (!isRead) {
        const count = (await exactly(4)).readUInt32BE();
        isRead = count === 0;
        if (count > BLOCK_BYTES_MAX && name !== MANIFEST) throw damaged(`a block has ${count} bytes`);
        if (isRead) return;
        const block = await exactly(count);
        hash.update(block);
        size += count;
        yield block;
      }
    }
    if (name === MANIFEST) {
      const parts: Buffer[] = [];
      for await (const block of content()) {
        parts.push(block);
        if (size > MANIFEST_BYTES_MAX) throw damaged("its manifest is too long");
      }
      return compare(parse(Buffer.concat(parts).toString("utf8")), found);
    }
    await take({ name, content: content() });
    // A generator that was left early is over, so what is left is read by another one.
    for await (const _ of content());
    found.push({ name, bytes: size, sha256: hash.digest("hex") });
  }
}

function parse(text: string): Manifest | undefined {
  try {
    return Manifest.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function compare(manifest: Manifest | undefined, found: Manifest["entries"]): Manifest {
  if (!manifest) throw damaged("its manifest is none");
  const same = (at: number): boolean => {
    const [said, is] = [manifest.entries[at], found[at]];
    return said?.name === is?.name && said?.bytes === is?.bytes && said?.sha256 === is?.sha256;
  };
  const wrong = found.findIndex((_, at) => !same(at));
  if (wrong >= 0) throw damaged(`'${found[wrong]?.name ?? ""}' is not what its manifest says`);
  if (found.length !== manifest.entries.length) throw damaged("entries are missing");
  return manifest;
}

const damaged = (why: string): Error =>
  problem.invalid(`the backup is damaged: ${why}; use another copy`, { reason: "damaged_backup" });
