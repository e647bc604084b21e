import type { Metrics } from "#kernel/metrics";
import { groups, kindOf } from "./groups.ts";
import type { Parts } from "./parts.ts";
import { skewsOf } from "./status.ts";
import * as store from "./store.ts";

/** Tells Prometheus how late and how skewed groups are, by tenant. */
export interface Watch {
  /** By how much the entity that waits longest is late. */
  lookForLate(parts: Parts, tenant: string): Promise<void>;
  /** Which share of a sample differs from what the lake has of it, and how far their distributions are apart. */
  lookForSkew(parts: Parts, tenant: string): Promise<void>;
}

const KEPT = groups.filter(({ name }) => kindOf(name) !== undefined);
const SAMPLE = 100;

export function openWatch(metrics: Metrics): Watch {
  const of = (name: string, help: string) => metrics.gauge(`features_${name}`, help, ["tenant", "type"]);
  const overdue = of("overdue_seconds", "By how much the entity of a group is late that waits longest to be published");
  const skew = of(
    "skew_ratio",
    "Share of a sample whose served value is not the one that the lake has of the same time",
  );
  const psi = of("psi", "Largest population stability index of a group's numbers, served beside the lake");
  const cadence = metrics.gauge("features_cadence_seconds", "How often a group is published; 0: with events", ["type"]);
  for (const { name, cadenceMs } of KEPT) cadence.set({ type: name }, cadenceMs / 1_000);
  return {
    async lookForLate({ db, clock }, tenant) {
      const names = KEPT.map(({ name }) => name);
      const due = await db.read({ tenant }, (tx) => store.oldestDue(tx, names));
      const nowMs = clock.nowMs();
      for (const type of names) overdue.set({ tenant, type }, Math.max(0, nowMs - (due.get(type) ?? nowMs)) / 1_000);
    },
    async lookForSkew(parts, tenant) {
      for (const [type, one] of await skewsOf(parts, tenant, SAMPLE)) {
        if (one.compared > 0) skew.set({ tenant, type }, one.skewed / one.compared);
        if (!Number.isNaN(one.psi)) psi.set({ tenant, type }, one.psi);
      }
    },
  };
}
