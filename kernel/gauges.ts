import { loadMarks } from "./inbox.ts";
import type { Listener } from "./listener.ts";
import type { Metrics } from "./metrics.ts";
import type { Jobs } from "./ports/jobs.ts";
import type { EventLog } from "./ports/log.ts";
import type { AdapterState } from "./ports/state.ts";
import type { Relay } from "./relay.ts";
import type { Pool } from "./sql.ts";

/** What the kernel tells of the engines beneath the services whenever somebody reads the metrics. */
export interface GaugeOptions {
  readonly metrics: Metrics;
  readonly pool: Pool;
  readonly connectionsMax: number;
  readonly log: EventLog;
  readonly jobs: Jobs;
  readonly relays: ReadonlyMap<string, Relay>;
  /** Who reads which topic. */
  readonly listeners: readonly Pick<Listener, "service" | "topic" | "marksName">[];
  /** Whether services and adapters can do their work. */
  readonly states: () => Promise<Readonly<Record<string, AdapterState>>>;
}

/**
 * Outboxes and the pool are of this process; lag and queues are of the whole product, and every process that has a part in them tells the
 * same, so whoever adds them up over processes takes the greatest.
 */
export function openGauges({
  metrics,
  pool,
  connectionsMax,
  log,
  jobs,
  relays,
  listeners,
  states,
}: GaugeOptions): () => void {
  const pending = metrics.gauge("outbox_pending", "Events committed and not yet in the log", ["service"]);
  const age = metrics.gauge("outbox_age_seconds", "Age of the oldest event that is not in the log yet", ["service"]);
  const connections = metrics.gauge("db_connections", "Database connections of the pool", ["state"]);
  const lag = metrics.gauge("consumer_lag_records", "Events in the log that a consumer has not handled", [
    "service",
    "topic",
  ]);
  const depth = metrics.gauge("jobs", "Jobs that wait, run or failed for good", ["queue", "state"]);
  const ready = metrics.gauge("ready", "1 where a service or an adapter can do its work", ["part"]);
  const waited = metrics.gauge("job_age_seconds", "For how long the oldest job that could run waits", ["queue"]);
  metrics.gauge("db_connections_max", "Connections that the pool may open").set(connectionsMax);

  const stops = [
    metrics.onRead(() => {
      const nowMs = Date.now();
      for (const [service, relay] of relays) {
        const { count, oldestMs } = relay.pending();
        pending.set({ service }, count);
        age.set({ service }, oldestMs === undefined ? 0 : Math.max(0, nowMs - oldestMs) / 1_000);
      }
      connections.set({ state: "idle" }, pool.idleCount);
      connections.set({ state: "used" }, pool.totalCount - pool.idleCount);
      connections.set({ state: "awaited" }, pool.waitingCount);
    }),
    metrics.onRead(async () => {
      lag.reset();
      const counts = await Promise.all(
        listeners.map(async (listener) => ({ ...listener, count: await lagOf(listener) })),
      );
      // A service may follow a topic twice, when it makes a table anew from it.
      for (const { service, topic, count } of counts) lag.inc({ service, topic }, count);
    }),
    metrics.onRead(async () => {
      ready.reset();
      for (const [part, { ok }] of Object.entries(await states())) ready.set({ part }, Number(ok));
    }),
    metrics.onRead(async () => {
      depth.reset();
      waited.reset();
      for (const { queue, queued, active, failed, waitedS } of await jobs.depths()) {
        depth.set({ queue, state: "queued" }, queued);
        depth.set({ queue, state: "active" }, active);
        depth.set({ queue, state: "failed" }, failed);
        waited.set({ queue }, waitedS);
      }
    }),
  ];

  async function lagOf({ service, topic, marksName }: GaugeOptions["listeners"][number]): Promise<number> {
    const ends = await log.offsets(topic);
    const marks = await loadMarks(pool, service, marksName, [...ends.keys()]);
    // A mark beyond the end is of a topic that was made anew.
    return [...ends].reduce((sum, [partition, end]) => sum + Math.max(0, end - (marks.get(partition) ?? 0)), 0);
  }

  return () => {
    for (const stop of stops) stop();
  };
}
