import type { Metrics } from "#kernel/metrics";
import { groups, kindOf } from "./groups.ts";
import type { Parts } from "./parts.ts";
import * as store from "./store.ts";

/** Tells Prometheus by how much the entity that waits longest is late, by group and tenant. */
export interface Overdue {
  look(parts: Pick<Parts, "db" | "clock">, tenant: string): Promise<void>;
}

const NAMES = groups.map(({ name }) => name).filter((name) => kindOf(name) !== undefined);

export function watchFreshness(metrics: Metrics): Overdue {
  const overdue = metrics.gauge(
    "features_overdue_seconds",
    "By how much the entity of a group is late that waits longest to be published",
    ["tenant", "type"],
  );
  return {
    async look({ db, clock }, tenant) {
      const due = await db.read({ tenant }, (tx) => store.oldestDue(tx, NAMES));
      const nowMs = clock.nowMs();
      for (const type of NAMES) overdue.set({ tenant, type }, Math.max(0, nowMs - (due.get(type) ?? nowMs)) / 1_000);
    },
  };
}
