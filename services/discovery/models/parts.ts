import type { LRUCache } from "lru-cache";
import { Features } from "#contracts/features";
import type { Models as ModelsContract } from "#contracts/models";
import { Tenant } from "#contracts/tenant";
import type { Platform, Tx } from "#kernel";
import type { Version } from "./store.ts";

export const uses = { features: Features, tenant: Tenant };
export type ModelsPlatform = Platform<typeof ModelsContract, typeof uses>;
export type ModelsTx = Tx<typeof ModelsContract>;

/** What answers now, and what was counted of it since it was last written down. */
export interface Serving {
  /** Of a tenant's model; read again every two seconds. */
  readonly routes: LRUCache<string, readonly Version[]>;
  readonly counted: Map<string, Counted>;
  /** Of whom a version has said something today: each is counted once. */
  readonly seen: LRUCache<string, true>;
  readonly loading: Map<string, Promise<void>>;
  /** Versions that have answered this process before. */
  readonly answered: LRUCache<string, true>;
  forget(tenant: string, name: string): void;
}
export interface Counted {
  readonly tenant: string;
  readonly name: string;
  readonly version: number;
  predictions: number;
  failures: number;
  bins: number[];
}

export interface Parts
  extends Pick<ModelsPlatform, "db" | "call" | "tell" | "clock" | "logger" | "objects" | "models" | "jobs" | "config"> {
  readonly serving: Serving;
  /** Counts an answer of a model, or of the rule in its place. */
  readonly answered: (outcome: "model" | "rule", count: number) => void;
  worker?: { stop(): Promise<void> };
}

/** By what the runtime knows a version: it has no tenants of its own. */
export const refOf = (tenant: string, name: string, version: number) => ({
  name: `${tenant}.${name}`,
  version: String(version),
});
