import { LRUCache } from "lru-cache";
import { openCounters } from "./counters.ts";
import type { EdgeConfig } from "./config.ts";
import { openGate } from "./gate.ts";
import { createHandler, type Handler } from "./handler.ts";
import { openKeyStore } from "./keys.ts";
import { openLive } from "./live.ts";
import { openLiveStore } from "./live-store.ts";
import { openAccessLog } from "./log.ts";
import type { Manifest } from "./manifest.ts";
import { followPurges } from "./purges.ts";
import { openRenewer } from "./renewal.ts";
import { openStore } from "./store.ts";
import { openUpstream } from "./upstream.ts";

export interface Edge {
  readonly handle: Handler;
  close(): Promise<void>;
}

const KEYS_EVERY_MS = 30_000;
const KEYS_RETRY_MS = 500;
const MANIFEST_BYTES_MAX = 32 * 1024 * 1024;

/** Puts an edge together, without its listener. `nowMs` judges tokens; tests move it. */
export async function openEdge(config: EdgeConfig, nowMs: () => number = Date.now): Promise<Edge> {
  const { id, originUrl, baseUrl, cacheFolder, cacheBytesMax, memoryBytesMax } = config;
  const upstream = openUpstream(originUrl);
  const keys = openKeyStore(upstream, nowMs);
  const store = await openStore({
    folder: cacheFolder,
    bytesMax: cacheBytesMax,
    memoryBytesMax,
    networkId: id,
    upstream,
  });
  const liveStore = openLiveStore(upstream, config.liveBytesMax);
  const manifests = new LRUCache<string, { readonly etag: string; readonly manifest: Manifest }>({
    max: 1_000,
    maxSize: MANIFEST_BYTES_MAX,
  });
  const counters = openCounters();
  const log = config.accessLog === undefined ? undefined : await openAccessLog(config.accessLog, id, nowMs);
  const purges = await followPurges({
    upstream,
    store,
    folder: cacheFolder,
    onPurge(contentId) {
      counters.purges += 1;
      for (const key of [...manifests.keys()]) if (key.startsWith(`/vod/${contentId}/`)) manifests.delete(key);
    },
  });

  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  async function keepKeys(): Promise<void> {
    const isFresh = await keys.refresh().then(
      () => true,
      () => false,
    );
    if (!isClosed) timer = setTimeout(() => void keepKeys(), isFresh ? KEYS_EVERY_MS : KEYS_RETRY_MS);
  }
  await keepKeys();

  const base = new URL(baseUrl);
  const handle = createHandler({
    id,
    base,
    gate: openGate(keys, nowMs),
    renewer: openRenewer(upstream, { networkId: id, isSecure: base.protocol === "https:" }, nowMs),
    store,
    live: openLive(liveStore, base.origin),
    manifests,
    counters,
    log,
    nowMs,
    isReady: () => keys.issuer() !== undefined,
    gauges: () => ({
      memory_bytes: store.memoryBytes(),
      live_bytes: liveStore.usage().bytes,
      live_waiting: liveStore.usage().waiting,
      disk_bytes: store.disk.bytes,
      disk_objects: store.disk.objects,
      disk_errors: store.disk.errors,
      origin_requests: upstream.counts.requests,
      origin_errors: upstream.counts.errors,
      purge_serial: purges.serial() ?? -1,
      log_dropped: log?.counts.dropped ?? 0,
    }),
  });

  return {
    handle,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await purges.stop();
      upstream.close();
      await log?.close();
    },
  };
}
