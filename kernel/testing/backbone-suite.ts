import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Ingest, type IngestFailed } from "#contracts/ingest";
import { Tenant } from "#contracts/tenant";
import { type Backbone, openBackbone } from "../backbone.ts";
import { defineContract } from "../contract.ts";
import { deadLetterTopic } from "../dead-letters.ts";
import type { Tx } from "../db.ts";
import { type Received, toRecord } from "../events.ts";
import { type Listener, openListener } from "../listener.ts";
import type { EventLog } from "../ports/log.ts";
import { follow, modelGroup, modelMarks, type ModelTx, type OpenModel } from "../read-models.ts";
import { type Relay, startRelay } from "../relay.ts";
import { defineService, on, type Service } from "../service.ts";
import { openMetrics } from "../metrics.ts";
import { silentLogger } from "../telemetry.ts";
import { openTestDatabase, type TestDatabase } from "./database.ts";

const TOPIC = "content.ingest.events";
export const SPEC = { name: TOPIC, partitions: 3, retentionMs: 86_400_000 };
const TOPICS = { specs: [SPEC], routes: { "ingest.failed": { topic: TOPIC, key: "contentId" } } };
export const TENANTS = ["a", "b"];
const metrics = openMetrics();
let base: TestDatabase;
let logs = 0;

export const openBase = async (): Promise<void> => {
  base = await openTestDatabase(
    ["first", "second"],
    `CREATE TABLE notes (tenant text NOT NULL, text text NOT NULL, at bigint GENERATED ALWAYS AS IDENTITY);
     CREATE TABLE truth (tenant text NOT NULL, key text NOT NULL, text text NOT NULL, PRIMARY KEY (tenant, key));
     CREATE TABLE counted (tenant text NOT NULL, key text NOT NULL, times int NOT NULL, PRIMARY KEY (tenant, key));`,
  );
};
export const closeBase = (): Promise<void> | undefined => base?.close();

const never = async (): Promise<never> => {
  throw new Error("nobody calls this");
};

/** Two services that note what they hear; the first one also counts, in a read model. */
function serviceOf(name: string): Service {
  return defineService({
    contract: defineContract({ name, rpc: Tenant.rpc, events: {} }),
    uses: {},
    slo: { p99Ms: 1, availability: 0.9 },
    ai: { feeds: "none", uses: "none", fallback: "none needed" },
    start: () => ({}),
    on: [on(Ingest.events.failed)(never)],
    ...(name === "first"
      ? { readModels: [{ name: "counts", tables: ["counted"], on: [follow(Ingest.events.failed)(never)] }] }
      : {}),
    rpc: () => ({ get: never, list: never, put: never, resolve: never }),
    ready: async () => {},
  });
}
const declared = ["first", "second"].map(serviceOf);

/** A log of a stage's own; the folder is there for those who need one. */
export type OpenLog = (folder: string) => Promise<EventLog>;

export interface Stage {
  readonly log: EventLog;
  readonly backbone: Backbone;
  readonly model: OpenModel;
  /** Fails the first service's handler while it says so. */
  refuses: (message: string) => boolean;
  /** What a rebuild is interrupted by. */
  seed: ((tx: ModelTx) => Promise<void>) | undefined;
  say(message: string, options?: { key?: string; tenant?: string; atMs?: number }): Promise<void>;
  settled(): Promise<void>;
  close(): Promise<void>;
}

