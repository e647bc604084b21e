import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { problem, toProblem } from "#kernel/errors";
import type { EventLog, NewRecord } from "#kernel/ports/log";
import { createGroups } from "./groups.ts";
import type { Backoff } from "./groups.ts";
import { packNew, unpackRecords } from "./messages.ts";
import type { Reply, Request } from "./messages.ts";
import { checkRecord, checkRecordsMax, checkTopic, noSuchTopic } from "./records.ts";

export interface EmbeddedLogOptions {
  readonly folder: string;
  /** The pause before a batch whose handler failed is delivered again; it doubles. */
  readonly redelivery?: Backoff;
  /** How often records that outlived their retention are looked for. */
  readonly pruneIntervalMs?: number;
}

/** One transaction: large enough to share an fsync well, small enough that reads between two need not wait long. */
const BATCH_RECORDS_MAX = 5_000;
const BATCH_BYTES_MAX = 8 * 1024 * 1024;
/** What may wait for the disk before callers are told to come back later. */
const WAITING_RECORDS_MAX = 50_000;
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const READ_RECORDS_MAX = 10_000;

interface Append {
  readonly records: readonly NewRecord[];
  readonly bytes: number;
  resolve(): void;
  reject(error: Error): void;
}

interface Call {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** The event log of one running product: SQLite in a worker. A second product on the same folder is refused. */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EventLog> {
  await mkdir(options.folder, { recursive: true });
  const heads = new Map<string, number[]>();
  const calls = new Map<number, Call>();
  const waiting: Append[] = [];
  let waitingRecords = 0;
  let waitingBytes = 0;
  let isCommitting = false;
  let isFlushScheduled = false;
  let nextId = 1;
  let failure: string | undefined;
  let diskFull: string | undefined;
  let closing: Promise<void> | undefined;

  const worker = new Worker(new URL("./embedded-worker.ts", import.meta.url), {
    name: "event-log",
    // Our own flags (an inspector, --input-type) are not the worker's.
    execArgv: [],
    workerData: { path: join(options.folder, "log.sqlite"), pruneIntervalMs: options.pruneIntervalMs ?? 30_000 },
  });
  const started = new Promise<Reply>((resolve, reject) => calls.set(0, { resolve, reject }));
  worker.on("message", receive);
  worker.on("error", (error) => fail(error.message));
  worker.on("exit", () => {
    if (closing === undefined) fail("its worker ended");
  });

  const groups = createGroups(
    { heads: (topic) => heads.get(topic) ?? [], read },
    options.redelivery ?? { firstMs: 200, maxMs: 30_000 },
  );

  function receive(reply: Reply): void {
    if (reply.kind === "fatal") return fail(reply.message);
    const call = calls.get(reply.id);
    calls.delete(reply.id);
    if (reply.kind === "full") {
      diskFull = reply.message;
      call?.reject(
        problem.unavailable("the disk with the event log is full: free some space, then try again", {
          reason: "disk_full",
          retryAfterS: 10,
        }),
      );
    } else call?.resolve(reply);
  }

  /** After a failure nothing is accepted any more: better no log than one that loses records silently. */
  function fail(message: string): void {
    if (failure !== undefined) return;
    failure = /locked/.test(message) ? `another program has ${options.folder} open: stop it first` : message;
    for (const call of calls.values()) call.reject(ended());
    calls.clear();
    for (const append of waiting.splice(0)) append.reject(ended());
    void worker.terminate();
  }

  function ended(): Error {
    return problem.unavailable(`the event log ended (${failure ?? "it is closed"})`);
  }

  function call(make: (id: number) => Request, transfer: readonly ArrayBuffer[] = []): Promise<Reply> {
    if (failure !== undefined) return Promise.reject(ended());
    const id = nextId;
    nextId += 1;
    return new Promise((resolve, reject) => {
      calls.set(id, { resolve, reject });
      worker.postMessage(make(id), [...transfer]);
    });
  }

  function partitionsOf(topic: string): number {
    const known = heads.get(topic);
    if (known === undefined) throw noSuchTopic(topic);
    return known.length;
  }

  /** Sends the next batch when the previous one is committed; what is appended in between shares one transaction and one fsync. */
  function flush(): void {
    if (isCommitting || isFlushScheduled || waiting.length === 0) return;
    isFlushScheduled = true;
    queueMicrotask(() => {
      isFlushScheduled = false;
      void commit(takeBatch());
    });
  }

  function takeBatch(): readonly Append[] {
    let count = 0;
    let records = 0;
    let bytes = 0;
    for (const append of waiting) {
      if (count > 0 && (records + append.records.length > BATCH_RECORDS_MAX || bytes + append.bytes > BATCH_BYTES_MAX))
        break;
      count += 1;
      records += append.records.length;
      bytes += append.bytes;
    }
    waitingRecords -= records;
    waitingBytes -= bytes;
    return waiting.splice(0, count);
  }

