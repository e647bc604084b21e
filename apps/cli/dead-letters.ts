import { Backbone, type DeadLetter } from "#contracts/backbone";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { toJson } from "./events.ts";
import { confirm, plain, table } from "./terminal.ts";

const LIMIT_MAX = 1_000;

export interface LetterOptions {
  readonly topic?: string | undefined;
  readonly group?: string | undefined;
  readonly json: boolean;
}

/** `marquee events dlq list`: what services could not handle, with the reason, until somebody decides about it. */
export async function listLetters(cli: Cli, { topic = "", group = "", json }: LetterOptions): Promise<ExitCode> {
  const { letters, waiting } = await cli.client.of(Backbone).listDeadLetters({ topic, group, limit: LIMIT_MAX });
  if (json) for (const letter of letters) cli.terminal.out(JSON.stringify(toJsonLetter(letter)));
  else if (letters.length === 0) cli.terminal.out("No dead letters are waiting.");
  else {
    const rows = letters.map(({ id, refusedAtMs, event, reason }) => [
      id,
      time(refusedAtMs),
      event?.type ?? "",
      reason,
    ]);
    for (const line of table(["ID", "REFUSED", "EVENT", "REASON"], rows, cli.terminal.columns)) cli.terminal.out(line);
  }
  if (waiting > letters.length)
    cli.terminal.note(`${waiting - letters.length} more are waiting: name a --topic or a --group`);
  return 0;
}

/** `marquee events dlq show`: one letter whole. */
export async function showLetter(cli: Cli, id: string, { json }: { readonly json: boolean }): Promise<ExitCode> {
  const [letter] = (await cli.client.of(Backbone).listDeadLetters({ ids: [id] })).letters;
  if (!letter)
    throw problem.notFound(`no dead letter '${plain(id)}' is waiting: ./marquee events dlq list shows those that are`);
  const all = toJsonLetter(letter);
  if (json) {
    cli.terminal.out(JSON.stringify(all));
    return 0;
  }
  for (const [name, value] of Object.entries(all))
    cli.terminal.out(`${name.padEnd(10)} ${plain(typeof value === "string" ? value : JSON.stringify(value, null, 2))}`);
  return 0;
}

export interface SettleOptions extends LetterOptions {
  readonly all: boolean;
  readonly yes: boolean;
}

/** `marquee events dlq replay` and `drop`: puts letters back for those who refused them, or forgets them. Each once at most. */
export async function settleLetters(
  cli: Cli,
  ids: readonly string[],
  replay: boolean,
  { topic = "", group = "", all, yes, json }: SettleOptions,
): Promise<ExitCode> {
  if (ids.length === 0 && !all)
    throw problem.invalid("which ones? Name ids from ./marquee events dlq list, or say --all");
  const wanted =
    ids.length > 0
      ? ids
      : (await cli.client.of(Backbone).listDeadLetters({ topic, group, limit: LIMIT_MAX })).letters.map(({ id }) => id);
  if (wanted.length === 0) {
    cli.terminal.note("No dead letters are waiting.");
    return 0;
  }
  const what = wanted.length === 1 ? "1 dead letter" : `${wanted.length} dead letters`;
  const question = replay
    ? `Put ${what} back for those who refused them? [y/N] `
    : `Drop ${what}? Nobody will handle them. [y/N] `;
  if (!yes && !(await confirm(cli.terminal, question))) {
    cli.terminal.note("nothing was changed");
    return 0;
  }
  const { ids: settled } = await cli.client.of(Backbone).settleDeadLetters({ ids: [...wanted], replay });
  for (const id of settled)
    cli.terminal.out(json ? JSON.stringify({ id, decision: replay ? "replay" : "drop" }) : `${id}: ${said(replay)}`);
  if (settled.length < wanted.length)
    cli.terminal.note(`${wanted.length - settled.length} had been decided about by somebody else meanwhile`);
  return 0;
}

const said = (replay: boolean): string => (replay ? "is on its way back" : "is dropped");
const time = (ms: bigint): string => new Date(Number(ms)).toISOString().replace(/\.\d+Z$/, "Z");

const toJsonLetter = ({ id, group, topic, reason, refusedAtMs, event }: DeadLetter): Record<string, unknown> => ({
  ...{ id, group, topic, reason, refusedAt: time(refusedAtMs) },
  event: event ? toJson(event) : null,
});
