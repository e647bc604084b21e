import { readFile } from "node:fs/promises";
import { type Channel, Live } from "#contracts/live";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { bytes, confirm, duration, plain, table } from "./terminal.ts";

const PAGE = 500;

export interface ChannelOptions {
  readonly id?: string;
  readonly secretFile?: readonly string[];
  readonly number?: string;
  readonly logo?: string;
  readonly language: string;
  readonly latency: string;
  readonly age: string;
  readonly tier: string;
  readonly ladder?: string;
  readonly window: string;
  readonly json: boolean;
}

/** `marquee channel add`: the first input is the primary one, a second one its backup. */
export async function addChannel(
  cli: Cli,
  name: string,
  inputs: readonly string[],
  options: ChannelOptions,
): Promise<ExitCode> {
  const secrets = await Promise.all((options.secretFile ?? []).map((file) => readSecret(cli.path(file))));
  const { channel } = await cli.client.of(Live).add({
    channel: {
      ...{ id: options.id ?? idOf(name), name, language: options.language, latency: options.latency },
      ...{ number: whole(options.number ?? "0", "--number"), logo: options.logo ?? "", tier: options.tier },
      ...{ ageRating: whole(options.age, "--age"), dvrWindowS: Math.round(hours(options.window) * 3_600) },
      ladder: options.ladder?.split(",").map((rung) => rung.trim()) ?? [],
    },
    inputs: inputs.map(inputOf).map((input) => ({ ...input, secret: hasSecret(input) ? (secrets.shift() ?? "") : "" })),
  });
  if (!channel) throw problem.internal("the channel was made and not told");
  if (options.json) cli.terminal.out(JSON.stringify(toJson(channel)));
  else cli.terminal.out(`channel ${channel.number} '${plain(channel.name)}' is on the air as ${channel.id}`);
  return 0;
}

const hasSecret = ({ kind }: { readonly kind: string }): boolean => kind === "rtmp" || kind === "srt";

/** The first line of a file: a secret on a command line would be everybody's. */
async function readSecret(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw problem.notFound(`'${path}' cannot be read: write the stream key or passphrase into it`, { cause: error });
  });
  return text.split(/\r?\n/, 1)[0]?.trim() ?? "";
}

/** `kind` or `kind:address`. */
function inputOf(text: string): { kind: string; url: string } {
  const colon = text.indexOf(":");
  return colon < 0 ? { kind: text, url: "" } : { kind: text.slice(0, colon), url: text.slice(colon + 1) };
}

/** `ch-` and what of the name an address can have. */
function idOf(name: string): string {
  const plainName = name
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-");
  const trimmed = plainName.replaceAll(/^-+|-+$/g, "").slice(0, 50);
  if (trimmed === "") throw problem.invalid(`no id can be made of '${plain(name)}': choose one with --id`);
  return `ch-${trimmed}`;
}

function whole(text: string, flag: string): number {
  if (!/^\d{1,9}$/.test(text)) throw problem.invalid(`${flag} is '${plain(text)}': write a whole number`);
  return Number(text);
}

function hours(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 24)) throw problem.invalid(`--window is '${plain(text)}': write hours, up to 24`);
  return value;
}

export async function listChannels(cli: Cli, options: { readonly json: boolean }): Promise<ExitCode> {
  const { channels } = await cli.client.of(Live).list({ limit: PAGE });
  if (options.json) {
    for (const channel of channels) cli.terminal.out(JSON.stringify(toJson(channel)));
    return 0;
  }
  if (channels.length === 0) {
    cli.terminal.note("There are no channels yet: ./marquee channel add NAME INPUT makes one.");
    return 0;
  }
  const rows = channels.map((channel) => [
    String(channel.number),
    channel.id,
    channel.name,
    channel.onAir ? (channel.onDemand ? "when watched" : "yes") : "no",
    channel.latency,
    channel.inputs.join(", "),
  ]);
  const head = ["NUMBER", "ID", "NAME", "ON THE AIR", "LATENCY", "INPUTS"];
  for (const line of table(head, rows, cli.terminal.columns)) cli.terminal.out(line);
  return 0;
}

export async function showChannel(cli: Cli, id: string, options: { readonly json: boolean }): Promise<ExitCode> {
  const live = cli.client.of(Live);
  const { channel, inputUrls } = await live.get({ channelId: id });
  const health = await live.health({ channelId: id });
  if (!channel) throw problem.internal("the channel answered without itself");
  if (options.json) {
    const rungs = health.rungs.map(({ track, state, speed, frames, framesDropped, message }) => ({
      ...{ track, state, speed, frames: Number(frames), framesDropped: Number(framesDropped), message },
    }));
    const { state, message, input, lagMs, segments } = health;
    const told = { state, message, input, lagMs, segments, dvrBytes: Number(health.dvrBytes), rungs };
    cli.terminal.out(JSON.stringify({ ...toJson(channel), inputUrls, health: told }, null, 2));
    return 0;
  }
  const { out } = cli.terminal;
  out(`${channel.number}  ${plain(channel.name)}  (${channel.id})`);
  out(`state    ${health.state}${health.message === "" ? "" : `: ${plain(health.message)}`}`);
  out(`input    ${channel.inputs.map((kind, i) => `${kind} ${plain(inputUrls[i] ?? "")}`.trim()).join(", backup ")}`);
  out(`window   ${duration(channel.dvrWindowS)}, ${health.segments} segments, ${bytes(Number(health.dvrBytes))}`);
  if (health.state === "live") out(`behind   ${health.lagMs} ms`);
  for (const rung of health.rungs)
    out(`rung     ${rung.track}: ${rung.state}${rung.state === "running" ? `, ${rung.speed.toFixed(2)} x` : ""}`);
  return 0;
}

export async function setOnAir(cli: Cli, ids: readonly string[], onAir: boolean): Promise<ExitCode> {
  for (const channelId of ids) {
    const { channel } = await cli.client.of(Live).setOnAir({ channelId, onAir });
    cli.terminal.out(`'${plain(channel?.name ?? channelId)}' is ${onAir ? "on" : "off"} the air`);
  }
  return 0;
}

/** What was recorded of a channel stays; its window goes. */
export async function removeChannels(
  cli: Cli,
  ids: readonly string[],
  options: { readonly yes: boolean },
): Promise<ExitCode> {
  for (const channelId of ids) {
    const { channel } = await cli.client.of(Live).get({ channelId });
    const name = plain(channel?.name ?? channelId);
    if (!options.yes && !(await confirm(cli.terminal, `Remove the channel '${name}' for good? [y/N] `))) {
      cli.terminal.note(`'${name}' stays`);
      continue;
    }
    await cli.client.of(Live).remove({ channelId });
    cli.terminal.out(`'${name}' is gone`);
  }
  return 0;
}

const toJson = ({ $typeName: _, ...channel }: Channel) => channel;
