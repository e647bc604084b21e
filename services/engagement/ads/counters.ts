import type { Metrics } from "#kernel";

/** What happens to ads, for operators. */
export interface Counters {
  decided(reason: string): void;
  impression(): void;
  completed(): void;
  beacon(outcome: "sent" | "failed" | "dropped"): void;
  asked(outcome: "answered" | "empty" | "failed"): void;
}

export function openCounters(metrics: Metrics): Counters {
  const decisions = metrics.counter("ad_decisions_total", "Sessions for which breaks were filled, or why not", [
    "reason",
  ]);
  const impressions = metrics.counter("ad_impressions_total", "Ads that began to be shown");
  const completes = metrics.counter("ad_completes_total", "Ads that were shown to their end");
  const beacons = metrics.counter(
    "ad_beacons_total",
    "Beacons to ad servers: sent, failed and tried again, or given up",
    ["outcome"],
  );
  const requests = metrics.counter("ad_server_requests_total", "Ad servers that were asked, and what came of it", [
    "outcome",
  ]);
  return {
    decided: (reason) => decisions.inc({ reason }),
    impression: () => impressions.inc(),
    completed: () => completes.inc(),
    beacon: (outcome) => beacons.inc({ outcome }),
    asked: (outcome) => requests.inc({ outcome }),
  };
}
