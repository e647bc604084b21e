import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openEmbeddedLog } from "#adapters/log/embedded";
import { openEmbeddedRegistry } from "#adapters/log/registry";
import { Ingest } from "#contracts/ingest";
import { topics } from "#contracts/topics";
import { systemClock } from "./clock.ts";
import { consumeTopic, TRIES_MAX } from "./consumer.ts";
import { deadLetterTopic } from "./dead-letters.ts";
import { defineContract, event } from "./contract.ts";
import { type Db, openDb, type Tx } from "./db.ts";
import { problem } from "./errors.ts";
import { type EventReader, type EventWriter, openEvents, type Received, toRecord } from "./events.ts";
import { once } from "./idempotency.ts";
import type { Consumer, EventLog, LogRecord, SchemaRegistry } from "./ports/log.ts";
import { type Relay, startRelay } from "./relay.ts";
import type { Pool } from "./sql.ts";
import { openMetrics } from "./metrics.ts";
import { inSpan, silentLogger } from "./telemetry.ts";
import { openTestDatabase, type TestDatabase } from "./testing/database.ts";
import { startTracing } from "./tracing.ts";

const TOPIC = "content.ingest.events";
const SPEC = { name: TOPIC, partitions: 4, retentionMs: 86_400_000 };
const metrics = openMetrics();
let folder = "";
let base: TestDatabase;
let pool: Pool;
let log: EventLog;
let events: EventReader & EventWriter;
let logs = 0;

before(async () => {
  base = await openTestDatabase(
    ["ingest", "listener"],
    `CREATE TABLE notes (tenant text NOT NULL, key text NOT NULL, text text NOT NULL, at bigint GENERATED ALWAYS AS IDENTITY);
     CREATE TABLE counters (tenant text NOT NULL, key text NOT NULL, count int NOT NULL, PRIMARY KEY (tenant, key));`,
  );
  ({ folder, pool, events } = base);
});
// A log of its own for each test, so that offsets begin at nothing.
beforeEach(async () => {
  await log?.close();
  log = await openEmbeddedLog({ folder: join(folder, `log-${++logs}`), redelivery: { firstMs: 1, maxMs: 4 } });
  await log.createTopics([SPEC, { ...SPEC, name: deadLetterTopic(TOPIC), partitions: 1 }]);
  for (const service of ["ingest", "listener"]) {
    await inService(service, "DELETE FROM marks");
    for (const tenant of ["a", "b"]) await inService(service, "DELETE FROM notes", tenant);
  }
});
after(async () => {
  await log?.close();
  await base?.close();
});

async function inService(service: string, sql: string, tenant = "a") {
  const db = base.db(service);
  return db.tx({ tenant }, async (tx) => (await tx.executeSql(sql, [])).rows);
}

function openIngest(through: EventLog = log): { db: Db<typeof Ingest>; relay: Relay } {
  const relay = startRelay({ service: "ingest", pool, log: through, logger: silentLogger });
  return { relay, db: base.db("ingest", (count) => relay.wake(count)) };
}

const failed = (contentId: string, message = "") => ({ contentId, reason: "test", message });
const note = (tx: Tx, key: string, text: string) =>
  tx.executeSql("INSERT INTO notes (tenant, key, text) VALUES ($1, $2, $3)", [tx.tenant, key, text]);
const notes = async (service: string, tenant = "a"): Promise<string[]> =>
  (await inService(service, "SELECT key, text FROM notes ORDER BY at", tenant)).map(
    (row) => `${String(row["key"])}:${String(row["text"])}`,
  );

/** Every record of a topic, in the order of its partitions. */
async function recordsOf(topic = TOPIC): Promise<LogRecord[]> {
  const ends = await log.offsets(topic);
  return [...(await log.read(topic, new Map([...ends.keys()].map((partition) => [partition, 0])), 10_000))];
}
async function messages(): Promise<string[]> {
  const decoded = await Promise.all((await recordsOf()).map((record) => events.decode(record)));
  return decoded.map((received) => (received?.data as { message?: string } | undefined)?.message ?? "");
}

