import { setTimeout as pause } from "node:timers/promises";
import { toRecord } from "./events.ts";
import { roleOf } from "./migrate.ts";
import type { EventLog } from "./ports/log.ts";
import { identifier, inTransaction, type Pool } from "./sql.ts";
import type { Logger } from "./telemetry.ts";

/**
 * The outbox relay of one service: moves committed events to the log, in commit order per key.
 *
 * Serial ids are not commit order: a transaction that took a lower id may commit later. The relay therefore reads only rows whose
 * transaction is older than every running one (`xid < pg_snapshot_xmin`). It deletes rows after the log acknowledged
 * them; a crash in between sends them again, and the log, or where it cannot each consumer (`inbox.ts`), drops them by their event id.
 */
export interface Relay {
  /** Says that `count` more events were committed. */
  wake(count: number): void;
  /** Resolves when nothing that was committed before the call is left. */
  drained(): Promise<void>;
  /** What is not known to be in the log yet: about how many, and since when, in milliseconds since the epoch. */
  pending(): { readonly count: number; readonly oldestMs: number | undefined };
  stop(): Promise<void>;
}

interface OutboxRecord {
  readonly id: number;
  readonly event_id: string;
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
  /** Whether its transaction is older than every running one. */
  readonly settled: boolean;
}

interface Passed {
  readonly sent: number;
  readonly left: boolean;
  /** When the first of those that are left was emitted, where that is known. */
  readonly oldestMs?: number | undefined;
}

function bornMs(row: OutboxRecord | undefined): number | undefined {
  const ms = Date.parse(row?.headers["ce_time"] ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

const BATCH_MAX = 500;
/** Also without a wake: another process may have died between its commit and its relay. */
const IDLE_MS = 5_000;
const GATHER_MS = 20;
const RETRY_MS_MIN = 5;
const RETRY_MS_MAX = 250;

export function startRelay(options: {
  readonly service: string;
  readonly pool: Pool;
  readonly log: EventLog;
  readonly logger: Logger;
}): Relay {
  const { service, pool, log, logger } = options;
  const outbox = `${identifier(service)}.outbox`;
  const setup = `SET LOCAL ROLE ${identifier(roleOf(service))}`;
  let pending = 0;
  let oldestMs: number | undefined;
  /** Whether something was committed since the pass under way began: it may not have seen it. */
  let isAwake = false;
  let stopping = false;
  let nudge: (() => void) | undefined;
  let waiters: (() => void)[] = [];

  async function pass(): Promise<Passed> {
    return inTransaction(pool, setup, async (client) => {
      // Only one relay a service at a time, in whatever process, or order per key would be lost.
      const { rows: locks } = await client.query<{ held: boolean }>(
        "SELECT pg_try_advisory_xact_lock(hashtext($1)) AS held",
        [`outbox/${service}`],
      );
      if (!locks[0]?.held) return { sent: 0, left: true };
      const { rows } = await client.query<OutboxRecord>(
        `SELECT id, event_id, topic, key, headers, value, xid < pg_snapshot_xmin(pg_current_snapshot()) AS settled
           FROM ${outbox} ORDER BY id LIMIT ${BATCH_MAX}`,
      );
      const settled = rows.filter((row) => row.settled);
      // Before they are sent: a log that is away must not hide how old they are.
      oldestMs = bornMs(rows[0]) ?? oldestMs;
      if (settled.length > 0) {
        await log.append(settled.map(({ event_id: eventId, ...row }) => toRecord({ eventId, ...row })));
        await client.query(`DELETE FROM ${outbox} WHERE id = ANY($1)`, [settled.map((row) => row.id)]);
      }
      const isFull = rows.length === BATCH_MAX;
      return {
        sent: settled.length,
        left: rows.length > settled.length || isFull,
        oldestMs: bornMs(rows.find((row) => !row.settled) ?? (isFull ? rows.at(-1) : undefined)),
      };
    });
  }

  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timer);
        nudge = undefined;
        resolve();
      }
      nudge = done;
    });

  async function run(): Promise<void> {
    let retryMs = RETRY_MS_MIN;
    while (!stopping) {
      let left = false;
      const asked = waiters;
      waiters = [];
      isAwake = false;
      const passMs = Date.now();
      try {
        const { sent, left: more, oldestMs: older } = await pass();
        left = more;
        pending = Math.max(left ? 1 : 0, left || isAwake ? pending - sent : 0);
        oldestMs = pending > 0 ? (older ?? passMs) : undefined;
        if (sent > 0 || !left) retryMs = RETRY_MS_MIN;
      } catch (error) {
        left = true;
        logger.warn("the outbox relay will try again", { relay: service, error });
      }
      if (left) {
        waiters.push(...asked);
        // The database and the log live in real time, whatever clock the services have.
        await pause(retryMs);
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
      } else {
        for (const done of asked) done();
        if (waiters.length > 0 || stopping) continue;
        // What is committed in a crowd goes out together: a pass costs the same for one event as for many.
        await (isAwake ? pause(GATHER_MS) : rest(IDLE_MS));
      }
    }
    for (const done of waiters) done();
  }
  const running = run();

  return {
    wake(count) {
      pending += count;
      isAwake = true;
      oldestMs ??= Date.now();
      nudge?.();
    },
    drained: () =>
      new Promise((resolve) => {
        waiters.push(resolve);
        nudge?.();
      }),
    pending: () => ({ count: pending, oldestMs }),
    async stop() {
      stopping = true;
      nudge?.();
      await running;
    },
  };
}
