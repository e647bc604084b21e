/** A panel of a dashboard as its author thinks of it; where it stands and what Grafana wants besides is in dashboards.ts. */
export interface Panel {
  readonly title: string;
  /** Queries, by what their lines are called. */
  readonly queries: Readonly<Record<string, string>>;
  /** Grafana's name of the unit, such as `s`, `reqps`, `percentunit`, `short`. */
  readonly unit: string;
  readonly kind?: "timeseries" | "stat" | "table";
  /** Draws a line here: a promise, or a limit. */
  readonly limit?: number;
  /** Of 24 columns; 8 where it is not given. */
  readonly width?: number;
}

const by = (label: string, metric: string, selector = ""): Record<string, string> => ({
  [`{{${label}}}`]: `sum by (${label}) (rate(${metric}${selector}[$__rate_interval]))`,
});
const quantiles = (histogram: string, of: readonly number[], keep = ""): Record<string, string> =>
  Object.fromEntries(
    of.map((quantile) => [
      `p${quantile * 100}${keep === "" ? "" : ` {{${keep}}}`}`,
      `histogram_quantile(${quantile}, sum by (${["le", keep].filter(Boolean).join(", ")}) (rate(${histogram}_bucket[$__rate_interval])))`,
    ]),
  );

/** Living sessions are told by every process of `session` for the whole product. */
const sessionsBy = (label: string): Record<string, string> => ({
  [`{{${label}}}`]: `sum by (${label}) (max by (content_type, device, region) (marquee_active_sessions))`,
});

const activeStreams: Panel = { title: "Concurrent streams", queries: sessionsBy("device"), unit: "short" };
const starts: Panel = {
  title: "Playback starts",
  queries: by("content_type", "marquee_playback_starts_total"),
  unit: "ops",
};
const playbackErrors: Panel = {
  title: "Errors that players report",
  queries: by("network", "marquee_playback_errors_total"),
  unit: "ops",
};
const quality: Panel = {
  title: "Quality of experience (lower quartile of scores)",
  queries: { "{{dimension}} {{segment}}": "max by (tenant, dimension, segment) (marquee_qoe_score_p25)" },
  unit: "none",
  limit: 70,
};
const rebuffering: Panel = {
  title: "Rebuffering",
  queries: {
    ratio:
      "sum(rate(marquee_qoe_rebuffer_seconds_total[$__rate_interval])) / sum(rate(marquee_qoe_watched_seconds_total[$__rate_interval]))",
  },
  unit: "percentunit",
  limit: 0.01,
};
const jobsWaiting: Panel = {
  title: "Jobs",
  queries: { "{{queue}} {{state}}": "max by (queue, state) (marquee_jobs)" },
  unit: "short",
};
const jobsAge: Panel = {
  title: "Age of the oldest job",
  queries: { "{{queue}}": "max by (queue) (marquee_job_age_seconds)" },
  unit: "s",
};
const ingests: Panel = { title: "Files taken in", queries: by("outcome", "marquee_ingests_total"), unit: "ops" };
const refusedFiles: Panel = {
  title: "Files refused, by reason",
  queries: by("reason", "marquee_ingests_total", '{outcome="refused"}'),
  unit: "ops",
};
const encodings: Panel = { title: "Titles made", queries: by("outcome", "marquee_encodings_total"), unit: "ops" };
const encodingTime: Panel = {
  title: "From file to complete ladder",
  queries: quantiles("marquee_encoding_duration_seconds", [0.5, 0.95]),
  unit: "s",
  limit: 14_400,
};
const pieces: Panel = {
  title: "Pieces of work",
  queries: quantiles("marquee_encoding_piece_seconds", [0.95], "type"),
  unit: "s",
};
const signIns: Panel = {
  title: "Sign-ins",
  queries: { "{{way}} {{code}}": "sum by (way, code) (rate(marquee_auth_sign_ins_total[$__rate_interval]))" },
  unit: "ops",
};
const edgeRequests: Panel = {
  title: "Edges: requests",
  queries: { "{{edge}} {{status}}": "sum by (edge, status) (rate(marquee_edge_requests_total[$__rate_interval]))" },
  unit: "reqps",
};
const edgeHits: Panel = {
  title: "Edges: answered from cache",
  queries: {
    "{{edge}}":
      'sum by (edge) (rate(marquee_edge_objects_total{source!="origin"}[$__rate_interval])) / sum by (edge) (rate(marquee_edge_objects_total[$__rate_interval]))',
  },
  unit: "percentunit",
};
const edgeBytes: Panel = { title: "Edges: bytes", queries: by("edge", "marquee_edge_sent_bytes_total"), unit: "Bps" };

