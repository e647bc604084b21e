import type { PurgeFeed } from "#contracts/origin/edges";
import type { Clock, Db } from "#kernel";
import { purgesAfter } from "./store.ts";

/** How long an edge waits for news, and how often its question is put again while it does: another process may have the answer. */
const WAIT_MS = 20_000;
const LOOK_MS = 2_000;
const WAITING_MAX = 256;
const SYSTEM = { tenant: "system" };

export interface Feed {
  /** The purges after a serial; waits for one until the time is up or the asker leaves. */
  after(serial: number, signal: AbortSignal): Promise<PurgeFeed>;
  /** Something is about to be committed. */
  wakeSoon(): void;
  stop(): void;
}

export function openFeed(db: Db, clock: Clock): Feed {
  const waiting = new Set<() => void>();
  const stopping = new AbortController();
  const wake = (): void => {
    for (const each of [...waiting]) each();
  };

  return {
    async after(serial, signal) {
      const untilMs = clock.nowMs() + WAIT_MS;
      const leaving = AbortSignal.any([signal, stopping.signal]);
      for (;;) {
        const feed = await db.tx(SYSTEM, (tx) => purgesAfter(tx, serial));
        const isNews = serial < 0 || feed.isReset || feed.purges.length > 0;
        if (isNews || leaving.aborted || waiting.size >= WAITING_MAX || clock.nowMs() >= untilMs) return feed;
        await news(leaving);
      }
    },
    // The commit comes after the handler: a moment later the rows can be seen.
    wakeSoon: () => void setTimeout(wake, 50).unref(),
    stop: () => stopping.abort(),
  };

  /** Resolves at the next sign of news, when it is time to look again, or when the asker leaves. */
  async function news(leaving: AbortSignal): Promise<void> {
    const given = new AbortController();
    const stop = (): void => given.abort();
    waiting.add(stop);
    leaving.addEventListener("abort", stop, { once: true });
    await clock.sleep(LOOK_MS, given.signal).catch(() => {});
    waiting.delete(stop);
    leaving.removeEventListener("abort", stop);
  }
}
