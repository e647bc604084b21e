/**
 * The way of a film through seven processes that share nothing but the real engines (needs MARQUEE_TEST_KAFKA, MARQUEE_TEST_REDIS,
 * MARQUEE_TEST_S3, MARQUEE_TEST_VAULT, MARQUEE_TEST_CLICKHOUSE, MARQUEE_TEST_REGISTRY and MARQUEE_TEST_OTELCOL): imported by the command line,
 * watched over public addresses, with processes killed on the way, and one trace through all that a start needs.
 */
import assert from "node:assert/strict";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Bookmark } from "#contracts/bookmark";
import { Encoding } from "#contracts/encoding";
import type { Session } from "#contracts/web";
import { parseTraces, processesOf, rowsOf, type Trace } from "../../apps/cli/trace-model.ts";
import { type Account, makeAccount, PASSWORD } from "../chaos/accounts.ts";
import { makeClip, untilComplete } from "../chaos/clips.ts";
import { beatOf } from "../chaos/viewer.ts";
import { type ApiAnswer, device, type Person, signIn, startSession } from "../e2e/person.ts";
import { until } from "../e2e/until.ts";
import { findOracle } from "../realdata/oracle.ts";
import { type Cells, openCells, PARTS, type Part } from "./cells.ts";
import { decodes, fetchFirst, type Media } from "./media.ts";

const ENGINES = ["KAFKA", "REDIS", "S3", "VAULT", "CLICKHOUSE", "REGISTRY", "OTELCOL"];
const VARIABLES =
  /^(MARQUEE_(KAFKA_BROKERS|REDIS_URL|S3_.*|VAULT_.*|CLICKHOUSE_.*|SCHEMA_REGISTRY_URL)|AWS_.*|OTEL_EXPORTER_OTLP_ENDPOINT)$/;
const skip = ENGINES.every((name) => process.env[`MARQUEE_TEST_${name}`] === "1")
  ? false
  : "npm run test:engines -- journey starts all engines and runs this";
const TRACES = join(process.env["MARQUEE_TEST_ENGINES"] ?? "", "otelcol/traces.jsonl");
const DURATION_S = 30;
const OTHER = device("another");
const parts = Object.keys(PARTS) as readonly Part[];
/** The edges are programs of a delivery network and send no spans. */
const tracedParts = parts.filter((part) => part !== "edges");

/** What the tests hand on, each to the next. */
interface Journey {
  readonly account: Account;
  readonly person: Person;
  readonly contentId: string;
  readonly session: Session;
  readonly media: Media;
}

