/** The generated rules as Prometheus' own tool reads them: they are valid, and every alert fires when it should and is silent when it should be. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { services } from "../../apps/services.ts";
import { runProgram } from "../../engines/programs.ts";
import { findPromtool } from "../../engines/promtool.ts";
import { PROMTOOL_FOLDER, REPOSITORY } from "../files.ts";
import { allAlerts, ruleFiles } from "./rules.ts";
import { BAD_MIN } from "./slo.ts";
import { type Data, toYaml } from "./yaml.ts";

const promtool = await findPromtool(PROMTOOL_FOLDER);
const skip = promtool === undefined && "promtool is not here: npm run test:engines -- promtool fetches it";

/** Series in promtool's notation (`0+10x60`: from 0 by 10 at each of 60 minutes), and what is to be true of them at a time. */
interface Case {
  readonly alert: string;
  readonly fires: boolean;
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  /** Minutes between samples and between evaluations, where days pass; 1 where it is not given. */
  readonly everyMin?: number;
}

const calls = (code: string, service = "token"): string =>
  `marquee_call_duration_seconds_count{service="${service}",method="Issue",code="${code}"}`;
const bucket = (le: string, service = "token"): string =>
  `marquee_call_duration_seconds_bucket{service="${service}",method="Issue",code="ok",le="${le}"}`;
const http = (status: number): string =>
  `marquee_http_duration_seconds_count{server="public",service="license",route="/license/",status="${status}"}`;
const up = (job: string): string => `up{job="${job}",instance="a:1"}`;

/** Requests a minute, of which some fail: 99.99 % is promised, so a share of 0.0001 is as fast as the budget may burn. */
const failing = (perMinute: number, minutes: number, requests = 100_000) => ({
  [calls("ok")]: `0+${requests - perMinute}x${minutes}`,
  [calls("internal")]: `0+${perMinute}x${minutes}`,
});
const slow = (perMinute: number, minutes: number, requests = 1_000) => ({
  [calls("ok")]: `0+${requests}x${minutes}`,
  [bucket("0.02")]: `0+${requests - perMinute}x${minutes}`,
});
const [HOUR, SIX_HOURS, THREE_DAYS] = [70, 370, 1_090];
/** Three days in steps that are shorter than the five minutes after which Prometheus takes a figure for old. */
const DAYS = { at: "4332m", everyMin: 4 };

