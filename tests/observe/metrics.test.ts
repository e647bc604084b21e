/** What the product exports is what rules and dashboards ask for, and no series carries the id of anybody. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { Bookmark } from "#contracts/bookmark";
import { Catalog } from "#contracts/catalog";
import { Entitlement } from "#contracts/entitlement";
import { Session } from "#contracts/session";
import { LABEL_NAMES } from "#kernel/metrics";
import { openCaller, secretsInMemory, serveContract } from "#kernel/testing/mesh";
import { openCounters } from "../../apps/edge/counters.ts";
import { services } from "../../apps/services.ts";
import { dashboardFiles } from "../../scripts/observe/dashboards.ts";
import { OPERATIONS_PANELS } from "../../scripts/observe/panels.ts";
import { allAlerts, ruleFiles } from "../../scripts/observe/rules.ts";
import { bucketOf } from "../../scripts/observe/slo.ts";
import { openStage, type Stage } from "./stage.ts";
import { REPOSITORY } from "../../scripts/files.ts";

let stage: Stage;
let text = "";
/** Names of what is exported, each with the labels that it may have. */
const exported = new Map<string, ReadonlySet<string>>();
/** What Prometheus itself knows. */
const OWN = new Set(["up", "ALERTS"]);
/** What Prometheus adds to everything that it scrapes. */
const SCRAPED = ["job", "instance"];

before(async () => {
  stage = await openStage();
  const { userId, profileId } = await stage.newAccount("ada@mail.example");
  const viewer = { userId, profileId };
  const context = stage.context({ viewer });
  await stage.client(Catalog, "test").add({ title: { id: "film", kind: "film", title: "A film" } }, stage.context());
  await stage.client(Entitlement, "test").check({ ...viewer, contentId: "film", market: "DE" }, context);
  await assert.rejects(stage.client(Bookmark, "test").get({ profileId, contentId: "film" }, context));
  await assert.rejects(
    stage.client(Session, "test").start({ contentId: "film", device: { id: "d1", type: userId } }, context),
  );
  await (await fetch(`${stage.publicUrl}/api/web/v1/titles/film`)).text();
  await (await fetch(`${stage.publicUrl}/license/clearkey/ses_01kabcdefghjkmnpqrstvwxyz0`, { method: "POST" })).text();
  await stage.settled();
  text = await stage.metrics.text();
  await note(stage.metrics.registry);
  // What only several processes have, and what an edge tells of itself.
  const mesh = { secrets: secretsInMemory(), callers: [{ name: "session", uses: { bookmark: Bookmark } }] };
  const server = await serveContract(Bookmark, unanswered(), mesh);
  const caller = await openCaller({ services: ["session"], secrets: mesh.secrets, addresses: [server.url] });
  await assert.rejects(caller.client(Bookmark, "session").saved({}, context));
  await note(server.metrics.registry);
  await note(caller.metrics.registry);
  await caller.stop();
  await server.stop();
  for (const [, name = ""] of edgeText().matchAll(/^# TYPE (\w+)/gm))
    exported.set(name, new Set(["edge", "status", "source"]));
});
after(() => stage.stop());

function unanswered() {
  const refuse = async (): Promise<never> => Promise.reject(new Error("not in this test"));
  return Object.fromEntries(Bookmark.rpc.methods.map(({ localName }) => [localName, refuse])) as never;
}

function edgeText(): string {
  return openCounters().text("edge-a", { cached_bytes: 0 });
}

async function note(registry: Stage["metrics"]["registry"]): Promise<void> {
  for (const { name, type } of await registry.getMetricsAsJSON()) {
    const metric = registry.getSingleMetric(name) as unknown as { readonly labelNames?: readonly string[] };
    const labels = new Set(metric.labelNames ?? []);
    if (String(type) !== "histogram") exported.set(name, labels);
    else
      for (const suffix of ["_bucket", "_count", "_sum"])
        exported.set(`${name}${suffix}`, suffix === "_bucket" ? new Set([...labels, "le"]) : labels);
  }
}

interface Query {
  readonly where: string;
  readonly expr: string;
}

/** Recorded names, with the labels that their expressions keep. */
const recorded = new Set(
  [...(ruleFiles(services).get("deploy/prometheus/recording.yml") ?? "").matchAll(/record: "([\w:]+)"/g)].map(
    ([, name]) => name,
  ),
);

function assertAnswerable({ where, expr }: Query): void {
  const plain = expr.replaceAll(/"[^"]*"/g, '""').replaceAll("$__rate_interval", "5m");
  const names = [...plain.matchAll(/\b((?:marquee|nodejs|process)[\w:]*|up|ALERTS)\b/g)].map(([name]) => name);
  assert.ok(names.length > 0, `${where} asks for nothing: ${expr}`);
  for (const name of names) {
    if (name.includes(":")) assert.ok(recorded.has(name), `${where}: no rule records ${name}`);
    else if (!OWN.has(name)) assert.ok(exported.has(name), `${where}: the product exports no ${name}`);
  }
  for (const [, name = "", selector = ""] of plain.matchAll(/\b((?:marquee|nodejs|process)\w*)\{([^}]*)\}/g)) {
    const labels = [...selector.matchAll(/(\w+)\s*[=!]~?/g)].map(([, label = ""]) => label);
    for (const label of labels)
      assert.ok(SCRAPED.includes(label) || exported.get(name)?.has(label), `${where}: ${name} has no label ${label}`);
  }
  // What is grouped by must be a label of something in the query.
  const all = new Set(
    names.flatMap((name) => [...(exported.get(name) ?? (name.includes(":") ? ["service"] : [])), ...SCRAPED]),
  );
  for (const [, list = ""] of plain.matchAll(/\b(?:by|on)\s*\(([^)]*)\)/g))
    for (const label of list.split(",").map((each) => each.trim()))
      assert.ok(all.has(label), `${where}: nothing in it has a label ${label}: ${expr}`);
}

