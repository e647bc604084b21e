import { PROBLEM_CODES, type Service } from "#kernel";
import { DURATION_BUCKETS_S } from "#kernel/metrics";
import type { Data } from "./yaml.ts";

/**
 * What every service promises, as rules. A request is bad when we could not answer it (5xx, and the Problems that become one), and slow when it
 * was answered later than the service's p99 allows. Alerts look at how fast the budget burns, over a long window that says that it matters and a
 * short one that says that it still does (The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts").
 */
export type Declared = Pick<Service, "contract" | "slo">;

interface Burn {
  readonly long: string;
  readonly short: string;
  /** How many times faster than it may the budget burns: 2 % of a month's in an hour, 5 % in six, 10 % in three days. */
  readonly factor: number;
  readonly severity: "page" | "ticket";
}

export const BURNS: readonly Burn[] = [
  { long: "1h", short: "5m", factor: 14.4, severity: "page" },
  { long: "6h", short: "30m", factor: 6, severity: "page" },
  { long: "3d", short: "6h", factor: 1, severity: "ticket" },
];
const WINDOWS = [...new Set(BURNS.flatMap(({ long, short }) => [short, long]))];
const SECONDS: Readonly<Record<string, number>> = { "1h": 3_600, "6h": 21_600, "3d": 259_200 };
/** Of so few bad requests in the long window nobody is woken: one failure at night is a hundred per cent of nothing. */
export const BAD_MIN = 10;
/** A p99 promises it of 99 requests of a hundred. */
const SLOW_BUDGET = 0.01;

const BAD_CODES = Object.entries(PROBLEM_CODES)
  .filter(([, { status }]) => status >= 500)
  .map(([code]) => code)
  .join("|");

const rates = (window: string, calls: string, http: string, suffix = "count", le = ""): string => {
  const selector = (matchers: string): string => [matchers, le].filter((part) => part !== "").join(",");
  return `sum by (service) (
  rate(marquee_call_duration_seconds_${suffix}{${selector(calls)}}[${window}])
  or
  rate(marquee_http_duration_seconds_${suffix}{${selector(http)}}[${window}])
)`;
};

export function recordingRules(services: readonly Declared[]): Data {
  const byP99 = Map.groupBy(services, ({ slo }) => slo.p99Ms);
  const groups = WINDOWS.map((window) => {
    const requests = `marquee:service_requests:rate${window}`;
    const errors = `marquee:service_errors:rate${window}`;
    const slow = [...byP99]
      .toSorted(([a], [b]) => a - b)
      .map(([p99Ms, of]) => {
        const [calls, http] = answered(of);
        const fast = rates(window, calls, http, "bucket", `le="${bucketOf(p99Ms)}"`);
        return {
          record: `marquee:service_slow:ratio_rate${window}`,
          expr: `1 - ${fast}\n/\n${rates(window, calls, http)}`,
        };
      });
    return {
      name: `marquee requests over ${window}`,
      interval: ["5m", "30m", "1h"].includes(window) ? "30s" : "2m",
      rules: [
        { record: requests, expr: rates(window, "", "") },
        {
          record: errors,
          expr: `${rates(window, `code=~"${BAD_CODES}"`, `status=~"5.."`)}\nor\n0 * ${requests}`,
        },
        { record: `marquee:service_errors:ratio_rate${window}`, expr: `${errors} / (${requests} > 0)` },
        ...slow,
      ],
    };
  });
  const budgets = services.map(({ contract, slo }) => ({
    record: "marquee:slo_errors:budget",
    // Of the declared figure: 1 - 0.9999 is not 0.0001 in binary.
    expr: `vector(${Number((1 - slo.availability).toPrecision(6))})`,
    labels: { service: contract.name },
  }));
  return { groups: [{ name: "marquee promises", interval: "30s", rules: budgets }, ...groups] };
}

const answered = (services: readonly Declared[]): readonly [calls: string, http: string] => {
  const names = services.map(({ contract }) => contract.name).join("|");
  return [`service=~"${names}",code="ok"`, `service=~"${names}",status=~"[23].."`];
};

/** The upper bound as Prometheus' text form writes it. */
export function bucketOf(p99Ms: number): string {
  const boundS = p99Ms / 1_000;
  if (!(DURATION_BUCKETS_S as readonly number[]).includes(boundS))
    throw new Error(`a p99 of ${p99Ms} ms is no bound of DURATION_BUCKETS_S in kernel/metrics.ts: add it there`);
  return String(boundS);
}

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly severity: "page" | "ticket";
  readonly summary: string;
  /** What to do, for whoever is woken. */
  readonly remedy: string;
}

export function sloAlerts(): Alert[] {
  return BURNS.flatMap(({ long, short, factor, severity }) => {
    const suffix = long.toUpperCase();
    const burning = (name: string, above: string): string =>
      [long, short]
        .map((window) => `marquee:service_${name}:ratio_rate${window} > ${above}`)
        .join("\nand on (service)\n");
    const enough = (rate: string): string => `${rate} * ${SECONDS[long]} >= ${BAD_MIN}`;
    const slow = `marquee:service_slow:ratio_rate${long} * on (service) marquee:service_requests:rate${long}`;
    return [
      {
        alert: `MarqueeErrorBudgetBurn${suffix}`,
        expr: `${burning("errors", `on (service) (${factor} * marquee:slo_errors:budget)`)}\nand on (service)\n${enough(`marquee:service_errors:rate${long}`)}`,
        severity,
        summary: `{{ $labels.service }} fails {{ $value | humanizePercentage }} of its requests: ${factor} times its budget or more, over ${long} and ${short}`,
        remedy:
          "Open the service's dashboard: which call fails, and with which code. `unavailable` points at what it calls or at an engine; `internal` at itself: its log has the cause under the trace id.",
      },
      {
        alert: `MarqueeLatencyBudgetBurn${suffix}`,
        expr: `${burning("slow", String(Number((factor * SLOW_BUDGET).toPrecision(6))))}\nand on (service)\n${enough(slow)}`,
        severity,
        summary: `{{ $labels.service }} answers {{ $value | humanizePercentage }} of its requests later than it promises, over ${long} and ${short}`,
        remedy:
          "Open the service's dashboard: which call is slow, and whether all are. All at once: look at the event loop, the database's connections and the processor. One: a trace of it shows where the time goes.",
      },
    ];
  });
}
