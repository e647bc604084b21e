import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { readCmcd } from "#media/cmcd";

/** One answered request. No token and no address of a person is in it. */
export interface Access {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly status: number;
  readonly bytes: number;
  readonly durationMs: number;
  /** Where the bytes came from, or `-`. */
  readonly source: string;
  readonly sessionId: string;
  /** Why it was refused. */
  readonly reason: string;
}

export interface AccessLog {
  write(access: Access): void;
  readonly counts: { lines: number; dropped: number };
  close(): Promise<void>;
}

const FLUSH_MS = 200;
const BUFFER_CHARS_MAX = 4 * 1024 * 1024;
const FILE_BYTES_MAX = 64 * 1024 * 1024;
const PATH_CHARS_MAX = 300;

/** Lines of JSON, written together a few times a second. When the disk does not keep up, lines are dropped and counted. */
export async function openAccessLog(target: string, edgeId: string, nowMs: () => number): Promise<AccessLog> {
  const counts = { lines: 0, dropped: 0 };
  let buffer = "";
  let fileBytes = 0;
  let isBusy = false;
  if (target !== "-") await mkdir(dirname(target), { recursive: true });
  const open = (): WriteStream | NodeJS.WriteStream => {
    if (target === "-") return process.stdout;
    const file = createWriteStream(target, { flags: "a" });
    file.on("error", () => (counts.dropped += 1));
    return file;
  };
  let out = open();

  async function flush(): Promise<void> {
    if (isBusy || buffer === "") return;
    isBusy = true;
    const lines = buffer;
    buffer = "";
    fileBytes += lines.length;
    await new Promise<void>((resolve) => out.write(lines, () => resolve()));
    if (target !== "-" && fileBytes > FILE_BYTES_MAX) {
      // Two files of that size are what logs may take.
      await new Promise<void>((resolve) => out.end(() => resolve()));
      await rename(target, `${target}.1`).catch(() => {});
      out = open();
      fileBytes = 0;
    }
    isBusy = false;
  }
  const timer = setInterval(() => void flush(), FLUSH_MS);
  timer.unref();

  return {
    counts,
    write(access) {
      if (buffer.length > BUFFER_CHARS_MAX) {
        counts.dropped += 1;
        return;
      }
      counts.lines += 1;
      buffer += `${lineOf(access, edgeId, nowMs())}\n`;
    },
    async close() {
      clearInterval(timer);
      while (isBusy) await new Promise((resolve) => setTimeout(resolve, 5));
      await flush();
      if (target !== "-") await new Promise<void>((resolve) => out.end(() => resolve()));
    },
  };
}

export function lineOf(access: Access, edgeId: string, nowMs: number): string {
  const cmcd = access.query.includes("CMCD") ? readCmcd(access.query) : undefined;
  return JSON.stringify({
    time: new Date(nowMs).toISOString(),
    edge: edgeId,
    method: access.method,
    path: access.path.slice(0, PATH_CHARS_MAX),
    status: access.status,
    bytes: access.bytes,
    durationMs: Math.round(access.durationMs * 10) / 10,
    source: access.source,
    session: access.sessionId || undefined,
    reason: access.reason || undefined,
    cmcd: cmcd?.kind === "read" ? cmcd.record : undefined,
    cmcdRefused: cmcd?.kind === "refused" ? cmcd.reason : undefined,
  });
}
