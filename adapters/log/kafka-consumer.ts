import { setTimeout as sleep } from "node:timers/promises";
import type { ConsumeOptions, Consumer } from "#kernel/ports/log";
import type { Backoff } from "./groups.ts";
import { joinGroup, type Member } from "./kafka-member.ts";
import { isKafkaError, type Fetched } from "./kafka-records.ts";
import { type ClientOptions, openReader, type Reader } from "./kafka-reader.ts";

/** How long a broker holds a fetch that finds nothing; also how long a new assignment may wait for the fetch of the old one. */
const FETCH_WAIT_MS = 500;
const REPORT_EVERY_MS = 5_000;
const REPORT_WAIT_MS = 1_000;
/** When nobody answers, `consume` returns and goes on trying. */
const JOIN_WAIT_MS = 15_000;

/** What a fetch brought, and under which claim it was sent: positions that were set anew since then make it worthless. */
interface Arrival {
  readonly claim: number;
  readonly fetched: readonly Fetched[];
  readonly error?: Error;
}

/** Two topics of one group rebalance apart, so each pair of group and topic is a group of Kafka. */
export const groupIdOf = ({ group, topic }: Pick<ConsumeOptions, "group" | "topic">): string => `${group}.${topic}`;

export async function consumeKafka(
  client: ClientOptions,
  options: ConsumeOptions,
  backoff: Backoff,
): Promise<Consumer> {
  const stop = new AbortController();
  const firstJoin = new AbortController();

  async function run(): Promise<void> {
    for (let failures = 0; !stop.signal.aborted; failures += 1) {
      const session = openSession(client, options, backoff, stop.signal, () => {
        failures = 0;
        firstJoin.abort();
      });
      await session.run();
      await session.close();
      if (!stop.signal.aborted) await pause(backoffMs(backoff, failures), stop.signal);
    }
    firstJoin.abort();
  }
  const running = run();
  await pause(JOIN_WAIT_MS, firstJoin.signal);
  return {
    async stop() {
      stop.abort();
      await running;
    },
  };
}

const backoffMs = ({ firstMs, maxMs }: Backoff, failures: number): number => Math.min(maxMs, firstMs * 2 ** failures);

const pause = (ms: number, until: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal: until }).catch(() => undefined);

