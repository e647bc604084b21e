import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { type Document, readDocument } from "./document.ts";

const Kept = z.object({ url: z.string(), etag: z.string().optional(), savedAtMs: z.number(), body: z.unknown() });

export interface LastKnown {
  readonly document: Document;
  readonly etag: string | undefined;
  readonly savedAtMs: number;
}

/** What an Unleash said last, from our disk; undefined where nothing usable is there, or it was another Unleash. */
export async function readLastKnown(file: string, url: string): Promise<LastKnown | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { etag, savedAtMs, body, url: from } = Kept.parse(JSON.parse(text));
    return from === url ? { document: readDocument(body), etag, savedAtMs } : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all. Flags may name people, so the file is for its owner alone. */
export async function writeLastKnown(file: string, kept: z.input<typeof Kept>): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomUUID()}.draft`;
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(JSON.stringify(kept));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