const CASES: readonly Case[] = [
  { alert: "MarqueeErrorBudgetBurn1H", fires: true, series: failing(200, HOUR), at: "65m" },
  { alert: "MarqueeErrorBudgetBurn1H", fires: false, series: failing(100, HOUR), at: "65m" },
  // Of HTTP too, and only of what is our fault.
  {
    alert: "MarqueeErrorBudgetBurn1H",
    fires: true,
    series: { [http(200)]: "0+98x70", [http(503)]: "0+2x70" },
    at: "65m",
  },
  {
    alert: "MarqueeErrorBudgetBurn1H",
    fires: false,
    series: { [http(200)]: "0+50x70", [http(403)]: "0+50x70" },
    at: "65m",
  },
  {
    alert: "MarqueeErrorBudgetBurn1H",
    fires: false,
    series: { [calls("ok")]: "0+50x70", [calls("not_found")]: "0+50x70" },
    at: "65m",
  },
  // A few failures of a few requests are no reason to wake anybody.
  {
    alert: "MarqueeErrorBudgetBurn1H",
    fires: false,
    series: { [calls("ok")]: "0+1x70", [calls("internal")]: `0x60 ${BAD_MIN / 2}x10` },
    at: "65m",
  },
  // It is over: the short window is clean.
  {
    alert: "MarqueeErrorBudgetBurn1H",
    fires: false,
    series: { [calls("ok")]: "0+1000x100", [calls("internal")]: "0+50x60 3000x40" },
    at: "75m",
  },
  { alert: "MarqueeErrorBudgetBurn6H", fires: true, series: failing(80, SIX_HOURS), at: "365m" },
  { alert: "MarqueeErrorBudgetBurn1H", fires: false, series: failing(80, SIX_HOURS), at: "365m" },
  { alert: "MarqueeErrorBudgetBurn6H", fires: false, series: failing(40, SIX_HOURS), at: "365m" },
  { alert: "MarqueeErrorBudgetBurn3D", fires: true, series: failing(20, THREE_DAYS), ...DAYS },
  { alert: "MarqueeErrorBudgetBurn3D", fires: false, series: failing(5, THREE_DAYS), ...DAYS },
  { alert: "MarqueeLatencyBudgetBurn1H", fires: true, series: slow(200, HOUR), at: "65m" },
  { alert: "MarqueeLatencyBudgetBurn1H", fires: false, series: slow(100, HOUR), at: "65m" },
  {
    alert: "MarqueeLatencyBudgetBurn1H",
    fires: false,
    series: { [calls("ok")]: "0x60 3x10", [bucket("0.02")]: "0x70" },
    at: "65m",
  },
  { alert: "MarqueeLatencyBudgetBurn6H", fires: true, series: slow(80, SIX_HOURS), at: "365m" },
  { alert: "MarqueeLatencyBudgetBurn6H", fires: false, series: slow(40, SIX_HOURS), at: "365m" },
  { alert: "MarqueeLatencyBudgetBurn3D", fires: true, series: slow(15, THREE_DAYS), ...DAYS },
  { alert: "MarqueeLatencyBudgetBurn3D", fires: false, series: slow(5, THREE_DAYS), ...DAYS },
  ...pair("MarqueeDown", "5m", { [up("marquee")]: "0x10" }, { [up("marquee")]: "1x10", [up("other")]: "0x10" }),
  ...pair(
    "MarqueePartNotReady",
    "8m",
    { 'marquee_ready{part="service/session"}': "0x10" },
    { 'marquee_ready{part="service/session"}': "1x2 0x3 1x5" },
  ),
  ...pair(
    "MarqueeEventLoopLate",
    "8m",
    { 'nodejs_eventloop_lag_p99_seconds{job="marquee"}': "0.4x10" },
    { 'nodejs_eventloop_lag_p99_seconds{job="marquee"}': "0.1x10" },
  ),
  ...pair(
    "MarqueeDatabaseConnectionsShort",
    "8m",
    { 'marquee_db_connections{state="awaited"}': "3x10" },
    { 'marquee_db_connections{state="awaited"}': "3x6 0x10" },
  ),
  ...pair(
    "MarqueeOutboxOld",
    "8m",
    { 'marquee_outbox_age_seconds{service="user"}': "0+30x10" },
    { 'marquee_outbox_age_seconds{service="user"}': "2x10" },
  ),
  ...pair(
    "MarqueeConsumerBehind",
    "20m",
    { 'marquee_consumer_lag_records{service="qoe",topic="t"}': "5000x30" },
    { 'marquee_consumer_lag_records{service="qoe",topic="t"}': "5000x10 0x20" },
  ),
  ...pair(
    "MarqueeLakeBehind",
    "60m",
    { 'marquee_sink_lag_records{service="analytics",topic="t"}': "200000x70" },
    { 'marquee_sink_lag_records{service="analytics",topic="t"}': "50000x70" },
  ),
  // Also the very first one, of a series that was not there before.
  ...pair(
    "MarqueeDeadLetters",
    "20m",
    { 'marquee_events_total{service="qoe",event="e",outcome="dead"}': "_x15 1x10" },
    {
      'marquee_events_total{service="qoe",event="e",outcome="dead"}': "1x30",
      'marquee_events_total{service="qoe",event="e",outcome="handled"}': "0+5x30",
    },
  ),
  ...pair(
    "MarqueeJobsWait",
    "20m",
    { 'marquee_job_age_seconds{queue="encoding"}': "4000x30" },
    { 'marquee_job_age_seconds{queue="encoding"}': "600x30" },
  ),
  ...pair(
    "MarqueeEncodingsFail",
    "70m",
    { 'marquee_encodings_total{outcome="failed"}': "0x40 5x40" },
    {
      'marquee_encodings_total{outcome="failed"}': "0x40 1x40",
      'marquee_encodings_total{outcome="complete"}': "0+1x80",
    },
  ),
  ...pair(
    "MarqueeEncodingsSlow",
    "90m",
    {
      marquee_encoding_duration_seconds_count: "0x40 3x60",
      'marquee_encoding_duration_seconds_bucket{le="14400"}': "0x40 1x60",
    },
    {
      marquee_encoding_duration_seconds_count: "0x40 3x60",
      'marquee_encoding_duration_seconds_bucket{le="14400"}': "0x40 3x60",
    },
  ),
  ...pair(
    "MarqueeQualityLow",
    "5m",
    { 'marquee_qoe_score_p25{tenant="demo",dimension="network",segment="edge-a"}': "55x10" },
    { 'marquee_qoe_score_p25{tenant="demo",dimension="network",segment="edge-a"}': "90x10" },
  ),
  ...pair(
    "MarqueeRebuffering",
    "25m",
    { marquee_qoe_rebuffer_seconds_total: "0+30x30", marquee_qoe_watched_seconds_total: "0+600x30" },
    { marquee_qoe_rebuffer_seconds_total: "0+1x30", marquee_qoe_watched_seconds_total: "0+600x30" },
  ),
  ...pair(
    "MarqueePlaybackErrors",
    "20m",
    { 'marquee_playback_errors_total{network="edge-a"}': "0+5x30", ...sessions(100) },
    { 'marquee_playback_errors_total{network="edge-a"}': "0+5x30", ...sessions(10_000) },
  ),
  ...pair("MarqueeEdgeDown", "5m", { [up("marquee-edge")]: "0x10" }, { [up("marquee-edge")]: "1x10" }),
  ...pair(
    "MarqueeEdgeErrors",
    "20m",
    {
      'marquee_edge_requests_total{edge="a",status="200"}': "0+90x30",
      'marquee_edge_requests_total{edge="a",status="502"}': "0+10x30",
    },
    {
      'marquee_edge_requests_total{edge="a",status="200"}': "0+90x30",
      'marquee_edge_requests_total{edge="a",status="404"}': "0+10x30",
    },
  ),
  ...pair(
    "MarqueeCircuitOpen",
    "8m",
    { 'marquee_rpc_circuit_open{service="token"}': "1x10" },
    { 'marquee_rpc_circuit_open{service="token"}': "0x10" },
  ),
  ...pair(
    "MarqueeCallsRefused",
    "20m",
    { 'marquee_rpc_refused_total{service="keys",reason="undeclared_call"}': "_x15 1x10" },
    { 'marquee_rpc_refused_total{service="keys",reason="draining"}': "0+5x30" },
  ),
  ...pair(
    "MarqueePlaybackTurnedAway",
    "10m",
    { 'marquee_requests_refused_total{queue="playback",reason="busy"}': "0+120x12" },
    { 'marquee_requests_refused_total{queue="browsing",reason="busy"}': "0+1200x12" },
  ),
  ...pair("MarqueeSignInsRefused", "25m", signIns(300, 10), signIns(300, 300)),
  ...pair("MarqueeFeaturesStale", "25m", features("overdue_seconds", 900), features("overdue_seconds", 60)),
  ...pair("MarqueeFeaturesSkewed", "25m", features("skew_ratio", 0.05), features("skew_ratio", 0.005)),
];