/** Waits for what another process of the machine brings about. */
async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await look()) return;
    await sleep(5);
  }
  assert.fail(`${what} did not come within three seconds`);
}

describe("the outbox", () => {
  test("a row and its event are committed together, or neither is", async () => {
    const { db, relay } = openIngest();
    await db.tx({ tenant: "a" }, async (tx) => {
      await note(tx, "k", "kept");
      tx.emit("failed", failed("k", "kept"));
    });
    const lost = db.tx({ tenant: "a" }, async (tx) => {
      await note(tx, "k", "lost");
      tx.emit("failed", failed("k", "lost"));
      throw new Error("changed my mind");
    });
    await assert.rejects(lost, /changed my mind/);
    await relay.drained();
    assert.deepEqual(await notes("ingest"), ["k:kept"]);
    assert.deepEqual(await messages(), ["kept"]);
    await relay.stop();
  });

  test("while the log is away, the relay says how many wait and since when; then nothing", async () => {
    let isAway = true;
    const through = {
      ...log,
      append: async (records: Parameters<EventLog["append"]>[0]) => {
        if (isAway) throw new Error("the log is away");
        await log.append(records);
      },
    };
    const { db, relay } = openIngest(through);
    const beforeMs = Date.now();
    await db.tx({ tenant: "a" }, async (tx) => tx.emit("failed", failed("k", "late")));
    const firstMs = Date.now();
    await db.tx({ tenant: "a" }, async (tx) => tx.emit("failed", failed("k", "later")));
    await until("the age", async () => (relay.pending().oldestMs ?? 0) > 0);
    const { count, oldestMs = 0 } = relay.pending();
    assert.ok(count > 0);
    assert.ok(oldestMs >= beforeMs && oldestMs <= firstMs, "it is as old as its first event");
    isAway = false;
    await relay.drained();
    assert.deepEqual(relay.pending(), { count: 0, oldestMs: undefined });
    await relay.stop();
    // What a process that died has left behind is as old as it was.
    await base.db("ingest").tx({ tenant: "a" }, async (tx) => tx.emit("failed", failed("k", "left")));
    isAway = true;
    const next = openIngest(through).relay;
    await until("the age of what was left", async () => next.pending().oldestMs !== undefined);
    isAway = false;
    await next.drained();
    assert.deepEqual(await messages(), ["late", "later", "left"]);
    await next.stop();
  });

  test("an event without its key is refused before anything is written", async () => {
    const { db, relay } = openIngest();
    const keyless = db.tx({ tenant: "a" }, async (tx) => {
      await note(tx, "k", "lost");
      tx.emit("failed", failed(""));
    });
    await assert.rejects(keyless, /has no key 'contentId'/);
    assert.deepEqual(await notes("ingest"), []);
    await relay.stop();
  });

  test("a transaction whose failure was swallowed does not pass for committed", async () => {
    const { db, relay } = openIngest();
    const swallowed = db.tx({ tenant: "a" }, async (tx) => {
      await note(tx, "k", "lost");
      await tx.executeSql("SELECT 1 / 0", []).catch(() => {});
    });
    await assert.rejects(swallowed, { code: "internal" });
    // The connection is as good as new afterwards.
    await db.tx({ tenant: "a" }, (tx) => note(tx, "k", "kept"));
    assert.deepEqual(await notes("ingest"), ["k:kept"]);
    await relay.stop();
  });

  test("serialisation failures are tried again, and only so often", async () => {
    const { db, relay } = openIngest();
    let tries = 0;
    const work = async (): Promise<string> => {
      if (++tries < 3) throw Object.assign(new Error("not now"), { code: "40001" });
      return "done";
    };
    assert.equal(await db.tx({ tenant: "a" }, work), "done");
    tries = -10;
    await assert.rejects(db.tx({ tenant: "a" }, work), /not now/);
    assert.equal(tries, -7);
    await relay.stop();
  });

  test("what was committed while no relay ran is sent by the next one", async () => {
    const db = openDb<typeof Ingest>({ pool, service: "ingest", writer: events, onEmitted: () => {} });
    await db.tx({ tenant: "a" }, async (tx) => tx.emit("failed", failed("k", "earlier")));
    assert.deepEqual(await messages(), []);
    const { relay } = openIngest();
    await relay.drained();
    assert.deepEqual(await messages(), ["earlier"]);
    await relay.stop();
  });

  test("a transaction that took a lower id and commits later is neither lost nor overtaken", async () => {
    const { db, relay } = openIngest();
    let commit = (): void => {};
    const held = new Promise<void>((resolve) => (commit = resolve));
    let taken = (): void => {};
    const tookId = new Promise<void>((resolve) => (taken = resolve));
    const row = events.encode("ingest", "failed", failed("k", "first"), "a");
    const slow = db.tx({ tenant: "a" }, async (tx) => {
      await tx.executeSql("INSERT INTO outbox (event_id, topic, key, headers, value) VALUES ($1, $2, $3, $4, $5)", [
        ...[row.eventId, row.topic, row.key, JSON.stringify(row.headers), row.value],
      ]);
      taken();
      await held;
    });
    await tookId;
    await db.tx({ tenant: "a" }, async (tx) => tx.emit("failed", failed("k", "second")));
    await sleep(60);
    assert.deepEqual(await messages(), [], "the second one waits for whoever may still come before it");
    commit();
    await slow;
    await relay.drained();
    assert.deepEqual(await messages(), ["first", "second"]);
    await relay.stop();
  });

  test("concurrent transactions keep the order of each key, and lose nothing", async () => {
    const { db, relay } = openIngest();
    const keys = ["k1", "k2", "k3", "k4", "k5", "k6"];
    const rounds = 15;
    for (const key of keys) await db.tx({ tenant: "a" }, (tx) => count(tx, key));
    await Promise.all(
      keys.flatMap((key) =>
        Array.from({ length: rounds }, () =>
          db.tx({ tenant: "a" }, async (tx) => {
            // The row's lock makes the transactions of one key happen one after the other.
            const number = await count(tx, key);
            await sleep(Math.random() * 4);
            tx.emit("failed", failed(key, `${key}/${number}`));
          }),
        ),
      ),
    );
    await relay.drained();
    const sent = await messages();
    assert.equal(sent.length, keys.length * rounds);
    for (const key of keys) {
      const numbers = sent.filter((text) => text.startsWith(`${key}/`)).map((text) => Number(text.split("/")[1]));
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
        key,
      );
    }
    await relay.stop();
  });

  async function count(tx: Tx, key: string): Promise<number> {
    const { rows } = await tx.executeSql(
      `INSERT INTO counters VALUES ($1, $2, 0) ON CONFLICT (tenant, key) DO UPDATE SET count = counters.count + 1 RETURNING count`,
      [tx.tenant, key],
    );
    return Number(rows[0]?.["count"]);
  }

  test("a crash between the log's acknowledgement and the deletion sends nothing twice", async () => {
    let crashes = 0;
    const crashing: EventLog = {
      ...log,
      async append(records) {
        await log.append(records);
        if (crashes++ < 2) throw new Error("killed before the outbox was emptied");
      },
    };
    const { db, relay } = openIngest(crashing);
    await db.tx({ tenant: "a" }, async (tx) => tx.emit("failed", failed("k", "only once")));
    await relay.drained();
    assert.equal(crashes, 3);
    assert.deepEqual(await messages(), ["only once"]);
    await relay.stop();
  });

  test("an event that is committed while the relay is busy does not wait for its next round", async () => {
    let release = (): void => {};
    const busy = new Promise<void>((resolve) => (release = resolve));
    let arrived = (): void => {};
    const began = new Promise<void>((resolve) => (arrived = resolve));
    const slow: EventLog = {
      ...log,
      async append(records) {
        arrived();
        await busy;
        await log.append(records);
      },
    };
    const { db, relay } = openIngest(slow);
    await db.tx({ tenant: "a" }, async (tx) => tx.emit("failed", failed("k", "one")));
    await began;
    await db.tx({ tenant: "a" }, async (tx) => tx.emit("failed", failed("k", "two")));
    release();
    await until("the second event", async () => (await messages()).length === 2);
    await relay.stop();
  });

  test("two relays of one service, as two processes have, send everything once", async () => {
    const [one, two] = [openIngest(), openIngest()];
    await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        (i % 2 ? one : two).db.tx({ tenant: "a" }, async (tx) => tx.emit("failed", failed("k", String(i)))),
      ),
    );
    await Promise.all([one.relay.drained(), two.relay.drained()]);
    assert.equal((await messages()).length, 30);
    await Promise.all([one.relay.stop(), two.relay.stop()]);
  });
});

