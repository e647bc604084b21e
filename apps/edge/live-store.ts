import type { IncomingMessage } from "node:http";
import { LRUCache } from "lru-cache";
import type { Source } from "./store.ts";
import { type Upstream, UpstreamError } from "./upstream.ts";

/** What the origin said about a live object; everybody who waits for it reads the same bytes as they arrive. */
export interface LiveObject {
  readonly status: number;
  readonly etag: string;
  /** Known from the beginning for what is whole at the origin, and only at the end for a segment in the making. */
  readonly sizeBytes: number | undefined;
  /** In order; more come until it is whole. */
  readonly pieces: readonly Buffer[];
  readonly isWhole: boolean;
  readonly failure: Error | undefined;
  /** Resolves when more is there, or nothing more will come. */
  more(): Promise<void>;
}

export interface LiveStore {
  find(target: string): Promise<{ readonly object: LiveObject; readonly source: Source }>;
  usage(): { readonly bytes: number; readonly waiting: number };
}

/** Nothing of a channel is asked for by many for longer than this; who goes back in time asks anew. */
const KEEP_MS_MAX = 60_000;
/** A refusal is as short-lived as what it is about: a part that is not there yet is there at once. */
const REFUSED_MS = 250;
const OBJECT_BYTES_MAX = 32 * 1024 * 1024;
const OVERHEAD_BYTES = 1_024;
/** Clients that wait for objects that do not exist yet. */
const WAITING_MAX = 20_000;
const UNDER_WAY_MAX = 512;
/** What the origin may say of an object besides 200: not there, not any more, not to be shown, and a wish that cannot be fulfilled. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 404, 410, 503]);
const ETAG = /^(?:W\/)?"[\x21\x23-\x7e]{0,128}"$/;

/**
 * Live objects, in memory only: they are young for a minute, and films need the disk. However many wait for an object, the origin
 * is asked one time, also while it is being made.
 */
export function openLiveStore(upstream: Upstream, bytesMax: number): LiveStore {
  const recent = new LRUCache<string, LiveObject>({
    maxSize: Math.max(1, bytesMax),
    maxEntrySize: Math.max(1, bytesMax >> 2),
    sizeCalculation: (object) => object.pieces.reduce((sum, piece) => sum + piece.length, OVERHEAD_BYTES),
  });
  const underWay = new Map<string, Promise<LiveObject>>();
  let waiting = 0;

  async function fetch(target: string): Promise<LiveObject> {
    const response = await upstream.getLive(target);
    const status = response.statusCode ?? 0;
    if (status !== 200 && !REFUSALS.has(status)) {
      response.destroy();
      throw new UpstreamError(`the origin answered ${status} for a live object`);
    }
    const keepMs = status === 200 ? keepMsOf(response.headers["cache-control"]) : REFUSED_MS;
    return receive(response, (object) => {
      // What may not be kept is still shared by those who asked while it was on its way.
      if (object.isWhole && keepMs > 0) recent.set(target, object, { ttl: keepMs });
      underWay.delete(target);
    });
  }

  function join(target: string): Promise<LiveObject> {
    if (underWay.size >= UNDER_WAY_MAX) throw new UpstreamError(`${underWay.size} live objects are under way already`);
    const found = fetch(target);
    underWay.set(target, found);
    found.catch(() => underWay.delete(target));
    return found;
  }

  return {
    usage: () => ({ bytes: recent.calculatedSize, waiting }),
    async find(target) {
      const kept = recent.get(target);
      if (kept !== undefined) return { object: kept, source: "memory" };
      if (waiting >= WAITING_MAX) throw new UpstreamError(`${waiting} clients wait for live objects already`);
      const shared = underWay.get(target);
      waiting += 1;
      try {
        return { object: await (shared ?? join(target)), source: shared === undefined ? "origin" : "coalesced" };
      } finally {
        waiting -= 1;
      }
    },
  };
}

/** How long the origin lets an answer be kept. Without a word of it, it is shared and not kept. */
function keepMsOf(cacheControl: string | undefined): number {
  if (cacheControl === undefined || /\bno-(?:store|cache)\b/.test(cacheControl)) return 0;
  const [, seconds] = /\bmax-age=(\d{1,9})\b/.exec(cacheControl) ?? [];
  return Math.min(KEEP_MS_MAX, Number(seconds ?? 0) * 1_000);
}

function receive(response: IncomingMessage, settled: (object: LiveObject) => void): LiveObject {
  const { statusCode: status = 0, headers } = response;
  const said = headers["content-length"];
  let wake = (): void => {};
  let next = new Promise<void>((resolve) => (wake = resolve));
  let sizeBytes = 0;
  const pieces: Buffer[] = [];
  const object = {
    status,
    etag: ETAG.test(headers.etag ?? "") ? (headers.etag ?? "") : "",
    sizeBytes: said === undefined ? undefined : Number(said),
    pieces,
    isWhole: false,
    failure: undefined as Error | undefined,
    more: () => next,
  };
  const tell = (): void => {
    const waiters = wake;
    next = new Promise<void>((resolve) => (wake = resolve));
    waiters();
  };
  const settle = (failure: Error | undefined): void => {
    if (object.isWhole || object.failure !== undefined) return;
    if (failure === undefined) {
      object.isWhole = true;
      object.sizeBytes = sizeBytes;
    } else object.failure = new UpstreamError("the origin broke off", { cause: failure });
    settled(object);
    tell();
  };
  response.on("data", (piece: Buffer) => {
    sizeBytes += piece.length;
    if (sizeBytes > OBJECT_BYTES_MAX) {
      response.destroy(new Error(`a live object is over ${OBJECT_BYTES_MAX} bytes`));
      return;
    }
    pieces.push(piece);
    tell();
  });
  response.once("end", () => settle(response.complete ? undefined : new Error("it is not whole")));
  response.once("error", settle);
  response.once("close", () => settle(new Error("it was closed")));
  return object;
}

/** The whole object, when it is there; rejects where it breaks off. */
export async function whole(object: LiveObject): Promise<Buffer> {
  while (!object.isWhole) {
    if (object.failure !== undefined) throw object.failure;
    await object.more();
  }
  const [first] = object.pieces;
  return object.pieces.length === 1 && first !== undefined ? first : Buffer.concat(object.pieces);
}
