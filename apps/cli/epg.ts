import { type ChannelMatch, Epg, type GuideChannel, type GuideProgramme } from "#contracts/epg";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { toJsonImport } from "./epg-import.ts";
import { confirm, plain, table } from "./terminal.ts";

const PAGE = 500;
const CHANNELS_MAX = 5_000;
const DAY_MS = 86_400_000;
const WORDS = ["blackout", "no-restart", "no-record"];

interface Json {
  readonly json: boolean;
}

async function allChannels(cli: Cli): Promise<GuideChannel[]> {
  const all: GuideChannel[] = [];
  for (let offset = 0; offset < CHANNELS_MAX; offset += PAGE) {
    const { channels } = await cli.client.of(Epg).channels({ offset, limit: PAGE });
    all.push(...channels);
    if (channels.length < PAGE) break;
  }
  return all;
}

/** `marquee epg list`: what is on everywhere, or a day of one channel. */
export async function listGuide(
  cli: Cli,
  wanted: string | undefined,
  { day, json }: Json & { readonly day?: string | undefined },
): Promise<ExitCode> {
  const channels = await allChannels(cli);
  if (wanted === undefined) {
    if (day !== undefined) throw problem.invalid("--day is for one channel: name it before");
    return listNow(cli, channels, json);
  }
  const channel = channels.find(({ id, number }) => id === wanted || (number > 0 && String(number) === wanted));
  if (!channel) throw problem.notFound(`there is no channel '${plain(wanted)}': ./marquee epg list shows all`);
  const fromMs = startOfDay(day);
  const { programmes } = await cli.client
    .of(Epg)
    .grid({ channelIds: [channel.id], fromMs: BigInt(fromMs), toMs: BigInt(fromMs + DAY_MS) });
  if (json) {
    for (const programme of programmes) cli.terminal.out(JSON.stringify(toJsonProgramme(programme)));
    return 0;
  }
  if (programmes.length === 0) cli.terminal.note(`Nothing is known of ${plain(channel.name)} on that day.`);
  const rows = programmes.map((one) => [clock(one.startMs), clock(one.stopMs), nameOf(one), flagsOf(one), one.id]);
  if (rows.length > 0)
    for (const line of table(["FROM", "TO", "PROGRAMME", "FLAGS", "ID"], rows, cli.terminal.columns))
      cli.terminal.out(line);
  return 0;
}

async function listNow(cli: Cli, channels: readonly GuideChannel[], json: boolean): Promise<ExitCode> {
  if (channels.length === 0) {
    cli.terminal.note("The guide has no channels yet: ./marquee epg import FILE --add-channels takes some in.");
    return 0;
  }
  const rows: string[][] = [];
  for (let at = 0; at < channels.length; at += PAGE) {
    const some = channels.slice(at, at + PAGE);
    const { channels: on } = await cli.client.of(Epg).nowNext({ channelIds: some.map(({ id }) => id) });
    for (const [i, channel] of some.entries()) {
      const { now, next } = on[i] ?? {};
      const { id, number, name, playable } = channel;
      if (json) {
        const both = { now: now ? toJsonProgramme(now) : null, next: next ? toJsonProgramme(next) : null };
        cli.terminal.out(JSON.stringify({ id, number: number || null, name, playable, ...both }));
        continue;
      }
      const later = next ? `${clock(next.startMs)} ${nameOf(next)}` : "";
      rows.push([
        number === 0 ? "" : String(number),
        name,
        now ? `${nameOf(now)} (until ${clock(now.stopMs)})` : "-",
        later,
        id,
      ]);
    }
  }
  if (!json)
    for (const line of table(["NO", "CHANNEL", "NOW", "NEXT", "ID"], rows, Math.max(cli.terminal.columns, 120)))
      cli.terminal.out(line);
  return 0;
}

/** The start of a day in this machine's zone. */
function startOfDay(day: string | undefined): number {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? "") ?? [];
  if (day !== undefined && year === undefined) throw problem.invalid(`'${plain(day)}' is no day such as 2026-11-26`);
  const at = year === undefined ? new Date() : new Date(Number(year), Number(month) - 1, Number(date));
  return at.setHours(0, 0, 0, 0);
}

const clock = (ms: bigint): string =>
  new Date(Number(ms)).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

function nameOf({ title, subtitle, seasonNumber, episodeNumber }: GuideProgramme): string {
  const number = `${seasonNumber > 0 ? ` S${seasonNumber}` : ""}${episodeNumber > 0 ? ` E${episodeNumber}` : ""}`;
  return `${title}${number}${subtitle === "" || subtitle === title ? "" : `: ${subtitle}`}`;
}

const flagsOf = (one: GuideProgramme): string =>
  [
    ...(one.new ? ["new"] : one.premiere ? ["premiere"] : one.repeat ? ["repeat"] : []),
    ...(one.blackout ? ["blackout"] : []),
    ...(one.noRestart ? ["no-restart"] : []),
    ...(one.noRecord ? ["no-record"] : []),
  ].join(" ");

/** For programs: plain members, times as ISO 8601. */
function toJsonProgramme(one: GuideProgramme): Record<string, unknown> {
  const {
    $typeName: _name,
    $unknown: _unknown,
    startMs,
    stopMs,
    titles,
    subtitles,
    descriptions,
    credits,
    ...rest
  } = one;
  const texts = (all: GuideProgramme["titles"]) => all.map(({ language, text }) => ({ language, text }));
  return {
    ...{ ...rest, start: new Date(Number(startMs)).toISOString(), stop: new Date(Number(stopMs)).toISOString() },
    ...{ titles: texts(titles), subtitles: texts(subtitles), descriptions: texts(descriptions) },
    credits: credits.map(({ name, role, character }) => ({ name, role, character })),
  };
}