type Handle = (tx: Tx, received: readonly Received<{ contentId: string; message: string }>[]) => Promise<void>;

function listen(handle: Handle): Promise<Consumer> {
  return consumeTopic({
    service: "listener",
    topic: TOPIC,
    subscriptions: [
      { event: Ingest.events.failed, handle: (tx, received) => handle(tx, received as Parameters<Handle>[1]) },
    ],
    db: base.db("listener"),
    pool,
    log,
    reader: events,
    logger: silentLogger,
    metrics,
  });
}

const writeNotes: Handle = async (tx, received) => {
  for (const { data } of received) await note(tx, data.contentId, data.message);
};

async function say(...told: readonly { key: string; text: string; tenant?: string }[]): Promise<void> {
  await log.append(
    told.map(({ key, text, tenant = "a" }) => toRecord(events.encode("ingest", "failed", failed(key, text), tenant))),
  );
}

const marked = async (): Promise<number> =>
  Number((await inService("listener", "SELECT coalesce(sum(next_offset), 0) AS sum FROM marks"))[0]?.["sum"]);

describe("a consumer", () => {
  test("has an effect once, however often it is tried", async () => {
    let tries = 0;
    const consumer = await listen(async (tx, received) => {
      await writeNotes(tx, received);
      // It fails when its work is done, so the work has to be taken back.
      if (++tries <= 3) throw new Error("not yet");
    });
    await say({ key: "k", text: "1" }, { key: "k", text: "2" }, { key: "k", text: "3" });
    await until("the effect", async () => (await marked()) === 3);
    assert.deepEqual(await notes("listener"), ["k:1", "k:2", "k:3"]);
    assert.ok(tries > 3);
    await consumer.stop();
    const next = await listen(writeNotes);
    await say({ key: "k", text: "4" });
    await until("the next event", async () => (await marked()) === 4);
    assert.deepEqual(await notes("listener"), ["k:1", "k:2", "k:3", "k:4"]);
    await next.stop();
  });

  test("sets poison aside with its reason, and lets its neighbours pass in their order", async () => {
    const consumer = await listen(async (tx, received) => {
      await writeNotes(tx, received);
      if (received.some(({ data }) => data.message === "poison")) throw new RangeError("cannot digest this");
    });
    await say(
      { key: "k", text: "before" },
      { key: "k", text: "poison" },
      { key: "k", text: "after" },
      { key: "other", text: "elsewhere" },
    );
    await until("the last neighbour", async () => (await marked()) === 4);
    const kept = await notes("listener");
    assert.deepEqual(
      kept.filter((text) => text.startsWith("k:")),
      ["k:before", "k:after"],
    );
    assert.ok(kept.includes("other:elsewhere"));
    const [letter, ...more] = await recordsOf(deadLetterTopic(TOPIC));
    assert.equal(more.length, 0);
    assert.equal(letter?.headers["dlq_reason"], "RangeError: cannot digest this");
    assert.equal(letter?.headers["dlq_group"], "listener");
    assert.equal(letter?.headers["dlq_topic"], TOPIC);
    assert.equal((await events.decode(letter))?.data !== undefined, true, "it can be read and sent again");
    await consumer.stop();
  });

  test("takes nothing for poison because a service that it needs is away", async () => {
    let tries = 0;
    const consumer = await listen(async (tx, received) => {
      if (++tries <= TRIES_MAX * 3) throw problem.unavailable("the subscriptions are being restarted");
      await writeNotes(tx, received);
    });
    await say({ key: "k", text: "1" });
    await until("the effect", async () => (await marked()) === 1);
    assert.deepEqual(await notes("listener"), ["k:1"]);
    assert.equal((await recordsOf(deadLetterTopic(TOPIC))).length, 0);
    await consumer.stop();
  });

  for (const count of [1, 2])
    test(`${count === 1 ? "goes on with the trace" : "begins a trace for a batch, linked to those"} that emitted its events`, async (t) => {
      const tracing = startTracing({ mode: "development" });
      t.after(() => tracing.stop());
      const { db, relay } = openIngest();
      const emittedIn: string[] = [];
      for (let n = 0; n < count; n++)
        await inSpan("POST /import", {}, null, async (span) => {
          emittedIn.push(span.spanContext().traceId);
          await db.tx({ tenant: "a" }, async (tx) => {
            tx.emit("failed", failed("k", `${n}`));
            tx.emit("failed", failed("k", `${n} again`));
          });
        });
      await relay.drained();
      const consumer = await listen(writeNotes);
      await until("the effect", async () => (await marked()) === 2 * count);
      await consumer.stop();
      await relay.stop();
      const consumed = tracing.traces
        .latest()
        .flatMap(({ traceId, spans }) => spans.map((span) => ({ traceId, span })))
        .filter(({ span }) => span.name === `listener consumes ${TOPIC}`);
      assert.equal(consumed.length, 1);
      assert.deepEqual(consumed[0]?.span.linkedTraceIds, count === 1 ? [] : emittedIn);
      assert.equal(emittedIn.includes(consumed[0]?.traceId ?? ""), count === 1);
    });

  test("is not held up for ever by what no tenant sent, and what is no event at all", async () => {
    const consumer = await listen(writeNotes);
    const good = toRecord(events.encode("ingest", "failed", failed("k", "good"), "a"));
    const { dedupeId: _, ...raw } = good;
    await log.append([
      { ...raw, headers: { ...raw.headers, ce_tenant: "Not A Tenant" } },
      { ...raw, headers: {}, value: Buffer.from("noise") },
      { ...raw, value: Buffer.from("not Avro at all") },
      good,
    ]);
    await until("the good one", async () => (await marked()) === 4);
    assert.deepEqual(await notes("listener"), ["k:good"]);
    assert.equal((await recordsOf(deadLetterTopic(TOPIC))).length, 3);
    await consumer.stop();
  });

  test("keeps tenants apart within one batch", async () => {
    const pairs: string[] = [];
    const consumer = await listen(async (tx, received) => {
      for (const { tenant } of received) pairs.push(`${tx.tenant}=${tenant}`);
      await writeNotes(tx, received);
    });
    await say(...Array.from({ length: 20 }, (_, i) => ({ key: "k", text: String(i), tenant: i % 3 ? "a" : "b" })));
    await until("all of them", async () => (await marked()) === 20);
    assert.deepEqual([...new Set(pairs)].toSorted(), ["a=a", "b=b"]);
    assert.equal((await notes("listener", "a")).length, 13);
    assert.equal((await notes("listener", "b")).length, 7);
    await consumer.stop();
  });
});

