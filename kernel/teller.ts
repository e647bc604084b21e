import { setTimeout as pause } from "node:timers/promises";
import { Problem } from "./errors.ts";
import { appendFacts, type OutboxRow } from "./events.ts";
import type { EventLog } from "./ports/log.ts";
import type { Logger } from "./telemetry.ts";

/**
 * Takes facts to the log that nobody waits for: what was decided or handed out is worth knowing, and no reason to keep a viewer waiting, or to
 * refuse a start when the log is away. They wait in memory, in their order, until it takes them; when it is away for long the oldest are
 * dropped, and a crash loses what waits. What may not be lost is a state event (`tx.emit`) or a fact that is awaited (`facts`).
 */
export interface Teller {
  tell(rows: readonly OutboxRow[]): void;
  /** Resolves when nothing waits any more. */
  drained(): Promise<void>;
  /** Tries once more to hand over what waits, and gives up the rest. */
  stop(): Promise<void>;
}

export interface TellerOptions {
  readonly log: Pick<EventLog, "append">;
  readonly logger: Logger;
  readonly waitingMax?: number;
  readonly retryMs?: number;
}

const WAITING_MAX = 10_000;
const AT_ONCE_MAX = 500;
const RETRY_MS = 1_000;

/** The log looked at them and will not have them, now or later. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Problem && ["invalid_argument", "failed_precondition", "permission_denied"].includes(error.code);

export function openTeller({ log, logger, waitingMax = WAITING_MAX, retryMs = RETRY_MS }: TellerOptions): Teller {
  const waiting: OutboxRow[] = [];
  const stopping = new AbortController();
  let dropped = 0;
  let draining: Promise<void> | undefined;

  function remove(batch: readonly OutboxRow[]): void {
    // Meanwhile the oldest may have been dropped, the batch among them.
    const gone = new Set(batch);
    while (waiting[0] && gone.has(waiting[0])) waiting.shift();
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, AT_ONCE_MAX);
      try {
        await appendFacts(log, batch);
        remove(batch);
        if (dropped > 0) logger.warn("facts were dropped while the log was away", { dropped });
        dropped = 0;
      } catch (error) {
        if (isRefusal(error)) {
          // Those behind them would wait for ever.
          logger.error("facts were refused by the log", { lost: batch.length, error });
          remove(batch);
        } else if (stopping.signal.aborted) {
          logger.warn("facts were lost, because the log is away", { lost: waiting.length, error });
          waiting.length = 0;
        } else await pause(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  const begin = (): Promise<void> => (draining ??= drain().finally(() => (draining = undefined)));

  return {
    tell(rows) {
      waiting.push(...rows);
      const tooMany = waiting.length - waitingMax;
      if (tooMany > 0) {
        waiting.splice(0, tooMany);
        dropped += tooMany;
      }
      void begin();
    },
    async drained() {
      while (waiting.length > 0) await begin();
    },
    async stop() {
      stopping.abort();
      while (waiting.length > 0) await begin();
    },
  };
}
