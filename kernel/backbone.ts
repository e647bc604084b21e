import { type DeadLetter, deadLetterTopic, pickLetters, settleLetters, waitingLetters } from "./dead-letters.ts";
import { problem } from "./errors.ts";
import type { EventReader, Topics } from "./events.ts";
import { loadMarks } from "./inbox.ts";
import type { Listener } from "./listener.ts";
import { roleOf } from "./migrate.ts";
import type { EventLog, LogRecord, TopicSpec } from "./ports/log.ts";
import {
  lagBehind,
  modelGroup,
  modelMarks,
  type ModelState,
  modelState,
  type OpenModel,
  rebuildModel,
  serviceOfGroup,
  topicsOf,
} from "./read-models.ts";
import type { Service } from "./service.ts";
import { identifier, inTransaction, type Pool } from "./sql.ts";
import { describe, positionsFrom, type Positions, type ReadEvent, readOn, type Start, type Stretch } from "./tail.ts";

/** What an operator may do with the event log and with those who follow it, whatever engine the log is. */
export interface Backbone {
  topics(): Promise<readonly TopicState[]>;
  /** Where events of these types lie; nothing, which stands for all topics, where one of them is unknown or none was named. */
  topicsOf(types: readonly string[]): readonly string[];
  /** Where to begin; without names in all topics. `not_found` names a topic that does not exist. */
  begin(topics: readonly string[], start: Start): Promise<Positions>;
  read(positions: Positions, recordsMax: number): Promise<Stretch>;
  describe(record: LogRecord): Promise<ReadEvent>;
  /** The dead letters that wait for a decision, by topic; without names of all topics. */
  letters(topics: readonly string[]): Promise<readonly DeadLetter[]>;
  /** Puts letters back for those who refused them, or drops them. Returns the ids that nobody had decided about before. */
  settle(ids: readonly string[], decision: "replay" | "drop"): Promise<readonly string[]>;
  /** Moves the marks of a service back to a time, never forward. */
  replay(options: ReplayOptions): Promise<Replay>;
  /** The read models of the services of this process; how much they lag, behind the end or behind where it was. */
  models(service: string, until?: Positions): Promise<readonly ModelState[]>;
  /** Makes the read models of a service anew; they have followed the log again when `models` shows no lag. */
  rebuild(service: string, tenants: readonly string[]): Promise<readonly ModelState[]>;
}

export interface TopicState extends TopicSpec {
  readonly records: number;
  readonly deadLetters: number;
  readonly groups: readonly { readonly name: string; readonly lag: number }[];
}

export interface ReplayOptions {
  readonly service: string;
  readonly topic: string;
  /** 0 is the oldest record. */
  readonly fromMs: number;
  /** Also forgets which events were handled, where that is remembered by id. */
  readonly forgets: boolean;
  /** Says what would be, and changes nothing. */
  readonly isTrial: boolean;
}

export interface Replay {
  /** What will be handed over again. */
  readonly records: number;
  /** Whether events that were handled are known by their ids, so that their effects stay as they are. */
  readonly remembers: boolean;
}

export interface BackboneOptions {
  readonly log: EventLog;
  readonly reader: EventReader;
  readonly pool: Pool;
  readonly topics: Topics;
  /** Every service of the product. */
  readonly declared: readonly Service[];
  /** What consumes in this process, without the consumers of read models. */
  readonly listeners: readonly Listener[];
  readonly models: readonly OpenModel[];
  /** Told after a transaction that left records in a service's outbox. */
  readonly onEmitted: (service: string, count: number) => void;
}