/** One case that fires and one that does not. */
function pair(alert: string, at: string, bad: Case["series"], good: Case["series"]): readonly Case[] {
  return [
    { alert, at, series: bad, fires: true },
    { alert, at, series: good, fires: false },
  ];
}

/** As two processes tell the same sessions. */
function sessions(count: number): Case["series"] {
  const of = (instance: string): string =>
    `marquee_active_sessions{instance="${instance}",content_type="vod",device="web",region="DE"}`;
  return { [of("a:1")]: `${count}x30`, [of("b:1")]: `${count}x30` };
}

/** A group that is to be published every minute. */
function features(name: string, value: number): Case["series"] {
  return {
    [`marquee_features_${name}{tenant="demo",type="session_context"}`]: `${value}x30`,
    [`marquee_features_cadence_seconds{type="session_context"}`]: "60x30",
  };
}

function signIns(refused: number, ok: number): Case["series"] {
  const of = (code: string): string => `marquee_auth_sign_ins_total{way="password",code="${code}"}`;
  return { [of("unauthenticated")]: `0+${refused}x30`, [of("ok")]: `0+${ok}x30` };
}

const toTest = ({ alert, fires, series, at, everyMin = 1 }: Case): Data => ({
  interval: `${everyMin}m`,
  input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
  promql_expr_test: [
    {
      expr: `count by (alertname) (ALERTS{alertname="${alert}",alertstate="firing"})`,
      eval_time: at,
      exp_samples: fires ? [{ labels: `{alertname="${alert}"}`, value: 1 }] : [],
    },
  ],
});

test("every alert has a case that fires and one that does not", () => {
  for (const { alert } of allAlerts()) {
    const fires = CASES.filter((each) => each.alert === alert).map((each) => each.fires);
    assert.ok(fires.includes(true) && fires.includes(false), alert);
  }
});

test("Prometheus takes the rules, and they do what they are for", { skip }, async (t) => {
  if (promtool === undefined) return;
  const folder = await mkdtemp(path.join(tmpdir(), "marquee-rules-"));
  t.after(() => rm(folder, { recursive: true }));
  const files = await Promise.all(
    [...ruleFiles(services).keys()].map(async (name) => ({
      name: path.join(folder, path.basename(name)),
      text: await readFile(path.join(REPOSITORY, name), "utf8"),
    })),
  );
  for (const { name, text } of files) await writeFile(name, text);
  const ruleNames = files.map(({ name }) => name);
  assert.match(await runProgram(promtool, ["check", "rules", ...ruleNames]), /SUCCESS: \d+ rules found/);
  for (const each of CASES) {
    await t.test(
      `${each.alert} ${each.fires ? "fires" : "is silent"} (${Object.keys(each.series).length} series)`,
      async () => {
        const file = path.join(folder, "rules.test.yml");
        const everyMin = each.everyMin ?? 1;
        // As often as the case has samples: how often rules are looked at changes nothing of what they say.
        for (const { name, text } of files)
          await writeFile(name, text.replaceAll(/interval: "\w+"/g, `interval: "${everyMin}m"`));
        const tests: Data = { rule_files: ruleNames, evaluation_interval: `${everyMin}m`, tests: [toTest(each)] };
        await writeFile(file, toYaml(tests, "One case."));
        await runProgram(promtool, ["test", "rules", file]);
      },
    );
  }
});
