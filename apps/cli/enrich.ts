import { readFile, writeFile } from "node:fs/promises";
import { type Finding, Metadata, type Step, type Title } from "#contracts/metadata";
import { problem } from "#kernel";
import { formatTimestamp, parseSrt, parseWebvtt, plainText } from "#media/webvtt";
import type { Cli, ExitCode } from "./cli.ts";
import { duration, percent, plain, table } from "./terminal.ts";

interface Json {
  readonly json: boolean;
}
interface Cue {
  readonly startS: number;
  readonly endS: number;
  readonly text: string;
  readonly confidence: number;
}
interface Subtitles {
  readonly language: string;
  readonly cues: readonly Cue[];
}

const FILE_CHARACTERS_MAX = 4_000_000;

/** `marquee enrich TITLE` */
export async function enrichTitle(
  cli: Cli,
  contentId: string,
  { step = "", json }: Json & { readonly step?: string },
): Promise<ExitCode> {
  const { steps } = await cli.client.of(Metadata).enrich({ contentId, step });
  if (json) cli.terminal.out(JSON.stringify({ contentId, steps }));
  else if (steps.length === 0) cli.terminal.out(`nothing is left to do for ${plain(contentId)}`);
  else cli.terminal.out(`${steps.join(", ")}: ./marquee enrich status ${plain(contentId)} shows how far`);
  return 0;
}

/** `marquee enrich status` */
export async function showEnrichment(cli: Cli, contentId: string | undefined, { json }: Json): Promise<ExitCode> {
  if (contentId === undefined) return listTitles(cli, json);
  const { title } = await cli.client.of(Metadata).get({ contentId });
  if (!title) return 1;
  if (json) {
    cli.terminal.out(JSON.stringify(toJson(title)));
    return 0;
  }
  const rows = title.steps.map((step) => [
    ...[step.name, stateOf(step), step.corrected ? "a person" : `${step.model} ${step.version}`.trim()],
    ...[step.state === "done" && !step.corrected ? step.confidence.toFixed(2) : "", plain(tellOf(step))],
  ]);
  for (const line of table(["STEP", "STATE", "BY", "SURE", "WHAT"], rows, Math.max(cli.terminal.columns, 140)))
    cli.terminal.out(line);
  if (title.subtitlesShown !== "")
    cli.terminal.note(
      title.subtitlesShown === "accepted"
        ? "viewers see subtitles that a person accepted"
        : "viewers see subtitles that nobody has read, marked as automatic: ./marquee enrich subtitles accept",
    );
  if (title.findingsWaiting > 0)
    cli.terminal.note(`${title.findingsWaiting} findings wait for you: ./marquee enrich review list`);
  return 0;
}

async function listTitles(cli: Cli, json: boolean): Promise<ExitCode> {
  const { titles } = await cli.client.of(Metadata).list({});
  if (json) {
    for (const title of titles) cli.terminal.out(JSON.stringify(toJson(title)));
    return 0;
  }
  const rows = titles.map((title) => {
    const isAt = (state: string): Step[] => title.steps.filter((step) => step.state === state);
    const ended = isAt("done").length + isAt("skipped").length;
    return [
      ...[title.contentId, duration(title.durationS), percent(ended / Math.max(1, title.steps.length))],
      ...[
        isAt("running").map(stateAndName).join(", "),
        isAt("skipped")
          .map(({ name }) => name)
          .join(", "),
      ],
      ...[
        isAt("failed")
          .map(({ name }) => name)
          .join(", "),
        String(title.findingsWaiting),
      ],
    ];
  });
  const head = ["TITLE", "LENGTH", "DONE", "RUNNING", "SKIPPED", "FAILED", "TO REVIEW"];
  for (const line of table(head, rows, cli.terminal.columns)) cli.terminal.out(line);
  if (rows.length === 0) cli.terminal.note("Nothing was looked at yet: ./marquee import FILE makes a title.");
  return 0;
}

const stateAndName = (step: Step): string => `${step.name} ${percent(step.progress)}`;
const stateOf = (step: Step): string => (step.state === "running" ? `running ${percent(step.progress)}` : step.state);