export async function openStage(openLog: OpenLog, hasSeed = false): Promise<Stage> {
  const log = await openLog(join(base.folder, `log-${++logs}`));
  await log.createTopics([SPEC, { ...SPEC, name: deadLetterTopic(TOPIC), partitions: 1 }]);
  for (const service of ["first", "second"])
    for (const tenant of TENANTS)
      for (const table of ["marks", "seen", "outbox", "notes", "truth", "counted"])
        await base.db(service).tx({ tenant }, (tx) => tx.executeSql(`DELETE FROM ${table}`, []));
  const { pool, events: reader } = base;
  const common = { pool, log, reader, logger: silentLogger, metrics, topic: TOPIC };
  const relays = new Map<string, Relay>();
  const listeners: Listener[] = [];
  for (const service of ["first", "second"]) {
    relays.set(service, startRelay({ service, pool, log, logger: silentLogger }));
    const note = async (tx: Tx, received: readonly Received<unknown>[]): Promise<void> => {
      for (const { data } of received as readonly Received<IngestFailed>[]) {
        if (service === "first" && stage.refuses(data.message)) throw new Error(`cannot bear '${data.message}'`);
        await tx.executeSql("INSERT INTO notes (tenant, text) VALUES ($1, $2)", [tx.tenant, data.message]);
      }
    };
    const subscriptions = [{ event: Ingest.events.failed, handle: note }];
    listeners.push(await openListener({ ...common, service, db: base.db(service), subscriptions }));
  }
  const count = async (tx: Tx, received: readonly Received<unknown>[]): Promise<void> => {
    for (const { data } of received as readonly Received<IngestFailed>[])
      await tx.executeSql(
        `INSERT INTO counted (tenant, key, times) VALUES ($1, $2, 1)
         ON CONFLICT (tenant, key) DO UPDATE SET times = counted.times + 1`,
        [tx.tenant, data.contentId],
      );
  };
  const model: OpenModel = {
    ...{ service: "first", name: "counts", tables: ["counted"] },
    listeners: [
      await openListener({
        ...common,
        ...{ service: "first", db: base.db("first"), group: modelGroup("first", "counts") },
        marksName: modelMarks("counts", TOPIC),
        subscriptions: [{ event: Ingest.events.failed, handle: count }],
      }),
    ],
    ...(hasSeed ? { seed: async (tx: ModelTx) => stage.seed?.(tx) } : {}),
  };
  const backbone = openBackbone({
    ...{ log, reader, pool, topics: TOPICS, declared, listeners, models: [model] },
    onEmitted: (service, count) => relays.get(service)?.wake(count),
  });
  const stage: Stage = {
    ...{ log, backbone, model, refuses: () => false, seed: undefined },
    async say(message, { key = "k", tenant = "a" } = {}) {
      await log.append([
        toRecord(reader.encode("ingest", "failed", { contentId: key, reason: "test", message }, tenant)),
      ]);
    },
    async settled() {
      await Promise.all([...relays.values()].map((relay) => relay.drained()));
      // Members of Kafka's groups take some seconds to join.
      const deadlineMs = performance.now() + 60_000;
      while (performance.now() < deadlineMs) {
        const [state] = await backbone.topics();
        if (state?.groups.every(({ lag }) => lag === 0)) return;
        await sleep(5);
      }
      assert.fail("the log was not read to its end within a minute");
    },
    async close() {
      await Promise.all([...listeners, ...model.listeners].map((listener) => listener.stop()));
      await Promise.all([...relays.values()].map((relay) => relay.stop()));
      await log.close();
    },
  };
  return stage;
}

async function rows(service: string, sql: string): Promise<string[]> {
  const found: string[] = [];
  for (const tenant of TENANTS) {
    const { rows: own } = await base.db(service).tx({ tenant }, (tx) => tx.executeSql(sql, []));
    found.push(...own.map((row) => `${tenant} ${Object.values(row).join(" ")}`));
  }
  return found;
}
const notes = (service: string): Promise<string[]> => rows(service, "SELECT text FROM notes ORDER BY at");
export const counted = (): Promise<string[]> => rows("first", "SELECT key, times FROM counted ORDER BY key");

