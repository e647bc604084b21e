import { Catalog, type Title } from "#contracts/catalog";
import { Encoding, type Encoding as EncodingState } from "#contracts/encoding";
import { problem } from "#kernel";
import type { Cli, ExitCode } from "./cli.ts";
import { type EditOptions, toUpdate } from "./edit.ts";
import { confirm, duration, plain, table } from "./terminal.ts";

const PAGE = 200;
const TITLES_MAX = 10_000;
const STATES = ["playable", "processing", "failed"];

/** `marquee titles`: what viewers see, or with --all everything there is. */
export async function listTitles(
  cli: Cli,
  options: { readonly all: boolean; readonly json: boolean },
): Promise<ExitCode> {
  const titles: Title[] = [];
  for (let afterId = ""; titles.length < TITLES_MAX; ) {
    const states = options.all ? STATES : [];
    const page = await cli.client
      .of(Catalog)
      .list({ limit: PAGE, afterId, includeHidden: options.all, ageRatingMax: 18, states });
    titles.push(...page.titles);
    const last = page.titles.at(-1);
    if (!last || page.titles.length < PAGE) break;
    afterId = last.id;
  }
  if (options.json) {
    for (const title of titles) cli.terminal.out(JSON.stringify(toJsonTitle(title)));
    return 0;
  }
  if (titles.length === 0) {
    cli.terminal.note(
      options.all
        ? "There are no titles yet: ./marquee import FILE makes one."
        : "Viewers see no titles yet; ./marquee titles --all shows hidden and failed ones too.",
    );
    return 0;
  }
  const rows = titles.map((title) => [
    title.id,
    title.title,
    title.kind,
    title.year === 0 ? "" : String(title.year),
    title.durationS > 0 ? duration(title.durationS) : "",
    title.state,
    title.publication,
  ]);
  const head = ["ID", "TITLE", "KIND", "YEAR", "LENGTH", "STATE", "PUBLICATION"];
  for (const line of table(head, rows, cli.terminal.columns)) cli.terminal.out(line);
  return 0;
}

export async function showTitle(cli: Cli, id: string, options: { readonly json: boolean }): Promise<ExitCode> {
  const { title } = await cli.client.of(Catalog).get({ id });
  // Titles that were never encoded here, such as series, have no ladder.
  const { encodings } = await cli.client.of(Encoding).getMany({ contentIds: [id] });
  return print(cli, title, options.json, encodings[0]);
}

/** The ladder, a rung a line: what was chosen for this film, or why it has the one that all have. */
export function describeLadder({ ladder, ladderReason, rungs }: EncodingState): string[] {
  const reason = ladderReason === "" ? "" : `: ${plain(ladderReason)}`;
  const rows = rungs.map((rung) => {
    const expected = rung.vmaf > 0 ? `, ${rung.expectedKbps} expected for a VMAF of ${rung.vmaf.toFixed(0)}` : "";
    return `${"".padEnd(12)} ${rung.profile}  ${rung.width}x${rung.height}  ${rung.bitrateKbps} kbit/s${expected}`;
  });
  return [`${"ladder".padEnd(12)} ${ladder}${reason}`, ...rows];
}

export async function editTitle(
  cli: Cli,
  id: string,
  options: EditOptions & { readonly json: boolean },
): Promise<ExitCode> {
  const { title: old } = await cli.client.of(Catalog).get({ id });
  const update = toUpdate(id, options, {
    nowMs: Date.now(),
    candidates: old?.artworkCandidates.map(({ key }) => key) ?? [],
  });
  const { title } = await cli.client.of(Catalog).update(update);
  return print(cli, title, options.json);
}

export async function setPublication(cli: Cli, ids: readonly string[], publish: boolean): Promise<ExitCode> {
  for (const id of ids) {
    const { title } = publish
      ? await cli.client.of(Catalog).publish({ id })
      : await cli.client.of(Catalog).unpublish({ id });
    const name = plain(title?.title ?? id);
    const from = Number(title?.availableFromMs ?? 0);
    const later = publish && from > Date.now() ? ` from ${formatTime(from)}` : "";
    cli.terminal.out(publish ? `'${name}' can be watched${later}` : `'${name}' is hidden`);
  }
  return 0;
}

