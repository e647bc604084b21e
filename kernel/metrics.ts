import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/**
 * What a label may be called, with what bounds its values. Nobody's id is among them: a series for each viewer, session or film would
 * never end. A label that is not here does not compile.
 */
const LABELS = {
  service: "the services, and the BFFs",
  method: "the calls of a contract",
  code: "the closed set of Problems, and ok",
  server: "the listeners",
  route: "prefixes of mounts and patterns of routes, never a path",
  status: "HTTP status codes",
  event: "the declared events",
  topic: "the declared topics",
  queue: "the declared queues",
  outcome: "words of the code that counts",
  reason: "words of the code that counts",
  state: "words of the code that counts",
  type: "words of the code that counts",
  way: "ways to sign in",
  system: "the DRM systems",
  network: "the configured delivery networks",
  content_type: "vod; the others as they come",
  device: "kinds of devices; what is none of ours counts as other",
  region: "countries (ISO 3166-1); what is none counts as unknown",
  dimension: "what scores of experience go by",
  segment:
    "networks, countries, kinds of devices, channels and content types: the watched segments with the most sessions",
  profile: "the rungs of the ladder",
  tier: "the plans",
  part: "services and adapters",
  tenant: "the tenants of the product",
  table: "the tables of the lake",
} as const;
export type Label = keyof typeof LABELS;
export const LABEL_NAMES: ReadonlySet<string> = new Set(Object.keys(LABELS));

/** Bounds of durations, in seconds. Every promise that a service makes of its slowest calls is one of them, or nobody could say whether it is kept. */
export const DURATION_BUCKETS_S = [
  0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.5, 1, 2.5, 5, 10,
] as const;

/** What does not answer within this is left out of what Prometheus is told, so that one engine that hangs does not hide all figures. */
const READ_MS_MAX = 2_000;

/** Reads figures that are asked for only when somebody looks, such as how long a queue is. */
type Reading = () => Promise<void> | void;

/** Prometheus metrics: RED for every service from the kernel, business metrics by name. */
export function openMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const readings = new Set<Reading>();
  const buckets = [...DURATION_BUCKETS_S];
  const once = <T, Rest extends readonly unknown[]>(
    make: (name: string, help: string, labels: readonly Label[], ...rest: Rest) => T,
  ) => {
    const made = new Map<string, T>();
    return (name: string, help: string, labels: readonly Label[] = [], ...rest: Rest): T => {
      const known = made.get(name) ?? make(`marquee_${name}`, help, labels, ...rest);
      made.set(name, known);
      return known;
    };
  };
  const counter = once((name, help, labelNames) => new Counter({ name, help, labelNames, registers }));
  const gauge = once((name, help, labelNames) => new Gauge({ name, help, labelNames, registers }));
  const histogram = once(
    (name, help, labelNames, ...[bounds = buckets]: [bounds?: number[]]) =>
      new Histogram({ name, help, labelNames, buckets: bounds, registers }),
  );
  return {
    registry,
    calls: histogram("call_duration_seconds", "Duration of service calls", ["service", "method", "code"]),
    requests: histogram("http_duration_seconds", "Duration of HTTP requests", ["server", "service", "route", "status"]),
    events: counter("events_total", "Events handled, by consumer and outcome", ["service", "event", "outcome"]),
    counter,
    gauge,
    histogram,
    /** Runs `reading` whenever the metrics are asked for, until the returned function is called. */
    onRead(reading: Reading): () => void {
      readings.add(reading);
      return () => void readings.delete(reading);
    },
    /** All of it in Prometheus' text form. */
    async text(): Promise<string> {
      await Promise.all([...readings].map(patiently));
      return registry.metrics();
    },
  };
}
export type Metrics = ReturnType<typeof openMetrics>;

/** Waits for a reading, but not for ever; one that fails has cleared its gauge before, so that an old figure is not taken for a new one. */
async function patiently(reading: Reading): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, READ_MS_MAX);
  });
  await Promise.race([
    Promise.resolve()
      .then(reading)
      .catch(() => {}),
    late,
  ]);
  clearTimeout(timer);
}

/** Figures of the process itself: processor time, memory, garbage collection, and how late the event loop is. Once a process. */
export function watchProcess({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry });
}