/** What holds of an operator's hand on any log. `isRepeating` says that it cannot drop repetitions itself. */
export function backboneSuite(name: string, openLog: OpenLog, isRepeating: boolean): void {
  describe(name, () => {
    let stage: Stage;
    before(openBase);
    after(closeBase);
    beforeEach(async () => {
      stage = await openStage(openLog);
    });
    afterEach(() => stage?.close());

    test("topics say what they hold and who lags behind", async () => {
      await stage.say("1");
      await stage.say("2", { key: "other" });
      await stage.settled();
      const [state] = await stage.backbone.topics();
      assert.deepEqual(
        [state?.records, state?.deadLetters, state?.groups],
        [2, 0, ["first", "first-counts", "second"].map((name) => ({ name, lag: 0 }))],
      );
    });

    test("events are read from their beginning, from a time, and from the last ones on", async () => {
      for (const message of ["1", "2", "3"]) await stage.say(message);
      await sleep(5);
      const nowMs = Date.now();
      await sleep(5);
      await stage.say("4", { tenant: "b" });
      const messages = async (start: Parameters<Backbone["begin"]>[1]): Promise<unknown[]> => {
        const { events } = await stage.backbone.read(await stage.backbone.begin([], start), 100);
        return events.map(({ data }) => (data as IngestFailed).message);
      };
      assert.deepEqual(await messages({ fromMs: 0 }), ["1", "2", "3", "4"]);
      assert.deepEqual(await messages({ fromMs: nowMs }), ["4"]);
      assert.deepEqual(await messages({ lastRecords: 2 }), ["3", "4"]);
      let at = await stage.backbone.begin([TOPIC], { fromMs: 0 });
      const seen: string[] = [];
      for (let isAtEnd = false; !isAtEnd; ) {
        const stretch = await stage.backbone.read(at, 1);
        assert.ok(stretch.events.length <= 1);
        seen.push(...stretch.events.map(({ id }) => id));
        ({ next: at, isAtEnd } = stretch);
      }
      assert.equal(new Set(seen).size, 4);
      await assert.rejects(stage.backbone.begin(["films"], { fromMs: 0 }), /no topic 'films'; there are content/);
    });

    test("bytes that nobody can decode are shown as such", async () => {
      await stage.log.append([
        { topic: TOPIC, key: "k", headers: { ce_type: "ingest.failed" }, value: Buffer.from("broken") },
      ]);
      const { events } = await stage.backbone.read(await stage.backbone.begin([TOPIC], { lastRecords: 1 }), 10);
      assert.deepEqual(
        events.map(({ data, name }) => [data, name]),
        [[undefined, "ingest.failed"]],
      );
    });

    test("a dead letter goes back to the one who refused it, once at most", async () => {
      stage.refuses = (message) => message === "bad";
      for (const message of ["good", "bad", "better"]) await stage.say(message);
      await stage.settled();
      assert.deepEqual(await notes("first"), ["a good", "a better"]);
      const [letter, ...others] = await stage.backbone.letters([]);
      assert.deepEqual(others, []);
      assert.match(letter?.id ?? "", /^first\/content\.ingest\.events\/\d\/1$/);
      assert.equal(letter?.reason, "Error: cannot bear 'bad'");
      stage.refuses = () => false;
      const id = letter?.id ?? "";
      const tries = await Promise.allSettled(Array.from({ length: 4 }, () => stage.backbone.settle([id], "replay")));
      const settled = tries.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
      assert.deepEqual(settled, [id], "one of several operators puts it back");
      await stage.settled();
      assert.deepEqual(await notes("first"), ["a good", "a better", "a bad"]);
      assert.deepEqual(await notes("second"), ["a good", "a bad", "a better"], "the others had it before");
      assert.deepEqual(await counted(), ["a k 3"], "and so had the read model");
      assert.deepEqual(await stage.backbone.letters([]), []);
      await assert.rejects(stage.backbone.settle([id], "replay"), { reason: "letter_unknown" });
    });

    test("a letter that is refused again waits again, and a dropped one does not", async () => {
      stage.refuses = () => true;
      await stage.say("bad");
      await stage.settled();
      const [first] = await stage.backbone.letters([TOPIC]);
      await stage.backbone.settle([first?.id ?? ""], "replay");
      await stage.settled();
      const [again, ...others] = await stage.backbone.letters([TOPIC]);
      assert.deepEqual(others, []);
      assert.notEqual(again?.id, first?.id);
      assert.deepEqual(await stage.backbone.settle([again?.id ?? ""], "drop"), [again?.id]);
      assert.deepEqual(await stage.backbone.letters([TOPIC]), []);
      stage.refuses = () => false;
      await stage.settled();
      assert.deepEqual(await notes("first"), []);
    });

    test("a replay moves the marks of one service back, and not forward", async () => {
      await stage.say("1");
      await stage.settled();
      await sleep(5);
      const fromMs = Date.now();
      await sleep(5);
      await stage.say("2");
      await stage.settled();
      const asked = { service: "first", topic: TOPIC, fromMs, forgets: true, isTrial: true };
      assert.deepEqual(await stage.backbone.replay(asked), { records: 1, remembers: isRepeating });
      await stage.settled();
      assert.deepEqual(await notes("first"), ["a 1", "a 2"], "a trial changes nothing");
      const again = await stage.backbone.replay({ ...asked, isTrial: false, forgets: false });
      assert.equal(again.records, 1);
      await stage.settled();
      const known = isRepeating ? ["a 1", "a 2"] : ["a 1", "a 2", "a 2"];
      assert.deepEqual(await notes("first"), known, "what the inbox remembers has its effect once");
      await stage.backbone.replay({ ...asked, isTrial: false });
      await stage.settled();
      assert.deepEqual(await notes("first"), [...known, "a 2"]);
      assert.deepEqual(await notes("second"), ["a 1", "a 2"]);
      const { records } = await stage.backbone.replay({ ...asked, fromMs: Date.now() + 60_000, isTrial: false });
      assert.equal(records, 0);
      await assert.rejects(stage.backbone.replay({ ...asked, topic: "films" }), /first does not follow 'films'/);
      await assert.rejects(stage.backbone.replay({ ...asked, service: "third" }), { reason: "service_unknown" });
    });

    test("a read model is made anew from the log, and nothing else happens again", async () => {
      for (const [key, tenant] of [
        ["x", "a"],
        ["y", "a"],
        ["x", "b"],
        ["x", "a"],
      ] as const)
        await stage.say(key, { key, tenant });
      await stage.settled();
      const rowsBefore = await counted();
      assert.deepEqual(rowsBefore, ["a x 2", "a y 1", "b x 1"]);
      const notesBefore = await notes("first");
      await base.db("first").tx({ tenant: "a" }, (tx) => tx.executeSql("UPDATE counted SET times = 77", []));
      const [state] = await stage.backbone.rebuild("first", TENANTS);
      assert.deepEqual([state?.name, state?.tables, state?.records], ["counts", ["counted"], 4]);
      await stage.settled();
      assert.deepEqual(await counted(), rowsBefore);
      assert.deepEqual(await notes("first"), notesBefore, "the service's other tables are not a read model");
      await assert.rejects(stage.backbone.rebuild("second", TENANTS), { reason: "no_read_models" });
    });

    test("a rebuild while events come in counts each of them once", async () => {
      for (let index = 0; index < 40; index++) {
        await stage.say(String(index), { key: `k${index % 3}` });
        if (index % 10 === 5) await stage.backbone.rebuild("first", TENANTS);
      }
      await stage.settled();
      assert.deepEqual(await counted(), ["a k0 14", "a k1 13", "a k2 13"]);
    });

    test("a member elsewhere that is in the middle of a batch finds the marks moved", async () => {
      // Another process: it has the same group and another place in this log's groups.
      const elsewhere = await openListener({
        ...{ pool: base.pool, reader: base.events, logger: silentLogger, metrics, topic: TOPIC },
        ...{ service: "first", db: base.db("first"), marksName: modelMarks("counts", TOPIC) },
        log: { ...stage.log, consume: (options) => stage.log.consume({ ...options, group: "elsewhere" }) },
        subscriptions: [
          {
            event: Ingest.events.failed,
            async handle(tx, received) {
              await sleep(3);
              for (const { data } of received as readonly Received<IngestFailed>[])
                await tx.executeSql(
                  `INSERT INTO counted (tenant, key, times) VALUES ($1, $2, 1)
                   ON CONFLICT (tenant, key) DO UPDATE SET times = counted.times + 1`,
                  [tx.tenant, data.contentId],
                );
            },
          },
        ],
      });
      for (let index = 0; index < 30; index++) {
        await stage.say(String(index));
        if (index % 10 === 5) await stage.backbone.rebuild("first", TENANTS);
      }
      await stage.settled();
      await elsewhere.stop();
      assert.deepEqual(await counted(), ["a k 30"]);
    });
  });
}