describe("the journey of a film through separate processes", { skip, timeout: 900_000 }, () => {
  let cells: Cells;
  const journey: { -readonly [K in keyof Journey]?: Journey[K] } = {};
  let sequence = 0;

  /** What an earlier test made; where that failed, nothing can go on. */
  function of<K extends keyof Journey>(name: K): Journey[K] {
    const value: Journey[K] | undefined = journey[name];
    if (value === undefined) throw new Error(`there is no ${name}, because an earlier test failed`);
    return value;
  }
  const beat = (positionS: number): Promise<ApiAnswer<{ readonly ended: boolean }>> =>
    of("person").api("POST", `/playback/sessions/${of("session").sessionId}/heartbeats`, {
      ...beatOf((sequence += 1), positionS),
      durationS: DURATION_S,
    });
  const bookmarkS = async (): Promise<number> => {
    const asked = { profileId: of("account").profileId, contentId: of("contentId") };
    const { bookmark } = await cells.admin.of(Bookmark).get(asked);
    return bookmark?.positionS ?? -1;
  };

  before(async () => {
    const engines = Object.entries(process.env).filter(([name]) => VARIABLES.test(name));
    cells = await openCells(Object.fromEntries(engines.map(([name, value]) => [name, value ?? ""])));
    // One after the other: the first makes the authority of their certificates, and each migrates what is its own.
    for (const part of parts) await cells.start(part);
  });
  after(() => cells?.close());

  test("a clip that the command line imports becomes a title, though the process that encodes it is killed", async () => {
    const clip = join(cells.folder, "clip.mp4");
    await makeClip(clip, { width: 640, height: 360, rate: 24, durationS: DURATION_S, grain: 10 });
    const said = await cells.command("import", clip, "--title", "The journey", "--preset", "quick", "--json");
    const { contentId } = JSON.parse(said.trim().split("\n").at(-1) ?? "") as { contentId: string };
    await until("encoding has begun", 60_000, async () => {
      const { encodings } = await cells.admin.of(Encoding).getMany({ contentIds: [contentId] });
      return encodings[0] ? true : null;
    });
    assert.equal(await cells.end("content", "SIGKILL"), "SIGKILL");
    await cells.start("content");
    await untilComplete(cells.admin, [contentId], 240_000);
    journey.contentId = contentId;
  });

  test("somebody signs in over HTTP and starts a session", async () => {
    journey.account = await makeAccount(cells.admin, "viewer@engines.test");
    const { email } = journey.account;
    journey.person = await signIn(cells.url, { name: "Viewer", email, password: PASSWORD });
    journey.session = await startSession(journey.person, of("contentId"), device("a test"));
    assert.equal(journey.session.resumePositionS, 0);
  });

  test("an edge has its manifest and its segments for who has a token, and for nobody else", async () => {
    const { manifests, cdns } = of("session");
    journey.media = await fetchFirst(manifests.hls);
    assert.ok(cdns.some(({ baseUrl }) => manifests.hls.startsWith(baseUrl)));
    const refused = await fetch(of("media").segmentUrl.replace(/\?.*/, ""));
    assert.equal(refused.status, 403);
  });

  test("a licence has the key that turns the segment into a picture", async (t) => {
    const { clearkey } = of("session").licenses;
    assert.ok(clearkey);
    const answer = await fetch(clearkey, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ kids: [], type: "temporary" }),
    });
    assert.equal(answer.status, 200);
    const { keys } = (await answer.json()) as { keys: { kid: string; k: string }[] };
    const hex = (text: string): string => Buffer.from(text, "base64url").toString("hex");
    const key = keys.find(({ kid }) => hex(kid) === of("media").kid);
    assert.ok(key, `no key for ${of("media").kid} among ${keys.length}`);
    const oracle = findOracle();
    if (oracle === null) return t.skip("@ffprobe-installer/linux-x64 is not here");
    assert.equal(await decodes(oracle, of("media"), hex(key.k)), true);
    assert.equal(await decodes(oracle, of("media"), "0".repeat(32)), false);
  });

  test("heartbeats are taken, and taken again when the process of sessions was killed and is back", async () => {
    for (const positionS of [1, 2, 3]) assert.equal((await beat(positionS)).status, 200);
    assert.equal(await cells.end("playback", "SIGKILL"), "SIGKILL");
    assert.equal((await beat(4)).status, 503);
    await cells.start("playback");
    await until("a beat is taken again", 60_000, async () => {
      const { status, body } = await beat(5);
      return status === 200 && !body.ended ? true : null;
    });
    assert.equal((await fetch(of("media").segmentUrl)).status, 200);
  });

  test("where the session stopped is where the next one begins", async () => {
    assert.equal((await beat(12.5)).status, 200);
    const { status } = await of("person").api("DELETE", `/playback/sessions/${of("session").sessionId}`);
    assert.ok(status < 300, `stopping was answered ${status}`);
    await until("the bookmark", 60_000, async () => ((await bookmarkS()) === 12.5 ? true : null));
    const again = await startSession(of("person"), of("contentId"), OTHER);
    assert.equal(again.resumePositionS, 12.5);
  });

  test("one trace runs from the start of a session through every process, Kafka included", async (t) => {
    // A device that starts again takes the place of its own session: what ends is told over Kafka to who scores it.
    await startSession(of("person"), of("contentId"), OTHER);
    // Processes send their spans when they have some together, so a trace comes in pieces.
    const read = async (): Promise<Trace[]> => parseTraces(await readFile(TRACES, "utf8")).filter(isStart);
    const trace = await until("a whole trace of a start is with the collector", 90_000, async () => {
      return (await read()).find(isWhole) ?? null;
    }).catch(async (error: unknown) => {
      throw new Error(`${String(error)}; there are ${JSON.stringify((await read()).map(processesOf))}`);
    });
    t.diagnostic(`trace ${trace.traceId}: ${trace.spans.length} spans in ${processesOf(trace).join(", ")}`);
    const keep = process.env["MARQUEE_TEST_TRACES"];
    if (keep) await copyFile(TRACES, keep);
  });

  test("processes that are told to stop end what runs and go", async () => {
    for (const part of parts) assert.equal(await cells.end(part, "SIGTERM"), 0, cells.output(part));
  });
});

/** Every process took part, that of scores by what came through Kafka, and every span came of the first one. */
const isWhole = (trace: Trace): boolean =>
  tracedParts.every((part) => processesOf(trace).includes(part)) &&
  trace.spans.some(({ kind, process }) => kind === "consumer" && process === "insight") &&
  rowsOf(trace).filter(({ depth }) => depth === 0).length === 1;

/** A trace that began with a browser's request for a session. */
const isStart = ({ spans }: Trace): boolean =>
  spans.some(
    ({ parentSpanId, attributes }) =>
      parentSpanId === "" &&
      attributes["http.request.method"] === "POST" &&
      (attributes["http.route"] ?? "").endsWith("/playback/sessions"),
  );
