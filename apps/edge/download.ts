import type { IncomingMessage } from "node:http";
import type { StoredObject } from "./disk.ts";
import { type Upstream, UpstreamError } from "./upstream.ts";

/** Segments of the highest rung are some 10 MB; nothing that belongs here is larger than this. */
const OBJECT_BYTES_MAX = 64 * 1024 * 1024;
const ETAG = /^(?:W\/)?"[\x21\x23-\x7e]{0,128}"$/;

/** An object on its way from the origin. Everybody who waits for it reads the same bytes as they arrive. */
export interface Download {
  /** Of the whole object; the first `receivedBytes` are there. */
  readonly body: Buffer;
  readonly etag: string;
  receivedBytes: number;
  failure: Error | undefined;
  /** Resolves when more is there, or nothing more will come. */
  more(): Promise<void>;
}

/** Asks the origin for an object; null when it has none. Throws UpstreamError where it cannot tell. */
export async function startDownload(upstream: Upstream, path: string): Promise<Download | null> {
  const response = await upstream.get(path);
  const { statusCode = 0, headers } = response;
  const sizeBytes = Number(headers["content-length"] ?? "NaN");
  if (statusCode === 404 || statusCode === 410) {
    response.resume();
    return null;
  }
  if (statusCode !== 200 || !Number.isSafeInteger(sizeBytes) || sizeBytes > OBJECT_BYTES_MAX) {
    response.destroy();
    throw new UpstreamError(`the origin answered ${statusCode} with ${headers["content-length"] ?? "no"} bytes`);
  }
  return receive(response, sizeBytes, ETAG.test(headers.etag ?? "") ? (headers.etag ?? "") : "");
}

function receive(response: IncomingMessage, sizeBytes: number, etag: string): Download {
  let wake = (): void => {};
  let next = new Promise<void>((resolve) => (wake = resolve));
  const download: Download = {
    body: Buffer.allocUnsafeSlow(sizeBytes),
    etag,
    receivedBytes: 0,
    failure: undefined,
    more: () => next,
  };
  const tell = (): void => {
    const waiters = wake;
    next = new Promise<void>((resolve) => (wake = resolve));
    waiters();
  };
  const fail = (error: Error): void => {
    if (download.failure !== undefined || download.receivedBytes === sizeBytes) return;
    download.failure = new UpstreamError("the origin broke off", { cause: error });
    tell();
  };
  response.on("data", (chunk: Buffer) => {
    // node:http ends a message at its content-length, so that the body cannot grow beyond it.
    chunk.copy(download.body, download.receivedBytes);
    download.receivedBytes = Math.min(sizeBytes, download.receivedBytes + chunk.length);
    tell();
  });
  response.once("error", fail);
  response.once("close", () => fail(new Error(`${download.receivedBytes} of ${sizeBytes} bytes came`)));
  return download;
}

export const isWhole = (download: Download): boolean => download.receivedBytes === download.body.length;

/** The whole object, when it is there; rejects where it breaks off. */
export async function finished(download: Download): Promise<StoredObject> {
  while (!isWhole(download)) {
    if (download.failure !== undefined) throw download.failure;
    await download.more();
  }
  return { body: download.body, etag: download.etag };
}