/** `marquee epg sources`: where the guide comes from. */
export async function listSources(cli: Cli, { json }: Json): Promise<ExitCode> {
  const { sources } = await cli.client.of(Epg).listSources({});
  const rows: string[][] = [];
  for (const source of sources) {
    const { imports } = await cli.client.of(Epg).listImports({ sourceName: source.name, limit: 1 });
    const [last] = imports;
    if (json) {
      const { $typeName: _name, $unknown: _unknown, importedAtMs, ...rest } = source;
      const importedAt = importedAtMs === 0n ? null : new Date(Number(importedAtMs)).toISOString();
      cli.terminal.out(JSON.stringify({ ...rest, importedAt, lastImport: last ? toJsonImport(last) : null }));
      continue;
    }
    const state = !last ? "never taken in" : last.state === "failed" ? `refused: ${last.failure}` : last.state;
    const every = source.refreshS === 0 ? "" : `${Math.round(source.refreshS / 360) / 10} h`;
    rows.push([
      source.name,
      String(source.priority),
      source.zone,
      every,
      `${source.matched}/${source.channels}`,
      state,
    ]);
  }
  if (json) return 0;
  if (rows.length === 0) cli.terminal.note("The guide has no sources yet: ./marquee epg import FILE makes one.");
  else
    for (const line of table(
      ["SOURCE", "PRIORITY", "ZONE", "EVERY", "CHANNELS", "LAST IMPORT"],
      rows,
      cli.terminal.columns,
    ))
      cli.terminal.out(line);
  return 0;
}

/** `marquee epg remove`: cannot be taken back, so a person is asked and a program has to say --yes. */
export async function removeSources(
  cli: Cli,
  names: readonly string[],
  { yes }: { readonly yes: boolean },
): Promise<ExitCode> {
  for (const name of names) {
    if (
      !yes &&
      !(await confirm(cli.terminal, `Take '${plain(name)}' and all that came of it out of the guide? [y/N] `))
    ) {
      cli.terminal.note(`'${plain(name)}' stays`);
      continue;
    }
    await cli.client.of(Epg).removeSource({ name });
    cli.terminal.out(`'${plain(name)}' is out of the guide`);
  }
  return 0;
}

/** `marquee epg match`: shows which channel is which and why, or says so by hand. */
export async function matchChannels(
  cli: Cli,
  of: { readonly source: string; readonly external?: string | undefined; readonly channel?: string | undefined },
  options: Json & { readonly none: boolean; readonly automatic: boolean; readonly unmatched: boolean },
): Promise<ExitCode> {
  const { source, external, channel } = of;
  const said = [channel !== undefined, options.none, options.automatic].filter(Boolean).length;
  if (said > 1) throw problem.invalid("say one of: a channel's id, --none, --automatic");
  if (said === 1 && external === undefined)
    throw problem.invalid("which channel of the source? Write its id after the source");
  if (external !== undefined && said === 1) {
    const { match } = await cli.client
      .of(Epg)
      .match({ sourceName: source, externalId: external, channelId: channel ?? "", automatic: options.automatic });
    if (match) showMatches(cli, [match], options.json);
    return 0;
  }
  const all: ChannelMatch[] = [];
  for (let afterExternalId = ""; ; ) {
    const { matches } = await cli.client
      .of(Epg)
      .listMatches({ sourceName: source, unmatchedOnly: options.unmatched, afterExternalId, limit: PAGE });
    all.push(...matches);
    const last = matches.at(-1);
    if (!last || matches.length < PAGE) break;
    afterExternalId = last.externalId;
  }
  const shown = external === undefined ? all : all.filter(({ externalId }) => externalId === external);
  if (external !== undefined && shown.length === 0)
    throw problem.notFound(
      `'${plain(source)}' has no channel '${plain(external)}': ./marquee epg match ${plain(source)} lists them`,
    );
  showMatches(cli, shown, options.json);
  if (shown.length === 0 && !options.json)
    cli.terminal.note(
      options.unmatched ? "Every channel of this source is matched." : "This source has brought no channels yet.",
    );
  return 0;
}

function showMatches(cli: Cli, matches: readonly ChannelMatch[], json: boolean): void {
  if (json) {
    for (const { $typeName: _name, $unknown: _unknown, ...match } of matches) cli.terminal.out(JSON.stringify(match));
    return;
  }
  const rows = matches.map((one) => [
    ...[one.externalId, one.names.slice(0, 2).join(", "), one.channelId || "-", one.foundBy],
    ...[one.explanation, String(one.programmes)],
  ]);
  const head = ["IN THE SOURCE", "NAMES", "CHANNEL", "BY", "WHY", "PROGRAMMES"];
  if (rows.length > 0)
    for (const line of table(head, rows, Math.max(cli.terminal.columns, 140))) cli.terminal.out(line);
}

/** `marquee epg restrict`: what may not be done with a programme. */
export async function restrictProgramme(cli: Cli, programmeId: string, words: readonly string[]): Promise<ExitCode> {
  const strange = words.find((word) => !WORDS.includes(word));
  if (strange !== undefined) throw problem.invalid(`'${plain(strange)}' is not known: ${WORDS.join(", ")}`);
  const said = {
    blackout: words.includes("blackout"),
    noRestart: words.includes("no-restart"),
    noRecord: words.includes("no-record"),
  };
  const { programme } = await cli.client.of(Epg).restrict({ programmeId, ...said });
  const title = plain(programme?.title ?? programmeId);
  cli.terminal.out(words.length === 0 ? `'${title}' has no restriction` : `'${title}': ${words.join(", ")}`);
  return 0;
}
