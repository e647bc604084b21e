import { Backbone, type Event, type Position } from "#contracts/backbone";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { toTime } from "./edit.ts";
import { cut, duration, plain, table } from "./terminal.ts";

const LIMIT_MAX = 1_000_000;
const LAST_MAX = 1_000;
const FOLLOW_MS = 500;

/** `marquee events topics`: what the log holds, and who has not read it yet. */
export async function listTopics(cli: Cli, { json }: { readonly json: boolean }): Promise<ExitCode> {
  const { topics } = await cli.client.of(Backbone).listTopics({});
  if (json) {
    for (const { name, partitions, retentionMs, records, deadLetters, groups } of topics)
      cli.terminal.out(
        JSON.stringify({
          ...{ name, partitions, retentionMs: Number(retentionMs), records: Number(records) },
          deadLetters: Number(deadLetters),
          groups: groups.map((group) => ({ name: group.name, lag: Number(group.lag) })),
        }),
      );
    return 0;
  }
  const rows = topics.map(({ name, partitions, retentionMs, records, deadLetters, groups }) => {
    const late = groups.filter(({ lag }) => lag > 0n).map((group) => `${group.name} ${group.lag}`);
    const lag = late.length > 0 ? late.join(", ") : groups.length > 0 ? "none" : "nobody reads it";
    return [name, String(partitions), duration(Number(retentionMs) / 1_000), String(records), String(deadLetters), lag];
  });
  const head = ["TOPIC", "PARTITIONS", "KEPT", "RECORDS", "DEAD", "LAG"];
  for (const line of table(head, rows, cli.terminal.columns)) cli.terminal.out(line);
  return 0;
}

export interface TailOptions {
  readonly from?: string | undefined;
  readonly last: string;
  readonly limit?: string | undefined;
  readonly follow: boolean;
  readonly key?: string | undefined;
  readonly type?: readonly string[] | undefined;
  readonly json: boolean;
}

/** `marquee events tail`: what was written last, or since a time, and with --follow what is being written, until Ctrl-C. */
export async function tail(cli: Cli, topics: readonly string[], options: TailOptions): Promise<ExitCode> {
  const filter = { key: options.key ?? "", types: [...(options.type ?? [])] };
  const limit = options.limit === undefined ? Number.POSITIVE_INFINITY : count("--limit", options.limit, LIMIT_MAX);
  const begin =
    options.from === undefined
      ? { last: count("--last", options.last, LAST_MAX) }
      : { fromMs: BigInt(toStart(options.from)) };
  let shown = 0;
  let positions: Position[] = [];
  for (let request: object = { topics: [...topics], ...begin }; ; request = { positions }) {
    const answer = await cli.client.of(Backbone).read({ ...filter, ...request });
    for (const event of answer.events) {
      if (shown >= limit) return 0;
      cli.terminal.out(options.json ? JSON.stringify(toJson(event)) : line(event, cli));
      shown += 1;
    }
    ({ positions } = answer);
    if (shown >= limit || (answer.atEnd && !options.follow)) return 0;
    if (answer.atEnd) await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
  }
}

/** `beginning`, or a time; the log begins where its retention does. */
export function toStart(text: string): number {
  if (text === "beginning") return 0;
  const ms = toTime("--from", text, Date.now());
  if (ms === undefined || ms === 0) throw problem.invalid(`--from ${plain(text)} is no time: write one, or beginning`);
  return ms;
}

export function count(flag: string, text: string, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw problem.invalid(`${flag} ${plain(text)} is none: write a number from 1 to ${max}`);
}

const time = (ms: bigint): string => new Date(Number(ms)).toISOString();

function line(event: Event, { terminal }: Cli): string {
  const { topic, partition, offset, key, type, dataJson, sizeBytes } = event;
  const data = dataJson === "" ? `${sizeBytes} bytes that this release cannot read` : dataJson;
  const text = `${time(event.loggedAtMs)}  ${topic}/${partition}@${offset}  ${type || "?"}  ${key}  ${data}`;
  // A screen shows a line for each event; a pipe gets all of it.
  return terminal.isScreen ? cut(plain(text), terminal.columns) : plain(text);
}

/** CloudEvents attributes by their names, and where the event lies. */
export const toJson = (event: Event): object => ({
  ...{ topic: event.topic, partition: event.partition, offset: Number(event.offset), key: event.key },
  ...{ loggedAt: time(event.loggedAtMs), id: event.id, type: event.type, source: event.source },
  ...{ tenant: event.tenant, time: time(event.timeMs), headers: event.headers },
  data: event.dataJson === "" ? null : (JSON.parse(event.dataJson) as unknown),
});
