import { Epg } from "#contracts/epg";
import { Profile } from "#contracts/profile";
import { Recording } from "#contracts/recording";
import { User } from "#contracts/user";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { confirm, duration, plain, table } from "./terminal.ts";

const MINUTE_MS = 60_000;

/** The account's first profile: an operator records for the household. */
async function profileOf(cli: Cli, email: string): Promise<string> {
  const { user } = await cli.client.of(User).findByEmail({ email });
  const { profiles } = await cli.client.of(Profile).list({ userId: user?.id ?? "" });
  const [first] = profiles;
  if (!first) throw problem.notFound(`'${plain(email)}' has no profile yet: try again in a moment`);
  return first.id;
}

function minutes(text: string, what: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw problem.invalid(`${what} '${plain(text)}' is no number of minutes: write for example 5`);
  return value;
}

interface ProgrammeOptions {
  readonly series: boolean;
  readonly keep: string;
  readonly before: string;
  readonly after: string;
  readonly json: boolean;
}

/** `marquee record programme` */
export async function recordProgramme(
  cli: Cli,
  email: string,
  programmeId: string,
  { series, keep, before, after, json }: ProgrammeOptions,
): Promise<ExitCode> {
  const [beforeS, afterS] = [minutes(before, "--before") * 60, minutes(after, "--after") * 60].map(Math.round);
  const padding = { beforeS: beforeS ?? 0, afterS: afterS ?? 0 };
  const profileId = await profileOf(cli, email);
  const recordings = cli.client.of(Recording);
  if (!series) {
    const { recording } = await recordings.record({ profileId, programmeId, padding });
    return tell(cli, recording, json);
  }
  const { programme } = await cli.client.of(Epg).programme({ id: programmeId });
  const seriesId = programme?.seriesId ?? "";
  if (seriesId === "") throw problem.precondition("this programme is of no series that the guide knows");
  const kept = minutes(keep, "--keep");
  const { rule } = await recordings.recordSeries({ profileId, seriesId, newOnly: true, keep: kept, padding });
  if (json) cli.terminal.out(JSON.stringify({ id: rule?.id, seriesId, title: rule?.title }));
  else cli.terminal.out(`new episodes of '${plain(rule?.title ?? "")}' are recorded`);
  return 0;
}

interface ChannelOptions {
  readonly title?: string;
  readonly json: boolean;
}

/** `marquee record channel` */
export async function recordChannel(
  cli: Cli,
  email: string,
  channelId: string,
  length: string,
  { title, json }: ChannelOptions,
): Promise<ExitCode> {
  const profileId = await profileOf(cli, email);
  const startMs = Date.now();
  const stopMs = startMs + Math.round(minutes(length, "minutes") * MINUTE_MS);
  const span = { startMs: BigInt(startMs), stopMs: BigInt(stopMs) };
  const { recording } = await cli.client
    .of(Recording)
    .recordTime({ profileId, channelId, ...span, title: title ?? channelId });
  return tell(cli, recording, json);
}

function tell(cli: Cli, recording: Recording | undefined, json: boolean): ExitCode {
  if (!recording) throw problem.internal("the recording was made and not told");
  if (json) cli.terminal.out(JSON.stringify(toJson(recording)));
  else cli.terminal.out(`${titleOf(recording)} on ${plain(recording.channelName)} is recorded as ${recording.id}`);
  return 0;
}

/** `marquee record list` */
export async function listRecordings(cli: Cli, email: string, { json }: { readonly json: boolean }): Promise<ExitCode> {
  const profileId = await profileOf(cli, email);
  const { recordings, quota } = await cli.client.of(Recording).list({ profileId });
  if (json) {
    for (const one of recordings) cli.terminal.out(JSON.stringify(toJson(one)));
    return 0;
  }
  const rows = recordings.map((one) => [
    one.id,
    new Date(Number(one.startMs)).toISOString().slice(0, 16).replace("T", " "),
    one.failure === "" ? one.state : `${one.state}: ${one.failure}`,
    duration(one.recordedS),
    titleOf(one),
  ]);
  for (const line of table(["ID", "STARTS (UTC)", "STATE", "LENGTH", "TITLE"], rows, cli.terminal.columns))
    cli.terminal.out(line);
  cli.terminal.note(`${duration(quota?.usedS ?? 0)} of ${duration(quota?.maxS ?? 0)} are in use`);
  return 0;
}

/** `marquee record delete` */
export async function deleteRecordings(
  cli: Cli,
  email: string,
  ids: readonly string[],
  { yes }: { readonly yes: boolean },
): Promise<ExitCode> {
  const profileId = await profileOf(cli, email);
  const recordings = cli.client.of(Recording);
  for (const id of ids) {
    const { recording } = await recordings.get({ profileId, id });
    if (!recording) throw problem.internal("the recordings answered without the recording");
    if (!yes && !(await confirm(cli.terminal, `Delete ${titleOf(recording)}? [y/N] `))) continue;
    await recordings.remove({ profileId, id });
    cli.terminal.out(`${plain(id)} is deleted`);
  }
  return 0;
}

const titleOf = ({ titles }: Recording): string => `'${plain(titles["en"] ?? Object.values(titles)[0] ?? "")}'`;

const toJson = (one: Recording) => ({
  ...{ id: one.id, contentId: one.contentId, channelId: one.channelId, programmeId: one.programmeId },
  ...{ titles: one.titles, startMs: Number(one.startMs), stopMs: Number(one.stopMs), state: one.state },
  ...{ failure: one.failure, recordedS: one.recordedS, seriesRuleId: one.seriesRuleId },
  gaps: one.gaps.map((gap) => ({ startMs: Number(gap.startMs), durationMs: gap.durationMs })),
});