describe("schemas", () => {
  const field = (name: string, more: object = {}): object => ({ name, type: "string", ...more });
  const versionOf = (fields: readonly object[]) =>
    defineContract({
      name: "ingest",
      rpc: Ingest.rpc,
      events: { failed: event<object>()("ingest.failed", { type: "record", name: "IngestFailed", fields }) },
    });
  const old = versionOf([field("contentId"), field("reason")]);
  const next = versionOf([field("contentId"), field("remedy", { default: "none known" }), field("reason")]);

  test("old and new programs read each other's events", async () => {
    const own = await openEmbeddedRegistry({ folder: join(folder, "evolution") });
    const oldEvents = await openEvents([old], topics, own, systemClock);
    const newEvents = await openEvents([next], topics, own, systemClock);
    const read = async (from: EventWriter, payload: object, by: EventReader): Promise<object> => {
      const row = toRecord(from.encode("ingest", "failed", payload, "a"));
      return { ...((await by.decode({ ...row, partition: 0, offset: 0, timestampMs: 0 }))?.data as object) };
    };
    const before = { contentId: "c", reason: "r" };
    assert.deepEqual(await read(oldEvents, before, newEvents), { ...before, remedy: "none known" });
    assert.deepEqual(await read(newEvents, { ...before, remedy: "wait" }, oldEvents), before);
    const breaking = versionOf([field("contentId"), field("reason"), field("required")]);
    await assert.rejects(openEvents([breaking], topics, own, systemClock));
    await own.close();
  });

  test("a registry that was away for a moment poisons nothing", async () => {
    const own = await openEmbeddedRegistry({ folder: join(folder, "flaky") });
    let asked = 0;
    const flaky: SchemaRegistry = {
      ...own,
      byId: (id) => (++asked === 1 ? Promise.reject(new Error("away")) : own.byId(id)),
    };
    const oldEvents = await openEvents([old], topics, own, systemClock);
    const newEvents = await openEvents([next], topics, flaky, systemClock);
    const row = toRecord(oldEvents.encode("ingest", "failed", { contentId: "c", reason: "r" }, "a"));
    const record = { ...row, partition: 0, offset: 0, timestampMs: 0 };
    await assert.rejects(newEvents.decode(record), /away/);
    assert.equal((await newEvents.decode(record))?.name, "ingest.failed");
    assert.equal((await newEvents.decode(record))?.name, "ingest.failed");
    assert.equal(asked, 2, "what is known is not asked for again");
    await own.close();
  });
});

