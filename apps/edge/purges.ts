import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { PURGES_PATH, type PurgeFeed } from "#contracts/origin/edges";
import type { Store } from "./store.ts";
import type { Upstream } from "./upstream.ts";

/** The origin answers after 20 s at the latest. */
const POLL_TIMEOUT_MS = 30_000;
const AGAIN_MS = 1_000;
const MARK_FILE = "purged";

const Feed: z.ZodType<PurgeFeed> = z.object({
  serial: z.number().int().min(0),
  isReset: z.boolean(),
  purges: z.array(z.object({ contentId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/), deleted: z.boolean() })).max(1_000),
});

export interface PurgeFollower {
  /** How far the feed was followed; undefined until the origin answered. */
  serial(): number | undefined;
  stop(): Promise<void>;
}

/** Follows the origin's feed of purges. The mark is kept beside the cache, so that an edge that was down catches up. */
export async function followPurges(options: {
  readonly upstream: Upstream;
  readonly store: Pick<Store, "purge" | "clear">;
  readonly folder: string;
  readonly onPurge: (contentId: string) => void;
}): Promise<PurgeFollower> {
  const { upstream, store, folder, onPurge } = options;
  const markFile = join(folder, MARK_FILE);
  const stopping = new AbortController();
  const kept = Number.parseInt(await readFile(markFile, "utf8").catch(() => ""), 10);
  /** -1 asks where the feed is now: a cache without a mark was never told anything, and starts empty. */
  let after = Number.isSafeInteger(kept) && kept >= 0 ? kept : -1;
  let serial: number | undefined;
  if (after < 0) await store.clear();

  async function step(): Promise<void> {
    const { status, body } = await upstream.getJson(`${PURGES_PATH}?after=${after}`, {
      timeoutMs: POLL_TIMEOUT_MS,
      signal: stopping.signal,
    });
    if (status !== 200) throw new Error(`the origin answered ${status} to ${PURGES_PATH}`);
    const feed = Feed.parse(body);
    if (feed.isReset) await store.clear();
    for (const { contentId, deleted } of feed.purges) {
      await store.purge(contentId, deleted);
      onPurge(contentId);
    }
    serial = feed.serial;
    if (feed.serial === after) return;
    after = feed.serial;
    await writeFile(`${markFile}.tmp`, String(after));
    await rename(`${markFile}.tmp`, markFile);
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await step();
      } catch {
        await delay(AGAIN_MS, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  }

  const following = follow();
  return {
    serial: () => serial,
    async stop() {
      stopping.abort();
      await following;
    },
  };
}
