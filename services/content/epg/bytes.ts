import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { problem } from "#kernel";
import type { Objects } from "#kernel/ports/objects";
import type { Source } from "./store.ts";

// Where the bytes of a source come from: an address, a file of this machine, or what somebody pushed. They come in pieces, decompressed where
// they are compressed, and there are not more of them than a guide can have.

export interface Bytes {
  readonly pieces: AsyncIterable<Uint8Array>;
  /** As they come, compressed or not; 0 where it is not known. */
  readonly totalBytes: number;
  /** How many of them were read so far. */
  readBytes(): number;
}

const PIECE_BYTES = 256 * 1024;
const BYTES_MAX = 4 * 1024 ** 3;
const FETCH_MS_MAX = 600_000;

export interface Opening {
  readonly objects: Objects;
  readonly tenant: string;
  readonly importId: string;
  readonly pushedPieces: number;
  readonly signal: AbortSignal;
}

export async function openBytes(source: Source, opening: Opening): Promise<Bytes> {
  const raw =
    source.kind === "url"
      ? await fetchBytes(source.location, opening.signal)
      : source.kind === "file"
        ? await fileBytes(source.location)
        : { stream: Readable.from(pushed(opening)), totalBytes: 0 };
  let read = 0;
  const counted = Readable.from(count(raw.stream, (bytes) => (read += bytes)));
  return { pieces: limited(await decompressed(counted)), totalBytes: raw.totalBytes, readBytes: () => read };
}

interface Raw {
  readonly stream: Readable;
  readonly totalBytes: number;
}

async function fileBytes(path: string): Promise<Raw> {
  const info = await stat(path).catch((error: unknown) => {
    throw problem.notFound(`'${path}' cannot be read: check the name and its permissions`, {
      reason: "file_unreadable",
      cause: error,
    });
  });
  if (!info.isFile()) throw problem.invalid(`'${path}' is not a file`, { reason: "not_a_file" });
  return { stream: createReadStream(path, { highWaterMark: PIECE_BYTES }), totalBytes: info.size };
}

async function fetchBytes(url: string, signal: AbortSignal): Promise<Raw> {
  const response = await fetch(url, {
    headers: { "user-agent": "Marquee", accept: "application/xml, text/xml, application/gzip, */*" },
    signal: AbortSignal.any([signal, AbortSignal.timeout(FETCH_MS_MAX)]),
  }).catch((error: unknown) => {
    throw problem.unavailable(`${url} does not answer: ${reasonOf(error)}`, { reason: "source_away", cause: error });
  });
  if (!response.ok || !response.body) {
    const refusal = `${url} answered ${response.status} ${response.statusText}`.trim();
    throw response.status >= 500
      ? problem.unavailable(refusal, { reason: "source_away" })
      : problem.precondition(`${refusal}: check the address`, { reason: "source_refused" });
  }
  const length = Number(response.headers.get("content-length") ?? 0);
  return { stream: Readable.fromWeb(response.body), totalBytes: length > 0 ? length : 0 };
}

/** `fetch` says no more than "fetch failed"; why is in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const { code, message } = cause as { code?: unknown; message?: unknown };
  return String(code ?? message ?? cause);
}

async function* pushed({ objects, tenant, importId, pushedPieces }: Opening): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < pushedPieces; n++) yield await objects.get(pushedKey(tenant, importId, n));
}

/** Where pieces wait until they are read. */
export const pushedFolder = (tenant: string, importId: string): string => `epg/${tenant}/${importId}/`;
export const pushedKey = (tenant: string, importId: string, piece: number): string =>
  `${pushedFolder(tenant, importId)}${piece}`;

async function* count(stream: Readable, add: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    add(piece.byteLength);
    yield piece;
  }
}

const MAGIC: readonly { readonly bytes: readonly number[]; readonly name: string }[] = [
  { bytes: [0x50, 0x4b, 0x03, 0x04], name: "ZIP" },
  { bytes: [0xfd, 0x37, 0x7a, 0x58], name: "xz" },
  { bytes: [0x42, 0x5a, 0x68], name: "bzip2" },
];

/** Looks at the first bytes: gzip is undone, other archives are named. */
async function decompressed(stream: Readable): Promise<AsyncIterable<Uint8Array>> {
  const iterator = (stream as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const first = await iterator.next();
  const head = first.done ? new Uint8Array() : first.value;
  const archive = MAGIC.find(({ bytes }) => bytes.every((byte, i) => head[i] === byte));
  if (archive)
    throw problem.unsupportedMedia(`it is compressed by ${archive.name}: unpack it, or compress it by gzip`, {
      reason: "compression_unknown",
    });
  async function* all(): AsyncGenerator<Uint8Array> {
    yield head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) return all();
  const source = Readable.from(all());
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  source.once("error", (error) => gunzip.destroy(error));
  return source.pipe(gunzip);
}

async function* limited(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      bytes += piece.byteLength;
      if (bytes > BYTES_MAX)
        throw problem.unsupportedMedia("it is larger than 4 GiB when it is unpacked: divide it", {
          reason: "document_too_large",
        });
      for (let at = 0; at < piece.byteLength; at += PIECE_BYTES) yield piece.subarray(at, at + PIECE_BYTES);
    }
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code;
    if (typeof code === "string" && code.startsWith("Z_"))
      throw problem.unsupportedMedia(`it is broken gzip (${code}): fetch or compress it again`, {
        reason: "compression_broken",
        cause: error,
      });
    throw error;
  }
}

/** What an operator wrote as the place of a source, as a kind and a location; throws for what is neither. */
export function placeOf(kind: string, location: string): { readonly kind: string; readonly location: string } {
  if (kind === "pushed") return { kind, location: "" };
  if (kind === "url") {
    const url = URL.parse(location);
    if (!url || !/^https?:$/.test(url.protocol))
      throw problem.invalid(`'${location.slice(0, 200)}' is no address that begins with https:// or http://`);
    return { kind, location: url.href };
  }
  if (kind === "file") {
    if (!location.startsWith("/")) throw problem.invalid(`'${basename(location)}' is not an absolute path`);
    return { kind, location };
  }
  throw problem.invalid(`kind '${kind.slice(0, 40)}' is not known: url, file or pushed`);
}