/** One line of what a step came to. */
function tellOf(step: Step): string {
  if (step.message !== "") return step.message;
  if (step.valueJson === "") return "";
  const value = JSON.parse(step.valueJson) as Record<string, unknown>;
  const count = (member: string): number => (value[member] as readonly unknown[] | undefined)?.length ?? 0;
  switch (step.name) {
    case "scenes":
      return `${count("scenes")} scenes, ${count("chapters")} chapters`;
    case "loudness":
      return (value["tracks"] as { language: string; integratedLufs: number; truePeakDbtp: number; rangeLu: number }[])
        .map(
          (track) =>
            `${track.language || "?"} ${track.integratedLufs} LUFS, ${track.truePeakDbtp} dBTP, ${track.rangeLu} LU`,
        )
        .join("; ");
    case "fingerprint":
      return count("twins") === 0
        ? "like no other title"
        : (value["twins"] as { contentId: string; similarity: number }[])
            .map((twin) => `like ${twin.contentId} (${percent(twin.similarity)})`)
            .join(", ");
    case "embedding":
      return `${String(value["frames"])} frames: ./marquee enrich similar`;
    case "thumbnails":
      return `${count("pictures")} of ${String(value["candidates"])} frames`;
    case "subtitles":
      return `${count("cues")} cues in ${String(value["language"])}${step.corrected ? "" : ", a draft"}`;
    case "moderation": {
      const looked = value["looked"] as Record<string, boolean>;
      const reasons = (value["notLooked"] ?? {}) as Record<string, string>;
      const named = (isLooked: boolean): string[] => Object.keys(looked).filter((name) => looked[name] === isLooked);
      const missing = Map.groupBy(named(false), (name) => reasons[name] ?? "");
      const not = [...missing]
        .map(([why, names]) => `; not looked for ${names.join(", ")}${why && ` (${why})`}`)
        .join("");
      return `${String(value["suspicions"])} suspicions; looked for ${named(true).join(", ")}${not}`;
    }
    default:
      return (value["tags"] as readonly string[] | undefined)?.join(", ") ?? "";
  }
}

const toJson = (title: Title) => ({
  ...{ contentId: title.contentId, durationS: title.durationS, begunAtMs: Number(title.begunAtMs) },
  findingsWaiting: title.findingsWaiting,
  subtitlesShown: title.subtitlesShown,
  steps: title.steps.map(({ $typeName: _, valueJson, atMs, ...step }) => ({
    ...step,
    atMs: Number(atMs),
    value: valueJson === "" ? null : (JSON.parse(valueJson) as unknown),
  })),
});

/** `marquee enrich say` */
export async function sayOf(cli: Cli, contentId: string, what: string, valueJson: string): Promise<ExitCode> {
  await cli.client.of(Metadata).correct({ contentId, what, valueJson });
  cli.terminal.out(valueJson === "" ? `${plain(what)}: the model's again` : `${plain(what)}: yours from now on`);
  return 0;
}

async function subtitlesOf(cli: Cli, contentId: string): Promise<Subtitles & { readonly isDraft?: boolean }> {
  const { title } = await cli.client.of(Metadata).get({ contentId });
  const step = title?.steps.find(({ name }) => name === "subtitles");
  if (!step || step.valueJson === "")
    throw problem.precondition(`'${plain(contentId)}' has no draft: ${step?.message || "it was not listened to yet"}`);
  return { isDraft: !step.corrected, ...(JSON.parse(step.valueJson) as Subtitles) };
}

/** `marquee enrich subtitles export` */
export async function exportSubtitles(
  cli: Cli,
  contentId: string,
  { out }: { readonly out?: string },
): Promise<ExitCode> {
  const { cues, isDraft } = await subtitlesOf(cli, contentId);
  const blocks = cues.map(({ startS, endS, text, confidence }, index) => {
    const note = isDraft ? `NOTE sure: ${confidence.toFixed(2)}\n\n` : "";
    const times = `${formatTimestamp(Math.round(startS * 1_000))} --> ${formatTimestamp(Math.round(endS * 1_000))}`;
    return `${note}${index + 1}\n${times}\n${text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}\n`;
  });
  const text = ["WEBVTT\n", ...(isDraft ? ["NOTE a draft by a machine\n"] : []), ...blocks].join("\n");
  if (out === undefined) cli.terminal.out(text);
  else {
    await writeFile(cli.path(out), text);
    cli.terminal.out(`${cues.length} cues in ${plain(out)}`);
  }
  return 0;
}

