interface Counts {
  readonly tests: number;
  readonly suites: number;
  readonly passed: number;
  readonly cancelled: number;
  readonly skipped: number;
  readonly todo: number;
}

export interface Failure {
  /** The file that was run, relative to the repository. */
  readonly file: string;
  /** Where the test is written, with its line. */
  readonly at: string;
  readonly name: string;
}

interface Result {
  /** Undefined of a file that ended before it could count. */
  readonly counts: Counts | undefined;
  readonly durationMs: number;
  readonly failures: readonly Failure[];
}

/** So many files are told that took the longest: what a run takes is nearly theirs. */
const SLOWEST = 12;
const NONE: Counts = { tests: 0, suites: 0, passed: 0, cancelled: 0, skipped: 0, todo: 0 };
const FRESH: Result = { counts: undefined, durationMs: 0, failures: [] };

/** What files of tests said, kept by file: one that is run again says it anew. */
export class TestResults {
  readonly #files = new Map<string, Result>();
  /** What failed without being a test: a run that was stopped, or took too long. */
  readonly #troubles: string[] = [];
  /** What failed once and passed when it was run again. */
  readonly #chancy: Failure[] = [];

  get failures(): readonly Failure[] {
    return [...this.#files.values()].flatMap(({ failures }) => failures);
  }

  get hasTrouble(): boolean {
    return this.#troubles.length > 0;
  }

  get passes(): boolean {
    const { tests, failed, cancelled } = this.totals;
    return tests > 0 && failed + cancelled + this.failures.length + this.#troubles.length === 0;
  }

  get totals(): Counts & { readonly failed: number } {
    const sum = { ...NONE };
    for (const { counts = { ...NONE, tests: 1 } } of this.#files.values())
      for (const name of Object.keys(NONE) as (keyof Counts)[]) sum[name] += counts[name];
    return { ...sum, failed: sum.tests - sum.passed - sum.cancelled - sum.skipped - sum.todo };
  }

  counted(file: string, counts: Counts, durationMs: number): void {
    this.#files.set(file, { ...this.#of(file), counts, durationMs });
  }

  failed(failure: Failure): void {
    const { failures, ...rest } = this.#of(failure.file);
    this.#files.set(failure.file, { ...rest, failures: [...failures, failure] });
  }

  trouble(what: string): void {
    this.#troubles.push(what);
  }

  /**
   * Takes what a file's failures said when they were run again, alone or with the rest of the file (`isWhole`). What passed now is told apart; where
   * anything failed again, all that failed before has failed.
   */
  replace(file: string, again: TestResults, isWhole: boolean): void {
    if (!again.passes) return;
    const { counts, durationMs, failures } = this.#of(file);
    const { tests, skipped, todo } = counts ?? again.totals;
    const mended = counts && { ...counts, passed: tests - skipped - todo, cancelled: 0 };
    this.#files.set(file, isWhole || !mended ? again.#of(file) : { counts: mended, durationMs, failures: [] });
    this.#chancy.push(...failures);
  }

  /** The closing lines; the totals in the words of node:test. */
  lines(durationMs: number): string[] {
    const list = (title: string, lines: readonly string[]): string[] =>
      lines.length === 0 ? [] : ["", title, ...new Set(lines.map((line) => `  ${line}`))];
    const label = ({ at, name }: Failure): string => `${at}: ${name}`;
    const slowest = [...this.#files].toSorted(([, a], [, b]) => b.durationMs - a.durationMs).slice(0, SLOWEST);
    const times = slowest.map(([file, { durationMs: ms }]) => `${Math.round(ms / 1_000)} s  ${file}`);
    const { tests, suites, passed: pass, failed: fail, cancelled, skipped, todo } = this.totals;
    const rows = { tests, suites, pass, fail, cancelled, skipped, todo, duration_ms: Math.round(durationMs) };
    return [
      ...list("↻ failed, and passed when they were run again with nothing beside them:", this.#chancy.map(label)),
      ...list("✖ failed:", [...this.#troubles, ...this.failures.map(label)]),
      ...list("slowest files:", times),
      ...["", "in all:", ...Object.entries(rows).map(([name, value]) => `ℹ ${name} ${value}`)],
    ];
  }

  #of(file: string): Result {
    return this.#files.get(file) ?? FRESH;
  }
}
