import type { Backbone, DeadLetter, Event, Position } from "#contracts/backbone";
import { Tenant } from "#contracts/tenant";
import { type Handlers, problem } from "#kernel";
import type { Backbone as Log } from "#kernel/backbone";
import type { DeadLetter as Letter } from "#kernel/dead-letters";
import type { Host } from "#kernel/host";
import type { ModelState } from "#kernel/read-models";
import type { Positions, ReadEvent } from "#kernel/tail";

type Plain<T> = Omit<T, "$typeName" | "$unknown">;

const READ_LIMIT = 500;
const LETTERS_LIMIT = 100;
const LIMIT_MAX = 1_000;
/** Records that a look at the last ones reads over at most. */
const LOOKED_AT_MAX = 20_000;

/** What the operator's commands ask of the event log, answered by the process that they talk to. */
export function openBackboneCalls(host: Pick<Host, "client" | "backbone">): Handlers<typeof Backbone.rpc> {
  const { backbone } = host;
  return {
    async listTopics() {
      const topics = await backbone.topics();
      return {
        topics: topics.map(({ name, partitions, retentionMs, records, deadLetters, groups }) => ({
          ...{ name, partitions, retentionMs: BigInt(retentionMs) },
          ...{ records: BigInt(records), deadLetters: BigInt(deadLetters) },
          groups: groups.map((group) => ({ name: group.name, lag: BigInt(group.lag) })),
        })),
      };
    },
    async read({ topics: named, positions, fromMs, last, key, types, limit }) {
      const recordsMax = bounded("limit", limit || READ_LIMIT);
      const topics = named.length > 0 ? named : backbone.topicsOf(types);
      const isWanted = (event: ReadEvent): boolean =>
        (key === "" || event.record.key === key) && (types.length === 0 || types.includes(event.name));
      if (positions.length > 0 || fromMs !== undefined) {
        const from =
          positions.length > 0 ? fromMessages(positions) : await backbone.begin(topics, { fromMs: Number(fromMs) });
        const { events, next, isAtEnd } = await backbone.read(from, recordsMax);
        return { events: events.filter(isWanted).map(toEvent), positions: toMessages(next), atEnd: isAtEnd };
      }
      const lastRecords = bounded("last", last);
      let next = await backbone.begin(topics, { lastRecords });
      let found: ReadEvent[] = [];
      for (let looked = 0, isAtEnd = false; !isAtEnd && looked < LOOKED_AT_MAX; ) {
        const stretch = await backbone.read(next, LIMIT_MAX);
        ({ next, isAtEnd } = stretch);
        looked += stretch.events.length;
        found = [...found, ...stretch.events.filter(isWanted)]
          .toSorted((a, b) => a.record.timestampMs - b.record.timestampMs)
          .slice(-lastRecords);
      }
      return { events: found.map(toEvent), positions: toMessages(next), atEnd: true };
    },
    async listDeadLetters({ topic, group, ids, limit }) {
      const lettersMax = bounded("limit", limit || LETTERS_LIMIT);
      const asked = ids.length > 0 ? topicsOfIds(ids) : topic === "" ? [] : [topic];
      const waiting = (await backbone.letters(asked)).filter(
        (letter) => (group === "" || letter.group === group) && (ids.length === 0 || ids.includes(letter.id)),
      );
      const shown = waiting
        .toSorted((a, b) => a.record.timestampMs - b.record.timestampMs)
        .slice(0, lettersMax)
        .map((letter) => toLetter(backbone, letter));
      return { letters: await Promise.all(shown), waiting: waiting.length };
    },
    async settleDeadLetters({ ids, replay }) {
      if (ids.length === 0) return { ids: [] };
      bounded("the number of ids", ids.length);
      return { ids: [...(await backbone.settle([...new Set(ids)], replay ? "replay" : "drop"))] };
    },
    async replay({ service, topic, fromMs, forget, trial }) {
      const asked = { service, topic, fromMs: Number(fromMs), forgets: forget, isTrial: trial };
      const { records, remembers } = await backbone.replay(asked);
      return { records: BigInt(records), remembers };
    },
    async listReadModels({ service, ends }) {
      const models = await backbone.models(service, ends.length > 0 ? fromMessages(ends) : undefined);
      return { models: models.map(toModel) };
    },
    async rebuild({ service }, context) {
      const { tenants } = await host.client(Tenant, "admin").list({}, context);
      const models = await backbone.rebuild(
        service,
        tenants.map(({ id }) => id),
      );
      return { models: models.map(toModel) };
    },
  };
}

function bounded(name: string, count: number): number {
  if (count >= 1 && count <= LIMIT_MAX) return count;
  throw problem.invalid(`${name} is ${count}: 1 to ${LIMIT_MAX} are possible`);
}

const topicsOfIds = (ids: readonly string[]): string[] => [...new Set(ids.map((id) => id.split("/")[1] ?? ""))];

function fromMessages(messages: readonly Position[]): Positions {
  const positions = new Map<string, Map<number, number>>();
  for (const { topic, partition, offset } of messages) {
    const own = positions.get(topic) ?? new Map<number, number>();
    positions.set(topic, own.set(partition, Number(offset)));
  }
  return positions;
}

const toMessages = (positions: Positions): Plain<Position>[] =>
  [...positions].flatMap(([topic, own]) =>
    [...own].map(([partition, offset]) => ({ topic, partition, offset: BigInt(offset) })),
  );

const toEvent = ({ id, name, source, tenant, timeMs, headers, record, data }: ReadEvent): Plain<Event> => ({
  ...{ topic: record.topic, partition: record.partition, offset: BigInt(record.offset), key: record.key },
  ...{ id, type: name, source, tenant, headers: { ...headers } },
  ...{ loggedAtMs: BigInt(record.timestampMs), timeMs: BigInt(timeMs) },
  dataJson: data === undefined ? "" : JSON.stringify(data),
  sizeBytes: record.value.byteLength,
});

async function toLetter(log: Log, { id, group, topic, reason, record }: Letter): Promise<Plain<DeadLetter>> {
  const event = toEvent(await log.describe(record));
  return { id, group, topic, reason, refusedAtMs: BigInt(record.timestampMs), event: event as Event };
}

const toModel = ({ service, name, tables, topics, records, lag, ends }: ModelState) => ({
  ...{ service, name, tables: [...tables], topics: [...topics] },
  ...{ records: BigInt(records), lag: BigInt(lag), ends: toMessages(ends) as Position[] },
});