/** `marquee enrich subtitles import` */
export async function importSubtitles(
  cli: Cli,
  contentId: string,
  file: string,
  { language }: { readonly language: string },
): Promise<ExitCode> {
  const text = await readFile(cli.path(file), "utf8");
  if (text.length > FILE_CHARACTERS_MAX)
    throw problem.invalid(`'${plain(file)}' has more than ${FILE_CHARACTERS_MAX} characters`);
  const { cues } = text.startsWith("WEBVTT") ? parseWebvtt(text, { lenient: true }) : parseSrt(text, { lenient: true });
  if (cues.length === 0) throw problem.invalid(`'${plain(file)}' holds no cues that can be read`);
  const mine = cues.map((cue) => ({
    ...{ startS: cue.startMs / 1_000, endS: cue.endMs / 1_000, text: plainText(cue.text) },
  }));
  await cli.client.of(Metadata).correct({
    ...{ contentId, what: "subtitles", valueJson: JSON.stringify({ language, cues: mine }) },
  });
  cli.terminal.out(`${mine.length} cues: yours from now on`);
  return 0;
}

/** `marquee enrich subtitles edit` */
export async function editCue(cli: Cli, contentId: string, number: string, text: string): Promise<ExitCode> {
  const { language, cues } = await subtitlesOf(cli, contentId);
  const index = /^\d{1,6}$/.test(number) ? Number(number) - 1 : -1;
  if (!cues[index]) throw problem.invalid(`'${plain(number)}' is no cue: there are 1 to ${cues.length}`);
  const edited = cues.map((cue, at) => (at === index ? { ...cue, text } : cue));
  await cli.client.of(Metadata).correct({
    ...{ contentId, what: "subtitles", valueJson: JSON.stringify({ language, cues: edited }) },
  });
  cli.terminal.out(`cue ${number} reads: ${plain(text)}`);
  return 0;
}

/** `marquee enrich subtitles accept` and `withdraw` */
export async function publishSubtitles(cli: Cli, contentId: string, withdraw: boolean): Promise<ExitCode> {
  await cli.client.of(Metadata).publishSubtitles({ contentId, withdraw });
  cli.terminal.out(withdraw ? "viewers see them no longer" : "viewers see them in a moment");
  return 0;
}

/** `marquee enrich review list` */
export async function listFindings(
  cli: Cli,
  { title, state, json }: Json & { readonly title: string; readonly state: string },
): Promise<ExitCode> {
  const { findings } = await cli.client.of(Metadata).findings({ contentId: title, state });
  if (json) {
    for (const finding of findings) cli.terminal.out(JSON.stringify(findingJson(finding)));
    return 0;
  }
  const rows = findings.map((finding) => [
    ...[finding.id, finding.contentId, finding.kind, plain(finding.label)],
    ...[`${duration(finding.startS)} – ${duration(finding.endS)}`, finding.score.toFixed(2), finding.model],
  ]);
  const head = ["FINDING", "TITLE", "KIND", "WHAT", "WHERE", "SCORE", "BY"];
  for (const line of table(head, rows, cli.terminal.columns)) cli.terminal.out(line);
  if (rows.length === 0) cli.terminal.note(`Nothing is ${state}.`);
  return 0;
}

/** `marquee enrich review accept|reject` */
export async function decideFinding(cli: Cli, id: string, verdict: string): Promise<ExitCode> {
  const { finding } = await cli.client.of(Metadata).decide({ id, verdict });
  cli.terminal.out(`${plain(id)} of ${finding?.contentId ?? "?"} is ${verdict}`);
  return 0;
}

const findingJson = ({ $typeName: _, foundAtMs, decidedAtMs, ...finding }: Finding) => ({
  ...finding,
  ...{ foundAtMs: Number(foundAtMs), decidedAtMs: Number(decidedAtMs) },
});
