import type { Headers } from "./reply.ts";
import { type LiveObject, type LiveStore, whole } from "./live-store.ts";
import type { LivePath } from "./live-path.ts";
import { compileManifest, type Manifest, type Reader } from "./manifest.ts";
import {
  type Fault,
  objectHeaders,
  type Request,
  type Response,
  sendGrowing,
  sendManifest,
  sendObject,
  sendProblem,
  type Wanted,
  wantedOf,
} from "./reply.ts";
import type { Source } from "./store.ts";
import { openTurns } from "./turns.ts";

/** What is told about an answer. */
interface Answered {
  readonly status: number;
  readonly bytes: number;
  readonly source: Source;
  readonly reason?: string;
}

/** Answers for channels, to who was admitted. */
export interface Live {
  answer(request: Request, response: Response, wanted: LivePath, reader: Reader, headers: Headers): Promise<Answered>;
}

/** An object of a channel stays what it is; who plays it needs it once, or again after a step back. */
const KEEP = "private, max-age=60";
/** What is whole at the origin, and not longer, is whole here in a moment: one write for each of a thousand readers instead of two or three. */
const AT_ONCE_BYTES_MAX = 512 * 1024;

const GONE: Fault = { status: 404, reason: "not_found", detail: "there is no such object here, or not any more" };
const REFUSALS: ReadonlyMap<number, Fault> = new Map([
  [
    400,
    { status: 400, reason: "too_far", detail: "the channel is not that far: reload the playlist without directives" },
  ],
  [403, { status: 403, reason: "not_shown", detail: "this programme may not be shown here, or not again" }],
  [503, { status: 503, reason: "off_air", detail: "the channel sends nothing now: try again", retryAfterS: 1 }],
]);

export function openLive(store: LiveStore, ownUrl: string): Live {
  // They live as long as what they were made of.
  const manifests = new WeakMap<LiveObject, Manifest>();
  const bodies = new WeakMap<LiveObject, Promise<Buffer>>();
  const heads = new WeakMap<LiveObject, { readonly more: Headers; readonly head: Headers }>();
  const turns = openTurns();

  function manifestOf(object: LiveObject, body: Buffer, kind: LivePath["kind"]): Manifest {
    const known = manifests.get(object);
    if (known !== undefined) return known;
    const manifest = compileManifest(body.toString("utf8"), kind, ownUrl, { isShortLived: true });
    manifests.set(object, manifest);
    return manifest;
  }

  /** Put together once for all who wait for it. */
  function bodyOf(object: LiveObject): Promise<Buffer> {
    const known = bodies.get(object);
    if (known !== undefined) return known;
    const body = whole(object);
    bodies.set(object, body);
    return body;
  }

  /** The same for all who read the whole of it, but for who carries a cookie. */
  function headOf(object: LiveObject, { contentType }: LivePath, body: Buffer, wanted: Wanted, more: Headers): Headers {
    const known = heads.get(object);
    if (wanted.status === 200 && known?.more === more) return known.head;
    const head = objectHeaders({ contentType, keep: KEEP }, object.etag, body.length, wanted, more);
    if (wanted.status === 200) heads.set(object, { more, head });
    return head;
  }

  return {
    async answer(request, response, wanted, reader, headers) {
      const { object, source } = await store.find(wanted.target);
      if (object.status !== 200) {
        const fault = REFUSALS.get(object.status) ?? GONE;
        const bytes = sendProblem(response, fault, headers);
        return { status: fault.status, bytes, source, reason: fault.reason };
      }
      const isHead = request.method === "HEAD";
      if (wanted.kind !== "object") {
        const body = await bodyOf(object);
        // Who waits for a playlist knows the next part's name, and waits for that too: parts go first.
        await turns.next();
        const filled = manifestOf(object, body, wanted.kind).fill(reader);
        return { status: 200, bytes: sendManifest(response, wanted.contentType, filled, headers, isHead), source };
      }
      if (object.isWhole || (object.sizeBytes ?? Number.POSITIVE_INFINITY) <= AT_ONCE_BYTES_MAX) {
        const body = await bodyOf(object);
        const part = wantedOf(request.headers, object.etag, body.length);
        const head = headOf(object, wanted, body, part, headers);
        return { status: part.status, bytes: sendObject(response, body, part, head, isHead), source };
      }
      // Nobody can ask for a range of what has no length yet.
      const length = object.sizeBytes === undefined ? [] : ["content-length", String(object.sizeBytes)];
      const head = ["content-type", wanted.contentType, "cache-control", KEEP, ...length, ...headers];
      if (isHead) return { status: 200, bytes: sendObject(response, NO_BYTES, NOTHING, head, true), source };
      return { status: 200, bytes: await sendGrowing(response, object, head), source };
    },
  };
}

const NO_BYTES = Buffer.alloc(0);
const NOTHING = { status: 200, startBytes: 0, endBytes: 0 } as const;
