import { Backbone, type ReadModel } from "#contracts/backbone";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { toStart } from "./events.ts";
import { bar, confirm, plain } from "./terminal.ts";

export interface ReplayOptions {
  readonly from: string;
  readonly forget: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** `marquee events replay`: a service gets events of a topic again. What that may do is said first. */
export async function replay(
  cli: Cli,
  service: string,
  topic: string,
  { from, forget, yes, json }: ReplayOptions,
): Promise<ExitCode> {
  const request = { service, topic, fromMs: BigInt(toStart(from)), forget };
  const { records, remembers } = await cli.client.of(Backbone).replay({ ...request, trial: true });
  if (records === 0n) {
    if (json) cli.terminal.out(JSON.stringify({ service, topic, records: 0 }));
    else cli.terminal.note(`${service} has handled nothing of '${topic}' since then: nothing is to be handled again`);
    return 0;
  }
  if (!yes) {
    for (const line of warning(service, topic, { records, isRemembered: remembers && !forget }))
      cli.terminal.note(line);
    if (!(await confirm(cli.terminal, `Move the marks of ${service} back? [y/N] `))) {
      cli.terminal.note("nothing was changed");
      return 0;
    }
  }
  const done = await cli.client.of(Backbone).replay({ ...request, trial: false });
  if (json) cli.terminal.out(JSON.stringify({ service, topic, records: Number(done.records) }));
  else cli.terminal.out(`${service} handles ${done.records} records of '${topic}' again`);
  return 0;
}

const warning = (
  service: string,
  topic: string,
  { records, isRemembered }: { readonly records: bigint; readonly isRemembered: boolean },
): string[] => [
  `${service} gets ${records} records of '${topic}' again.`,
  isRemembered
    ? "Events that it handled in the last three days are known by their ids and change nothing; older ones, and facts, have their effects again."
    : "It handles them as if they were new: rows that it has written since may go back to what they were, and what it announces is announced again.",
];

const WATCH_MS = 300;
/** Filling a model from millions of rows takes its time. */
const REBUILD_MS_MAX = 600_000;

/** `marquee rebuild`: makes a service's read models anew and stays until they have followed the log. */
export async function rebuild(
  cli: Cli,
  service: string,
  { yes, json }: { readonly yes: boolean; readonly json: boolean },
): Promise<ExitCode> {
  const backbone = cli.client.of(Backbone);
  if (!yes) {
    const { models } = await backbone.listReadModels({ service });
    for (const model of models) cli.terminal.note(plan(model));
    if (models.length > 0 && !(await confirm(cli.terminal, `Rebuild ${service}? [y/N] `))) {
      cli.terminal.note("nothing was changed");
      return 0;
    }
  }
  let { models } = await cli.client.of(Backbone, { deadlineMs: REBUILD_MS_MAX }).rebuild({ service });
  const wanted = Math.max(1, lagOf(models));
  // Of a busy product's events some came a moment ago; what was there at the beginning is what counts.
  const ends = models.flatMap((model) => model.ends);
  while (lagOf(models) > 0) {
    cli.terminal.redraw([`${service} ${bar(1 - lagOf(models) / wanted)}`]);
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
    ({ models } = await backbone.listReadModels({ service, ends }));
    if (models.length === 0) throw problem.unavailable(`${service} does not run here any more`);
  }
  for (const { name, tables, records } of models)
    cli.terminal.out(
      json
        ? JSON.stringify({ service, model: name, tables, records: Number(records) })
        : `${service}/${plain(name)}: ${tables.join(", ") || "its index"} made anew, ${records} records followed`,
    );
  return 0;
}

const plan = ({ service, name, tables, topics, records }: ReadModel): string =>
  tables.length === 0
    ? `${service}/${name}: its index is filled anew from the source of truth; until that is done the old one answers.`
    : `${service}/${name}: ${tables.join(", ")} are emptied and made anew from ${records} records of ${topics.join(", ")}.`;

const lagOf = (models: readonly ReadModel[]): number => models.reduce((sum, { lag }) => sum + Number(lag), 0);
