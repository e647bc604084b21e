import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** An object as edges keep it. Its type follows from its name. */
export interface StoredObject {
  readonly body: Buffer;
  readonly etag: string;
}

export interface DiskCache {
  get(contentId: string, key: string): Promise<StoredObject | undefined>;
  /** Keeps an object if there is room for it. Never throws: a full or broken disk makes a slower edge, not a failing one. */
  put(contentId: string, key: string, object: StoredObject): Promise<void>;
  purge(contentId: string): Promise<void>;
  clear(): Promise<void>;
  readonly usage: { bytes: number; objects: number; errors: number };
}

const OBJECTS_MAX = 200_000;
const DRAFTS = ".drafts";
const MAGIC = "edge1";
const HEADER_BYTES_MAX = 1_024;

/**
 * Objects as files, least recently used first to go:
 *
 *   {folder}/{contentId}/{path below it with "~" for "/"}      edge1 <crc32> <size> <etag>\n<bytes>
 *
 * A file gets its name when it is whole, and its checksum is compared on every read: what a power cut left is no object.
 */
export async function openDiskCache(options: {
  readonly folder: string;
  readonly bytesMax: number;
}): Promise<DiskCache> {
  const { folder, bytesMax } = options;
  /** In the order of use, oldest first. The value is the file's size. */
  const index = new Map<string, number>();
  const usage = { bytes: 0, objects: 0, errors: 0 };
  const fileOf = (contentId: string, key: string): string => join(contentId, fileNameOf(contentId, key));

  await mkdir(folder, { recursive: true });
  await rm(join(folder, DRAFTS), { recursive: true, force: true });
  await mkdir(join(folder, DRAFTS));
  const found: { readonly file: string; readonly sizeBytes: number; readonly usedMs: number }[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === DRAFTS) continue;
    for (const name of await readdir(join(folder, entry.name))) {
      const file = join(entry.name, name);
      const info = await stat(join(folder, file)).catch(() => undefined);
      if (info?.isFile() === true) found.push({ file, sizeBytes: info.size, usedMs: info.mtimeMs });
    }
  }
  for (const { file, sizeBytes } of found.sort((a, b) => a.usedMs - b.usedMs)) note(file, sizeBytes);
  await shrink();

  function note(file: string, sizeBytes: number): void {
    forget(file);
    index.set(file, sizeBytes);
    usage.bytes += sizeBytes;
    usage.objects = index.size;
  }

  function forget(file: string): void {
    const sizeBytes = index.get(file);
    if (sizeBytes === undefined) return;
    index.delete(file);
    usage.bytes -= sizeBytes;
    usage.objects = index.size;
  }

  async function drop(file: string): Promise<void> {
    forget(file);
    await rm(join(folder, file), { force: true }).catch(() => (usage.errors += 1));
  }

  async function shrink(): Promise<void> {
    while (usage.bytes > bytesMax || index.size > OBJECTS_MAX) {
      const oldest = index.keys().next();
      if (oldest.done === true) return;
      await drop(oldest.value);
    }
  }

  return {
    usage,
    async get(contentId, key) {
      const file = fileOf(contentId, key);
      const sizeBytes = index.get(file);
      if (sizeBytes === undefined) return undefined;
      const object = decode(await readFile(join(folder, file)).catch(() => Buffer.alloc(0)));
      // It may have been purged while it was read.
      if (!index.has(file)) return undefined;
      if (object === undefined) {
        usage.errors += 1;
        await drop(file);
        return undefined;
      }
      index.delete(file);
      index.set(file, sizeBytes);
      return object;
    },
    async put(contentId, key, object) {
      const header = encodeHeader(object);
      const sizeBytes = header.length + object.body.length;
      if (sizeBytes > bytesMax / 4) return;
      const file = fileOf(contentId, key);
      const draft = join(folder, DRAFTS, randomUUID());
      try {
        await writeFile(draft, [header, object.body]);
        await mkdir(join(folder, contentId), { recursive: true });
        await rename(draft, join(folder, file));
        note(file, sizeBytes);
        await shrink();
      } catch {
        usage.errors += 1;
        await rm(draft, { force: true }).catch(() => {});
      }
    },
    purge,
    async clear() {
      const contents = new Set([...index.keys()].map((file) => file.slice(0, file.indexOf("/"))));
      for (const contentId of contents) await purge(contentId);
    },
  };

  async function purge(contentId: string): Promise<void> {
    for (const file of [...index.keys()]) if (file.startsWith(`${contentId}/`)) forget(file);
    await rm(join(folder, contentId), { recursive: true, force: true }).catch(() => (usage.errors += 1));
  }
}

/** `/vod/abc/r1/720p/init.mp4` is `r1~720p~init.mp4` in the folder `abc`. Names of packages hold no tilde. */
const fileNameOf = (contentId: string, key: string): string =>
  key.slice(`/vod/${contentId}/`.length).replaceAll("/", "~").replace("?", "~~");

const encodeHeader = ({ body, etag }: StoredObject): Buffer =>
  Buffer.from(`${MAGIC} ${crc32(body)} ${body.length} ${etag}\n`);

function decode(file: Buffer): StoredObject | undefined {
  const end = file.subarray(0, HEADER_BYTES_MAX).indexOf(0x0a);
  if (end < 0) return undefined;
  const [magic, checksum, size, etag] = file.subarray(0, end).toString("latin1").split(" ");
  const body = file.subarray(end + 1);
  if (magic !== MAGIC || Number(size) !== body.length || Number(checksum) !== crc32(body)) return undefined;
  return { body, etag: etag ?? "" };
}
