import { DIMENSIONS, isCounted, judge, keyOf, type Segment, THRESHOLD } from "./domain-alerts.ts";
import { metrics, segments } from "./figures.ts";
import type { Parts } from "./service.ts";
import * as store from "./store.ts";
import { watchAnomalies } from "./watch-anomalies.ts";

export const WATCH_EVERY_MS = 30_000;
const METRIC_WINDOW_MS = 60_000;
export const ALERT_WINDOW_MS = 5 * 60_000;
/** "By ISP (top 20)": of no dimension more segments are looked at than this, those with the most sessions. */
const SEGMENTS_MAX = 200;
/** "By ISP (top 20)": Prometheus keeps a series for each, for weeks. */
const METRIC_SEGMENTS_MAX = 20;
const ALERTS_MAX = 1_000;

/** Looks at the figures of every tenant that somebody watches, and tells of them. In a split product one process of many does it. */
export async function watch(parts: Parts): Promise<void> {
  const watched: { readonly tenant: string; readonly segment: Segment }[] = [];
  for (const tenant of parts.docket.active) {
    const turn = await parts.cache.lock(`watch/${tenant}`, WATCH_EVERY_MS * 0.8);
    if (!turn) continue;
    const all = await watchTenant(parts, tenant);
    for (const dimension of DIMENSIONS) {
      const counted = all.filter((segment) => segment.dimension === dimension && isCounted(segment));
      const largest = counted.toSorted((a, b) => b.sessions - a.sessions).slice(0, METRIC_SEGMENTS_MAX);
      watched.push(...largest.map((segment) => ({ tenant, segment })));
    }
  }
  // All at once, also those of tenants that another process watches now: they are its to tell.
  parts.gauges.segments(watched);
}

export async function watchTenant(parts: Parts, tenant: string): Promise<readonly Segment[]> {
  const toMs = parts.clock.nowMs();
  const found = await metrics(parts.analytics, { tenant, fromMs: toMs - METRIC_WINDOW_MS, toMs });
  if (found.length > 0) await parts.facts("metric", found, { tenant });
  const window = { tenant, fromMs: toMs - ALERT_WINDOW_MS, toMs };
  const all: Segment[] = [];
  for (const dimension of DIMENSIONS) all.push(...(await segments(parts.analytics, window, dimension, SEGMENTS_MAX)));
  const isWatched = await alarm(parts, tenant, all, toMs);
  const isUnusual = await watchAnomalies(parts, tenant).catch((error: unknown) => {
    // Alerts of other tenants do not wait for this one's minutes, which the next look reads again.
    parts.logger.warn("a look for anomalies failed", { tenant, error });
    return true;
  });
  if (found.length === 0 && !isWatched && !isUnusual) parts.docket.active.delete(tenant);
  return all;
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
