import type { Service } from "#kernel";
import { CONTENT_PANELS, OPERATIONS_PANELS, type Panel, SERVICE_PANELS } from "./panels.ts";

/** Grafana's own JSON ("Dashboard JSON model"), as far as it does not fill it in by itself. */
interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly description: string;
}

type Declared = Pick<Service, "contract" | "slo" | "uses" | "consumes">;

const COLUMNS = 24;
const HEIGHT = 8;
const WIDTH = 8;
const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

/** Dashboards, by path from the root: one for each service, one for operations, one for content. */
export function dashboardFiles(services: readonly Declared[]): ReadonlyMap<string, string> {
  const all: Dashboard[] = [
    ...services.map(serviceDashboard),
    {
      uid: "marquee-operations",
      title: "Marquee: operations",
      description: "Health, errors, latency, delivery and quality of the whole product, for those who are on call.",
      panels: OPERATIONS_PANELS,
    },
    {
      uid: "marquee-content",
      title: "Marquee: content pipeline",
      description: "What is taken in, encoded and refused.",
      panels: CONTENT_PANELS,
    },
  ];
  return new Map(
    all.map((dashboard) => [
      `deploy/grafana/${dashboard.uid.replace("marquee-", "")}.json`,
      JSON.stringify(toGrafana(dashboard)),
    ]),
  );
}

function serviceDashboard({ contract, slo, uses, consumes }: Declared): Dashboard {
  const { name } = contract;
  const own = `service="${name}"`;
  const latency = (quantile: number): string =>
    `histogram_quantile(${quantile}, sum by (le) (rate(marquee_call_duration_seconds_bucket{${own}}[$__rate_interval])))`;
  const used = Object.values(uses).map((other) => other.name);
  const rate = (metric: string, by: string, more = ""): string =>
    `sum by (${by}) (rate(${metric}{${own}${more}}[$__rate_interval]))`;
  const panels: Panel[] = [
    { title: "Calls", queries: { "{{method}}": rate("marquee_call_duration_seconds_count", "method") }, unit: "reqps" },
    {
      title: "Calls that failed",
      queries: {
        "{{method}} {{code}}": rate("marquee_call_duration_seconds_count", "method, code", ',code!="ok"'),
      },
      unit: "reqps",
    },
    {
      title: "Duration of calls",
      queries: Object.fromEntries([0.5, 0.9, 0.95, 0.99].map((each) => [`p${each * 100}`, latency(each)])),
      unit: "s",
      limit: slo.p99Ms / 1_000,
    },
    {
      title: "Slowest of a hundred, by call",
      queries: {
        "{{method}}": `histogram_quantile(0.99, sum by (le, method) (rate(marquee_call_duration_seconds_bucket{${own}}[$__rate_interval])))`,
      },
      unit: "s",
      limit: slo.p99Ms / 1_000,
    },
    {
      title: "HTTP",
      queries: { "{{route}} {{status}}": rate("marquee_http_duration_seconds_count", "route, status") },
      unit: "reqps",
    },
    {
      title: "Budget: times too fast",
      queries: Object.fromEntries(
        ["1h", "6h", "3d"].map((window) => [
          window,
          `marquee:service_errors:ratio_rate${window}{${own}} / on (service) marquee:slo_errors:budget{${own}}`,
        ]),
      ),
      unit: "none",
      limit: 1,
    },
    {
      title: "Slower than promised",
      queries: Object.fromEntries(
        ["5m", "1h"].map((window) => [window, `marquee:service_slow:ratio_rate${window}{${own}}`]),
      ),
      unit: "percentunit",
      limit: 0.01,
    },
    {
      title: "Events on their way out: oldest",
      queries: { age: `max(marquee_outbox_age_seconds{${own}})` },
      unit: "s",
    },
    {
      title: "Ready",
      queries: { "{{instance}}": `marquee_ready{part="service/${name}"}` },
      unit: "none",
      kind: "stat",
    },
    ...(used.length === 0
      ? []
      : [
          {
            title: "What it calls: errors",
            queries: { "{{service}}": `marquee:service_errors:ratio_rate5m{service=~"${used.join("|")}"}` },
            unit: "percentunit",
          },
        ]),
    ...(consumes.length === 0
      ? []
      : [
          {
            title: "Events handled",
            queries: { "{{event}} {{outcome}}": rate("marquee_events_total", "event, outcome") },
            unit: "ops",
          },
          {
            title: "Events behind",
            queries: { "{{topic}}": `max by (topic) (marquee_consumer_lag_records{${own}})` },
            unit: "short",
          },
        ]),
    ...(SERVICE_PANELS[name] ?? []),
  ];
  const promise = `${Number((slo.availability * 100).toPrecision(6))} % of requests are answered, 99 % of them within ${slo.p99Ms} ms.`;
  return { uid: `marquee-service-${name}`, title: `Marquee: ${name}`, description: promise, panels };
}

function toGrafana({ uid, title, description, panels }: Dashboard): unknown {
  let [x, y] = [0, 0];
  const placed = panels.map((panel, index) => {
    const width = panel.width ?? WIDTH;
    if (x + width > COLUMNS) [x, y] = [0, y + HEIGHT];
    const gridPos = { x, y, w: width, h: HEIGHT };
    x += width;
    return toPanel(panel, index + 1, gridPos);
  });
  return {
    uid,
    title,
    description,
    tags: ["marquee"],
    schemaVersion: 39,
    editable: false,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: { list: [{ name: "datasource", type: "datasource", query: "prometheus" }] },
    links: [{ title: "Marquee", type: "dashboards", tags: ["marquee"], asDropdown: true }],
    panels: placed,
  };
}

function toPanel({ title, queries, unit, kind = "timeseries", limit }: Panel, id: number, gridPos: object): unknown {
  const isTable = kind === "table";
  return {
    id,
    type: kind,
    title,
    gridPos,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: {
        unit,
        ...(limit === undefined
          ? {}
          : {
              custom: { thresholdsStyle: { mode: "line" } },
              thresholds: {
                mode: "absolute",
                steps: [
                  { color: "green", value: null },
                  { color: "red", value: limit },
                ],
              },
            }),
      },
      overrides: [],
    },
    targets: Object.entries(queries).map(([legendFormat, expr], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat,
      ...(isTable ? { format: "table", instant: true } : {}),
    })),
  };
}