/** What the services know besides rate, errors and duration. */
export const SERVICE_PANELS: Readonly<Record<string, readonly Panel[]>> = {
  auth: [signIns],
  user: [
    {
      title: "Accounts",
      queries: {
        created: "sum(rate(marquee_accounts_created_total[$__rate_interval]))",
        deleted: "sum(rate(marquee_accounts_deleted_total[$__rate_interval]))",
      },
      unit: "ops",
    },
  ],
  subscription: [
    { title: "Plans that accounts came to", queries: by("tier", "marquee_subscription_changes_total"), unit: "ops" },
  ],
  entitlement: [
    {
      title: "Decisions",
      queries: {
        "{{outcome}} {{reason}}":
          "sum by (outcome, reason) (rate(marquee_entitlement_decisions_total[$__rate_interval]))",
      },
      unit: "ops",
    },
  ],
  search: [{ title: "Searches", queries: by("type", "marquee_search_queries_total"), unit: "ops" }],
  recommendation: [
    {
      title: "Homes, by what they were made of",
      queries: by("way", "marquee_recommendation_homes_total"),
      unit: "ops",
    },
    {
      title: "Shown and chosen",
      queries: {
        visits: "sum(rate(marquee_recommendation_impressions_total[$__rate_interval]))",
        clicks: "sum(rate(marquee_recommendation_clicks_total[$__rate_interval]))",
      },
      unit: "ops",
    },
  ],
  features: [
    { title: "Published, by group", queries: by("type", "marquee_features_published_total"), unit: "ops" },
    {
      title: "Late, by group",
      queries: { "{{type}}": "max by (type) (marquee_features_overdue_seconds)" },
      unit: "s",
    },
    { title: "Looked up, by where it was found", queries: by("state", "marquee_features_lookups_total"), unit: "ops" },
    {
      title: "Served otherwise than the lake has it",
      queries: { "{{type}}": "max by (type) (marquee_features_skew_ratio)" },
      unit: "percentunit",
    },
  ],
  models: [
    {
      title: "Predictions, by what made them",
      queries: by("outcome", "marquee_model_predictions_total"),
      unit: "ops",
    },
  ],
  metadata: [
    {
      title: "Steps of enrichment that ended",
      queries: {
        "{{part}} {{outcome}}": "sum by (part, outcome) (rate(marquee_enrichment_steps_total[$__rate_interval]))",
      },
      unit: "ops",
    },
    jobsWaiting,
    jobsAge,
  ],
  ingest: [ingests, refusedFiles, jobsAge],
  encoding: [encodings, encodingTime, pieces, jobsWaiting, jobsAge],
  license: [
    {
      title: "Licences",
      queries: {
        "{{system}} {{code}}": "sum by (system, code) (rate(marquee_license_requests_total[$__rate_interval]))",
      },
      unit: "ops",
    },
  ],
  token: [{ title: "Tokens issued", queries: by("network", "marquee_tokens_issued_total"), unit: "ops" }],
  routing: [
    { title: "Networks that sessions begin on", queries: by("network", "marquee_route_selections_total"), unit: "ops" },
    { title: "Players moved away", queries: by("network", "marquee_route_switches_total"), unit: "ops" },
  ],
  origin: [edgeRequests, edgeHits],
  session: [
    activeStreams,
    { title: "Concurrent streams by country", queries: sessionsBy("region"), unit: "short" },
    starts,
    { title: "Ends, by reason", queries: by("reason", "marquee_playback_stops_total"), unit: "ops" },
    {
      title: "Starts denied by the stream limit",
      queries: { denied: "sum(rate(marquee_playback_stream_limit_denials_total[$__rate_interval]))" },
      unit: "ops",
    },
    playbackErrors,
  ],
  bookmark: [
    {
      title: "Late reports of positions",
      queries: { late: "sum(rate(marquee_bookmark_late_beats_total[$__rate_interval]))" },
      unit: "ops",
    },
  ],
  qoe: [
    quality,
    rebuffering,
    {
      title: "From play to first frame",
      queries: quantiles("marquee_qoe_start_seconds", [0.5, 0.95]),
      unit: "s",
      limit: 2,
    },
    { title: "Bitrate", queries: quantiles("marquee_qoe_bitrate_kbps", [0.25, 0.5, 0.95]), unit: "Kbits" },
    {
      title: "Scores of sessions that ended",
      queries: quantiles("marquee_qoe_score", [0.25, 0.5]),
      unit: "none",
      limit: 70,
    },
    {
      title: "Rows to the analytics store",
      queries: { rows: "sum(rate(marquee_qoe_rows_total[$__rate_interval]))" },
      unit: "ops",
    },
  ],
  analytics: [
    {
      title: "Events not in the lake yet",
      queries: { "{{topic}}": "max by (topic) (marquee_sink_lag_records)" },
      unit: "short",
    },
    {
      title: "Data files",
      queries: { "{{tenant}} {{table}}": "max by (tenant, table) (marquee_lake_files)" },
      unit: "short",
    },
  ],
};