describe("once", () => {
  test("twenty requests at the same time with one key are one", async () => {
    const db = base.db("ingest");
    const ask = (request: object): Promise<{ id: number }> =>
      db.tx({ tenant: "a" }, (tx) =>
        once(tx, "key-1", request, async () => {
          await note(tx, "once", "done");
          return { id: Math.random() };
        }),
      );
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ content: "film" })));
    assert.equal(new Set(answers.map(({ id }) => id)).size, 1);
    assert.deepEqual(await notes("ingest"), ["once:done"]);
    await assert.rejects(ask({ content: "another" }), {
      code: "failed_precondition",
      reason: "idempotency_key_reused",
    });
  });

  test("a key is the tenant's own; what failed may be tried again; without a key nothing is remembered", async () => {
    const db = base.db("ingest");
    const ask = (tenant: string, key: string | null, answer: string): Promise<string> =>
      db.tx({ tenant }, (tx) => once(tx, key, {}, async () => answer));
    assert.deepEqual([await ask("a", "k", "mine"), await ask("b", "k", "theirs")], ["mine", "theirs"]);
    const failing = db.tx({ tenant: "a" }, (tx) => once(tx, "f", {}, () => Promise.reject(new Error("no"))));
    await assert.rejects(failing, /no/);
    assert.equal(await ask("a", "f", "yes"), "yes");
    assert.deepEqual([await ask("a", null, "1"), await ask("a", null, "2")], ["1", "2"]);
    await assert.rejects(ask("a", "", "x"), { code: "invalid_argument" });
    await assert.rejects(ask("a", "x".repeat(201), "x"), { code: "invalid_argument" });
  });

  test("keys are forgotten after a day", async () => {
    const db = base.db("listener");
    const ask = (key: string): Promise<string> => db.tx({ tenant: "a" }, (tx) => once(tx, key, {}, async () => key));
    for (const key of ["old", "older", "young"]) await ask(key);
    await inService(
      "listener",
      "UPDATE idempotency SET created_at = now() - interval '25 hours' WHERE key LIKE 'old%'",
    );
    await ask("new");
    const rows = await inService("listener", "SELECT key FROM idempotency ORDER BY key");
    assert.deepEqual(
      rows.map((row) => row["key"]),
      ["new", "young"],
    );
  });
});