/** One membership and the loop that fetches and hands over, until the membership is lost or the consumer stops. */
function openSession(
  client: ClientOptions,
  options: ConsumeOptions,
  backoff: Backoff,
  stopping: AbortSignal,
  onJoined: () => void,
) {
  const reader = openReader({ ...client, requestTimeout: 15_000 }, options.topic);
  /** Brokers that have a fetch of ours, and what others of them answered. */
  const asked = new Map<number, Promise<void>>();
  const arrived: Arrival[] = [];
  let mine: readonly number[] = [];
  let positions: Map<number, number> | undefined;
  /** Grows whenever positions are set anew; what was fetched before is not to be handled after. */
  let claim = 0;
  let isRevoked = true;
  let isOver = stopping.aborted;
  let failures = 0;
  let reportedMs = performance.now();
  let underWay: Promise<void> | undefined;
  let wakeUp: (() => void) | undefined;

  function startAnew(): void {
    positions = undefined;
    claim += 1;
  }

  function finish(): void {
    isOver = true;
    wakeUp?.();
  }
  stopping.addEventListener("abort", finish, { once: true });

  const member: Member = joinGroup(client, {
    group: groupIdOf(options),
    topic: options.topic,
    async onRevoke() {
      isRevoked = true;
      wakeUp?.();
      await underWay?.catch(() => undefined);
    },
    onAssign(partitions) {
      mine = partitions;
      startAnew();
      isRevoked = false;
      onJoined();
      wakeUp?.();
    },
    onLost: finish,
  });

  /** Sleeps until something arrives or changes. Nothing of it happens between the look that found nothing and this call. */
  const rest = (): Promise<void> =>
    new Promise((resolve) => {
      wakeUp = resolve;
    });

  /** Sends a fetch to every broker that has partitions of ours and no fetch of ours. */
  async function sendFetches(from: ReadonlyMap<number, number>): Promise<void> {
    const sentClaim = claim;
    for (const [node, partitions] of await reader.leaders(from.keys())) {
      if (asked.has(node) || claim !== sentClaim) continue;
      const wanted = new Map(partitions.map((partition) => [partition, from.get(partition) ?? 0]));
      const answer = reader.fetch(node, wanted, FETCH_WAIT_MS).then(
        (fetched): Arrival => ({ claim: sentClaim, fetched }),
        (error: Error): Arrival => ({ claim: sentClaim, fetched: [], error }),
      );
      asked.set(
        node,
        answer.then((arrival) => {
          asked.delete(node);
          arrived.push(arrival);
          wakeUp?.();
        }),
      );
    }
  }

  /** Hands over what came, in portions; stops between two when somebody else may own a partition by now. */
  async function handOver({ claim: sentClaim, fetched }: Arrival): Promise<void> {
    const records = fetched.flatMap((one) => one.records);
    for (let at = 0; at < records.length; at += options.recordsMax) {
      if (isOver || isRevoked || claim !== sentClaim) return;
      const portion = records.slice(at, at + options.recordsMax);
      underWay = options.handle(portion);
      await underWay;
      for (const { partition, offset } of portion) positions?.set(partition, offset + 1);
    }
    if (claim === sentClaim) for (const { partition, next } of fetched) positions?.set(partition, next);
    failures = 0;
  }

  async function step(): Promise<void> {
    if (isRevoked || mine.length === 0) return rest();
    if (positions === undefined) {
      const begun = claim;
      const found = await startingPoints(mine, options, reader);
      if (begun === claim) positions = found;
      return;
    }
    await sendFetches(positions);
    if (isOver || isRevoked) return;
    if (arrived.length === 0) await rest();
    const arrival = arrived.shift();
    if (arrival === undefined || arrival.claim !== claim || isRevoked) return;
    if (arrival.error !== undefined) {
      reader.forget();
      if (!isKafkaError(arrival.error, "OFFSET_OUT_OF_RANGE")) throw arrival.error;
      // Retention was faster than we were.
      return startAnew();
    }
    await handOver(arrival);
    const took = arrival.fetched.reduce((sum, { records }) => sum + records.length, 0);
    // Who has as much as it can take at once has nothing to wait for.
    if (took > 0 && took < options.recordsMax && options.lingerMs) await pause(options.lingerMs, stopping);
    if (performance.now() - reportedMs > REPORT_EVERY_MS) void report();
  }

  async function report(): Promise<void> {
    reportedMs = performance.now();
    if (positions !== undefined && !isRevoked) await member.report(positions).catch(() => undefined);
  }

  return {
    async run() {
      while (!isOver) {
        try {
          await step();
        } catch {
          // The handler reports its own failure; ours is to come back, later each time.
          startAnew();
          await pause(backoffMs(backoff, failures), stopping);
          failures += 1;
        } finally {
          underWay = undefined;
          wakeUp = undefined;
        }
      }
    },
    async close() {
      stopping.removeEventListener("abort", finish);
      await Promise.race([report(), sleep(REPORT_WAIT_MS, undefined, { ref: false })]);
      await member.leave();
      await reader.close();
      await Promise.all(asked.values());
    },
  };
}

/** The owner's positions; a missing one begins at the oldest record, and so does one that this topic never reached (it was made anew). */
async function startingPoints(
  mine: readonly number[],
  options: ConsumeOptions,
  reader: Reader,
): Promise<Map<number, number>> {
  const [asked, bounds] = await Promise.all([options.positions(mine), reader.bounds()]);
  return new Map(
    mine.map((partition) => {
      const { first, next } = bounds.get(partition) ?? { first: 0, next: 0 };
      const offset = asked.get(partition) ?? first;
      return [partition, offset > next ? first : Math.max(first, offset)];
    }),
  );
}