/** For those who are on call (ARCH-001 section 9, "Dashboard Hierarchy"): health, errors, latency, delivery, quality, what is firing. */
export const OPERATIONS_PANELS: readonly Panel[] = [
  { title: "Alerts", queries: { "": 'ALERTS{alertstate="firing"}' }, unit: "none", kind: "table", width: 12 },
  { title: "Processes", queries: { "{{instance}}": "up" }, unit: "none", kind: "stat", width: 6 },
  {
    title: "Parts not ready",
    queries: { parts: "count(marquee_ready == 0) or vector(0)" },
    unit: "none",
    kind: "stat",
    width: 6,
  },
  { title: "Requests", queries: { "{{service}}": "marquee:service_requests:rate5m" }, unit: "reqps" },
  { title: "Errors", queries: { "{{service}}": "marquee:service_errors:ratio_rate5m" }, unit: "percentunit" },
  {
    title: "Slower than promised",
    queries: { "{{service}}": "marquee:service_slow:ratio_rate5m" },
    unit: "percentunit",
    limit: 0.01,
  },
  {
    title: "Error budgets: times too fast, over an hour",
    queries: { "{{service}}": "marquee:service_errors:ratio_rate1h / on (service) marquee:slo_errors:budget" },
    unit: "none",
    limit: 14.4,
  },
  {
    title: "Pages and API: errors",
    queries: {
      "{{status}}":
        'sum by (status) (rate(marquee_http_duration_seconds_count{service="web",status=~"5.."}[$__rate_interval]))',
    },
    unit: "reqps",
  },
  {
    title: "Pages and API: slowest of a hundred",
    queries: {
      "{{route}}":
        'histogram_quantile(0.99, sum by (le, route) (rate(marquee_http_duration_seconds_bucket{service="web"}[$__rate_interval])))',
    },
    unit: "s",
  },
  activeStreams,
  starts,
  playbackErrors,
  quality,
  rebuffering,
  signIns,
  edgeRequests,
  edgeHits,
  edgeBytes,
  { title: "Event loop", queries: { "{{instance}}": "nodejs_eventloop_lag_p99_seconds" }, unit: "s", limit: 0.25 },
  {
    title: "Processor",
    queries: { "{{instance}}": "rate(process_cpu_seconds_total[$__rate_interval])" },
    unit: "percentunit",
  },
  { title: "Memory", queries: { "{{instance}}": "process_resident_memory_bytes" }, unit: "bytes" },
  {
    title: "Database connections",
    queries: {
      "{{instance}} {{state}}": "sum by (instance, state) (marquee_db_connections)",
      max: "max(marquee_db_connections_max)",
    },
    unit: "short",
  },
  {
    title: "Outboxes: oldest event",
    queries: { "{{service}}": "max by (service) (marquee_outbox_age_seconds)" },
    unit: "s",
    limit: 60,
  },
  {
    title: "Consumers: events behind",
    queries: { "{{service}} {{topic}}": "max by (service, topic) (marquee_consumer_lag_records)" },
    unit: "short",
    limit: 1_000,
  },
  jobsWaiting,
  jobsAge,
  {
    title: "Calls between processes",
    queries: by("service", "marquee_rpc_client_duration_seconds_count"),
    unit: "reqps",
  },
  { title: "Sent again", queries: by("service", "marquee_rpc_retries_total"), unit: "reqps" },
  { title: "Second sends of late reads", queries: by("service", "marquee_rpc_hedges_total"), unit: "reqps" },
  { title: "Circuits open", queries: { "{{instance}} {{service}}": "marquee_rpc_circuit_open" }, unit: "none" },
  { title: "Calls refused", queries: by("reason", "marquee_rpc_refused_total"), unit: "reqps" },
];

/** For those who look after content: what comes in, what is being made, what fails (ARCH-001 section 9, "Content Pipeline"). */
export const CONTENT_PANELS: readonly Panel[] = [
  ingests,
  refusedFiles,
  jobsWaiting,
  jobsAge,
  encodings,
  encodingTime,
  pieces,
];