/** Deleting cannot be taken back, so a person is asked and a program has to say --yes. */
export async function deleteTitles(
  cli: Cli,
  ids: readonly string[],
  options: { readonly yes: boolean },
): Promise<ExitCode> {
  const { titles } = await cli.client.of(Catalog).getMany({ ids: [...ids] });
  for (const id of ids) {
    const title = titles.find((found) => found.id === id);
    if (!title) throw problem.notFound(`title '${id}' does not exist: ./marquee titles --all lists those that do`);
    const name = plain(title.title);
    if (
      !options.yes &&
      !(await confirm(cli.terminal, `Delete '${name}' (${id}) for good, with its files and keys? [y/N] `))
    ) {
      cli.terminal.note(`'${name}' stays`);
      continue;
    }
    await cli.client.of(Catalog).delete({ id });
    cli.terminal.out(`'${name}' is deleted`);
  }
  return 0;
}

function print(cli: Cli, title: Title | undefined, json: boolean, encoding?: EncodingState): ExitCode {
  if (!title) throw problem.internal("the catalogue answered without the title");
  if (json) {
    const rungs = encoding?.rungs.map(({ $typeName: _name, $unknown: _unknown, ...rung }) => rung);
    const ladder = encoding && { kind: encoding.ladder, reason: encoding.ladderReason || null, rungs };
    cli.terminal.out(JSON.stringify({ ...toJsonTitle(title), ...(ladder ? { ladder } : {}) }));
    return 0;
  }
  for (const line of [...describe(title), ...(encoding ? describeLadder(encoding) : [])]) cli.terminal.out(line);
  return 0;
}

/** A title as facts, one a line, those that are empty left out. */
export function describe(title: Title): string[] {
  const episode = title.seasonNumber > 0 ? ` S${title.seasonNumber} E${title.episodeNumber}` : "";
  const facts: readonly (readonly [string, string])[] = [
    ["title", title.title],
    ["id", title.id],
    ["kind", `${title.kind}${episode}${title.parentId === "" ? "" : ` of ${title.parentId}`}`],
    ["state", title.failure === "" ? title.state : `${title.state}: ${title.failure}`],
    ["publication", title.publication],
    ["tagline", title.tagline],
    ["synopsis", title.synopsis],
    ["year", title.year === 0 ? "" : String(title.year)],
    ["length", title.durationS > 0 ? duration(title.durationS) : ""],
    ["age rating", String(title.ageRating)],
    ["tier", title.tierMin],
    ["genres", title.genres.join(", ")],
    ["credits", title.credits.map(({ name, role }) => (role === "" ? name : `${name} (${role})`)).join(", ")],
    ["markets", title.markets.length === 0 ? "everywhere" : title.markets.join(", ")],
    ["window", windowOf(Number(title.availableFromMs), Number(title.availableUntilMs))],
    ["sound", title.audioLanguages.join(", ")],
    ["subtitles", title.subtitleLanguages.join(", ")],
    [
      "package",
      title.packageRevision === 0 ? "" : `revision ${title.packageRevision}${title.complete ? ", complete" : ""}`,
    ],
    [
      "pictures",
      title.artworkCandidates
        .map(({ key }, i) => `${i + 1}${key === title.backdrop?.key ? " (backdrop)" : ""}`)
        .join(", "),
    ],
    ["added", formatTime(Number(title.addedAtMs))],
  ];
  return facts.filter(([, value]) => value !== "").map(([name, value]) => `${name.padEnd(12)} ${plain(value)}`);
}

function windowOf(fromMs: number, untilMs: number): string {
  if (fromMs === 0 && untilMs === 0) return "always";
  return `${fromMs === 0 ? "" : `from ${formatTime(fromMs)} `}${untilMs === 0 ? "" : `until ${formatTime(untilMs)}`}`.trim();
}

export const formatTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** For programs: plain members, times as ISO 8601. */
export function toJsonTitle(title: Title): Record<string, unknown> {
  const { $typeName: _name, $unknown: _unknown, artworkCandidates, backdrop, poster, credits, ...rest } = title;
  const time = (ms: bigint): string | null => (ms === 0n ? null : new Date(Number(ms)).toISOString());
  const { availableFromMs, availableUntilMs, addedAtMs, ...plainMembers } = rest;
  return {
    ...plainMembers,
    credits: credits.map(({ name, role }) => ({ name, role })),
    availableFrom: time(availableFromMs),
    availableUntil: time(availableUntilMs),
    addedAt: time(addedAtMs),
    backdropKey: backdrop?.key ?? null,
    posterKey: poster?.key ?? null,
    artworkKeys: artworkCandidates.map(({ key }) => key),
  };
}