test("every query of a dashboard names what the product exports", () => {
  let count = 0;
  for (const [file, content] of dashboardFiles(services)) {
    const { panels } = JSON.parse(content) as { panels: { title: string; targets: { expr: string }[] }[] };
    for (const { title, targets } of panels) {
      for (const { expr } of targets) assertAnswerable({ where: `${path.basename(file)}, '${title}'`, expr });
      count += targets.length;
    }
  }
  assert.ok(count > services.length * 5, `only ${count} queries were looked at`);
});

test("every rule and alert names what the product exports", () => {
  for (const { alert, expr } of allAlerts()) assertAnswerable({ where: alert, expr });
  const text = ruleFiles(services).get("deploy/prometheus/recording.yml") ?? "";
  const names = new Set([...text.matchAll(/\bmarquee_\w+/g)].map(([name]) => name));
  for (const name of names) assert.ok(exported.has(name), `recording.yml: the product exports no ${name}`);
});

test("a query that asks for what nobody exports is noticed", () => {
  assert.throws(
    () => assertAnswerable({ where: "x", expr: "rate(marquee_films_total[5m])" }),
    /exports no marquee_films_total/,
  );
  assert.throws(() => assertAnswerable({ where: "x", expr: 'marquee_jobs{film="a"}' }), /no label film/);
  assert.throws(() => assertAnswerable({ where: "x", expr: "sum by (film) (marquee_jobs)" }), /no label|label film/);
});

test("every service has figures of its calls, its outbox and its dashboard; engines and queues have theirs", () => {
  for (const { contract, slo } of services) {
    assert.match(text, new RegExp(`^marquee_outbox_age_seconds\\{service="${contract.name}"\\} `, "m"));
    assert.match(text, new RegExp(`^marquee_ready\\{part="service/${contract.name}"\\} 1$`, "m"));
    assert.ok(dashboardFiles(services).has(`deploy/grafana/service-${contract.name}.json`));
    assert.ok(bucketOf(slo.p99Ms));
  }
  assert.match(text, /^marquee_consumer_lag_records\{service="qoe",topic="[\w.]+"\} 0$/m);
  assert.match(text, /^marquee_jobs\{queue="encoding",state="queued"\} 0$/m);
  assert.match(text, /^marquee_job_age_seconds\{queue="ingest"\} 0$/m);
  assert.match(text, /^marquee_db_connections\{state="idle"\} \d+$/m);
  assert.match(text, /^nodejs_eventloop_lag_p99_seconds /m);
  assert.match(text, /^marquee_entitlement_decisions_total\{outcome="denied",reason="\w+"\} [1-9]/m);
  assert.match(
    text,
    /^marquee_http_duration_seconds_count\{server="public",service="license",route="\/license\/",status="403"\} 1$/m,
  );
  assert.match(text, /^marquee_call_duration_seconds_count\{service="bookmark",method="Get",code="not_found"\} 1$/m);
});

test("no label carries the id of a person, a session or a film, and none has a name of its own", async () => {
  const series = text.split("\n").filter((line) => line.startsWith("marquee_"));
  assert.ok(series.length > 200);
  for (const line of series) {
    for (const [, label = "", value = ""] of line.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      assert.ok(LABEL_NAMES.has(label) || label === "le", `${label} is not among the labels: ${line}`);
      assert.doesNotMatch(value, /\b[a-z]{2,6}_[0-9a-hjkmnp-tv-z]{20,}|@|[0-9a-f]{16,}|\bada\b|\bfilm\b|d1/i, line);
    }
  }
});

test("the operations page shows what the specification names", () => {
  const titles = OPERATIONS_PANELS.map(({ title }) => title).join("\n");
  for (const wanted of [/Parts not ready/, /Errors/, /Slower/, /Edges/, /Quality of experience/, /Alerts/])
    assert.match(titles, wanted);
});

test("Prometheus is told to load what is generated", async () => {
  const config = await readFile(path.join(REPOSITORY, "deploy/prometheus/prometheus.yml"), "utf8");
  for (const file of ruleFiles(services).keys()) assert.match(config, new RegExp(`- ${path.basename(file)}$`, "m"));
});
