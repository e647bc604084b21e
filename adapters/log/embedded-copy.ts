import { rm } from "node:fs/promises";
import { backup, DatabaseSync } from "node:sqlite";
import type { Reply, Request } from "./messages.ts";

/** A partition's records have keys from its slot times this number on (see embedded-worker.ts). */
export const OFFSETS_PER_PARTITION = 2 ** 38;
/** 2 MB, for which appends wait no longer than for each other. */
const PAGES_AT_ONCE = 500;
/** SQLite has been seen to give a copy up when the machine was very busy, for no reason that it names; the next one works. */
const TRIES_MAX = 3;

/**
 * Copies the log while it goes on: page by page, between which others get their turn. What was appended since `until` was read is then
 * taken out of the copy.
 */
export async function copyLog(
  source: DatabaseSync,
  { id, path, until }: Extract<Request, { kind: "copy" }>,
  slotsOf: (topic: string) => readonly number[],
): Promise<Reply> {
  try {
    await copyPages(source, path);
    const copy = new DatabaseSync(path);
    try {
      copy.exec("PRAGMA journal_mode = DELETE; PRAGMA secure_delete = ON; BEGIN");
      const cut = copy.prepare("DELETE FROM records WHERE id >= ? AND id < ?");
      const forget = copy.prepare("DELETE FROM seen WHERE record_id >= ? AND record_id < ?");
      const end = copy.prepare("UPDATE partitions SET next = ? WHERE slot = ?");
      for (const [topic, nexts] of until)
        for (const [partition, slot] of slotsOf(topic).entries()) {
          const base = slot * OFFSETS_PER_PARTITION;
          const next = nexts[partition] ?? 0;
          cut.run(base + next, base + OFFSETS_PER_PARTITION);
          forget.run(base + next, base + OFFSETS_PER_PARTITION);
          end.run(next, slot);
        }
      copy.exec("COMMIT");
    } finally {
      copy.close();
    }
    return { kind: "done", id };
  } catch (error) {
    const { message, errcode } = error as { readonly message?: string; readonly errcode?: number };
    return { kind: "uncopied", id, message: `${message ?? String(error)} (SQLite's code ${errcode ?? "unknown"})` };
  }
}

async function copyPages(source: DatabaseSync, path: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await backup(source, path, { rate: PAGES_AT_ONCE });
      return;
    } catch (error) {
      if (tries >= TRIES_MAX) throw error;
      await rm(path, { force: true });
    }
  }
}
