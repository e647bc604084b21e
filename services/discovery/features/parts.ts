import { Analytics } from "#contracts/analytics";
import { Catalog } from "#contracts/catalog";
import type { Features } from "#contracts/features";
import { Tenant } from "#contracts/tenant";
import type { Platform, Tx } from "#kernel";
import type { Watch } from "./watch.ts";

export const uses = { analytics: Analytics, catalog: Catalog, tenant: Tenant };
export type FeaturesPlatform = Platform<typeof Features, typeof uses>;
export type FeaturesTx = Tx<typeof Features>;

export interface Parts extends Pick<FeaturesPlatform, "db" | "call" | "cache" | "clock" | "logger"> {
  /** Counts values that were published, and how long after what they say they were. */
  readonly published: (group: string, values: readonly { readonly lagMs: number }[]) => void;
  readonly watch: Watch;
  /** Counts what was looked up, and where it was found. */
  readonly looked: (where: "cache" | "database" | "nowhere", count: number) => void;
}
