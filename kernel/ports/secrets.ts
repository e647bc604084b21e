import type { Stateful } from "./state.ts";

/** The secrets port, after Vault KV v2: names with slashes, small JSON values, versions that only grow. Values never enter logs, events or errors. */
export interface Secrets extends Stateful {
  get(name: string): Promise<Secret | undefined>;
  /** Writes the next version. With `expectedVersion` (0: must not exist) `aborted` when somebody was faster. */
  put(
    name: string,
    value: Readonly<Record<string, unknown>>,
    options?: { readonly expectedVersion?: number },
  ): Promise<number>;
  delete(name: string): Promise<void>;
  list(prefix: string, namesMax: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface Secret {
  readonly version: number;
  readonly value: Readonly<Record<string, unknown>>;
}
