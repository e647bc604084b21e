import type { Stateful } from "./state.ts";

/** The jobs port: durable work with leases. A worker that dies loses its lease; the job is tried again elsewhere. */
export interface Jobs extends Stateful {
  createQueue(name: string, options: QueueOptions): Promise<void>;
  /** Enqueues inside the caller's transaction: the job exists if and only if the transaction commits. A job whose key waits or runs already is skipped. */
  send(sql: SqlExecutor, queue: string, jobs: readonly NewJob[]): Promise<void>;
  /** Runs `handle` for up to `concurrency` jobs at once. A rejection is retried with back-off within the queue's budget; then the job is failed. */
  work(queue: string, options: { readonly concurrency: number }, handle: (job: Job) => Promise<void>): Promise<Worker>;
  /** Ends jobs that have not started. */
  cancel(queue: string, key: string): Promise<void>;
  counts(queue: string): Promise<{ readonly queued: number; readonly active: number; readonly failed: number }>;
  /** Of every queue, for metrics. */
  depths(): Promise<readonly QueueDepth[]>;
  close(): Promise<void>;
}

export interface QueueDepth {
  readonly queue: string;
  readonly queued: number;
  readonly active: number;
  readonly failed: number;
  /** For how long the oldest job that could run waits, in seconds; 0 where none does. */
  readonly waitedS: number;
}

export interface QueueOptions {
  readonly retriesMax: number;
  readonly retryDelayS: number;
  /** The lease: a worker that does not beat for so long is dead. */
  readonly heartbeatS: number;
  /** A job that runs longer is ended and tried again. */
  readonly expireS: number;
}

export interface NewJob {
  /** At most one job with this key waits or runs in a queue. A job that is running may have seen less than its sender wrote. */
  readonly key: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Higher goes first. */
  readonly priority?: number;
}

export interface Job {
  readonly id: string;
  readonly key: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** 0 at the first try. */
  readonly attempt: number;
  readonly isLastAttempt: boolean;
  /** Aborts when the lease is lost or the process stops. */
  readonly signal: AbortSignal;
}

export interface Worker {
  /** Takes no new jobs, aborts those under way (they return to the queue) and resolves when they ended. */
  stop(): Promise<void>;
}

/** A transaction's way to run SQL. */
export interface SqlExecutor {
  executeSql(text: string, values: readonly unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
}