export function openBackbone(options: BackboneOptions): Backbone {
  const { log, reader, pool, topics, declared, listeners, models } = options;
  const names = topics.specs.map(({ name }) => name);

  function known(asked: readonly string[], allowed: readonly string[]): readonly string[] {
    const wrong = asked.find((name) => !allowed.includes(name));
    if (wrong !== undefined)
      throw problem.notFound(`there is no topic '${wrong.slice(0, 80)}'; there are ${names.join(", ")}`, {
        reason: "topic_unknown",
      });
    return asked.length > 0 ? asked : names;
  }

  function serviceOf(name: string): Service {
    const found = declared.find(({ contract }) => contract.name === name);
    if (found) return found;
    throw problem.notFound(
      `there is no service '${name.slice(0, 80)}'; there are ${declared.map(({ contract }) => contract.name).join(", ")}`,
      { reason: "service_unknown" },
    );
  }

  return {
    topics: () => Promise.all(topics.specs.map((spec) => topicState(options, spec))),
    topicsOf(types) {
      const found = types.map((type) => topics.routes[type]?.topic);
      return found.every((topic) => topic !== undefined) ? [...new Set(found)] : [];
    },
    begin: async (asked, start) => positionsFrom(log, known(asked, [...names, ...names.map(deadLetterTopic)]), start),
    read: (positions, recordsMax) => {
      known([...positions.keys()], [...names, ...names.map(deadLetterTopic)]);
      return readOn({ log, reader }, positions, recordsMax);
    },
    describe: (record) => describe(reader, record),
    async letters(asked) {
      return (await Promise.all(known(asked, names).map((topic) => waitingLetters(log, pool, topic)))).flat();
    },
    async settle(ids, decision) {
      const asked = new Set(ids.map((id) => id.split("/")[1] ?? ""));
      const waiting = (
        await Promise.all(names.filter((name) => asked.has(name)).map((topic) => waitingLetters(log, pool, topic)))
      ).flat();
      const settled: string[] = [];
      for (const [service, own] of Map.groupBy(pickLetters(waiting, ids), ({ group }) => serviceOfGroup(group))) {
        const ours = await settleLetters(pool, service, own, decision);
        settled.push(...ours);
        if (decision === "replay") options.onEmitted(service, ours.length);
      }
      return settled;
    },
    async replay(asked) {
      const { service, topic, isTrial } = asked;
      const own = topicsOf(serviceOf(service).consumes, topics);
      if (!own.includes(topic))
        throw problem.invalid(
          own.length === 0
            ? `${service} follows no topic`
            : `${service} does not follow '${topic.slice(0, 80)}'; it follows ${own.join(", ")}`,
        );
      if (isTrial) return { records: await behind(options, asked), remembers: !log.dedupes };
      const listener = listeners.find((each) => each.service === service && each.topic === topic);
      if (!listener) throw notHere(service);
      return { records: await listener.paused(() => moveBack(options, asked)), remembers: !log.dedupes };
    },
    async models(service, until) {
      if (service !== "") serviceOf(service);
      const own = models.filter((model) => service === "" || model.service === service);
      return Promise.all(own.map((model) => modelState(model, pool, log, until)));
    },
    async rebuild(service, tenants) {
      const found = serviceOf(service);
      if (found.readModels.length === 0)
        throw problem.precondition(
          `${service} has no read models: its tables are the source of truth, or it has none; ${rebuildable(declared)} have`,
          { reason: "no_read_models" },
        );
      const own = models.filter((model) => model.service === service);
      if (own.length === 0) throw notHere(service);
      for (const model of own) await rebuildModel(model, { pool, log, tenants });
      return Promise.all(own.map((model) => modelState(model, pool, log)));
    },
  };
}

const notHere = (service: string) =>
  problem.precondition(
    `${service} does not run in this process: name the data folder of the process that runs it with MARQUEE_DATA`,
    { reason: "service_elsewhere" },
  );

const rebuildable = (services: readonly Service[]): string =>
  services.flatMap(({ contract, readModels }) => (readModels.length > 0 ? [contract.name] : [])).join(" and ");

async function topicState({ log, pool, topics, declared }: BackboneOptions, spec: TopicSpec): Promise<TopicState> {
  const { name: topic } = spec;
  const [firsts, ends] = await Promise.all([log.offsets(topic, 0), log.offsets(topic)]);
  const bounds = { firsts, ends };
  const groups: { name: string; lag: number }[] = [];
  for (const { contract, consumes, readModels } of declared) {
    const { name } = contract;
    if (topicsOf(consumes, topics).includes(topic))
      groups.push({ name, lag: await lagBehind(pool, name, topic, bounds) });
    for (const model of readModels.filter(({ events }) => topicsOf(events, topics).includes(topic))) {
      const lag = await lagBehind(pool, name, modelMarks(model.name, topic), bounds);
      groups.push({ name: modelGroup(name, model.name), lag });
    }
  }
  const records = [...ends].reduce((sum, [partition, end]) => sum + end - (firsts.get(partition) ?? 0), 0);
  return { ...spec, records, deadLetters: (await waitingLetters(log, pool, topic)).length, groups };
}

/** How many records lie between a time and the end of what a service has handled. */
async function behind({ log, pool }: BackboneOptions, { service, topic, fromMs }: ReplayOptions): Promise<number> {
  const from = await log.offsets(topic, fromMs);
  const marks = await loadMarks(pool, service, topic, [...from.keys()]);
  return [...marks].reduce((sum, [partition, mark]) => sum + Math.max(0, mark - (from.get(partition) ?? mark)), 0);
}

async function moveBack(options: BackboneOptions, asked: ReplayOptions): Promise<number> {
  const { log, pool } = options;
  const { service, topic, fromMs, forgets } = asked;
  const records = await behind(options, asked);
  const from = [...(await log.offsets(topic, fromMs))];
  const setup = `SET LOCAL ROLE ${identifier(roleOf(service))}; SET LOCAL search_path TO ${identifier(service)}, public`;
  await inTransaction(pool, setup, async (client) => {
    // Whoever skipped an event by its id commits before the id is forgotten, or looks for it after.
    if (forgets) await client.query("LOCK TABLE seen IN SHARE ROW EXCLUSIVE MODE");
    await client.query(
      `UPDATE marks SET next_offset = f.next_offset FROM unnest($2::int[], $3::bigint[]) AS f (partition, next_offset)
        WHERE marks.topic = $1 AND marks.partition = f.partition AND marks.next_offset > f.next_offset`,
      [topic, from.map(([partition]) => partition), from.map(([, offset]) => offset)],
    );
    // What was logged at a time was handled after it.
    if (forgets)
      await client.query("DELETE FROM seen WHERE topic = $1 AND seen_at >= to_timestamp($2)", [topic, fromMs / 1_000]);
  });
  return records;
}
