import { z } from "zod";
import { within } from "#kernel/within";
import { HISTORY_MINUTES, look, type Look, MINUTE_MS, seriesOf } from "./domain-anomalies.ts";
import { minutePoints } from "./figures.ts";
import type { Parts } from "./service.ts";
import * as store from "./store-anomalies.ts";

/** The last beats of a minute are on their way for so long. */
const LATE_MS = 15_000;
/** "Anomaly Detection: p99 < 50 ms" (ARCH-001, "Model Inventory"); after twice that fixed thresholds decide. */
export const DETECT_MS_MAX = 100;
const ANOMALIES_MAX = 500;
const STATE_TTL_MS = 10 * MINUTE_MS;
const NEVER = new AbortController().signal;

const State = z.object({ minute: z.number(), partial: z.boolean() });
const stateKey = (tenant: string): string => `anomalies/${tenant}`;

/** Whether fixed thresholds alone watched at the last look, whichever process looked. */
export async function isPartial({ cache }: Pick<Parts, "cache">, tenant: string): Promise<boolean> {
  const text = await cache.get(stateKey(tenant)).catch(() => undefined);
  return text !== undefined && State.parse(JSON.parse(text)).partial;
}

/** Looks at the last minute that is over, once. True while something is unusual. */
export async function watchAnomalies(parts: Parts, tenant: string): Promise<boolean> {
  const { analytics, cache, clock, detector, logger } = parts;
  const minute = Math.floor((clock.nowMs() - LATE_MS) / MINUTE_MS) - 1;
  const text = await cache.get(stateKey(tenant)).catch(() => undefined);
  const before = text === undefined ? undefined : State.parse(JSON.parse(text)).minute;
  if (before === minute) return true;
  const since = Math.max(detector.toldUntil(tenant) ?? 0, minute - HISTORY_MINUTES);
  const points = await minutePoints(analytics, tenant, since + 1, minute);
  const verdicts = await within(DETECT_MS_MAX, "the detector", NEVER, detector.push(tenant, points, minute)).catch(
    (error: unknown) => {
      logger.warn("the detector of anomalies did not answer, and fixed thresholds watch", { error });
      return undefined;
    },
  );
  const newest = points.filter((point) => point.minute === minute);
  const found = await parts.db.tx({ tenant }, async (tx) => {
    const open = new Map(
      (await store.anomalies(tx, ANOMALIES_MAX)).map((row) => [
        store.keyOfRow(row),
        { measure: row.measure, endsAt: row.ends_at },
      ]),
    );
    const now: Look = look(newest, verdicts, open);
    await store.closeAnomalies(tx, now.closed);
    for (const one of now.opened.slice(0, ANOMALIES_MAX - open.size)) {
      if (!(await store.openAnomaly(tx, one, clock.nowMs()))) continue;
      const { dimension, value, measure, sessions, figure, usual, score } = one;
      tx.emit("anomalyDetected", {
        ...{ segment: seriesOf(one), dimension, value, measure, sessions, figure, usual, score },
        ...{ partial: one.isPartial, timeMs: (minute + 1) * MINUTE_MS },
      });
    }
    return { ...now, isOpen: open.size > now.closed.length || now.opened.length > 0 };
  });
  await cache.set(stateKey(tenant), JSON.stringify({ minute, partial: found.isPartial }), STATE_TTL_MS);
  parts.gauges.looked(found.isPartial ? "thresholds" : "detector");
  return found.isOpen;
}
