import type { Alert } from "./slo.ts";

/** Living sessions: every process of `session` tells those of the whole product. */
export const SESSIONS = "sum(max by (content_type, device, region) (marquee_active_sessions))";

/** True for a counter that grew, and for one that was not there before: what counts from its first event on has no growth to see. */
const grew = (counter: string, window: string): string =>
  `increase(${counter}[${window}]) > 0\nor\n(${counter} > 0 unless ${counter} offset ${window})`;

/** What operators are told besides the promises of services (ARCH-001 section 9: QoE by segment; CDN, encoders, queues and the engines beneath). */
export const OPERATIONAL_ALERTS: readonly Alert[] = [
  {
    alert: "MarqueeDown",
    expr: `up{job="marquee"} == 0`,
    for: "2m",
    severity: "page",
    summary: "{{ $labels.instance }} does not answer Prometheus",
    remedy: "See whether the process lives, and the end of its log. It takes up its work where it stopped.",
  },
  {
    alert: "MarqueePartNotReady",
    expr: `min by (instance, part) (marquee_ready) == 0`,
    for: "5m",
    severity: "page",
    summary: "{{ $labels.part }} at {{ $labels.instance }} cannot do its work",
    remedy: "Ask /readyz or `./marquee doctor`: they say what is wrong with it.",
  },
  {
    alert: "MarqueeEventLoopLate",
    expr: `nodejs_eventloop_lag_p99_seconds{job="marquee"} > 0.25`,
    for: "5m",
    severity: "page",
    summary: "the event loop of {{ $labels.instance }} is {{ $value | humanizeDuration }} late",
    remedy:
      "The process has more to do than a core can: spread services over processes, or take encoding away from it.",
  },
  {
    alert: "MarqueeDatabaseConnectionsShort",
    expr: `min_over_time(marquee_db_connections{state="awaited"}[5m]) > 0`,
    severity: "page",
    summary: "at {{ $labels.instance }} {{ $value }} pieces of work wait for a database connection, for minutes",
    remedy: "Look for long transactions in pg_stat_activity; else the process has too much to do.",
  },
  {
    alert: "MarqueeOutboxOld",
    expr: `max by (service) (marquee_outbox_age_seconds) > 60`,
    for: "2m",
    severity: "page",
    summary: "events of {{ $labels.service }} wait {{ $value | humanizeDuration }} for the event log",
    remedy:
      "The event log is away or refuses them: the log says `the outbox relay will try again` with the reason. Nothing is lost.",
  },
  {
    alert: "MarqueeConsumerBehind",
    expr: `max by (service, topic) (min_over_time(marquee_consumer_lag_records[10m])) > 1000`,
    severity: "ticket",
    summary: "{{ $labels.service }} is {{ $value }} events of {{ $labels.topic }} behind, for ten minutes",
    remedy:
      "Its log says which event fails or waits. If none does, it needs more processes: partitions are shared among them.",
  },
  {
    alert: "MarqueeFeaturesStale",
    expr: "max by (tenant, type) (marquee_features_overdue_seconds)\n> on (type) group_left\nmax by (type) (clamp_min(marquee_features_cadence_seconds, 300))",
    for: "5m",
    severity: "ticket",
    summary:
      "{{ $labels.type }} of {{ $labels.tenant }} waits {{ $value | humanizeDuration }} longer to be published than its turn",
    remedy:
      "Models go on with older values. `./marquee features status` shows all groups; the log of features says why it cannot publish. More processes of it share the work.",
  },
  {
    alert: "MarqueeFeaturesSkewed",
    expr: "max by (tenant, type) (marquee_features_skew_ratio) > 0.01",
    for: "10m",
    severity: "ticket",
    summary:
      "{{ $value | humanizePercentage }} of {{ $labels.type }} of {{ $labels.tenant }} are served as the lake does not have them",
    remedy:
      "Models see something else than they were trained on. `./marquee rebuild features` makes what is served anew; if it comes back, somebody else writes to the cache.",
  },
  {
    alert: "MarqueeLakeBehind",
    expr: `max by (service, topic) (min_over_time(marquee_sink_lag_records[30m])) > 100000`,
    severity: "ticket",
    summary: "the lake is {{ $value }} events of {{ $labels.topic }} behind",
    remedy:
      "The log of analytics says what it cannot write. The event log keeps events for its retention, and no longer.",
  },
  {
    alert: "MarqueeDeadLetters",
    expr: grew(`marquee_events_total{outcome="dead"}`, "15m"),
    severity: "ticket",
    summary: "{{ $labels.service }} set events of the kind {{ $labels.event }} aside",
    remedy: "The topic's dead letters hold them with the reason. Mend it, then send them again.",
  },
  {
    alert: "MarqueeJobsWait",
    expr: `max by (queue) (marquee_job_age_seconds) > 3600`,
    for: "10m",
    severity: "ticket",
    summary: "a job of {{ $labels.queue }} has waited {{ $value | humanizeDuration }}",
    remedy: "No worker runs, or there are too few: MARQUEE_ENCODE_CONCURRENCY, or more processes of the service.",
  },
  {
    alert: "MarqueeEncodingsFail",
    expr: `sum(increase(marquee_encodings_total{outcome="failed"}[1h])) > 2`,
    severity: "ticket",
    summary: "{{ $value | humanize }} titles could not be encoded within an hour",
    remedy: "`./marquee jobs` gives each one's reason; `./marquee retry ID` goes on from where it stopped.",
  },
  {
    alert: "MarqueeEncodingsSlow",
    expr: `sum(increase(marquee_encoding_duration_seconds_count[1d])) - sum(increase(marquee_encoding_duration_seconds_bucket{le="14400"}[1d])) > 0.5`,
    severity: "ticket",
    summary: "{{ $value | humanize }} titles took longer than the four hours that encoding promises",
    remedy: "Compare the queue's depth with the workers: it needs more processes of encoding, or faster ones.",
  },
  {
    alert: "MarqueeQualityLow",
    expr: `max by (tenant, dimension, segment) (marquee_qoe_score_p25) < 70`,
    for: "1m",
    severity: "page",
    summary:
      "a quarter of those at {{ $labels.dimension }} {{ $labels.segment }} have a score of {{ $value | humanize }} or less",
    remedy:
      "Compare dimensions: one network points at that network, one region at what lies before it, all at origin or content.",
  },
  {
    alert: "MarqueeRebuffering",
    expr: `sum(rate(marquee_qoe_rebuffer_seconds_total[10m])) / (sum(rate(marquee_qoe_watched_seconds_total[10m])) > 0.5) > 0.01`,
    for: "5m",
    severity: "page",
    summary: "people wait {{ $value | humanizePercentage }} of the time that they watch",
    remedy: "See the edges' hit ratio and errors, then the origin's latency.",
  },
  {
    alert: "MarqueePlaybackErrors",
    expr: `sum by (network) (increase(marquee_playback_errors_total[10m])) > 9\nand\nsum by (network) (increase(marquee_playback_errors_total[10m])) > 0.05 * scalar(${SESSIONS})`,
    for: "2m",
    severity: "page",
    summary: "players report {{ $value | humanize }} errors at network {{ $labels.network }} within ten minutes",
    remedy: "See which code they have in the topic playback.errors, and whether the network's edge refuses or fails.",
  },
  {
    alert: "MarqueeEdgeDown",
    expr: `up{job="marquee-edge"} == 0`,
    for: "2m",
    severity: "page",
    summary: "the edge at {{ $labels.instance }} does not answer",
    remedy:
      "Players go on at the other network. The edge is started again by itself after three seconds; its access log says how it ended.",
  },
  {
    alert: "MarqueeEdgeErrors",
    expr: `sum by (edge) (rate(marquee_edge_requests_total{status=~"5.."}[5m])) / sum by (edge) (rate(marquee_edge_requests_total[5m])) > 0.01`,
    for: "5m",
    severity: "page",
    summary: "edge {{ $labels.edge }} fails {{ $value | humanizePercentage }} of its requests",
    remedy: "An edge fails when its origin does: look at origin's dashboard first.",
  },
  {
    alert: "MarqueeCircuitOpen",
    expr: `max by (instance, service) (marquee_rpc_circuit_open) == 1`,
    for: "5m",
    severity: "page",
    summary: "{{ $labels.instance }} has stopped calling {{ $labels.service }}, which does not answer",
    remedy: "See whether a process of the service runs at the address that MARQUEE_PEERS says.",
  },
  {
    alert: "MarqueeCallsRefused",
    expr: grew(`marquee_rpc_refused_total{reason=~"undeclared_call|foreign_caller"}`, "15m"),
    severity: "page",
    summary: "a process asked {{ $labels.service }} for what is not its to ask ({{ $labels.reason }})",
    remedy:
      "The audit log says which process. After a release it is a `uses` that is missing; else somebody has a certificate who should not.",
  },
  {
    alert: "MarqueePlaybackTurnedAway",
    expr: `sum(rate(marquee_requests_refused_total{queue="playback"}[5m])) > 1`,
    for: "2m",
    severity: "page",
    summary:
      "{{ $value | humanize }} requests of players a second are told to come back, because more come than can be answered",
    remedy:
      "Add processes of the web and of the services that it calls, or cores. Those who look around are turned away first; if `rate` is what grows in marquee_requests_refused_total, it is a few who ask too often.",
  },
  {
    alert: "MarqueeSignInsRefused",
    expr: `sum(rate(marquee_auth_sign_ins_total{code=~"unauthenticated|resource_exhausted"}[10m])) > 1\nand\nsum(rate(marquee_auth_sign_ins_total{code=~"unauthenticated|resource_exhausted"}[10m])) > 0.8 * sum(rate(marquee_auth_sign_ins_total[10m]))`,
    for: "5m",
    severity: "ticket",
    summary: "{{ $value | humanize }} sign-ins a second are refused, more than four of five",
    remedy:
      "Somebody tries passwords: the audit log says from where. Accounts lock by themselves; block the addresses in front.",
  },
];