  async function commit(batch: readonly Append[]): Promise<void> {
    if (batch.length === 0) return;
    isCommitting = true;
    try {
      const packed = packNew(
        batch.flatMap((append) => append.records),
        partitionsOf,
      );
      const reply = await call((id) => ({ kind: "append", id, batch: packed }), [packed.values.buffer]);
      if (reply.kind === "appended") {
        for (const [topic, partition, next] of reply.heads) {
          const known = heads.get(topic);
          if (known !== undefined) known[partition] = next;
        }
        diskFull = undefined;
        groups.wake(reply.heads.map(([topic]) => topic));
      }
      for (const append of batch) append.resolve();
    } catch (error) {
      for (const append of batch) append.reject(toProblem(error));
    } finally {
      isCommitting = false;
      flush();
    }
  }

  async function read(topic: string, positions: ReadonlyMap<number, number>, recordsMax: number) {
    const reply = await call((id) => ({
      kind: "read",
      id,
      topic,
      from: [...positions],
      recordsMax: Math.min(recordsMax, READ_RECORDS_MAX),
    }));
    return reply.kind === "records" ? unpackRecords(topic, reply.batch) : [];
  }

  function learn(reply: Reply): void {
    if (reply.kind !== "topics") return;
    for (const topic of reply.topics) heads.set(topic.name, [...topic.heads]);
  }

  learn(
    await started.catch(async (error: unknown) => {
      await worker.terminate();
      throw error;
    }),
  );

  return {
    dedupes: true,
    async createTopics(topics) {
      for (const topic of topics) checkTopic(topic);
      learn(await call((id) => ({ kind: "topics", id, topics })));
    },
    async append(records) {
      if (closing !== undefined || failure !== undefined) throw ended();
      if (records.length === 0) return;
      let bytes = 0;
      for (const record of records) {
        partitionsOf(record.topic);
        bytes += checkRecord(record);
      }
      if (
        waitingRecords > 0 &&
        (waitingRecords + records.length > WAITING_RECORDS_MAX || waitingBytes + bytes > WAITING_BYTES_MAX)
      ) {
        throw problem.exhausted(`${waitingRecords} records wait for the event log's disk: try again a little later`, {
          reason: "log_busy",
          retryAfterS: 1,
        });
      }
      waitingRecords += records.length;
      waitingBytes += bytes;
      await new Promise<void>((resolve, reject) => {
        waiting.push({ records, bytes, resolve, reject });
        flush();
      });
    },
    async consume(consume) {
      if (closing !== undefined || failure !== undefined) throw ended();
      partitionsOf(consume.topic);
      checkRecordsMax(consume.recordsMax);
      return groups.join(consume);
    },
    async offsets(topic, atMs) {
      partitionsOf(topic);
      if (atMs === undefined) return new Map((heads.get(topic) ?? []).entries());
      const reply = await call((id) => ({ kind: "seek", id, topic, atMs }));
      return new Map(reply.kind === "offsets" ? reply.offsets.entries() : []);
    },
    async read(topic, positions, recordsMax) {
      partitionsOf(topic);
      return read(topic, positions, recordsMax);
    },
    erases: true,
    async erase(topic, names, until) {
      partitionsOf(topic);
      if (names.length === 0) return;
      let isDirty = false;
      for (const [partition, end] of until)
        for (let from = 0; from < end; ) {
          const reply = await call((id) => ({ kind: "erase", id, topic, partition, from, until: end, names }));
          if (reply.kind !== "erased") break;
          isDirty = reply.isDirty;
          from = reply.next;
        }
      for (let from: number | undefined = isDirty ? 0 : undefined; from !== undefined; ) {
        const at: number = from;
        const reply = await call((id) => ({ kind: "scrub", id, from: at }));
        from = reply.kind === "scrubbed" ? reply.next : undefined;
      }
    },
    async copyTo(folder, until) {
      const nexts = [...until].map(
        ([topic, offsets]) =>
          [topic, Array.from({ length: partitionsOf(topic) }, (_, partition) => offsets.get(partition) ?? 0)] as const,
      );
      const reply = await call((id) => ({ kind: "copy", id, path: join(folder, "log.sqlite"), until: nexts }));
      if (reply.kind === "uncopied")
        throw problem.exhausted(`the event log could not be copied to '${folder}': ${reply.message}`);
    },
    async state() {
      if (failure !== undefined) return { ok: false, detail: `embedded event log in ${options.folder}: ${failure}` };
      if (closing !== undefined) return { ok: false, detail: "embedded event log is closed" };
      if (diskFull !== undefined)
        return { ok: false, detail: `embedded event log in ${options.folder}: the disk is full, free some space` };
      return { ok: true, detail: `embedded event log, ${heads.size} topics, ${waitingRecords} records waiting` };
    },
    close() {
      closing ??= (async () => {
        await groups.stop();
        // Requests are answered in their order, so this answer comes after every append that was sent before.
        while (failure === undefined && (waiting.length > 0 || isCommitting))
          await new Promise((resolve) => setImmediate(resolve));
        if (failure === undefined) await call((id) => ({ kind: "close", id })).catch(() => undefined);
        await worker.terminate();
        failure ??= "it is closed";
      })();
      return closing;
    },
  };
}
