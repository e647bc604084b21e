import type { ConsumeOptions, Consumer, LogRecord } from "#kernel/ports/log";

/** What a consumer needs of a log. */
export interface Source {
  /** The next offset of each partition, kept current in memory: it tells which partitions have something to read. */
  heads(topic: string): readonly number[];
  read(topic: string, positions: ReadonlyMap<number, number>, recordsMax: number): Promise<readonly LogRecord[]>;
}

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Consumer groups within one process: shares partitions among members, wakes them, and never lets two handle one partition at a time. */
export interface Groups {
  join(options: ConsumeOptions): Consumer;
  /** Something was appended to these topics. */
  wake(topics: Iterable<string>): void;
  stop(): Promise<void>;
}

interface Group {
  readonly topic: string;
  readonly members: Set<Member>;
  /** Partitions whose records are being read and handled now, by whoever. */
  readonly busy: Set<number>;
}

interface Member {
  partitions: readonly number[];
  /** Changes with every assignment, so that a member sees that its own is old. */
  generation: number;
  wake(): void;
}

export function createGroups(source: Source, backoff: Backoff): Groups {
  const groups = new Map<string, Group>();
  const consumers = new Set<Consumer>();

  function rebalance(group: Group): void {
    const count = source.heads(group.topic).length;
    const members = [...group.members];
    for (const [index, member] of members.entries()) {
      const partitions = Array.from({ length: count }, (_, number) => number).filter(
        (number) => number % members.length === index,
      );
      // Who keeps its partitions keeps its positions too.
      if (
        partitions.length === member.partitions.length &&
        partitions.every((number, at) => number === member.partitions[at])
      )
        continue;
      member.partitions = partitions;
      member.generation += 1;
    }
    wakeAll(group);
  }

  function wakeAll(group: Group): void {
    for (const member of group.members) member.wake();
  }

  function join(options: ConsumeOptions): Consumer {
    const name = `${options.group}\n${options.topic}`;
    const group = groups.get(name) ?? { topic: options.topic, members: new Set(), busy: new Set() };
    groups.set(name, group);
    let isAwake = false;
    let wakeUp: (() => void) | undefined;
    let stopping = false;
    const member: Member = {
      partitions: [],
      generation: 0,
      wake() {
        isAwake = true;
        wakeUp?.();
      },
    };

    /** Sleeps until somebody wakes us, or a time is over; a wake-up that came before counts. */
    async function rest(timeoutMs?: number): Promise<void> {
      if (isAwake && timeoutMs === undefined) return;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        wakeUp = () => {
          // New records do not shorten a pause after a failure; only the end of the consumer does.
          if (timeoutMs === undefined || stopping) resolve();
        };
        if (timeoutMs !== undefined) timer = setTimeout(resolve, timeoutMs);
        if (stopping) resolve();
      });
      clearTimeout(timer);
      wakeUp = undefined;
    }

    async function run(): Promise<void> {
      let positions: Map<number, number> | undefined;
      let generation = -1;
      let failures = 0;
      let turn = 0;
      let handledMs = Number.NEGATIVE_INFINITY;
      while (!stopping) {
        isAwake = false;
        if (generation !== member.generation) positions = undefined;
        generation = member.generation;
        const mine = member.partitions;
        try {
          if (positions === undefined) {
            // The previous owner may be in the middle of a batch; its effects decide where we begin.
            if (mine.length === 0 || mine.some((number) => group.busy.has(number))) {
              await rest();
              continue;
            }
            positions = await startingPoints(mine, options, source);
            continue;
          }
          const lingerMs = handledMs + (options.lingerMs ?? 0) - performance.now();
          if (lingerMs > 0) {
            await rest(lingerMs);
            continue;
          }
          const heads = [...source.heads(options.topic)];
          const ready = pending(mine, positions, heads, turn);
          if (ready.size === 0) {
            await rest();
            continue;
          }
          turn += 1;
          for (const number of ready.keys()) group.busy.add(number);
          try {
            const records = await source.read(options.topic, ready, options.recordsMax);
            // Whatever was assigned to somebody else while we read is theirs.
            if (generation !== member.generation || stopping) continue;
            if (records.length > 0) await options.handle(records);
            for (const record of records) positions.set(record.partition, record.offset + 1);
            // Nothing where something was: its retention is over. What was appended since then is beyond `heads`.
            if (records.length === 0) for (const number of ready.keys()) positions.set(number, heads[number] ?? 0);
            failures = 0;
            // Who has as much as it can take at once has nothing to wait for.
            handledMs = records.length < options.recordsMax ? performance.now() : Number.NEGATIVE_INFINITY;
          } finally {
            for (const number of ready.keys()) group.busy.delete(number);
            if (generation !== member.generation || stopping) wakeAll(group);
          }
        } catch {
          // The handler reports its own failure; ours is to come back, later each time.
          positions = undefined;
          failures += 1;
          await rest(Math.min(backoff.maxMs, backoff.firstMs * 2 ** (failures - 1)));
        }
      }
    }

    group.members.add(member);
    rebalance(group);
    const running = run();
    const consumer: Consumer = {
      async stop() {
        if (stopping) return running;
        stopping = true;
        group.members.delete(member);
        rebalance(group);
        member.wake();
        await running;
        wakeAll(group);
        consumers.delete(consumer);
        if (group.members.size === 0 && groups.get(name) === group) groups.delete(name);
      },
    };
    consumers.add(consumer);
    return consumer;
  }

  return {
    join,
    wake(topics) {
      const names = new Set(topics);
      for (const group of groups.values()) if (names.has(group.topic)) wakeAll(group);
    },
    async stop() {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
    },
  };
}

/** The owner's positions; a missing one begins at the oldest record, and so does one that this log never reached (its files were replaced). */
async function startingPoints(
  mine: readonly number[],
  options: ConsumeOptions,
  source: Source,
): Promise<Map<number, number>> {
  const asked = await options.positions(mine);
  const heads = source.heads(options.topic);
  return new Map(
    mine.map((number) => {
      const offset = asked.get(number) ?? 0;
      return [number, offset > (heads[number] ?? 0) ? 0 : offset];
    }),
  );
}

/** Partitions with something to read, beginning with another one each turn, so that a long backlog in one does not starve the others. */
function pending(
  mine: readonly number[],
  positions: ReadonlyMap<number, number>,
  heads: readonly number[],
  turn: number,
): Map<number, number> {
  const ready = new Map<number, number>();
  for (let step = 0; step < mine.length; step += 1) {
    const number = mine[(step + turn) % mine.length] ?? 0;
    const offset = positions.get(number) ?? 0;
    if (offset < (heads[number] ?? 0)) ready.set(number, offset);
  }
  return ready;
}
