import { LRUCache } from "lru-cache";
import { type DiskCache, openDiskCache, type StoredObject } from "./disk.ts";
import { type Download, finished, startDownload } from "./download.ts";
import { cacheKeyOf, type MediaPath } from "./paths.ts";
import { type Upstream, UpstreamError } from "./upstream.ts";

export type Source = "memory" | "disk" | "origin" | "coalesced";

/** An object that is here, or on its way. */
export type Found =
  | { readonly kind: "object"; readonly object: StoredObject; readonly source: Source }
  | { readonly kind: "download"; readonly download: Download; readonly source: Source }
  | { readonly kind: "absent" };

export interface Store {
  find(media: MediaPath, isSteered: boolean): Promise<Found>;
  /** Forgets a title's objects. Those of a deleted one are not asked for again for a while, whatever the origin still has. */
  purge(contentId: string, isDeleted: boolean): Promise<void>;
  clear(): Promise<void>;
  readonly disk: DiskCache["usage"];
  memoryBytes(): number;
}

export interface StoreOptions {
  readonly folder: string;
  readonly bytesMax: number;
  readonly memoryBytesMax: number;
  /** What the origin is to put in front in steered manifests. */
  readonly networkId: string;
  readonly upstream: Upstream;
}

const ABSENT_MS = 2_000;
const DELETED_MS = 600_000;
const DOWNLOADS_MAX = 512;
/** What counts for an entry besides its bytes. */
const OVERHEAD_BYTES = 512;

/** Memory over disk over the origin. However many ask for an object at once, the origin is asked one time. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { upstream, networkId } = options;
  const disk = await openDiskCache({ folder: options.folder, bytesMax: options.bytesMax });
  const memory = new LRUCache<string, StoredObject>({
    maxSize: Math.max(1, options.memoryBytesMax),
    // One film's largest object must not push out everything else.
    maxEntrySize: Math.max(1, Math.floor(options.memoryBytesMax / 4)),
    sizeCalculation: ({ body }) => body.length + OVERHEAD_BYTES,
  });
  const absent = new LRUCache<string, true>({ max: 10_000, ttl: ABSENT_MS });
  const deleted = new LRUCache<string, true>({ max: 10_000, ttl: DELETED_MS });
  const underWay = new Map<string, { readonly contentId: string; isPurged: boolean; readonly found: Promise<Found> }>();

  /** Looks on the disk, then asks the origin. The entry stays in `underWay` until the object is whole. */
  function fetch(key: string, media: MediaPath, isSteered: boolean): Promise<Found> {
    if (underWay.size >= DOWNLOADS_MAX) throw new UpstreamError(`${underWay.size} objects are under way already`);
    const entry = { contentId: media.contentId, isPurged: false, found: load() };
    underWay.set(key, entry);
    entry.found.catch(() => leave());
    return entry.found;

    function leave(): void {
      if (underWay.get(key) === entry) underWay.delete(key);
    }

    async function load(): Promise<Found> {
      const kept = await disk.get(media.contentId, key);
      if (kept !== undefined) {
        if (!entry.isPurged) memory.set(key, kept);
        leave();
        return { kind: "object", object: kept, source: "disk" };
      }
      const download = await startDownload(upstream, isSteered ? `${media.path}?steer=${networkId}` : media.path);
      if (download === null) {
        absent.set(key, true);
        leave();
        return { kind: "absent" };
      }
      void finished(download).then(
        async (object) => {
          if (entry.isPurged) return;
          memory.set(key, object);
          await disk.put(media.contentId, key, object);
          leave();
          // A purge during the write must not leave the file behind.
          if (entry.isPurged) await disk.purge(media.contentId);
        },
        () => leave(),
      );
      return { kind: "download", download, source: "origin" };
    }
  }

  /** Who waits gets the object still; nobody else does, and it is not kept. */
  function abandon(key: string): void {
    const entry = underWay.get(key);
    if (entry !== undefined) entry.isPurged = true;
    underWay.delete(key);
  }

  return {
    disk: disk.usage,
    memoryBytes: () => memory.calculatedSize,
    async find(media, isSteered) {
      const key = cacheKeyOf(media, isSteered);
      const object = memory.get(key);
      if (object !== undefined) return { kind: "object", object, source: "memory" };
      if (deleted.has(media.contentId) || absent.has(key)) return { kind: "absent" };
      const shared = underWay.get(key);
      if (shared === undefined) return fetch(key, media, isSteered);
      const found = await shared.found;
      return found.kind === "absent" ? found : { ...found, source: "coalesced" };
    },
    async purge(contentId, isDeleted) {
      if (isDeleted) deleted.set(contentId, true);
      for (const [key, entry] of underWay) if (entry.contentId === contentId) abandon(key);
      for (const [key] of [...memory.entries()]) if (key.startsWith(`/vod/${contentId}/`)) memory.delete(key);
      await disk.purge(contentId);
    },
    async clear() {
      for (const key of underWay.keys()) abandon(key);
      memory.clear();
      await disk.clear();
    },
  };
}
