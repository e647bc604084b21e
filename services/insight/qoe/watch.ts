import { DIMENSIONS, judge, keyOf, type Segment, THRESHOLD } from "./domain-alerts.ts";
import { metrics, segments } from "./figures.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";

export const WATCH_EVERY_MS = 30_000;
const METRIC_WINDOW_MS = 60_000;
export const ALERT_WINDOW_MS = 5 * 60_000;
/** "By ISP (top 20)": of no dimension more segments are looked at than this, those with the most sessions. */
const SEGMENTS_MAX = 200;
const ALERTS_MAX = 1_000;

/** Looks at the figures of every tenant that somebody watches, and tells of them. In a split product one process of many does it. */
export async function watch(parts: Parts): Promise<void> {
  for (const tenant of parts.docket.active) {
    const turn = await parts.cache.lock(`watch/${tenant}`, WATCH_EVERY_MS * 0.8);
    if (turn) await watchTenant(parts, tenant);
  }
}

export async function watchTenant(parts: Parts, tenant: string): Promise<void> {
  const toMs = parts.clock.nowMs();
  const found = await metrics(parts.analytics, { tenant, fromMs: toMs - METRIC_WINDOW_MS, toMs });
  if (found.length > 0) await parts.facts("metric", found, { tenant });
  const window = { tenant, fromMs: toMs - ALERT_WINDOW_MS, toMs };
  const all: Segment[] = [];
  for (const dimension of DIMENSIONS) all.push(...(await segments(parts.analytics, window, dimension, SEGMENTS_MAX)));
  const isWatched = await alarm(parts, tenant, all, toMs);
  if (found.length === 0 && !isWatched) parts.docket.active.delete(tenant);
}

/** Opens and ends alerts; what is told is committed with the row that says so. True while there are any, or sessions. */
async function alarm(parts: Parts, tenant: string, all: readonly Segment[], nowMs: number): Promise<boolean> {
  return parts.db.tx({ tenant }, async (tx) => {
    const open = new Set((await store.alerts(tx, ALERTS_MAX)).map(keyOf));
    const { opened, closed } = judge(open, all);
    await store.closeAlerts(tx, closed);
    for (const segment of opened.slice(0, ALERTS_MAX - open.size)) {
      if (!(await store.openAlert(tx, segment, nowMs))) continue;
      const { dimension, value, p25, mean, sessions } = segment;
      tx.emit("alertTriggered", {
        ...{ segment: keyOf(segment), dimension, value, p25, mean, sessions },
        ...{ threshold: THRESHOLD, timeMs: nowMs },
      });
    }
    return all.length > 0 || open.size > closed.length;
  });
}
