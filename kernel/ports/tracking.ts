/**
 * The port of experiment tracking: where a team looks at trainings beside those of other programs. There may be none, and nothing waits for it: the
 * registry of the product is what counts.
 */
export interface Tracking {
  /** Where it is, for logs. */
  readonly at: string;
  /** Writes a run as it is known now: a second time the same run, with what changed. Rejects `unavailable` or `failed_precondition`. */
  note(run: TrackedRun, signal: AbortSignal): Promise<void>;
}

export interface TrackedRun {
  /** Runs of one experiment are compared. */
  readonly experiment: string;
  /** By which it is found again, such as `demo/churn/3`. */
  readonly key: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** What it was made with; they never change. */
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  /** These may change. */
  readonly tags: Readonly<Record<string, string>>;
}
